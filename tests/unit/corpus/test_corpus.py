# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare reports from a corpus of public logs with the facts that a person read in them.

The folder OOMGUARD_CORPUS holds `NAME.log`, the text as found, and `NAME.json` with `events` (one mapping of facts for
each event) or with `"negative": true` for a text that only looks like a report.
"""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.in_logs import LogFile
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import OomReport, Task

FOLDER = Path(os.environ["OOMGUARD_CORPUS"])
EXPECTED = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))}
REPORTED = [name for name, expected in EXPECTED.items() if not expected["negative"]]
NEGATIVE = [name for name, expected in EXPECTED.items() if expected["negative"]]
REQUIRED_AGREEMENT = 0.98

# Not a fact of the report alone.
_NOT_COMPARED = {"unit_or_container"}
_NO_LIMIT = (9007199254740000, 8589934588)

REASONS = {
    ("block-zram-cc1-41kills", "oom_memcg"): "the line is broken inside the path, and only its second path is complete",
    ("btrfs-6.12-arm64-dd", "sum_rss_pages"): "the text does not reveal the page size, so there are no bytes",
    ("btrfs-6.12-arm64-dd", "sum_swapents_pages"): "the text does not reveal the page size, so there are no bytes",
    ("cgroups-cpuset-oom-patch", "sum_rss_pages"): "the text does not reveal the page size, so there are no bytes",
    (
        "cgroups-cpuset-oom-patch",
        "sum_swapents_pages",
    ): "the text does not reveal the page size, so there are no bytes",
    ("cgroups-5.8-runc-cpuset", "oom_reaper"): "the lines of the reaper are about other processes than the victim",
    (
        "cgroups-6.18-stress-memcg",
        "table_columns",
    ): "the heading is broken inside oom_score_adj, and the reader joins it",
    (
        "chromeos-6.6-crostini-grep-context",
        "sum_rss_pages",
    ): "the text does not reveal the page size, so there are no bytes",
    (
        "chromeos-6.6-crostini-grep-context",
        "sum_swapents_pages",
    ): "the text does not reveal the page size, so there are no bytes",
    ("ext4-5.7-i386-mkfs", "sum_swapents_pages"): "the last row is truncated; the others have their swap",
    ("mips-3.10-zh-blog-duplicated-kill", "uid"): "the victim's row of the task table has it",
    ("mips-3.10-zh-blog-duplicated-kill", "oom_score_adj"): "the victim's row of the task table has it",
    ("openwrt-6.x-smartdns-bold", "task_rows"): "the text has four rows without a heading",
    ("vagrant-almalinux-dnf-grep-cut", "sum_rss_pages"): "the table has no rows, so nothing is known",
    ("vagrant-almalinux-dnf-grep-cut", "sum_swapents_pages"): "the table has no rows, so nothing is known",
}


def read_log_reports(name: str) -> list[OomReport]:
    return list(LogFile(str(FOLDER / f"{name}.log")).read_reports())


def as_kilobytes(size: int | None) -> int | None:
    return None if size is None else size // 1024


def sum_pages(report: OomReport, size_of: t.Callable[[Task], int | None]) -> int | None:
    sizes = [size for size in map(size_of, report.tasks) if size is not None]
    return sum(sizes) // report.page_size if sizes and report.page_size else None


def find_facts(report: OomReport) -> dict[str, t.Any]:
    """Return the facts of a report with the names and units of the corpus."""
    trigger = report.trigger._asdict() if report.trigger else {}
    victim = report.victims[0]._asdict() if report.victims else {}
    memory = report.memory._asdict() if report.memory else {}
    limit = report.limit._asdict() if report.limit else {}
    chosen = report.chosen
    uid = victim.get("uid")
    return {
        "trigger_comm": trigger.get("name"),
        "trigger_pid": trigger.get("pid"),
        "gfp_mask": trigger.get("gfp_mask"),
        "order": trigger.get("order"),
        "trigger_oom_score_adj": trigger.get("oom_score_adj"),
        "victim_pid": victim.get("pid"),
        "victim_comm": victim.get("name"),
        "total_vm_kb": as_kilobytes(victim.get("total_vm_bytes")),
        "anon_rss_kb": as_kilobytes(victim.get("anon_rss_bytes")),
        "file_rss_kb": as_kilobytes(victim.get("file_rss_bytes")),
        "shmem_rss_kb": as_kilobytes(victim.get("shmem_rss_bytes")),
        "uid": uid if uid is not None else report.chosen and report.chosen.uid,
        "oom_score_adj": victim.get("oom_score_adj"),
        "constraint": report.constraint,
        "total_swap_kb": as_kilobytes(memory.get("swap_total_bytes")),
        "free_swap_kb": as_kilobytes(memory.get("swap_free_bytes")),
        "task_rows": len(report.tasks) or None,
        "sum_rss_pages": sum_pages(report, lambda task: task.rss_bytes),
        "sum_swapents_pages": sum_pages(report, lambda task: task.swap_bytes),
        "table_columns": list(report.task_columns) or None,
        "memcg_usage_kb": as_kilobytes(limit.get("usage_bytes")),
        "memcg_limit_kb": as_kilobytes(limit.get("limit_bytes")),
        "oom_memcg": report.limit_cgroup,
        "task_memcg": report.cgroup,
        "also_killed": [killed.pid for killed in report.victims[1:]],
        "no_killable": report.no_killable,
        "oom_reaper": any(killed.reaped for killed in report.victims),
        "score": chosen and chosen.score,
        "chosen_pid": chosen and chosen.pid,
        "chosen_comm": chosen and chosen.name,
    }


def is_compared(fact: str, value: t.Any, report: OomReport) -> bool:
    """Return whether a fact is compared.

    In the first texts of the corpus, the chosen process is that of "Kill process ... or sacrifice child" alone.
    """
    if fact in ("chosen_pid", "chosen_comm") and value is None:
        return report.chosen is None or report.chosen.score is not None
    return fact not in _NOT_COMPARED


def convert_expected(fact: str, value: t.Any, event: dict[str, t.Any]) -> t.Any:
    """Return an expected value in the form of a report: each pid once, and None instead of "no limit"."""
    if fact == "also_killed":
        return [pid for pid in dict.fromkeys(value or []) if pid != event["victim_pid"]]
    if fact == "gfp_mask" and value:
        return value.partition("(")[0]
    if fact == "memcg_limit_kb" and value and (value >= _NO_LIMIT[0] or value == _NO_LIMIT[1]):
        return None
    return bool(value) if fact in ("no_killable", "oom_reaper") else value or (None if fact == "task_rows" else value)


def compare_facts() -> t.Iterator[tuple[str, str, t.Any, t.Any]]:
    """Yield the log, the fact, the expected value and the found value, for each fact of each event."""
    for name in REPORTED:
        for event, report in zip(EXPECTED[name]["events"], read_log_reports(name), strict=False):
            found = find_facts(report)
            for fact, value in event.items():
                if is_compared(fact, value, report):
                    yield name, fact, convert_expected(fact, value, event), found[fact]


@pytest.mark.parametrize("name", REPORTED)
def test_each_event_is_found(name: str) -> None:
    assert len(read_log_reports(name)) == EXPECTED[name]["events_count"]


@pytest.mark.parametrize("name", NEGATIVE)
def test_text_that_only_looks_like_a_report_has_none(name: str) -> None:
    assert [report for report in read_log_reports(name) if report.killer == "kernel"] == []


def test_facts_agree(record_property: t.Callable[[str, object], None]) -> None:
    all_facts = list(compare_facts())
    different = [fact for fact in all_facts if fact[2] != fact[3]]
    agreement = 1 - len(different) / len(all_facts)
    record_property("corpus", f"corpus: {len(EXPECTED)} logs, {agreement:.2%} of {len(all_facts)} facts agree")
    for name, fact, expected, found in different:
        reason = REASONS.get((name, fact), "not explained")
        record_property("corpus", f"corpus: {name}: {fact}: expected {expected!r}, found {found!r}: {reason}")
    assert agreement >= REQUIRED_AGREEMENT
