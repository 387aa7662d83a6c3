# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of our file in Apache's configuration, and that configuration as Apache itself has parsed it. Pure."""

from __future__ import annotations

import dataclasses
import posixpath
import re
import typing as t

from .._safe import neutralise
from .directives import (
    BY_ANY_NAME,
    Directive,
    FcgidError,
    directive_named,
)

MARK = "# Managed by oomguard.linux.fcgid_config; what is changed here by hand is lost."

_FILE = "# In file: "
_LINE = re.compile(r"#\s*([0-9]+):")
_INDENTED = re.compile(r"^ +# *[0-9]+:", re.MULTILINE)
_INCLUDED = re.compile(r"\((?:[0-9]+|\*)\) (/.*)")
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
    """What Apache has read from the disk: all files and mod_fcgid's settings in the order of reading, and the modules.

    `fault` is what it says against our own file, where that has kept it from reading on: a program may be gone that the
    file names.
    """

    occurrences: tuple[Occurrence, ...] = ()
    modules: frozenset[str] = frozenset()
    files: tuple[str, ...] = ()
    fault: str = ""

    def with_file(self, file: str, settings: t.Sequence[Setting]) -> tuple[Occurrence, ...]:
        """Return the occurrences as they are once `file` holds nothing but `settings`.

        A file that Apache does not read yet comes where its name puts it in its folder, or last where it is the first
        one there.
        """
        later = self._read_after(file)
        place = next(
            (index for index, found in enumerate(self.occurrences) if found.file == file or found.file in later),
            len(self.occurrences),
        )
        before, after = (
            [found for found in part if found.file != file]
            for part in (self.occurrences[:place], self.occurrences[place:])
        )
        return (*before, *(Occurrence(setting, file, 0) for setting in settings), *after)

    def _read_after(self, file: str) -> frozenset[str]:
        beside = sorted({name for name in self.files if posixpath.dirname(name) == posixpath.dirname(file)} - {file})
        following = [name for name in beside if name > file]
        place = len(self.files)
        if beside:
            # One that is read twice is not looked for where another file includes it.
            place -= self.files[::-1].index(following[0] if following else beside[-1]) + bool(following)
        return frozenset(self.files[place:]) - frozenset(self.files[:place])


def settings_from(directives: t.Mapping[str, t.Any]) -> tuple[Setting, ...]:
    """Return `directives` ({name: value, or list of values where several are allowed}) by name. Raises FcgidError."""
    settings = []
    for name, value in sorted(directives.items()):
        directive = directive_named(str(name))
        values = value if isinstance(value, list) and directive.keyed else [value]
        settings += [Setting(directive, directive.text(item)) for item in values]
    return tuple(settings)


def refuse_repetition(settings: t.Sequence[Setting]) -> None:
    """Raise FcgidError where one of `settings` would replace another."""
    identities = [(*setting.identity, setting.sections) for setting in settings]
    for name, key, sections in identities:
        if identities.count((name, key, sections)) > 1:
            where = f" for {neutralise(key)!r}" if key else ""
            raise FcgidError(f"{name} is given twice{where}.", hint="The later one would win.")


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
    """Return what `-t -D DUMP_CONFIG -D DUMP_INCLUDES -D DUMP_MODULES` has printed.

    config.c of httpd 2.4 prints the files first, in the order of reading; the lines that it gives with them are not
    always right. mod_info.c prints each directive that counts, in that order: conditions are decided, variables and
    macros expanded, includes followed, lines joined. File and line stand before it in comments. A section in which
    nothing is left has no closing line: each level is two blanks further in, by which its end is found.
    """
    occurrences: list[Occurrence] = []
    files: list[str] = []
    modules: set[str] = set()
    sections: list[str] = []
    # Where sections end and nothing is indented, the closing lines are all there is to go by.
    flat = "\n</" in text and not _INDENTED.search(text)
    file, number, lines = "", 0, iter(text.splitlines())
    for raw in lines:
        line = raw.strip()
        depth = len(sections) if flat else (len(raw) - len(raw.lstrip())) // 2
        comment, included = _LINE.fullmatch(line), _INCLUDED.fullmatch(line)
        if line == _MODULES:
            modules = {fields[0] for fields in map(str.split, lines) if fields}
        elif included and not file:
            files.append(included.group(1))
        elif line.startswith(_FILE):
            file = line[len(_FILE) :]
        elif comment:
            number = int(comment.group(1))
        elif line.startswith("</"):
            del sections[depth - flat :]
        elif line.startswith("<"):
            sections[depth:] = [line]
        else:
            name, _blank, arguments = line.partition(" ")
            directive = BY_ANY_NAME.get(name.lower())
            if directive:
                setting = Setting(directive, arguments.strip(), tuple(sections[:depth]))
                occurrences.append(Occurrence(setting, file, number))
    return Configuration(occurrences=tuple(occurrences), modules=frozenset(modules), files=tuple(files))
