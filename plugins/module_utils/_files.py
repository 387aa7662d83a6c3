# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files written so that a crash leaves the old one or the new one, never a part, and changes made one at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pathlib
import time
import typing as t

from ._errors import OomguardError

# Not /run/lock: there any user could take the name first.
_LOCK_FOLDER = pathlib.Path("/run")
SELINUX_LABEL = "security.selinux"


class FileError(OomguardError):
    """A file could not be read, written, removed or locked."""


def read_file(path: pathlib.Path) -> str | None:
    """Return the text of `path`, undecodable bytes as surrogates; None where there is none. Raises FileError."""
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FileError(f"Could not read {path}: {error.strerror}.") from error


def write_file(path: pathlib.Path, text: str, *, mode: int = 0o644) -> None:
    """Write `text` to `path`, durably and all at once.

    The new content is written beside the target, with its final mode from the first byte and the SELinux label of the
    file that it replaces, and is on disk before it takes the target's name. Missing parent folders are made,
    with the mode 0755 whatever the umask. Raises FileError, and leaves the old file as it was.
    """
    temporary = leftover_of(path)
    try:
        missing = [folder for folder in path.parents if not folder.exists()]
        path.parent.mkdir(parents=True, exist_ok=True)
        for folder in missing:
            folder.chmod(0o755)
        if os.path.lexists(str(temporary)):
            temporary.unlink()
        descriptor = os.open(str(temporary), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            _copy_label(path, file.fileno())
            file.write(text.encode("utf-8", "surrogateescape"))
            file.flush()
            os.fsync(file.fileno())
        os.replace(str(temporary), str(path))
        sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise FileError(
            f"Could not write {path}: {error.strerror}. It was left as it was.",
            hint="Look at the free space and at the mount options of its filesystem.",
        ) from error


def leftover_of(path: pathlib.Path) -> pathlib.Path:
    """Return the file that a `write_file` which was killed leaves beside `path`.

    There is one name for each target, so that the next run replaces it, and they do not pile up.
    """
    return path.with_name(f".{path.name}.oomguard")


def remove_file(path: pathlib.Path) -> None:
    """Remove `path` durably, and what a killed run has left beside it; that it is gone already is fine.

    Raises FileError.
    """
    try:
        for name in (path, leftover_of(path)):
            with contextlib.suppress(FileNotFoundError):
                name.unlink()
        if path.parent.is_dir():
            sync_folder(path.parent)
    except OSError as error:
        raise FileError(f"Could not remove {path}: {error.strerror}.") from error


def sync_folder(folder: pathlib.Path) -> None:
    """Bring the names in `folder` onto the disk. Raises OSError."""
    descriptor = os.open(str(folder), os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def lock(topic: str, *, folder: pathlib.Path = _LOCK_FOLDER, timeout: float = 60) -> t.Iterator[None]:
    """Keep a second run from changing `topic` at the same time; it waits up to `timeout` seconds. Raises FileError."""
    path = folder / f"oomguard-{topic}.lock"
    try:
        descriptor = os.open(str(path), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        hint = "Use become: true." if isinstance(error, PermissionError) else ""
        raise FileError(f"Could not open the lock {path}: {error.strerror}.", hint=hint) from error
    try:
        deadline = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise FileError(
                        f"Another run has held the lock {path} for {timeout:g} s.", hint="Try again once it has ended."
                    ) from error
                time.sleep(0.1)
        yield
    finally:
        os.close(descriptor)


def _copy_label(source: pathlib.Path, descriptor: int) -> None:
    """Give the open file the SELinux label of `source`, where there is one."""
    try:
        label = os.getxattr(str(source), SELINUX_LABEL)
    except OSError:
        return
    os.setxattr(descriptor, SELINUX_LABEL, label)
