# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what a host's swap is to what it shall be: pure decisions, no host needed."""

from __future__ import annotations

import dataclasses
import itertools
import posixpath
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._swap import fstab
from ansible_collections.oomguard.linux.plugins.module_utils._swap.state import (
    Area,
    Entry,
    State,
    SwapError,
    leftover_path,
    summary,
)
from ansible_collections.oomguard.linux.plugins.module_utils._swap.steps import (
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
from ansible_collections.oomguard.linux.plugins.module_utils._swap.unit import MARK, unit_text
from ansible_collections.oomguard.linux.plugins.module_utils._text import format_size, neutralise

# Each area loses a page to its header; a difference this small is not worth a file.
SLACK_BYTES = 1024**2
_SMALLEST_BYTES = 2 * SLACK_BYTES
_HIGHEST_PRIORITY = 32767

_SUITABLE_FILESYSTEMS = ("ext2", "ext3", "ext4", "xfs", "btrfs")
_UNSUITABLE_FILESYSTEMS = {
    "overlay": "the kernel refuses swap files there",
    "tmpfs": "it lives in memory itself",
    "ramfs": "it lives in memory itself",
    "zfs": "swapping to it can lock up the host",
    "nfs": "swapping over the network can lock up the host",
    "nfs4": "swapping over the network can lock up the host",
    "cifs": "swapping over the network can lock up the host",
    "fuse": "a program that may be swapped out itself serves it",
}


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What was asked for: `size_bytes` of swap in all, or with `present` false nothing that is ours."""

    path: str
    present: bool
    size_bytes: int
    exact: bool
    priority: int | None
    persist: str
    reserve_bytes: int
    force: bool = False

    def __post_init__(self) -> None:
        if not self.path.startswith("/") or self.path != posixpath.normpath(self.path) or not self.path.isprintable():
            raise SwapError(
                f"{neutralise(self.path)!r} is not the path of a swap file.",
                hint="Write it in full and plain, such as /swapfile.",
            )
        if self.present and self.size_bytes < _SMALLEST_BYTES:
            raise SwapError(
                f"{format_size(self.size_bytes)} is too small for the swap of a host.",
                hint=f"Give {format_size(_SMALLEST_BYTES)} or more; state: absent removes what was made here.",
            )
        if self.priority is not None and not 0 <= self.priority <= _HIGHEST_PRIORITY:
            raise SwapError(
                f"{self.priority} is not a priority.",
                hint=f"Give a number from 0 to {_HIGHEST_PRIORITY}, or none to leave it to the kernel.",
            )


@dataclasses.dataclass(frozen=True)
class Plan:
    """The steps in order, and the areas in use before and, as far as it can be told, after them."""

    steps: tuple[Step, ...]
    before: tuple[Area, ...]

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
        areas = {
            "before_header": "swap areas",
            "after_header": "swap areas",
            "before": summary(self.before),
            "after": summary(self.after),
        }
        edits = [step for step in self.steps if isinstance(step, Edit)]
        texts = [
            {
                "before_header": path,
                "after_header": path,
                "before": next(edit.before for edit in edits if edit.path == path),
                "after": next(edit.after for edit in reversed(edits) if edit.path == path),
            }
            for path in dict.fromkeys(edit.path for edit in edits)
        ]
        return [areas, *texts]


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
        added = Create(path=_free_name(state, wanted), size_bytes=added_bytes, made_as=leftover_path(wanted.path))

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
    all_paths = [*paths, added.path] if added else paths
    gone_units = _remove_units(state, paths, retired, wanted)
    if not retired or _fits_on_disk(state, wanted, added_bytes):
        table = _persist(state.fstab, all_paths, retired, wanted, fstab_path)
        units = _write_units(state, all_paths, wanted)
        steps = [*preparing, *making, *units, *table, *gone_units, *retiring]
    else:
        table = _persist(state.fstab, paths, retired, wanted, fstab_path)
        text = table[-1].after if table else state.fstab
        ahead = [*preparing, *_write_units(state, paths, wanted), *table, *gone_units, *retiring]
        units = _write_units(state, all_paths[len(paths) :], wanted)
        steps = [*ahead, *making, *units, *_persist(text, all_paths, (), wanted, fstab_path)]
    result = Plan(steps=tuple(steps), before=state.areas)
    if steps:
        _require_manageable(state)
        _require_place(state)
        _require_own_files(state)
        _require_no_hibernation(state, wanted, retired)
    if added:
        _require_free_names(state)
        _require_disk(state, wanted, added_bytes, retired)
    _require_room(state, steps, wanted)
    return result


def require_room(
    areas: t.Iterable[Area], going: t.Collection[str], memory_available_bytes: int, reserve_bytes: int
) -> None:
    """Raise SwapError unless what the areas at the paths `going` hold fits into memory and the areas that stay.

    The kernel reads back every page of an area before it lets go of it. Where they do not fit, it kills.
    """
    used = sum(area.used_bytes for area in areas if area.path in going)
    swap_free = sum(area.free_bytes for area in areas if area.path not in going and area.counted)
    room = max(memory_available_bytes - reserve_bytes, 0) + swap_free
    if used > room:
        raise SwapError(
            f"Refused to switch off {', '.join(map(neutralise, going))}: {format_size(used)} of swap in use would have "
            f"to move, but there is room for {format_size(room)} ({format_size(memory_available_bytes)} of memory "
            f"available less a reserve of {format_size(reserve_bytes)}, and {format_size(swap_free)} free in other "
            "areas).",
            hint="Free memory, make room on the disk so that a new area can come first, or lower the reserve.",
        )


def _divide(state: State, wanted: Wanted) -> tuple[list[Entry], int]:
    """Return the files of ours that stay, and the bytes that a new one has to add, 0 for none."""
    ours = [entry for entry in state.entries if entry.ours]
    if not wanted.present:
        return [], 0
    own_paths = {entry.path for entry in ours}
    foreign_bytes = sum(area.size_bytes for area in state.areas if area.counted and area.path not in own_paths)
    target = wanted.size_bytes if wanted.exact else max(wanted.size_bytes, state.total_bytes)
    if wanted.exact and foreign_bytes > target + SLACK_BYTES:
        raise SwapError(
            f"Cannot bring the swap of this host to exactly {format_size(target)}: areas that were not made here come "
            f"to {format_size(foreign_bytes)} already.",
            hint="Switch them off by hand, ask for more, or use mode at_least.",
        )
    missing = target - foreign_bytes
    kept = []
    # What is in use stays rather than what is not, large files rather than small ones.
    for entry in sorted(ours, key=lambda entry: (state.area(entry.path) is None, -entry.size_bytes)):
        if not _priority_fits(state.area(entry.path), wanted):
            continue
        if not wanted.exact or entry.size_bytes <= missing + SLACK_BYTES:
            kept.append(entry)
            missing -= entry.size_bytes
    added_bytes = -(-missing // state.page_size) * state.page_size if missing > SLACK_BYTES else 0
    return sorted(kept, key=state.entries.index), added_bytes


def _priority_fits(area: Area | None, wanted: Wanted) -> bool:
    # An area in use cannot change its priority: one with the right priority has to take its place.
    return area is None or wanted.priority is None or area.priority == wanted.priority


def _free_name(state: State, wanted: Wanted) -> str:
    taken = {entry.path for entry in state.entries}
    number, path = 0, wanted.path
    while path in taken:
        number += 1
        path = f"{wanted.path}.{number}"
    return path


def _persist(
    text: str, paths: t.Sequence[str], retired: t.Sequence[Entry], wanted: Wanted, fstab_path: str
) -> list[Persist]:
    # nofail: without it a host whose swap file is gone stops in emergency mode, out of reach.
    options = "sw,nofail" if wanted.priority is None else f"sw,nofail,pri={wanted.priority}"
    gone = [entry.path for entry in retired]
    if wanted.persist == "fstab":
        lines = [fstab.SwapLine(path=path, options=options) for path in paths]
        after = fstab.edit(text, wanted=lines, unwanted=gone)
    else:
        after = fstab.edit(text, wanted=(), unwanted=[*paths, *gone])
    return [Persist(path=fstab_path, before=text, after=after)] if after != text else []


def _write_units(state: State, paths: t.Iterable[str], wanted: Wanted) -> list[WriteUnit]:
    if wanted.persist != "systemd":
        return []
    if not state.booted:
        raise SwapError("This host was not booted with systemd.", hint="Use persist: fstab.")
    steps = []
    for unit in map(state.unit, paths):
        text = unit_text(unit.area, wanted.priority)
        if unit.text and MARK not in unit.text:
            raise SwapError(
                f"Refused to replace {neutralise(unit.path)}: it was not made here.",
                hint="Move it away, or use another persist.",
            )
        if unit.text != text or not unit.enabled:
            steps.append(WriteUnit(path=unit.path, before=unit.text, after=text))
    return steps


def _remove_units(state: State, paths: t.Iterable[str], retired: t.Iterable[Entry], wanted: Wanted) -> list[RemoveUnit]:
    gone = [entry.path for entry in retired]
    units = map(state.unit, gone if wanted.persist == "systemd" else [*paths, *gone])
    return [RemoveUnit(path=unit.path, before=unit.text, after="") for unit in units if MARK in unit.text]


def _require_manageable(state: State) -> None:
    if state.container:
        raise SwapError(
            f"Swap cannot be managed in a container ({neutralise(state.container)}): it belongs to the host's kernel.",
            hint="Manage it on the host.",
        )
    if not state.privileged:
        raise SwapError("Switching swap on and off needs the capability CAP_SYS_ADMIN.", hint="Use become: true.")


def _require_own_files(state: State) -> None:
    """Raise SwapError where a file of ours is more than a swap file."""
    for entry in state.entries:
        name = neutralise(entry.path)
        if entry.ours and entry.links > 1:
            raise SwapError(
                f"Refused to touch {name}: the file has {entry.links} names.", hint="Remove the other hard links."
            )
        if entry.ours and entry.header and entry.header.suspended:
            raise SwapError(
                f"Refused to touch {name}: it holds the image of a suspended system.", hint="Resume that system first."
            )


def _require_no_hibernation(state: State, wanted: Wanted, retired: t.Iterable[Entry]) -> None:
    """Raise SwapError where a file has to go in which the host looks for its image when it wakes."""
    for entry in retired:
        if entry.path in state.hibernates_to and not wanted.force:
            raise SwapError(
                f"Refused to remove {neutralise(entry.path)}: this host hibernates to it (/sys/power/resume_offset).",
                hint="Have it resume from elsewhere first, or use force: true.",
            )


def _require_free_names(state: State) -> None:
    """Raise SwapError where one of our names is taken by something that is not swap."""
    for entry in state.entries:
        if not entry.ours and not state.area(entry.path):
            what = "a file that was not made here" if entry.kind == "file" else f"a {entry.kind}"
            raise SwapError(
                f"Refused to touch {neutralise(entry.path)}: it is {what}, and not in use as swap.",
                hint="Move it away, or name another path.",
            )


def _require_place(state: State) -> None:
    """Raise SwapError where a swap file cannot be, or would not be safe."""
    for folder in state.folders:
        name = neutralise(folder.path)
        if folder.kind != "folder":
            raise SwapError(
                f"Refused to make a swap file below {name}: it is a {folder.kind}.", hint="Name the path without links."
            )
        if folder.uid != 0 or folder.mode & 0o022:
            raise SwapError(
                f"Refused to make a swap file below {name}: users other than root can write there "
                f"(owner {folder.uid}, mode {folder.mode:04o}).",
                hint="Name a path in a folder that belongs to root alone.",
            )
    filesystem = neutralise(state.filesystem)
    if filesystem not in _SUITABLE_FILESYSTEMS:
        reason = _UNSUITABLE_FILESYSTEMS.get(filesystem.split(".")[0], "it is not known to carry one")
        raise SwapError(
            f"Refused to make a swap file on {filesystem}: {reason}.",
            hint=f"Name a path on one of {', '.join(_SUITABLE_FILESYSTEMS)}.",
        )
    if state.devices > 1:
        raise SwapError(
            f"Refused to make a swap file on {filesystem} over {state.devices} devices: the kernel takes one only.",
            hint="Name a path on another filesystem.",
        )


def _fits_on_disk(state: State, wanted: Wanted, size_bytes: int) -> bool:
    return _disk_needed(state, wanted, size_bytes) <= _disk_free(state)


def _disk_needed(state: State, wanted: Wanted, size_bytes: int) -> int:
    return size_bytes + state.page_size + wanted.reserve_bytes if size_bytes else 0


def _disk_free(state: State) -> int:
    return state.free_bytes + (state.leftover.file_bytes if state.leftover else 0)


def _require_disk(state: State, wanted: Wanted, size_bytes: int, retired: t.Iterable[Entry]) -> None:
    needed = _disk_needed(state, wanted, size_bytes)
    free = _disk_free(state) + sum(entry.file_bytes for entry in retired)
    if needed > free:
        raise SwapError(
            f"There is not enough room on the disk for {format_size(size_bytes)} more of swap below "
            f"{state.folders[-1].path}: {format_size(free)} are free, and {format_size(wanted.reserve_bytes)} of them "
            "are to stay so.",
            hint="Free some, name a path on another filesystem, ask for less, or lower the reserve.",
        )


def _require_room(state: State, steps: t.Sequence[Step], wanted: Wanted) -> None:
    """Look before the first step whether the last swapoff will find room."""
    going = [step.path for step in steps if isinstance(step, Disable)]
    if going:
        ahead = itertools.takewhile(lambda step: not isinstance(step, Disable), steps)
        require_room(_after(state.areas, ahead), going, state.memory_available_bytes, wanted.reserve_bytes)


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
            f"The swap of this host, {format_size(state.total_bytes)} now, is not what was asked for. Left: {left}.",
            hint="Did something else change it at the same time? Run again.",
        )
