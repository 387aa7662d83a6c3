# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of a log: its lines, and the messages of records such as JSON."""

from __future__ import annotations

import io

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.log_lines import read_numbered
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.log_text import LogText
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.mentions import Mentions
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.report.factories import GLOBAL_KILL


def read_lines(file: io.StringIO) -> list[str]:
    return [line.text for line in read_numbered(LogText(file, Mentions()).read())]


@pytest.mark.parametrize("length", [0, 1, 16383, 16384, 16385, 16400, 32768, 100_000])
def test_nuls_before_a_line_are_removed(length: int) -> None:
    nuls = "\0" * length
    assert read_lines(io.StringIO(f"a\n{nuls}{GLOBAL_KILL}\nb\n{nuls}")) == ["a", GLOBAL_KILL, "b"]


@pytest.mark.parametrize("length", [16383, 16384, 16385, 32767, 32768, 100_000])
@pytest.mark.parametrize("end", ["\n", "\nb\n"])
def test_long_line_is_truncated(length: int, end: str) -> None:
    lines = read_lines(io.StringIO("a" * length + end))
    assert (len(lines[0]), lines[1:]) == (min(length, 16384), ["b"] if end[1:] else [])
