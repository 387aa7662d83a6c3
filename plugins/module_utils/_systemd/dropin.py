# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drop-in files of systemd units: their text, and the plan that leads from what is there to what is wanted. Pure."""

from __future__ import annotations

import dataclasses
import pathlib
import re
import typing as t

from .._errors import OomguardError
from .._safe import difference, neutralise
from .._size import refuse_tiny
from .values import Totals, size

MARK = "# Managed by oomguard.linux.systemd_dropin; what is changed here by hand is lost."

# systemd.unit(5), "String Escaping for Inclusion in Unit Names", and unit_name_is_valid() in systemd's sources.
_UNIT = re.compile(
    r"[A-Za-z0-9:_.\\-]+(?:@[A-Za-z0-9:_.\\@-]*)?"
    r"\.(?:service|socket|device|mount|automount|swap|target|path|timer|slice|scope)"
)
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,200}")
_WORD = re.compile(r"[A-Z][A-Za-z0-9]*")
# Of the others, such as MemorySwapMax=, 0 is a good value.
_MEMORY_LIMIT = re.compile(r"(?:Startup)?Memory(?:High|Max)")

# The manager's own configuration, systemd-system.conf(5), has drop-ins like a unit, and is addressed like one.
MANAGER = "system.conf"

Settings = t.Mapping[str, t.Mapping[str, t.Sequence[str]]]


class DropinError(OomguardError):
    """A drop-in could not be planned, installed, or is not in force."""


@dataclasses.dataclass(frozen=True)
class Wanted:
    """The drop-in that the user asks for; `settings` maps sections to directives to their values in order.

    `formerly` has the directives of a version that has just been replaced.
    """

    unit: str
    name: str = "50-oomguard"
    settings: Settings = dataclasses.field(default_factory=dict)
    present: bool = True
    runtime: bool = False
    force: bool = False
    pin: bool = True
    reload: str = "needed"
    formerly: t.AbstractSet[str] = frozenset()

    def __post_init__(self) -> None:
        if self.unit != MANAGER and (not _UNIT.fullmatch(self.unit) or len(self.unit) > 255):
            raise DropinError(
                f"{neutralise(self.unit)!r} is not the name of a unit.",
                hint="Write it in full, such as apache2.service.",
            )
        if not _NAME.fullmatch(self.name) or self.name.endswith(".conf"):
            raise DropinError(
                f"{neutralise(self.name)!r} is not the name of a drop-in.",
                hint="Use letters, digits, dot, dash and underscore, without the suffix .conf: 50-oomguard.",
            )
        for section, directive, value in assignments(self.settings):
            if not _WORD.fullmatch(section) or not _WORD.fullmatch(directive):
                raise DropinError(
                    f"[{neutralise(section)}] {neutralise(directive)}= is not a directive in a section.",
                    hint="Write them as systemd does: Service: {OOMPolicy: continue}.",
                )
            if value.endswith("\\") or not value.isprintable():
                raise DropinError(
                    f"The value of {directive}= in [{section}] holds a control character or ends in a backslash.",
                    hint="It would be read as a second directive; write a list to assign several values.",
                )
            limit = size(value) if self.present and _MEMORY_LIMIT.fullmatch(directive) else None
            if limit is not None:
                refuse_tiny(f"{directive}= of {self.unit}", value, limit)
        if self.present and not any(assignments(self.settings)):
            raise DropinError(f"No settings for {self.unit} were given.", hint="Give settings, or state: absent.")


@dataclasses.dataclass(frozen=True)
class Limit:
    """One value in the cgroup of a unit, and in those above it: bytes or a number, None for no limit.

    `above` has the value of each cgroup from the parent to the root, by path.
    """

    file: pathlib.Path
    value: int | None
    above: tuple[tuple[str, int | None], ...] = ()


@dataclasses.dataclass(frozen=True)
class Host:
    """What the kernel says about the host; `swap_bytes` is None where it was not looked at."""

    totals: Totals = dataclasses.field(default_factory=Totals)
    swap_bytes: int | None = None
    unified: bool = True


