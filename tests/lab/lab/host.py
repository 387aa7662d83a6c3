# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run programs on the host, and check that it has the programs and the space that the lab needs."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import typing as t
from pathlib import Path

from lab.errors import LabError
from lab.interrupts import delay_interrupts

GIB = 1 << 30

DEBIAN_PACKAGES = {
    "fakeroot": "fakeroot",
    "mke2fs": "e2fsprogs",
    "mmdebstrap": "mmdebstrap",
    "qemu-img": "qemu-utils",
    "qemu-system-x86_64": "qemu-system-x86",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
}

# mke2fs is in sbin, which is not on the PATH of users other than root.
PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))

_LAST_LINES = 20
_TIMED_OUT = 124
_END_SECONDS = 30


class Completed(t.NamedTuple):
    """The result of a program: its exit status, and its standard output and standard error as one text."""

    code: int
    output: str


Run = t.Callable[[list[str]], Completed]


def require(*programs: str) -> None:
    """Check that programs are installed.

    Raise LabError with the Debian packages of the missing ones.
    """
    missing = [program for program in programs if shutil.which(program, path=PATH) is None]
    if not missing:
        return

    packages = sorted({DEBIAN_PACKAGES[program] for program in missing})
    raise LabError(
        f"These programs are not installed: {', '.join(missing)}.",
        f"Install {', '.join(packages)}. On Debian and Ubuntu, run: apt-get install {' '.join(packages)}",
    )


def require_space(folder: Path, needed: int, purpose: str) -> None:
    """Check that the filesystem of an existing folder has so many bytes free.

    Raise LabError if it has not.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise LabError(
            f"{purpose} needs {needed / GIB:.1f} GiB, and {folder} has {free / GIB:.1f} GiB free.",
            "Free some space, or choose other folders: XDG_CACHE_HOME for the images, TMPDIR for temporary files.",
        )


def run(argv: list[str], *, seconds: float | None = None) -> Completed:
    """Run a program in a session of its own, and end the whole session on an interrupt or after `seconds`.

    After `seconds`, the exit status is that of timeout(1).
    """
    with delay_interrupts():
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**os.environ, "LC_ALL": "C", "PATH": PATH},
            start_new_session=True,
        )
    with process:
        try:
            output, _error = process.communicate(timeout=seconds)
        except BaseException as interruption:
            with delay_interrupts():
                _end_session(process)
            if isinstance(interruption, subprocess.TimeoutExpired):
                return Completed(_TIMED_OUT, "")
            raise
    return Completed(process.returncode, output)


def run_checked(argv: list[str], purpose: str) -> str:
    """Run a program, and return its output.

    Raise LabError with its last lines if it fails.
    """
    code, output = run(argv)
    if code:
        raise LabError(
            f"{purpose} failed: {argv[0]} exited with {code}. Its last lines:\n{format_last_lines(output)}",
            "Fix the problem that these lines report, and try again. Nothing incomplete was left.",
        )

    return output


def format_last_lines(text: str) -> str:
    """Return the last lines of the output of a program or a machine, indented, without empty lines."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    if not lines:
        return "    (nothing)"

    return "\n".join(f"    {line}" for line in lines[-_LAST_LINES:])


@contextlib.contextmanager
def hold_lock(path: Path) -> t.Iterator[None]:
    """Wait for the lock of a file or folder, and hold it during the block. The kernel releases it at exit."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def make_cache() -> Path:
    """Return the cache folder, and create it if it does not exist."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "oomguard"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _end_session(process: subprocess.Popen[str]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=_END_SECONDS)
            return
