# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write files so that a crash leaves the old or the new one, never a part, and make changes one at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pathlib
import time
import typing as t

from ._errors import OomguardError

# Not /run/lock: there, any user could create the file first.
_LOCK_FOLDER = pathlib.Path("/run")
_LOCK_RETRY_SECONDS = 0.1
_FOLDER_MODE = 0o755
SELINUX_LABEL = "security.selinux"


class FileError(OomguardError):
    """A file could not be read, written, removed or locked."""


def read_file(path: pathlib.Path) -> str | None:
    """Return the text of `path`, or None if it does not exist.

    Undecodable bytes become surrogates. Raises FileError.
    """
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FileError(f"Could not read {path}: {error.strerror}.") from error


def write_file(path: pathlib.Path, text: str, *, mode: int = 0o644) -> None:
    """Write `text` to `path` durably and atomically.

    The text is written to a temporary file beside the target and synced to disk before it takes the target's name. The
    temporary file has its final mode from the first byte, and the SELinux label of the file that it replaces. Missing
    parent folders are created with mode 0755, whatever the umask is. Raises FileError, and then leaves the old file
    unchanged.
    """
    temporary = name_leftover(path)
    try:
        _create_folders(path.parent)
        if os.path.lexists(str(temporary)):
            temporary.unlink()
        _write_new_file(temporary, text, mode=mode, label_source=path)
        os.replace(str(temporary), str(path))
        sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise FileError(
            f"Could not write {path}: {error.strerror}. It was not changed.",
            hint="Check the free space and the mount options of its filesystem.",
        ) from error


def name_leftover(path: pathlib.Path) -> pathlib.Path:
    """Return the temporary file that `write_file` leaves beside `path` if it is killed.

    Each target has exactly one, so the next run replaces it and they do not accumulate.
    """
    return path.with_name(f".{path.name}.oomguard")


def remove_file(path: pathlib.Path) -> None:
    """Remove `path` durably, and the temporary file that a killed run has left beside it.

    Neither has to exist. Raises FileError.
    """
    try:
        for name in (path, name_leftover(path)):
            with contextlib.suppress(FileNotFoundError):
                name.unlink()
        if path.parent.is_dir():
            sync_folder(path.parent)
    except OSError as error:
        raise FileError(f"Could not remove {path}: {error.strerror}.") from error


def sync_folder(folder: pathlib.Path) -> None:
    """Sync the names in `folder` to disk. Raises OSError."""
    descriptor = os.open(str(folder), os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def lock(topic: str, *, folder: pathlib.Path = _LOCK_FOLDER, timeout: float = 60) -> t.Iterator[None]:
    """Keep a second run from changing `topic` at the same time.

    Waits up to `timeout` seconds for another run to end. Raises FileError.
    """
    path = folder / f"oomguard-{topic}.lock"
    descriptor = _open_lock(path)
    try:
        _wait_for_lock(path, descriptor, timeout)
        yield
    finally:
        os.close(descriptor)


def _create_folders(folder: pathlib.Path) -> None:
    missing = [candidate for candidate in (folder, *folder.parents) if not candidate.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for created in missing:
        created.chmod(_FOLDER_MODE)


def _write_new_file(path: pathlib.Path, text: str, *, mode: int, label_source: pathlib.Path) -> None:
    descriptor = os.open(str(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), mode)
        _copy_label(label_source, file.fileno())
        file.write(text.encode("utf-8", "surrogateescape"))
        file.flush()
        os.fsync(file.fileno())


def _copy_label(source: pathlib.Path, descriptor: int) -> None:
    """Give the open file the SELinux label of `source`, if it has one."""
    try:
        label = os.getxattr(str(source), SELINUX_LABEL)
    except OSError:
        return

    os.setxattr(descriptor, SELINUX_LABEL, label)


def _open_lock(path: pathlib.Path) -> int:
    try:
        return os.open(str(path), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except PermissionError as error:
        raise FileError(
            f"Could not open the lock {path}: {error.strerror}.", hint="Run the task with become: true."
        ) from error
    except OSError as error:
        raise FileError(f"Could not open the lock {path}: {error.strerror}.") from error


def _wait_for_lock(path: pathlib.Path, descriptor: int, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while not _take_lock(descriptor):
        if time.monotonic() > deadline:
            raise FileError(
                f"Another run has held the lock {path} for {timeout:g} s.",
                hint="Run the task again after it has ended.",
            )

        time.sleep(_LOCK_RETRY_SECONDS)


def _take_lock(descriptor: int) -> bool:
    """Take the lock without waiting, and return whether that succeeded."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False

    return True
