# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the last search of a host ended."""

from __future__ import annotations

import pathlib

import pytest
from ansible.errors import AnsibleError

from ansible_collections.oomguard.linux.plugins.lookup.last_cursor import LookupModule
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.store import name_file, write_record
from ansible_collections.oomguard.linux.tests.unit.plugins.plugin_utils._fleet.factories import (
    COVERAGE,
    make_record,
    make_result,
)


def find(folder: pathlib.Path | str, host: str = "web1") -> str:
    (cursor,) = LookupModule().run([host], records_path=str(folder))
    return cursor


def test_cursor_is_that_of_the_last_record(tmp_path: pathlib.Path) -> None:
    write_record(tmp_path, make_record(result=make_result(coverage={**COVERAGE, "cursor": "s=1"})))
    assert find(tmp_path) == "s=1"


@pytest.mark.parametrize("text", [None, "{"], ids=["no record", "damaged"])
def test_without_a_record_there_is_no_cursor(tmp_path: pathlib.Path, text: str | None) -> None:
    if text:
        (tmp_path / name_file("web1")).write_text(text)
    assert find(tmp_path) == ""


def test_record_of_a_host_that_was_unreachable_has_no_cursor(tmp_path: pathlib.Path) -> None:
    write_record(tmp_path, make_record(result=None))
    assert find(tmp_path) == ""


def test_folder_must_be_named() -> None:
    with pytest.raises(AnsibleError, match="name the folder of records, detect_records_path"):
        find("")
