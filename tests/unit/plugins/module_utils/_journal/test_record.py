# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A journal entry as journalctl prints it."""

from __future__ import annotations

import json

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._journal.record import read_json
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._journal.factories import MESSAGES
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import entry


@pytest.mark.parametrize(("message", "text"), MESSAGES.values(), ids=MESSAGES)
def test_every_shape_of_a_message_is_read(message: object, text: str) -> None:
    record = read_json(json.dumps(entry(message, at=1)))
    assert record
    assert record.message == text


@pytest.mark.parametrize(
    "line",
    ['{"__CURSOR":"s=1","MES', json.dumps(entry([None, "oom"], at=1)), '{"__CURSOR": "s=1"}', "[]"],
    ids=["cut", "a repeated field with a part that is too long", "without times", "no object"],
)
def test_record_that_is_not_whole_is_not_read(line: str) -> None:
    assert read_json(line) is None
