# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of all tests of the journal."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._journal.factories import unpack_journal


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """Hold two journal files, captured on bullseye and trixie."""
    for name in ("bullseye", "trixie"):
        unpack_journal(name, tmp_path / f"{name}.journal")
    return tmp_path
