# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write files so that a crash leaves the old or the new one, never a part, and make changes one at a time."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import pathlib
import stat
import struct
import time
import typing as t

from ._errors import OomguardError
from ._safe import neutralise

# Not /run/lock: there, any user could create the file first.
_LOCK_FOLDER = pathlib.Path("/run")
_LOCK_RETRY_SECONDS = 0.1
_FOLDER_MODE = 0o755
SELINUX_LABEL = "security.selinux"

_LARGEST_FILE = 16 << 20
_PIECE = 1 << 16
# Links to /dev/null mask units (systemd.unit(5)). It has this number in linux/Documentation/admin-guide/devices.txt.
_NULL_DEVICE = os.makedev(1, 3)

# FS_IOC_GETFLAGS and two of its flags (linux/fs.h). The request number is that of most processors; elsewhere the kernel
# refuses it, and the flags are unknown.
_GET_FLAGS = 0x80006601 | struct.calcsize("l") << 16
_FLAGS = {0x10: ("immutable", "i"), 0x20: ("append-only", "a")}
# The limits of Linux in bytes (linux/limits.h).
_LONGEST_NAME = 255
_LONGEST_PATH = 4095
_HINTS: dict[int | None, str] = {
    errno.ENOSPC: "Free some space on its filesystem.",
    errno.EDQUOT: "Raise the disk quota of its owner.",
    errno.EROFS: "Mount its filesystem read-write.",
    errno.EPERM: "Look for the attributes i and a with lsattr -d, on the file and on its folder.",
    errno.EACCES: "Run the task with become: true.",
    errno.EIO: "The kernel logs the errors of disks: run journalctl -k.",
}


class FileError(OomguardError):
    """A file could not be read, written, removed or locked."""


def read_file(path: pathlib.Path) -> str | None:
    """Return the text of `path`, or None if it does not exist.

    Undecodable bytes become surrogates. Raises FileError, also for a file that is not regular or larger than 16 MiB.
    """
    data = read_start(path, size=_LARGEST_FILE + 1)
    if data is None:
        return None
    if len(data) > _LARGEST_FILE:
        raise FileError(f"Could not read {path}: it is larger than {_LARGEST_FILE} bytes.")

    return data.decode("utf-8", "surrogateescape")


def read_start(path: pathlib.Path, *, size: int) -> bytes | None:
    """Return the first `size` bytes of `path`, or None if it does not exist.

    The owner of the folder may put anything there at any time. A FIFO would keep the reader waiting, and opening a
    device can have an effect. Raises FileError, also for a file that is not regular. /dev/null counts as empty.
    """
    try:
        _refuse_kind(path, os.stat(str(path)))
        descriptor = os.open(str(path), os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            _refuse_kind(path, os.fstat(file.fileno()))
            return _read_pieces(file, size)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FileError(f"Could not read {path}: {error.strerror}.") from error


def _read_pieces(file: t.BinaryIO, size: int) -> bytes:
    """Return the first `size` bytes of a file. For /proc/sys, the kernel allocates as much as is read at once."""
    data = bytearray()
    while len(data) < size:
        piece = file.read(min(_PIECE, size - len(data)))
        if not piece:
            break

        data += piece

    return bytes(data)


def _refuse_kind(path: pathlib.Path, status: os.stat_result) -> None:
    is_empty_device = stat.S_ISCHR(status.st_mode) and status.st_rdev == _NULL_DEVICE
    if stat.S_ISREG(status.st_mode) or is_empty_device:
        return

    raise FileError(f"Could not read {path}: it is not a regular file.", hint="Move it away, or choose another path.")


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
            hint=find_hint(error),
        ) from error


def find_hint(error: OSError) -> str:
    """Return what to do about the failure of a change to a file, "" if the error alone does not tell."""
    return _HINTS.get(error.errno, "")


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
        raise FileError(f"Could not remove {path}: {error.strerror}.", hint=find_hint(error)) from error


def check_writable(path: pathlib.Path, *, size: int = 0) -> None:
    """Raise FileError if `write_file` could not give `path` a text of `size` bytes. Change nothing.

    Checks what check_removable() checks, and that the filesystem has room. Without a file and its parent folders, the
    nearest folder that exists is checked. Symbolic links among the folders are followed, `path` itself is not.
    """
    folder = _check_place(path)
    _refuse_full(path, folder, size)


def check_removable(path: pathlib.Path) -> None:
    """Raise FileError if `remove_file` could not remove `path`, which need not exist. Change nothing.

    Checks that the names are of possible length, that the folder is one, that its filesystem is not read-only, that
    neither the folder nor the file is immutable or append-only (chattr(1)), and that the effective user may write to
    the folder.
    """
    _check_place(path)


