# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Swap files created in a folder."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import os
import pathlib
import stat
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._command import CommandError
from ansible_collections.oomguard.linux.plugins.module_utils._swap.state import SwapError
from ansible_collections.oomguard.linux.plugins.module_utils._swap.steps import Create
from ansible_collections.oomguard.linux.plugins.module_utils._swap.swapfile import create_swap_file
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._swap.kernel import PAGE, Kernel

SIZE = 255 * PAGE


@pytest.fixture
def kernel(tmp_path: pathlib.Path) -> Kernel:
    return Kernel(tmp_path)


def create(kernel: Kernel, *, filesystem: str = "ext4") -> Create:
    temporary_path = str(kernel.path.with_name(".swapfile.oomguard"))
    return Create(
        path=str(kernel.path),
        size_bytes=SIZE,
        zeros_bytes=0,
        temporary_path=temporary_path,
        filesystem=filesystem,
    )


def apply_step(kernel: Kernel, step: Create) -> Create:
    return create_swap_file(step, kernel.host, kernel)


def test_file_is_one_page_longer_than_its_swap(kernel: Kernel) -> None:
    apply_step(kernel, create(kernel))
    assert kernel.path.stat().st_size == SIZE + PAGE


def test_file_has_no_holes(kernel: Kernel) -> None:
    apply_step(kernel, create(kernel))
    assert kernel.path.stat().st_blocks * 512 >= SIZE + PAGE


def test_file_is_restricted_to_root_whatever_the_umask(kernel: Kernel) -> None:
    umask = os.umask(0)
    try:
        apply_step(kernel, create(kernel))
    finally:
        os.umask(umask)
    assert stat.S_IMODE(kernel.path.stat().st_mode) == 0o600


def test_file_is_formatted_with_own_label(kernel: Kernel) -> None:
    apply_step(kernel, create(kernel))
    assert kernel.calls == [["mkswap", "-L", "oomguard", f"{kernel.root}/data/.swapfile.oomguard"]]


def test_temporary_file_is_gone_afterwards(kernel: Kernel) -> None:
    apply_step(kernel, create(kernel))
    assert kernel.files() == ["swapfile"]


def test_copy_on_write_is_disabled_first_on_btrfs(kernel: Kernel) -> None:
    apply_step(kernel, create(kernel, filesystem="btrfs"))
    assert kernel.calls[0] == ["chattr", "+C", f"{kernel.root}/data/.swapfile.oomguard"]


@pytest.mark.parametrize("program", ["mkswap", "chattr"])
def test_failed_program_leaves_no_file(kernel: Kernel, program: str) -> None:
    kernel.failing.add(program)
    with pytest.raises(CommandError):
        apply_step(kernel, create(kernel, filesystem="btrfs"))
    assert kernel.files() == []


def test_full_disk_leaves_no_file(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int, _offset: int, _length: int) -> t.NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(SwapError):
        apply_step(kernel, create(kernel))
    assert kernel.files() == []


def test_full_disk_is_reported(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int, _offset: int, _length: int) -> t.NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(SwapError) as error:
        apply_step(kernel, create(kernel))
    assert str(error.value) == (
        f"Could not create the swap file {kernel.path} of 1020.0 KiB: No space left on device, "
        "with 0 B of it allocated on the disk. "
        "Free some space on its filesystem."
    )


def test_zeros_are_written_if_filesystem_cannot_allocate(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(_descriptor: int, _offset: int, _length: int) -> t.NoReturn:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr(os, "posix_fallocate", unsupported)
    apply_step(kernel, create(kernel))
    assert kernel.path.stat().st_blocks * 512 >= SIZE + PAGE


def test_zeros_are_written_if_allocation_leaves_holes(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "posix_fallocate", lambda descriptor, _offset, length: os.ftruncate(descriptor, length))
    apply_step(kernel, create(kernel))
    assert kernel.path.stat().st_blocks * 512 >= SIZE + PAGE


def test_zeros_are_written_if_planned(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "posix_fallocate")
    apply_step(kernel, dataclasses.replace(create(kernel), zeros_bytes=SIZE + PAGE))
    assert kernel.path.stat().st_blocks * 512 >= SIZE + PAGE


@pytest.mark.parametrize(("allocates", "zeros_bytes"), [(True, 0), (False, SIZE + PAGE)])
def test_number_of_written_zeros_is_returned(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch, zeros_bytes: int, *, allocates: bool
) -> None:
    if not allocates:
        monkeypatch.setattr(os, "posix_fallocate", lambda _descriptor, _offset, _length: None)
    assert apply_step(kernel, create(kernel)) == dataclasses.replace(create(kernel), zeros_bytes=zeros_bytes)


@pytest.fixture
def labels(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Make the host one with SELinux, and return the labels that files get."""
    given: list[bytes] = []
    (kernel.root / "sys/fs/selinux").mkdir(parents=True)
    kernel.write("sys/fs/selinux/enforce", "1")
    monkeypatch.setattr(os, "getxattr", lambda _file, _name: b"unconfined_u:object_r:etc_runtime_t:s0\0")
    monkeypatch.setattr(os, "setxattr", lambda _file, _name, label: given.append(label))
    return given


def test_file_gets_selinux_type_for_swap_files(kernel: Kernel, labels: list[bytes]) -> None:
    apply_step(kernel, create(kernel))
    assert labels == [b"unconfined_u:object_r:swapfile_t:s0\0"]


@pytest.mark.parametrize(("number", "files"), [(errno.EOPNOTSUPP, ["swapfile"]), (errno.EACCES, [])])
@pytest.mark.usefixtures("labels")
def test_only_unsupported_selinux_label_is_ignored(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch, number: int, files: list[str]
) -> None:
    def refuse(*_arguments: object) -> t.NoReturn:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "setxattr", refuse)
    with contextlib.suppress(SwapError):
        apply_step(kernel, create(kernel))
    assert kernel.files() == files


def test_file_created_in_the_meantime_is_not_replaced(kernel: Kernel) -> None:
    kernel.path.write_text("precious")
    with pytest.raises(SwapError, match="a file of that name was created in the meantime"):
        apply_step(kernel, create(kernel))
    assert kernel.path.read_text() == "precious"


@pytest.mark.parametrize("kind", ["link", "file"])
def test_existing_file_with_temporary_name_is_not_written_to(kernel: Kernel, kind: str) -> None:
    precious = kernel.root / "precious"
    precious.write_text("precious")
    taken = kernel.path.with_name(".swapfile.oomguard")
    if kind == "link":
        taken.symlink_to(precious)
    else:
        os.link(str(precious), str(taken))
    with pytest.raises(SwapError):
        apply_step(kernel, create(kernel))
    assert precious.read_text() == "precious"
