# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages of records, and their times."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.record_fields import RecordReader

DAY_US = 1689432272000000


@pytest.mark.parametrize(
    ("fields", "times"),
    [
        ({"__REALTIME_TIMESTAMP": "1689432272000000"}, (DAY_US, None)),
        ({"__MONOTONIC_TIMESTAMP": "12"}, (None, 12)),
        ({"__CURSOR": "s=0;i=1;b=0;m=1;t=60088ba9d9c00"}, (0x60088BA9D9C00, None)),
        ({"@timestamp": "2023-07-15T14:44:32.000Z"}, (DAY_US, None)),
        ({"timestamp": "1689432272"}, (DAY_US, None)),
        ({"timestamp": "1689432272.5"}, (DAY_US + 500000, None)),
        ({"timestamp": "1689432272000"}, (DAY_US, None)),
        ({"timestamp": "1689432272000000000"}, (DAY_US, None)),
        ({"time": "12.5"}, (None, 12500000)),
        ({"time": "yesterday"}, (None, None)),
    ],
)
def test_time_is_found(fields: dict[str, t.Any], times: tuple[int | None, int | None]) -> None:
    record = RecordReader().read({**fields, "MESSAGE": "a"})
    assert record is not None
    assert (record.message.realtime_us, record.message.monotonic_us) == times


@pytest.mark.parametrize("name", ["MESSAGE", "msg", "log", "textPayload", "_raw", "@message"])
def test_message_is_found(name: str) -> None:
    record = RecordReader().read({"a": "b", name: "c"})
    assert record is not None
    assert record.message.text == "c"


def test_other_name_of_a_message_is_learned() -> None:
    reader = RecordReader()
    found = [reader.read({"x": "a", "y": text}) for text in ("b", "c invoked oom-killer", "d")]
    assert [record and record.message.text for record in found] == [None, "c invoked oom-killer", "d"]


def test_half_a_character_is_replaced() -> None:
    record = RecordReader().read({"MESSAGE": "a\ud800\udcff"})
    assert record is not None
    assert record.message.text == "a\ufffd\udcff"


@pytest.mark.parametrize(
    ("fields", "source"),
    [
        ({}, None),
        ({"SYSLOG_IDENTIFIER": "kernel"}, "kernel"),
        ({"_TRANSPORT": "kernel"}, "kernel"),
        ({"source": {"component": "kernel-monitor"}, "metadata": {"uid": "1"}}, None),
        ({"process": {"name": "kernel"}, "host": {"name": "b"}}, "kernel"),
        ({"process": {"name": "b"}}, "b"),
        ({"process.name": "b"}, "b"),
        ({"process_name": "b"}, "b"),
        ({"ProcessName": "b"}, "b"),
        ({"log": {"syslog": {"appname": "b"}}}, "b"),
        ({"log.syslog.appname": "b"}, "b"),
        ({"_COMM": "b"}, "b"),
        ({"_SYSTEMD_UNIT": "b.service"}, "b"),
        ({"_UID": "1000"}, "1000"),
        ({"SYSLOG_IDENTIFIER": "kernel", "_UID": "1000"}, "1000"),
        ({"SYSLOG_IDENTIFIER": "kernel", "_COMM": "b"}, "b"),
        ({"kubernetes": {"container_name": "b"}}, "b"),
        ({"other": {"message": "c", "program": "b"}}, None),
    ],
)
def test_source_is_found(fields: dict[str, t.Any], source: str | None) -> None:
    record = RecordReader().read({**fields, "message": "a"})
    assert record is not None
    assert record.message.source == source
