# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fragments of the changelog are reStructuredText, which knows nothing of the markup of documentation."""

from __future__ import annotations

import pathlib
import re

FRAGMENTS = pathlib.Path(__file__).parents[2] / "changelogs/fragments"


def test_fragments_have_no_markup_of_documentation() -> None:
    text = "\n".join(path.read_text() for path in FRAGMENTS.glob("*.yml"))
    assert re.findall(r"\b[A-Z]+\(.*?\)", text) == []
