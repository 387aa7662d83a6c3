# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of the recycler's installation: which steps each state needs."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._recycler.files import UNIT, UNIT_PATH
from ansible_collections.oomguard.linux.plugins.module_utils._recycler.install import (
    State,
    Wanted,
    make_plan,
    make_wanted,
)
from ansible_collections.oomguard.linux.plugins.module_utils._recycler.settings import make_settings
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._recycler.factories import VALUES

WANTED = make_wanted(make_settings(VALUES), python="/usr/bin/python3")
ABSENT = make_wanted(None, python="/usr/bin/python3")
RUNS = {"ActiveState": "active", "StatusText": f"{WANTED.version}: 4 workers", "NeedDaemonReload": "no"}
CONVERGED = State(WANTED.files, RUNS, enabled=True)
NOTHING = State(ABSENT.files, {"ActiveState": "inactive", "StatusText": "", "NeedDaemonReload": "no"}, enabled=False)
IMAGE = State(ABSENT.files, {}, enabled=False)


def steps(state: State, wanted: Wanted) -> list[str]:
    """Return the steps of a plan by name, in order."""
    plan = make_plan(state, wanted)
    done = [name for name in ("stop", "disable") if getattr(plan, name)]
    done += [f"{'remove' if text is None else 'write'} {path.name}" for path, text in plan.writes]
    return done + [name for name in ("reload", "enable", "restart") if getattr(plan, name)]


WRITES = ["write fcgid-recycler.pyz", "write fcgid-recycler.conf", f"write {UNIT}"]


@pytest.mark.parametrize(
    ("state", "wanted", "found"),
    [
        (NOTHING, WANTED, [*WRITES, "reload", "enable", "restart"]),
        (CONVERGED, WANTED, []),
        (IMAGE, WANTED, [*WRITES, "enable"]),
        (NOTHING, ABSENT, []),
        (
            CONVERGED,
            ABSENT,
            ["stop", "disable", "remove fcgid-recycler.pyz", "remove fcgid-recycler.conf", f"remove {UNIT}", "reload"],
        ),
        (State(WANTED.files, {**RUNS, "StatusText": "0123: 4 workers"}, enabled=True), WANTED, ["restart"]),
        (State(WANTED.files, {**RUNS, "ActiveState": "failed"}, enabled=True), WANTED, ["restart"]),
        (State(WANTED.files, {**RUNS, "NeedDaemonReload": "yes"}, enabled=True), WANTED, ["reload", "restart"]),
        (State(WANTED.files, RUNS, enabled=False), WANTED, ["enable"]),
        (
            State({**WANTED.files, UNIT_PATH: "edited"}, RUNS, enabled=True),
            WANTED,
            [f"write {UNIT}", "reload", "restart"],
        ),
    ],
    ids=[
        "new",
        "converged",
        "image",
        "absent already",
        "absent",
        "runs another version",
        "failed",
        "edited and put back",
        "not enabled",
        "edited",
    ],
)
def test_plan_has_the_steps_that_the_state_needs(state: State, wanted: Wanted, found: list[str]) -> None:
    assert steps(state, wanted) == found


def test_code_is_shown_as_its_checksum() -> None:
    assert make_plan(NOTHING, WANTED).diff[0]["after"].startswith("sha256 ")
