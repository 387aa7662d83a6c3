# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What systemd switches on at boot, on a fake host."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._swap.boot import is_masked, observe_boot, verify_boot
from ansible_collections.oomguard.linux.plugins.module_utils._swap.state import Boot, Obstacle, SwapError
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._swap.factories import (
    GIB,
    area,
)
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._swap.kernel import Kernel

DISK = area("/dev/vda5", GIB)
NEVER = "WantedBy=\nRequiredBy=\n"


@pytest.fixture
def kernel(tmp_path: pathlib.Path) -> Kernel:
    """Return a host that was booted with systemd."""
    fake = Kernel(tmp_path)
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    return fake


def observed(kernel: Kernel) -> Boot:
    return observe_boot([DISK], kernel.read("etc/fstab"), kernel.host, kernel)


def test_usual_host_has_no_obstacles(kernel: Kernel) -> None:
    kernel.write("proc/cmdline", "root=/dev/vda quiet fstab=yes systemd.swap=1\n")
    kernel.write("units/swap.target.wants", "")
    assert (observed(kernel).obstacles, observed(kernel).table_obstacles) == ((), ())


@pytest.mark.parametrize("kind", ["link", "empty file"])
def test_masked_target_is_found(kernel: Kernel, kind: str) -> None:
    target = kernel.root / "units/swap.target"
    if kind == "link":
        target.symlink_to("/dev/null")
    else:
        target.touch()
    assert observed(kernel).obstacles == (
        Obstacle(
            "swap.target is masked, as on hosts that must have no swap",
            "If this host is to have swap, run: systemctl unmask swap.target.",
        ),
    )


@pytest.mark.parametrize("text", ["a unit", None], ids=["unit", "nothing"])
def test_other_files_mask_nothing(tmp_path: pathlib.Path, text: str | None) -> None:
    if text:
        (tmp_path / "swap.target").write_text(text)
    assert not is_masked(tmp_path / "swap.target")


def test_kernel_command_line_masks_target(kernel: Kernel) -> None:
    kernel.write("proc/cmdline", "quiet systemd.mask=a.service systemd.mask=swap.target\n")
    assert [found.reason for found in observed(kernel).obstacles] == [
        "the kernel's command line says systemd.mask=swap.target"
    ]


@pytest.mark.parametrize("word", ["fstab=no", "systemd.swap=0", "systemd.swap=False"])
def test_kernel_command_line_keeps_fstab_from_being_read(kernel: Kernel, word: str) -> None:
    kernel.write("proc/cmdline", f"quiet {word}\n")
    assert [found.reason for found in observed(kernel).table_obstacles] == [
        f"the kernel's command line says {word.lower()}"
    ]


def test_masked_generator_keeps_fstab_from_being_read(kernel: Kernel) -> None:
    folder = kernel.root / "etc/systemd/system-generators"
    folder.mkdir(parents=True)
    (folder / "systemd-fstab-generator").symlink_to("/dev/null")
    assert len(observed(kernel).table_obstacles) == 1


def test_nothing_is_asked_of_other_init_systems(kernel: Kernel) -> None:
    (kernel.root / "run/systemd/system").rmdir()
    (kernel.root / "units/swap.target").touch()
    assert (observed(kernel).obstacles, kernel.calls) == ((), [])


@pytest.mark.parametrize("line", ["/dev/vda5 none swap sw 0 0\n", "/dev/vda5 swap swap defaults\n"])
def test_area_in_fstab_is_named_without_asking_systemd(kernel: Kernel, line: str) -> None:
    kernel.write("etc/fstab", line)
    assert (observed(kernel).named, kernel.calls) == (frozenset(["/dev/vda5"]), [])


def test_line_with_noauto_names_nothing(kernel: Kernel) -> None:
    kernel.write("etc/fstab", "/dev/vda5 none swap sw,noauto 0 0\n")
    assert observed(kernel).named == set()


@pytest.mark.parametrize(
    ("source", "link"),
    [
        ("UUID=12-34", "by-uuid/12-34"),
        ('LABEL="my swap"', "by-label/my\\x20swap"),
        ("PARTLABEL=a/b", "by-partlabel/a\\x2fb"),
    ],
)
def test_tag_in_fstab_names_its_device(kernel: Kernel, source: str, link: str) -> None:
    path = kernel.root / "dev/disk" / link
    path.parent.mkdir(parents=True)
    path.symlink_to("/dev/vda5")
    kernel.write("etc/fstab", f"{source.replace(' ', chr(92) + '040')} none swap sw 0 0\n")
    assert observed(kernel).named == {"/dev/vda5"}


@pytest.mark.parametrize(
    ("unit", "named"),
    [
        ("What=/dev/vda5\nSourcePath=\nWantedBy=swap.target\n", True),
        ("What=/dev/vda5\nRequiredBy=swap.target\n", True),
        ("What=/dev/vda5\nWantedBy=\nRequiredBy=\n", False),
        ("What=/dev/vda5\nSourcePath=FSTAB\nWantedBy=swap.target\n", False),
    ],
    ids=["wanted", "required", "switched on by hand", "line that was removed from fstab"],
)
def test_unit_names_its_area(kernel: Kernel, unit: str, *, named: bool) -> None:
    kernel.answers["systemctl"] = f"What=/other\n\n{unit}".replace("FSTAB", str(kernel.host.fstab))
    assert ("/dev/vda5" in observed(kernel).named) is named


def test_units_that_start_at_boot_are_verified(kernel: Kernel) -> None:
    verify_boot(["/swapfile"], kernel)
    assert kernel.calls[0][-1] == "swapfile.swap"


def test_unit_that_nothing_wants_is_an_error(kernel: Kernel) -> None:
    kernel.answers["systemctl"] = f"Id=swapfile.swap\nLoadState=not-found\n{NEVER}"
    with pytest.raises(SwapError) as error:
        verify_boot(["/swapfile"], kernel)
    assert str(error.value) == (
        "The swap is in use, but systemd will not switch it on at the next boot: nothing wants its unit swapfile.swap, "
        "whose load state is not-found. Run systemctl status swapfile.swap and systemctl cat swapfile.swap to see why."
    )
