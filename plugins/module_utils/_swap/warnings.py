# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user should know about the swap of a host, although it does not prevent the change. Pure."""

from __future__ import annotations

import typing as t

from .persistence import has_old_options
from .selection import Selection
from .state import Entry, State
from .wanted import Wanted

# What may happen to areas that neither fstab nor a unit names, if the host is to have swap, and if it is to have none.
_LOST = (
    "{} may not be in use after the next boot, because neither fstab nor a unit names it. Add it to fstab, or switch "
    "it off so that this module makes up for it."
)
_BACK = (
    "{} may be in use again after the next boot: neither fstab nor a swap unit names it. If a service such as "
    "zramswap.service has switched it on, disable that service."
)


def list_warnings(state: State, wanted: Wanted, selection: Selection) -> t.Iterator[str]:
    """Yield the warnings about the change from `state` to what is `wanted`."""
    yield from _warn_of_hibernation(state, selection)
    if wanted.disabled:
        yield from _warn_of_unnamed_areas(state, wanted, _BACK)
    elif wanted.present:
        yield from _warn_of_old_options(state, wanted, selection)
        yield from _warn_of_next_boot(state, wanted)
    else:
        yield from _warn_of_other_files(state)


def _warn_of_hibernation(state: State, selection: Selection) -> t.Iterator[str]:
    removed = frozenset(selection.retired_paths)
    for path in removed.intersection(state.hibernates_to):
        yield f"This host hibernates to {path}, which is removed. Set resume= and resume_offset= to another swap area."


def _warn_of_old_options(state: State, wanted: Wanted, selection: Selection) -> t.Iterator[str]:
    """Warn of files that stay in use with the options that they were switched on with."""
    for path in state.own_area_paths.intersection(selection.kept_paths):
        if has_old_options(state, wanted, path):
            yield f"{path} stays in use with its old options. The new ones are in force after the next boot."


def _warn_of_next_boot(state: State, wanted: Wanted) -> t.Iterator[str]:
    """Warn of areas of others that count toward the size now, but may not be in use after the next boot."""
    if wanted.persist == "none":
        return

    yield from _warn_of_unnamed_areas(state, wanted, _LOST)
    for obstacle in state.boot.obstacles:
        for path in _find_others(state, wanted):
            yield f"{path} may not be in use after the next boot, because {obstacle.reason}. {obstacle.hint}"


def _warn_of_unnamed_areas(state: State, wanted: Wanted, warning: str) -> t.Iterator[str]:
    unnamed = _find_others(state, wanted) - state.boot.named
    if unnamed:
        yield warning.format(", ".join(sorted(unnamed)))


def _find_others(state: State, wanted: Wanted) -> frozenset[str]:
    """Return the paths of the areas that count and are no files of this module."""
    counted = frozenset(area.path for area in wanted.select_counted(state.areas))
    return counted - state.own_area_paths


def _warn_of_other_files(state: State) -> t.Iterator[str]:
    """Warn of files at managed paths that stay in use, since their label does not say that this module made them."""
    for entry in state.entries:
        if not _is_swap_of_others(state, entry):
            continue

        yield (
            f"{entry.path} stays in use as swap, now or after the next boot: it does not have the label oomguard of "
            "the files of this module. If this module created it, somebody has formatted it again since then. To have "
            f"it removed, run swapoff {entry.path}, then swaplabel --label oomguard {entry.path}, then this task again."
        )


def _is_swap_of_others(state: State, entry: Entry) -> bool:
    """Return whether the file is swap, now or after a boot, but does not have the label of this module."""
    if entry.is_ours or entry.header is None:
        return False

    is_on = state.find_area(entry.path) is not None
    return is_on or bool(state.find_persistence(entry.path))
