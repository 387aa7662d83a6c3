# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the files and the commands that a document shows."""

from __future__ import annotations

import pathlib
import re

DOCS = pathlib.Path(__file__).parents[3] / "docs"

# A file is below a line that has its name and nothing else; commands stand alone, with no language.
_FILE = re.compile(r"^\*\*`([^`\n]+)`\*\*\n\n```[a-z]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"^```([a-z]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def read_files(document: str) -> dict[str, str]:
    """Return the texts of the files in a document, by name."""
    return dict(_FILE.findall(_read(document)))


def list_commands(document: str) -> list[str]:
    """Return the commands in a document, each as one line."""
    without_files = _FILE.sub("", _read(document))
    commands: list[str] = []
    for _language, text in _BLOCK.findall(without_files):
        commands += text.replace("\\\n", " ").splitlines()

    return commands


def _read(document: str) -> str:
    return (DOCS / document).read_text("utf-8")
