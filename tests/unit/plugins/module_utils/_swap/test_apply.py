# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps carried out on files in a folder, with a fake kernel."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import stat
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._command import CommandError
from ansible_collections.oomguard.linux.plugins.module_utils._files import FileError
from ansible_collections.oomguard.linux.plugins.module_utils._swap import apply
from ansible_collections.oomguard.linux.plugins.module_utils._swap.apply import Applier
from ansible_collections.oomguard.linux.plugins.module_utils._swap.plan import Plan
from ansible_collections.oomguard.linux.plugins.module_utils._swap.state import SwapError
from ansible_collections.oomguard.linux.plugins.module_utils._swap.steps import (
    ClearLeftover,
    Create,
    Disable,
    Enable,
    Mask,
    Persist,
    Protect,
    Remove,
    RemoveUnit,
    Step,
    WriteUnit,
)
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


def apply_steps(kernel: Kernel, *steps: Step) -> Plan:
    applier = Applier(host=kernel.host, run=kernel, reserve_bytes=0)
    return applier.apply(Plan(steps=steps, before=()))


def create(kernel: Kernel) -> Create:
    return Create(
        path=str(kernel.path),
        size_bytes=SIZE,
        zeros_bytes=0,
        temporary_path=str(kernel.path.with_name(".swapfile.oomguard")),
        filesystem="ext4",
    )


def enable(kernel: Kernel, priority: int | None = None, *, created: bool = False) -> Enable:
    return Enable(path=str(kernel.path), size_bytes=SIZE, priority=priority, created=created)


def disable(kernel: Kernel) -> Disable:
    return Disable(path=str(kernel.path), size_bytes=SIZE, used_bytes=0)


@pytest.mark.parametrize(
    ("priority", "call"),
    [(None, ["swapon", "PATH"]), (0, ["swapon", "-p", "0", "PATH"]), (7, ["swapon", "-p", "7", "PATH"])],
)
def test_swapon(kernel: Kernel, priority: int | None, call: list[str]) -> None:
    kernel.path.write_bytes(bytes(SIZE + PAGE))
    apply_steps(kernel, enable(kernel, priority))
    assert kernel.calls == [[str(kernel.path) if word == "PATH" else word for word in call]]


def test_outcome_of_steps_is_returned(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "posix_fallocate", lambda _descriptor, _offset, _length: None)
    step = create(kernel)
    assert apply_steps(kernel, step).steps == (dataclasses.replace(step, zeros_bytes=SIZE + PAGE),)


def test_new_file_is_removed_if_kernel_rejects_it(kernel: Kernel) -> None:
    kernel.failing.add("swapon")
    with pytest.raises(SwapError):
        apply_steps(kernel, create(kernel), enable(kernel, created=True))
    assert kernel.files() == []


def test_old_file_is_kept_if_kernel_rejects_it(kernel: Kernel) -> None:
    kernel.failing.add("swapon")
    kernel.path.write_bytes(bytes(SIZE + PAGE))
    with pytest.raises(CommandError):
        apply_steps(kernel, enable(kernel))
    assert kernel.files() == ["swapfile"]


def test_rejection_by_kernel_is_reported(kernel: Kernel) -> None:
    kernel.failing.add("swapon")
    with pytest.raises(SwapError) as error:
        apply_steps(kernel, create(kernel), enable(kernel, created=True))
    assert str(error.value) == (
        f"Could not switch on the swap area {kernel.path}: swapon ended with status 255 "
        f"(swapon: {kernel.path}: Invalid argument). Steps completed before: create {kernel.path}. "
        "The new file was removed again. The kernel logs the reason: run journalctl -k to see it."
    )


def test_rejection_by_kernel_is_reported_before_the_file_that_cannot_be_removed(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: pathlib.Path) -> t.NoReturn:
        raise FileError("Could not remove the file: Operation not permitted.")

    kernel.failing.add("swapon")
    monkeypatch.setattr(apply, "remove_file", refuse)
    with pytest.raises(SwapError) as error:
        apply_steps(kernel, create(kernel), enable(kernel, created=True))
    text = str(error.value)
    assert text.startswith(f"Could not switch on the swap area {kernel.path}: swapon ended with status 255 ")
    assert "Restoring the old state failed as well: Could not remove the file: Operation not permitted." in text


def test_fstab_is_written(kernel: Kernel) -> None:
    apply_steps(kernel, Persist(path=str(kernel.host.fstab), before=kernel.read("etc/fstab"), after="# new\n"))
    assert kernel.read("etc/fstab") == "# new\n"


def test_fstab_is_checked_first(kernel: Kernel) -> None:
    apply_steps(kernel, Persist(path=str(kernel.host.fstab), before=kernel.read("etc/fstab"), after="# new\n"))
    assert kernel.calls[0][:3] == ["findmnt", "--verify", "--tab-file"]


