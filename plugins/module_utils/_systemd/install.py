# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write, replace and remove a drop-in file, and restore the old one."""

from __future__ import annotations

import contextlib
import os
import pathlib
import stat
import time
import typing as t

from .._files import check_removable, check_writable, name_leftover, remove_file, write_file
from .model import Plan


class FormerFile(t.NamedTuple):
    """A file that an installation replaced: its text, and its mode and owner."""

    text: str
    status: os.stat_result


def check_place(plan: Plan) -> None:
    """Raise FileError if `install_dropin` could not carry out `plan`, for example on a read-only filesystem."""
    if not plan.writes:
        if plan.tidy:
            check_removable(name_leftover(plan.path))
    elif plan.after is None:
        check_removable(plan.path)
    else:
        size = len(plan.after.encode("utf-8", "surrogateescape"))
        check_writable(plan.path, size=size)


def install_dropin(plan: Plan) -> FormerFile | None:
    """Carry out what `plan` does to the file, and return the file that was there before, if any.

    Raises FileError and OSError.
    """
    former = None
    if plan.before is not None:
        former = FormerFile(plan.before, plan.path.stat())
        if plan.backup:
            _keep_backup(plan.path, former)

    if plan.writes:
        _put(plan.path, plan.after)
    elif plan.tidy:
        _remove_leftover(plan.path)

    return former


def restore_file(path: pathlib.Path, former: FormerFile | None) -> None:
    """Put the former file back with its mode and owner, or remove `path` if there was none. Raises FileError."""
    if former is None:
        _put(path, None)
        return

    with _removing_empty_folder(path):
        _write_former(path, former)


def _keep_backup(path: pathlib.Path, former: FormerFile) -> None:
    """Keep the former file under a name that systemd does not read."""
    now = time.strftime("%Y-%m-%dT%H:%M:%S")
    backup = path.with_name(f"{path.name}.{now}~")
    try:
        # A link is the old file itself, with its mode, owner and label; the new file only takes over its name.
        os.link(str(path), str(backup))
    except OSError:
        _write_former(backup, former)


def _remove_leftover(path: pathlib.Path) -> None:
    with _removing_empty_folder(path):
        remove_file(name_leftover(path))


def _put(path: pathlib.Path, text: str | None) -> None:
    """Write the file with `text`, or remove it if that is None."""
    with _removing_empty_folder(path):
        if text is None:
            remove_file(path)
        else:
            write_file(path, text)


def _write_former(path: pathlib.Path, former: FormerFile) -> None:
    """Write the text of the former file to `path`, with its mode and owner."""
    text, status = former
    write_file(path, text, mode=stat.S_IMODE(status.st_mode))
    # A user who may not give files away owned the old file as well.
    with contextlib.suppress(PermissionError):
        os.chown(str(path), status.st_uid, status.st_gid)


@contextlib.contextmanager
def _removing_empty_folder(path: pathlib.Path) -> t.Iterator[None]:
    """Remove the folder of `path` afterwards if it is empty, even after an error."""
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.parent.rmdir()
