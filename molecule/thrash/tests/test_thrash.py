# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What oom_info finds on a host that thrashed, before and after its remediation, compared with what really happened."""

from __future__ import annotations

import json
import typing as t

import pytest

if t.TYPE_CHECKING:
    from testinfra.host import Host

testinfra_hosts = ["ansible://all"]


class Trial(t.NamedTuple):
    """What really happened, according to systemd and the kernel, and what oom_info found."""

    state: dict[str, str]
    found: dict[str, t.Any]


def read_trial(host: Host, name: str) -> Trial:
    saved = json.loads(host.file(f"/root/{name}.json").content_string)
    state = dict(line.split("=", 1) for line in saved["state"])
    return Trial(state, saved.get("found", {}))


@pytest.fixture(scope="module")
def before(host: Host) -> Trial:
    """Return the trial before the remediation."""
    return read_trial(host, "before")


@pytest.fixture(scope="module")
def remediated(host: Host) -> Trial:
    """Return the state between the two trials."""
    return read_trial(host, "remediated")


@pytest.fixture(scope="module")
def after(host: Host) -> Trial:
    """Return the trial after the remediation."""
    return read_trial(host, "after")


def test_journald_died_of_thrashing(before: Trial) -> None:
    assert int(before.state["JournaldRestarts"]) >= 1


def test_service_went_down(before: Trial) -> None:
    assert (before.state["ActiveState"], before.state["Result"]) == ("failed", "oom-kill")


def test_service_that_went_down_is_found(before: Trial) -> None:
    assert before.found["summary"]["units_taken_down"] == ["shop.service"]


def test_systemd_confirms_that_the_service_went_down(before: Trial) -> None:
    unit = before.found["summary"]["taken_down"][0]
    assert (unit["confirmed"], unit["active_state"], unit["result"]) == (True, "failed", "oom-kill")


def test_remedy_for_the_service_is_suggested(before: Trial) -> None:
    remedies = before.found["summary"]["taken_down"][0]["remedies"]
    assert {"oom_policy_units": ["shop.service"]} in [remedy["variables"] for remedy in remedies]


def test_every_kill_is_found_or_said_to_be_missing(before: Trial) -> None:
    kills = int(before.state["Kills"])
    missing = [note for note in before.found["coverage"]["notes"] if note.startswith(f"The kernel has killed {kills} ")]
    assert before.found["summary"]["count"] == kills or missing


def test_death_of_journald_makes_the_search_incomplete(before: Trial) -> None:
    coverage = before.found["coverage"]
    assert coverage["complete"] is False
    assert any(note.startswith("journald died") for note in coverage["notes"])


def test_other_services_may_have_gone_down(before: Trial) -> None:
    assert before.found["summary"]["units_taken_down_complete"] is False


def test_journald_survives_the_same_load(remediated: Trial, after: Trial) -> None:
    assert after.state["JournaldRestarts"] == remediated.state["JournaldRestarts"]


def test_service_stays_up(after: Trial) -> None:
    assert after.state["ActiveState"] == "active"


def test_the_journal_is_complete(after: Trial) -> None:
    assert (after.found["coverage"]["complete"], after.found["coverage"]["notes"]) == (True, [])


def test_every_kill_is_found(remediated: Trial, after: Trial) -> None:
    assert after.found["summary"]["count"] == int(after.state["Kills"]) - int(remediated.state["Kills"])


def test_it_is_known_that_no_service_went_down(after: Trial) -> None:
    summary = after.found["summary"]
    assert (summary["units_taken_down"], summary["units_taken_down_complete"]) == ([], True)


@pytest.mark.parametrize("name", ["enabled", "min_ttl_ms"])
def test_thrash_guard_is_on(host: Host, name: str) -> None:
    assert host.check_output(f"cat /sys/kernel/mm/lru_gen/{name}") not in {"0", "0x0000"}
