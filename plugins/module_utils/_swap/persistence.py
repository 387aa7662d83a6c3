# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps that decide which files are in use after a boot: lines in fstab and systemd units. Pure."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from .._mark import has_mark
from . import fstab
from .state import State, SwapError, Unit
from .steps import Mask, Persist, RemoveUnit, WriteUnit
from .unit import MODULE, build_unit_text
from .wanted import Wanted

# The options of the lines that this module writes.
_OWN_OPTIONS = re.compile(r"sw,nofail(,.+)?")


def plan_fstab(
    text: str, wanted: Wanted, *, paths: t.Sequence[str], removed: t.Sequence[str], fstab_path: str
) -> list[Persist]:
    """Return the step, if one is needed, after which `text` names the files at `paths` and none of `removed`.

    If `wanted` uses another way of persistence, the files at `paths` are not named either.
    """
    if wanted.persist == "fstab":
        options = dict.fromkeys(paths, wanted.fstab_options)
        after = fstab.edit_swap_lines(text, wanted=options, unwanted=removed)
    else:
        after = fstab.edit_swap_lines(text, wanted={}, unwanted=[*paths, *removed])

    if wanted.disabled:
        after = fstab.disable_swap_lines(after)

    if after == text:
        return []

    return [Persist(path=fstab_path, before=text, after=after)]


def has_old_options(state: State, wanted: Wanted, path: str) -> bool:
    """Return whether the line or unit of the file at `path` says something else than what is `wanted`."""
    if wanted.persist == "systemd":
        new_text = build_unit_text(path, wanted.priority, wanted.options)
        return state.find_unit(path).text not in {"", new_text}

    if wanted.persist == "fstab":
        options = fstab.read_swap_options(state.fstab)
        return options.get(path, "") not in {"", wanted.fstab_options}

    return False


def find_stale_lines(state: State, wanted: Wanted) -> t.Iterator[str]:
    """Yield the managed paths that lines of this module in fstab still name, but whose files are gone."""
    present = state.entry_paths
    for line in fstab.parse_swap_lines(state.fstab):
        if _is_own_line(line, wanted) and line.path not in present:
            yield line.path


def _is_own_line(line: fstab.SwapLine, wanted: Wanted) -> bool:
    if not _OWN_OPTIONS.fullmatch(line.options):
        return False

    return wanted.is_managed_name(line.path)


def plan_units(state: State, wanted: Wanted, paths: t.Sequence[str]) -> list[WriteUnit]:
    """Return the steps after which a unit switches on each of the files at `paths`, if that is the requested way.

    Raises SwapError if that is impossible.
    """
    if wanted.persist != "systemd":
        return []

    steps = []
    for path in paths:
        unit = state.find_unit(path)
        _require_writable_unit(state, unit)
        target = dataclasses.replace(unit, text=build_unit_text(path, wanted.priority, wanted.options), enabled=True)
        if unit != target:
            steps.append(WriteUnit(path=unit.path, before=unit.text, after=target.text))

    return steps


def _require_writable_unit(state: State, unit: Unit) -> None:
    if not state.booted:
        raise SwapError("This host was not booted with systemd.", hint="Use persist: fstab.")

    if unit.masked:
        raise SwapError(
            f"Refused to replace {unit.path}: it masks the unit, which is then never started.",
            hint=f"If this host is to have swap, run: systemctl unmask {unit.path.rpartition('/')[2]}.",
        )

    if unit.text and not has_mark(unit.text, MODULE):
        raise SwapError(
            f"Refused to replace {unit.path}: this module did not create it.",
            hint="Move it away, or choose another value for persist.",
        )


def plan_unit_removal(
    state: State, wanted: Wanted, *, paths: t.Sequence[str], removed: t.Sequence[str]
) -> list[RemoveUnit]:
    """Return the steps that remove the units of this module for `removed`.

    If `wanted` uses another way of persistence, the units for `paths` are removed, too.
    """
    unwanted = [*removed]
    if wanted.persist != "systemd":
        unwanted = [*paths, *removed]

    steps = []
    for path in unwanted:
        unit = state.find_unit(path)
        if has_mark(unit.text, MODULE):
            steps.append(RemoveUnit(path=unit.path, before=unit.text, after=""))

    return steps


def plan_mask(state: State) -> list[Mask]:
    """Return the step that keeps systemd from switching on any swap at boot, if it is needed. Raises SwapError."""
    target = state.boot.target
    if target.masked or not state.booted:
        return []

    if target.text:
        raise SwapError(
            f"Cannot mask swap.target: there is a unit file {target.path}.",
            hint="Move it away, and run the task again.",
        )

    return [Mask(path=target.path, before="", after="a link to /dev/null\n")]
