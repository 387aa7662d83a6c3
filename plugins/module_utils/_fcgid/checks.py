# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that pass Apache's own test and yet make mod_fcgid fail, or end Apache on the reload."""

from __future__ import annotations

import os
import pathlib
import typing as t

from .._files import read_start
from .config import Setting
from .directives import FcgidError, split_words
from .plan import Wanted
from .wrapper import is_pass_through

_LONGEST_SCRIPT = 64 * 1024

_FindFolder = t.Callable[[pathlib.PurePosixPath], pathlib.PurePosixPath]


def check_host(wanted: Wanted) -> None:
    """Raise FcgidError or FileError if the programs and folders that `wanted` names do not work on this host."""
    for path in wanted.programs:
        _refuse_program(path)
    for setting in wanted.settings:
        find_folder = _FIND_FOLDER.get(setting.directive.name)
        if find_folder:
            _refuse_place(setting, find_folder)


def _refuse_program(path: str) -> None:
    """Raise FcgidError or FileError if mod_fcgid could not start `path` for a wrapper."""
    if not os.path.lexists(path):
        raise FcgidError(f"FcgidWrapper names {path}, which does not exist.", hint="Install it first.")

    if not os.access(path, os.X_OK) or os.path.isdir(path):
        raise FcgidError(f"FcgidWrapper names {path}, which is not an executable file.", hint="Make it executable.")

    # The owner of the website may have put anything there.
    start = read_start(pathlib.Path(path), size=_LONGEST_SCRIPT) or b""
    if is_pass_through(start.decode("utf-8", "surrogateescape")):
        raise FcgidError(
            f"FcgidWrapper names {path}, which starts its arguments, but mod_fcgid passes it none.",
            hint="Name the limits and the program in the wrapper itself. The option workers writes a form that works.",
        )


def _refuse_place(setting: Setting, find_folder: _FindFolder) -> None:
    """Raise FcgidError if mod_fcgid could not create its table or its sockets, and would end Apache on the reload.

    A relative path, or one with a variable, leads to a folder that only Apache knows, so it is not checked.
    """
    path = pathlib.PurePosixPath(split_words(setting.text)[0])
    if not path.is_absolute() or "${" in str(path):
        return

    folder = find_folder(path)
    if os.path.isdir(folder):
        return

    raise FcgidError(
        f"{setting.directive.name} is {path}, but {folder} is not a directory.",
        hint="mod_fcgid would end Apache. Create the directory first, or name another one.",
    )


def _find_folder_of_table(path: pathlib.PurePosixPath) -> pathlib.PurePosixPath:
    return path.parent


def _find_folder_of_sockets(path: pathlib.PurePosixPath) -> pathlib.PurePosixPath:
    """Return the directory in which mod_fcgid creates the missing ones."""
    folder = path
    while not os.path.lexists(folder):
        folder = folder.parent

    return folder


# The directives that need a directory, and how to find it.
_FIND_FOLDER: dict[str, _FindFolder] = {
    "FcgidProcessTableFile": _find_folder_of_table,
    "FcgidIPCDir": _find_folder_of_sockets,
}
