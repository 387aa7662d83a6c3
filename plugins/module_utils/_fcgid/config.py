# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of our file in Apache's configuration, and that configuration as Apache itself has parsed it. Pure."""

from __future__ import annotations

import dataclasses
import posixpath
import re
import typing as t

from .._mark import make_mark
from .directives import (
    BY_ANY_NAME,
    SERVER,
    Directive,
    FcgidError,
    find_directive,
)

MODULE = "fcgid_config"

_FILE = "# In file: "
_LINE = re.compile(r"#\s*([0-9]+):")
_INDENTED = re.compile(r"^ +# *[0-9]+:", re.MULTILINE)
_INCLUDED = re.compile(r"\((?:[0-9]+|\*)\) (/.*)")
_MODULES = "Loaded Modules:"


@dataclasses.dataclass(frozen=True)
class Setting:
    """A directive with its arguments, as written in the configuration.

    `sections` such as `<VirtualHost *:80>` enclose it, outermost first.
    """

    directive: Directive
    text: str
    sections: tuple[str, ...] = ()

    @property
    def identity(self) -> tuple[str, str]:
        """Return the name and the key. A later setting with the same identity replaces this one."""
        return self.directive.name, self.directive.find_key(self.text)

    @property
    def scope(self) -> str:
        """Return the innermost section, which decides what the setting applies to, or "" for the whole server."""
        if not self.sections:
            return ""

        return self.sections[-1].replace('"', "")

    @property
    def context(self) -> str:
        """Return the sections around the setting in words that can be shown."""
        if not self.sections:
            return SERVER

        return " ".join(self.sections)

    @property
    def value(self) -> int | str:
        """Return the value that mod_fcgid reads from the arguments."""
        return self.directive.parse_value(self.text)


@dataclasses.dataclass(frozen=True)
class Occurrence:
    """A setting, with the place where Apache has found it.

    Settings of the same virtual host have the same `part`. It is 0 for settings of the whole server.
    """

    setting: Setting
    file: str
    line: int
    part: int = 0


@dataclasses.dataclass(frozen=True)
class Configuration:
    """The configuration that Apache has read from disk.

    `occurrences` are mod_fcgid's settings and `files` are all files, both in the order in which Apache reads them.
    `fault` is Apache's complaint about our own file, if that kept Apache from reading on: for example, a program that
    the file names may have been removed.
    """

    occurrences: tuple[Occurrence, ...] = ()
    modules: frozenset[str] = frozenset()
    files: tuple[str, ...] = ()
    fault: str = ""

    def with_file(self, file: str, settings: t.Sequence[Setting]) -> tuple[Occurrence, ...]:
        """Return the occurrences as they will be when `file` contains only `settings`.

        A file that Apache does not read yet comes where its name sorts in its folder, or last if that folder has no
        other file.
        """
        place = self._find_place(file)
        before = _omit_file(self.occurrences[:place], file)
        ours = [Occurrence(setting, file, 0) for setting in settings]
        after = _omit_file(self.occurrences[place:], file)

        return (*before, *ours, *after)

    def select_file(self, file: str) -> t.Iterator[Setting]:
        """Yield the settings that Apache has read from `file`."""
        for occurrence in self.occurrences:
            if occurrence.file == file:
                yield occurrence.setting

    def _find_place(self, file: str) -> int:
        """Return the index among the occurrences at which those of `file` begin, or would begin."""
        not_before = {file, *self._find_later_files(file)}
        for index, occurrence in enumerate(self.occurrences):
            if occurrence.file in not_before:
                return index

        return len(self.occurrences)

    def _find_later_files(self, file: str) -> frozenset[str]:
        """Return the files that Apache reads only after `file`, according to its name."""
        place = self._find_place_in_files(file)
        return frozenset(self.files[place:]) - frozenset(self.files[:place])

    def _find_place_in_files(self, file: str) -> int:
        neighbours = sorted(self._find_neighbours(file))
        if not neighbours:
            return len(self.files)

        # Apache may read a file twice, if another file includes it as well. The last time counts here.
        for name in neighbours:
            if name > file:
                return _find_last(self.files, name)

        return _find_last(self.files, neighbours[-1]) + 1

    def _find_neighbours(self, file: str) -> set[str]:
        """Return the other files in the folder of `file`."""
        folder = posixpath.dirname(file)
        neighbours = set()
        for name in self.files:
            if posixpath.dirname(name) == folder:
                neighbours.add(name)

        return neighbours - {file}


def _omit_file(occurrences: t.Iterable[Occurrence], file: str) -> t.Iterator[Occurrence]:
    for occurrence in occurrences:
        if occurrence.file != file:
            yield occurrence


def _find_last(files: t.Sequence[str], name: str) -> int:
    return len(files) - 1 - files[::-1].index(name)


def parse_settings(directives: t.Mapping[str, t.Any]) -> tuple[Setting, ...]:
    """Return the settings in `directives`, sorted by name.

    `directives` maps a name to a value, or to a list of values if the directive may occur several times. Raises
    FcgidError.
    """
    settings: list[Setting] = []
    for name, value in sorted(directives.items()):
        directive = find_directive(str(name))
        settings += _make_settings(directive, value)

    return tuple(settings)


