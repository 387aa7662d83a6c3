# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limit the memory of these tests, so that an endless read fails before the machine has no memory."""

from __future__ import annotations

import resource

import pytest

_MOST_MEMORY = 2 << 30


@pytest.fixture(scope="session", autouse=True)
def memory() -> None:
    """Limit this process. The programs that it starts inherit the limit."""
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    resource.setrlimit(resource.RLIMIT_DATA, (_MOST_MEMORY, hard))
