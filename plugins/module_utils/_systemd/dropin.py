# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of a drop-in file: write it, and read what it assigns. Pure."""

from __future__ import annotations

import operator
import re
import typing as t

from .._mark import make_mark

MODULE = "systemd_dropin"

# Sections map to directives, which map to their values in order.
Settings = t.Mapping[str, t.Mapping[str, t.Sequence[str]]]

_SECTION = re.compile(r"\[(.*)\]")
# A line that begins with # or ; is a comment.
_ASSIGNMENT = re.compile(r"(?![#;])([^=]*)=(.*)")


class Assignment(t.NamedTuple):
    """One line of a unit file: `directive=value` in `[section]`."""

    section: str
    directive: str
    value: str


class Setting(t.NamedTuple):
    """A directive with all the values that are assigned to it, in order."""

    section: str
    directive: str
    values: t.Sequence[str]


def iterate_settings(settings: Settings) -> t.Iterator[Setting]:
    """Yield each directive of `settings` with its values, in order."""
    for section, directives in settings.items():
        for directive, values in directives.items():
            yield Setting(section, directive, values)


def iterate_assignments(settings: Settings) -> t.Iterator[Assignment]:
    """Yield each single assignment of `settings`, in order."""
    for section, directive, values in iterate_settings(settings):
        for value in values:
            yield Assignment(section, directive, value)


def render_dropin(settings: Settings) -> str:
    """Return the text of a drop-in file with `settings`, in the syntax of systemd.syntax(7), below our mark."""
    blocks = [make_mark(MODULE)]

    for section, directives in settings.items():
        lines = [f"[{section}]"]
        for directive, values in directives.items():
            lines.extend(f"{directive}={value}" for value in values)
        blocks.append("\n".join(lines))

    return "\n\n".join(blocks) + "\n"


def parse_assignments(text: str | None) -> t.Iterator[Assignment]:
    """Yield each assignment in the text of a unit file (systemd.syntax(7)), none if there is no file."""
    if text is None:
        return

    section = ""
    for line in text.replace("\\\n", " ").splitlines():
        content = line.strip()
        header = _SECTION.fullmatch(content)
        if header:
            section = header.group(1)
            continue

        assignment = _ASSIGNMENT.fullmatch(content)
        if assignment:
            directive, value = assignment.groups()
            yield Assignment(section, directive.strip(), value.strip())


def find_directives(text: str | None) -> set[str]:
    """Return the names of the directives that the text of a unit file assigns, none if there is no file."""
    return set(map(operator.attrgetter("directive"), parse_assignments(text)))


def find_values(text: str, section: str, directive: str) -> list[str]:
    """Return the values that the text of a unit file assigns to `directive` in `section`, in order."""
    where = (section, directive)
    return [assignment.value for assignment in parse_assignments(text) if assignment[:2] == where]
