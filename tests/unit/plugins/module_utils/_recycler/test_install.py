# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recycler's installation: what is to be done in which state, and that it is done and looked at."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._command import Completed
from ansible_collections.oomguard.linux.plugins.module_utils._recycler.files import UNIT, UNIT_PATH
from ansible_collections.oomguard.linux.plugins.module_utils._recycler.install import (
    Host,
    State,
    Wanted,
    make_plan,
    wanted_for,
)
from ansible_collections.oomguard.linux.plugins.module_utils._recycler.settings import RecyclerError, settings_from
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._recycler.test_settings import VALUES

WANTED = wanted_for(settings_from(VALUES), python="/usr/bin/python3")
ABSENT = wanted_for(None, python="/usr/bin/python3")
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
        "runs with something else",
        "failed",
        "edited and put back",
        "not enabled",
        "edited",
    ],
)
def test_plan(state: State, wanted: Wanted, found: list[str]) -> None:
    assert steps(state, wanted) == found


def test_the_difference_of_the_code_is_its_checksum() -> None:
    assert make_plan(NOTHING, WANTED).diff[0]["after"].startswith("sha256 ")


class Systemd:
    """A systemctl that remembers what it was told, and what its unit is like."""

    def __init__(self, root: pathlib.Path, *, status: str = f"{WANTED.version}: ready", fails: str = "") -> None:
        self.told: list[str] = []
        self._root, self._status, self._fails = root, status, fails
        self._active = "inactive"
        (root / "run/systemd/system").mkdir(parents=True)

    def __call__(self, argv: t.Sequence[str], **_options: t.Any) -> Completed:
        words = [word for word in argv[1:] if not word.startswith("--")]
        link = self._root / "etc/systemd/system/multi-user.target.wants" / UNIT
        if words[0] == "show":
            text = f"ActiveState={self._active}\nStatusText={self._status}\nNeedDaemonReload=no\nResult=success\n"
            return Completed(tuple(argv), 0, text, "")
        self.told.append(words[0])
        if words[0] == self._fails:
            return Completed(tuple(argv), 1, "", "it timed out")
        if words[0] == "enable":
            link.parent.mkdir(parents=True)
            link.symlink_to(UNIT)
        elif words[0] == "disable":
            link.unlink()
        self._active = {"restart": "active", "stop": "inactive"}.get(words[0], self._active)
        return Completed(tuple(argv), 0, "", "")


def converge(host: Host, wanted: Wanted) -> State:
    host.apply(make_plan(host.observe(), wanted))
    return host.verify(wanted)


def test_it_is_set_up_and_taken_away(tmp_path: pathlib.Path) -> None:
    systemd = Systemd(tmp_path)
    host = Host(systemd, tmp_path)
    assert converge(host, WANTED).files == WANTED.files
    assert not make_plan(host.observe(), WANTED).changed
    assert converge(host, ABSENT).files == ABSENT.files
    assert systemd.told == ["daemon-reload", "enable", "restart", "stop", "disable", "daemon-reload"]


def test_a_service_that_does_not_start_is_an_error(tmp_path: pathlib.Path) -> None:
    host = Host(Systemd(tmp_path, fails="restart"), tmp_path)
    with pytest.raises(RecyclerError) as caught:
        converge(host, WANTED)
    assert str(caught.value) == (
        f"Could not restart {UNIT}: systemctl ended with status 1 (it timed out). Look at `journalctl --unit {UNIT}`."
    )


def test_a_service_that_runs_with_something_else_is_an_error(tmp_path: pathlib.Path) -> None:
    host = Host(Systemd(tmp_path, status="0123: ready"), tmp_path)
    with pytest.raises(RecyclerError) as caught:
        converge(host, WANTED)
    assert str(caught.value) == (
        f"{UNIT} is not in force as it was set up (ActiveState=active, StatusText=0123: ready, NeedDaemonReload=no,"
        f" Result=success). Look at `journalctl --unit {UNIT}`."
    )
