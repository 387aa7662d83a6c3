# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of records."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.prefixes import Prefix
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.record_fields import Record
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.record_order import RecordOrder


def put_in_order(times: t.Iterable[int | None]) -> list[int]:
    """Return the numbers of records with these times in the order in which they come out."""
    order = RecordOrder()
    found = []
    for number, at_us in enumerate(times):
        found += order.take((number, Record(Prefix("", at_us))))
    found += order.flush()
    return [number for number, _record in found]


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([3, 2, 1], [2, 1, 0]),
        ([2, 2, 1, 1], [3, 2, 1, 0]),
        ([3, None, 1], [2, 1, 0]),
        ([1, 2, 3], [0, 1, 2]),
        ([2, 1, 3], [0, 1, 2]),
        ([None, None], [0, 1]),
        ([9, 8, 7, 6, 5, 4, 5, 6], [7, 6, 5, 4, 3, 2, 1, 0]),
        ([9, 8, 7, 6, 7], [0, 1, 2, 3, 4]),
    ],
)
def test_newest_first_is_reversed(times: list[int | None], expected: list[int]) -> None:
    assert put_in_order(times) == expected


@pytest.mark.parametrize("message", ["[   {0}.5] a", "Jun  1 07:00:00 web1 kernel: [    {0}.500000] a"])
def test_times_in_messages_show_the_order(message: str) -> None:
    order = RecordOrder()
    for number in range(3):
        order.take((number, Record(Prefix(message.format(9 - number)))))
    assert [number for number, _record in order.flush()] == [2, 1, 0]


@pytest.mark.parametrize(
    "time",
    [
        "2022-06-01 07:00:0{0}.000",
        "2022-06-01 07:00:0{0}",
        "Jun 1, 2022 @ 07:00:0{0}.000",
        "6/1/2022, 7:00:0{0}.000 AM",
    ],
)
def test_times_without_a_zone_show_the_order(time: str) -> None:
    order = RecordOrder()
    for number in range(3):
        order.take((number, Record(Prefix("a"), time=time.format(9 - number))))
    assert [number for number, _record in order.flush()] == [2, 1, 0]


@pytest.mark.parametrize("time", [None, 7])
def test_records_of_one_time_are_passed_on(time: int | None) -> None:
    assert put_in_order([time] * 3000) == list(range(3000))


def test_only_so_many_records_are_held() -> None:
    order = RecordOrder()
    held = 0
    most = 0
    for number in range(50_000):
        held += 1 - len(order.take((number, Record(Prefix("", 100_000 - number)))))
        most = max(most, held)
    assert most < 20_000
