# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From kill lines to whole reports, over the records of real kills on bullseye and trixie."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.records import FAILED, OUT_OF_MEMORY
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.incident.factories import (
    KERNEL,
    OOM_KILL,
    find_by_unit,
    follow_host,
    make_storm,
    make_systemd_entry,
)
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import (
    BOOT,
    Entry,
    Host,
    captured,
    done,
    entry,
)


@pytest.mark.parametrize(
    ("release", "units"),
    [
        ("bullseye", ["w-continue.service", "w-kill.service", "apache2.service"]),
        ("trixie", ["m-continue.service", "w-stop.service", "w-restart.service"]),
        ("trixie-apache", ["apache2.service"]),
    ],
)
def test_every_kill_is_found_once_in_order(release: str, units: list[str]) -> None:
    assert [incident.place.unit for incident in follow_host(Host(captured(release))).incidents] == units


@pytest.mark.parametrize("release", ["bullseye", "trixie", "trixie-apache"])
def test_every_report_is_complete(release: str) -> None:
    assert all(incident.report.complete for incident in follow_host(Host(captured(release))).incidents)


def test_the_reaper_line_after_the_kill_line_is_read() -> None:
    assert [victim.reaped for victim in find_by_unit("trixie-apache")["apache2.service"].report.victims] == [True]


def test_a_killed_group_is_one_incident() -> None:
    assert [victim.name for victim in find_by_unit("bullseye")["w-kill.service"].report.victims] == [
        "python3",
        "hog.sh",
        "sleep",
    ]


def test_close_kills_are_read_together() -> None:
    host = Host(captured("bullseye"))
    follow_host(host)
    windows = [call for call in host.calls if {"_TRANSPORT=kernel", "SYSLOG_FACILITY=0", f"_BOOT_ID={BOOT}"} <= {*call}]
    assert len(windows) == 2


@pytest.mark.parametrize("limit", [0, 1, 2, 3])
def test_kills_beyond_the_limit_are_counted(limit: int) -> None:
    findings = follow_host(Host(captured("bullseye")), limit=limit)
    assert (len(findings.incidents), len(findings.incidents) + len(findings.older) >= 3) == (limit, True)


def test_the_newest_kill_is_within_the_limit() -> None:
    assert [incident.place.unit for incident in follow_host(Host(captured("bullseye")), limit=1).incidents] == [
        "apache2.service"
    ]


