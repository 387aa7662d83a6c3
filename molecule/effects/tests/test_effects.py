# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What oom_info says became of each unit, beside what really became of it; and what was forged."""

from __future__ import annotations

import collections
import collections.abc
import json
import typing as t

import pytest

testinfra_hosts = ["ansible://all"]

Facts = dict[str, t.Any]


@pytest.fixture(scope="module")
def really(host: t.Any) -> dict[str, Facts]:
    """What became of each unit, from its processes and systemd's properties."""
    return t.cast("dict[str, Facts]", json.loads(host.file("/root/effects.json").content_string))


@pytest.fixture(scope="module")
def found(host: t.Any) -> Facts:
    return t.cast("Facts", host.ansible("oomguard.linux.oom_info", "tasks=none", check=False))


def effects(found: Facts) -> dict[str, Facts]:
    return {event["unit"]: event["unit_effect"] for event in found["events"]}


def test_there_were_kills_of_every_kind(really: dict[str, Facts]) -> None:
    assert len(really) == 54


def test_each_kill_is_one_event(found: Facts, really: dict[str, Facts]) -> None:
    assert collections.Counter(event["unit"] for event in found["events"]) == dict.fromkeys(really, 1)


@pytest.mark.parametrize("what", ["stopped", "restarted"])
def test_what_became_of_each_unit(found: Facts, really: dict[str, Facts], what: str) -> None:
    said = effects(found)
    assert {unit: said[unit][what] for unit in really} == {unit: facts[what] for unit, facts in really.items()}


def test_the_result_of_each_unit_that_stayed_down(found: Facts, really: dict[str, Facts]) -> None:
    down = {unit: facts["result"] for unit, facts in really.items() if not facts["active"]}
    said = effects(found)
    assert {unit: said[unit]["result"] for unit in down} == down


def test_the_policy_of_each_unit(found: Facts, really: dict[str, Facts]) -> None:
    said = effects(found)
    assert {unit: said[unit]["oom_policy"] for unit in really} == {
        unit: facts["policy"] for unit, facts in really.items()
    }


def test_who_is_back_was_down_for_a_while_and_who_is_not_still_is(found: Facts, really: dict[str, Facts]) -> None:
    said = effects(found)
    stopped = {unit for unit, facts in really.items() if facts["stopped"]}
    assert {unit: said[unit]["down_seconds"] is not None for unit in stopped} == {
        unit: really[unit]["active"] for unit in stopped
    }


def test_the_units_that_were_taken_down(found: Facts, really: dict[str, Facts]) -> None:
    assert found["summary"]["units_taken_down"] == sorted(unit for unit, facts in really.items() if facts["stopped"])


def test_each_forgery_is_counted_and_none_believed(found: Facts) -> None:
    assert found["coverage"]["untrusted"] == 5
    assert [event for event in found["events"] if event["victims"][0]["pid"] == 1] == []


@pytest.mark.parametrize(("text", "priority"), [("Killed process", "3"), ("invoked oom-killer", "4")])
def test_the_priority_by_which_the_index_finds_kills(host: t.Any, text: str, priority: str) -> None:
    command = "journalctl --output=json _TRANSPORT=kernel SYSLOG_FACILITY=0 --grep=%s"
    records = map(json.loads, host.check_output(command, text).splitlines())
    assert {record["PRIORITY"] for record in records} == {priority}


def failure(host: t.Any, arguments: str = "tasks=none", **become: t.Any) -> str:
    """Return how oom_info fails."""
    try:
        result = host.ansible("oomguard.linux.oom_info", arguments, check=False, **become)
    except host.ansible.AnsibleException as error:
        result = error.result
    return str(result["msg"])


def test_a_user_who_may_not_read_the_journal_is_not_told_of_no_kills(host: t.Any) -> None:
    shell = {"ansible_become_flags": "--shell=/bin/sh"}
    message = failure(host, become=True, become_method="su", become_user="nobody", extra_vars=shell)
    assert "it may not be read by this user, so that kills would be missed" in message


@pytest.fixture
def journalctl(host: t.Any, request: pytest.FixtureRequest) -> collections.abc.Iterator[None]:
    """Have another program in the place of journalctl, or none."""
    # Bullseye may have it in /bin.
    path = host.check_output("command -v journalctl")
    host.check_output(f"mv {path} {path}.real")
    if request.param:
        host.check_output(f"printf '#!/bin/sh\\n{request.param}\\n' >{path} && chmod 755 {path}")
    yield
    host.check_output(f"mv {path}.real {path}")


@pytest.mark.usefixtures("journalctl")
@pytest.mark.parametrize(
    ("journalctl", "reason"),
    [
        ("", "Could not run journalctl: No such file or directory"),
        ("kill -9 $$", "journalctl was killed by signal 9"),
        ("exec sleep 600", "did not end within 5 s and was killed"),
        ("exit 3", "journalctl ended with status 3"),
    ],
    indirect=["journalctl"],
)
def test_a_journalctl_that_does_not_work_is_not_taken_for_no_kills(host: t.Any, reason: str) -> None:
    assert reason in failure(host, "timeout=5")
