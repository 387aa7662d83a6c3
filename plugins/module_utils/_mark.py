# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first line of every file that a module of this collection writes, by which it knows the file again."""

from __future__ import annotations


def make_mark(module: str) -> str:
    """Return the first line of a file that `module` (such as `swap`) writes, as a comment."""
    return f"{_make_prefix(module)}. Changes made by hand are lost."


def has_mark(text: str, module: str) -> bool:
    """Return whether a file with this text was written by `module`."""
    return text.startswith((f"{_make_prefix(module)}.", f"{_make_prefix(module)};"))


def _make_prefix(module: str) -> str:
    return f"# Managed by oomguard.linux.{module}"
