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
from .steps import Persist, RemoveUnit, WriteUnit
from .unit import MODULE, build_unit_text
from .wanted import Wanted

# The options of the lines that this module writes.
_OWN_OPTIONS = re.compile(r"sw,nofail(,pri=[0-9]+)?")


def plan_fstab(
    text: str, wanted: Wanted, *, paths: t.Sequence[str], removed: t.Sequence[str], fstab_path: str
) -> list[Persist]:
    """Return the step, if one is needed, after which `text` names the files at `paths` and none of `removed`.

    If `wanted` uses another way of persistence, the files at `paths` are not named either.
    """
    if wanted.persist == "fstab":
        options = _build_options(wanted)
        lines = [fstab.SwapLine(path=path, options=options) for path in paths]
        after = fstab.edit_swap_lines(text, wanted=lines, unwanted=removed)
    else:
        after = fstab.edit_swap_lines(text, wanted=(), unwanted=[*paths, *removed])

    if after == text:
        return []

    return [Persist(path=fstab_path, before=text, after=after)]


def _build_options(wanted: Wanted) -> str:
    # Without nofail, a host whose swap file is missing boots into emergency mode and cannot be reached.
    options = "sw,nofail"
    if wanted.priority is None:
        return options

    return f"{options},pri={wanted.priority}"


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
        target = dataclasses.replace(unit, text=build_unit_text(path, wanted.priority), enabled=True)
        if unit != target:
            steps.append(WriteUnit(path=unit.path, before=unit.text, after=target.text))

    return steps


def _require_writable_unit(state: State, unit: Unit) -> None:
    if not state.booted:
        raise SwapError("This host was not booted with systemd.", hint="Use persist: fstab.")

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
