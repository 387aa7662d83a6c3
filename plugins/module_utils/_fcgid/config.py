# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our file in Apache's configuration, the configuration as Apache itself has parsed it, and who wins. Pure."""

from __future__ import annotations

import dataclasses
import pathlib
import re
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.directives import (
    BY_ANY_NAME,
    DIRECTIVES,
    SERVER,
    Directive,
    FcgidError,
    command_options,
    directive_named,
    words,
)
from ansible_collections.oomguard.linux.plugins.module_utils._text import neutralise

MARK = "# Managed by oomguard.linux.fcgid_config; what is changed here by hand is lost."

_FILE = "# In file: "
_LINE = re.compile(r"#\s+([0-9]+):")
_MODULES = "Loaded Modules:"


@dataclasses.dataclass(frozen=True)
class Setting:
    """One directive with its arguments as the configuration has them.

    `sections` such as `<VirtualHost *:80>` stand around it, outermost first.
    """

    directive: Directive
    text: str
    sections: tuple[str, ...] = ()

    @property
    def identity(self) -> tuple[str, str]:
        """Return what a later setting must share with this one to replace it."""
        return self.directive.name, self.directive.key(self.text)

    @property
    def scope(self) -> str:
        """Return the innermost section, by which Apache decides what the setting is for; "" for the whole server."""
        return self.sections[-1].replace('"', "") if self.sections else ""

    @property
    def value(self) -> int | str:
        """Return what mod_fcgid makes of the arguments."""
        return self.directive.value(self.text)


@dataclasses.dataclass(frozen=True)
class Occurrence:
    """A setting where Apache has found it."""

    setting: Setting
    file: str
    line: int


@dataclasses.dataclass(frozen=True)
class Configuration:
    """What Apache has read from the disk: mod_fcgid's settings in the order of reading, and all its modules.

    `fault` is what it says against our own file, where that has kept it from reading on: a program may be gone that the
    file names.
    """

    occurrences: tuple[Occurrence, ...] = ()
    modules: frozenset[str] = frozenset()
    fault: str = ""


