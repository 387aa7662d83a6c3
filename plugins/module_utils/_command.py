# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place that runs programs."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import typing as t

from ._errors import OomguardError
from ._safe import neutralise

# poll(2), which waits for the output, counts milliseconds in a C int.
LONGEST_TIMEOUT = (2**31 - 1) // 1000
_KILL_TIMEOUT = 1

# Variables of the environment that programs inherit. All others, such as SYSTEMD_LOG_LEVEL, LANG and LD_PRELOAD, could
# change what a program prints or does. TZ counts for times that users write.
_INHERITED = ("HOME", "LOGNAME", "TMPDIR", "TZ", "USER")
# After su, root has the PATH of a user, which lacks the folders of mkswap and httpd.
_FOLDERS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


class CommandError(OomguardError):
    """A program is missing, did not end in time, or failed."""


class Completed(t.NamedTuple):
    """The exit status and the output of a program that has ended."""

    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str

    def failed(self, attempt: str, *, hint: str = "") -> CommandError:
        """Return the error that says that `attempt` (such as "enable the swap area /swapfile") failed, and why."""
        output = self.stderr or self.stdout
        # Cut on its own, so that a long output leaves room for the rest of the sentence.
        reason = neutralise(" ".join(output.split())) or "it printed nothing"
        problem = f"Could not {attempt}: {self.argv[0]} ended with status {self.returncode} ({reason})."

        return CommandError(problem, hint=hint)


class Run(t.Protocol):
    """The port through which adapters run programs. Tests pass their own."""

    def __call__(
        self,
        argv: t.Sequence[str],
        *,
        timeout: float = 60,
        stdin: str = "",
        environment: t.Mapping[str, str] | None = None,
    ) -> Completed:
        """Run `argv` to its end and return its exit status and output, whatever the status is."""


def run(
    argv: t.Sequence[str],
    *,
    timeout: float = 60,
    stdin: str = "",
    environment: t.Mapping[str, str] | None = None,
) -> Completed:
    """Run `argv` in the C locale without a shell and return its exit status and output.

    Of this program's environment, only a few variables are passed on; `environment` has others. The caller judges the
    exit status. The output is decoded as UTF-8; other bytes become surrogates. A program that has not ended after
    `timeout` seconds is killed with all its children. Raises CommandError if the program is missing or does not end in
    time, and if `timeout` is not from 0 to LONGEST_TIMEOUT.
    """
    _refuse_timeout(argv, timeout)
    process = _start(argv, environment or {})
    try:
        stdout, stderr = process.communicate(stdin, timeout=timeout)
    except subprocess.TimeoutExpired as error:
        _kill(process)
        command = " ".join(argv[:4])
        raise CommandError(
            f"{command} did not end within {timeout:g} s and was killed.",
            hint="Check whether the host is overloaded or a disk hangs.",
        ) from error

    return Completed(argv=tuple(argv), returncode=process.returncode, stdout=stdout, stderr=stderr)


def is_installed(program: str) -> bool:
    """Return whether `run` would find this program."""
    return shutil.which(program, path=_build_path()) is not None


def _refuse_timeout(argv: t.Sequence[str], timeout: float) -> None:
    is_possible = 0 <= timeout <= LONGEST_TIMEOUT
    if not is_possible:
        raise CommandError(
            f"Could not run {argv[0]} with a timeout of {timeout} s.", hint=f"Use 0 to {LONGEST_TIMEOUT} s."
        )


def _start(argv: t.Sequence[str], environment: t.Mapping[str, str]) -> subprocess.Popen[str]:
    try:
        # run_command() needs an AnsibleModule, has no timeout, and leaves children running.
        return subprocess.Popen(  # pylint: disable=ansible-bad-function
            list(argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**_build_environment(), **environment},
            encoding="utf-8",
            errors="surrogateescape",
            start_new_session=True,
        )
    except OSError as error:
        raise CommandError(
            f"Could not run {argv[0]}: {error.strerror}.", hint=f"Install the package that contains {argv[0]}."
        ) from error


def _build_environment() -> dict[str, str]:
    environment = {"LC_ALL": "C", "PATH": _build_path()}
    for name in _INHERITED:
        value = os.environ.get(name)
        if value is not None:
            environment[name] = value

    return environment


def _build_path() -> str:
    """Return the absolute folders of PATH, and then those of the system."""
    inherited = os.environ.get("PATH", "").split(os.pathsep)
    folders = filter(os.path.isabs, inherited)
    return os.pathsep.join((*folders, *_FOLDERS))


def _kill(process: subprocess.Popen[str]) -> None:
    """Kill a program with its children, without waiting for those that hang in the kernel or have left the group."""
    os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            with contextlib.suppress(OSError):
                pipe.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=_KILL_TIMEOUT)
