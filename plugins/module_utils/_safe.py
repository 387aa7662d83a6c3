# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make text that others chose inert: the names of processes, cgroups, units and files."""

from __future__ import annotations

import re
import typing as t
import unicodedata

# Control and format characters (bidirectional overrides among them), line and paragraph separators, lone surrogates.
_UNSAFE_CATEGORIES = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
_TEMPLATE_START = re.compile(r"\{(?=[{%#])")


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
