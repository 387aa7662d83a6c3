# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that may lie at the path already, the forms that fstab can have, and runs that must change nothing."""

from __future__ import annotations

import functools
import os
import pathlib
import shutil
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._command import run
from swap_trial.host import (
    FSTAB,
    MIB,
    Trial,
    change_swap,
    list_host,
    make_wanted,
    reach_target,
    remove_swap,
    run_in_child,
    set_up,
    switch_off,
)

ROOT = "/dev/vda / ext4 errors=remount-ro,x-systemd.growfs 0 1"

# The tables name paths that the host has; the others have the options nofail or noauto.
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


def try_tables(path: str) -> dict[str, t.Any]:
    """Add our line to each table and remove it again; return the number of tables and the problems.

    Every second table is a file that fstab links to.
    """
    problems: list[str] = []
    kept = FSTAB.read_bytes()
    target = FSTAB.with_name("fstab.real")
    for number, (name, text) in enumerate(TABLES.items()):
        FSTAB.unlink()
        if number % 2 == 1:
            FSTAB.symlink_to(target.name)
        table = text.encode("utf-8", "surrogateescape")
        FSTAB.write_bytes(table)
        FSTAB.chmod(0o640)
        problems += [f"{name}: {problem}" for problem in _try_table(path, table)]
    FSTAB.unlink()
    FSTAB.write_bytes(kept)
    FSTAB.chmod(0o644)
    target.unlink()
    return {"tables": len(TABLES), "problems": problems}


def _try_table(path: str, table: bytes) -> t.Iterator[str]:
    """Add our line to the table in fstab and remove it again; yield the differences in bytes and modes."""
    modes = _read_modes()
    line = f"{path} none swap sw,nofail 0 0\n".encode()
    whole = table
    if table and not table.endswith(b"\n"):
        whole = table + b"\n"
    for trial, expected in ((Trial(0, 64 * MIB), whole + line), (Trial(0, None), whole)):
        if run_in_child(functools.partial(reach_target, path, trial)):
            yield "the run failed"
        found = FSTAB.read_bytes()
        if found != expected:
            yield f"{found!r} instead of {expected!r}"
        if _read_modes() != modes:
            yield "another mode"


def _read_modes() -> tuple[int, int]:
    """Return the modes of fstab itself and of the file that it may link to."""
    return FSTAB.lstat().st_mode, FSTAB.stat().st_mode


def _make_file(path: pathlib.Path) -> None:
    path.write_text("precious")


def _make_foreign_swap(path: pathlib.Path) -> None:
    path.write_bytes(bytes(MIB))
    run(["mkswap", str(path)])


def _make_hard_link(path: pathlib.Path) -> None:
    set_up(f"{path}.d/swapfile", Trial(64 * MIB, None))
    # The kernel allows no one to remove a name of a file in use as swap.
    switch_off(f"{path}.d/swapfile")
    os.link(f"{path}.d/swapfile", path)


FOREIGN: dict[str, t.Callable[[pathlib.Path], object]] = {
    "file": _make_file,
    "foreign swap": _make_foreign_swap,
    "link": lambda path: path.symlink_to("/etc/passwd"),
    "dangling link": lambda path: path.symlink_to("/etc/nothing-yet"),
    "folder": lambda path: path.mkdir(),
    "pipe": os.mkfifo,
    "hard link": _make_hard_link,
}


def try_foreign(path: str) -> dict[str, t.Any]:
    """Run the module with each kind of foreign file at `path`: it must fail, and change nothing.

    Return the number of kinds and the problems.
    """
    problems = []
    place = pathlib.Path(path)
    for name, make in FOREIGN.items():
        make(place)
        before = list_host("/etc", str(place.parent))
        status = run_in_child(functools.partial(reach_target, path, Trial(0, 64 * MIB)))
        if os.WEXITSTATUS(status) != 1:
            problems.append(f"{name}: not refused")
        after = list_host("/etc", str(place.parent))
        problems += [f"{name}: {line}" for line in find_differences(before, after)]
        if place.is_dir():
            place.rmdir()
        else:
            place.unlink()
    shutil.rmtree(f"{path}.d")
    remove_swap(path)
    return {"kinds": len(FOREIGN), "problems": problems}


def try_still(path: str, trial: Trial) -> dict[str, t.Any]:
    """List the whole host before and after check mode, and before and after a second run.

    Return the number of lines and the problems.
    """
    problems: list[str] = []
    set_up(path, trial)
    before = list_host("/")
    wanted = make_wanted(path, trial.target, priority=trial.priority, persist=trial.persist)
    if not change_swap(wanted, check_mode=True).changed:
        problems.append("check mode saw no change")
    problems += [f"check mode: {line}" for line in find_differences(before, list_host("/"))]

    reach_target(path, trial)
    before = list_host("/")
    if reach_target(path, trial):
        problems.append("the second run changed something")
    problems += [f"second run: {line}" for line in find_differences(before, list_host("/"))]
    remove_swap(path)
    return {"lines": len(before), "problems": problems}


def find_differences(before: list[str], after: list[str]) -> list[str]:
    """Return the lines that only one of two listings has."""
    return sorted({*before} ^ {*after})
