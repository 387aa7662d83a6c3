# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the lab needs of the host: programs, space, time."""

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
from lab.interrupts import held_back

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

# Users other than root have no sbin on their PATH, where mke2fs is.
PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))

_LAST_WORDS = 20
_TIMED_OUT = 124
_PATIENCE_SECONDS = 30


class Completed(t.NamedTuple):
    """A program that has run to its end: its exit code, and both its outputs as one text."""

    code: int
    output: str


Run = t.Callable[[list[str]], Completed]


def require(*programs: str) -> None:
    """Check that programs are installed.

    Raises LabError with the Debian packages of those that are not.
    """
    missing = [program for program in programs if shutil.which(program, path=PATH) is None]
    if missing:
        packages = sorted({DEBIAN_PACKAGES[program] for program in missing})
        raise LabError(
            f"{', '.join(missing)} cannot be found on this host.",
            f"Install {', '.join(packages)}, on Debian and Ubuntu with: apt-get install {' '.join(packages)}",
        )


def require_space(folder: Path, needed: int, purpose: str) -> None:
    """Check that the file system of an existing folder has so many bytes free.

    Raises LabError.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise LabError(
            f"{purpose} needs {needed / GIB:.1f} GiB, and {folder} has {free / GIB:.1f} GiB free.",
            "Free some space, or choose another place: XDG_CACHE_HOME moves the images, TMPDIR what is temporary.",
        )


def run(argv: list[str], *, seconds: float | None = None) -> Completed:
    """Run a program in a session of its own, and end all of that when interrupted or when its time is over.

    The exit code is then that of timeout(1).
    """
    with held_back():
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
            with held_back():
                _end_session(process)
            if isinstance(interruption, subprocess.TimeoutExpired):
                return Completed(_TIMED_OUT, "")
            raise
    return Completed(process.returncode, output)


def run_checked(argv: list[str], purpose: str) -> str:
    """Run a program that has to succeed, and return what it said.

    Raises LabError with its last lines.
    """
    completed = run(argv)
    if completed.code:
        raise LabError(
            f"{purpose} failed: {argv[0]} ended with {completed.code}. Its last lines:\n{last_words(completed.output)}",
            "Put right what these lines name, and run it again: nothing half-made was left.",
        )
    return completed.output


def last_words(text: str) -> str:
    """Return the last lines of a program's or a machine's output, indented."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return "\n".join(f"    {line}" for line in lines[-_LAST_WORDS:]) or "    (nothing)"


@contextlib.contextmanager
def locked(path: Path) -> t.Iterator[None]:
    """Hold the lock of a file or folder, for which others wait. It ends with the process, however that ends."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def cache() -> Path:
    """Return the folder of what is worth keeping, and make it."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "oomguard"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _end_session(process: subprocess.Popen[str]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=_PATIENCE_SECONDS)
            return