def check_change(path: pathlib.Path, text: str | None) -> None:
    """Raise FileError if `path` could not be given this text, or be removed if that is None. Change nothing."""
    if text is None:
        check_removable(path)
    else:
        check_writable(path, size=len(text))


def _check_place(path: pathlib.Path) -> pathlib.Path:
    """Check all but the room for `path`, and return the nearest folder above it that exists. Raises FileError."""
    _refuse_name(path)
    folder = next(parent for parent in path.parents if os.path.lexists(str(parent)))
    if not os.path.isdir(str(folder)):
        raise _cannot_change(path, f"{folder} is not a directory", hint="Move it away, or choose another path.")

    if path.is_dir() and not path.is_symlink():
        raise _cannot_change(path, "it is a directory", hint="Move it away, or choose another path.")

    for place in (folder, path):
        _refuse_read_only(path, place)
        _refuse_flags(path, place)
    if not os.access(str(folder), os.W_OK | os.X_OK, effective_ids=True):
        raise _cannot_change(path, f"this user may not write to {folder}", hint="Run the task with become: true.")

    return folder


def _cannot_change(path: pathlib.Path, reason: str, *, hint: str) -> FileError:
    name = neutralise(str(path), limit=_LONGEST_NAME)
    return FileError(f"Could not change {name}: {reason}. Nothing was changed.", hint=hint)


def _refuse_name(path: pathlib.Path) -> None:
    """Raise FileError for a path that Linux does not accept, for the file itself or for its temporary file."""
    try:
        name = os.fsencode(name_leftover(path))
    except ValueError as error:
        raise _cannot_change(path, "it is not the path of a file", hint="Correct the path.") from error

    longest = max(map(len, name.split(b"/")))
    is_long = longest > _LONGEST_NAME or len(name) > _LONGEST_PATH
    if is_long or b"\0" in name:
        raise _cannot_change(path, "the path is too long or contains a NUL character", hint="Choose another path.")


def _refuse_read_only(path: pathlib.Path, place: pathlib.Path) -> None:
    try:
        status = os.statvfs(str(place))
    except OSError:
        # There is no such file yet, or it is a link to nothing.
        return

    if status.f_flag & os.ST_RDONLY:
        raise _cannot_change(
            path, f"{place} is on a read-only filesystem", hint="Mount it writable, or choose another path."
        )


def _refuse_flags(path: pathlib.Path, place: pathlib.Path) -> None:
    flags = _read_flags(place)
    for flag, (word, letter) in _FLAGS.items():
        if flags & flag:
            raise _cannot_change(
                path, f"{place} is {word}", hint=f"Remove that attribute with `chattr -{letter} {place}`."
            )


def _read_flags(place: pathlib.Path) -> int:
    """Return the flags of a file or folder, 0 if it has none, as links and some filesystems."""
    buffer = bytearray(struct.calcsize("l"))
    try:
        descriptor = os.open(str(place), os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return 0

    try:
        fcntl.ioctl(descriptor, _GET_FLAGS, buffer)
    except OSError:
        return 0
    finally:
        os.close(descriptor)

    # The kernel writes an int, although the request is that for a long.
    (flags,) = struct.unpack_from("=I", buffer)
    return int(flags)


def _refuse_full(path: pathlib.Path, folder: pathlib.Path, size: int) -> None:
    status = os.statvfs(str(folder))
    free_blocks = status.f_bavail
    if os.geteuid() == 0:
        free_blocks = status.f_bfree

    # Filesystems without a fixed number of blocks or files say 0.
    needed_blocks = size // status.f_frsize + 1
    has_room = status.f_blocks == 0 or free_blocks >= needed_blocks
    has_names = status.f_files == 0 or status.f_ffree > 0
    if not has_room or not has_names:
        raise _cannot_change(path, f"the filesystem of {folder} is full", hint="Free some space there.")


@contextlib.contextmanager
def reporting(attempt: str) -> t.Iterator[None]:
    """Raise FileError, which says that `attempt` (such as "examine /etc/fstab") failed, instead of OSError."""
    try:
        yield
    except OSError as error:
        place = ""
        if error.filename is not None:
            place = f"{os.fsdecode(error.filename)}: "
        raise FileError(f"Could not {attempt}: {place}{error.strerror}.") from error


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
    # With `parents`, mkdir() calls itself for each folder, and Python limits the depth of that.
    for created in reversed(missing):
        created.mkdir(exist_ok=True)
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
