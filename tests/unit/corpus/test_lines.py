# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each line inside a report of a corpus is read, or of a kind that is ignored for a stated reason.

A line that is neither is a line of a kernel that the reader does not know yet.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.in_logs import LogFile

FOLDER = Path(os.environ["OOMGUARD_CORPUS"])
LOGS = sorted(FOLDER.glob("*.log"))

WRAPPED = "a mail program has broken its lines, and some of the pieces cannot be recognised"
LEFT_OUT = "its author or grep has left out lines"
OTHER = "lines of other programs or parts of the kernel are between those of the report"
UNREAD = {
    "block-zram-cc1-41kills": WRAPPED,
    "cadvisor-test-0": "the line is about a task that no trigger line names",
    "cgroups-5.10-gki-dumpsys-kmsg": "a vendor's kernel prints tables of its own, and some lines are broken",
    "cgroups-5.7-i386-mkfs-x2": WRAPPED,
    "cgroups-6.12-el10-ppc64le-memcg2": LEFT_OUT,
    "cgroups-6.14-test-memcontrol-wrapped": LEFT_OUT,
    "cgroups-6.16-bpf-oom": LEFT_OUT,
    "cgroups-6.18-stress-memcg": "its author has added lines to the kernel",
    "cgroups-6.8rc6-dd-memcg-wrapped": WRAPPED,
    "cgroups-alloc-anon-memcg2-wrapped": WRAPPED,
    "chromeos-6.6-crostini-grep-context": LEFT_OUT,
    "ext4-5.7-i386-mkfs": WRAPPED,
    "f2fs-5.7-i386-mkfs-rows-wrapped": WRAPPED,
    "hyperv-4.18-el8-balloon": WRAPPED,
    "iouring-5.10-deadlocked": WRAPPED,
    "ltp-5.10-ioctl-sg01": WRAPPED,
    "ltp-5.4-arm64-networkmanager": OTHER,
    "ltp-5.8-oracle-memcg-process": LEFT_OUT,
    "mips-3.10-zh-blog-duplicated-kill": LEFT_OUT,
    "mips-5.18-pxa-arm-boot": WRAPPED,
    "next-5.18-systemd-wrapped": WRAPPED,
    "xfs-6.9-cc1plus": WRAPPED,
}


@pytest.mark.parametrize("path", LOGS, ids=[path.stem for path in LOGS])
def test_each_line_of_a_report_is_accounted_for(path: Path) -> None:
    unread = [line for report in LogFile(str(path)).read_reports() for line in report.unread]
    assert not unread or path.stem in UNREAD, unread


def test_each_exception_is_needed() -> None:
    """A corpus need not have all these logs."""
    for path in LOGS:
        if path.stem in UNREAD:
            assert any(report.unread for report in LogFile(str(path)).read_reports()), path.stem
