# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about a victim from its row of the task table."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import Victim
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.victim_rows import (
    Row,
    complete_victim,
    find_page_size,
)
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.report.factories import (
    build_memcg_report,
    read_only_reports,
)


def test_swap_of_victim_is_from_its_row() -> None:
    (report,) = read_only_reports(build_memcg_report())
    assert report.victims[0].swap_bytes == 3 * 4096


@pytest.mark.parametrize("is_reaped", [False, True])
def test_swap_of_kill_line_is_kept_without_a_row(is_reaped: bool) -> None:
    victim = Victim("php", 42, swap_bytes=8192)
    completed = complete_victim(victim, {}, page_size=4096, is_reaped=is_reaped)
    assert (completed.swap_bytes, completed.reaped) == (8192, is_reaped)


@pytest.mark.parametrize(
    ("total_vm", "printed", "pgtables_bytes", "notes"),
    [
        (90000000, 65536, 65536, ["The kill line gives the size of the page tables in bytes but labels it kB."]),
        (8000, 45056, 45056, ["The kill line gives the size of the page tables in bytes but labels it kB."]),
        (90000, 45056, 45056 * 1024, []),
        (16, 28, 28 * 1024, []),
        (900, 64, 64 * 1024, []),
        (900, 0, 0, []),
    ],
    ids=["as in the row", "beyond the address space", "large", "a small process", "usual", "nothing"],
)
def test_mislabelled_page_tables_are_corrected(
    total_vm: int, printed: int, pgtables_bytes: int, notes: list[str]
) -> None:
    (report,) = read_only_reports(
        line.replace("total-vm:900kB", f"total-vm:{total_vm}kB").replace("pgtables:64kB", f"pgtables:{printed}kB")
        for line in build_memcg_report()
    )
    assert (report.victims[0].pgtables_bytes, list(report.notes), report.complete) == (pgtables_bytes, notes, True)


@pytest.mark.parametrize(
    ("total_vm_bytes", "row", "size"),
    [
        (900 * 1024, {"total_vm": 225}, 4096),
        (900 * 1024, {"total_vm": 14}, None),
        (900 * 1024, {"total_vm": 0}, None),
        (900 * 1024, {}, None),
        (None, {"total_vm": 225}, None),
    ],
    ids=["4 KiB", "a fraction", "no pages", "no row", "no kill line"],
)
def test_row_and_kill_line_reveal_page_size(total_vm_bytes: int | None, row: Row, size: int | None) -> None:
    assert find_page_size([Victim("a", 7, total_vm_bytes=total_vm_bytes)], {7: row}) == size


def test_row_completes_a_victim() -> None:
    row = {"uid": 33, "swapents": 3, "oom_score_adj": -5}
    assert complete_victim(Victim("a", 7), row, page_size=4096, is_reaped=True) == Victim(
        "a", 7, 33, swap_bytes=12288, oom_score_adj=-5, reaped=True
    )


def test_kill_line_is_preferred_to_row() -> None:
    row = {"uid": 33, "oom_score_adj": -5}
    victim = Victim("a", 7, uid=0, oom_score_adj=0)
    assert complete_victim(victim, row, page_size=4096, is_reaped=False) == victim
