# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data that passes through this package: what is wanted, what was found, and what will be done. Pure."""

from __future__ import annotations

import dataclasses
import operator
import pathlib
import re
import typing as t

from .._errors import OomguardError
from .._safe import make_diff
from .._size import refuse_tiny
from .dropin import Assignment, Settings, iterate_assignments, iterate_settings
from .syntax import parse_size

# systemd.unit(5), "String Escaping for Inclusion in Unit Names", and unit_name_is_valid() in systemd's sources, which
# allows 255 characters. A directory with the suffix .d has room for two less.
_UNIT = re.compile(
    r"(?!.{254})"
    r"[A-Za-z0-9:_.\\-]+(?:@[A-Za-z0-9:_.\\@-]*)?"
    r"\.(?:service|socket|device|mount|automount|swap|target|path|timer|slice|scope)"
)
# The directory for the drop-ins of all units of one type.
_TYPE_FOLDER = re.compile(r"(?:service|socket|device|mount|automount|swap|target|path|timer|slice|scope)\.d")
# systemd adds the suffix .conf.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,200}(?<!\.conf)")
_PLACE = re.compile(r"\[[A-Z][A-Za-z0-9]*\] [A-Z][A-Za-z0-9]*=")
# The value 0 is valid for the other limits, such as MemorySwapMax=.
_MEMORY_LIMIT = re.compile(r"(?:Startup)?Memory(?:High|Max)")

# The configuration of systemd itself and of the systemd of each user, systemd-system.conf(5), has drop-ins like a unit,
# and is addressed like one.
MANAGER = "system.conf"
USER_MANAGER = "user.conf"
MANAGERS = (MANAGER, USER_MANAGER)


class DropinError(OomguardError):
    """A drop-in could not be planned or installed, or is not in force."""


@dataclasses.dataclass(frozen=True)
class Wanted:
    """The drop-in that the user asks for. Raises DropinError for an invalid one, and SizeError for a tiny limit.

    `settings` maps sections to directives, and these to their values in order.
    """

    unit: str
    name: str = "50-oomguard"
    settings: Settings = dataclasses.field(default_factory=dict)
    present: bool = True
    runtime: bool = False
    force: bool = False
    pin: bool = True
    reload: str = "needed"

    def __post_init__(self) -> None:
        _refuse_unit(self.unit)
        _refuse_name(self.name)

        assignments = list(iterate_assignments(self.settings))
        for assignment in assignments:
            _refuse_assignment(assignment)
            if self.present:
                _refuse_tiny_limit(assignment, self.unit)

        if self.present and not assignments:
            raise DropinError(f"There are no settings for {self.unit}.", hint="Add settings, or use state: absent.")

    @property
    def directives(self) -> set[str]:
        """Return the names of the directives in `settings`."""
        return set(map(operator.attrgetter("directive"), iterate_settings(self.settings)))


@dataclasses.dataclass(frozen=True)
class Limit:
    """One value in the cgroup of a unit, in bytes or as a number; None for no limit.

    `above` lists the path and the value of each cgroup from the parent up to the root.
    """

    file: pathlib.Path
    value: int | None
    above: tuple[tuple[str, int | None], ...] = ()


class StaleLimit(t.NamedTuple):
    """A limit that the kernel does not have yet: `file` should contain `text`, and contains `found`."""

    directive: str
    file: pathlib.Path
    text: str
    found: str


@dataclasses.dataclass(frozen=True)
class Totals:
    """The amounts that percentages refer to: the host's RAM in bytes, and the largest number of tasks."""

    ram_bytes: int = 0
    tasks: int = 0


@dataclasses.dataclass(frozen=True)
class Host:
    """The host as the kernel describes it.

    `swap_bytes` is None if it is unknown. `unified` is false on a host with cgroups of version 1.
    """

    totals: Totals = dataclasses.field(default_factory=Totals)
    swap_bytes: int | None = None
    unified: bool = True


