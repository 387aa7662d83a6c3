# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The systemd.swap(5) units of managed files: their names and texts. Pure."""

from __future__ import annotations

import re
import typing as t

from .._mark import make_mark

MODULE = "swap"

# systemd.unit(5), "String Escaping for Inclusion in Unit Names".
_ESCAPED = re.compile(rb"^\.|[^A-Za-z0-9:_./]")


def build_unit_name(path: str) -> str:
    """Return the name of the unit for the swap file at `path`, as `systemd-escape --path` builds it."""
    plain = path.strip("/").encode("utf-8", "surrogateescape")
    escaped = _ESCAPED.sub(lambda match: b"\\x%02x" % ord(match.group()), plain)
    return f"{escaped.decode('ascii').replace('/', '-')}.swap"


def build_unit_text(path: str, priority: int | None, options: t.Sequence[str] = ()) -> str:
    """Return the text of the unit for the swap file at `path`. If the file is missing at boot, nothing waits for it."""
    lines = [
        make_mark(MODULE),
        "",
        "[Unit]",
        "Description=Swap file of oomguard.linux.swap",
        "",
        "[Swap]",
        # systemd.unit(5), "Specifiers".
        f"What={path.replace('%', '%%')}",
    ]
    if priority is not None:
        lines.append(f"Priority={priority}")
    if options:
        lines.append(f"Options={','.join(options).replace('%', '%%')}")
    lines += [
        "",
        "[Install]",
        "WantedBy=swap.target",
        "",
    ]

    return "\n".join(lines)
