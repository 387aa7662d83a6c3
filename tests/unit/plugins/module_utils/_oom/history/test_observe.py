# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the past that a journal shows."""

from __future__ import annotations

import collections
import pathlib
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._change_record import MESSAGE_IDS
from ansible_collections.oomguard.linux.plugins.module_utils._journal.journal import Journal
from ansible_collections.oomguard.linux.plugins.module_utils._journal.window import Extent
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.happenings import NEW_SESSION, PRESSURE
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.lives import RESOURCES
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.model import Kill, Past
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.observe import (
    find_timers,
    list_boots,
    observe_past,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.records import STARTED
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import BOOT, ZERO, Entry, Host, entry

DAY = 86_400
END_US = ZERO + DAY * 1_000_000
EXTENT = Extent(ZERO, END_US, 1, "", BOOT, {BOOT: END_US}, boot_begins={BOOT: ZERO})
KILL = Kill(ZERO + 9000 * 1_000_000, BOOT, "shop.service", "worker", "cgroup_limit")


def observe(entries: t.Sequence[Entry], kill: Kill = KILL) -> Past:
    return observe_past(Journal(Host(entries)), EXTENT, [kill], local=False)


def systemd(message_id: str, at: float, **fields: str) -> Entry:
    return entry("", at=at, MESSAGE_ID=message_id, _PID="1", **fields)


def test_runs_of_the_killed_unit_are_read() -> None:
    unit = {"UNIT": "shop.service"}
    past = observe(
        [
            systemd(STARTED, 100, INVOCATION_ID="i1", **unit),
            systemd(RESOURCES, 200, INVOCATION_ID="i1", MEMORY_PEAK="5", **unit),
            systemd(STARTED, 8000, INVOCATION_ID="i2", **unit),
            systemd(RESOURCES, 9001, INVOCATION_ID="i2", MEMORY_PEAK="9", **unit),
        ]
    )
    assert [(life.length_us, life.peak_bytes) for life in past.lives] == [(100_000_000, 5)]
    assert [(kill.age_us, kill.unit_peak_bytes) for kill in past.kills] == [(1_000_000_000, 9)]


def test_runs_are_not_those_that_another_program_invents() -> None:
    forged = systemd(STARTED, 100, INVOCATION_ID="i1", UNIT="shop.service")
    assert observe([{**forged, "_PID": "7"}]).kills == [KILL]


def test_happenings_of_few_are_all_known() -> None:
    login = {"MESSAGE_ID": NEW_SESSION, "USER_ID": "ada"}
    past = observe(
        [
            entry("(root) CMD (true)", at=50, _COMM="cron", _UID="0"),
            entry("", at=60, _SYSTEMD_UNIT="systemd-logind.service", **login),
            entry("", at=70, _SYSTEMD_UNIT="shop.service", **login),
        ]
    )
    assert [(happening.what, happening.name) for happening in past.happenings] == [("cron", "true"), ("login", "ada")]


KILLS = [KILL._replace(time_us=ZERO + hour * 3_600_000_000 + 1_000_000) for hour in range(2, 22, 3)]


def read_starts(*units: tuple[str, range]) -> dict[str, int]:
    """Return how often each unit is known to have been started, beside one that is started every minute."""
    starts = [systemd(STARTED, at, UNIT=f"{unit}.service") for unit, times in units for at in times]
    others = [systemd(STARTED, at, UNIT=f"job{at}.service") for at in range(0, DAY, 100)]
    entries = sorted([*starts, *others], key=lambda one: int(one["__REALTIME_TIMESTAMP"]))
    happenings = observe_past(Journal(Host(entries)), EXTENT, KILLS, local=False).happenings
    assert happenings
    return collections.Counter(happening.name.partition(".")[0] for happening in happenings)


def test_of_frequent_happenings_all_of_a_name_are_known_that_comes_before_many_kills() -> None:
    assert read_starts(("backup", range(0, DAY, 1800)))["backup"] == 48


def test_of_frequent_happenings_those_before_few_kills_are_known_only_there() -> None:
    times = range(7000, DAY, 30_000)
    assert read_starts(("seldom", times))["seldom"] == 1


def test_name_that_is_too_frequent_is_unknown() -> None:
    found = read_starts(("busy", range(0, DAY, 200)), ("backup", range(0, DAY, 1800)))
    assert found["busy"] == 0
    assert found["backup"] == 48


def test_pressure_is_what_systemd_says() -> None:
    lines = [
        entry(PRESSURE, at=at, _SYSTEMD_UNIT=f"{name}.service") for at, name in ((5, "systemd-journald"), (6, "x"))
    ]
    assert observe(lines).pressures_us == [ZERO + 5_000_000]


def test_kill_outside_of_units_needs_no_runs() -> None:
    kill = KILL._replace(unit="/jobs/7")
    assert observe([], kill).kills == [kill]


def test_boots_are_those_of_the_requested_part() -> None:
    ends = {"a": ZERO - 5, "b": ZERO + 5, "c": ZERO + 20}
    begins = {"a": ZERO - 9, "b": ZERO - 4, "c": ZERO + 9}
    extent = EXTENT._replace(boot_ends=ends, boot_begins=begins)
    assert list_boots(extent) == [(ZERO, ZERO + 5), (ZERO + 9, ZERO + 20)]


def test_timers_are_those_that_are_installed(tmp_path: pathlib.Path) -> None:
    for path in ("etc/systemd/system/a.timer", "usr/lib/systemd/system/b.timer", "usr/lib/systemd/system/c.service"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()

    assert find_timers(tmp_path) == {"a.timer", "b.timer"}


def make_change(at: float) -> Entry:
    fields = {"OOMGUARD_WHAT": "swap", "OOMGUARD_AFTER": "7", "_UID": "0", "_TRANSPORT": "journal"}
    return entry("Set swap to 7 B.", at=at, MESSAGE_ID=MESSAGE_IDS["swap"], **fields)


def test_changes_are_those_in_the_journal() -> None:
    assert [change.what for change in observe([make_change(50)]).modifications] == ["swap"]


@pytest.mark.parametrize(("earlier_us", "number"), [(0, 1), (1, 0)])
def test_changes_of_files_are_those_in_the_period(tmp_path: pathlib.Path, earlier_us: int, number: int) -> None:
    fstab = tmp_path / "etc/fstab"
    fstab.parent.mkdir()
    fstab.touch()
    extent = EXTENT._replace(last_us=fstab.stat().st_mtime_ns // 1000 - earlier_us)
    past = observe_past(Journal(Host([])), extent, [KILL], local=True, root=tmp_path)
    assert len(past.modifications) == number
