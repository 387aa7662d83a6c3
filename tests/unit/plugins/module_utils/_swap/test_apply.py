# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps carried out on files in a folder, with a kernel that is played."""

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
from ansible_collections.oomguard.linux.plugins.module_utils._swap.apply import Applier, bring
from ansible_collections.oomguard.linux.plugins.module_utils._swap.plan import (
    Plan,
)
from ansible_collections.oomguard.linux.plugins.module_utils._swap.state import SwapError
from ansible_collections.oomguard.linux.plugins.module_utils._swap.steps import (
    ClearLeftover,
    Create,
    Disable,
    Enable,
    Persist,
    Protect,
    Remove,
    RemoveUnit,
    Step,
    WriteUnit,
)
from ansible_collections.oomguard.linux.plugins.module_utils._swap.wanted import Wanted
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._swap.kernel import (
    PAGE,
    TITLE,
    Kernel,
    make_swap,
)

SIZE = 255 * PAGE


@pytest.fixture
def kernel(tmp_path: pathlib.Path) -> Kernel:
    return Kernel(tmp_path)


def carry_out(kernel: Kernel, *steps: Step, filesystem: str = "ext4", reserve_bytes: int = 0) -> Plan:
    applier = Applier(host=kernel.host, run=kernel, filesystem=filesystem, reserve_bytes=reserve_bytes)
    return applier.apply(Plan(steps=steps, before=()))


def create(kernel: Kernel) -> Create:
    made_as = str(kernel.path.with_name(".swapfile.oomguard"))
    return Create(path=str(kernel.path), size_bytes=SIZE, zeros_bytes=0, made_as=made_as)


def enable(kernel: Kernel, priority: int | None = None) -> Enable:
    return Enable(path=str(kernel.path), size_bytes=SIZE, priority=priority)


def disable(kernel: Kernel) -> Disable:
    return Disable(path=str(kernel.path), size_bytes=SIZE, used_bytes=0)


def test_a_file_is_one_page_longer_than_what_it_offers(kernel: Kernel) -> None:
    carry_out(kernel, create(kernel))
    assert kernel.path.stat().st_size == SIZE + PAGE


def test_a_file_has_no_holes(kernel: Kernel) -> None:
    carry_out(kernel, create(kernel))
    assert kernel.path.stat().st_blocks * 512 >= SIZE + PAGE


def test_a_file_is_for_root_alone(kernel: Kernel) -> None:
    umask = os.umask(0)
    try:
        carry_out(kernel, create(kernel))
    finally:
        os.umask(umask)
    assert stat.S_IMODE(kernel.path.stat().st_mode) == 0o600


def test_a_file_carries_our_label(kernel: Kernel) -> None:
    carry_out(kernel, create(kernel))
    assert kernel.calls == [["mkswap", "-L", "oomguard", f"{kernel.root}/data/.swapfile.oomguard"]]


def test_nothing_else_is_left_of_making_a_file(kernel: Kernel) -> None:
    carry_out(kernel, create(kernel))
    assert kernel.files() == ["swapfile"]


def test_btrfs_is_told_to_write_in_place_first(kernel: Kernel) -> None:
    carry_out(kernel, create(kernel), filesystem="btrfs")
    assert kernel.calls[0] == ["chattr", "+C", f"{kernel.root}/data/.swapfile.oomguard"]


@pytest.mark.parametrize("program", ["mkswap", "chattr"])
def test_a_failed_program_leaves_no_file(kernel: Kernel, program: str) -> None:
    kernel.failing.add(program)
    with pytest.raises(CommandError):
        carry_out(kernel, create(kernel), filesystem="btrfs")
    assert kernel.files() == []


def test_a_full_disk_leaves_no_file(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int, _offset: int, _length: int) -> t.NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(SwapError):
        carry_out(kernel, create(kernel))
    assert kernel.files() == []


def test_a_full_disk_is_named(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int, _offset: int, _length: int) -> t.NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(SwapError) as error:
        carry_out(kernel, create(kernel))
    assert str(error.value) == (
        f"Could not make the swap file {kernel.path} of 1020.0 KiB: No space left on device, "
        "with 0 B of it on the disk. "
        "Look at the free space, the quotas and the health of its filesystem."
    )