@dataclasses.dataclass(frozen=True)
class Override:
    """A setting that applies in place of ours."""

    directive: str
    wanted: int | str
    value: int | str
    file: str
    line: int
    context: str

    def __str__(self) -> str:
        place = f"{self.file} line {self.line}"
        return neutralise(f"{self.directive} is {self.value} instead of {self.wanted} in {self.context} ({place})")


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What the user asks for."""

    settings: tuple[Setting, ...] = ()
    present: bool = True
    allow_overrides: bool = False

    @property
    def programs(self) -> list[str]:
        """Return the paths in the commands of FcgidWrapper, of which Apache itself looks at the first alone."""
        commands = [words(ours.text)[0] for ours in self.settings if ours.directive.name == "FcgidWrapper"]
        return [word for command in commands for word in words(command) if word.startswith("/")]

    @property
    def names(self) -> list[str]:
        """Return the names of the directives for the whole server, each once."""
        return sorted({setting.directive.name for setting in self.settings if not setting.sections})

    def __post_init__(self) -> None:
        if self.present and not self.settings:
            raise FcgidError("No directives were given.", hint="Give directives, or state: absent.")
        identities = [(*setting.identity, setting.sections) for setting in self.settings]
        for name, key, sections in identities:
            if identities.count((name, key, sections)) > 1:
                raise FcgidError(f"{name} is given twice for {neutralise(key)!r}.", hint="The later one would win.")


@dataclasses.dataclass(frozen=True)
class State:
    """What the host holds.

    `text` is that of our file, None where it is absent. `link` is what has Apache read a file that lies elsewhere, None
    where the file needs none. `reload_owed` tells that an earlier run was cut off before it had Apache read its change.
    """

    path: pathlib.Path
    link: pathlib.Path | None
    text: str | None
    linked: bool
    configuration: Configuration
    running: bool
    reload_owed: bool = False

    @property
    def name(self) -> str:
        """Return the name under which Apache reads our file."""
        return str(self.link or self.path)


@dataclasses.dataclass(frozen=True)
class Plan:
    """The way from a state to what is wanted: what check mode shows, and all that is ever done."""

    path: pathlib.Path
    link: pathlib.Path | None
    before: str | None
    after: str | None
    linked: bool
    reload: bool

    @property
    def writes(self) -> bool:
        """Tell whether the file or its link changes."""
        return self.before != self.after or self.linked != (self.after is not None)

    @property
    def changed(self) -> bool:
        """Tell whether there is anything to do."""
        return self.writes or self.reload

    @property
    def diff(self) -> dict[str, str]:
        """Return what Apache reads of ours before and after, as Ansible shows it."""
        header = str(self.link or self.path)
        before = self.before if self.linked else None
        return {
            "before_header": header,
            "after_header": header,
            "before": before or "",
            "after": self.after or "",
        }


def settings_from(directives: t.Mapping[str, t.Any]) -> tuple[Setting, ...]:
    """Return `directives` ({name: value, or list of values where several are allowed}) by name. Raises FcgidError."""
    settings = []
    for name, value in sorted(directives.items()):
        directive = directive_named(str(name))
        values = value if isinstance(value, list) and directive.keyed else [value]
        settings += [Setting(directive, directive.text(item)) for item in values]
    return tuple(settings)


def render(settings: t.Sequence[Setting]) -> str:
    """Return the text of our file: without the module Apache passes over it."""
    return "\n".join([MARK, *lines_of(settings), ""])


def lines_of(settings: t.Sequence[Setting]) -> list[str]:
    """Return the lines of configuration that make `settings` where mod_fcgid is loaded."""
    lines = ["<IfModule mod_fcgid.c>"]
    for setting in settings:
        opened = len(setting.sections)
        lines += [f"{'  ' * depth}{section}" for depth, section in enumerate(setting.sections, start=1)]
        lines += [f"{'  ' * (opened + 1)}{setting.directive.name} {setting.text}"]
        lines += [f"{'  ' * depth}</{setting.sections[depth - 1][1:].split()[0]}>" for depth in range(opened, 0, -1)]
    return [*lines, "</IfModule>"]


def parse_dump(text: str) -> Configuration:
    """Return what `-t -D DUMP_CONFIG -D DUMP_MODULES` has printed.

    mod_info.c of httpd 2.4 prints each directive that counts, in the order of reading: conditions are decided,
    variables and macros expanded, includes followed, lines joined. File and line stand before it in comments.
    """
    occurrences: list[Occurrence] = []
    modules: set[str] = set()
    sections: list[str] = []
    file, number, lines = "", 0, iter(text.splitlines())
    for line in map(str.strip, lines):
        comment = _LINE.fullmatch(line)
        if line == _MODULES:
            modules = {fields[0] for fields in map(str.split, lines) if fields}
        elif line.startswith(_FILE):
            file = line[len(_FILE) :]
        elif comment:
            number = int(comment.group(1))
        elif line.startswith("</"):
            del sections[-1:]
        elif line.startswith("<"):
            sections.append(line)
        else:
            name, _blank, arguments = line.partition(" ")
            directive = BY_ANY_NAME.get(name.lower())
            if directive:
                setting = Setting(directive, arguments.strip(), tuple(sections))
                occurrences.append(Occurrence(setting, file, number))
    return Configuration(occurrences=tuple(occurrences), modules=frozenset(modules))


def make_plan(state: State, wanted: Wanted) -> Plan:
    """Return what has to be done. Raises FcgidError where that would be of no use or at another's cost."""
    if state.text is not None and not state.text.startswith(MARK):
        raise FcgidError(f"{state.path} was not written by this module.", hint="Move it away, or choose another path.")
    after = render(wanted.settings) if wanted.present else None
    read = state.text if state.linked else None
    # A fault of our own file hides the rest, and goes with the file: what else there is shows afterwards.
    if read == after or not state.configuration.fault:
        refuse_configuration(state, wanted)
    return Plan(
        path=state.path,
        link=state.link,
        before=state.text,
        after=after,
        linked=state.linked,
        reload=state.running and (state.reload_owed or read != after),
    )


def verify(state: State, wanted: Wanted) -> None:
    """Raise FcgidError where Apache does not read our file as it was written, or where others win over it."""
    refuse_configuration(state, wanted)
    read = {found.setting.directive.name for found in state.configuration.occurrences if found.file == state.name}
    missing = [ours.directive.name for ours in wanted.settings if ours.directive.name not in read]
    if missing:
        raise FcgidError(
            f"Apache does not read {missing[0]} from {state.name}.",
            hint="Choose a path that its configuration includes, after the place where it loads mod_fcgid.",
        )


