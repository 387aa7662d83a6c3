# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan the steps from the state of a host's swap to the requested one. Pure."""

from __future__ import annotations

import dataclasses
import pathlib
import typing as t

from .._files import name_leftover
from .._safe import make_diff
from .._size import format_size
from . import checks
from .persistence import find_stale_lines, plan_fstab, plan_mask, plan_unit_removal, plan_units
from .selection import Selection, fit_selection, select_files
from .state import Area, Entry, State, SwapError, format_areas
from .steps import ClearLeftover, Create, Disable, Edit, Enable, Persist, Protect, Remove, Step
from .wanted import Wanted
from .warnings import list_warnings


@dataclasses.dataclass(frozen=True)
class Plan:
    """The steps in order, the areas in use before them, and warnings for the user.

    `fit` is None unless the request was reduced to what fits on the disk. It then has the total that is requested, the
    total that fits, and the free space on the disk before.
    """

    steps: tuple[Step, ...]
    before: tuple[Area, ...]
    warnings: tuple[str, ...] = ()
    fit: t.Mapping[str, int] | None = None

    @property
    def changed(self) -> bool:
        """Return whether there is anything to do."""
        return bool(self.steps)

    @property
    def after(self) -> tuple[Area, ...]:
        """Return the areas in use after the steps. It is unknown where pages move, so their use is not adjusted."""
        return _predict_areas(self.before, self.steps)

    @property
    def diff(self) -> list[dict[str, str]]:
        """Return the areas, fstab and units before and after the steps, as Ansible shows differences."""
        areas = make_diff("swap areas", format_areas(self.before), format_areas(self.after))
        return [areas, *self._list_file_differences()]

    def _list_file_differences(self) -> list[dict[str, str]]:
        before: dict[str, str] = {}
        after: dict[str, str] = {}
        for step in self.steps:
            if isinstance(step, Edit):
                before.setdefault(step.path, step.before)
                after[step.path] = step.after

        return [make_diff(path, before[path], after[path]) for path in before]


def make_plan(state: State, wanted: Wanted, *, fstab_path: str = "/etc/fstab") -> Plan:
    """Return the steps from `state` to what is `wanted`, none if the host is already in that state.

    To grow, a file for the difference is added to the areas that exist. Nothing is switched off, so nothing has to fit
    into memory, and there is never less swap than before. To shrink, the smaller file is in use before the larger one
    is switched off. Only if the disk has no room for both is the old file removed first, and only if its contents fit
    elsewhere.

    Raises SwapError if that is impossible. Nothing has been changed then.
    """
    requested = select_files(state, wanted)
    selection = fit_selection(state, wanted, requested, checks.find_disk_room(state, wanted))
    draft = _Draft(state=state, wanted=wanted, selection=selection, fstab_path=fstab_path)
    steps = draft.order_steps()
    _require_possible(state, wanted, selection, steps)
    checks.require_use_after_boot(state, wanted, draft.list_final_paths())
    warnings = tuple(list_warnings(state, wanted, selection))
    plan = Plan(steps=tuple(steps), before=state.areas, warnings=warnings)
    if selection == requested:
        return plan

    return _describe_fit(plan, state, wanted)


def _describe_fit(plan: Plan, state: State, wanted: Wanted) -> Plan:
    """Return the plan with a warning that less than the requested swap fits on the disk."""
    fitted_bytes = wanted.sum_size(plan.after)
    fit = {
        "requested_bytes": wanted.size_bytes,
        "fitted_bytes": fitted_bytes,
        "disk_free_bytes": state.free_bytes,
    }
    warning = (
        f"This host has {format_size(fitted_bytes)} of swap instead of the requested {format_size(wanted.size_bytes)}, "
        f"because only {format_size(state.free_bytes)} were free below {state.folders[-1].path}, and "
        f"{format_size(wanted.reserve_bytes)} of it must stay free."
    )
    return dataclasses.replace(plan, fit=fit, warnings=(*plan.warnings, warning))


def verify_state(state: State, wanted: Wanted) -> None:
    """Raise SwapError if `state`, observed after the change, is not what was `wanted`."""
    remaining = make_plan(state, wanted).steps
    if not remaining:
        return

    size = format_size(wanted.sum_size(state.areas))
    raise SwapError(
        f"The swap of this host is not in the requested state: it is {size} now, and these steps remain: "
        f"{format_steps(remaining)}.",
        hint="If something else changed it at the same time, run the task again.",
    )