def test_zeros_are_written_where_a_filesystem_cannot_allocate(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(_descriptor: int, _offset: int, _length: int) -> t.NoReturn:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr(os, "posix_fallocate", unsupported)
    carry_out(kernel, create(kernel))
    assert kernel.path.stat().st_blocks * 512 >= SIZE + PAGE


def test_zeros_are_written_where_allocating_leaves_holes(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "posix_fallocate", lambda descriptor, _offset, length: os.ftruncate(descriptor, length))
    carry_out(kernel, create(kernel))
    assert kernel.path.stat().st_blocks * 512 >= SIZE + PAGE


def test_zeros_are_written_where_the_plan_says_so(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "posix_fallocate")
    carry_out(kernel, dataclasses.replace(create(kernel), zeros_bytes=SIZE + PAGE))
    assert kernel.path.stat().st_blocks * 512 >= SIZE + PAGE


@pytest.mark.parametrize(("allocates", "zeros_bytes"), [(True, 0), (False, SIZE + PAGE)])
def test_the_result_tells_how_many_zeros_were_written(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch, zeros_bytes: int, *, allocates: bool
) -> None:
    if not allocates:
        monkeypatch.setattr(os, "posix_fallocate", lambda _descriptor, _offset, _length: None)
    assert carry_out(kernel, create(kernel)).steps == (dataclasses.replace(create(kernel), zeros_bytes=zeros_bytes),)


@pytest.fixture
def labels(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Have SELinux on the host, and return the labels that files are given."""
    given: list[bytes] = []
    (kernel.root / "sys/fs/selinux").mkdir(parents=True)
    kernel.write("sys/fs/selinux/enforce", "1")
    monkeypatch.setattr(os, "getxattr", lambda _file, _name: b"unconfined_u:object_r:etc_runtime_t:s0\0")
    monkeypatch.setattr(os, "setxattr", lambda _file, _name, label: given.append(label))
    return given


def test_a_file_has_the_selinux_type_that_may_be_swapped_to(kernel: Kernel, labels: list[bytes]) -> None:
    carry_out(kernel, create(kernel))
    assert labels == [b"unconfined_u:object_r:swapfile_t:s0\0"]


@pytest.mark.parametrize(("number", "files"), [(errno.EOPNOTSUPP, ["swapfile"]), (errno.EACCES, [])])
@pytest.mark.usefixtures("labels")
def test_a_label_that_cannot_be_set(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch, number: int, files: list[str]
) -> None:
    def refuse(*_arguments: object) -> t.NoReturn:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "setxattr", refuse)
    with contextlib.suppress(SwapError):
        carry_out(kernel, create(kernel))
    assert kernel.files() == files


def test_what_has_got_the_name_meanwhile_is_not_replaced(kernel: Kernel) -> None:
    kernel.path.write_text("precious")
    with pytest.raises(SwapError, match="somebody else has made one meanwhile"):
        carry_out(kernel, create(kernel))
    assert kernel.path.read_text() == "precious"


@pytest.mark.parametrize("kind", ["link", "file"])
def test_what_has_the_name_of_the_unfinished_file_is_not_written_to(kernel: Kernel, kind: str) -> None:
    precious = kernel.root / "precious"
    precious.write_text("precious")
    taken = kernel.path.with_name(".swapfile.oomguard")
    if kind == "link":
        taken.symlink_to(precious)
    else:
        os.link(str(precious), str(taken))
    with pytest.raises(SwapError):
        carry_out(kernel, create(kernel))
    assert precious.read_text() == "precious"


@pytest.mark.parametrize(
    ("priority", "call"),
    [(None, ["swapon", "PATH"]), (0, ["swapon", "-p", "0", "PATH"]), (7, ["swapon", "-p", "7", "PATH"])],
)
def test_swapon(kernel: Kernel, priority: int | None, call: list[str]) -> None:
    kernel.path.write_bytes(bytes(SIZE + PAGE))
    carry_out(kernel, enable(kernel, priority))
    assert kernel.calls == [[str(kernel.path) if word == "PATH" else word for word in call]]


def test_a_new_file_that_the_kernel_refuses_is_removed(kernel: Kernel) -> None:
    kernel.failing.add("swapon")
    with pytest.raises(SwapError):
        carry_out(kernel, create(kernel), enable(kernel))
    assert kernel.files() == []


def test_an_old_file_that_the_kernel_refuses_is_kept(kernel: Kernel) -> None:
    kernel.failing.add("swapon")
    kernel.path.write_bytes(bytes(SIZE + PAGE))
    with pytest.raises(CommandError):
        carry_out(kernel, enable(kernel))
    assert kernel.files() == ["swapfile"]


def test_a_refusal_of_the_kernel_is_told(kernel: Kernel) -> None:
    kernel.failing.add("swapon")
    with pytest.raises(SwapError) as error:
        carry_out(kernel, create(kernel), enable(kernel))
    assert str(error.value) == (
        f"Could not switch on the swap area {kernel.path}: swapon ended with status 255 "
        f"(swapon: {kernel.path}: Invalid argument). Done before that: create {kernel.path}. "
        "The new file was removed again. The kernel's reason is in its log: journalctl -k."
    )


def test_fstab_is_written(kernel: Kernel) -> None:
    carry_out(kernel, Persist(path=str(kernel.host.fstab), before=kernel.read("etc/fstab"), after="# new\n"))
    assert kernel.read("etc/fstab") == "# new\n"


def test_fstab_is_checked_before(kernel: Kernel) -> None:
    carry_out(kernel, Persist(path=str(kernel.host.fstab), before=kernel.read("etc/fstab"), after="# new\n"))
    assert kernel.calls[0][:3] == ["findmnt", "--verify", "--tab-file"]


def test_systemd_forgets_what_fstab_no_longer_names(kernel: Kernel) -> None:
    (kernel.root / "run/systemd/system").mkdir(parents=True)
    carry_out(kernel, Persist(path=str(kernel.host.fstab), before=kernel.read("etc/fstab"), after="# new\n"))
    assert kernel.calls[-1] == ["systemctl", "--quiet", "daemon-reload"]


def test_an_fstab_that_is_no_file_is_left_alone(kernel: Kernel) -> None:
    kernel.host.fstab.unlink()
    os.mkfifo(str(kernel.host.fstab))
    with pytest.raises(SwapError, match="is no regular file"):
        carry_out(kernel, Persist(path=str(kernel.host.fstab), before="", after="# new\n"))


def test_nothing_is_left_of_checking_fstab(kernel: Kernel) -> None:
    carry_out(kernel, Persist(path=str(kernel.host.fstab), before=kernel.read("etc/fstab"), after="# new\n"))
    assert list((kernel.root / "run").iterdir()) == []


def test_an_fstab_that_was_wrong_before_is_no_obstacle(kernel: Kernel) -> None:
    kernel.failing.add("findmnt")
    carry_out(kernel, Persist(path=str(kernel.host.fstab), before=kernel.read("etc/fstab"), after="# new\n"))
    assert kernel.read("etc/fstab") == "# new\n"


def test_an_fstab_with_a_new_error_is_not_installed(kernel: Kernel) -> None:
    kernel.failing_once.add("findmnt")
    with pytest.raises(CommandError):
        carry_out(kernel, Persist(path=str(kernel.host.fstab), before=kernel.read("etc/fstab"), after="# new\n"))
    assert kernel.read("etc/fstab") == "LABEL=root / ext4 defaults 0 1\n"


def test_fstab_keeps_its_mode(kernel: Kernel) -> None:
    kernel.host.fstab.chmod(0o640)
    carry_out(kernel, Persist(path=str(kernel.host.fstab), before=kernel.read("etc/fstab"), after="# new\n"))
    assert stat.S_IMODE(kernel.host.fstab.stat().st_mode) == 0o640


def test_a_linked_fstab_stays_a_link(kernel: Kernel) -> None:
    kernel.host.fstab.rename(kernel.root / "etc/real")
    kernel.host.fstab.symlink_to("real")
    carry_out(kernel, Persist(path=str(kernel.host.fstab), before=kernel.read("etc/fstab"), after="# new\n"))
    assert (kernel.host.fstab.is_symlink(), kernel.read("etc/real")) == (True, "# new\n")


def test_a_missing_fstab_is_made(kernel: Kernel) -> None:
    kernel.host.fstab.unlink()
    carry_out(kernel, Persist(path=str(kernel.host.fstab), before="", after="# new\n"))
    assert kernel.read("etc/fstab") == "# new\n"


def test_an_fstab_that_somebody_else_has_changed_is_left_alone(kernel: Kernel) -> None:
    with pytest.raises(SwapError) as error:
        carry_out(kernel, Persist(path=str(kernel.host.fstab), before="# old\n", after="# new\n"))
    assert str(error.value) == f"{kernel.host.fstab} was changed by somebody else at the same time. Run again."


def test_a_file_is_taken_from_others(kernel: Kernel) -> None:
    kernel.path.write_bytes(b"")
    kernel.path.chmod(0o644)
    carry_out(kernel, Protect(path=str(kernel.path)))
    assert stat.S_IMODE(kernel.path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "step", [ClearLeftover, lambda path: Remove(path=path, size_bytes=SIZE)], ids=["leftover", "file"]
)
def test_files_are_removed(kernel: Kernel, step: t.Callable[[str], Step]) -> None:
    kernel.path.write_bytes(b"")
    carry_out(kernel, step(str(kernel.path)))
    assert kernel.files() == []


def test_a_unit_is_written_and_enabled(kernel: Kernel) -> None:
    carry_out(kernel, WriteUnit(path=f"{kernel.root}/units/swapfile.swap", before="", after="[Swap]\n"))
    assert (kernel.read("units/swapfile.swap"), kernel.calls) == (
        "[Swap]\n",
        [["systemctl", "--quiet", "enable", "swapfile.swap"]],
    )


def test_a_unit_is_disabled_and_removed(kernel: Kernel) -> None:
    kernel.write("units/swapfile.swap", "[Swap]\n")
    carry_out(kernel, RemoveUnit(path=f"{kernel.root}/units/swapfile.swap", before="[Swap]\n", after=""))
    assert (list((kernel.root / "units").iterdir()), kernel.calls) == (
        [],
        [
            ["systemctl", "--quiet", "--no-reload", "disable", "swapfile.swap"],
            ["systemctl", "--quiet", "daemon-reload"],
        ],
    )


def test_a_refusal_of_systemd_is_told(kernel: Kernel) -> None:
    kernel.failing.add("systemctl")
    with pytest.raises(CommandError) as error:
        carry_out(kernel, WriteUnit(path=f"{kernel.root}/units/swapfile.swap", before="", after="[Swap]\n"))
    assert str(error.value) == (
        "Could not have systemd enable swapfile.swap: systemctl ended with status 255 "
        "(systemctl: swapfile.swap: Invalid argument)."
    )


def swapping(kernel: Kernel, *, used_kib: int) -> None:
    kernel.path.write_bytes(bytes(SIZE + PAGE))
    make_swap(kernel.path)
    kernel.write("proc/swaps", f"{TITLE}{kernel.path} file {SIZE // 1024} {used_kib} -2\n")


def test_swapoff_has_a_scope_of_its_own_under_systemd(kernel: Kernel) -> None:
    (kernel.root / "run/systemd/system").mkdir(parents=True)
    swapping(kernel, used_kib=0)
    carry_out(kernel, disable(kernel))
    assert kernel.calls == [["systemd-run", "--scope", "--quiet", "--collect", "swapoff", str(kernel.path)]]


def test_swapoff_without_systemd(kernel: Kernel) -> None:
    swapping(kernel, used_kib=0)
    carry_out(kernel, disable(kernel))
    assert kernel.calls == [["swapoff", str(kernel.path)]]


def test_room_is_looked_for_again_before_swapoff(kernel: Kernel) -> None:
    swapping(kernel, used_kib=1000)
    kernel.write("proc/meminfo", "MemAvailable: 999 kB\n")
    with pytest.raises(SwapError):
        carry_out(kernel, disable(kernel))
    assert kernel.calls == []


def test_a_failed_swapoff_keeps_the_file(kernel: Kernel) -> None:
    kernel.failing.add("swapoff")
    swapping(kernel, used_kib=0)
    with pytest.raises(CommandError):
        carry_out(kernel, disable(kernel), Remove(path=str(kernel.path), size_bytes=SIZE))
    assert kernel.files() == ["swapfile"]


def test_an_area_that_is_still_on_is_a_failure_whatever_swapoff_says(kernel: Kernel) -> None:
    kernel.deaf.add("swapoff")
    swapping(kernel, used_kib=0)
    with pytest.raises(CommandError):
        carry_out(kernel, disable(kernel))


def test_a_file_that_was_switched_on_again_is_kept(kernel: Kernel) -> None:
    swapping(kernel, used_kib=0)
    with pytest.raises(SwapError, match="switched on again"):
        carry_out(kernel, Remove(path=str(kernel.path), size_bytes=SIZE))
    assert kernel.files() == ["swapfile"]


def test_an_area_that_went_meanwhile_is_no_failure(kernel: Kernel) -> None:
    swapping(kernel, used_kib=0)
    kernel.write("proc/swaps", TITLE)
    kernel.failing.add("swapoff")
    carry_out(kernel, disable(kernel))
    assert kernel.calls == [["swapoff", str(kernel.path)]]


def test_below_a_folder_that_is_gone_there_is_nothing_to_remove(kernel: Kernel) -> None:
    absent = Wanted(
        path=f"{kernel.root}/gone/swapfile",
        present=False,
        size_bytes=0,
        exact=False,
        priority=None,
        persist="fstab",
        reserve_bytes=0,
    )
    plan, _after = bring(absent, kernel.host, kernel, pretend=True)
    assert not plan.changed
