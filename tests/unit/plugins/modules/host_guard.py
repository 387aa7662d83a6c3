# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guard that keeps tests from acting on the host that runs them."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import typing as t

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
# The audit events for changes of files (https://docs.python.org/3/library/audit_events.html), and where their arguments
# have the paths of the changed files.
_CHANGES: dict[str, tuple[int, ...]] = {
    "os.chmod": (0,),
    "os.chown": (0,),
    "os.link": (1,),
    "os.mkdir": (0,),
    "os.remove": (0,),
    "os.removexattr": (0,),
    "os.rename": (0, 1),
    "os.rmdir": (0,),
    "os.setxattr": (0,),
    "os.symlink": (1,),
    "os.truncate": (0,),
    "os.utime": (0,),
}
_PROGRAMS = frozenset(("os.exec", "os.posix_spawn", "os.spawn", "os.system", "subprocess.Popen"))


class RealHostError(AssertionError):
    """A test has tried to act on the host that runs it. No module catches this."""


class HostGuard:
    """An audit hook that raises RealHostError, while it is on, before a file is changed or a program is started.

    Files below the directory for temporary files may change, and so may Python's caches. Python itself may be started.
    """

    def __init__(self) -> None:
        self._is_on = False

    def __call__(self, event: str, arguments: tuple[t.Any, ...]) -> None:
        """Take an event of sys.addaudithook(). Raises RealHostError."""
        if not self._is_on:
            return

        act = find_act(event, arguments)
        if act is not None:
            raise RealHostError(f"A test of a module tried to {act}.")

    @contextlib.contextmanager
    def keep_on(self) -> t.Iterator[None]:
        """Keep the guard on."""
        self._is_on = True
        try:
            yield
        finally:
            self._is_on = False


def find_act(event: str, arguments: tuple[t.Any, ...]) -> str | None:
    """Return what an audit event does to the real host, None if it does nothing to it."""
    if event in _PROGRAMS and arguments[0] != sys.executable:
        return f"run {arguments[0]}"

    for path in _find_changed_paths(event, arguments):
        if not _may_change(path):
            return f"change {os.fsdecode(path)}"

    return None


def _find_changed_paths(event: str, arguments: tuple[t.Any, ...]) -> list[t.Any]:
    if event == "open":
        path, _mode, flags = arguments
        return [path] if flags & _WRITING else []

    return [arguments[position] for position in _CHANGES.get(event, ())]


def _may_change(path: t.Any) -> bool:
    if isinstance(path, int):
        # An open file, which was a path when it was opened.
        return True

    name = os.path.normpath(os.fsdecode(path))
    if not name.startswith("/"):
        # The name of a file in an open directory, as rmtree() uses them. Modules have full paths.
        return True

    temporary = tempfile.gettempdir()
    return name in (temporary, os.devnull) or name.startswith(f"{temporary}/") or "/__pycache__/" in name
