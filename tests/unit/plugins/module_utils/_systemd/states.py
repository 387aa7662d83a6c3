# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The systemd of the tests of planning and comparing: a unit with a drop-in of ours and a later one."""

from __future__ import annotations

import pathlib
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._systemd.dropin import (
    MARK,
    Settings,
    State,
    Wanted,
)

PATH = pathlib.Path("/etc/systemd/system/apache2.service.d/50-oomguard.conf")
CONTINUE: Settings = {"Service": {"OOMPolicy": ["continue"]}}
TEXT = f"{MARK}\n\n[Service]\nOOMPolicy=continue\n"
WANTED = Wanted(unit="apache2.service", settings=CONTINUE)
LATER = "/etc/systemd/system/apache2.service.d/60-site.conf"


def state(
    text: str | None = TEXT, *, later: str = "", properties: t.Mapping[str, str] | None = None, **fields: t.Any
) -> State:
    """Return what is observed: with nothing else said, our drop-in is there and in force."""
    return State(
        path=PATH,
        text=text,
        dropins=(*([(str(PATH), text)] if text else []), *([(LATER, later)] if later else [])),
        properties={"OOMPolicy": "continue", **(properties or {})},
        **fields,
    )