@dataclasses.dataclass(frozen=True)
class State:
    """What systemd, the kernel and the disk hold about a unit.

    `text` is that of our file, None where it is absent; `leftover` tells of what a killed run has left in its folder;
    `dropins` are the files that systemd has loaded, in its order; `properties` are those of `systemctl show`, empty
    where no systemd runs; `limits` are those of the running unit's cgroup, by directive; `memory_bytes` is what that
    cgroup uses and the kernel cannot drop, None where it does not say; `killers` are the slices that systemd-oomd
    watches for the unit's sake, if it runs; `fragment` is the unit's own file; `hides` is the drop-in of the template
    that systemd does not read for this instance, since ours has its name; `newer_than_unit` tells whether our file was
    written after the unit was started; `instances` are the states of what is loaded of a template.
    """

    path: pathlib.Path
    text: str | None
    leftover: bool = False
    dropins: tuple[tuple[str, str], ...] = ()
    properties: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    limits: t.Mapping[str, Limit] = dataclasses.field(default_factory=dict)
    memory_bytes: int | None = None
    killers: tuple[str, ...] = ()
    fragment: str = ""
    hides: str | None = None
    newer_than_unit: bool = False
    host: Host = dataclasses.field(default_factory=Host)
    booted: bool = True
    instances: tuple[State, ...] = ()

    @property
    def units(self) -> tuple[State, ...]:
        """Return the state of the unit itself and of each instance of it."""
        return (self, *self.instances)

    @property
    def reload_required(self) -> bool:
        """Tell whether systemd itself says that files have changed since it read them."""
        return self.properties.get("NeedDaemonReload") == "yes"

    @property
    def active(self) -> bool:
        """Tell whether the unit runs."""
        return self.properties.get("ActiveState") in ("active", "activating", "reloading")


@dataclasses.dataclass(frozen=True)
class Plan:
    """The steps from a state to what is wanted: what check mode shows, and all that is ever done.

    `newer_than_unit` tells whether the file that was there had been written after the unit, or an instance, started.
    """

    path: pathlib.Path
    before: str | None
    after: str | None
    backup: bool = False
    tidy: bool = False
    reload: bool = False
    limits: tuple[tuple[pathlib.Path, str], ...] = ()
    newer_than_unit: bool = False

    @property
    def writes(self) -> bool:
        """Tell whether the file itself changes."""
        return self.before != self.after

    @property
    def changed(self) -> bool:
        """Tell whether there is anything to do."""
        return self.writes or self.reload or self.tidy or bool(self.limits)

    @property
    def diff(self) -> dict[str, str]:
        """Return the file before and after, as Ansible shows it."""
        return difference(str(self.path), self.before or "", self.after or "")


def assignments(settings: Settings) -> t.Iterator[tuple[str, str, str]]:
    """Yield each (section, directive, value) of `settings` in order."""
    for section, directives in settings.items():
        for directive, values in directives.items():
            for value in values:
                yield section, directive, value


def render(settings: Settings) -> str:
    """Return the text of a drop-in file with `settings`, in the syntax of systemd.syntax(7), with our mark."""
    blocks = [MARK]
    for section, directives in settings.items():
        lines = [f"{directive}={value}" for directive, values in directives.items() for value in values]
        blocks.append("\n".join([f"[{section}]", *lines]))
    return "\n\n".join(blocks) + "\n"


def directives_in(text: str) -> t.Iterator[tuple[str, str, str]]:
    """Yield each (section, directive, value) that a unit file's text assigns (systemd.syntax(7))."""
    section = ""
    for line in text.replace("\\\n", " ").splitlines():
        content = line.strip()
        if content.startswith("[") and content.endswith("]"):
            section = content[1:-1]
        elif content and content[0] not in "#;" and "=" in content:
            directive, value = content.split("=", 1)
            yield section, directive.strip(), value.strip()
