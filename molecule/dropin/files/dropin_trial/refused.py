# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is refused, and what is left: cases 38, 41 to 43 and 48."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._command import Completed, run
from ansible_collections.oomguard.linux.plugins.module_utils._errors import OomguardError
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.manager import Systemd
from dropin_trial.host import (
    BOGUS,
    CONTINUE,
    FILE,
    FOLDER,
    SIXTY,
    Outcome,
    attempt,
    shown,
    write,
)

TRIAL = pathlib.Path(__file__).parents[1]


def foreign() -> Outcome:
    """Find a file of somebody else's."""
    write(FILE, "[Service]\nOOMPolicy=kill\n")
    outcome: Outcome = {"refused": attempt(CONTINUE), "not removed": attempt(present=False), "text": FILE.read_text()}
    outcome["forced"] = attempt(CONTINUE, force=True)
    outcome["backups"] = [path.read_text() for path in FOLDER.glob("*~")]
    return outcome


def links() -> Outcome:
    """Find links where the folder or the file should be."""
    FOLDER.symlink_to("/dev/null")
    outcome = {"folder": attempt(CONTINUE)["error"]}
    FOLDER.unlink()
    FOLDER.mkdir()
    FILE.symlink_to("/dev/null")
    return {**outcome, "file": attempt(CONTINUE)["error"], "still": os.readlink(str(FILE))}


@contextlib.contextmanager
def mounted(*arguments: str) -> t.Iterator[None]:
    """Have a filesystem mounted over the unit's folder."""
    subprocess.run(["mount", *arguments, str(FOLDER)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(FOLDER)], check=True)


def no_room() -> Outcome:
    """Let the disk be full, or not writable, with an old file there."""
    outcome: Outcome = {}
    FOLDER.mkdir()
    with mounted("-t", "tmpfs", "-o", "size=8k", "tmpfs"):
        attempt(CONTINUE)
        with contextlib.suppress(OSError):
            write(FOLDER / "fill", "x" * 100_000)
        outcome["full"] = attempt(SIXTY)
        outcome["text, full"] = FILE.read_text()
        subprocess.run(["mount", "-o", "remount,ro", str(FOLDER)], check=True)
        outcome["read-only"] = attempt(SIXTY)
        outcome["absent, read-only"] = attempt(present=False)
        outcome["text, read-only"] = FILE.read_text()
    attempt(CONTINUE)
    subprocess.run(["chattr", "+i", str(FILE)], check=True)
    outcome["immutable"] = attempt(SIXTY)
    outcome["text, immutable"] = FILE.read_text()
    subprocess.run(["chattr", "-i", str(FILE)], check=True)
    return outcome


def read_only_etc() -> Outcome:
    """Let /etc be read-only, as on a host that is booted from an image."""
    subprocess.run(["mount", "--bind", "/etc", "/etc"], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", "/etc"], check=True)
    try:
        return {"etc": attempt(CONTINUE), "run": attempt(CONTINUE, runtime=True)}
    finally:
        subprocess.run(["umount", "--lazy", "/etc"], check=True)


def failing(times: int, *, error: OomguardError | None = None) -> t.Callable[..., Completed]:
    """Return a way to run programs of which daemon-reload fails, the first `times`."""
    left = [times]

    def call(argv: t.Sequence[str], **options: t.Any) -> Completed:
        if argv[-1] == "daemon-reload" and left[0]:
            left[0] -= 1
            if error is None:
                return run(["sleep", "60"], timeout=0.2)
            return Completed(argv=tuple(argv), returncode=1, stdout="", stderr=str(error))
        return run(argv, **options)

    return call


def failed_reload() -> Outcome:
    """Have daemon-reload fail or hang, once and for good, over no file and over an old one."""
    refused = OomguardError("Refusing to reload")
    outcome: Outcome = {
        "fails": attempt(CONTINUE, systemd=Systemd(run=failing(1, error=refused))),
        "hangs": attempt(CONTINUE, systemd=Systemd(run=failing(1))),
        "fails twice": attempt(CONTINUE, systemd=Systemd(run=failing(2, error=refused))),
    }
    attempt(CONTINUE)
    outcome["old"] = attempt(SIXTY, systemd=Systemd(run=failing(1, error=refused)))
    outcome["text, old"] = FILE.read_text()
    outcome["in force"] = shown("OOMPolicy", "NeedDaemonReload", "MemoryMax")
    return outcome


def really_failed_reload() -> Outcome:
    """Fill /run, where systemd keeps its state while it reads its files; newer ones refuse to reload then."""
    fill = pathlib.Path("/run/fill")
    free = os.statvfs("/run").f_bavail * os.statvfs("/run").f_frsize
    with contextlib.suppress(OSError), fill.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free - 1024 * 1024)
    try:
        outcome: Outcome = {"full": attempt(CONTINUE)}
    finally:
        fill.unlink()
    outcome["freed"] = attempt(CONTINUE)
    return outcome


def not_booted() -> Outcome:
    """Ask in a root without a running systemd, as when an image is built."""
    root = pathlib.Path("/mnt")
    subprocess.run(["mount", "--rbind", "/", str(root)], check=True)
    subprocess.run(["mount", "--make-rslave", str(root)], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(root / "run")], check=True)
    try:
        argv = ["chroot", str(root), "env", f"PYTHONPATH={TRIAL}", sys.executable, "-m", "dropin_trial", "in-chroot"]
        said = subprocess.run(argv, check=True, stdout=subprocess.PIPE).stdout
    finally:
        subprocess.run(["umount", "--lazy", str(root)], check=True)
    return t.cast(Outcome, json.loads(said))


def in_chroot() -> Outcome:
    """Do what `not_booted` is about."""
    return {
        "alias": attempt(CONTINUE, unit="trial-alias.service"),
        "bad": attempt(BOGUS)["error"],
        "masked": attempt(CONTINUE, unit="trial-masked.service")["error"],
        "no unit": attempt(CONTINUE, unit="nosuch.service")["error"],
        "instance": attempt(CONTINUE, unit="trial@two.service"),
        "no instance": attempt(unit="trial@two.service", present=False),
        "again": attempt(CONTINUE),
        "absent": attempt(present=False),
        "runtime": attempt(CONTINUE, runtime=True)["error"],
    }


CASES = (
    foreign,
    links,
    no_room,
    read_only_etc,
    failed_reload,
    really_failed_reload,
    not_booted,
)
