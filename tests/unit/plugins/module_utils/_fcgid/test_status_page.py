# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of mod_status, as a bookworm machine gave it after a request that tried to forge a table."""

from __future__ import annotations

import pathlib

from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.status_page import parse_page
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.worker import Row

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


def test_other_table_with_five_columns_is_skipped() -> None:
    assert parse_page("<table><tr><th>A</th></tr><tr>" + "<td>1</td>" * 5 + "</tr></table>") == {}
