# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernel messages inside lines of other programs."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.embedded_lines import (
    has_embedded,
    split_embedded,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.prefixes import Prefix

KILL = "Memory cgroup out of memory: Killed process 7 (hog) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB"
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


@pytest.mark.parametrize(
    "before",
    [
        "3m12s Warning OOMKilling ",
        "  Warning  OOMKilling  3m12s (x2 over 4m)  kernel-monitor  ",
        "Warning   OOMKilling   node/gke-a-b1               kernel-monitor, gke-a-b1   ",
        "I0714 09:11:01.128123  1 log_monitor.go:160] New status generated: &{Source:a Reason:OOMKilling Message:",
        "I0714 09:11:01.128123  1 event.go:282] Event(v1.ObjectReference{}): type: 'Warning' reason: 'OOMKilling' ",
    ],
)
def test_event_of_kubernetes_is_found(before: str) -> None:
    assert [item.text for item in split_embedded(before + KILL) if isinstance(item, Prefix)] == [KILL]


@pytest.mark.parametrize("before", ["  message: ", "  message: '", '- message: "', "textPayload: "])
def test_message_in_yaml_is_found(before: str) -> None:
    line = before + KILL
    assert has_embedded(line)
    assert list(split_embedded(line)) == [KILL]


def test_item_of_a_list_in_yaml_is_found() -> None:
    line = f"  - '[   12.5] it''s {KILL}'"
    assert has_embedded(line)
    assert list(split_embedded(line)) == [f"[   12.5] it's {KILL}"]


def test_message_of_the_kernel_in_logcat_is_found() -> None:
    line = f"06-07 08:09:10.124     0     0 E         : {KILL}"
    assert has_embedded(line)
    assert list(split_embedded(line)) == [Prefix(KILL, source="kernel")]


@pytest.mark.parametrize(
    "before",
    [
        "06-07 08:09:10.124   912   912 E app     : ",
        "06-07 08:09:10.124     0     0 E app     : ",
        "I0714 09:11:01.128123 1 app.go:160] user: OOMKilling ",
        "app: message: ",
        "Jun  1 07:00:00 web1 app[7]: message: ",
    ],
)
def test_message_of_another_program_is_not_the_kernel_s(before: str) -> None:
    assert list(split_embedded(before + KILL)) == [before + KILL]
