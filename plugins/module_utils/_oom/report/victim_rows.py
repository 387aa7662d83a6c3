# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Combine the kill line of a victim with its row of the task table."""

from __future__ import annotations

import typing as t

from .mem_info import PAGE_SIZES
from .model import Victim

Row = t.Mapping[str, int]
"""The numbers of one row by column, in the units of the kernel; empty if the victim has no row."""


def find_page_size(victims: t.Iterable[Victim], rows: t.Mapping[int, Row]) -> int | None:
    """Return the page size that a victim reveals, or None if none does.

    `rows` are the rows by pid. A row has `total_vm` in pages, the kill line has it in kB.
    """
    for victim in victims:
        pages = rows[victim.pid].get("total_vm")
        if not pages:
            continue

        size, rest = divmod(victim.total_vm_bytes or 0, pages)
        if rest == 0 and size in PAGE_SIZES:
            return size

    return None


def complete_victim(victim: Victim, row: Row, *, page_size: int | None, is_reaped: bool) -> Victim:
    """Return a victim with the facts of its row, and with its page tables in bytes."""
    page_tables = _find_page_tables(victim, row)
    # Without a row, most victims are complete.
    if not row and (is_reaped, page_tables) == (victim.reaped, victim.pgtables_bytes):
        return victim

    return victim._replace(
        reaped=is_reaped,
        pgtables_bytes=page_tables,
        uid=_first_known(victim.uid, row.get("uid")),
        swap_bytes=_first_known(victim.swap_bytes, _multiply(row.get("swapents"), page_size)),
        oom_score_adj=_first_known(victim.oom_score_adj, row.get("oom_score_adj")),
    )


def _find_page_tables(victim: Victim, row: Row) -> int | None:
    """Return the size of the victim's page tables.

    The first kernels 5.4 print it in bytes, but label it kB.
    """
    labelled = victim.pgtables_bytes
    if not labelled:
        return labelled

    printed = labelled // 1024
    if printed == row.get("pgtables_bytes"):
        return printed

    # Page tables are whole pages, so their size in bytes is a multiple of the page size. The address space alone does
    # not show the unit: the page tables of the smallest processes are larger than it.
    is_whole_pages = printed % min(PAGE_SIZES) == 0
    if is_whole_pages and labelled > (victim.total_vm_bytes or labelled):
        return printed

    return labelled


def _first_known(first: int | None, second: int | None) -> int | None:
    if first is None:
        return second

    return first


def _multiply(pages: int | None, page_size: int | None) -> int | None:
    if pages is None or page_size is None:
        return None

    return pages * page_size
