# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Select the files of this module that stay, and find the size of the file that has to be added. Pure."""

from __future__ import annotations

import dataclasses
import typing as t

from .._size import format_size
from .state import Area, Entry, State, SwapError
from .wanted import Wanted

_LEAST_FITTED_BYTES = 64 * 1024**2


@dataclasses.dataclass(frozen=True)
class Selection:
    """The files of this module that are kept and retired, and the bytes that a new file has to add, 0 for none."""

    kept: tuple[Entry, ...]
    retired: tuple[Entry, ...]
    added_bytes: int

    @property
    def kept_paths(self) -> list[str]:
        """Return the paths of the files that are kept."""
        return [entry.path for entry in self.kept]

    @property
    def retired_paths(self) -> list[str]:
        """Return the paths of the files that are retired."""
        return [entry.path for entry in self.retired]

    @property
    def final_bytes(self) -> int:
        """Return the bytes of swap that the files of this module provide in the end."""
        return sum(entry.size_bytes for entry in self.kept) + self.added_bytes


def select_files(state: State, wanted: Wanted) -> Selection:
    """Return which files stay and what has to be added. Raise SwapError if other areas exceed an exact size."""
    if not wanted.present:
        return Selection(kept=(), retired=state.own_entries, added_bytes=0)

    missing = _find_missing_bytes(state, wanted)
    kept = []
    retired = []
    for entry in _sort_candidates(state):
        if _is_worth_keeping(state, wanted, entry, missing):
            kept.append(entry)
            missing -= entry.size_bytes
        else:
            retired.append(entry)

    return Selection(
        kept=tuple(sorted(kept, key=state.entries.index)),
        retired=tuple(sorted(retired, key=state.entries.index)),
        added_bytes=_round_up(missing, state.page_size, wanted.slack_bytes),
    )


def fit_selection(state: State, wanted: Wanted, selection: Selection, room_bytes: int) -> Selection:
    """Return the selection with a file that is as large as the `room_bytes` on the disk allow, if that is requested.

    A host may have only some 30 areas, so each file adds a quarter to the swap or more, and 64 MiB at least. Files that
    have to be replaced are not made smaller, because the host would then have less swap than before.
    """
    if not wanted.fit or selection.retired or selection.added_bytes <= room_bytes:
        return selection

    least = max(_LEAST_FITTED_BYTES, wanted.sum_size(state.areas) // 4)
    fitted = room_bytes // state.page_size * state.page_size
    if fitted < least:
        fitted = 0

    return dataclasses.replace(selection, added_bytes=fitted)


def _find_missing_bytes(state: State, wanted: Wanted) -> int:
    """Return the bytes of swap that the files of this module have to provide."""
    target = wanted.size_bytes
    if not wanted.exact:
        provided = wanted.sum_size(state.areas) - _find_replaced_bytes(state, wanted)
        target = max(target, provided)

    foreign_bytes = wanted.sum_size(state.areas) - wanted.sum_size(state.own_areas)
    if foreign_bytes > target + wanted.slack_bytes:
        raise SwapError(
            f"Cannot bring the swap of this host to exactly {format_size(target)}: areas other than the files that "
            f"this module created for {wanted.path} already provide {format_size(foreign_bytes)}.",
            hint="Switch them off (files of this module with state: absent and their path), request more swap, or use "
            "mode: at_least.",
        )

    return target - foreign_bytes


def _sort_candidates(state: State) -> list[Entry]:
    """Return the files of this module: those in use before the others, and large files before small ones."""

    def rank(entry: Entry) -> tuple[bool, int]:
        is_off = state.find_area(entry.path) is None
        return is_off, -entry.size_bytes

    return sorted(state.own_entries, key=rank)


def _is_worth_keeping(state: State, wanted: Wanted, entry: Entry, missing: int) -> bool:
    """Return whether the file stays, if the files of this module still have to provide `missing` bytes."""
    area = state.find_area(entry.path)
    # The priority of an area in use cannot change, so an area with the right priority has to replace it.
    if area and not wanted.has_priority(area):
        return False

    if wanted.exact:
        return entry.size_bytes <= missing + wanted.slack_bytes

    # A file that is off, now and after a boot, is what an interrupted run had just created or was about to remove.
    if area is None and not state.find_persistence(entry.path):
        return missing > wanted.slack_bytes

    return True


def _round_up(size: int, page_size: int, slack_bytes: int) -> int:
    """Return `size` in whole pages, or 0 if so little does not justify another file."""
    if size <= slack_bytes:
        return 0

    pages = -(-size // page_size)
    return pages * page_size


def _find_replaced_bytes(state: State, wanted: Wanted) -> int:
    """Return the bytes in use that would be counted twice, because a change of priority was interrupted.

    Such a run puts new areas with the requested priority beside the old ones. Two areas belong to it if no way of
    persistence uses both after a boot: either the new area is not named yet, or the old one is no longer named.
    """
    new = []
    old = []
    for area in state.own_areas:
        if wanted.has_priority(area):
            new.append(area)
        else:
            old.append(area)

    unnamed_new = _find_disjoint(state, new, old)
    unnamed_old = _find_disjoint(state, old, new)
    return max(
        min(wanted.sum_size(unnamed_new), wanted.sum_size(old)),
        min(wanted.sum_size(new), wanted.sum_size(unnamed_old)),
    )


def _find_disjoint(state: State, areas: t.Iterable[Area], others: t.Iterable[Area]) -> t.Iterator[Area]:
    """Yield those of `areas` that share no way of persistence with any of `others`."""
    ways: set[str] = set()
    for area in others:
        ways |= state.find_persistence(area.path)

    for area in areas:
        if ways.isdisjoint(state.find_persistence(area.path)):
            yield area
