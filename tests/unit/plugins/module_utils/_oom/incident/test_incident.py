# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An incident: its kill line, its place and its key."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.cgroup import Place
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.incident import KillTime, build_incident
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import Line, OomReport, Origin, Victim

FIRST = Line("hog invoked oom-killer", monotonic_us=1, cursor="12", origin=Origin("b"))
KILL = Line("Killed process 7 (hog)", monotonic_us=2, cursor="34", origin=Origin("b"))
LAST = Line("oom_reaper: reaped process 7 (hog)", monotonic_us=3, cursor="56", origin=Origin("b"))
REPORT = OomReport(first=FIRST, last=LAST, kill=KILL, victims=(Victim("hog", 7),), cgroup="/system.slice/a.service")


def test_an_incident_is_at_its_kill_line() -> None:
    assert build_incident(REPORT).at == KILL


def test_an_incident_without_a_kill_line_is_at_its_last_line() -> None:
    assert build_incident(REPORT._replace(kill=None)).at == LAST


def test_an_incident_has_the_time_of_its_kill_line() -> None:
    kill = KILL._replace(realtime_us=5)
    assert build_incident(REPORT._replace(kill=kill)).time == KillTime("b", 5, 2)


def test_what_a_line_does_not_show_of_the_time_is_empty_or_zero() -> None:
    assert build_incident(REPORT._replace(kill=Line("Killed process 7 (hog)"))).time == KillTime("", 0, 0)


def test_the_victims_are_named_in_order() -> None:
    victims = (Victim("hog", 7), Victim("cat", 8), Victim("hog", 9))
    assert build_incident(REPORT._replace(victims=victims)).victim_names == ["hog", "cat", "hog"]


def test_an_incident_has_the_place_of_its_cgroup() -> None:
    assert build_incident(REPORT).place == Place(unit="a.service", slice="system.slice")


@pytest.mark.parametrize(
    ("log", "victims", "key"),
    [
        (None, REPORT.victims, "b-2-7"),
        ("/srv/kern.log", REPORT.victims, "/srv/kern.log-34-7"),
        (None, (), "b-2-0"),
    ],
    ids=["journal", "text log", "no victim"],
)
def test_the_key_identifies_a_kill(log: str | None, victims: tuple[Victim, ...], key: str) -> None:
    assert build_incident(REPORT._replace(victims=victims), log=log).key == key
