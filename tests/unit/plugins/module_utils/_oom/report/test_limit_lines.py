# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Usage, limit and statistics of a cgroup."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.limit_lines import LimitLines
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import Limit
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.report.factories import (
    TRIGGER,
    USAGE,
    build_memcg_report,
    read_only_reports,
)


def test_limit_is_in_bytes() -> None:
    (report,) = read_only_reports(build_memcg_report())
    assert report.limit is not None
    assert (report.limit.usage_bytes, report.limit.limit_bytes, report.limit.stat["anon"]) == (
        41943040,
        41943040,
        40000000,
    )


def test_statistics_of_one_record_are_split() -> None:
    lines = build_memcg_report()
    at = lines.index("anon 40000000")
    (report,) = read_only_reports([*lines[:at], "anon 40000000\nfile 4096", *lines[at + 2 :]])
    assert report.limit is not None
    assert report.limit.stat == {"anon": 40000000, "file": 4096}


@pytest.mark.parametrize("kilobytes", [9007199254740988, 9007199254740991, 18014398509481983, 8589934588])
def test_no_limit_is_none(kilobytes: int) -> None:
    (report,) = read_only_reports([*build_memcg_report()[:2], f"memory: usage 8kB, limit {kilobytes}kB, failcnt 0"])
    assert report.limit is not None
    assert report.limit.limit_bytes is None


@pytest.mark.parametrize(("kilobytes", "size"), [(9007199254740988, 4096), (9007199254740928, 65536)])
def test_no_limit_reveals_page_size(kilobytes: int, size: int) -> None:
    (report,) = read_only_reports([*build_memcg_report()[:2], f"memory: usage 8kB, limit {kilobytes}kB, failcnt 0"])
    assert report.page_size == size


def test_no_kmem_limit_reveals_page_size() -> None:
    lines = [TRIGGER.format("hog"), USAGE[0], "kmem: usage 0kB, limit 9007199254740976kB, failcnt 0"]
    (report,) = read_only_reports(lines)
    assert (report.page_size, report.limit and report.limit.limit_bytes) == (16384, 40960 * 1024)


def test_statistics_of_old_kernels_are_added_up() -> None:
    lines = [
        TRIGGER.format("hog"),
        "memory: usage 8kB, limit 8kB, failcnt 0",
        "Memory cgroup stats for /a: cache:1KB rss:2KB",
        "Memory cgroup stats for /a/rss:99KB: cache:3KB rss:4KB",
    ]
    (report,) = read_only_reports(lines)
    assert report.limit is not None
    assert report.limit.stat == {"cache": 4096, "rss": 6144}


@pytest.mark.parametrize(
    ("lines", "limit"),
    [
        pytest.param(
            ["memory: usage 8kB, limit 16kB, failcnt 3", "swap: usage 4kB, limit 12kB, failcnt 0"],
            Limit(8192, 16384, 3, 4096, 12288, memsw=False, stat={}),
            id="v2",
        ),
        pytest.param(
            [
                "memory: usage 8kB, limit 16kB, failcnt 3",
                "memory+swap: usage 12kB, limit 20kB, failcnt 0",
                "kmem: usage 4kB, limit 9007199254740988kB, failcnt 7",
            ],
            Limit(8192, 16384, 3, 12288, 20480, memsw=True, kmem_usage_bytes=4096, kmem_failcnt=7, stat={}),
            id="v1",
        ),
        pytest.param(
            ["kmem: usage 4kB, limit 8kB, failcnt 1"],
            Limit(kmem_usage_bytes=4096, kmem_limit_bytes=8192, kmem_failcnt=1, stat={}),
            id="a limit of kernel memory",
        ),
        pytest.param(
            [
                "memory: usage 8kB, limit 16kB, failcnt 3",
                "memory+swap: usage 0kB, limit 9007199254740988kB, failcnt 0",
            ],
            Limit(8192, 16384, 3, memsw=True, stat={}),
            id="v1 without swap accounting",
        ),
    ],
)
def test_usage_lines_are_parsed(lines: list[str], limit: Limit) -> None:
    limits = LimitLines()
    assert [limits.take_usage(line) for line in lines] == [True] * len(lines)
    assert limits.build_limit() == limit


def test_limit_is_none_without_its_lines() -> None:
    assert LimitLines().build_limit() is None


@pytest.mark.parametrize("text", ["anon", "anon 4096 b", "anon 0x10", "CPU: 1 PID: 7"])
def test_other_line_is_not_a_statistic(text: str) -> None:
    assert not LimitLines().take_stat(text)
