# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare the values that systemd has in force with the wanted ones, and find the file that wins. Pure."""

from __future__ import annotations

import dataclasses
import pathlib
import typing as t

from .directives import get_properties, is_list, resolve_assignments
from .dropin import Setting, Settings, find_values, iterate_settings
from .model import DropinError, State, Wanted
from .values import is_in_force

# systemd.unit(5), "Unit File Load Path": a file there hides one of the same name in the folders after them.
_FIRST_FOLDERS = (
    "/etc/systemd/system.control/",
    "/run/systemd/system.control/",
    "/run/systemd/transient/",
    "/run/systemd/generator.early/",
)
_SET_PROPERTY = "/system.control/"


@dataclasses.dataclass(frozen=True)
class Override:
    """A directive that has another value than the drop-in gives it.

    `path` is the file that wins, None if it is unknown.
    """

    section: str
    directive: str
    value: str
    path: str | None

    @property
    def hint(self) -> str:
        """Return what the user can do about it."""
        if self.path is None:
            return (
                "No drop-in sets this value. Check that this version of systemd knows the directive,"
                " and that the host has the resource."
            )

        if _SET_PROPERTY in self.path:
            return (
                f"{self.path}, which `systemctl set-property` wrote, overrides it."
                f" Set {self.directive} with that command as well, or remove the file."
            )

        return (
            f"{self.path} is read later and overrides it."
            " Change it there, or give the drop-in a name that sorts after it."
        )


def find_effective_values(state: State, settings: Settings) -> dict[str, dict[str, str | None]]:
    """Return the value in force of each directive in `settings`, as systemd prints it; None if it prints none.

    If systemd does not run, the result is empty.
    """
    if not state.booted:
        return {}

    found: dict[str, dict[str, str | None]] = {section: {} for section in settings}
    for setting in iterate_settings(settings):
        found[setting.section][setting.directive] = _find_effective_value(state, setting)

    return found


def _find_effective_value(state: State, setting: Setting) -> str | None:
    value = " ".join(setting.values)
    name, *_others = get_properties(setting.directive, value)
    return state.properties.get(name)


def find_unverified(state: State, wanted: Wanted) -> list[str]:
    """Return the wanted directives for which it is unknown whether they are in force."""
    is_comparable = state.booted and not state.reload_required

    unverified = []
    for setting in iterate_settings(wanted.settings):
        verdict = None
        if is_comparable:
            verdict = _is_setting_in_force(state, setting)
        if verdict is None:
            unverified.append(setting.directive)

    return unverified


def find_differences(state: State, wanted: Wanted) -> list[Override]:
    """Return each wanted directive that has another value in force."""
    if not state.booted or not wanted.present:
        return []

    differences = []
    for setting in iterate_settings(wanted.settings):
        if _is_setting_in_force(state, setting) is False:
            section, directive, _values = setting
            value = str(_find_effective_value(state, setting))
            path = find_winner(state, section, directive)
            differences.append(Override(section, directive, value, path))

    return differences


def find_conflicts(state: State, wanted: Wanted) -> list[Override]:
    """Return each wanted directive that gets another value from a drop-in which systemd reads after ours."""
    if not wanted.present:
        return []

    conflicts = []
    for setting in iterate_settings(wanted.settings):
        section, directive, _values = setting
        path = find_winner(state, section, directive)
        if path is None:
            continue

        text = dict(state.dropins)[path]
        values = find_values(text, section, directive)
        if not _is_agreed(state, setting, values):
            remaining = ["", *resolve_assignments(values)]
            conflicts.append(Override(section, directive, remaining[-1], path))

    return conflicts


def _is_agreed(state: State, setting: Setting, values: t.Sequence[str]) -> bool:
    """Return whether the drop-in that wins with `values` leads to the wanted value as well."""
    if values == list(setting.values):
        return True

    is_reset = not any(values)
    if is_reset or state.reload_required:
        return False

    return _is_setting_in_force(state, setting) is True


def _is_setting_in_force(state: State, setting: Setting) -> bool | None:
    return is_in_force(setting.directive, setting.values, state.properties, state.host.totals)


def find_winner(state: State, section: str, directive: str) -> str | None:
    """Return the drop-in that overrides ours for `directive`, None if there is none.

    systemd reads the drop-ins of a unit in the order of their file names, whatever their folders.
    """
    for path, _text in state.dropins:
        if _is_hiding(path, state.path):
            return path

    for path, text in _sort_later_dropins(state):
        values = find_values(text, section, directive)
        if _can_override(directive, values):
            return path

    return None


def _can_override(directive: str, values: t.Sequence[str]) -> bool:
    """Return whether a later file with these `values` overrides earlier ones; if a list is not reset, it adds to it."""
    if is_list(directive):
        return "" in values

    return bool(values)


def _sort_later_dropins(state: State) -> list[tuple[str, str]]:
    """Return path and text of the drop-ins that systemd reads after ours, the last one first."""

    def get_name(dropin: tuple[str, str]) -> str:
        return pathlib.Path(dropin[0]).name

    later = [dropin for dropin in state.dropins if get_name(dropin) > state.path.name]
    return sorted(later, key=get_name, reverse=True)


def _is_hiding(path: str, ours: pathlib.Path) -> bool:
    """Return whether systemd reads the file `path` instead of ours, which has the same name."""
    other = pathlib.Path(path)
    has_same_name = (other.parent.name, other.name) == (ours.parent.name, ours.name)
    if other == ours or not has_same_name:
        return False

    first_folders: tuple[str, ...] = _FIRST_FOLDERS
    if "/run/" in str(ours):
        first_folders = (*_FIRST_FOLDERS, "/etc/")

    return path.startswith(first_folders)


def list_exceptions(state: State, wanted: Wanted) -> list[str]:
    """Return the names of the units, out of several that share the drop-in, that have another value in force."""

    def has_difference(instance: State) -> bool:
        return bool(find_differences(instance, wanted))

    exceptions = filter(has_difference, state.instances)
    return [instance.properties["Id"] for instance in exceptions]


def verify_settings(state: State, wanted: Wanted) -> None:
    """Raise DropinError if a setting is not in force; the error names the file that wins."""
    for override in find_differences(state, wanted):
        values = wanted.settings[override.section][override.directive]
        asked = ", ".join(values)
        raise DropinError(
            f"{override.directive}= of {wanted.unit} has the value {override.value!r} in force,"
            f" although {state.path} sets {asked!r}.",
            hint=override.hint,
        )


def refuse_conflicts(state: State, wanted: Wanted) -> None:
    """Raise DropinError if another drop-in would win over the wanted one."""
    for override in find_conflicts(state, wanted):
        raise DropinError(
            f"{override.directive}= of {wanted.unit} would be {override.value!r},"
            f" whatever {state.path} sets. Nothing was changed.",
            hint=override.hint,
        )
