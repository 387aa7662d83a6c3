# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of the module fcgid_recycler."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._change_record import Setting
from ansible_collections.oomguard.linux.plugins.module_utils._recycler.files import UNIT
from ansible_collections.oomguard.linux.plugins.module_utils._recycler.install import State, make_plan, make_wanted
from ansible_collections.oomguard.linux.plugins.module_utils._recycler.result import build_result, list_bounds
from ansible_collections.oomguard.linux.plugins.module_utils._recycler.settings import make_settings, render
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


def test_bounds_are_listed_in_bytes() -> None:
    scripts = [{"script": "/srv/shop", "user": None, "limit": "1G", "hard_limit": None}]
    settings = make_settings({**VALUES, "limit": "500M", "hard_limit": None, "scripts": scripts})
    assert list_bounds(render(settings)) == [
        Setting("limit", UNIT, 500 << 20),
        Setting("hard_limit", UNIT),
        Setting("limit", "/srv/shop", 1 << 30),
        Setting("hard_limit", "/srv/shop"),
    ]


@pytest.mark.parametrize("configuration", ["", "[recycler", "[recycler]\nlimit = a lot\n"])
def test_unreadable_configuration_has_no_bounds(configuration: str) -> None:
    assert list_bounds(configuration) == []
