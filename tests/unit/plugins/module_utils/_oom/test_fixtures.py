# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports of three Debian kernels, each kind provoked on a host with 448 MB of RAM, most of them with two nodes."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.explain.cause import Diagnosis, diagnose
from ansible_collections.oomguard.linux.plugins.module_utils._oom.explain.figures import compute_figures
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.incident import build_incident
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.log_lines import read_log
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import OomReport
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.reader import read_reports

FIXTURES = Path(__file__).parent / "fixtures"
RELEASES = ("bullseye", "bookworm", "trixie")
LOGS = sorted(path.stem for path in FIXTURES.glob("*-[0-9]*.log") if path.stem.startswith(RELEASES))
HOSTILE_CGROUP = "/x,task=init,pid=1,uid=0"


def read(name: str) -> OomReport:
    with (FIXTURES / f"{name}.log").open(encoding="utf-8", newline="\n") as file:
        (report,) = read_reports(read_log(file))
    assert isinstance(report, OomReport)
    return report


def diagnosed(report: OomReport) -> Diagnosis:
    incident = build_incident(report)
    return diagnose(incident, compute_figures(incident))


def logs(kind: str) -> list[str]:
    return [name for name in LOGS if f"-{kind}" in name]


@pytest.mark.parametrize("name", LOGS)
def test_a_report_is_complete(name: str) -> None:
    assert (read(name).complete, read(name).notes) == (True, ())


@pytest.mark.parametrize("name", LOGS)
def test_all_lines_are_read_or_ignored_on_purpose(name: str) -> None:
    assert read(name).unread == ()


@pytest.mark.parametrize("name", LOGS)
def test_the_page_size_is_known(name: str) -> None:
    assert read(name).page_size == 4096


@pytest.mark.parametrize("name", LOGS)
def test_the_kernel_is_known(name: str) -> None:
    release = read(name).kernel_release
    assert release is not None
    assert release.startswith(name.split("-")[1])


@pytest.mark.parametrize("name", LOGS)
def test_the_victim_is_in_the_table(name: str) -> None:
    report = read(name)
    assert report.victims[0].pid in [task.pid for task in report.tasks]


@pytest.mark.parametrize("name", LOGS)
def test_the_row_of_the_victim_agrees_with_the_kill_line(name: str) -> None:
    report = read(name)
    victim = report.victims[0]
    (row,) = (task for task in report.tasks if task.pid == victim.pid)
    assert (row.total_vm_bytes, row.oom_score_adj, row.uid, row.name) == (
        victim.total_vm_bytes,
        victim.oom_score_adj,
        victim.uid,
        victim.name,
    )


@pytest.mark.parametrize("name", LOGS)
def test_new_tables_list_anonymous_file_and_shared_memory(name: str) -> None:
    columns = [(task.rss_anon_bytes, task.rss_file_bytes, task.rss_shmem_bytes) for task in read(name).tasks]
    is_new = name.startswith("trixie")
    assert [None not in parts for parts in columns] == [is_new] * len(columns)


@pytest.mark.parametrize(
    ("kind", "scope"),
    [
        ("memcg", "memcg"),
        ("group", "memcg"),
        ("hostile", "memcg"),
        ("cpuset", "cpuset"),
        ("mempolicy", "mempolicy"),
        ("global", "global"),
        ("swap", "global"),
        ("order", "global"),
        ("sysrq", "global"),
        ("allocating", "global"),
    ],
)
def test_the_scope_is_known(kind: str, scope: str) -> None:
    assert {read(name).scope for name in logs(kind)} == {scope}


@pytest.mark.parametrize("name", [*logs("memcg"), *logs("group")])
def test_the_limit_is_that_of_the_unit(name: str) -> None:
    report = read(name)
    assert report.limit is not None
    assert (report.limit.limit_bytes, report.limit.swap_limit_bytes) == (40 * 1024 * 1024, 0)


@pytest.mark.parametrize("name", [*logs("memcg"), *logs("group"), *logs("hostile")])
def test_the_statistics_of_the_cgroup_are_read(name: str) -> None:
    report = read(name)
    assert report.limit is not None
    assert report.limit.stat["anon"] > 30 * 1024 * 1024


@pytest.mark.parametrize("name", logs("group"))
def test_all_processes_of_a_group_are_victims(name: str) -> None:
    report = read(name)
    assert (report.group, [victim.name for victim in report.victims]) == (True, ["python3", "sleep", "sleep"])


