# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about a victim from its row of the task table."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.report.factories import (
    build_memcg_report,
    read_only_reports,
)


def test_swap_of_victim_is_from_its_row() -> None:
    (report,) = read_only_reports(build_memcg_report())
    assert report.victims[0].swap_bytes == 3 * 4096


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
