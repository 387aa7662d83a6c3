# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Task tables of every kernel."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import Task
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.task_table import (
    Table,
    guess_columns,
    parse_heading,
)

K = 4096


def tasks(heading: str, *rows: str, page_size: int | None = K) -> list[Task]:
    columns = parse_heading(heading)
    assert columns is not None
    return list(Table(rows, columns, page_size))


@pytest.mark.parametrize(
    ("heading", "row", "task"),
    [
        pytest.param(
            "[ pid ]   uid  tgid total_vm      rss cpu oom_adj oom_score_adj name",
            "[ 1743]     0  1743    16000       50   1     -17         -1000 sshd",
            Task("sshd", 1743, 0, 1743, 16000 * K, 50 * K, oom_score_adj=-1000),
            id="el6",
        ),
        pytest.param(
            "[ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name",
            "[  812]    33   812    90000     2000      40      300             0 httpd",
            Task("httpd", 812, 33, 812, 90000 * K, 2000 * K, None, None, None, 40 * K, 300 * K, 0),
            id="3.8",
        ),
        pytest.param(
            "[  pid  ]   uid  tgid total_vm      rss (01)rss_n2  pgtables_bytes swapents oom_score_adj name",
            "[    812]    33   812    90000     2000      700   131072      300             0 httpd",
            Task("httpd", 812, 33, 812, 90000 * K, 2000 * K, None, None, None, 131072, 300 * K, 0),
            id="a column that nobody knows",
        ),
        pytest.param(
            "[ pid ]   uid  tgid total_vm      rss nr_ptes nr_pmds swapents oom_score_adj name",
            "[  812]    33   812    90000     2000      40       3      300             0 httpd",
            Task("httpd", 812, 33, 812, 90000 * K, 2000 * K, None, None, None, 43 * K, 300 * K, 0),
            id="4.0",
        ),
        pytest.param(
            "[ pid ]   uid  tgid total_vm      rss nr_ptes nr_pmds nr_puds swapents oom_score_adj name",
            "[  812]    33   812    90000     2000      40       3       2      300             0 httpd",
            Task("httpd", 812, 33, 812, 90000 * K, 2000 * K, None, None, None, 45 * K, 300 * K, 0),
            id="4.14",
        ),
        pytest.param(
            "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
            "[ 128825]  1000 128825     3449      864    65536      192           200 rsync",
            Task("rsync", 128825, 1000, 128825, 3449 * K, 864 * K, None, None, None, 65536, 192 * K, 200),
            id="4.19",
        ),
        pytest.param(
            "[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj"
            " name",
            "[    812]    33   812    90000     2000     1500      400       100   131072      300             0 httpd",
            Task("httpd", 812, 33, 812, 90000 * K, 2000 * K, 1500 * K, 400 * K, 100 * K, 131072, 300 * K, 0),
            id="6.8",
        ),
        pytest.param(
            "[  pid  ]   uid  tgid colour total_vm      rss mood swapents oom_score_adj name",
            "[    812]    33   812      7    90000     2000    9      300             0 httpd",
            Task("httpd", 812, 33, 812, 90000 * K, 2000 * K, swap_bytes=300 * K, oom_score_adj=0),
            id="a later kernel",
        ),
    ],
)
def test_row_is_parsed_according_to_heading(heading: str, row: str, task: Task) -> None:
    assert tasks(heading, row) == [task]


HEADING = "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name"


@pytest.mark.parametrize("name", ["(sd-pam)", "next-build (v16", "runc:[2:INIT]", "531", "a b c", "", "12 34", "x ] y"])
def test_row_can_have_any_name(name: str) -> None:
    rows = (
        "[    812]    33   812    90000     2000   131072      300             0 httpd",
        f"[     7]   0   7  1  2  4096  3   -1000 {name}",
    )
    assert [task.name for task in tasks(HEADING, *rows)] == ["httpd", name]


def test_truncated_row_keeps_first_columns() -> None:
    assert tasks(HEADING, "[    812]    33   812    90000     2000   1310") == [
        Task("", 812, 33, 812, 90000 * K, 2000 * K)
    ]


@pytest.mark.parametrize("row", ["[", "[]", "[ dump ]: end", "[    812]    33   812    90000", "[ x ] 1 2 3 4 5 6 7 a"])
def test_other_line_is_not_a_row(row: str) -> None:
    assert tasks(HEADING, row) == []


@pytest.mark.parametrize("digits", [300, 5000])
def test_too_many_digits_are_not_a_number(digits: int) -> None:
    row = f"[    812]    33   812    90000     2000   131072      {'1' * digits}             0 httpd"
    assert [task.swap_bytes for task in tasks(HEADING, row)] == [None]


@pytest.mark.parametrize(
    ("row", "damaged"),
    [
        ("[    812]    33   812    90000     2000   131072      300             0 httpd", 0),
        ("[    812]    33   812    90000     2000   131072      300             0 a b", 0),
        ("[    812]    33   812    90000     2000   1310", 1),
        ("[ x ] 1 2 3 4 5 6 7 a", 1),
        ("[    812]    33   812    90000     2000   131072      3-0             0 httpd", 1),
        ("[    812]    33   812    90000     2000   131072      30,             0 httpd", 1),
        ("[    812]    33   812    90000     2000   131072      --3             0 httpd", 1),
        ("[    812]    33   812    90000     2000   131072        -             0 httpd", 1),
    ],
)
def test_damaged_rows_are_counted(row: str, damaged: int) -> None:
    whole = "[      1]     0     1    10000      200   131072      300         -1000 init"
    assert Table((whole, row), parse_heading(HEADING) or ()).damaged_count == damaged


@pytest.mark.parametrize(("pid", "swap"), [(812, 300), (12, 7), (2, None), (1, None)])
def test_row_is_found_by_pid(pid: int, swap: int | None) -> None:
    rows = (
        "[    812]    33   812    90000     2000   131072      300             0 httpd",
        "[     12]     0    12    90000     2000   131072        7             0 [2]",
        "[      1]     0     1    90000",
    )
    assert Table(rows, parse_heading(HEADING) or ()).find_row(pid).get("swapents") == swap


def test_pages_are_unknown_without_page_size() -> None:
    row = "[    812]    33   812    90000     2000   131072      300             0 httpd"
    assert tasks(HEADING, row, page_size=None) == [Task("httpd", 812, 33, 812, pgtables_bytes=131072, oom_score_adj=0)]


def test_columns_are_guessed_without_heading() -> None:
    assert guess_columns("[  812]    33   812    90000     2000      40      300             0 httpd 2") == (
        "pid",
        "uid",
        "tgid",
        "total_vm",
        "rss",
        "unknown",
        "unknown",
        "oom_score_adj",
        "name",
    )


@pytest.mark.parametrize(
    "text", ["[c00000023de973c0] [c000000000385534] oom_kill+0x284/0x290", "[ dump ]: 1 2 3 4 5 6"]
)
def test_other_brackets_are_not_a_row(text: str) -> None:
    assert guess_columns(text) is None
