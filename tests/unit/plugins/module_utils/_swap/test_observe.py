# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state that is observed on a host."""

from __future__ import annotations

import os
import pathlib

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._swap.header import Header
from ansible_collections.oomguard.linux.plugins.module_utils._swap.observe import (
    observe_memory_available,
    observe_state,
)
from ansible_collections.oomguard.linux.plugins.module_utils._swap.state import Area, Obstacle, State, SwapError, Unit
from ansible_collections.oomguard.linux.plugins.module_utils._swap.unit import build_unit_name
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._swap.factories import write_file
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._swap.kernel import (
    PAGE,
    TITLE,
    Kernel,
    make_swap,
)


@pytest.fixture
def kernel(tmp_path: pathlib.Path) -> Kernel:
    return Kernel(tmp_path)


def observed(kernel: Kernel) -> State:
    return observe_state(str(kernel.path), kernel.host, kernel)


def test_areas(kernel: Kernel) -> None:
    kernel.write("proc/swaps", f"{TITLE}/dev/vda5 partition 1020 8 -2\n")
    assert observed(kernel).areas == (Area("/dev/vda5", "partition", 1020 * 1024, 8192, -2),)


def test_own_file(kernel: Kernel) -> None:
    make_swap(write_file(kernel.path))
    assert observed(kernel).entries[0].header == Header(label="oomguard", size_bytes=15 * PAGE, suspended=False)


def test_foreign_file(kernel: Kernel) -> None:
    write_file(kernel.path)
    assert not observed(kernel).entries[0].is_ours


def test_managed_names_are_sorted_by_number(kernel: Kernel) -> None:
    for name in ("swapfile.10", "swapfile.9", "swapfile", "swapfile.old", "swapfile.01", "swapfile2", "xswapfile"):
        write_file(kernel.path.with_name(name))
    names = [pathlib.Path(entry.path).name for entry in observed(kernel).entries]
    assert names == ["swapfile", "swapfile.9", "swapfile.10"]


def test_link_is_not_followed(kernel: Kernel) -> None:
    make_swap(write_file(kernel.path.with_name("target")))
    kernel.path.symlink_to("target")
    assert observed(kernel).entries[0].kind == "symbolic link"


def test_pipe_is_not_read(kernel: Kernel) -> None:
    os.mkfifo(str(kernel.path))
    assert observed(kernel).entries[0].kind == "special file"


def test_hard_links_are_counted(kernel: Kernel) -> None:
    write_file(kernel.path)
    os.link(str(kernel.path), str(kernel.path.with_name("other")))
    assert observed(kernel).entries[0].links == 2


def test_leftover(kernel: Kernel) -> None:
    write_file(kernel.path.with_name(".swapfile.oomguard"), size=PAGE)
    leftover = observed(kernel).leftover
    assert (
        (leftover.path, leftover.file_bytes) == (f"{kernel.root}/data/.swapfile.oomguard", PAGE) if leftover else None
    )


def test_no_leftover(kernel: Kernel) -> None:
    assert observed(kernel).leftover is None


def test_first_folder_is_the_root(kernel: Kernel) -> None:
    assert [folder.path for folder in observed(kernel).folders][:1] == ["/"]


def test_last_folder_is_that_of_the_file(kernel: Kernel) -> None:
    assert observed(kernel).folders[-1].path == f"{kernel.root}/data"


def test_host_without_fstab(kernel: Kernel) -> None:
    (kernel.root / "etc/fstab").unlink()
    assert observed(kernel).fstab == ""


@pytest.mark.parametrize("enabled", [True, False])
def test_unit_of_file(kernel: Kernel, *, enabled: bool) -> None:
    write_file(kernel.path)
    unit = kernel.root / "units" / build_unit_name(str(kernel.path))
    unit.write_text("[Swap]\n")
    if enabled:
        (unit.parent / "swap.target.wants").mkdir()
        (unit.parent / "swap.target.wants" / unit.name).symlink_to(unit)
    assert observed(kernel).units[0] == Unit(str(unit), str(kernel.path), "[Swap]\n", enabled=enabled)


def test_masked_unit_is_described_by_its_link(kernel: Kernel) -> None:
    unit = kernel.root / "units" / build_unit_name(str(kernel.path))
    unit.symlink_to("/dev/null")
    assert observed(kernel).units == (
        Unit(str(unit), str(kernel.path), "a link to /dev/null", enabled=False, masked=True),
    )


def test_release_of_kernel(kernel: Kernel) -> None:
    assert observed(kernel).kernel == (6, 1)


def test_missing_folder_is_an_error(kernel: Kernel) -> None:
    with pytest.raises(SwapError) as error:
        observe_state(f"{kernel.root}/nothing/swapfile", kernel.host, kernel)
    assert str(error.value) == (
        f"Could not examine the directory {kernel.root}/nothing: No such file or directory. "
        "Create it, or choose another path."
    )


def test_unit_can_remain_below_missing_folder(kernel: Kernel) -> None:
    path = f"{kernel.root}/gone/swapfile"
    kernel.write(f"units/{build_unit_name(path)}", "[Swap]\n")
    make_swap(write_file(kernel.root / "gone.1"))
    found = observe_state(path, kernel.host, kernel, required=False)
    assert (found.entries, [unit.text for unit in found.units]) == ((), ["[Swap]\n"])


def test_memory_available(kernel: Kernel) -> None:
    assert observe_memory_available(kernel.host) == 300000 * 1024


def test_old_kernel_without_available_memory_is_an_error(kernel: Kernel) -> None:
    kernel.write("proc/meminfo", "MemTotal: 475312 kB\nMemFree: 1 kB\n")
    with pytest.raises(SwapError) as error:
        observe_memory_available(kernel.host)
    assert str(error.value) == "/proc/meminfo does not show the available memory. This requires Linux 3.14 or later."


def test_obstacles_are_found_by_the_paths_of_the_steps(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        os, "access", lambda path, _mode, **_options: path not in {str(kernel.root / "etc"), str(kernel.root)}
    )
    kernel.host.fstab.rename(kernel.root / "fstab")
    kernel.host.fstab.symlink_to("../fstab")
    assert observed(kernel).obstacles == {
        str(kernel.host.fstab): Obstacle(
            f"Could not change {kernel.root}/fstab: this user may not write to {kernel.root}. Nothing was changed.",
            "Run the task with become: true.",
        )
    }


def test_obstacle_of_a_unit_may_be_its_link(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    wants = kernel.root / "units/swap.target.wants"
    wants.mkdir()
    monkeypatch.setattr(os, "access", lambda path, _mode, **_options: path != str(wants))
    assert [*observed(kernel).obstacles] == [str(kernel.root / "units" / build_unit_name(str(kernel.path)))]


def test_missing_programs(kernel: Kernel) -> None:
    kernel.missing = {"swapon", "btrfs"}
    assert observed(kernel).obstacles == {
        "swapon": Obstacle(
            "The program swapon is not installed. Nothing was changed.", "Install the package util-linux, or mount."
        )
    }