@pytest.mark.parametrize("name", logs("hostile"))
def test_hostile_names_are_only_names(name: str) -> None:
    report = read(name)
    assert (report.victims[0].name, report.cgroup, report.limit_cgroup) == (
        "a) total-vm:1kB",
        HOSTILE_CGROUP,
        HOSTILE_CGROUP,
    )


@pytest.mark.parametrize("name", LOGS)
def test_a_kill_of_the_allocating_task_is_known(name: str) -> None:
    assert read(name).allocating_task is ("allocating" in name)


@pytest.mark.parametrize("name", LOGS)
def test_a_manual_kill_is_known(name: str) -> None:
    assert read(name).manual is ("sysrq" in name)


@pytest.mark.parametrize("name", logs("order"))
def test_fragmented_memory_has_no_block_of_the_order(name: str) -> None:
    report = read(name)
    assert report.trigger is not None
    assert report.trigger.order is not None
    wanted = 4096 << report.trigger.order
    blocks = [zone.free_blocks for zone in report.zones if zone.zone == "DMA32"]
    assert [sum(size * count for size, count in free.items() if size >= wanted) for free in blocks] == [0, 0]


@pytest.mark.parametrize("name", logs("cpuset"))
def test_the_memory_of_a_cpuset_is_known(name: str) -> None:
    assert read(name).mems_allowed == "1"


@pytest.mark.parametrize("name", logs("mempolicy"))
def test_the_nodes_of_a_policy_are_known(name: str) -> None:
    assert read(name).nodemask == "1"


@pytest.mark.parametrize("name", [*logs("global"), *logs("swap"), *logs("sysrq"), *logs("order")])
def test_all_zones_are_read(name: str) -> None:
    assert [(zone.node, zone.zone) for zone in read(name).zones] == [(0, "DMA"), (0, "DMA32"), (1, "DMA32")]


@pytest.mark.parametrize("name", [*logs("global"), *logs("swap"), *logs("sysrq"), *logs("order")])
def test_the_buddy_lists_agree_with_the_free_memory(name: str) -> None:
    free = [
        (zone.free_bytes or 0, sum(size * count for size, count in zone.free_blocks.items()))
        for zone in read(name).zones
    ]
    assert [abs(printed - listed) < 2 * 1024 * 1024 for printed, listed in free] == [True] * 3


@pytest.mark.parametrize("name", logs("swap"))
def test_swap_is_exhausted(name: str) -> None:
    memory = read(name).memory
    assert memory is not None
    assert (memory.swap_total_bytes, (memory.swap_free_bytes or 0) < 1024 * 1024) == (48 * 1024 * 1024 - 4096, True)


@pytest.mark.parametrize("name", logs("swap"))
def test_the_swap_of_the_tasks_agrees_with_the_used_swap(name: str) -> None:
    report = read(name)
    assert report.memory is not None
    used = (report.memory.swap_total_bytes or 0) - (report.memory.swap_free_bytes or 0)
    assert 0.9 < sum(task.swap_bytes or 0 for task in report.tasks) / used <= 1.1


@pytest.mark.parametrize(("release", "kinds"), [("bullseye", 10), ("bookworm", 9), ("trixie", 9)])
def test_each_kernel_shows_each_kind(release: str, kinds: int) -> None:
    own = [name for name in LOGS if name.startswith(release) and not name.endswith("journalctl")]
    assert len(own) == kinds


def test_dmesg_and_journalctl_give_the_same_report() -> None:
    dmesg, journalctl = (read(f"bullseye-5.10-global{form}") for form in ("", "-journalctl"))
    assert (dmesg.victims, dmesg.zones, dmesg.tasks, dmesg.memory) == (
        journalctl.victims,
        journalctl.zones,
        journalctl.tasks,
        journalctl.memory,
    )