def test_a_kill_that_took_a_service_down_is_within_the_limit() -> None:
    systemd = {"_PID": "1", "UNIT": "apache2.service", "MESSAGE_ID": "d9b373ed55a64feb8242e02dbe79a49c"}
    kills = [entry(OOM_KILL, at=at, PRIORITY="3", **KERNEL) for at in (1, 1000, 2000, 3000)]
    failed = entry("result 'oom-kill'", at=1002, UNIT_RESULT="oom-kill", **systemd)
    findings = follow_host(Host([*kills, failed]), limit=2)
    assert [(incident.at.monotonic_us or 0) // 1_000_000 for incident in findings.incidents] == [1000, 3000]
    assert [(incident.at.monotonic_us or 0) // 1_000_000 for incident in findings.older] == [1, 2000]


def test_a_kill_without_a_report_is_found() -> None:
    kill = (
        "Out of memory: Killed process 7 (hog) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB, UID:0 "
        "pgtables:8kB oom_score_adj:0"
    )
    findings = follow_host(Host([entry(kill, at=1, PRIORITY="3", **KERNEL)]))
    assert [(incident.report.victims[0].name, incident.report.complete) for incident in findings.incidents] == [
        ("hog", False)
    ]


def test_an_unreadable_kill_line_is_counted() -> None:
    coverage = follow_host(Host([entry("Out of memory: Killed process 7 (ho", at=1, PRIORITY="3", **KERNEL)])).coverage
    assert (coverage.unparsed, coverage.complete) == (1, False)


def test_a_kill_by_a_policy_is_found() -> None:
    kill = OOM_KILL.replace("Out of memory", "bpf systemd-oomd policy")
    (incident,) = follow_host(Host([entry(kill, at=1, PRIORITY="3", **KERNEL)])).incidents
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
def test_a_kill_that_leads_to_no_report_is_counted(text: str, unparsed: int) -> None:
    coverage = follow_host(Host([entry(text, at=1, PRIORITY="3", **KERNEL)])).coverage
    assert (coverage.unparsed, coverage.complete) == (unparsed, not unparsed)


def test_a_kill_by_a_userspace_killer_is_found() -> None:
    text = 'sending SIGTERM to process 7 uid 1000 "hog": oom_score 900, oom_score_adj 0, VmRSS 900 MiB, cmdline "hog"'
    findings = follow_host(Host([entry(text, at=1, _TRANSPORT="stdout", _SYSTEMD_UNIT="earlyoom.service")]))
    assert [incident.report.killer for incident in findings.incidents] == ["earlyoom"]


def test_a_cut_line_of_a_userspace_killer_is_counted() -> None:
    cut = 'sending SIGTERM to process 7 uid 0 "ho'
    host = Host([entry(cut, at=1, _TRANSPORT="stdout", _SYSTEMD_UNIT="earlyoom.service")])
    assert follow_host(host).coverage.unparsed == 1


@pytest.mark.parametrize(
    ("pid", "killers"), [(7, ["kernel"]), (8, ["earlyoom", "kernel"])], ids=["the same process", "another"]
)
def test_a_process_killed_by_two_killers_is_one_kill(pid: int, killers: list[str]) -> None:
    text = f'sending SIGTERM to process {pid} uid 0 "hog": badness 900, VmRSS 1 MiB'
    said = entry(text, at=1, _TRANSPORT="stdout", _SYSTEMD_UNIT="earlyoom.service")
    findings = follow_host(Host([said, entry(OOM_KILL, at=2, PRIORITY="3", **KERNEL)]))
    assert [incident.report.killer for incident in findings.incidents] == killers


def test_kills_are_found_in_a_journal_without_priorities() -> None:
    findings = follow_host(Host([entry(OOM_KILL, at=1, **KERNEL), entry("usb 1-1: new device", at=2, **KERNEL)]))
    assert [incident.report.victims[0].name for incident in findings.incidents] == ["hog"]


def test_a_kill_with_another_priority_is_not_found_if_systemd_did_not_notice_it() -> None:
    host = Host([entry(OOM_KILL, at=1, PRIORITY="4", **KERNEL)])
    assert follow_host(host).incidents == ()


def test_a_record_in_two_files_is_one_kill() -> None:
    kill = entry(OOM_KILL, at=1, PRIORITY="3", **KERNEL)
    findings = follow_host(Host([kill, {**kill, "__CURSOR": "s=other"}]))
    assert len(findings.incidents) == 1


def test_reports_without_facilities_are_read() -> None:
    records = captured("trixie-apache")
    for one in records:
        one.pop("SYSLOG_FACILITY", None)
    assert [incident.report.complete for incident in follow_host(Host(records)).incidents] == [True]


def test_each_kill_of_a_storm_is_found_once() -> None:
    incidents = follow_host(make_storm(40)).incidents
    assert (len(incidents), all(incident.report.complete for incident in incidents)) == (40, True)


def test_a_kill_and_a_table_that_are_not_found_a_second_time_are_counted() -> None:
    host = Host(captured("trixie-apache"))
    host.answers["_BOOT_ID="] = done()
    findings = follow_host(host)
    assert (findings.incidents, findings.coverage.unparsed, findings.coverage.complete) == ((), 2, False)


def make_kill(at: float, pid: int, unit: str) -> list[Entry]:
    """Return a report whose trigger and cgroup lines show that it is of a unit."""
    constraint = (
        "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,"
        f"oom_memcg=/{unit},task_memcg=/{unit},task=hog,pid={pid},uid=0"
    )
    texts = [
        ("hog invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0", "4"),
        (constraint, "6"),
        (OOM_KILL.replace("process 7", f"process {pid}"), "3"),
    ]
    return [entry(text, at=at + number / 1000, PRIORITY=level, **KERNEL) for number, (text, level) in enumerate(texts)]


def make_flood(*, shop_at: float) -> Host:
    """Return a host on which a user causes 130 kills in his own cgroup around one that takes a service down."""
    entries = make_kill(shop_at, 7, "system.slice/shop.service")
    for number in range(130):
        entries += make_kill(1000 + number * 0.1, 1000 + number, "user.slice/user-1500.slice/user@1500.service")
    notice = make_systemd_entry(OUT_OF_MEMORY, shop_at + 0.05, unit="shop.service")
    failure = make_systemd_entry(FAILED, shop_at + 20, unit="shop.service", UNIT_RESULT="oom-kill")
    entries += [notice, failure]
    return Host(sorted(entries, key=lambda one: int(one["__MONOTONIC_TIMESTAMP"])))


@pytest.mark.parametrize("shop_at", [999.95, 1003.05, 1013.05], ids=["before", "among", "after"])
@pytest.mark.parametrize("limit", [1, 20, 100])
def test_a_flood_of_other_kills_does_not_hide_the_kill_that_took_a_service_down(shop_at: float, limit: int) -> None:
    findings = follow_host(make_flood(shop_at=shop_at), limit=limit)
    assert "shop.service" in [incident.place.unit for incident in findings.incidents]
    assert [(unit.unit, unit.incident is not None) for unit in findings.taken_down] == [("shop.service", True)]
    assert len(findings.incidents) + len(findings.older) == 131


@pytest.mark.parametrize(
    ("program", "request_"),
    [
        ("earlyoom", "trigger_kernel_oom: successfully triggered kernel OOM killer"),
        ("psi-monitor", "Above threshold limit, killing task and pausing for recovery"),
    ],
)
@pytest.mark.parametrize(("at", "is_near"), [(1000.5, True), (2000, False)], ids=["then", "much later"])
def test_a_kill_that_another_killer_asked_for_names_it(
    program: str, request_: str, at: float, *, is_near: bool
) -> None:
    trigger, _constraint, kill = make_kill(1000, 7, "system.slice/shop.service")
    trigger["MESSAGE"] = trigger["MESSAGE"].replace("order=0", "order=-1")
    said = entry(request_, at=at, _TRANSPORT="stdout", _SYSTEMD_UNIT=f"{program}.service")
    (incident,) = follow_host(Host([trigger, kill, said])).incidents
    assert (incident.report.requester == program) == is_near
