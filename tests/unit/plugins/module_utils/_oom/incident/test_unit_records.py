# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""systemd's records of units, in journals with one kill and with many."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.records import (
    EXITED,
    FAILED,
    OUT_OF_MEMORY,
    STARTED,
)
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.incident.factories import (
    KERNEL,
    OOM_KILL,
    follow_host,
    make_storm,
    make_systemd_entry,
)
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import (
    Entry,
    Host,
    entry,
    set_back,
)


def test_the_records_of_a_unit_are_read_once_for_all_its_kills() -> None:
    host = make_storm(40)
    follow_host(host)
    looks = [call for call in host.calls if "UNIT=apache2.service" in call]
    # By the clock, and in the one boot.
    assert len(looks) == 2


@pytest.mark.parametrize("between", [0, 100, 1000])
def test_the_failure_after_each_kill_is_found_among_other_records(between: int) -> None:
    kill = {"PRIORITY": "3", **KERNEL}
    systemd = {"_PID": "1", "UNIT": "apache2.service"}
    failed = {**systemd, "MESSAGE_ID": "d9b373ed55a64feb8242e02dbe79a49c", "UNIT_RESULT": "oom-kill"}
    noticed = {**systemd, "MESSAGE_ID": "fe6faa94e7774663a0da52717891d8ef"}
    started = {**systemd, "MESSAGE_ID": "39f53479d3a045ac8e11786248231fbf"}
    entries = []
    for begin in (1000, 100_000):
        entries += [entry(OOM_KILL, at=begin, **kill), entry("killed by the OOM killer", at=begin + 1, **noticed)]
        entries += [entry("result 'oom-kill'", at=begin + 2, **failed)]
        entries += [entry("started", at=begin + 100 + number, **started) for number in range(between + 1)]
    effects = [incident.effect for incident in follow_host(Host(entries)).incidents]
    assert [effect and effect.down_seconds for effect in effects] == [98.0, 98.0]


def main_process_killed(at: float) -> list[Entry]:
    exited = entry(
        "web.service: Main process exited, code=killed, status=9/KILL",
        at=at,
        _PID="1",
        UNIT="web.service",
        MESSAGE_ID=EXITED,
        EXIT_CODE="killed",
        EXIT_STATUS="9",
    )
    return [
        make_systemd_entry(OUT_OF_MEMORY, at - 0.1),
        exited,
        make_systemd_entry(FAILED, at + 0.1, UNIT_RESULT="signal"),
    ]


def test_the_kill_of_a_storm_that_ended_the_unit_is_found() -> None:
    kills = [
        entry(OOM_KILL.replace("process 7", f"process {100 + number}"), at=1000 + number * 0.4, PRIORITY="3", **KERNEL)
        for number in range(140)
    ]
    notices = [make_systemd_entry(OUT_OF_MEMORY, 1000.1 + number * 0.4) for number in range(139)]
    last = main_process_killed(1000.2 + 139 * 0.4)
    records = sorted([*kills, *notices, *last], key=lambda one: int(one["__MONOTONIC_TIMESTAMP"]))
    effect = follow_host(Host(records), limit=2).incidents[-1].effect
    assert effect is not None
    assert (effect.result, effect.stopped) == ("signal", True)


def test_a_failure_after_the_clock_was_set_back_is_found() -> None:
    kill = entry(OOM_KILL, at=1000, PRIORITY="3", **KERNEL)
    noticed, *later = [*main_process_killed(1000.2), make_systemd_entry(STARTED, 1003)]
    effect = follow_host(Host([*(set_back(one, 3600) for one in later), kill, noticed])).incidents[0].effect
    assert effect is not None
    assert (effect.result, effect.stopped, effect.down_seconds) == ("signal", True, 2.8)
