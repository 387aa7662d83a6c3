# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be requested."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._size import SizeError
from ansible_collections.oomguard.linux.plugins.module_utils._swap.state import SwapError
from ansible_collections.oomguard.linux.plugins.module_utils._swap.wanted import Target, parse_target, suggest_size
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._swap.factories import GIB, MIB, WANTED, area


@pytest.mark.parametrize("path", ["swapfile", "/a/../b", "//swapfile", "/", "/a\nb"])
def test_path_that_is_not_plain_is_refused(path: str) -> None:
    with pytest.raises(SwapError) as error:
        dataclasses.replace(WANTED, path=path)
    assert str(error.value) == (
        f"{path!r} is not a valid path for a swap file. "
        "Use an absolute, normalized path without control characters, such as /swapfile."
    )


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("4G", Target(4 * GIB, MIB)),
        (" 4 GiB", Target(4 * GIB, MIB)),
        ("50%", Target(GIB // 2, GIB // 64)),
        ("150 %", Target(3 * GIB // 2, 3 * GIB // 64)),
        ("1%", Target(10 * MIB, MIB)),
        ("auto", Target(2 * GIB, GIB // 16)),
    ],
)
def test_target(text: str, target: Target) -> None:
    assert parse_target(text, GIB) == target


@pytest.mark.parametrize("text", ["", "%", "-5%", "1.5%", "100000%", "²%", "AUTO", "5%%", "5% G", "auto%"])
def test_other_forms_of_size_are_refused(text: str) -> None:
    with pytest.raises(SizeError, match="is not a size"):
        parse_target(text, GIB)


@pytest.mark.parametrize(
    ("ram", "swap"),
    [(GIB // 2, GIB), (GIB, 2 * GIB), (2 * GIB, 4 * GIB), (3 * GIB, 4 * GIB), (6 * GIB, 6 * GIB), (64 * GIB, 8 * GIB)],
)
def test_suggested_size(ram: int, swap: int) -> None:
    assert suggest_size(ram) == swap


@pytest.mark.parametrize(
    ("changes", "options"),
    [
        ({}, "sw,nofail"),
        ({"priority": 0}, "sw,nofail,pri=0"),
        (
            {"options": ("discard=once", "nofail", "x-systemd.device-timeout=5")},
            "sw,nofail,discard=once,x-systemd.device-timeout=5",
        ),
    ],
)
def test_options_in_fstab(changes: dict[str, t.Any], options: str) -> None:
    assert dataclasses.replace(WANTED, **changes).fstab_options == options


@pytest.mark.parametrize(
    ("option", "hint"),
    [
        ("noauto", "The swap would not be in use after a boot. Use persist: none."),
        ("noauto=1", "The swap would not be in use after a boot. Use persist: none."),
        ("pri=5", "Use the option priority."),
    ],
)
def test_rejected_options(option: str, hint: str) -> None:
    with pytest.raises(SwapError) as error:
        dataclasses.replace(WANTED, options=(option,))
    name = option.partition("=")[0]
    assert str(error.value) == f"The option {name} of a swap area is not supported here. {hint}"


def test_several_options_in_one_are_refused() -> None:
    with pytest.raises(SwapError) as error:
        dataclasses.replace(WANTED, options=("discard,nofail",))
    assert str(error.value) == (
        "'discard,nofail' is not a valid option of a swap area. "
        "Use one option for each item of the list, such as discard or discard=once. See swapon(8)."
    )


@pytest.mark.parametrize("option", ["", " ", "a b", "a\tb", "a#", "a=", "=a", "-o", "ä", "a\n", "a\\040b"])
def test_text_that_is_no_option_is_refused(option: str) -> None:
    with pytest.raises(SwapError, match="is not a valid option"):
        dataclasses.replace(WANTED, options=(option,))


@pytest.mark.parametrize(
    ("path", "characters"),
    [("/" + "a" * 300, 305), ("/a" * 2100, 4204), ("/" + "-" * 60, 245)],
    ids=["name", "levels", "escapes"],
)
def test_path_that_is_too_long_is_refused(path: str, characters: int) -> None:
    with pytest.raises(SwapError) as error:
        dataclasses.replace(WANTED, path=path)
    assert str(error.value) == (
        f"{path[:64]}... is too long for the path of a swap file: the name of its systemd unit would have "
        f"{characters} characters, and only 242 are supported. Use a shorter path, such as /swapfile. Characters other "
        "than letters, digits and slashes count four times."
    )


def test_longest_path_is_accepted() -> None:
    path = f"/{'a' * 237}"
    assert dataclasses.replace(WANTED, path=path).path == path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"size_bytes": 0},
            (
                "0 B is too small for the swap of a host. Use 2.0 MiB or more. "
                "To remove the files that this module created, use state: absent."
            ),
        ),
        (
            {"size_bytes": 10**400},
            "The size or the reserve is larger than the disk of any host. Use 1.0 PiB or less.",
        ),
        (
            {"reserve_bytes": 1024**5 + 1},
            "The size or the reserve is larger than the disk of any host. Use 1.0 PiB or less.",
        ),
        (
            {"priority": -1},
            "-1 is not a valid priority. Use a number from 0 to 32767, or omit it to let the kernel choose.",
        ),
    ],
)
def test_invalid_request_is_refused(changes: dict[str, t.Any], message: str) -> None:
    with pytest.raises(SwapError) as error:
        dataclasses.replace(WANTED, **changes)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("path", "managed"),
    [
        ("/swapfile", True),
        ("/swapfile.1", True),
        ("/swapfile.10", True),
        ("/swapfile.01", False),
        ("/swapfile.0", False),
        ("/swapfile.old", False),
        ("/swapfile2", False),
        ("/srv/swapfile", False),
    ],
)
def test_managed_names(path: str, *, managed: bool) -> None:
    assert WANTED.is_managed_name(path) is managed


@pytest.mark.parametrize(("count_zram", "total"), [(False, GIB), (True, 3 * GIB)])
def test_zram_counts_only_if_requested(total: int, *, count_zram: bool) -> None:
    wanted = dataclasses.replace(WANTED, count_zram=count_zram)
    assert wanted.sum_size([area("/dev/vda5", GIB), area("/dev/zram0", 2 * GIB)]) == total


@pytest.mark.parametrize(("requested", "fits"), [(None, True), (5, True), (7, False)])
def test_priority_of_area(requested: int | None, *, fits: bool) -> None:
    wanted = dataclasses.replace(WANTED, priority=requested)
    assert wanted.has_priority(area("/swapfile", GIB, priority=5)) is fits
