# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may lie at the path already, the shapes that fstab has, and how little a run that changes nothing changes."""

from __future__ import annotations

import functools
import os
import pathlib
import shutil
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._command import run
from swap_trial.host import FSTAB, MIB, Trial, change, complete, in_child, listing, remove, start, switch_off, wanted

ROOT = "/dev/vda / ext4 errors=remount-ro,x-systemd.growfs 0 1"

# The paths are those that a host has; what no host has is said to be missable.
TABLES = {
    "plain": f"{ROOT}\n",
    "no final newline": ROOT,
    "no line at all": "",
    "tabs and blanks": ROOT.replace(" ", "\t  ") + "\n",
    "windows": f"# edited elsewhere\r\n{ROOT} \r\n\r\n",
    "comments": f"#/swapfile none swap sw 0 0\n  # {ROOT}\n{ROOT}\n\n\n# the end\n\n",
    "other swap": f"{ROOT}\nLABEL=elsewhere none swap sw,nofail 0 0\n/swapfile.old none swap sw,nofail,noauto 0 0\n",
    "escapes": f"{ROOT}\n/srv/a\\040b /srv/c\\011d none bind,nofail,noauto 0 0\n/dev/vda /srv/\\134e ext4 noauto 0 0\n",
    "malformed": f"what is this\n/swapfile\n{ROOT}\n   \n",
    "not text": f"{ROOT}\n# caf\udce9 \x0c \x85 \u2028\n",
    "without dump and pass": "/dev/vda / ext4 errors=remount-ro\n/dev/vda\t/\text4\n",
}


def tables(path: str) -> dict[str, t.Any]:
    """Have our line added to and removed from each table, and compare the bytes; return what went wrong."""
    problems = []
    kept = FSTAB.read_bytes()
    real = FSTAB.with_name("fstab.real")
    line = f"{path} none swap sw,nofail 0 0\n".encode()
    for number, (name, text) in enumerate(TABLES.items()):
        linked = number % 2 == 1
        table = text.encode("utf-8", "surrogateescape")
        FSTAB.unlink()
        if linked:
            FSTAB.symlink_to(real.name)
        FSTAB.write_bytes(table)
        FSTAB.chmod(0o640)
        before = FSTAB.lstat().st_mode, FSTAB.stat().st_mode
        whole = table if table.endswith(b"\n") or not table else table + b"\n"
        for trial, expected in ((Trial(0, 64 * MIB), whole + line), (Trial(0, None), whole)):
            if in_child(functools.partial(complete, path, trial)):
                problems.append(f"{name}: the run failed")
            if FSTAB.read_bytes() != expected:
                problems.append(f"{name}: {FSTAB.read_bytes()!r} and not {expected!r}")
            if (FSTAB.lstat().st_mode, FSTAB.stat().st_mode) != before:
                problems.append(f"{name}: another mode")
    FSTAB.unlink()
    FSTAB.write_bytes(kept)
    FSTAB.chmod(0o644)
    real.unlink()
    return {"tables": len(TABLES), "problems": problems}


def _file(path: pathlib.Path) -> None:
    path.write_text("precious")


def _swap_of_others(path: pathlib.Path) -> None:
    path.write_bytes(bytes(MIB))
    run(["mkswap", str(path)])


def _hard_link(path: pathlib.Path) -> None:
    start(f"{path}.d/swapfile", Trial(64 * MIB, None))
    # The kernel lets nobody remove a name of a file that it swaps to.
    switch_off(f"{path}.d/swapfile")
    os.link(f"{path}.d/swapfile", path)


FOREIGN: dict[str, t.Callable[[pathlib.Path], object]] = {
    "file": _file,
    "swap of others": _swap_of_others,
    "link": lambda path: path.symlink_to("/etc/passwd"),
    "dangling link": lambda path: path.symlink_to("/etc/nothing-yet"),
    "folder": lambda path: path.mkdir(),
    "pipe": os.mkfifo,
    "hard link": _hard_link,
}


def foreign(path: str) -> dict[str, t.Any]:
    """Have each kind of thing at `path`, and see that the run fails and leaves all as it was."""
    problems = []
    place = pathlib.Path(path)
    for name, make in FOREIGN.items():
        make(place)
        before = listing("/etc", str(place.parent))
        if os.WEXITSTATUS(in_child(functools.partial(complete, path, Trial(0, 64 * MIB)))) != 1:
            problems.append(f"{name}: not refused")
        problems += [f"{name}: {line}" for line in differences(before, listing("/etc", str(place.parent)))]
        if place.is_dir():
            place.rmdir()
        else:
            place.unlink()
    shutil.rmtree(f"{path}.d")
    remove(path)
    return {"kinds": len(FOREIGN), "problems": problems}


def still(path: str, trial: Trial) -> dict[str, t.Any]:
    """Look at all the host before and after check mode, and before and after a second run; return what differs."""
    start(path, trial)
    before = listing("/")
    target = wanted(path, trial.target, priority=trial.priority, persist=trial.persist)
    problems = [] if change(target, check_mode=True).changed else ["check mode saw no change"]
    problems += [f"check mode: {line}" for line in differences(before, listing("/"))]
    complete(path, trial)
    before = listing("/")
    if complete(path, trial):
        problems.append("the second run changed something")
    problems += [f"second run: {line}" for line in differences(before, listing("/"))]
    remove(path)
    return {"lines": len(before), "problems": problems}


def differences(before: list[str], after: list[str]) -> list[str]:
    """Return the lines that are in one of two listings only."""
    return sorted({*before} ^ {*after})
