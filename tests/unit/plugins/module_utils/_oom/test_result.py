# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings as plain data."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.findings import Findings
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.incident import build_incident
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.taken_down import list_taken_down
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import (
    Line,
    OomReport,
    Victim,
    Zone,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.task_table import Table
from ansible_collections.oomguard.linux.plugins.module_utils._oom.result import build_result
from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.coverage import Coverage
from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.units import Outage, UnitState, UnitStates
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.incident.factories import follow_host
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import Host, captured


@pytest.fixture(scope="module")
def findings() -> Findings:
    host = Host(captured("bullseye"), {"apache2.service": "stop"})
    return follow_host(host)


@pytest.fixture(scope="module")
def incident(findings: Findings) -> dict[str, t.Any]:
    event: dict[str, t.Any] = build_result(findings, tasks="top", top=2)["events"][-1]
    return event


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("id", "ba96272cbf2f462aae20419d7d5344a9-1480927516-759"),
        ("killer", "kernel"),
        ("trusted", True),
        ("complete", True),
        ("time", "2026-11-23T16:40:12.454555Z"),
        ("boot_id", "ba96272cbf2f462aae20419d7d5344a9"),
        ("monotonic_us", 1480927516),
        ("hostname", "shop"),
        ("kernel_release", "5.10.0-32-cloud-amd64"),
        ("scope", "global"),
        ("manual", False),
        (
            "trigger",
            {
                "name": "leak.fcgi",
                "pid": 759,
                "gfp_mask": "0x100dca",
                "gfp_flags": ("GFP_HIGHUSER_MOVABLE", "__GFP_ZERO"),
                "order": 0,
                "oom_score_adj": 0,
            },
        ),
        (
            "victims",
            [
                {
                    "name": "leak.fcgi",
                    "pid": 759,
                    "uid": 33,
                    "total_vm_bytes": 516255744,
                    "anon_rss_bytes": 437563392,
                    "file_rss_bytes": 299008,
                    "shmem_rss_bytes": 0,
                    "pgtables_bytes": 1003520,
                    "swap_bytes": 44699648,
                    "oom_score_adj": 0,
                    "reaped": False,
                }
            ],
        ),
        ("cgroup", "/system.slice/apache2.service"),
        ("limit_cgroup", None),
        ("unit", "apache2.service"),
        ("user_unit", None),
        ("slice", "system.slice"),
        ("container_id", None),
        ("pod_uid", None),
        ("candidates", []),
        ("limit", None),
        (
            "memory",
            {
                "page_size": 4096,
                "ram_bytes": 536326144,
                "reserved_bytes": 37756928,
                "free_bytes": 5423104,
                "page_cache_bytes": 2686976,
                "slab_bytes": 23367680,
                "swap_total_bytes": 50327552,
                "swap_free_bytes": 0,
                "swap_cache_bytes": 1654784,
                "hwpoisoned_bytes": None,
                "slabs": [],
                "allocations": [],
                "swap_used_bytes": 50327552,
                "breakdown": {
                    "anonymous_bytes": 449032192,
                    "page_cache_bytes": 614400,
                    "shmem_bytes": 417792,
                    "slab_reclaimable_bytes": 10842112,
                    "slab_unreclaimable_bytes": 12525568,
                    "page_tables_bytes": 2256896,
                    "kernel_stacks_bytes": 2097152,
                    "huge_pages_bytes": 0,
                    "free_bytes": 5431296,
                    "reserved_bytes": 37756928,
                    "unaccounted_bytes": 15351808,
                },
            },
        ),
        (
            "unit_effect",
            {
                "unit": "apache2.service",
                "result": "oom-kill",
                "stopped": True,
                "restarted": False,
                "oom_policy": "stop",
                "down_seconds": None,
                "confirmed": True,
            },
        ),
        ("notes", []),
    ],
)
def test_the_incident(incident: dict[str, t.Any], key: str, value: object) -> None:
    assert incident[key] == value


def test_a_zone_of_the_incident(incident: dict[str, t.Any]) -> None:
    assert incident["zones"][0] == {
        "node": 0,
        "zone": "DMA",
        "free_bytes": 1892352,
        "min_bytes": 94208,
        "low_bytes": 114688,
        "high_bytes": 135168,
        "present_bytes": 16375808,
        "managed_bytes": 16289792,
        "free_blocks": {
            "4096": 2,
            "8192": 2,
            "16384": 2,
            "32768": 2,
            "65536": 1,
            "131072": 1,
            "262144": 2,
            "524288": 0,
            "1048576": 1,
            "2097152": 0,
            "4194304": 0,
        },
        "largest_free_block_bytes": 1048576,
        "usable": True,
        "reserve_bytes": 1802240,
        "margin_bytes": -4096,
        "fitting_blocks": 13,
    }


