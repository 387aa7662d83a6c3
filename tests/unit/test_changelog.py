# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check the changelog fragments. They are reStructuredText, which does not have Ansible's documentation markup."""

from __future__ import annotations

import pathlib
import re

FRAGMENTS = pathlib.Path(__file__).parents[2] / "changelogs/fragments"


def test_fragments_have_no_documentation_markup() -> None:
    text = "\n".join(path.read_text() for path in FRAGMENTS.glob("*.yml"))
    assert re.findall(r"\b[A-Z]+\(.*?\)", text) == []
