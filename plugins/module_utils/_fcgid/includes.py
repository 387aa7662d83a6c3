# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether Apache will read a file that does not exist yet, according to the files that it reads now. Pure.

Apache itself can only say which files it has read. So the Include directives in these files are read here as text
(ap_process_fnmatch_configs in config.c, httpd 2.4).
"""

from __future__ import annotations

import fnmatch
import itertools
import posixpath
import re
import typing as t

from .directives import split_words

_INCLUDE = re.compile(r"[ \t]*include(?:optional)?[ \t]+(.*)", re.IGNORECASE)
_SECTION = re.compile(r"[ \t]*<([a-z]+)\b[^>]*>?", re.IGNORECASE)
_SECTION_END = re.compile(r"[ \t]*</", re.IGNORECASE)
# These sections are decided while Apache reads the configuration, and do not limit what is in them.
_CONDITIONS = ("ifmodule", "ifdefine", "ifversion", "iffile", "ifdirective", "ifsection")
_VARIABLE = re.compile(r"\$\{[^}]*\}")


class Include(t.NamedTuple):
    """An Include directive: its full pattern, and the section around it that limits what it includes, or ""."""

    pattern: str
    section: str

    def matches(self, path: str) -> bool:
        """Return whether the pattern matches `path`. A pattern without wildcards may be a folder above it."""
        return fnmatch.fnmatchcase(path, self.pattern) or path.startswith(f"{self.pattern.rstrip('/')}/")


class Reach(t.NamedTuple):
    """Whether Apache will read a file, and the section in which it will, or "" for the whole server."""

    is_read: bool
    section: str = ""


READ = Reach(is_read=True)


def find_includes(text: str, *, server_root: str) -> t.Iterator[Include]:
    """Yield the Include directives in the text of a configuration file. A variable stands for any text."""
    sections: list[str] = []
    for line in text.splitlines():
        opened = _SECTION.match(line)
        included = _INCLUDE.fullmatch(line)
        if opened:
            sections.append(_name_section(line, opened.group(1)))
        elif _SECTION_END.match(line):
            del sections[-1:]
        elif included:
            section = next(filter(None, sections), "")
            yield from _make_includes(included.group(1), section, server_root)


def _name_section(line: str, name: str) -> str:
    if name.lower() in _CONDITIONS:
        return ""

    return line.strip()


def _make_includes(arguments: str, section: str, server_root: str) -> t.Iterator[Include]:
    for word in split_words(arguments):
        pattern = _VARIABLE.sub("*", word)
        yield Include(posixpath.join(server_root, pattern), section)


def find_reach(
    path: str, includes: t.Sequence[Include], *, read: t.Sequence[str], neighbours: t.Iterable[str]
) -> Reach:
    """Return whether Apache will read `path`, which it does not read yet.

    `read` are the files that it reads, the main one first, and `neighbours` the files in the folder of `path`.
    """
    present = set(neighbours) - {path}
    unread = present.difference(read)
    sections = set()
    for include in includes:
        # If Apache does not read an existing file, the condition around the directive does not hold.
        is_skipped = any(map(include.matches, unread))
        if include.matches(path) and not is_skipped:
            sections.add(include.section)

    if sections:
        return Reach(is_read=True, section=min(sections))

    unexplained = present.intersection(read[1:])
    for include in includes:
        unexplained = set(itertools.filterfalse(include.matches, unexplained))

    # A macro may include what no text shows.
    return Reach(is_read=bool(unexplained))
