# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The effect of OOM kills on units: oom_info must report what really happened, and believe no forged record."""

from __future__ import annotations

import collections
import collections.abc
import json
import typing as t

import pytest
from scenario.modules import run_module, try_module

testinfra_hosts = ["ansible://all"]

Facts = dict[str, t.Any]
"""The effect of a kill on a unit, or a result of oom_info."""


@pytest.fixture(scope="module")
def real_effects(host: t.Any) -> dict[str, Facts]:
    """Return the effect on each unit, according to its processes and systemd's properties."""
    return dict(json.loads(host.file("/root/effects.json").content_string))


@pytest.fixture(scope="module")
def found(host: t.Any) -> Facts:
    """Return the result of oom_info."""
    return run_module(host, "oom_info", tasks="none")


@pytest.fixture(scope="module")
def found_effects(found: Facts) -> dict[str, Facts]:
    """Return the effect on each unit, according to oom_info."""
    return {event["unit"]: event["unit_effect"] for event in found["events"]}


def select(effects: dict[str, Facts], field: str) -> dict[str, t.Any]:
    """Return one field of each unit's effect."""
    return {unit: facts[field] for unit, facts in effects.items()}


def test_kills_of_every_kind_were_made(real_effects: dict[str, Facts]) -> None:
    assert len(real_effects) == 54


def test_each_kill_is_one_event(found: Facts, real_effects: dict[str, Facts]) -> None:
    assert collections.Counter(event["unit"] for event in found["events"]) == dict.fromkeys(real_effects, 1)


@pytest.mark.parametrize("field", ["stopped", "restarted"])
def test_effect_on_each_unit(found_effects: dict[str, Facts], real_effects: dict[str, Facts], field: str) -> None:
    assert select(found_effects, field) == select(real_effects, field)


def test_result_of_each_unit_that_stayed_down(found_effects: dict[str, Facts], real_effects: dict[str, Facts]) -> None:
    results = {unit: facts["result"] for unit, facts in real_effects.items() if not facts["active"]}
    assert {unit: found_effects[unit]["result"] for unit in results} == results


def test_policy_of_each_unit(found_effects: dict[str, Facts], real_effects: dict[str, Facts]) -> None:
    assert select(found_effects, "oom_policy") == select(real_effects, "policy")


def test_down_seconds_are_known_if_unit_is_active_again(
    found_effects: dict[str, Facts], real_effects: dict[str, Facts]
) -> None:
    active = {unit: facts["active"] for unit, facts in real_effects.items() if facts["stopped"]}
    assert {unit: found_effects[unit]["down_seconds"] is not None for unit in active} == active


def test_units_taken_down(found: Facts, real_effects: dict[str, Facts]) -> None:
    stopped = [unit for unit, facts in real_effects.items() if facts["stopped"]]
    assert found["summary"]["units_taken_down"] == sorted(stopped)


def test_forged_records_are_counted_as_untrusted(found: Facts) -> None:
    # What journald forwards to the kernel's log does not count: it is not the text of systemd.
    assert found["coverage"]["untrusted"] == 6


def test_forged_failure_takes_no_unit_down(found: Facts) -> None:
    assert "ssh.service" not in found["summary"]["units_taken_down"]


def test_forged_records_are_not_events(found: Facts) -> None:
    pids = [event["victims"][0]["pid"] for event in found["events"]]
    assert 1 not in pids


@pytest.mark.parametrize(("text", "priority"), [("Killed process", "3"), ("invoked oom-killer", "4")])
def test_kernel_gives_kill_messages_the_priority_that_the_search_uses(host: t.Any, text: str, priority: str) -> None:
    command = "journalctl --output=json _TRANSPORT=kernel SYSLOG_FACILITY=0 --grep=%s"
    records = map(json.loads, host.check_output(command, text).splitlines())
    assert {record["PRIORITY"] for record in records} == {priority}


def test_user_who_cannot_read_the_journal_gets_an_error(host: t.Any) -> None:
    become = {"become": True, "become_method": "su", "become_user": "nobody"}
    shell = {"ansible_become_flags": "--shell=/bin/sh"}
    result = host.ansible("oomguard.linux.oom_info", "tasks=none", check=False, extra_vars=shell, **become)
    assert "this user may not read all of it, so OOM kills would be missed" in result["msg"]
    assert "events" not in result


@pytest.fixture
def journalctl(host: t.Any, request: pytest.FixtureRequest) -> collections.abc.Iterator[None]:
    """Replace journalctl by another program, or by none."""
    # On bullseye, journalctl may be in /bin.
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
def test_failing_journalctl_is_an_error(host: t.Any, reason: str) -> None:
    assert reason in try_module(host, "oom_info", timeout=5)["msg"]