def refuse_configuration(state: State, wanted: Wanted) -> None:
    """Raise FcgidError where, with the configuration as it is, our settings are not in force."""
    configuration = state.configuration
    if configuration.fault:
        raise FcgidError(f"Apache refuses {state.name}: {configuration.fault}.", hint="Change what it is to hold.")
    if wanted.present and "fcgid_module" not in configuration.modules:
        raise FcgidError(
            "Apache does not load mod_fcgid.",
            hint="Install and enable it first: libapache2-mod-fcgid on Debian, mod_fcgid on Enterprise Linux.",
        )
    found = [] if wanted.allow_overrides else overrides(state, wanted)
    if found:
        raise FcgidError(
            "Not every directive would be in force: " + "; ".join(map(str, found)) + ".",
            hint="Change that there, or set allow_overrides where it is meant to differ.",
        )


def overrides(state: State, wanted: Wanted) -> list[Override]:
    """Return each setting that applies in place of one of ours, somewhere or everywhere.

    These are settings that Apache reads after ours, settings for a part of the server (a virtual host, a directory),
    and the commands to which FcgidCmdOptions gives values of their own. As long as our file is not there its place in
    the order is not known, and nothing counts as later.
    """
    occurrences = state.configuration.occurrences
    place = max(
        (index for index, found in enumerate(occurrences) if found.file == state.name), default=len(occurrences)
    )
    overriding: list[Override] = []
    for index, found in enumerate(occurrences):
        if found.file != state.name:
            rivals = [ours for ours in wanted.settings if ours.identity == found.setting.identity]
            losing = [ours for ours in rivals if _wins(found.setting, ours, later=index > place)]
            overriding += _differing(found, losing)
            if found.setting.directive.name == "FcgidCmdOptions" and (losing or not rivals):
                overriding += _voided(found, wanted)
    return overriding


def _wins(other: Setting, ours: Setting, *, later: bool) -> bool:
    """Tell whether `other` applies in place of `ours` somewhere."""
    if ours.sections:
        return other.scope == ours.scope and (later or other.sections[0].startswith("<VirtualHost"))
    return later or bool(other.sections)


def _differing(found: Occurrence, losing: t.Iterable[Setting]) -> list[Override]:
    other = found.setting
    context = " ".join(other.sections) or SERVER
    return [
        Override(ours.directive.name, ours.value, other.value, found.file, found.line, context)
        for ours in losing
        if ours.value != other.value
    ]


def _voided(found: Occurrence, wanted: Wanted) -> list[Override]:
    """Return each of our settings that FcgidCmdOptions keeps from its command."""
    command, values = command_options(found.setting.text)
    return [
        Override(name, ours.value, values[name], found.file, found.line, f"FcgidCmdOptions {command}")
        for ours in wanted.settings
        for name in [ours.directive.name]
        if values.get(name, ours.value) != ours.value
    ]


def effective(state: State, names: t.Iterable[str]) -> dict[str, t.Any]:
    """Return the value that the server has of each directive in `names`, a list where several are allowed."""
    values: dict[str, dict[str, int | str | None]] = {
        name: {} if DIRECTIVES[name].keyed else {"": DIRECTIVES[name].default} for name in names
    }
    for found in state.configuration.occurrences:
        name, key = found.setting.identity
        if name in values and not found.setting.sections:
            values[name][key] = found.setting.value
    return {name: list(by_key.values()) if DIRECTIVES[name].keyed else by_key[""] for name, by_key in values.items()}


def doubts(state: State, wanted: Wanted) -> list[str]:
    """Return what is in force and still does not do what it says."""
    minimum = effective(state, ["FcgidMinProcessesPerClass"])["FcgidMinProcessesPerClass"]
    return [
        f"{name} does not end the last {minimum} workers of each class, which mod_fcgid keeps for ever;"
        " set FcgidMinProcessesPerClass to 0 to have them go as well."
        for name in ("FcgidIdleTimeout", "FcgidProcessLifeTime")
        if minimum and name in wanted.names
    ]