def format_steps(steps: t.Iterable[Step]) -> str:
    """Return the names and paths of `steps` for an error message."""
    return ", ".join(f"{step.name} {step.path}" for step in steps)


@dataclasses.dataclass(frozen=True)
class _Draft:
    """The steps of a plan in groups, and the two orders in which the groups are safe."""

    state: State
    wanted: Wanted
    selection: Selection
    fstab_path: str

    def order_steps(self) -> list[Step]:
        """Return all steps in a safe order."""
        if self.wanted.disabled:
            return self._disable_all()

        if checks.has_disk_room(self.state, self.wanted, self.selection.added_bytes):
            return self._add_before_retiring()

        return self._retire_before_adding()

    def list_final_paths(self) -> list[str]:
        """Return the paths of the files of this module that are in use in the end."""
        return [*self.selection.kept_paths, *self._list_added_paths()]

    def _add_before_retiring(self) -> list[Step]:
        """Return the order in which there is never less swap than before or, if less is requested, afterwards."""
        paths = self.list_final_paths()
        units = plan_units(self.state, self.wanted, paths)
        table = self._name_after_boot(self.state.fstab, paths, self._list_removed_paths())
        return [*self._prepare(), *self._create(), *units, *table, *self._remove_units(), *self._retire()]

    def _disable_all(self) -> list[Step]:
        """Return the order after which there is no swap: first nothing names it, so that nothing switches it on."""
        table = self._name_after_boot(self.state.fstab, (), self._list_removed_paths())
        naming = [*table, *plan_mask(self.state), *self._remove_units()]
        return [*self._prepare(), *naming, *self._retire(), *self._disable_others()]

    def _retire_before_adding(self) -> list[Step]:
        """Return the order for a disk without room for both. A file has to exist before fstab or a unit names it."""
        kept_paths = self.selection.kept_paths
        units = plan_units(self.state, self.wanted, kept_paths)
        table = self._name_after_boot(self.state.fstab, kept_paths, self._list_removed_paths())
        text = self.state.fstab
        if table:
            text = table[-1].after

        added_paths = self._list_added_paths()
        added_units = plan_units(self.state, self.wanted, added_paths)
        added_table = self._name_after_boot(text, [*kept_paths, *added_paths], ())
        retiring = [*self._prepare(), *units, *table, *self._remove_units(), *self._retire()]
        return [*retiring, *self._create(), *added_units, *added_table]

    def _prepare(self) -> list[Step]:
        """Return the steps that clean up and put the kept files into use."""
        steps: list[Step] = []
        if self.state.leftover:
            steps.append(ClearLeftover(path=self.state.leftover.path))
        steps += self._protect_kept()
        steps += self._enable_kept()
        return steps

    def _protect_kept(self) -> t.Iterator[Step]:
        for entry in self.selection.kept:
            if not _is_protected(entry):
                yield Protect(path=entry.path)

    def _enable_kept(self) -> t.Iterator[Step]:
        for entry in self.selection.kept:
            if not self.state.find_area(entry.path):
                yield self._enable(entry.path, entry.size_bytes, created=False)

    def _create(self) -> list[Step]:
        """Return the steps that add a file, if one is needed."""
        size = self.selection.added_bytes
        if not size:
            return []

        path = self._added_path
        zeros_bytes = 0
        if not _can_allocate(self.state):
            zeros_bytes = size + self.state.page_size
        create = Create(
            path=path,
            size_bytes=size,
            zeros_bytes=zeros_bytes,
            # All files share one temporary name, so that the next run finds what this one leaves behind.
            temporary_path=str(name_leftover(pathlib.Path(self.wanted.path))),
            filesystem=self.state.filesystem,
        )
        return [create, self._enable(path, size, created=True)]

    def _retire(self) -> list[Step]:
        """Return the steps that switch off and remove the retired files."""
        steps: list[Step] = []
        for entry in self.selection.retired:
            area = self.state.find_area(entry.path)
            if area:
                steps.append(Disable(path=entry.path, size_bytes=area.size_bytes, used_bytes=area.used_bytes))
            steps.append(Remove(path=entry.path, size_bytes=entry.size_bytes))

        return steps

    def _disable_others(self) -> t.Iterator[Step]:
        """Yield the steps that switch off the areas that are no files of this module."""
        for area in self.state.areas:
            if area.path not in self.selection.retired_paths:
                yield Disable(path=area.path, size_bytes=area.size_bytes, used_bytes=area.used_bytes)

    def _name_after_boot(self, text: str, paths: t.Sequence[str], removed: t.Sequence[str]) -> list[Persist]:
        return plan_fstab(text, self.wanted, paths=paths, removed=removed, fstab_path=self.fstab_path)

    def _remove_units(self) -> t.Sequence[Step]:
        removed = [*self.selection.retired_paths]
        if not self.wanted.present:
            # If somebody else removed a file, its unit may be all that is left of it.
            removed.append(self._added_path)

        return plan_unit_removal(self.state, self.wanted, paths=self.selection.kept_paths, removed=removed)

    def _enable(self, path: str, size_bytes: int, *, created: bool) -> Enable:
        return Enable(
            path=path,
            size_bytes=size_bytes,
            priority=self.wanted.priority,
            created=created,
            options=self.wanted.options,
        )

    def _list_removed_paths(self) -> list[str]:
        """Return the paths that fstab must no longer name."""
        if self.wanted.present:
            return self.selection.retired_paths

        return [*self.selection.retired_paths, *find_stale_lines(self.state, self.wanted)]

    def _list_added_paths(self) -> list[str]:
        if not self.selection.added_bytes:
            return []

        return [self._added_path]

    @property
    def _added_path(self) -> str:
        return self.state.find_free_name(self.wanted.path)


