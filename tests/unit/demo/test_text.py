# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The output of the demo."""

from __future__ import annotations

import dataclasses

import pytest
from demo.text import State, format_elapsed, format_table

TEXT = """\
MainPID=0
Result=oom-kill
NRestarts=0
OOMPolicy=stop
ActiveState=failed
Answers=15 x HTTP 200, 1 x HTTP 500
Kills=1
SwapTotal=262140
StaticPage=000
"""
BEFORE = State.parse(TEXT)
AFTER = State(
    apache="active",
    result="success",
    main_pid=812,
    policy="continue",
    answers="24 x HTTP 200",
    kills=0,
    swap_bytes=10 * 1024**3,
    static_page="200",
)


def test_state_is_parsed() -> None:
    assert (
        State(
            apache="failed",
            result="oom-kill",
            main_pid=0,
            policy="stop",
            answers="15 x HTTP 200, 1 x HTTP 500",
            kills=1,
            swap_bytes=262140 * 1024,
            static_page="000",
        )
        == BEFORE
    )


@pytest.mark.parametrize(("seconds", "text"), [(0, "[ 0:00]"), (65.9, "[ 1:05]"), (754, "[12:34]")])
def test_elapsed_time_has_minutes_and_seconds(seconds: float, text: str) -> None:
    assert format_elapsed(seconds) == text


def test_table_is_aligned() -> None:
    assert format_table(before=BEFORE, after=AFTER, forced=dataclasses.replace(AFTER, kills=1)).splitlines() == [
        "                                   before                       after",
        "OOMPolicy= of apache2.service      stop                         continue",
        "total swap                         256 MiB                      10240 MiB",
        "answers under load                 15 x HTTP 200, 1 x HTTP 500  24 x HTTP 200",
        "Apache after the load              failed (oom-kill)            active",
        "Apache after a kill in its cgroup  failed (oom-kill)            active",
        "static page                        no answer                    HTTP 200",
    ]
