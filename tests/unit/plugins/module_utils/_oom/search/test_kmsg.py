# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What systemd writes to /dev/kmsg about units."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.kmsg import (
    MATCHES,
    is_kmsg_of_systemd,
    parse_message,
)

FIELDS = dict(match.split("=") for match in MATCHES)


def test_record_of_systemd_is_known() -> None:
    assert is_kmsg_of_systemd(FIELDS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_TRANSPORT", "syslog"),
        ("SYSLOG_FACILITY", "0"),
        ("SYSLOG_IDENTIFIER", "kernel"),
        ("SYSLOG_PID", "1500"),
    ],
)
def test_record_of_another_program_is_not_systemds(name: str, value: str) -> None:
    assert not is_kmsg_of_systemd({**FIELDS, name: value})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.service: A process of this unit has been killed by the OOM killer.", ("OUT_OF_MEMORY", None, False)),
        ("a.service: systemd-oomd killed 2 process(es) in this unit.", ("OOMD_KILL", None, False)),
        ("a.service: Failed with result 'oom-kill'.", ("FAILED", "oom-kill", False)),
        ("a.service: Failed with result 'exit-code'.", ("FAILED", "exit-code", False)),
        ("a.service: Main process exited, code=killed, status=9/KILL", ("EXITED", None, True)),
        ("a.service: Main process exited, code=killed, status=15/TERM", ("EXITED", None, False)),
        ("a.service: Main process exited, code=exited, status=9/n/a", ("EXITED", None, False)),
        ("a.service: Scheduled restart job, restart counter is at 7.", ("RESTART", None, False)),
    ],
)
def test_messages_about_a_unit(text: str, expected: tuple[object, ...]) -> None:
    message = parse_message(text)
    assert message is not None
    assert (message.unit, message.what, message.result, message.killed) == ("a.service", *expected)


@pytest.mark.parametrize("unit", ["user@1000.service", "a:b.service", "dev-disk-by\\x2duuid-1.swap", "a.b.service"])
def test_name_of_a_unit_may_have_any_character(unit: str) -> None:
    message = parse_message(f"{unit}: Failed with result 'oom-kill'.")
    assert message is not None
    assert message.unit == unit


@pytest.mark.parametrize(
    "text",
    [
        "Started a.service - A program.",
        "a.service: Consumed 1.9s CPU time.",
        "a.service: Failed with result 'oom-kill'. And more.",
        "a.service: said a.service: Failed with result 'oom-kill'.",
        "a program: Failed with result 'oom-kill'.",
    ],
)
def test_other_messages_do_not_matter(text: str) -> None:
    assert parse_message(text) is None


def test_text_that_journald_forwards_for_a_user_is_not_systemds() -> None:
    # The user's name of the program, up to the process id that journald adds.
    assert parse_message("a.service: Failed with result 'oom-kill'.[1500]: text") is None