def _is_protected(entry: Entry) -> bool:
    """Return whether root alone can read the file."""
    return entry.uid == 0 and not entry.mode & 0o077


def _can_allocate(state: State) -> bool:
    """Return whether the kernel swaps to blocks that were allocated but never written."""
    if state.filesystem == "xfs":
        return state.kernel >= (4, 18)

    if state.filesystem == "ext4":
        # Linux 5.7 and 5.8 cannot.
        return state.kernel not in ((5, 7), (5, 8))

    # ext2 and ext3 cannot allocate blocks without writing them.
    return state.filesystem == "btrfs"


def _require_possible(state: State, wanted: Wanted, selection: Selection, steps: t.Sequence[Step]) -> None:
    """Raise SwapError if the host does not allow the steps, or one of them is not safe."""
    if steps:
        checks.require_manageable_host(state)
        checks.require_safe_folders(state)
        checks.require_own_files(state, wanted)
        checks.require_no_hibernation(state, wanted, selection.retired)
        checks.require_no_obstacles(state, steps)

    if selection.added_bytes:
        checks.require_suitable_filesystem(state)
        checks.require_free_names(state)
        removed_first = _list_removed_first(state, selection)
        checks.require_disk_room(state, wanted, selection.added_bytes, removed_first)

    _require_swapoff_room(state, wanted, steps)


def _list_removed_first(state: State, selection: Selection) -> t.Iterator[Entry]:
    """Yield the retired files that may be removed before a new one is created.

    Less swap in between is acceptable only if the host is to have less afterwards.
    """
    is_shrunk = selection.final_bytes < state.own_bytes
    for entry in selection.retired:
        if is_shrunk or not state.find_area(entry.path):
            yield entry


def _require_swapoff_room(state: State, wanted: Wanted, steps: t.Sequence[Step]) -> None:
    """Raise SwapError if, at the first swapoff, there is no room for everything that has to move until the last."""
    paths: list[str] = []
    steps_before: list[Step] = []
    for step in steps:
        if isinstance(step, Disable):
            paths.append(step.path)
        elif not paths:
            steps_before.append(step)

    if not paths:
        return

    areas = _predict_areas(state.areas, steps_before)
    checks.require_swapoff_room(areas, paths, state.memory_available_bytes, wanted.reserve_bytes)


def _predict_areas(areas: t.Iterable[Area], steps: t.Iterable[Step]) -> tuple[Area, ...]:
    """Return the areas in use after `steps`. It is unknown where pages move, so their use is not adjusted."""
    predicted = {area.path: area for area in areas}
    for step in steps:
        if isinstance(step, Enable):
            predicted[step.path] = Area(
                path=step.path, type="file", size_bytes=step.size_bytes, used_bytes=0, priority=step.priority
            )
        elif isinstance(step, Disable):
            del predicted[step.path]

    return tuple(predicted.values())
