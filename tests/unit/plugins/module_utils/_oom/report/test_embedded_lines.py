# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernel messages inside lines of other programs."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.embedded_lines import split_embedded

KILLING = "OOMKilling Killed process 7 (hog) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (
            "2026-12-04T10:49:30.125Z In(05) vcpu-5 - Guest: <6>[ 12.072507] a",
            "2026-12-04T10:49:30.125Z [ 12.072507] a",
        ),
        ("2026-12-04T10:49:30.125Z| vcpu-5| I1: Guest: <6>[ 1.07250] a", "2026-12-04T10:49:30.125Z [ 1.07250] a"),
        ("vcpu-5| Guest: <6>[ 12.072507] a", "[ 12.072507] a"),
        ("Jun  1 07:00:00 web1 php: Guest: <6>[ 12.072507] a", "Jun  1 07:00:00 web1 php: Guest: <6>[ 12.072507] a"),
        ("a OOMKilling b", "a OOMKilling b"),
        (f"Jun  1 07:00:00 web1 php[5]: {KILLING}", f"Jun  1 07:00:00 web1 php[5]: {KILLING}"),
        (f"2026-06-01T07:00:00Z web1 php: a {KILLING}", f"2026-06-01T07:00:00Z web1 php: a {KILLING}"),
        (f"php[5]: {KILLING}", f"php[5]: {KILLING}"),
        (f"php: {KILLING}", f"php: {KILLING}"),
        ("php: Guest: <6>[ 12.072507] a", "php: Guest: <6>[ 12.072507] a"),
        ("web1 php(a)[5]: Guest: <6>[ 12.072507] a", "web1 php(a)[5]: Guest: <6>[ 12.072507] a"),
    ],
)
def test_message_of_another_system_is_found(raw: str, expected: str) -> None:
    assert list(split_embedded(raw)) == [expected]
