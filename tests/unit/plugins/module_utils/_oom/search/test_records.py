# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who wrote a record, and about what. The forged records are as journald 252 and 257 stored them."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._journal.record import Record
from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.records import (
    EXITED,
    FAILED,
    JOURNALD_STARTED,
    JOURNALD_STOPPED,
    MISSED,
    OUT_OF_MEMORY,
    Forged,
    JournaldRecord,
    KernelKill,
    KillerRecord,
    MissedRecords,
    UnitRecord,
    read_record,
)

KILL = "Out of memory: Killed process 1 (init) total-vm:1kB, anon-rss:1kB, file-rss:1kB, shmem-rss:0kB"
KERNEL = {"_TRANSPORT": "kernel", "SYSLOG_FACILITY": "0", "SYSLOG_IDENTIFIER": "kernel", "PRIORITY": "3"}
SYSTEMD = {
    "_TRANSPORT": "journal",
    "_PID": "1",
    "_SYSTEMD_UNIT": "init.scope",
    "UNIT": "apache2.service",
    "_HOSTNAME": "web",
}
NO_PROCESS = "Out of memory and no killable processes..."
TABLE = "Tasks state (memory values in pages):"


def record(message: str, **fields: str) -> Record:
    return Record(cursor="c", realtime_us=2, monotonic_us=1, boot_id="b", fields={"MESSAGE": message, **fields})


@pytest.mark.parametrize("message", [KILL, NO_PROCESS, TABLE], ids=["kill", "no process", "table"])
def test_kernel_messages_about_a_kill(message: str) -> None:
    assert isinstance(read_record(record(message, **KERNEL)), KernelKill)


def test_other_kernel_messages_do_not_matter() -> None:
    assert read_record(record("usb 1-1: new device", **KERNEL)) is None


def test_old_versions_of_journald_give_no_facility() -> None:
    assert isinstance(read_record(record(KILL, _TRANSPORT="kernel")), KernelKill)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (
            {"_TRANSPORT": "kernel", "SYSLOG_FACILITY": "1"},
            "written to /dev/kmsg by a program, not by the kernel",
        ),
        (
            {"_TRANSPORT": "syslog", "SYSLOG_FACILITY": "1", "SYSLOG_IDENTIFIER": "kernel"},
            "written by another program in the name of the kernel or systemd",
        ),
        (
            {"_TRANSPORT": "journal", "SYSLOG_FACILITY": "0", "SYSLOG_IDENTIFIER": "kernel"},
            "written by another program in the name of the kernel or systemd",
        ),
        (
            {**SYSTEMD, "MESSAGE_ID": OUT_OF_MEMORY, "_PID": "706"},
            "written by another program in the name of the kernel or systemd",
        ),
        (
            {**SYSTEMD, "MESSAGE_ID": OUT_OF_MEMORY, "_SYSTEMD_UNIT": "evil.service"},
            "written by another program in the name of the kernel or systemd",
        ),
    ],
    ids=["kmsg", "syslog", "native", "not process 1", "not init.scope"],
)
def test_forged_record_is_not_trusted(fields: dict[str, str], reason: str) -> None:
    assert read_record(record(KILL, **fields)) == Forged(reason)


def test_program_that_quotes_the_kernel_forges_nothing() -> None:
    assert read_record(record(KILL, _TRANSPORT="stdout", SYSLOG_IDENTIFIER="backup")) is None


