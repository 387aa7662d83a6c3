# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module swap: from parameters to what is wanted, and from areas to plain data."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._size import SizeError
from ansible_collections.oomguard.linux.plugins.module_utils._swap.plan import Plan
from ansible_collections.oomguard.linux.plugins.module_utils._swap.state import Area
from ansible_collections.oomguard.linux.plugins.module_utils._swap.wanted import Wanted
from ansible_collections.oomguard.linux.plugins.modules.swap import RETURN, described, result, wanted_from
from ansible_collections.oomguard.linux.tests.unit.plugins.modules.documented import documented, returned

PARAMS: dict[str, t.Any] = {
    "size": "10G",
    "path": "/swapfile",
    "mode": "at_least",
    "priority": None,
    "persist": "fstab",
    "state": "present",
    "reserve": "256M",
    "count_zram": False,
    "force": False,
}
WANTED = Wanted(
    path="/swapfile",
    present=True,
    size_bytes=10 * 1024**3,
    exact=False,
    priority=None,
    persist="fstab",
    reserve_bytes=256 * 1024**2,
)
AREAS = [
    Area(path="/swap\x1bfile", type="file", size_bytes=4096, used_bytes=1024, priority=-2),
    Area(path="/dev/zram0", type="partition", size_bytes=8192, used_bytes=8192, priority=100),
]


def test_defaults() -> None:
    assert wanted_from(PARAMS) == WANTED


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"size": "1.5G"}, "size_bytes", 1536 * 1024**2),
        ({"size": "10GB"}, "size_bytes", 10 * 1000**3),
        ({"mode": "exact"}, "exact", True),
        ({"priority": 0}, "priority", 0),
        ({"persist": "none"}, "persist", "none"),
        ({"state": "absent"}, "present", False),
        ({"state": "absent", "size": None}, "size_bytes", 0),
        ({"reserve": "0"}, "reserve_bytes", 0),
        ({"count_zram": True}, "count_zram", True),
        ({"force": True}, "force", True),
    ],
)
def test_parameters_are_taken_over(changes: dict[str, t.Any], field: str, value: object) -> None:
    assert getattr(wanted_from({**PARAMS, **changes}), field) == value


def test_a_size_that_is_none_is_refused() -> None:
    with pytest.raises(SizeError):
        wanted_from({**PARAMS, "size": "plenty"})


@pytest.mark.parametrize(
    ("count_zram", "sums"), [(False, (4096, 1024)), (True, (12288, 9216))], ids=["by default", "where asked for"]
)
def test_zram_is_in_the_sums_where_it_counts(sums: tuple[int, int], *, count_zram: bool) -> None:
    data = described(AREAS, dataclasses.replace(WANTED, count_zram=count_zram))
    assert (data["total_bytes"], data["used_bytes"]) == sums


def test_areas_are_described() -> None:
    assert described(AREAS, WANTED)["areas"] == [
        {
            "path": "/swap\\x1bfile",
            "type": "file",
            "size_bytes": 4096,
            "used_bytes": 1024,
            "priority": -2,
            "counted": True,
        },
        {
            "path": "/dev/zram0",
            "type": "partition",
            "size_bytes": 8192,
            "used_bytes": 8192,
            "priority": 100,
            "counted": False,
        },
    ]


def test_what_is_returned_is_documented() -> None:
    found = result(Plan(steps=(), before=tuple(AREAS)), AREAS, WANTED)
    assert returned(found, documented(RETURN)) == documented(RETURN)
