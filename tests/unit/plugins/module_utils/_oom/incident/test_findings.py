# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way from a journal to findings, over the records of real kills on bullseye and trixie."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._command import CommandError, Completed
from ansible_collections.oomguard.linux.plugins.module_utils._journal.journal import Journal
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.findings import Findings, follow
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.incident import Incident
from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.records import (
    EXITED,
    FAILED,
    OUT_OF_MEMORY,
    STARTED,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.search import search
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import (
    BOOT,
    Entry,
    Host,
    captured,
    done,
    entry,
    set_back,
)

KERNEL = {"_TRANSPORT": "kernel", "SYSLOG_FACILITY": "0", "SYSLOG_IDENTIFIER": "kernel"}


OOM_KILL = (
    "Out of memory: Killed process 7 (hog) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB, UID:0 "
    "pgtables:8kB oom_score_adj:0"
)


def searched(host: Host, *, limit: int = 100, local: bool = True) -> Findings:
    journal = Journal(host)
    traces = search(journal)
    assert traces
    return follow(journal, traces, host, limit=limit, local=local, page_size=4096, persistent=True)


def by_unit(name: str) -> dict[str | None, Incident]:
    return {incident.place.unit: incident for incident in searched(Host(captured(name))).incidents}


@pytest.mark.parametrize(
    ("release", "units"),
    [
        ("bullseye", ["w-continue.service", "w-kill.service", "apache2.service"]),
        ("trixie", ["m-continue.service", "w-stop.service", "w-restart.service"]),
        ("trixie-apache", ["apache2.service"]),
    ],
)
def test_every_kill_is_found_once_and_in_its_order(release: str, units: list[str]) -> None:
    assert [incident.place.unit for incident in searched(Host(captured(release))).incidents] == units


@pytest.mark.parametrize("release", ["bullseye", "trixie", "trixie-apache"])
def test_every_report_is_whole(release: str) -> None:
    assert all(incident.report.complete for incident in searched(Host(captured(release))).incidents)


@pytest.mark.parametrize(
    ("release", "unit", "expected"),
    [
        ("bullseye", "apache2.service", ("oom-kill", True, False, None)),
        ("bullseye", "w-continue.service", (None, False, False, None)),
        ("bullseye", "w-kill.service", ("oom-kill", True, False, None)),
        ("trixie-apache", "apache2.service", ("oom-kill", True, False, None)),
        ("trixie", "w-stop.service", ("oom-kill", True, False, None)),
        ("trixie", "w-restart.service", ("oom-kill", True, True, 1.085)),
        ("trixie", "m-continue.service", ("signal", True, False, None)),
    ],
)
def test_what_became_of_each_unit(release: str, unit: str, expected: tuple[object, ...]) -> None:
    effect = by_unit(release)[unit].effect
    assert effect is not None
    assert (effect.result, effect.stopped, effect.restarted, effect.down_seconds) == expected


@pytest.mark.parametrize(
    ("release", "units"),
    [
        ("bullseye", ("apache2.service", "w-kill.service")),
        ("trixie", ("m-continue.service", "w-restart.service", "w-stop.service")),
    ],
)
def test_the_units_that_were_taken_down(release: str, units: tuple[str, ...]) -> None:
    assert searched(Host(captured(release))).units_taken_down == units


def test_the_reaper_comes_after_the_kill_line() -> None:
    assert [victim.reaped for victim in by_unit("trixie-apache")["apache2.service"].report.victims] == [True]


def test_a_killed_group_is_one_incident() -> None:
    assert [victim.name for victim in by_unit("bullseye")["w-kill.service"].report.victims] == [
        "python3",
        "hog.sh",
        "sleep",
    ]


def test_kills_that_stand_close_are_read_at_once() -> None:
    host = Host(captured("bullseye"))
    searched(host)
    windows = [call for call in host.calls if {"_TRANSPORT=kernel", "SYSLOG_FACILITY=0", f"_BOOT_ID={BOOT}"} <= {*call}]
    assert len(windows) == 2


@pytest.mark.parametrize("limit", [0, 1, 2, 3])
def test_beyond_the_limit_kills_are_still_counted(limit: int) -> None:
    findings = searched(Host(captured("bullseye")), limit=limit)
    assert (len(findings.incidents), len(findings.incidents) + len(findings.older) >= 3) == (limit, True)


def test_the_newest_are_within_the_limit() -> None:
    assert [incident.place.unit for incident in searched(Host(captured("bullseye")), limit=1).incidents] == [
        "apache2.service"
    ]


def test_a_kill_that_took_a_service_down_is_not_lost_among_many_that_did_not() -> None:
    systemd = {"_PID": "1", "UNIT": "apache2.service", "MESSAGE_ID": "d9b373ed55a64feb8242e02dbe79a49c"}
    kills = [entry(OOM_KILL, at=at, PRIORITY="3", **KERNEL) for at in (1, 1000, 2000, 3000)]
    failed = entry("result 'oom-kill'", at=1002, UNIT_RESULT="oom-kill", **systemd)
    findings = searched(Host([*kills, failed]), limit=2)
    assert [(incident.at.monotonic_us or 0) // 1_000_000 for incident in findings.incidents] == [1000, 3000]
    assert [(incident.at.monotonic_us or 0) // 1_000_000 for incident in findings.older] == [1, 2000]


def test_of_an_older_kill_systemd_names_the_unit() -> None:
    older = searched(Host(captured("trixie")), limit=2).older
    assert [incident.place.unit for incident in older] == ["m-continue.service"]


@pytest.mark.parametrize(
    ("policies", "local", "policy"),
    [({"apache2.service": "continue"}, True, "continue"), ({}, True, None), ({"apache2.service": "stop"}, False, None)],
    ids=["in force", "gone", "of another host"],
)
def test_the_policy_is_asked_of_the_host_alone(policies: dict[str, str], local: bool, policy: str | None) -> None:
    effect = searched(Host(captured("bullseye"), policies), local=local).incidents[-1].effect
    assert effect is not None
    assert effect.oom_policy == policy


def test_of_a_unit_that_is_still_stopping_it_cannot_be_told_that_it_stayed_up() -> None:
    host = Host([entry(OOM_KILL, at=1000, PRIORITY="3", **KERNEL), systemd_says(OUT_OF_MEMORY, 1000.1)])
    host.entries.append(entry("something else", at=1200))
    host.answers["--property"] = done("Id=web.service\nLoadState=loaded\nActiveState=deactivating\nOOMPolicy=stop\n")
    effect = searched(host).incidents[0].effect
    assert effect is not None
    assert (effect.oom_policy, effect.stopped) == ("stop", None)


def test_without_systemctl_the_policy_is_unknown() -> None:
    class NoSystemctl(Host):
        def __call__(self, argv: t.Sequence[str], **options: t.Any) -> Completed:
            if argv[0] == "systemctl":
                raise CommandError("Could not run systemctl: No such file or directory.")
            return super().__call__(argv, **options)

    effect = searched(NoSystemctl(captured("bullseye"))).incidents[-1].effect
    assert effect is not None
    assert (effect.oom_policy, effect.gone) == (None, False)


def test_no_kill_is_a_success() -> None:
    findings = searched(Host([entry("usb 1-1: new device", at=1, PRIORITY="6", **KERNEL)]))
    assert (findings.incidents, findings.coverage.complete) == ((), True)


def test_a_kill_without_a_report_is_found() -> None:
    kill = (
        "Out of memory: Killed process 7 (hog) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB, UID:0 "
        "pgtables:8kB oom_score_adj:0"
    )
    findings = searched(Host([entry(kill, at=1, PRIORITY="3", **KERNEL)]))
    assert [(incident.report.victims[0].name, incident.report.complete) for incident in findings.incidents] == [
        ("hog", False)
    ]


def test_a_kill_line_that_cannot_be_read_is_counted() -> None:
    coverage = searched(Host([entry("Out of memory: Killed process 7 (ho", at=1, PRIORITY="3", **KERNEL)])).coverage
    assert (coverage.unparsed, coverage.complete) == (1, False)


def test_a_kill_by_a_policy_is_found() -> None:
    kill = OOM_KILL.replace("Out of memory", "bpf systemd-oomd policy")
    (incident,) = searched(Host([entry(kill, at=1, PRIORITY="3", **KERNEL)])).incidents
    assert (incident.report.victims[0].name, incident.report.scope) == ("hog", "unknown")


@pytest.mark.parametrize(
    ("text", "unparsed"),
    [
        (f"a policy: of the house: {OOM_KILL}", 1),
        ("Tasks state (memory values in pages):", 0),
        ("Out of memory and no killable processes...", 0),
    ],
    ids=["kill", "table", "nobody to kill"],
)
def test_a_kill_that_nothing_comes_of_is_counted(text: str, unparsed: int) -> None:
    coverage = searched(Host([entry(text, at=1, PRIORITY="3", **KERNEL)])).coverage
    assert (coverage.unparsed, coverage.complete) == (unparsed, not unparsed)


def test_a_killer_outside_the_kernel_is_heard() -> None:
    text = 'sending SIGTERM to process 7 uid 1000 "hog": oom_score 900, oom_score_adj 0, VmRSS 900 MiB, cmdline "hog"'
    findings = searched(Host([entry(text, at=1, _TRANSPORT="stdout", _SYSTEMD_UNIT="earlyoom.service")]))
    assert [incident.report.killer for incident in findings.incidents] == ["earlyoom"]


@pytest.mark.parametrize(
    ("pid", "killers"), [(7, ["kernel"]), (8, ["earlyoom", "kernel"])], ids=["the same process", "another"]
)
def test_a_process_that_two_killers_went_for_is_one_kill(pid: int, killers: list[str]) -> None:
    text = f'sending SIGTERM to process {pid} uid 0 "hog": badness 900, VmRSS 1 MiB'
    said = entry(text, at=1, _TRANSPORT="stdout", _SYSTEMD_UNIT="earlyoom.service")
    findings = searched(Host([said, entry(OOM_KILL, at=2, PRIORITY="3", **KERNEL)]))
    assert [incident.report.killer for incident in findings.incidents] == killers


def test_in_a_journal_without_priorities_kills_are_found() -> None:
    findings = searched(Host([entry(OOM_KILL, at=1, **KERNEL), entry("usb 1-1: new device", at=2, **KERNEL)]))
    assert [incident.report.victims[0].name for incident in findings.incidents] == ["hog"]


def test_a_kill_at_another_level_that_systemd_noticed_is_found() -> None:
    noticed = {"MESSAGE_ID": "fe6faa94e7774663a0da52717891d8ef", "_PID": "1", "UNIT": "apache2.service"}
    findings = searched(
        Host([entry(OOM_KILL, at=1, PRIORITY="4", **KERNEL), entry("apache2.service: OOM", at=2, **noticed)])
    )
    assert [incident.place.unit for incident in findings.incidents] == ["apache2.service"]


def test_a_kill_at_another_level_alone_is_the_limit_of_what_the_index_finds() -> None:
    host = Host([entry(OOM_KILL, at=1, PRIORITY="4", **KERNEL)])
    assert searched(host).incidents == ()


def test_a_record_in_two_files_is_one_kill() -> None:
    kill = entry(OOM_KILL, at=1, PRIORITY="3", **KERNEL)
    findings = searched(Host([kill, {**kill, "__CURSOR": "s=other"}]))
    assert len(findings.incidents) == 1


def test_without_facilities_reports_are_read_all_the_same() -> None:
    records = captured("trixie-apache")
    for one in records:
        one.pop("SYSLOG_FACILITY", None)
    assert [incident.report.complete for incident in searched(Host(records)).incidents] == [True]


def storm(count: int) -> Host:
    """Return a host on which one report comes again and again, a second after the other."""
    records = [one for one in captured("trixie-apache") if one["_TRANSPORT"] == "kernel"]
    times = [int(one["__MONOTONIC_TIMESTAMP"]) for one in records]
    took = times[-1] - times[0] + 1_000_000
    return Host(
        [
            {**one, **entry(one["MESSAGE"], at=(at + number * took) / 1_000_000)}
            for number in range(count)
            for one, at in zip(records, times, strict=True)
        ]
    )


def test_of_a_storm_of_kills_each_is_found_once() -> None:
    incidents = searched(storm(40)).incidents
    assert (len(incidents), all(incident.report.complete for incident in incidents)) == (40, True)


def test_a_unit_is_looked_at_once_for_all_its_kills() -> None:
    host = storm(40)
    searched(host)
    looks = [call for call in host.calls if "UNIT=apache2.service" in call]
    # By the clock, and in the one boot.
    assert len(looks) == 2


@pytest.mark.parametrize("between", [0, 100, 1000])
def test_whatever_else_the_unit_did_its_end_after_each_kill_is_seen(between: int) -> None:
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
    effects = [incident.effect for incident in searched(Host(entries)).incidents]
    assert [effect and effect.down_seconds for effect in effects] == [98.0, 98.0]


def systemd_says(what: str, at: float, **fields: str) -> Entry:
    return entry("web.service: by the OOM killer", at=at, _PID="1", UNIT="web.service", MESSAGE_ID=what, **fields)


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
    return [systemd_says(OUT_OF_MEMORY, at - 0.1), exited, systemd_says(FAILED, at + 0.1, UNIT_RESULT="signal")]


def test_of_a_storm_of_kills_the_one_that_ended_the_unit_is_seen() -> None:
    kills = [
        entry(OOM_KILL.replace("process 7", f"process {100 + number}"), at=1000 + number * 0.4, PRIORITY="3", **KERNEL)
        for number in range(140)
    ]
    notices = [systemd_says(OUT_OF_MEMORY, 1000.1 + number * 0.4) for number in range(139)]
    last = main_process_killed(1000.2 + 139 * 0.4)
    records = sorted([*kills, *notices, *last], key=lambda one: int(one["__MONOTONIC_TIMESTAMP"]))
    effect = searched(Host(records), limit=2).incidents[-1].effect
    assert effect is not None
    assert (effect.result, effect.stopped) == ("signal", True)


def test_a_failure_after_the_clock_was_set_back_is_seen() -> None:
    kill = entry(OOM_KILL, at=1000, PRIORITY="3", **KERNEL)
    noticed, *later = [*main_process_killed(1000.2), systemd_says(STARTED, 1003)]
    effect = searched(Host([*(set_back(one, 3600) for one in later), kill, noticed])).incidents[0].effect
    assert effect is not None
    assert (effect.result, effect.stopped, effect.down_seconds) == ("signal", True, 2.8)


def test_kill_and_table_that_are_not_found_again_are_counted() -> None:
    host = Host(captured("trixie-apache"))
    host.answers["_BOOT_ID="] = done()
    findings = searched(host)
    assert (findings.incidents, findings.coverage.unparsed, findings.coverage.complete) == ((), 2, False)