def test_the_tasks_of_the_incident_are_summed(incident: dict[str, t.Any]) -> None:
    sums = {key: incident["tasks"][key] for key in ("count", "rss_bytes", "swap_bytes")}
    assert sums == {"count": 17, "rss_bytes": 108978 * 4096, "swap_bytes": 12421 * 4096}


def test_the_tasks_of_the_incident_are_summed_by_cgroup(incident: dict[str, t.Any]) -> None:
    assert [(group["cgroup"], group["unit"], group["count"]) for group in incident["tasks"]["by_cgroup"]] == [
        ("/system.slice/apache2.service", "apache2.service", 1),
        (None, None, 16),
    ]


def test_damaged_rows_are_noted() -> None:
    line = Line("Killed process 7 (hog)", cursor="9")
    rows = Table(
        ["[  7] 0 7 10 10 1 0 0 hog", "[  8] 0 8 10 10"],
        ("pid", "uid", "tgid", "total_vm", "rss", "x", "y", "oom_score_adj", "name"),
    )
    found = build_incident(OomReport(first=line, last=line, tasks=rows, complete=True))
    event = build_result(Findings((found,), (), (), Coverage()), tasks="top", top=1)["events"][0]
    assert (event["complete"], event["notes"]) == (False, ["Damaged rows in the task table: 1."])


@pytest.mark.parametrize(
    ("log", "stamp", "expected"),
    [
        ("kern.log", "web1 kernel:", {"path": "kern.log", "line": 9, "stamp": "web1 kernel:"}),
        ("dmesg.txt", None, {"path": "dmesg.txt", "line": 9, "stamp": None}),
        (None, None, None),
    ],
    ids=["a text log", "without prefixes", "the journal"],
)
def test_the_place_in_a_log_and_its_stamp_are_returned(log: str | None, stamp: str | None, expected: object) -> None:
    line = Line("Killed process 7 (hog)", cursor="9" if log else "s=1;i=2")
    found = build_incident(OomReport(first=line, last=line._replace(cursor="12")), log=log)._replace(stamp=stamp)
    assert build_result(Findings((found,), (), (), Coverage()), tasks="top", top=1)["events"][0]["log"] == expected


def test_impossible_watermarks_are_noted() -> None:
    line = Line("Killed process 7 (hog)", cursor="9")
    zones = (Zone(0, "DMA"), *(Zone(node, "Normal", min_bytes=2, present_bytes=1) for node in (0, 1)))
    found = build_incident(OomReport(first=line, last=line, zones=zones, complete=True))
    event = build_result(Findings((found,), (), (), Coverage()), tasks="top", top=1)["events"][0]
    assert event["notes"] == [
        "The watermarks in the report are impossible and show nothing: those of Normal exceed the existing memory."
    ]


@pytest.mark.parametrize(("tasks", "count"), [("top", 2), ("all", 17), ("none", 0)])
def test_the_number_of_tasks_is_limited(findings: Findings, tasks: str, count: int) -> None:
    assert len(build_result(findings, tasks=tasks, top=2)["events"][-1]["tasks"]["rows"]) == count


@pytest.mark.parametrize("key", ["rows", "by_name"])
def test_the_largest_task_comes_first(incident: dict[str, t.Any], key: str) -> None:
    assert incident["tasks"][key][0]["name"] == "leak.fcgi"


def test_the_summary(findings: Findings) -> None:
    summary = build_result(findings, tasks="none", top=0)["summary"]
    del summary["taken_down"]
    assert summary == {
        "count": 3,
        "by_killer": {"kernel": 3},
        "by_unit": {"w-continue.service": 1, "w-kill.service": 1, "apache2.service": 1},
        "other_units": 0,
        "by_victim": {"python3": 2, "hog.sh": 1, "sleep": 1, "leak.fcgi": 1},
        "other_victims": 0,
        "by_cause": {"cgroup_limit": 2, "ram_and_swap_exhausted": 1},
        "first": "2026-11-23T16:32:52.938754Z",
        "last": "2026-11-23T16:40:12.454555Z",
        "units_taken_down": ["apache2.service", "w-kill.service"],
        "units_taken_down_complete": True,
    }


