# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of all hosts that ends a remediation."""

from __future__ import annotations

import re
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.changes import Change
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.columns import measure
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.recap import WIDTH
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.remediation import Outcome, build_remediation
from ansible_collections.oomguard.linux.tests.unit.plugins.plugin_utils._fleet.factories import (
    COVERAGE,
    make_event,
    make_record,
    make_result,
    make_unit,
    sum_up,
)

Record = dict[str, t.Any]
DOWN = make_record("db1", make_result(events=[make_event()], summary=sum_up(make_unit(is_down=True))))
CLEAN = make_record("web9", make_result())
GONE = make_record("gone", {"unreachable": True, "msg": "ssh: no route"})
PARTLY = make_record("log1", make_result(coverage={**COVERAGE, "complete": False, "notes": ["A boot is missing."]}))
CHANGES = [
    Change("oom_policy", "drop-in of shop.service"),
    Change("swap", "total swap"),
    Change("start", "shop.service"),
]
FAILED = Outcome(failed=["swap (Bring the total swap to its target): The disk is full."])


def show(*hosts: tuple[Record, Outcome], check_mode: bool = False) -> list[str]:
    return [line.text for line in build_remediation(hosts, check_mode=check_mode)]


def split(record: Record, outcome: Outcome) -> list[str]:
    """Return the cells of the only host."""
    return re.split(" {2,}", show((record, outcome))[3])


def test_worst_host_comes_first_and_unchanged_ones_are_counted() -> None:
    lines = show((CLEAN, Outcome()), (PARTLY, Outcome()), (CLEAN, Outcome(CHANGES)), (GONE, Outcome()), (DOWN, FAILED))
    assert " ".join(lines[:2]).split()[:2] == ["5", "hosts:"]
    assert [line.split()[0] for line in lines[3:8]] == ["HOST", "db1", "gone", "web9", "log1"]


def test_second_run_has_no_table() -> None:
    assert show((CLEAN, Outcome()), (DOWN, Outcome())) == ["2 hosts: 2 unchanged."]


def test_row_says_what_was_done_and_that_nothing_is_left() -> None:
    cells = split(DOWN, Outcome(CHANGES))
    assert cells[:2] == ["db1", "shop"]
    assert cells[-2:] == ["policy, swap +1", "nothing"]


@pytest.mark.parametrize(
    ("outcome", "left", "sentence"),
    [
        (FAILED, "swap failed", "db1: swap (Bring the total swap to its target): The disk is full."),
        (Outcome(down={"shop.service": ""}), "shop down", "db1: shop.service is still down after an OOM kill."),
        (
            Outcome(down={"job.service": "It is a job."}),
            "job down",
            "db1: job.service is still down after an OOM kill. It is a job.",
        ),
        (Outcome(advised=["oom_policy"]), "policy", "db1: The role oom_policy would help and did not run."),
        (Outcome(is_finished=False), "not known", "db1: The run ended before this host was finished."),
    ],
)
def test_what_is_left_is_in_the_row_and_below_the_table(outcome: Outcome, left: str, sentence: str) -> None:
    lines = show((DOWN, outcome))
    assert re.split(" {2,}", lines[3])[-2:] == ["nothing", left]
    assert " ".join(line.strip() for line in lines[lines.index("What is left:") + 1 :]) == sentence


def test_check_mode_says_what_would_be_done() -> None:
    lines = show((DOWN, Outcome(CHANGES)), check_mode=True)
    assert lines[0] == "1 host: 1 to change."
    assert re.split(" {2,}", lines[2])[-2:] == ["WOULD DO", "LEFT"]


def test_host_that_was_not_looked_at_has_its_reason() -> None:
    assert show((GONE, Outcome()))[3] == "gone  unreachable: no route"


def test_changes_of_a_host_that_was_not_searched_are_shown() -> None:
    assert split(make_record("web1", None), Outcome(CHANGES[:1]))[-2:] == ["policy", "nothing"]


@pytest.mark.parametrize("name", ["\u202eevil", "{{ 1 }}", "\x1b[31m", "long-" * 60, "日本" * 50])
def test_hostile_names_do_no_harm(name: str) -> None:
    event = make_event(victim=name)
    record = make_record(name, make_result(events=[event], summary=sum_up(make_unit(f"{name}.service"))))
    lines = show((record, Outcome(failed=[f"{name}: {name}"], down={name: name})))
    assert max(map(measure, lines)) <= WIDTH
    assert "".join(lines).isprintable()
    assert "{{" not in "".join(lines)
