# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of lines."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.line_order import (
    is_newest_first,
    reverse_lines,
)
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.report.factories import (
    GLOBAL_KILL,
    GLOBAL_TRIGGER,
)

KERNEL = "Jun  1 07:00:0{0} web1 kernel: "


@pytest.mark.parametrize("prefix", [KERNEL, "[    {0}.500000] ", "2022-06-01T07:00:0{0}Z web1 kernel: "])
@pytest.mark.parametrize("first", [3, 2])
def test_heading_before_its_trigger_shows_the_order(prefix: str, first: int) -> None:
    heading = prefix.format(2) + "CPU: 1 PID: 7 Comm: x Not tainted 6.1.0"
    lines = [prefix.format(first) + GLOBAL_KILL, heading, prefix.format(2) + GLOBAL_TRIGGER]
    assert is_newest_first("\n".join(lines))


@pytest.mark.parametrize("prefix", ["[    {0}.500000] ", "2022-06-01T07:00:0{0}Z web1 kernel: "])
def test_later_kill_before_its_trigger_shows_the_order(prefix: str) -> None:
    assert is_newest_first(f"{prefix.format(3)}{GLOBAL_KILL}\n{prefix.format(2)}{GLOBAL_TRIGGER}\n")


@pytest.mark.parametrize(
    "lines",
    [
        [KERNEL.format(2) + GLOBAL_TRIGGER, KERNEL.format(2) + GLOBAL_KILL],
        [KERNEL.format(2) + GLOBAL_KILL, KERNEL.format(3) + GLOBAL_TRIGGER],
        [KERNEL.format(2) + GLOBAL_KILL, KERNEL.format(2) + GLOBAL_TRIGGER],
        ["[    2.5] " + GLOBAL_KILL, "[    3.5] CPU: 1 PID: 7 Comm: x", "[    3.5] " + GLOBAL_TRIGGER],
        [KERNEL.format(2) + GLOBAL_KILL, KERNEL.format(2) + GLOBAL_KILL],
        [KERNEL.format(2) + GLOBAL_KILL],
        [GLOBAL_KILL, GLOBAL_TRIGGER],
        [],
    ],
)
def test_other_log_is_in_order(lines: list[str]) -> None:
    assert not is_newest_first("\n".join(lines))


def test_lines_of_one_message_stay_in_order() -> None:
    assert reverse_lines(["a", "  b", "  c", "d"]) == "d\na\n  b\n  c\n"