@dataclasses.dataclass(frozen=True)
class State:
    """A unit and its drop-in, as found on disk, in systemd and in the kernel.

    * `path`: our file.
    * `text`: its text, None if it is absent.
    * `has_leftover`: whether a killed run left a temporary file or an empty folder.
    * `dropins`: path and text of each drop-in that systemd has loaded, in systemd's order.
    * `properties`: the output of `systemctl show`, empty if systemd does not run.
    * `limits`: the limits in the cgroup of the running unit, by directive.
    * `memory_bytes`: the memory of that cgroup which the kernel cannot drop, None if it is unknown.
    * `oomd_units`: the units that a running systemd-oomd watches and that concern this one.
    * `fragment`: the path of the unit's own file.
    * `hidden`: the drop-in of a template, prefix or type that systemd ignores for this unit, because ours has the same
      name.
    * `newer_than_unit`: whether our file was written after the unit was started.
    * `booted`: whether this systemd runs.
    * `instances`: the state of each loaded unit that the name stands for, if it stands for several, such as a template.
    """

    path: pathlib.Path
    text: str | None
    has_leftover: bool = False
    dropins: tuple[tuple[str, str], ...] = ()
    properties: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    limits: t.Mapping[str, Limit] = dataclasses.field(default_factory=dict)
    memory_bytes: int | None = None
    oomd_units: tuple[str, ...] = ()
    fragment: str = ""
    hidden: str | None = None
    newer_than_unit: bool = False
    host: Host = dataclasses.field(default_factory=Host)
    booted: bool = True
    instances: tuple[State, ...] = ()

    @property
    def units(self) -> tuple[State, ...]:
        """Return the state of the unit itself and of each instance of it, or of each unit of a group."""
        properties = map(operator.attrgetter("properties"), self.instances)
        if self.properties in properties:
            # One unit of a group stands for all.
            return self.instances

        return (self, *self.instances)

    @property
    def active_units(self) -> tuple[State, ...]:
        """Return the state of the unit and of its instances, as far as they run."""
        return tuple(filter(operator.attrgetter("active"), self.units))

    @property
    def reload_required(self) -> bool:
        """Return whether systemd reports that files have changed since it read them."""
        return self.properties.get("NeedDaemonReload") == "yes"

    @property
    def active(self) -> bool:
        """Return whether the unit runs."""
        return self.properties.get("ActiveState") in ("active", "activating", "reloading")


@dataclasses.dataclass(frozen=True)
class Plan:
    """The steps from a state to the wanted drop-in. Check mode shows them, and nothing else is ever done.

    * `before`, `after`: the text of the file, None if it is absent.
    * `backup`: whether the old file is kept under another name.
    * `tidy`: whether the leftover of a killed run is removed.
    * `reload`: whether systemd reads its files again.
    * `limits`: the limits that the kernel does not have yet.
    * `newer_than_unit`: whether the old file was written after the unit, or an instance of it, was started.
    """

    path: pathlib.Path
    before: str | None
    after: str | None
    backup: bool = False
    tidy: bool = False
    reload: bool = False
    limits: tuple[StaleLimit, ...] = ()
    newer_than_unit: bool = False

    @property
    def writes(self) -> bool:
        """Return whether the file itself changes."""
        return self.before != self.after

    @property
    def changed(self) -> bool:
        """Return whether there is anything to do."""
        return any((self.writes, self.reload, self.tidy, self.limits))

    @property
    def diff(self) -> dict[str, str]:
        """Return the file before and after, as Ansible shows it."""
        return make_diff(str(self.path), self.before, self.after)


def _refuse_unit(unit: str) -> None:
    is_shared = unit in MANAGERS or _TYPE_FOLDER.fullmatch(unit)
    if not is_shared and not _UNIT.fullmatch(unit):
        raise DropinError(
            f"{unit!r} is not the name of a unit.", hint="Write the name in full, such as apache2.service."
        )


def _refuse_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise DropinError(
            f"{name!r} is not the name of a drop-in.",
            hint="Use letters, digits, dot, dash and underscore, without the suffix .conf: 50-oomguard.",
        )


def _refuse_assignment(assignment: Assignment) -> None:
    section, directive, value = assignment
    place = f"[{section}] {directive}="
    if not _PLACE.fullmatch(place):
        raise DropinError(
            f"{place} is not a directive in a section.",
            hint="Write them as systemd does: Service: {OOMPolicy: continue}.",
        )

    is_continued = value.endswith("\\")
    if is_continued or not value.isprintable():
        raise DropinError(
            f"The value of {directive}= in [{section}] contains a control character or ends in a backslash.",
            hint="systemd would read a second directive. Use a list to assign several values.",
        )


def _refuse_tiny_limit(assignment: Assignment, unit: str) -> None:
    if not _MEMORY_LIMIT.fullmatch(assignment.directive):
        return

    limit = parse_size(assignment.value)
    if limit is not None:
        refuse_tiny(f"{assignment.directive}= of {unit}", assignment.value, limit)
