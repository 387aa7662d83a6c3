# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the verdict on growth."""

from __future__ import annotations

from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.growth import judge_growth
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.history.factories import (
    make_kill,
    make_past,
)


def test_one_kill_alone_tells_nothing() -> None:
    kill = make_kill(1)
    assert judge_growth([kill], make_past(kill)).verdict == "cannot_tell"