def test_systemd_is_reloaded_after_change_of_fstab(kernel: Kernel) -> None:
    (kernel.root / "run/systemd/system").mkdir(parents=True)
    apply_steps(kernel, Persist(path=str(kernel.host.fstab), before=kernel.read("etc/fstab"), after="# new\n"))
    assert kernel.calls[-1] == ["systemctl", "--quiet", "daemon-reload"]


def test_fstab_that_is_not_a_regular_file_is_left_alone(kernel: Kernel) -> None:
    kernel.host.fstab.unlink()
    os.mkfifo(str(kernel.host.fstab))
    with pytest.raises(SwapError, match="it is not a regular file"):
        apply_steps(kernel, Persist(path=str(kernel.host.fstab), before="", after="# new\n"))


def test_check_of_fstab_leaves_no_file(kernel: Kernel) -> None:
    apply_steps(kernel, Persist(path=str(kernel.host.fstab), before=kernel.read("etc/fstab"), after="# new\n"))
    assert list((kernel.root / "run").iterdir()) == []


def test_fstab_that_already_had_errors_is_changed(kernel: Kernel) -> None:
    kernel.failing.add("findmnt")
    apply_steps(kernel, Persist(path=str(kernel.host.fstab), before=kernel.read("etc/fstab"), after="# new\n"))
    assert kernel.read("etc/fstab") == "# new\n"


def test_fstab_with_new_error_is_not_installed(kernel: Kernel) -> None:
    kernel.failing_once.add("findmnt")
    with pytest.raises(CommandError):
        apply_steps(kernel, Persist(path=str(kernel.host.fstab), before=kernel.read("etc/fstab"), after="# new\n"))
    assert kernel.read("etc/fstab") == "LABEL=root / ext4 defaults 0 1\n"


def test_fstab_keeps_its_mode(kernel: Kernel) -> None:
    kernel.host.fstab.chmod(0o640)
    apply_steps(kernel, Persist(path=str(kernel.host.fstab), before=kernel.read("etc/fstab"), after="# new\n"))
    assert stat.S_IMODE(kernel.host.fstab.stat().st_mode) == 0o640


def test_linked_fstab_stays_a_link(kernel: Kernel) -> None:
    kernel.host.fstab.rename(kernel.root / "etc/real")
    kernel.host.fstab.symlink_to("real")
    apply_steps(kernel, Persist(path=str(kernel.host.fstab), before=kernel.read("etc/fstab"), after="# new\n"))
    assert (kernel.host.fstab.is_symlink(), kernel.read("etc/real")) == (True, "# new\n")


def test_missing_fstab_is_created(kernel: Kernel) -> None:
    kernel.host.fstab.unlink()
    apply_steps(kernel, Persist(path=str(kernel.host.fstab), before="", after="# new\n"))
    assert kernel.read("etc/fstab") == "# new\n"


def test_fstab_that_changed_since_the_plan_is_left_alone(kernel: Kernel) -> None:
    with pytest.raises(SwapError) as error:
        apply_steps(kernel, Persist(path=str(kernel.host.fstab), before="# old\n", after="# new\n"))
    assert str(error.value) == (
        f"Could not change {kernel.host.fstab}: something else changed it at the same time. Run the task again."
    )


def test_file_is_restricted_to_root(kernel: Kernel) -> None:
    kernel.path.write_bytes(b"")
    kernel.path.chmod(0o644)
    apply_steps(kernel, Protect(path=str(kernel.path)))
    assert stat.S_IMODE(kernel.path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "step", [ClearLeftover, lambda path: Remove(path=path, size_bytes=SIZE)], ids=["leftover", "file"]
)
def test_files_are_removed(kernel: Kernel, step: t.Callable[[str], Step]) -> None:
    kernel.path.write_bytes(b"")
    apply_steps(kernel, step(str(kernel.path)))
    assert kernel.files() == []


def test_unit_is_written_and_enabled(kernel: Kernel) -> None:
    apply_steps(kernel, WriteUnit(path=f"{kernel.root}/units/swapfile.swap", before="", after="[Swap]\n"))
    assert (kernel.read("units/swapfile.swap"), kernel.calls) == (
        "[Swap]\n",
        [["systemctl", "--quiet", "enable", "swapfile.swap"]],
    )


def test_unit_is_disabled_and_removed(kernel: Kernel) -> None:
    kernel.write("units/swapfile.swap", "[Swap]\n")
    apply_steps(kernel, RemoveUnit(path=f"{kernel.root}/units/swapfile.swap", before="[Swap]\n", after=""))
    assert (list((kernel.root / "units").iterdir()), kernel.calls) == (
        [],
        [
            ["systemctl", "--quiet", "--no-reload", "disable", "swapfile.swap"],
            ["systemctl", "--quiet", "daemon-reload"],
        ],
    )


def test_failure_of_systemctl_is_reported(kernel: Kernel) -> None:
    kernel.failing.add("systemctl")
    with pytest.raises(CommandError) as error:
        apply_steps(kernel, WriteUnit(path=f"{kernel.root}/units/swapfile.swap", before="", after="[Swap]\n"))
    assert str(error.value) == (
        "Could not run systemctl enable swapfile.swap: systemctl ended with status 255 "
        "(systemctl: swapfile.swap: Invalid argument)."
    )


