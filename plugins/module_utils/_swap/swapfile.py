# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making a swap file: whole, on disk and for root alone before it has its name."""

from __future__ import annotations

import dataclasses
import errno
import os
import pathlib

from .._command import Run
from .._files import SELINUX_LABEL, sync_folder
from .._size import format_size
from .observe import Host, observe_header
from .state import LABEL, SwapError
from .steps import Create

_ZEROS = bytes(1024**2)
# After so many bytes of zeros they are brought to the disk, and the host's memory is not full of them.
_WINDOW_BYTES = 64 * len(_ZEROS)
_MKSWAP_TIMEOUT = 600


def make(step: Create, filesystem: str, host: Host, run: Run) -> Create:
    """Make the file of `step` on a `filesystem` of that type; return the step with the zeros that were written for it.

    It is made under a name of its own, which the next run looks for, and gets the final one when it is ready. Whatever
    fails leaves no file. Raises SwapError or CommandError.
    """
    made, target = step.made_as, step.path
    attempt = f"make the swap file {target} of {format_size(step.size_bytes)}"
    try:
        # Nobody else can ever read it, and nothing that is there already can be taken for it.
        descriptor = os.open(made, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise SwapError(f"Could not {attempt}: {error.strerror}.", hint="Is its filesystem writable?") from error
    try:
        if filesystem == "btrfs":
            _forbid_copy_on_write(made, run)
        _label(descriptor, host)
        # The header takes the first page.
        zeros_bytes = allocate(descriptor, step.size_bytes + host.page_size, zeros=step.zeros_bytes > 0)
        _format(made, host, run)
        os.fsync(descriptor)
        if os.path.lexists(target):
            raise SwapError(f"Could not {attempt}: somebody else has made one meanwhile.", hint="Run again.")
        os.rename(made, target)
        sync_folder(pathlib.Path(target).parent)
    except OSError as error:
        allocated = format_size(os.fstat(descriptor).st_blocks * 512)
        raise SwapError(
            f"Could not {attempt}: {error.strerror}, with {allocated} of it on the disk.",
            hint="Look at the free space, the quotas and the health of its filesystem.",
        ) from error
    finally:
        os.close(descriptor)
        if os.path.lexists(made):
            os.unlink(made)
    return dataclasses.replace(step, zeros_bytes=zeros_bytes)


def _forbid_copy_on_write(path: str, run: Run) -> None:
    """Let btrfs write in place, which it only promises for a file that is still empty."""
    done = run(["chattr", "+C", path])
    if done.returncode:
        raise done.failed(f"switch copy-on-write off for {path}")


def _label(descriptor: int, host: Host) -> None:
    """Give the file the SELinux type that policies let the kernel swap to, where SELinux is."""
    if not (host.root / "sys/fs/selinux/enforce").exists():
        return
    user, role, _type, *level = os.getxattr(descriptor, SELINUX_LABEL).split(b":")
    try:
        os.setxattr(descriptor, SELINUX_LABEL, b":".join([user, role, b"swapfile_t", *level]))
    except OSError as error:
        # A filesystem that was mounted with one label for all its files.
        if error.errno != errno.EOPNOTSUPP:
            raise


def allocate(descriptor: int, length: int, *, zeros: bool) -> int:
    """Give the open, empty file `length` bytes on the disk without holes; return how many of them had to be written."""
    if not zeros:
        try:
            os.posix_fallocate(descriptor, 0, length)
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
                raise
        if _is_whole(descriptor, length):
            return 0
    for offset in range(0, length, len(_ZEROS)):
        _write(descriptor, _ZEROS[: length - offset], offset)
        if offset % _WINDOW_BYTES == 0:
            os.fdatasync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.fsync(descriptor)
    if not _is_whole(descriptor, length):
        raise SwapError(
            "The file has holes even after zeros were written to all of it.", hint="Name a path on another filesystem."
        )
    return length


def _is_whole(descriptor: int, length: int) -> bool:
    status = os.fstat(descriptor)
    return status.st_size == length and status.st_blocks * 512 >= length


def _write(descriptor: int, data: bytes, offset: int) -> None:
    written = 0
    while written < len(data):
        written += os.pwrite(descriptor, data[written:], offset + written)


def _format(path: str, host: Host, run: Run) -> None:
    done = run(["mkswap", "-L", LABEL, path], timeout=_MKSWAP_TIMEOUT)
    # mkswap ends with 0 over warnings that matter, so only the header counts.
    header = observe_header(pathlib.Path(path), host.page_size)
    if done.returncode or header is None or header.label != LABEL:
        raise done.failed(f"format {path} as swap")
