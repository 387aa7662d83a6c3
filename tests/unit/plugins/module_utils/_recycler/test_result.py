# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of the module fcgid_recycler."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._recycler.files import UNIT
from ansible_collections.oomguard.linux.plugins.module_utils._recycler.install import State, make_plan, make_wanted
from ansible_collections.oomguard.linux.plugins.module_utils._recycler.result import build_result
from ansible_collections.oomguard.linux.plugins.module_utils._recycler.settings import make_settings
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._recycler.factories import VALUES

WANTED = make_wanted(make_settings(VALUES), python="/usr/bin/python3")
STATUS = f"{WANTED.version}: 4 workers"


@pytest.mark.parametrize(
    ("active", "status", "restarted"), [("active", STATUS, False), ("failed", None, True)], ids=["runs", "failed"]
)
def test_result_has_the_status_of_a_running_service(active: str, status: str | None, *, restarted: bool) -> None:
    state = State(WANTED.files, {"ActiveState": active, "StatusText": STATUS}, enabled=True)
    assert build_result(state, make_plan(state, WANTED)) == {
        "unit": UNIT,
        "active": active == "active",
        "status": status,
        "restarted": restarted,
    }
