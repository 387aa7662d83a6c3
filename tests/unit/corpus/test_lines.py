# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each line inside a report of a corpus is read, or of a kind that is ignored for a stated reason.

A line that is neither is a line of a kernel that the reader does not know yet.
"""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.in_logs import LogFile
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.ignored_lines import is_omission

FOLDER = Path(os.environ["OOMGUARD_CORPUS"])
LOGS = sorted(FOLDER.glob("*.log"))

UNREAD = {
    "cgroups-5.10-gki-dumpsys-kmsg": "a vendor's kernel prints tables of its own",
    "cgroups-6.18-stress-memcg": "its author has added lines to the kernel, and one row is broken inside a word",
    "ltp-5.4-arm64-networkmanager": "the lines of another problem of the kernel are between those of the report",
}


def list_unread(path: Path) -> list[str]:
    """Return the lines that are not accounted for. Marks of left out lines make a report incomplete."""
    lines = [line for report in LogFile(str(path)).read_reports() for line in report.unread]
    return list(itertools.filterfalse(is_omission, lines))


@pytest.mark.parametrize("path", LOGS, ids=[path.stem for path in LOGS])
def test_each_line_of_a_report_is_accounted_for(path: Path) -> None:
    unread = list_unread(path)
    assert not unread or path.stem in UNREAD, unread


def test_each_exception_is_needed() -> None:
    """A corpus need not have all these logs."""
    assert [path.stem for path in LOGS if path.stem in UNREAD and not list_unread(path)] == []
