# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the module systemd_dropin against its result."""

from __future__ import annotations

from ansible_collections.oomguard.linux.plugins.module_utils._systemd.plan import make_plan
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.result import build_result
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.wanted import parse_wanted
from ansible_collections.oomguard.linux.plugins.modules.systemd_dropin import RETURN
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._systemd.factories import PARAMS, state
from ansible_collections.oomguard.linux.tests.unit.plugins.modules.documented import (
    documented,
    documented_always,
    returned,
)


def test_returned_keys_are_documented() -> None:
    wanted = parse_wanted(PARAMS)
    found = state(later="[Service]\nOOMPolicy=stop\n", properties={"OOMPolicy": "stop"})
    assert returned(build_result(found, make_plan(found, wanted), wanted), documented(RETURN)) == documented(RETURN)


def test_keys_that_are_always_returned_are_documented_so() -> None:
    wanted, found = parse_wanted({**PARAMS, "state": "absent"}), state(booted=False)
    assert set(build_result(found, make_plan(found, wanted), wanted)) == documented_always(RETURN)
