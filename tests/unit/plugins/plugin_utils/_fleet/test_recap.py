# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of all hosts."""

from __future__ import annotations

import re
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.columns import measure
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.recap import (
    WIDTH,
    build_command,
    build_recap,
    explain_host,
    is_helped,
)
from ansible_collections.oomguard.linux.tests.unit.plugins.plugin_utils._fleet.factories import (
    COVERAGE,
    RESULT,
    make_event,
    make_record,
    make_result,
    make_unit,
    sum_up,
)

Record = dict[str, t.Any]
DOWN_SINCE = "2026-11-29T01:00:00.000000Z"
DOWN = make_record("db1", make_result(summary=sum_up(make_unit(is_down=True, time=DOWN_SINCE))))
KILLED = make_record("app1", make_result(events=[make_event()], summary=sum_up(count=3)))
CLEAN = make_record("web9", make_result())
GONE = make_record("gone", {"unreachable": True, "msg": "ssh: no route"})
PARTLY = make_record("log1", make_result(coverage={**COVERAGE, "complete": False, "notes": ["A boot is missing."]}))


def show(*records: Record) -> list[str]:
    return [line.text for line in build_recap(records)]


def split(lines: list[str]) -> list[str]:
    """Return the cells of the last line."""
    return re.split(" {2,}", lines[-1])


def test_worst_host_comes_first_and_clean_ones_are_counted() -> None:
    lines = show(CLEAN, PARTLY, GONE, KILLED, DOWN)
    assert " ".join(lines[:2]).rsplit(", ", maxsplit=1)[-1] == "1 clean."
    assert [line.split()[0] for line in lines[-5:]] == ["HOST", "db1", "app1", "gone", "log1"]


def test_clean_fleet_has_no_table() -> None:
    assert show(CLEAN, CLEAN) == ["2 hosts: 2 clean."]


def test_row_says_what_went_down_and_for_how_long() -> None:
    assert split(show(DOWN))[:3] == ["db1", "shop", "down 2 h"]


def test_row_says_who_was_killed_and_why() -> None:
    assert "python3 +2" in split(show(KILLED))


def test_hosts_that_were_not_looked_at_have_their_reason() -> None:
    assert show(GONE)[-1] == "gone  unreachable: no route"
    assert show(PARTLY)[-1] == "log1  searched in part: A boot is missing."


def test_long_reason_is_shown_whole() -> None:
    reason = "The journal could not be read: " + "a long path, " * 9 + "and the disk is full."
    lines = show(make_record("web1", {"failed": True, "msg": reason}))
    assert "and the disk is full." in " ".join(lines[-3:])
    assert max(map(measure, lines)) <= WIDTH


def test_unknown_services_are_not_shown_as_none() -> None:
    unknown = make_result(events=[make_event()], summary=sum_up(count=1, units_taken_down_complete=None))
    assert split(show(make_record("web1", unknown)))[1] == "not known"


@pytest.mark.parametrize("name", ["\u202eevil", "{{ 1 }}", "\x1b[31m", "long-" * 60, "日本" * 50])
def test_hostile_names_do_no_harm(name: str) -> None:
    event = make_event(victim=name)
    record = make_record(name, make_result(events=[event], summary=sum_up(make_unit(f"{name}.service"))))
    lines = show(record)
    assert max(map(measure, lines)) <= WIDTH
    assert "".join(lines).isprintable()
    assert "{{" not in "".join(lines)


def test_hosts_beyond_the_limit_are_counted() -> None:
    lines = show(*[DOWN] * 102)
    assert lines[-1] == "and 2 more"


def test_each_host_that_is_explained_has_its_name_above() -> None:
    alone = explain_host("web1", RESULT, details=False, has_heading=False)
    assert explain_host("web1", RESULT, details=False, has_heading=True) == ["", "web1", "----", *alone]


@pytest.mark.parametrize(("trusted", "automatic"), [(True, True), (True, False), (False, True)])
def test_host_is_helped_by_what_remediate_applies_by_itself(*, trusted: bool, automatic: bool) -> None:
    record = {**DOWN, "remedies": [{"role": "swap", "trusted": trusted, "automatic": automatic}]}
    assert is_helped(record) == (trusted and automatic)


def test_command_can_be_pasted() -> None:
    command = build_command("play", "--check", inventory=["my hosts"], hosts=["a", "b"])
    assert command == "ansible-playbook -i 'my hosts' play --check --limit a,b"


@pytest.mark.parametrize(
    ("subset", "command"), [(None, "ansible-playbook play"), ("web", "ansible-playbook play --limit web")]
)
def test_command_does_not_list_very_many_hosts(subset: str | None, command: str) -> None:
    assert build_command("play", inventory=[], hosts=["a"] * 21, subset=subset) == command
