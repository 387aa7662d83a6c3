# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the history as plain data."""

from __future__ import annotations

import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._journal.journal import Journal
from ansible_collections.oomguard.linux.plugins.module_utils._journal.window import Extent
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.kinds import group_kills
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.lives import RESOURCES
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.model import Modification
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.result import build_kind, find_history
from ansible_collections.oomguard.linux.plugins.module_utils._oom.in_journal import Query, find_in_journal
from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.records import STARTED
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.history.factories import (
    EPOCH_US,
    HOUR_US,
    MIB,
    make_kill,
    make_past,
)
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import FIXTURES, Entry, Host, entry


def test_kind_has_its_number_and_its_first_and_last_time() -> None:
    kills = [make_kill(1), make_kill(3)]
    (kind,) = group_kills(kills)
    data = build_kind(kind, make_past(*kills), now_us=0)
    assert data["count"] == 2
    assert (data["first"], data["last"]) == ("2026-11-18T12:06:40.000000Z", "2026-11-18T14:06:40.000000Z")


def test_unknown_names_are_null() -> None:
    kill = make_kill(1, unit="", victim="")
    (kind,) = group_kills([kill])
    data = build_kind(kind, make_past(kill), now_us=0)
    assert (data["unit"], data["victim"]) == (None, None)


def test_change_is_judged() -> None:
    kills = [make_kill(hours) for hours in range(5, 500, 40)]
    swap = Modification(EPOCH_US + 500 * HOUR_US, "swap", "4294967296", "10737418240", "oomguard")
    (kind,) = group_kills(kills)
    (since,) = build_kind(kind, make_past(*kills, modifications=[swap]), now_us=0)["since"]
    assert (since["verdict"], since["chance"] < 0.001) == ("fewer", True)
    assert since["sentence"].startswith("0 kills in 21 days since swap went from 4.0 GiB to 10.0 GiB, after 13 kills")
    assert since["after"] == {"kills": 0, "occasions": 0, "up_seconds": 500 * 3600}
    assert since["changes"] == [
        {
            "time": "2026-12-09T07:06:40.000000Z",
            "what": "swap",
            "before": "4294967296",
            "after": "10737418240",
            "by": "oomguard",
            "unit": None,
        }
    ]


LOG = (FIXTURES / "trixie-6.12-memcg.log").read_text("utf-8")
VICTIM_UNIT = "hog-1795452804.service"
PEAK = 40 * MIB
STOPS = (2, 3, 5, 8, 13, 17)


def make_run(unit: str, begin: float, hours: float, peak: int, *, killed: bool) -> list[Entry]:
    """Return what the kernel and systemd log of one run of a unit, from some hours after the boot on."""
    end = (begin + hours) * 3600
    systemd = {"_PID": "1", "_SYSTEMD_UNIT": "init.scope", "UNIT": unit, "INVOCATION_ID": f"{unit}-{begin}"}
    started = entry("Started.", at=begin * 3600, MESSAGE_ID=STARTED, **systemd)
    ended = entry("Consumed.", at=end + 2, MESSAGE_ID=RESOURCES, MEMORY_PEAK=str(peak), **systemd)
    if not killed:
        return [started, ended]

    lines = [line.partition("] ")[2] for line in LOG.replace(VICTIM_UNIT, unit).splitlines()]
    kernel = {"_TRANSPORT": "kernel", "SYSLOG_FACILITY": "0", "PRIORITY": "3"}
    report = [entry(line, at=end + number / 1000, **kernel) for number, line in enumerate(lines)]
    return [started, *report, ended]


def tell_growth(unit: str, runs: t.Iterable[tuple[float, int, bool]]) -> dict[str, t.Any]:
    """Return the growth of a unit with runs of these lengths and peaks, the last ones of which were killed."""
    entries: list[Entry] = []
    for number, (hours, peak, killed) in enumerate(runs):
        entries += make_run(unit, number * 30, hours, peak, killed=killed)

    query = Query(history=True, directory="/nonexistent")
    (kind,) = find_in_journal(query, Host(entries))["history"]["kinds"]
    assert (kind["unit"], kind["victim"], kind["cause"], kind["count"]) == (unit, "python3", "cgroup_limit", 3)
    return dict(kind["growth"])


def test_leak_is_found_in_a_journal() -> None:
    stops = [(hours, (10 + hours) * MIB, False) for hours in STOPS]
    growth = tell_growth("shop.service", [*stops, *[(30 - 1e-3, PEAK, True)] * 3])
    assert (growth["verdict"], growth["bytes_per_hour"]) == ("leak", MIB)


def test_spike_is_found_in_a_journal() -> None:
    stops = [(hours, (10 + hours % 3) * MIB, False) for hours in STOPS]
    growth = tell_growth("shop.service", [*stops, *[(hours, PEAK, True) for hours in (1, 6, 3)]])
    assert growth["verdict"] == "spike"


def test_number_of_kinds_is_bounded() -> None:
    kills = [make_kill(number, victim=f"x{number}") for number in range(103)]
    extent = Extent(EPOCH_US, EPOCH_US + 200 * HOUR_US, 1, "", "b1", {})
    history = find_history(Journal(Host([])), extent, kills, now_us=0, local=False)
    assert (len(history["kinds"]), history["other_kinds"]) == (100, 3)
