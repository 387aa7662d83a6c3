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
_INERT_TYPES: frozenset[type] = frozenset((bool, int, float, type(None)))


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
    (inert,) = _neutralise_items((value,))
    return inert


def _neutralise_items(items: t.Iterable[t.Any]) -> list[t.Any]:
    # A result can have tens of thousands of values. Looking up the exact type is much faster than isinstance().
    return [_CONVERTERS.get(type(item), _neutralise_other)(item) for item in items]


def _neutralise_mapping(mapping: dict[t.Any, t.Any]) -> dict[t.Any, t.Any]:
    keys = tuple(mapping)
    inert_keys = _neutralise_keys(keys)
    # Most mappings of a large result are pairs of numbers, such as limits. They are not copied.
    has_only_numbers = _INERT_TYPES.issuperset(map(type, mapping.values()))
    if has_only_numbers and inert_keys == keys:
        return mapping

    inert_values = _neutralise_items(mapping.values())
    return dict(zip(inert_keys, inert_values))


@functools.lru_cache(maxsize=256)
def _neutralise_keys(keys: tuple[t.Any, ...]) -> tuple[t.Any, ...]:
    """Return the keys of a mapping neutralised, and all different. Most sets of keys in a result occur many times."""
    inert = _neutralise_items(keys)
    if len(set(inert)) == len(inert):
        return tuple(inert)

    return tuple(_tell_apart(inert))


def _tell_apart(keys: t.Iterable[t.Any]) -> t.Iterator[t.Any]:
    """Yield the keys, and those that have occurred before with a number."""
    numbers: dict[t.Any, int] = {}
    used = set(keys)
    for key in keys:
        number = numbers.get(key, 0) + 1
        numbered = key
        while number > 1 and numbered in used:
            numbered = f"{key} ({number})"
            number += 1
        numbers[key] = max(number - 1, 1)
        used.add(numbered)
        yield numbered


def _keep(value: t.Any) -> t.Any:
    return value


def _neutralise_other(value: t.Any) -> t.Any:
    """Return a value neutralised whose type is derived from one in _CONVERTERS, or is another mapping."""
    for base, convert in _CONVERTERS.items():
        if isinstance(value, base):
            return convert(value)

    return _neutralise_mapping(dict(value.items()))


_CONVERTERS: dict[type, t.Callable[[t.Any], t.Any]] = {
    str: neutralise,
    bytes: neutralise,
    dict: _neutralise_mapping,
    list: _neutralise_items,
    tuple: _neutralise_items,
    **dict.fromkeys(_INERT_TYPES, _keep),
}


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
