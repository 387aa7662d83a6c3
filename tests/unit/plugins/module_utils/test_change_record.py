# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Journal records of changes."""

from __future__ import annotations

import pathlib
import re

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._change_record import (
    MESSAGE_IDS,
    Difference,
    Setting,
    Value,
    encode_record,
    find_differences,
    format_value,
)

MODULES = pathlib.Path(__file__).parents[4] / "plugins/modules"
POLICY = Difference("OOMPolicy", "apache2.service", "stop", "continue")


def test_record_is_in_the_format_of_the_socket() -> None:
    assert encode_record("systemd_dropin", POLICY).decode() == (
        "MESSAGE=Changed OOMPolicy of apache2.service from stop to continue.\n"
        "MESSAGE_ID=a3d35f601fdf4d7e9996f8abb424a45e\n"
        "PRIORITY=5\n"
        "SYSLOG_IDENTIFIER=oomguard\n"
        "OOMGUARD_MODULE=systemd_dropin\n"
        "OOMGUARD_WHAT=OOMPolicy\n"
        "OOMGUARD_OBJECT=apache2.service\n"
        "OOMGUARD_BEFORE=stop\n"
        "OOMGUARD_AFTER=continue\n"
    )


def test_record_has_bytes_as_a_number() -> None:
    record = encode_record("swap", Difference("swap", "", 4 << 30, 10 << 30))
    assert b"MESSAGE=Changed swap from 4.0 GiB to 10.0 GiB.\n" in record
    assert record.endswith(b"OOMGUARD_WHAT=swap\nOOMGUARD_BEFORE=4294967296\nOOMGUARD_AFTER=10737418240\n")


def test_value_cannot_add_a_field() -> None:
    record = encode_record("systemd_dropin", POLICY._replace(after="a\nPRIORITY=0\x1b{{ b }}"))
    assert b"OOMGUARD_AFTER=a\\x0aPRIORITY=0\\x1b\\x7b{ b }}\n" in record
    assert record.count(b"\n") == 9


def test_surrogate_can_be_sent() -> None:
    assert b"\\udcff" in encode_record("fcgid_config", POLICY._replace(after="\udcff"))


def test_record_is_small() -> None:
    record = encode_record("fcgid_config", POLICY._replace(before="\U0001f600" * 9999, after="\x00" * 9999))
    assert len(record) < 8192


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (None, "continue", "Set OOMPolicy of apache2.service to continue."),
        ("stop", None, "Removed OOMPolicy of apache2.service, which was stop."),
        ("stop", "stop", "Renewed OOMPolicy of apache2.service."),
        (None, None, "Renewed OOMPolicy of apache2.service."),
    ],
)
def test_message_says_what_changed(before: Value, after: Value, message: str) -> None:
    assert POLICY._replace(before=before, after=after).message == message


@pytest.mark.parametrize(
    ("what", "value", "text"),
    [
        ("MemoryMax", 1 << 30, "1.0 GiB"),
        ("MemoryMax", "infinity", "infinity"),
        ("limit", "524288000", "500.0 MiB"),
        ("FcgidMaxRequestLen", 131072, "131072"),
    ],
)
def test_only_sizes_are_in_binary_units(what: str, value: Value, text: str) -> None:
    assert format_value(what, value) == text


def test_settings_with_another_value_are_found() -> None:
    before = [Setting("file", "a"), Setting("x", "a", 1), Setting("y", "a", 2), Setting("z", "a", 3)]
    after = [Setting("file", "a"), Setting("x", "a", 1), Setting("y", "a", 5), Setting("new", "a", 4)]
    assert find_differences(before, after) == [
        Difference("y", "a", 2, 5),
        Difference("new", "a", None, 4),
        Difference("z", "a", 3, None),
    ]


def test_change_without_another_value_is_one_of_the_whole() -> None:
    settings = [Setting("file", "a"), Setting("x", "a", 1)]
    assert find_differences(settings, settings) == [Difference("file", "a", None, None)]


def test_message_ids_are_as_journald_wants_them() -> None:
    assert all(re.fullmatch("[0-9a-f]{32}", message_id) for message_id in MESSAGE_IDS.values())
    assert len(set(MESSAGE_IDS.values())) == len(MESSAGE_IDS)


@pytest.mark.parametrize("module", MESSAGE_IDS)
def test_module_writes_and_documents_its_records(module: str) -> None:
    source = (MODULES / f"{module}.py").read_text("utf-8")
    assert "journal=Journald(silent=module.no_log)" in source
    assert f"C(journalctl MESSAGE_ID={MESSAGE_IDS[module]})" in source


def test_every_module_that_changes_a_host_has_a_message_id() -> None:
    changing = [path.stem for path in MODULES.glob("*.py") if "import bring" in path.read_text("utf-8")]
    assert sorted(changing) == sorted(MESSAGE_IDS)
