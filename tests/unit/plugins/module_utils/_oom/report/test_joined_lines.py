# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines that something has joined into one."""

from __future__ import annotations

import json
import time

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.joined_lines import has_joined, split_joined
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.report.factories import build_memcg_report

SYSLOG = [f"Jul 15 23:44:32 web1 kernel: {line}" for line in build_memcg_report()]
UPTIME = [f"[ 1187.{number:06}] {line}" for number, line in enumerate(build_memcg_report())]
JOINED = {
    "list": repr,
    "list of bytes": lambda lines: repr([line.encode() for line in lines]),
    "text": lambda lines: repr("\n".join(lines)),
    "text of JSON": lambda lines: json.dumps("\r\n".join(lines)),
    "escapes": "\\n".join,
    "HTML": lambda lines: "<p>" + "<br/>".join(lines) + "</p>",
    "blanks": " ".join,
}


@pytest.mark.parametrize("form", JOINED)
@pytest.mark.parametrize("lines", [SYSLOG, UPTIME], ids=["syslog", "uptime"])
def test_joined_lines_are_split(form: str, lines: list[str]) -> None:
    assert split_joined(JOINED[form](lines)) == lines


@pytest.mark.parametrize(
    ("lines", "is_joined"),
    [
        (SYSLOG, False),
        ([], False),
        (["a" * 2000], False),
        (["a", repr(SYSLOG), "b"], True),
        ([*"ab" * 999, repr(SYSLOG)], True),
    ],
    ids=["one a line", "nothing", "a long line", "joined", "joined at the end"],
)
def test_joined_lines_are_found(lines: list[str], *, is_joined: bool) -> None:
    assert has_joined("\n".join(lines)) == is_joined


@pytest.mark.parametrize(
    "line",
    [
        json.dumps({"message": "\n".join(UPTIME)}),
        "\\n".join(["Jul 15 23:44:32 web1 evil: a", *SYSLOG]),
        "\\n".join(["evil", *UPTIME]),
        "\\n".join(["2023-07-15 23:44:32 evil says ", *UPTIME]),
        "\\n".join(["Jul 15 23:44:32 web1 kernel: a", *["b"] * 300, *SYSLOG]),
        "\\n".join(line.replace("ill", "ost") for line in UPTIME),
        " ".join(UPTIME[-2:]),
    ],
)
def test_other_line_stays_whole(line: str) -> None:
    assert split_joined(line) == [line]


@pytest.mark.parametrize("unit", ["\\n", "<br>", "', '", " [    1.000000] ", " Jul 15 23:44:32 ", "\\r", "'"])
def test_time_is_linear(unit: str) -> None:
    seconds = []
    for size in (100_000, 400_000):
        begun = time.process_time()
        split_joined(UPTIME[-1] + unit * (size // len(unit)))
        seconds.append(time.process_time() - begun)
    assert seconds[1] < 8 * seconds[0] + 0.2
