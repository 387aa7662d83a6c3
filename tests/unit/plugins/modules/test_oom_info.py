# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module oom_info: from parameters to findings, and what it documents against what it returns."""

from __future__ import annotations

import typing as t

import pytest
import yaml

from ansible_collections.oomguard.linux.plugins.module_utils._errors import OomguardError
from ansible_collections.oomguard.linux.plugins.module_utils._oom.result import as_result
from ansible_collections.oomguard.linux.plugins.module_utils._text import neutralise_all
from ansible_collections.oomguard.linux.plugins.modules.oom_info import RETURN, search
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import Host, captured

PARAMS: dict[str, t.Any] = {
    "since": None,
    "until": None,
    "boot": "all",
    "after_cursor": None,
    "journal_directory": None,
    "journal_namespace": None,
    "log_files": [],
    "limit": 100,
    "timeout": 300,
}


def test_defaults() -> None:
    assert len(search(PARAMS, Host(captured("bullseye"))).incidents) == 3


@pytest.mark.parametrize(
    ("changes", "count"),
    [({"since": "@1795452000"}, 1), ({"until": "@1795452000"}, 2), ({"limit": 2}, 2)],
    ids=["since", "until", "limit"],
)
def test_parameters_are_taken_over(changes: dict[str, t.Any], count: int) -> None:
    assert len(search({**PARAMS, **changes}, Host(captured("bullseye"))).incidents) == count


def test_a_second_run_after_the_cursor_finds_nothing() -> None:
    host = Host(captured("bullseye"))
    cursor = search(PARAMS, host).coverage.cursor
    assert search({**PARAMS, "after_cursor": cursor}, host).incidents == ()


def test_another_journal_says_nothing_of_the_policies_in_force() -> None:
    host = Host(captured("bullseye"))
    search({**PARAMS, "journal_directory": "/srv/journal"}, host)
    assert all(call[0] == "journalctl" for call in host.calls)


def test_logs_are_read_in_place_of_the_journal() -> None:
    host = Host([])
    with pytest.raises(OomguardError, match="Could not read the log /nonexistent/dmesg"):
        search({**PARAMS, "log_files": ["/nonexistent/dmesg"]}, host)


def keys(documented: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the documented keys with those that they contain."""
    return {name: keys(value["contains"]) if "contains" in value else None for name, value in documented.items()}


def returned(value: t.Any, documented: t.Any) -> t.Any:
    """Return the keys that were returned, as deep as they are documented."""
    if documented is None:
        return None
    first = value[0] if isinstance(value, list) else value
    return {name: returned(item, documented.get(name)) for name, item in first.items()}


@pytest.mark.parametrize("part", ["events", "summary", "coverage"])
def test_what_is_returned_is_documented(part: str) -> None:
    documented = keys(yaml.safe_load(RETURN))[part]
    found = search(PARAMS, Host(captured("bullseye"), {"apache2.service": "stop"}))
    result = neutralise_all(as_result(found, tasks="top", top=1))
    newest_first = result[part][::-1] if part == "events" else result[part]
    if part == "events":
        # A kill of the whole host has no limit, and one by a limit no zones; against both there is a role or advice.
        newest_first[0]["limit"] = newest_first[1]["limit"]
        newest_first[0]["diagnosis"]["advice"] = newest_first[1]["diagnosis"]["advice"]
    assert returned(newest_first, documented) == documented
