# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role detect prints."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible.template import Templar, trust_as_template

from ansible_collections.oomguard.linux.tests.unit.roles.role import ROLES, load

COVERED: dict[str, t.Any] = {"complete": True, "from": None, "missed_records": 0, "unparsed": 0, "notes": []}


def printed(found: dict[str, t.Any], **variables: object) -> str:
    """Return what is printed of a result."""
    result = {"summary": {"count": 0, "units_taken_down": []}, "coverage": COVERED, "events": [], "remedies": []}
    templar = Templar(
        variables={**load("detect", "defaults/main.yml"), "detect_result": {**result, **found}, **variables}
    )
    templates = ROLES / "detect/templates"
    text = (templates / "summary.txt.j2").read_text()
    return str(templar.copy_with_new_env(searchpath=[str(templates)]).template(trust_as_template(text)))


def event(time: str, kind: str, *, stopped: bool = False) -> dict[str, t.Any]:
    diagnosis = {"kind": kind, "summary": f"Of {kind}.", "evidence": [f"Seen at {time}."], "remedies": [], "advice": []}
    return {"time": time, "log": None, "unit_effect": {"stopped": stopped}, "diagnosis": diagnosis}


@pytest.mark.parametrize(
    ("count", "down", "complete", "said"),
    [
        (0, [], True, "No OOM kill found."),
        (0, [], False, "Unknown: no OOM kill was found in what could be looked at."),
        (0, ["a.service"], True, "No kill was found, but OOM kills took services down: a.service."),
        (2, ["a.service"], True, "2 OOM events. Services taken down: a.service."),
        (1, [], False, "1 OOM event. Services taken down: none."),
    ],
)
def test_the_first_line(count: int, down: list[str], said: str, *, complete: bool) -> None:
    found = {"summary": {"count": count, "units_taken_down": down}, "coverage": {**COVERED, "complete": complete}}
    assert printed(found).splitlines()[0] == said


def test_where_nothing_is_found_it_says_since_when_and_what_is_to_be_known() -> None:
    coverage = {**COVERED, "from": "2026-11-20T08:53:20.000000Z", "notes": ["The journal is kept in memory only."]}
    assert printed({"coverage": coverage}).splitlines() == [
        "No OOM kill found since 2026-11-20 08:53:20 UTC.",
        "Of what was looked at:",
        "  - The journal is kept in memory only.",
    ]


def test_of_a_log_nobody_knows_what_went_down() -> None:
    text = printed({"summary": {"count": 1, "units_taken_down": []}}, detect_log_files=["kern.log"])
    assert text.startswith("1 OOM event. Services taken down: not known.\n")


def test_of_a_log_the_place_and_its_own_words_are_told() -> None:
    log = {"path": "a.log", "line": 7, "stamp": "Jun 20 12:47:02 web1 kernel:"}
    told = {**event("", "kill"), "time": None, "log": log}
    assert printed({"events": [told]}).splitlines()[2:4] == ["a.log, line 7", "Jun 20 12:47:02 web1 kernel:"]


EVENTS = [event("2026-01-01", "outage", stopped=True), *(event(f"2026-01-0{day}", "kill") for day in (2, 3, 4))]


def test_events_that_are_alike_are_told_once_and_outages_first() -> None:
    lines = printed({"events": EVENTS, "summary": {"count": 4, "units_taken_down": ["a.service"]}}).splitlines()
    assert lines[2:7] == [
        "2026-01-01 UTC",
        "Of outage.",
        "  - Seen at 2026-01-01.",
        "",
        "2026-01-04 UTC, and 2 like it since 2026-01-02 UTC",
    ]
    assert lines[7:] == ["Of kill."]


def test_details_are_told_where_they_are_asked_for() -> None:
    assert "Seen at 2026-01-04." in printed({"events": EVENTS}, detect_details=True)


def test_events_beyond_the_limit_are_mentioned() -> None:
    text = printed({"events": EVENTS, "summary": {"count": 900, "units_taken_down": []}})
    assert "Explained are 4 of them (detect_limit)." in text


def test_a_remedy_can_be_pasted_however_long_it_is() -> None:
    variables = {"oom_policy_units": [f"a-{'very-' * 30}long-name.service", "b: c.service"]}
    text = printed({"remedies": [{"role": "oom_policy", "variables": variables, "why": "why.", "risk": "risk."}]})
    lines = [line for line in text.splitlines() if line.startswith("     ") and "Risk" not in line]
    assert yaml.safe_load("\n".join(lines)) == variables


def test_what_helps_is_told_once() -> None:
    same = {"what": "Do it.", "why": "It helps.", "risk": "None."}
    events = [{**one, "diagnosis": {**one["diagnosis"], "advice": [same]}} for one in EVENTS]
    assert printed({"events": events}).count("Do it.") == 1