@pytest.mark.parametrize(
    ("message", "fields", "result", "killed"),
    [
        ("A process of this unit has been killed", {"MESSAGE_ID": OUT_OF_MEMORY}, None, False),
        ("Failed with result", {"MESSAGE_ID": FAILED, "UNIT_RESULT": "oom-kill"}, "oom-kill", False),
        (
            "Main process exited, code=killed, status=9/KILL",
            {"MESSAGE_ID": EXITED, "EXIT_CODE": "killed", "EXIT_STATUS": "9"},
            None,
            True,
        ),
        (
            "Main process exited, code=exited, status=1/FAILURE",
            {"MESSAGE_ID": EXITED, "EXIT_CODE": "exited", "EXIT_STATUS": "1"},
            None,
            False,
        ),
    ],
    ids=["noticed", "failed", "killed", "exited"],
)
def test_messages_of_systemd_about_a_unit(
    message: str, fields: dict[str, str], result: str | None, killed: bool
) -> None:
    statement = read_record(record(f"apache2.service: {message}", **SYSTEMD, **fields))
    assert statement == UnitRecord("apache2.service", fields["MESSAGE_ID"], 2, 1, "b", result, killed, "web")


def test_end_of_a_control_process_is_not_the_end_of_a_unit() -> None:
    fields = {"MESSAGE_ID": EXITED, "EXIT_CODE": "killed", "EXIT_STATUS": "9"}
    message = "apache2.service: Control process exited, code=killed, status=9/KILL"
    assert read_record(record(message, **SYSTEMD, **fields)) is None


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"_TRANSPORT": "driver", "MESSAGE_ID": MISSED}, MissedRecords(12)),
        ({"_TRANSPORT": "journal", "MESSAGE_ID": MISSED}, None),
    ],
    ids=["journald", "another"],
)
def test_only_journald_reports_missed_messages(fields: dict[str, str], expected: t.Any) -> None:
    assert read_record(record("Missed 12 kernel messages", **fields)) == expected


def test_userspace_oom_killer_is_known_by_its_unit() -> None:
    statement = read_record(
        record("sending SIGTERM to process 7", _TRANSPORT="stdout", _SYSTEMD_UNIT="earlyoom.service")
    )
    assert isinstance(statement, KillerRecord)
    assert statement.killer == "earlyoom"


DRIVER = {"_TRANSPORT": "driver", "_HOSTNAME": "web"}
KMSG = {
    "_TRANSPORT": "kernel",
    "SYSLOG_FACILITY": "3",
    "SYSLOG_IDENTIFIER": "systemd",
    "SYSLOG_PID": "1",
    "_HOSTNAME": "web",
}


def test_record_of_systemd_that_came_through_kmsg_is_read_and_not_trusted() -> None:
    statement = read_record(record("apache2.service: Failed with result 'oom-kill'.", **KMSG))
    assert statement == UnitRecord("apache2.service", FAILED, 2, 1, "b", "oom-kill", False, "web", trusted=False)


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({**DRIVER, "MESSAGE_ID": JOURNALD_STARTED}, JOURNALD_STARTED),
        ({**DRIVER, "MESSAGE_ID": JOURNALD_STOPPED}, JOURNALD_STOPPED),
        (KMSG, FAILED),
        ({**SYSTEMD, "MESSAGE_ID": FAILED, "UNIT": "systemd-journald.service", "UNIT_RESULT": "watchdog"}, FAILED),
    ],
    ids=["start", "stop", "failure through kmsg", "failure"],
)
def test_what_became_of_journald(fields: dict[str, str], what: str) -> None:
    statement = read_record(record("systemd-journald.service: Failed with result 'watchdog'.", **fields))
    assert isinstance(statement, JournaldRecord)
    assert (statement.what, statement.host) == (what, "b web")


def test_journald_that_an_oom_kill_took_down_is_a_unit_like_others() -> None:
    statement = read_record(record("systemd-journald.service: Failed with result 'oom-kill'.", **KMSG))
    assert isinstance(statement, UnitRecord)


@pytest.mark.parametrize(
    ("what", "result", "expected"),
    [
        (OUT_OF_MEMORY, None, True),
        (FAILED, "oom-kill", True),
        (FAILED, "exit-code", False),
        (EXITED, None, False),
    ],
)
def test_whether_a_record_of_a_unit_is_about_a_kill(what: str, result: str | None, *, expected: bool) -> None:
    assert UnitRecord("a.service", what, 2, 1, "b", result).is_about_kill is expected
