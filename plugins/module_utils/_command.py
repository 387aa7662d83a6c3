# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place that runs a program."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import typing as t

from ._errors import OomguardError
from ._safe import neutralise


class CommandError(OomguardError):
    """A program is missing, did not end in time, or failed."""


class Completed(t.NamedTuple):
    """What a program left behind."""

    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str

    def failed(self, attempt: str, *, hint: str = "") -> CommandError:
        """Return the error that says that `attempt` (such as "enable the swap area /swapfile") failed, and why."""
        said = neutralise(" ".join((self.stderr or self.stdout).split())) or "it said nothing"
        problem = f"Could not {attempt}: {self.argv[0]} ended with status {self.returncode} ({said})."
        return CommandError(problem, hint=hint)


class Run(t.Protocol):
    """The port through which adapters run programs; tests pass their own."""

    def __call__(
        self,
        argv: t.Sequence[str],
        *,
        timeout: float = 60,
        stdin: str = "",
        environment: t.Mapping[str, str] | None = None,
    ) -> Completed:
        """Run `argv` to its end, whatever its exit status, and return what it left behind."""


def run(
    argv: t.Sequence[str],
    *,
    timeout: float = 60,
    stdin: str = "",
    environment: t.Mapping[str, str] | None = None,
) -> Completed:
    """Run `argv` in the C locale without a shell and return what it left behind.

    A program that is not done after `timeout` seconds is killed with all its children. Its output is read as UTF-8,
    other bytes as surrogates. Its exit status is the caller's to read. Raises CommandError where it is missing or slow.
    """
    # su gives root the path of a user, who has no use for mkswap or httpd.
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    env = {**os.environ, "PATH": path, "LC_ALL": "C", "LANGUAGE": "C", **(environment or {})}
    try:
        # run_command() needs an AnsibleModule, has no timeout, and leaves children running.
        process = subprocess.Popen(  # pylint: disable=ansible-bad-function
            list(argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=env,
            encoding="utf-8",
            errors="surrogateescape",
            start_new_session=True,
        )
    except OSError as error:
        raise CommandError(
            f"Could not run {argv[0]}: {error.strerror}.", hint=f"Is the package that holds {argv[0]} installed?"
        ) from error
    try:
        stdout, stderr = process.communicate(stdin, timeout=timeout)
    except subprocess.TimeoutExpired as error:
        _kill(process)
        command = " ".join(argv[:4])
        raise CommandError(
            f"{command} did not end within {timeout:g} s and was killed.",
            hint="Is the host overloaded or a disk hung?",
        ) from error
    return Completed(argv=tuple(argv), returncode=process.returncode, stdout=stdout, stderr=stderr)


def _kill(process: subprocess.Popen[str]) -> None:
    """Kill a program with its children; what hangs in the kernel, or has left the group, is not waited for."""
    os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            with contextlib.suppress(OSError):
                pipe.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=1)
