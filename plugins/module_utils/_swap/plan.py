# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what a host's swap is to what it shall be: pure decisions, no host needed."""

from __future__ import annotations

import dataclasses
import itertools
import pathlib
import re
import typing as t

from .._files import leftover_of
from .._safe import difference, neutralise
from .._size import format_size
from . import checks, fstab
from .state import (
    Area,
    Entry,
    State,
    SwapError,
    summary,
)
from .steps import (
    ClearLeftover,
    Create,
    Disable,
    Edit,
    Enable,
    Persist,
    Protect,
    Remove,
    RemoveUnit,
    Step,
    WriteUnit,
)
from .unit import MARK, unit_text
from .wanted import SLACK_BYTES, Wanted

_OWN_OPTIONS = re.compile(r"sw,nofail(,pri=[0-9]+)?")


@dataclasses.dataclass(frozen=True)
class Plan:
    """The steps in order, what the user has to know of them, and the areas in use before and after them."""

    steps: tuple[Step, ...]
    before: tuple[Area, ...]
    warnings: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Tell whether there is anything to do."""
        return bool(self.steps)

    @property
    def after(self) -> tuple[Area, ...]:
        """Return the areas that will be in use; where their pages go cannot be told."""
        return _after(self.before, self.steps)

    @property
    def diff(self) -> list[dict[str, str]]:
        """Return before and after of the areas, and of fstab and units, as Ansible shows them."""
        edits = [step for step in self.steps if isinstance(step, Edit)]
        texts = [
            difference(
                path,
                next(edit.before for edit in edits if edit.path == path),
                next(edit.after for edit in reversed(edits) if edit.path == path),
            )
            for path in dict.fromkeys(edit.path for edit in edits)
        ]
        return [difference("swap areas", summary(self.before), summary(self.after)), *texts]


def make_plan(state: State, wanted: Wanted, *, fstab_path: str = "/etc/fstab") -> Plan:
    """Return the steps from `state` to what is `wanted`; none where it is so already.

    To grow, a file for the difference is added beside what is there: nothing has to be switched off, so nothing has to
    fit into memory, and no moment has less swap than the one before. To shrink, the same: the smaller file is in use
    before the larger one goes. Only where the disk has no room for both does the old one go first, and then only
    if what it holds fits elsewhere. Raises SwapError where it cannot be done; nothing has been changed then.
    """
    kept, added_bytes = _divide(state, wanted)
    retired = [entry for entry in state.entries if entry.ours and entry not in kept]
    added = None
    if added_bytes:
        length = added_bytes + state.page_size
        added = Create(
            path=state.free_name(wanted.path),
            size_bytes=added_bytes,
            zeros_bytes=0 if _can_fallocate(state) else length,
            # One name for all of them, so that the next run finds what this one leaves.
            made_as=str(leftover_of(pathlib.Path(wanted.path))),
        )

    preparing: list[Step] = []
    if state.leftover:
        preparing.append(ClearLeftover(path=state.leftover.path))
    preparing += [Protect(path=entry.path) for entry in kept if entry.mode & 0o077 or entry.uid != 0]
    preparing += [
        Enable(path=entry.path, size_bytes=entry.size_bytes, priority=wanted.priority)
        for entry in kept
        if not state.area(entry.path)
    ]
    making: list[Step] = []
    if added:
        making = [added, Enable(path=added.path, size_bytes=added.size_bytes, priority=wanted.priority)]
    retiring: list[Step] = []
    for entry in retired:
        area = state.area(entry.path)
        if area:
            retiring.append(Disable(path=entry.path, size_bytes=area.size_bytes, used_bytes=area.used_bytes))
        retiring.append(Remove(path=entry.path, size_bytes=entry.size_bytes))

    paths = [entry.path for entry in kept]
    gone = [entry.path for entry in retired]
    gone_units = _remove_units(state, paths, gone if wanted.present else [*gone, state.free_name(wanted.path)], wanted)
    gone += [] if wanted.present else _lost_lines(state, wanted)
    all_paths = [*paths, added.path] if added else paths
    if checks.fits_on_disk(state, wanted, added_bytes):
        table = _persist(state.fstab, all_paths, gone, wanted, fstab_path)
        units = _write_units(state, all_paths, wanted)
        steps = [*preparing, *making, *units, *table, *gone_units, *retiring]
    else:
        table = _persist(state.fstab, paths, gone, wanted, fstab_path)
        text = table[-1].after if table else state.fstab
        ahead = [*preparing, *_write_units(state, paths, wanted), *table, *gone_units, *retiring]
        units = _write_units(state, all_paths[len(paths) :], wanted)
        steps = [*ahead, *making, *units, *_persist(text, all_paths, (), wanted, fstab_path)]
    if steps:
        checks.require_manageable(state)
        checks.require_safe_folders(state)
        checks.require_own_files(state, wanted)
        checks.require_no_hibernation(state, wanted, retired)
    if added:
        checks.require_suitable_filesystem(state)
        checks.require_free_names(state)
        # Less in between is the price of having less afterwards, and of nothing else.
        shrinks = sum(entry.size_bytes for entry in kept) + added_bytes < state.own_bytes
        going = [entry for entry in retired if shrinks or not state.area(entry.path)]
        checks.require_disk(state, wanted, added_bytes, going)
    _require_room(state, steps, wanted)
    return Plan(steps=tuple(steps), before=state.areas, warnings=_warnings(state, retired))


def _divide(state: State, wanted: Wanted) -> tuple[list[Entry], int]:
    """Return the files of ours that stay, and the bytes that a new one has to add, 0 for none."""
    ours = [entry for entry in state.entries if entry.ours]
    if not wanted.present:
        return [], 0
    own_paths = {entry.path for entry in ours}
    foreign_bytes = wanted.total_bytes(area for area in state.areas if area.path not in own_paths)
    had_bytes = wanted.total_bytes(state.areas) - _replaced_bytes(state, wanted)
    target = wanted.size_bytes if wanted.exact else max(wanted.size_bytes, had_bytes)
    if foreign_bytes > target + SLACK_BYTES:
        raise SwapError(
            f"Cannot bring the swap of this host to exactly {format_size(target)}: areas other than the files made "
            f"here for {neutralise(wanted.path)} come to {format_size(foreign_bytes)} already.",
            hint="Switch them off (files of this module with state: absent and their path), ask for more, or use mode "
            "at_least.",
        )
    missing = target - foreign_bytes
    kept = []
    # What is in use stays rather than what is not, large files rather than small ones.
    for entry in sorted(ours, key=lambda entry: (state.area(entry.path) is None, -entry.size_bytes)):
        if not _priority_fits(state.area(entry.path), wanted):
            continue
        # One that is off for good is what an interrupted run was about to remove, or has only just made.
        is_settled = state.area(entry.path) is not None or bool(state.settled_by(entry.path))
        fits = entry.size_bytes <= missing + SLACK_BYTES if wanted.exact else is_settled or missing > SLACK_BYTES
        if fits:
            kept.append(entry)
            missing -= entry.size_bytes
    added_bytes = -(-missing // state.page_size) * state.page_size if missing > SLACK_BYTES else 0
    return sorted(kept, key=state.entries.index), added_bytes


def _replaced_bytes(state: State, wanted: Wanted) -> int:
    """Return the bytes in use for whose priority an interrupted run has put others beside them already.

    It never has one way name both for the next boot: what is new is not named yet, or what is old no longer.
    """
    ours = [area for area in state.areas if any(entry.ours and entry.path == area.path for entry in state.entries)]
    fitting = {area: state.settled_by(area.path) for area in ours if _priority_fits(area, wanted)}
    others = {area: state.settled_by(area.path) for area in ours if area not in fitting}
    new = [area for area, ways in fitting.items() if ways.isdisjoint(itertools.chain(*others.values()))]
    old = [area for area, ways in others.items() if ways.isdisjoint(itertools.chain(*fitting.values()))]
    total = wanted.total_bytes
    return max(min(total(new), total(others)), min(total(fitting), total(old)))


def _priority_fits(area: Area | None, wanted: Wanted) -> bool:
    # An area in use cannot change its priority: one with the right priority has to take its place.
    return area is None or wanted.priority is None or area.priority == wanted.priority


def _can_fallocate(state: State) -> bool:
    """Tell whether the kernel swaps to blocks that were set aside and never written."""
    if state.filesystem == "xfs":
        return state.kernel >= (4, 18)
    # Two kernels lost it on ext4; ext2 and ext3 cannot set blocks aside at all.
    return state.filesystem == "btrfs" or (state.filesystem == "ext4" and state.kernel not in ((5, 7), (5, 8)))


def _warnings(state: State, retired: t.Iterable[Entry]) -> tuple[str, ...]:
    return tuple(
        f"This host hibernates to {neutralise(entry.path)}, which is given up: set resume= and resume_offset= anew."
        for entry in retired
        if entry.path in state.hibernates_to
    )


def _persist(
    text: str, paths: t.Sequence[str], gone: t.Sequence[str], wanted: Wanted, fstab_path: str
) -> list[Persist]:
    # nofail: without it a host whose swap file is gone stops in emergency mode, out of reach.
    options = "sw,nofail" if wanted.priority is None else f"sw,nofail,pri={wanted.priority}"
    if wanted.persist == "fstab":
        lines = [fstab.SwapLine(path=path, options=options) for path in paths]
        after = fstab.edit(text, wanted=lines, unwanted=gone)
    else:
        after = fstab.edit(text, wanted=(), unwanted=[*paths, *gone])
    return [Persist(path=fstab_path, before=text, after=after)] if after != text else []


def _write_units(state: State, paths: t.Iterable[str], wanted: Wanted) -> list[WriteUnit]:
    units = [state.unit(path) for path in paths]
    if wanted.persist != "systemd" or not units:
        return []
    if not state.booted:
        raise SwapError("This host was not booted with systemd.", hint="Use persist: fstab.")
    steps = []
    for unit in units:
        text = unit_text(unit.area, wanted.priority)
        if unit.text and MARK not in unit.text:
            raise SwapError(
                f"Refused to replace {neutralise(unit.path)}: it was not made here.",
                hint="Move it away, or use another persist.",
            )
        if unit.text != text or not unit.enabled:
            steps.append(WriteUnit(path=unit.path, before=unit.text, after=text))
    return steps


def _remove_units(state: State, paths: t.Iterable[str], gone: t.Sequence[str], wanted: Wanted) -> list[RemoveUnit]:
    units = map(state.unit, gone if wanted.persist == "systemd" else [*paths, *gone])
    return [RemoveUnit(path=unit.path, before=unit.text, after="") for unit in units if MARK in unit.text]


def _lost_lines(state: State, wanted: Wanted) -> list[str]:
    """Return the paths of files that somebody else has removed, and that fstab still names as was written here."""
    there = [entry.path for entry in state.entries]
    lines = [line.path for line in fstab.swap_lines(state.fstab) if _OWN_OPTIONS.fullmatch(line.options)]
    return [path for path in lines if path not in there and wanted.names(path)]


def _require_room(state: State, steps: t.Sequence[Step], wanted: Wanted) -> None:
    """Look before the first step whether the last swapoff will find room."""
    going = [step.path for step in steps if isinstance(step, Disable)]
    if going:
        ahead = itertools.takewhile(lambda step: not isinstance(step, Disable), steps)
        checks.require_room(_after(state.areas, ahead), going, state.memory_available_bytes, wanted.reserve_bytes)


def _after(areas: t.Iterable[Area], steps: t.Iterable[Step]) -> tuple[Area, ...]:
    """Return the areas in use once `steps` are done; nothing is told of where pages move."""
    result = {area.path: area for area in areas}
    for step in steps:
        if isinstance(step, Enable):
            result[step.path] = Area(
                path=step.path, type="file", size_bytes=step.size_bytes, used_bytes=0, priority=step.priority
            )
        elif isinstance(step, Disable):
            del result[step.path]
    return tuple(result.values())


def verify(state: State, wanted: Wanted) -> None:
    """Raise SwapError where a state observed after the change is not what was `wanted`."""
    remaining = make_plan(state, wanted).steps
    if remaining:
        left = ", ".join(f"{step.name} {neutralise(step.path)}" for step in remaining)
        raise SwapError(
            f"The swap of this host, {format_size(wanted.total_bytes(state.areas))} now, is not what was asked for. "
            f"Left: {left}.",
            hint="Did something else change it at the same time? Run again.",
        )
