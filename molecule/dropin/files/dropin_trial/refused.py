# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drop-ins that are refused or fail, and what they leave."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._command import Completed, run
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.manager import Systemd
from dropin_trial.host import BOGUS, CONTINUE, FILE, FOLDER, SIXTY_MB, Outcome, attempt, show_properties, write_file

TRIAL_FOLDER = pathlib.Path(__file__).parents[1]


def try_foreign() -> Outcome:
    """Find a file that the module has not written."""
    write_file(FILE, "[Service]\nOOMPolicy=kill\n")
    outcome: Outcome = {"refused": attempt(CONTINUE), "not removed": attempt(present=False), "text": FILE.read_text()}
    outcome["forced"] = attempt(CONTINUE, force=True)
    outcome["backups"] = [path.read_text() for path in FOLDER.glob("*~")]
    return outcome


def try_links() -> Outcome:
    """Find links in place of the folder or the file."""
    FOLDER.symlink_to("/dev/null")
    outcome = {"folder": attempt(CONTINUE)["error"]}
    FOLDER.unlink()
    FOLDER.mkdir()
    FILE.symlink_to("/dev/null")
    return {**outcome, "file": attempt(CONTINUE)["error"], "still": os.readlink(str(FILE))}


@contextlib.contextmanager
def mount_over_folder(*arguments: str) -> t.Iterator[None]:
    """Mount a filesystem over the folder of the unit, and unmount it afterwards."""
    subprocess.run(["mount", *arguments, str(FOLDER)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(FOLDER)], check=True)


def try_no_room() -> Outcome:
    """Fill the disk or make it read-only, with an old file there."""
    outcome: Outcome = {}
    FOLDER.mkdir()
    with mount_over_folder("-t", "tmpfs", "-o", "size=8k", "tmpfs"):
        attempt(CONTINUE)
        with contextlib.suppress(OSError):
            write_file(FOLDER / "fill", "x" * 100_000)
        outcome["full"] = attempt(SIXTY_MB)
        outcome["full, check mode"] = attempt(SIXTY_MB, check_mode=True)
        outcome["text, full"] = FILE.read_text()
        subprocess.run(["mount", "-o", "remount,ro", str(FOLDER)], check=True)
        outcome["read-only"] = attempt(SIXTY_MB)
        outcome["read-only, check mode"] = attempt(SIXTY_MB, check_mode=True)
        outcome["absent, read-only"] = attempt(present=False)
        outcome["text, read-only"] = FILE.read_text()

    attempt(CONTINUE)
    subprocess.run(["chattr", "+i", str(FILE)], check=True)
    outcome["immutable"] = attempt(SIXTY_MB)
    outcome["immutable, check mode"] = attempt(SIXTY_MB, check_mode=True)
    outcome["text, immutable"] = FILE.read_text()
    subprocess.run(["chattr", "-i", str(FILE)], check=True)
    subprocess.run(["chattr", "+a", str(FOLDER)], check=True)
    outcome["append-only"] = attempt(SIXTY_MB)
    outcome["append-only, check mode"] = attempt(SIXTY_MB, check_mode=True)
    outcome["text, append-only"] = FILE.read_text()
    subprocess.run(["chattr", "-a", str(FOLDER)], check=True)
    return outcome


def try_read_only_etc() -> Outcome:
    """Make /etc read-only, as on a host that is booted from an image."""
    subprocess.run(["mount", "--bind", "/etc", "/etc"], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", "/etc"], check=True)
    try:
        return {
            "etc": attempt(CONTINUE),
            "check mode": attempt(CONTINUE, check_mode=True),
            "run": attempt(CONTINUE, runtime=True),
        }
    finally:
        subprocess.run(["umount", "--lazy", "/etc"], check=True)


def make_failing_run(times: int, *, message: str | None) -> t.Callable[..., Completed]:
    """Return a function that runs programs, but whose first daemon-reloads fail with `message`, or hang if None."""
    left = times

    def run_or_fail(argv: t.Sequence[str], **options: t.Any) -> Completed:
        nonlocal left
        if argv[-1] != "daemon-reload" or left == 0:
            return run(argv, **options)
        left -= 1
        if message is None:
            return run(["sleep", "60"], timeout=0.2)
        return Completed(argv=tuple(argv), returncode=1, stdout="", stderr=message)

    return run_or_fail


def try_failed_reload() -> Outcome:
    """Make daemon-reload fail once, hang, and fail twice, without an old file; then fail once over an old file."""
    message = "Refusing to reload"
    outcome: Outcome = {
        "fails": attempt(CONTINUE, systemd=Systemd(run=make_failing_run(1, message=message))),
        "hangs": attempt(CONTINUE, systemd=Systemd(run=make_failing_run(1, message=None))),
        "fails twice": attempt(CONTINUE, systemd=Systemd(run=make_failing_run(2, message=message))),
    }
    attempt(CONTINUE)
    outcome["old"] = attempt(SIXTY_MB, systemd=Systemd(run=make_failing_run(1, message=message)))
    outcome["text, old"] = FILE.read_text()
    outcome["in force"] = show_properties("OOMPolicy", "NeedDaemonReload", "MemoryMax")
    return outcome


def try_really_failed_reload() -> Outcome:
    """Fill /run, where systemd keeps its state during a reload. Newer versions refuse to reload then."""
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


def try_not_booted() -> Outcome:
    """Apply drop-ins in a root directory without a running systemd, as when an image is built."""
    root = pathlib.Path("/mnt")
    subprocess.run(["mount", "--rbind", "/", str(root)], check=True)
    subprocess.run(["mount", "--make-rslave", str(root)], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(root / "run")], check=True)
    try:
        program = [sys.executable, "-m", "dropin_trial", "in-chroot"]
        argv = ["chroot", str(root), "env", f"PYTHONPATH={TRIAL_FOLDER}", *program]
        printed = subprocess.run(argv, check=True, stdout=subprocess.PIPE).stdout
    finally:
        subprocess.run(["umount", "--lazy", str(root)], check=True)
    return t.cast(Outcome, json.loads(printed))


def apply_in_chroot() -> Outcome:
    """Apply the drop-ins of `try_not_booted`."""
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


CASES = {
    "foreign": try_foreign,
    "links": try_links,
    "no_room": try_no_room,
    "read_only_etc": try_read_only_etc,
    "failed_reload": try_failed_reload,
    "really_failed_reload": try_really_failed_reload,
    "not_booted": try_not_booted,
}
