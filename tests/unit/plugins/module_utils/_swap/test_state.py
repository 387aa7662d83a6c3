# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions that a state answers about its areas, files and units."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._swap.state import Area, Unit, find_free_name, format_areas
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._swap.factories import (
    GIB,
    ROOT_LINE,
    area,
    entry,
    managed,
    state,
    unit,
)


def test_formatted_areas_omit_values_that_change_by_themselves() -> None:
    assert format_areas([Area("/swapfile", "file", 4096, 1, -2)]) == "/swapfile (file): 4096 bytes\n"


@pytest.mark.parametrize(("path", "compressed"), [("/dev/vda5", False), ("/swap file", False), ("/dev/zram0", True)])
def test_only_zram_is_compressed(path: str, *, compressed: bool) -> None:
    assert area(path, GIB).is_compressed is compressed


@pytest.mark.parametrize(
    ("label", "kind", "ours"), [("oomguard", "file", True), ("oomguard", "directory", False), ("other", "file", False)]
)
def test_file_is_ours_by_its_label(label: str, kind: str, *, ours: bool) -> None:
    assert entry("/swapfile", GIB, label=label, kind=kind).is_ours is ours


def test_file_without_header_is_not_ours_and_provides_nothing() -> None:
    plain = dataclasses.replace(entry("/swapfile", GIB), header=None)
    assert (plain.is_ours, plain.size_bytes) == (False, 0)


@pytest.mark.parametrize(
    ("taken", "name"),
    [
        ([], "/swapfile"),
        (["/swapfile"], "/swapfile.1"),
        (["/swapfile", "/swapfile.2", "/swapfile.1"], "/swapfile.3"),
        (["/swapfile.1"], "/swapfile"),
    ],
)
def test_free_name(taken: list[str], name: str) -> None:
    assert find_free_name("/swapfile", taken) == name


def test_own_bytes_are_those_of_own_files_in_use() -> None:
    entries = [entry("/swapfile", GIB), entry("/swapfile.1", GIB), entry("/swapfile.2", GIB, label="other")]
    host = state(area("/swapfile", GIB), area("/swapfile.2", GIB), area("/dev/vda5", GIB), entries=entries)
    assert host.own_bytes == GIB


@pytest.mark.parametrize(
    ("fstab", "enabled", "ways"),
    [
        (None, False, {"fstab"}),
        (ROOT_LINE, True, {"systemd"}),
        (None, True, {"fstab", "systemd"}),
        (ROOT_LINE, False, set()),
    ],
)
def test_ways_of_persistence(fstab: str | None, ways: set[str], *, enabled: bool) -> None:
    host = managed(GIB, units=(unit("/swapfile", enabled=enabled),))
    if fstab is not None:
        host = dataclasses.replace(host, fstab=fstab)
    assert host.find_persistence("/swapfile") == ways


def test_missing_unit_is_empty() -> None:
    path = "/etc/systemd/system/srv-swapfile.swap"
    assert state().find_unit("/srv/swapfile") == Unit(path=path, area="/srv/swapfile", text="", enabled=False)