def test_the_figures_of_the_incident() -> None:
    report = read("handmade-incident")
    rss, swap = (sum(getattr(task, field) or 0 for task in report.tasks) for field in ("rss_bytes", "swap_bytes"))
    free = [sum(size * count for size, count in zone.free_blocks.items()) // 1024 for zone in report.zones]
    assert (rss >> 20, swap // 4096, free) == (836, 960589, [4476, 44744])


def test_the_incident_is_exhaustion_with_the_buddy_lists_as_evidence() -> None:
    diagnosis = diagnosed(read("handmade-incident"))
    assert (diagnosis.cause, diagnosis.evidence[1:]) == (
        "ram_and_swap_exhausted",
        (
            (
                "Together, the 13 processes held 836.0 MiB of RAM (RSS, 214016 pages of 4.0 KiB) and 3.7 GiB of swap "
                "(960589 entries); pages that they share are counted once for each process."
            ),
            "The 4 processes named sys.fcgi held the most: 4.5 GiB of RAM and swap.",
            (
                "Use of the 1023.5 MiB of RAM: 835.2 MiB anonymous, 62.7 MiB reserved, 48.1 MiB free, 30.2 MiB "
                "unreclaimable kernel objects, 15.6 MiB page tables, 15.2 MiB reclaimable kernel objects, 13.7 MiB "
                "unaccounted, 2.9 MiB other."
            ),
            "The buddy lists held 4476 kB in DMA (largest block 512 kB) and 44744 kB in DMA32 (largest block 4096 kB).",
            "0 B of the 3.7 GiB of swap was free, so swap was exhausted.",
            (
                "apache2 requested a single page (4.0 KiB) for a process. Any free block can serve such a request, "
                "so the cause is exhaustion, not fragmentation."
            ),
            (
                "Free memory above the minimum watermark and the reserves for other requests: "
                "DMA 24.0 KiB to spare, DMA32 416.0 KiB to spare."
            ),
        ),
    )


@pytest.mark.parametrize(
    ("kind", "causes"),
    [
        ("global", {"ram_exhausted_no_swap"}),
        ("swap", {"ram_and_swap_exhausted"}),
        ("order", {"fragmentation"}),
        ("cpuset", {"cpuset_or_mempolicy"}),
        ("mempolicy", {"cpuset_or_mempolicy"}),
        ("memcg", {"cgroup_limit"}),
        ("group", {"cgroup_limit"}),
        ("hostile", {"cgroup_limit"}),
        ("sysrq", {"manual"}),
    ],
)
def test_the_cause_of_each_kind(kind: str, causes: set[str]) -> None:
    assert {diagnosed(read(name)).cause for name in logs(kind)} == causes


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("handmade-centos6", ("global", "2.6.32-754.el6.x86_64", 2711, 2650, 612, 5, 1072 * 1024)),
        ("handmade-centos7", ("memcg", "3.10.0-957.el7.x86_64", 3110, 3110, 996, 2, None)),
        ("handmade-rhel7", ("global", "3.10.0-1160.el7.x86_64", 2214, 2214, 812, 8, 4096 * 1024)),
        ("handmade-incident", ("global", "5.10.0-14-amd64", 20114, 20114, None, 13, 2160 * 1024)),
    ],
)
def test_formats_of_other_kernels_are_read(name: str, expected: tuple[object, ...]) -> None:
    report = read(name)
    chosen, memory = report.chosen, report.memory
    assert (
        report.scope,
        report.kernel_release,
        report.victims[0].pid,
        chosen and chosen.pid,
        chosen and chosen.score,
        len(report.tasks),
        memory and memory.kernel_stack_bytes,
    ) == expected


def test_the_statistics_of_version_1_include_all_cgroups_below_the_limit() -> None:
    limit = read("handmade-centos7").limit
    assert limit is not None
    assert (limit.memsw, limit.swap_limit_bytes, limit.stat["rss"]) == (True, 131072 * 1024, 65524 * 1024)


@pytest.mark.parametrize("name", LOGS)
@pytest.mark.parametrize(("words", "before", "after"), [("Killed process", 5, 2), ("oom-killer", 0, 20), ("oom", 2, 2)])
def test_a_report_that_grep_has_cut_is_incomplete(name: str, words: str, before: int, after: int) -> None:
    lines = (FIXTURES / f"{name}.log").read_text(encoding="utf-8").splitlines(keepends=True)
    kept: set[int] = set()
    for number, line in enumerate(lines):
        if words in line:
            kept.update(range(number - before, number + after + 1))

    cut = [line for number, line in enumerate(lines) if number in kept]
    reports = [report for report in read_reports(read_log(cut)) if isinstance(report, OomReport)]
    assert len(cut) < len(lines)
    assert [report.notes for report in reports if report.complete or not report.notes] == []
    assert [remedy.role for report in reports for remedy in diagnosed(report).remedies if remedy.role == "swap"] == []