def test_each_unit_that_went_down_is_described(findings: Findings) -> None:
    apache = build_result(findings, tasks="none", top=0)["summary"]["taken_down"][0]
    remedies = apache.pop("remedies")
    assert apache == {
        "unit": "apache2.service",
        "result": "oom-kill",
        "time": "2026-11-23T16:40:21.552353Z",
        "confirmed": True,
        "last_event_id": "ba96272cbf2f462aae20419d7d5344a9-1480927516-759",
        "main_process_killed": False,
        "active_state": None,
        "oom_policy": "stop",
        "restart": None,
        "depends_on_restart": False,
        "is_down": None,
        "start_refusal": None,
    }
    assert remedies[0]["variables"] == {"oom_policy_units": ["apache2.service"]}


SHOP = UnitState(
    "shop.service", active_state="failed", result="oom-kill", oom_policy="stop", main_process_killed=False, down_us=1
)


def find_outage(**change: t.Any) -> Findings:
    """Return findings with a unit that systemd says is down because of a kill that was not found."""
    taken = list_taken_down((), (), UnitStates({}), [Outage(SHOP._replace(**change), 1_795_000_000_000_000)])
    return Findings((), (), taken, Coverage())


def test_unit_whose_kill_was_not_found_gets_the_remedy_that_its_state_shows() -> None:
    result = build_result(find_outage(), tasks="none", top=0)
    assert result["summary"]["units_taken_down"] == ["shop.service"]
    assert result["summary"]["taken_down"][0]["last_event_id"] is None
    assert [remedy["variables"] for remedy in result["remedies"]] == [{"oom_policy_units": ["shop.service"]}]


@pytest.mark.parametrize(
    "change",
    [{"main_process_killed": True}, {"main_process_killed": None}, {"oom_policy": "continue"}],
    ids=["its main process was killed", "what was killed is unknown", "its policy is right"],
)
def test_remedy_that_may_not_have_helped_is_not_suggested(change: dict[str, t.Any]) -> None:
    assert build_result(find_outage(**change), tasks="none", top=0)["remedies"] == []


def test_the_coverage(findings: Findings) -> None:
    assert build_result(findings, tasks="none", top=0)["coverage"] == {
        "from": "2026-11-23T16:15:58.000000Z",
        "to": "2026-11-23T16:42:30.266966Z",
        "boots": 1,
        "persistent": True,
        "complete": True,
        "missed_records": 0,
        "unparsed": 0,
        "untrusted": 0,
        "cursor": captured("bullseye")[-1]["__CURSOR"],
        "notes": [],
    }


def test_the_result_is_json(findings: Findings) -> None:
    assert json.dumps(build_result(findings, tasks="all", top=0))


@pytest.mark.parametrize("key", ["time", "unit", "limit", "memory", "tasks", "unit_effect", "trigger", "hostname"])
def test_unknown_values_are_null(key: str) -> None:
    line = Line("Killed process 7 (hog)", cursor="9")
    found = build_incident(OomReport(first=line, last=line, victims=(Victim("hog", 7),)), log="dmesg.txt")
    assert build_result(Findings((found,), (), (), Coverage()), tasks="top", top=1)["events"][0][key] is None


def test_events_of_text_logs_are_not_trusted() -> None:
    line = Line("Killed process 7 (hog)", cursor="9")
    found = build_incident(OomReport(first=line, last=line, notes=("cut",)), log="dmesg.txt")
    event = build_result(Findings((found,), (), (), Coverage()), tasks="top", top=1)["events"][0]
    assert (event["trusted"], event["notes"]) == (
        False,
        ["Read from dmesg.txt. A text log does not prove who wrote it.", "cut"],
    )


@pytest.mark.parametrize(("is_starved", "roles"), [(True, ["systemd_oomd"]), (False, [])])
def test_a_host_that_thrashed_gets_a_remedy(*, is_starved: bool, roles: list[str]) -> None:
    findings = Findings((), (), (), Coverage(is_journald_starved=is_starved))
    remedies = build_result(findings, tasks="none", top=0)["remedies"]
    assert [remedy["role"] for remedy in remedies] == roles


def test_the_service_that_was_killed_while_the_host_thrashed_is_named(findings: Findings) -> None:
    starved = findings._replace(coverage=findings.coverage._replace(is_journald_starved=True))
    remedies = build_result(starved, tasks="none", top=0)["remedies"]
    variables = [remedy["variables"] for remedy in remedies if remedy["role"] == "systemd_oomd"]
    assert variables == [{"systemd_oomd_units": {"apache2.service": {"ManagedOOMMemoryPressure": "kill"}}}]
