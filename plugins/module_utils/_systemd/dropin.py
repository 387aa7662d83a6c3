# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drop-in files of systemd units: their text, and the plan that leads from what is there to what is wanted. Pure."""

from __future__ import annotations

import dataclasses
import pathlib
import re
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._errors import OomguardError
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.values import is_in_force
from ansible_collections.oomguard.linux.plugins.module_utils._text import neutralise

MARK = "# Managed by oomguard.linux.systemd_dropin; what is changed here by hand is lost."

# systemd.unit(5), "String Escaping for Inclusion in Unit Names", and unit_name_is_valid() in systemd's sources.
_UNIT = re.compile(
    r"[A-Za-z0-9:_.\\-]+(?:@[A-Za-z0-9:_.\\@-]*)?"
    r"\.(?:service|socket|device|mount|automount|swap|target|path|timer|slice|scope)"
)
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,200}")
_WORD = re.compile(r"[A-Z][A-Za-z0-9]*")

# What systemd.exec(5) sets for a process as it starts; the rest of a unit is in force after daemon-reload.
_AT_START = re.compile(
    r"Exec.*|Limit.*|Environment.*|OOMScoreAdjust|Nice|User|Group|WorkingDirectory|RootDirectory|UMask|Private.*|Protect.*"
    r"|ReadWritePaths|NoNewPrivileges|CapabilityBoundingSet|Standard(?:Input|Output|Error)|IOScheduling.*|CPUScheduling.*"
)

Settings = t.Mapping[str, t.Mapping[str, t.Sequence[str]]]


class DropinError(OomguardError):
    """A drop-in could not be planned, installed, or is not in force."""


@dataclasses.dataclass(frozen=True)
class Wanted:
    """The drop-in that the user asks for; `settings` maps sections to directives to their values in order."""

    unit: str
    name: str = "50-oomguard"
    settings: Settings = dataclasses.field(default_factory=dict)
    present: bool = True
    runtime: bool = False
    force: bool = False
    reload: str = "needed"

    def __post_init__(self) -> None:
        if not _UNIT.fullmatch(self.unit) or len(self.unit) > 255:
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
        if self.present and not any(assignments(self.settings)):
            raise DropinError(f"No settings for {self.unit} were given.", hint="Give settings, or state: absent.")


@dataclasses.dataclass(frozen=True)
class State:
    """What systemd and the disk hold about a unit.

    `text` is that of our file, None where it is absent; `dropins` are the files that systemd has loaded, in its order;
    `properties` are those of `systemctl show`, empty where no systemd runs.
    """

    path: pathlib.Path
    text: str | None
    dropins: tuple[tuple[str, str], ...] = ()
    properties: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    booted: bool = True

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
    """The steps from a state to what is wanted: what check mode shows, and all that is ever done."""

    path: pathlib.Path
    before: str | None
    after: str | None
    backup: bool = False
    reload: bool = False

    @property
    def writes(self) -> bool:
        """Tell whether the file itself changes."""
        return self.before != self.after

    @property
    def changed(self) -> bool:
        """Tell whether there is anything to do."""
        return self.writes or self.reload

    @property
    def diff(self) -> dict[str, str]:
        """Return the file before and after, as Ansible shows it."""
        return {
            "before_header": str(self.path),
            "after_header": str(self.path),
            "before": self.before or "",
            "after": self.after or "",
        }


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


def make_plan(state: State, wanted: Wanted) -> Plan:
    """Return what has to be done. Raises DropinError where the file is somebody else's and `force` is not given."""
    after = render(wanted.settings) if wanted.present else None
    foreign = state.text is not None and not state.text.startswith(MARK) and state.text != after
    if foreign and not wanted.force:
        raise DropinError(
            f"{state.path} was not written by this module.",
            hint="Choose another name, or use force to replace it; a backup is kept beside it.",
        )
    writes = state.text != after
    reload = wanted.reload == "always" or (wanted.reload == "needed" and (writes or state.reload_required))
    return Plan(
        path=state.path, before=state.text, after=after, backup=foreign and wanted.force, reload=reload and state.booted
    )


def not_in_force(state: State, wanted: Wanted) -> list[tuple[str, str, str]]:
    """Return each (section, directive, value in force) that differs from what is wanted."""
    if not (state.booted and wanted.present):
        return []
    shown = effective(state, wanted.settings)
    return [
        (section, directive, str(shown[section][directive]))
        for section, directives in wanted.settings.items()
        for directive, values in directives.items()
        if is_in_force(directive, values, shown[section][directive]) is False
    ]


def effective(state: State, settings: Settings) -> dict[str, dict[str, str | None]]:
    """Return the value in force of each directive of `settings`, as systemd prints it; None where it does not."""
    return {
        section: {directive: state.properties.get(property_of(directive)) for directive in directives}
        for section, directives in settings.items()
    }


def property_of(directive: str) -> str:
    """Return the name under which `systemctl show` prints `directive` (org.freedesktop.systemd1(5))."""
    if directive == "CPUQuota":
        return "CPUQuotaPerSecUSec"
    return f"{directive[:-3]}USec" if directive.endswith("Sec") else directive


def overriding_file(state: State, section: str, directive: str) -> str | None:
    """Return the drop-in that systemd reads after ours and that assigns `directive`, the last one; else None."""
    paths = [path for path, _text in state.dropins]
    later = state.dropins[paths.index(str(state.path)) + 1 :] if str(state.path) in paths else state.dropins
    for path, text in reversed(later):
        if any(found[:2] == (section, directive) for found in directives_in(text)):
            return path
    return None


def verify(state: State, wanted: Wanted) -> None:
    """Raise DropinError where a setting is not in force, naming what wins over it."""
    for section, directive, value in not_in_force(state, wanted):
        asked = ", ".join(wanted.settings[section][directive])
        winner = overriding_file(state, section, directive)
        raise DropinError(
            f"{directive}= of {wanted.unit} is {neutralise(value)!r} in force, although {state.path} says {asked!r}.",
            hint=f"{winner} is read later and wins; change it there."
            if winner
            else "Does this systemd know the directive?",
        )


def restart_required(state: State, plan: Plan) -> bool:
    """Tell whether the unit runs and the change holds a setting that its processes get only as they start."""
    changed = set(directives_in(plan.before or "")) ^ set(directives_in(plan.after or ""))
    return state.active and any(_AT_START.fullmatch(directive) for _section, directive, _value in changed)
