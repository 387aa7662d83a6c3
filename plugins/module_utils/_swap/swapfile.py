# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Create a swap file that is complete, on disk and restricted to root before it gets its name."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import os
import pathlib

from .._command import Run
from .._files import SELINUX_LABEL, find_hint, sync_folder
from .._size import format_size
from .header import LABEL
from .host import Host
from .observe import observe_header
from .state import SwapError
from .steps import Create

_ZEROS = bytes(1024**2)
# Zeros are flushed to the disk in portions of this size, so that they do not fill the host's memory.
_WINDOW_BYTES = 64 * len(_ZEROS)
_MKSWAP_TIMEOUT = 600
# The filesystem cannot allocate blocks without writing them.
_CANNOT_ALLOCATE = (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS)


def create_swap_file(step: Create, host: Host, run: Run) -> Create:
    """Create the file of `step`. Return the step with the number of zeros that were written.

    The file is created under a temporary name, which the next run looks for, and renamed when it is ready. After a
    failure no file is left. Raises SwapError or CommandError.
    """
    attempt = f"create the swap file {step.path} of {format_size(step.size_bytes)}"
    descriptor = _open_new(step.temporary_path, attempt)
    try:
        zeros_bytes = _fill(descriptor, step, host, run)
        _publish(step, attempt)
    except OSError as error:
        allocated = format_size(os.fstat(descriptor).st_blocks * 512)
        raise SwapError(
            f"Could not {attempt}: {error.strerror}, with {allocated} of it allocated on the disk.",
            hint=find_hint(error),
        ) from error
    finally:
        os.close(descriptor)
        # After an error, that is the one to report. The next run removes the file.
        with contextlib.suppress(OSError):
            os.unlink(step.temporary_path)

    return dataclasses.replace(step, zeros_bytes=zeros_bytes)


def _open_new(path: str, attempt: str) -> int:
    """Open a new file that nobody else can ever read. An existing file or link is never opened."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise SwapError(f"Could not {attempt}: {error.strerror}.", hint=find_hint(error)) from error


def _fill(descriptor: int, step: Create, host: Host, run: Run) -> int:
    """Bring the open file to its length, format it and flush it. Return the number of zeros that were written."""
    if step.filesystem == "btrfs":
        _disable_copy_on_write(step.temporary_path, run)
    _set_selinux_type(descriptor, host)
    # The header takes the first page.
    length = step.size_bytes + host.page_size
    zeros_bytes = allocate_blocks(descriptor, length, zeros=step.zeros_bytes > 0)
    _format_swap(step.temporary_path, host, run)
    os.fsync(descriptor)
    return zeros_bytes


def _publish(step: Create, attempt: str) -> None:
    """Give the finished file its name, unless something else has that name by now."""
    if os.path.lexists(step.path):
        raise SwapError(
            f"Could not {attempt}: a file of that name was created in the meantime.", hint="Run the task again."
        )

    os.rename(step.temporary_path, step.path)
    sync_folder(pathlib.Path(step.path).parent)


def _disable_copy_on_write(path: str, run: Run) -> None:
    """Have btrfs overwrite the file in place. It supports that only for a file that is still empty."""
    done = run(["chattr", "+C", path])
    if done.returncode:
        raise done.failed(f"disable copy-on-write for {path}")


def _set_selinux_type(descriptor: int, host: Host) -> None:
    """On a host with SELinux, give the file the type that policies let the kernel swap to."""
    if not (host.root / "sys/fs/selinux/enforce").exists():
        return

    user, role, _type, *level = os.getxattr(descriptor, SELINUX_LABEL).split(b":")
    try:
        os.setxattr(descriptor, SELINUX_LABEL, b":".join([user, role, b"swapfile_t", *level]))
    except OSError as error:
        # A filesystem that is mounted with one label for all files does not support it.
        if error.errno != errno.EOPNOTSUPP:
            raise


def allocate_blocks(descriptor: int, length: int, *, zeros: bool) -> int:
    """Bring the open, empty file to `length` bytes without holes. Return how many of them had to be written.

    If `zeros` is set, blocks are written without trying to allocate them first. Raises OSError or SwapError.
    """
    if not zeros:
        _try_to_allocate(descriptor, length)
        if _is_without_holes(descriptor, length):
            return 0

    for offset in range(0, length, len(_ZEROS)):
        _write(descriptor, _ZEROS[: length - offset], offset)
        if offset % _WINDOW_BYTES == 0:
            os.fdatasync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.fsync(descriptor)

    if not _is_without_holes(descriptor, length):
        raise SwapError(
            "The new swap file has holes even though zeros were written to all of it.",
            hint="Use a path on another filesystem.",
        )

    return length


def _try_to_allocate(descriptor: int, length: int) -> None:
    try:
        os.posix_fallocate(descriptor, 0, length)
    except OSError as error:
        if error.errno not in _CANNOT_ALLOCATE:
            raise


def _is_without_holes(descriptor: int, length: int) -> bool:
    status = os.fstat(descriptor)
    return status.st_size == length and status.st_blocks * 512 >= length


def _write(descriptor: int, data: bytes, offset: int) -> None:
    written = 0
    while written < len(data):
        written += os.pwrite(descriptor, data[written:], offset + written)


def _format_swap(path: str, host: Host, run: Run) -> None:
    done = run(["mkswap", "-L", LABEL, path], timeout=_MKSWAP_TIMEOUT)
    # mkswap ends with status 0 despite warnings that matter, so the header decides.
    if done.returncode or not _has_own_header(path, host):
        raise done.failed(f"format {path} as swap")


def _has_own_header(path: str, host: Host) -> bool:
    header = observe_header(pathlib.Path(path), host.page_size)
    return header is not None and header.label == LABEL
