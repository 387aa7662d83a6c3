# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes in words and numbers, and the one neutraliser of text that others could have written."""

from __future__ import annotations

import decimal
import re
import typing as t
import unicodedata

from ansible_collections.oomguard.linux.plugins.module_utils._errors import OomguardError

_UNITS = {"": 1, "B": 1}
for _power, _letter in enumerate("KMGTPE", start=1):
    _UNITS[_letter] = _UNITS[f"{_letter}IB"] = 1024**_power
    _UNITS[f"{_letter}B"] = 1000**_power

# No process runs in less; a limit below it has lost its unit.
_LEAST_LIMIT = 1024**2

_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([A-Z]{0,3})", re.IGNORECASE)

# Control and format characters (bidirectional overrides among them), line and paragraph separators, lone surrogates.
_UNSAFE_CATEGORIES = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
_TEMPLATE_START = re.compile(r"\{(?=[{%#])")


class SizeError(OomguardError):
    """A text is not a size."""


def parse_size(text: str | int) -> int:
    """Return the bytes that `text` stands for.

    `10G` and `10GiB` are binary (1024 to the power of 3), `10GB` is decimal (1000 to the power of 3), a plain number
    is bytes; K, M, G, T, P and E in either case; a fraction is fine where it comes to whole bytes (`1.5G`).
    Raises SizeError.
    """
    match = _SIZE.fullmatch(str(text).strip())
    factor = _UNITS.get(match.group(2).upper()) if match else None
    size = decimal.Decimal(match.group(1)) * factor if match and factor else None
    if size is None or size != int(size):
        raise SizeError(
            f"{neutralise(str(text), limit=64)!r} is not a size.",
            hint="Write a number of bytes, or one with a unit such as 512M, 10G, 10GiB (binary) or 10GB (decimal).",
        )
    return int(size)


def parse_limit(text: str | int, *, of: str) -> int:
    """Return the bytes of a limit of memory, as parse_size() does. Raises SizeError, also for what is too little."""
    size = parse_size(text)
    refuse_tiny(of, str(text).strip(), size)
    return size


def refuse_tiny(limit: str, text: str, size: int) -> None:
    """Raise SizeError where `limit`, written as `text`, is of fewer bytes than any process needs."""
    if size < _LEAST_LIMIT:
        raise SizeError(
            f"{limit} is {size} bytes, and no process runs in so little.",
            hint=f"Did you mean {text}M?" if text.isdigit() and size else f"Give {format_size(_LEAST_LIMIT)} or more.",
        )


def format_size(size: int) -> str:
    """Return `size` bytes as people read it, in binary units: `836.0 MiB`, `0 B`."""
    value, unit = float(size), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB", "PiB"):
        if abs(value) < 1024 or unit == "PiB":
            break
        value /= 1024
    return f"{size} B" if unit == "B" else f"{value:.1f} {unit}"


def neutralise(text: str | bytes, *, limit: int = 1024) -> str:
    r"""Return `text` so that neither a terminal, a template engine nor a log viewer acts on it.

    Users choose the names of processes, cgroups and units, and these reach the kernel's log and the journal verbatim.
    Undecodable bytes, control and format characters become `\xNN` or `\uNNNN`, the starts of Jinja templates are
    broken, so is a leading `#jinja2:` line, and what is longer than `limit` characters is cut with a mark.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "backslashreplace")
    if len(text) <= limit and "{" not in text and text[:1] != "#" and text.isprintable():
        return text
    cut = len(text) - limit
    safe = text[:limit]
    if not safe.isprintable():
        safe = "".join(_escaped(character) for character in safe)
    safe = _TEMPLATE_START.sub(r"\\x7b", safe)
    if safe.lower().startswith("#jinja2:"):
        safe = f"\\x23{safe[1:]}"
    return f"{safe}... ({cut} more)" if cut > 0 else safe


def difference(name: str, before: str, after: str) -> dict[str, str]:
    r"""Return the text called `name` before and after a change, as Ansible shows it.

    Bytes that are no UTF-8 become `\xNN`, since Ansible takes no result that holds them.
    """
    shown = [text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace") for text in (before, after)]
    return {"before_header": name, "after_header": name, "before": shown[0], "after": shown[1]}


def neutralise_all(value: t.Any) -> t.Any:
    """Return plain data (as JSON knows it) with every string in it neutralised, keys of mappings too."""
    # Most values are numbers, and of a mapping Python is slow to tell that it is one.
    if value is None or isinstance(value, (int, float)):
        return value
    if isinstance(value, (str, bytes)):
        return neutralise(value)
    if isinstance(value, (list, tuple)):
        return [neutralise_all(item) for item in value]
    return {neutralise_all(key): neutralise_all(item) for key, item in value.items()}


def _escaped(character: str) -> str:
    if unicodedata.category(character) not in _UNSAFE_CATEGORIES:
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