def _make_settings(directive: Directive, value: object) -> list[Setting]:
    values = [value]
    if isinstance(value, list) and directive.keyed:
        values = value

    return [Setting(directive, directive.format_value(item)) for item in values]


def refuse_repetition(settings: t.Sequence[Setting]) -> None:
    """Raise FcgidError if one of `settings` would replace another."""
    seen = set()
    for setting in settings:
        name, key = setting.identity
        identity = (name, key, setting.sections)
        if identity in seen:
            raise FcgidError(
                f"{name} is set twice{_describe_key(key)}.",
                hint="Remove one of them: only the last one would take effect.",
            )

        seen.add(identity)


def _describe_key(key: str) -> str:
    if not key:
        return ""

    return f" for {key!r}"


def render(settings: t.Sequence[Setting]) -> str:
    """Return the text of our file. Apache skips the settings if mod_fcgid is not loaded."""
    return "\n".join([make_mark(MODULE), *render_lines(settings), ""])


def render_lines(settings: t.Sequence[Setting]) -> list[str]:
    """Return the lines of configuration that apply `settings` if mod_fcgid is loaded."""
    lines = ["<IfModule mod_fcgid.c>"]
    for setting in settings:
        lines += _render_setting(setting)
    lines.append("</IfModule>")

    return lines


def _render_setting(setting: Setting) -> t.Iterator[str]:
    indent = "  "
    for section in setting.sections:
        yield f"{indent}{section}"
        indent += "  "

    yield f"{indent}{setting.directive.name} {setting.text}"

    for section in reversed(setting.sections):
        indent = indent[2:]
        name = section[1:].split()[0]
        yield f"{indent}</{name}>"


def parse_dump(text: str) -> Configuration:
    """Return the configuration that `-t -D DUMP_CONFIG -D DUMP_INCLUDES -D DUMP_MODULES` has printed.

    config.c of httpd 2.4 first prints the files, in the order in which it reads them. The line numbers beside them are
    not always right. mod_info.c then prints each directive that counts, in that order: conditions are decided,
    variables and macros expanded, includes followed, lines joined. Comments before a directive give its file and line.
    A section that contains no such directive has no closing line. Each level is indented by two more spaces, which
    shows where such a section ends.
    """
    # If sections are closed but nothing is indented, only the closing lines show where sections end.
    is_indented = "\n</" not in text or bool(_INDENTED.search(text))
    reader = _DumpReader(is_indented=is_indented)
    lines = iter(text.splitlines())
    for line in lines:
        if line.strip() == _MODULES:
            modules = _read_modules(lines)
            return reader.finish(modules)

        reader.read(line)

    return reader.finish(frozenset())


def _read_modules(lines: t.Iterable[str]) -> frozenset[str]:
    modules = set()
    for line in lines:
        fields = line.split()
        if fields:
            modules.add(fields[0])

    return frozenset(modules)


class _DumpReader:
    """Read the dump up to the modules, line by line, and keep track of the file, the line and the sections."""

    def __init__(self, *, is_indented: bool) -> None:
        self._is_indented = is_indented
        self._occurrences: list[Occurrence] = []
        self._files: list[str] = []
        self._sections: list[str] = []
        self._file = ""
        self._line = 0
        self._part = 0

    def read(self, raw: str) -> None:
        line = raw.strip()
        included = _INCLUDED.fullmatch(line)
        comment = _LINE.fullmatch(line)
        if included and not self._file:
            self._files.append(included.group(1))
        elif line.startswith(_FILE):
            self._file = line[len(_FILE) :]
        elif comment:
            self._line = int(comment.group(1))
        else:
            self._read_directive(line, self._find_depth(raw))

    def finish(self, modules: frozenset[str]) -> Configuration:
        return Configuration(occurrences=tuple(self._occurrences), modules=modules, files=tuple(self._files))

    def _find_depth(self, raw: str) -> int:
        """Return the number of sections that enclose the line. A closing line is as deep as its opening line."""
        if self._is_indented:
            indent = len(raw) - len(raw.lstrip())
            return indent // 2

        if raw.strip().startswith("</"):
            return len(self._sections) - 1

        return len(self._sections)

    def _read_directive(self, line: str, depth: int) -> None:
        if line.startswith("</"):
            del self._sections[depth:]
            return
        if line.startswith("<"):
            self._sections[depth:] = [line]
            # Several virtual hosts can have the same opening line.
            if depth == 0:
                self._part += 1

            return

        name, _blank, arguments = line.partition(" ")
        directive = BY_ANY_NAME.get(name.lower())
        if directive is None:
            return

        setting = Setting(directive, arguments.strip(), tuple(self._sections[:depth]))
        part = 0
        if setting.sections:
            part = self._part

        self._occurrences.append(Occurrence(setting, self._file, self._line, part))
