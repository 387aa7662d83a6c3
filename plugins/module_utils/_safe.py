# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make text that others chose inert: the names of processes, cgroups, units and files."""

from __future__ import annotations

import functools
import re
import typing as t
import unicodedata

# Control and format characters (bidirectional overrides among them), line and paragraph separators, lone surrogates.
_UNSAFE_CATEGORIES = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
_TEMPLATE_START = re.compile(r"\{(?=[{%#])")
_JINJA_HEADER = "#jinja2:"
_INERT_TYPES = frozenset((bool, int, float, type(None)))


def neutralise(text: str | bytes, *, limit: int = 1024) -> str:
    r"""Return `text` in a form on which no terminal, template engine or log viewer acts.

    Users choose the names of processes, cgroups and units, and these reach the kernel's log and the journal verbatim.
    Undecodable bytes, control and format characters become `\xNN` or `\uNNNN`. The starts of Jinja templates and a
    leading `#jinja2:` are broken. Text beyond `limit` characters is cut off and replaced by a mark.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "backslashreplace")
    # Every string of every result passes here, and most need no change: this one test is quick.
    if len(text) <= limit and "{" not in text and text[:1] != "#" and text.isprintable():
        return text

    safe = text[:limit]
    if not safe.isprintable():
        safe = "".join(map(_escape, safe))
    safe = _TEMPLATE_START.sub(r"\\x7b", safe)
    if safe.lower().startswith(_JINJA_HEADER):
        safe = f"\\x23{safe[1:]}"

    cut = len(text) - limit
    if cut > 0:
        return f"{safe}... ({cut} more)"

    return safe


def make_diff(name: str, before: str | None, after: str | None) -> dict[str, str]:
    r"""Return the text called `name` before and after a change, as Ansible shows it. None is shown as no text.

    Bytes that are not UTF-8 become `\xNN`, since Ansible does not accept a result that contains them.
    """
    return {
        "before_header": name,
        "after_header": name,
        "before": _escape_surrogates(before),
        "after": _escape_surrogates(after),
    }


def neutralise_all(value: t.Any) -> t.Any:
    """Return plain data (as JSON knows it) with every string in it neutralised, including the keys of mappings."""
    # A result can have tens of thousands of values. To compare exact types is several times faster than isinstance().
    kind = type(value)
    if kind in _INERT_TYPES:
        return value
    if kind is dict:
        return {_neutralise_key(key): neutralise_all(item) for key, item in value.items()}
    if isinstance(value, (str, bytes)):
        return neutralise(value)
    if isinstance(value, (list, tuple)):
        return [neutralise_all(item) for item in value]
    if isinstance(value, (int, float)):
        return value

    return neutralise_all(dict(value.items()))


@functools.lru_cache(maxsize=1024, typed=True)
def _neutralise_key(key: object) -> t.Any:
    """Return a key of a mapping neutralised. Most keys of a result occur many times."""
    return neutralise_all(key)


def _escape(character: str) -> str:
    if unicodedata.category(character) not in _UNSAFE_CATEGORIES:
        return character

    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    if code < 0x10000:
        return f"\\u{code:04x}"

    return f"\\U{code:08x}"


def _escape_surrogates(text: str | None) -> str:
    if text is None:
        return ""

    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
