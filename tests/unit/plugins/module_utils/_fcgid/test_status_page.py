# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of mod_status, as a bookworm machine gave it after a request that tried to forge a table."""

from __future__ import annotations

import pathlib
import time

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.status_page import parse_page
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.worker import Row

HEADINGS = "<table><tr><th>Pid</th><th>Active</th><th>Idle</th><th>Accesses</th><th>State</th></tr>"
PAGE = pathlib.Path(__file__).with_name("bookworm-status.txt").read_text()


def test_workers_are_read_from_a_real_page() -> None:
    assert parse_page(PAGE) == {
        829: Row("/srv/fcgi/perl.fcgi", 2, 0, "Working"),
        521: Row("/srv/fcgi/python-term.fcgi", 884, 1, "Ready"),
        616: Row("/usr/bin/php-cgi", 761, 2, "Ready"),
        602: Row("/usr/bin/php-cgi", 769, 3, "Ready"),
    }


def test_page_without_mod_fcgid_has_no_workers() -> None:
    assert parse_page(PAGE[: PAGE.index("<h1>mod_fcgid")]) == {}


def test_truncated_page_has_the_workers_before_the_cut() -> None:
    assert list(parse_page(PAGE[: PAGE.rindex("<td>602")])) == [829, 521, 616]


def measure(text: str) -> float:
    """Return the shortest of three times in which a page is parsed, in seconds."""
    times = []
    for _round in range(3):
        begun = time.process_time()
        parse_page(text)
        times.append(time.process_time() - begun)
    return min(times)


@pytest.mark.parametrize(
    "piece",
    [
        "Process: ",
        "Process: \n",
        "Process: x</b>&nbsp;&nbsp;(",
        "Process: x</b>&nbsp;&nbsp;(a)",
        "<table",
        "<tr><td>1</td>",
        "<tr><td>1</td><td>",
        "&#1",
        "9",
        "<!--",
        "<a ",
        "(",
        HEADINGS,
        f"Process: {HEADINGS}",
        f"Process: </b>&nbsp;&nbsp;(&#{'9' * 4000};)<br />{HEADINGS}",
    ],
)
def test_time_grows_with_the_length_of_the_page_alone(piece: str) -> None:
    size = 1 << 18
    start = f"Process: x</b>&nbsp;&nbsp;(/a)<br />{HEADINGS}"
    small = measure(start + piece * (size // len(piece)))
    large = measure(start + piece * (4 * size // len(piece)))
    assert large < 1
    assert large < 12 * small + 0.05


def test_numbers_without_end_are_no_row() -> None:
    row = f"<tr><td>{'9' * 10_000}</td><td>1</td><td>1</td><td>1</td><td>Ready</td></tr>"
    assert parse_page(f"Process: x</b>&nbsp;&nbsp;(/a)<br />{HEADINGS}{row}") == {}


def test_command_has_no_entities() -> None:
    row = "<tr><td>7</td><td>1</td><td>2</td><td>3</td><td>Ready</td></tr>"
    page = f"Process: b&amp;c</b>&nbsp;&nbsp;(/a (1)/b&amp;c)<br />{HEADINGS}{row}"
    assert parse_page(page) == {7: Row("/a (1)/b&c", 2, 3, "Ready")}


def test_other_table_with_five_columns_is_skipped() -> None:
    assert parse_page("<table><tr><th>A</th></tr><tr>" + "<td>1</td>" * 5 + "</tr></table>") == {}