def switch_on(kernel: Kernel, *, used_kib: int) -> None:
    kernel.path.write_bytes(bytes(SIZE + PAGE))
    make_swap(kernel.path)
    kernel.write("proc/swaps", f"{TITLE}{kernel.path} file {SIZE // 1024} {used_kib} -2\n")


def test_swapoff_runs_in_own_scope_with_systemd(kernel: Kernel) -> None:
    (kernel.root / "run/systemd/system").mkdir(parents=True)
    switch_on(kernel, used_kib=0)
    apply_steps(kernel, disable(kernel))
    assert kernel.calls == [["systemd-run", "--scope", "--quiet", "--collect", "swapoff", str(kernel.path)]]


def test_swapoff_runs_directly_without_systemd(kernel: Kernel) -> None:
    switch_on(kernel, used_kib=0)
    apply_steps(kernel, disable(kernel))
    assert kernel.calls == [["swapoff", str(kernel.path)]]


def test_room_is_checked_again_before_swapoff(kernel: Kernel) -> None:
    switch_on(kernel, used_kib=1000)
    kernel.write("proc/meminfo", "MemAvailable: 999 kB\n")
    with pytest.raises(SwapError):
        apply_steps(kernel, disable(kernel))
    assert kernel.calls == []


def test_failed_swapoff_keeps_file(kernel: Kernel) -> None:
    kernel.failing.add("swapoff")
    switch_on(kernel, used_kib=0)
    with pytest.raises(CommandError):
        apply_steps(kernel, disable(kernel), Remove(path=str(kernel.path), size_bytes=SIZE))
    assert kernel.files() == ["swapfile"]


def test_area_that_stays_on_is_an_error_whatever_the_status_of_swapoff(kernel: Kernel) -> None:
    kernel.deaf.add("swapoff")
    switch_on(kernel, used_kib=0)
    with pytest.raises(CommandError):
        apply_steps(kernel, disable(kernel))


def test_file_that_was_switched_on_again_is_kept(kernel: Kernel) -> None:
    switch_on(kernel, used_kib=0)
    with pytest.raises(SwapError, match="switched on again"):
        apply_steps(kernel, Remove(path=str(kernel.path), size_bytes=SIZE))
    assert kernel.files() == ["swapfile"]


def test_area_that_was_switched_off_in_the_meantime_is_no_error(kernel: Kernel) -> None:
    switch_on(kernel, used_kib=0)
    kernel.write("proc/swaps", TITLE)
    kernel.failing.add("swapoff")
    apply_steps(kernel, disable(kernel))
    assert kernel.calls == [["swapoff", str(kernel.path)]]


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("swapoff failed: Cannot allocate memory", "Free memory first. "),
        ("Not superuser.", ""),
    ],
)
def test_hint_about_a_failed_swapoff_names_a_cause_only_if_it_is_known(kernel: Kernel, reason: str, cause: str) -> None:
    kernel.failing.add("swapoff")
    kernel.errors["swapoff"] = reason
    switch_on(kernel, used_kib=0)
    with pytest.raises(CommandError) as error:
        apply_steps(kernel, disable(kernel))
    assert error.value.hint == (
        f"The area is still in use and nothing is lost. {cause}The next run of the task continues from here."
    )


def test_options_are_passed_to_swapon(kernel: Kernel) -> None:
    kernel.path.write_bytes(bytes(SIZE + PAGE))
    apply_steps(kernel, dataclasses.replace(enable(kernel, 7), options=("nofail", "discard=once")))
    assert kernel.calls[0] == ["swapon", "-p", "7", "-o", "nofail,discard=once", str(kernel.path)]


@pytest.mark.parametrize(
    ("flags", "options", "warned"),
    [("", ("discard",), True), ("D", ("discard=once",), False), ("", ("nofail",), False), (None, ("discard",), False)],
    ids=["not in force", "in force", "not requested", "unknown"],
)
def test_discard_that_is_not_in_force_is_reported(
    kernel: Kernel, flags: str | None, options: tuple[str, ...], *, warned: bool
) -> None:
    kernel.path.write_bytes(bytes(SIZE + PAGE))
    kernel.answers["dmesg"] = "something else\n"
    if flags is not None:
        kernel.answers["dmesg"] = f"Adding 9k swap on {kernel.path}.  Priority:-2 extents:1 across:9k {flags}\n"
    plan = apply_steps(kernel, dataclasses.replace(enable(kernel), options=options))
    expected = f"The kernel does not discard free blocks of {kernel.path}, because its disk does not support that."
    assert plan.warnings == ((expected,) if warned else ())


def test_target_is_masked(kernel: Kernel) -> None:
    apply_steps(kernel, Mask(path=f"{kernel.root}/units/swap.target", before="", after="a link to /dev/null\n"))
    assert kernel.calls == [["systemctl", "--quiet", "mask", "swap.target"]]
