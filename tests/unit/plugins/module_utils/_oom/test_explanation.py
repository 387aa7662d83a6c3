# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text that explains a result."""

from __future__ import annotations

import copy
import re
import typing as t

import pytest
import yaml

from ansible_collections.oomguard.linux.plugins.module_utils._oom.explanation import explain_history, explain_result
from ansible_collections.oomguard.linux.plugins.module_utils._oom.in_journal import Query, find_in_journal
from ansible_collections.oomguard.linux.plugins.module_utils._oom.in_logs import find_in_logs
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import FIXTURES as LOGS
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import Host, captured

COVERED: dict[str, t.Any] = {"complete": True, "from": None, "missed_records": 0, "unparsed": 0, "notes": []}


def sum_up(count: int, down: list[str], *, complete: bool = True) -> dict[str, t.Any]:
    """Return a summary; `complete` is whether `down` are certainly all units that went down."""
    return {"count": count, "units_taken_down": down, "units_taken_down_complete": complete, "taken_down": []}


def explain(found: dict[str, t.Any], *, details: bool = False) -> str:
    """Return the text that explains a result, of which only some parts are given."""
    empty = {"summary": sum_up(0, []), "coverage": COVERED, "events": [], "remedies": []}
    return "\n".join(explain_result({**empty, **found}, details=details)) + "\n"


def event(time: str, kind: str, *, stopped: bool = False) -> dict[str, t.Any]:
    diagnosis = {
        "kind": kind,
        "summary": f"Kind: {kind}.",
        "evidence": [f"Seen at {time}."],
        "remedies": [],
        "advice": [],
    }
    return {"time": time, "log": None, "unit_effect": {"stopped": stopped}, "diagnosis": diagnosis}


def test_empty_result_shows_start_of_search_and_notes() -> None:
    coverage = {**COVERED, "from": "2026-11-20T08:53:20.000000Z", "notes": ["The journal is kept in memory only."]}
    assert explain({"coverage": coverage}).splitlines() == [
        "No OOM kill found since 2026-11-20 08:53:20 UTC.",
        "Notes on coverage:",
        "  - The journal is kept in memory only.",
    ]


def test_units_taken_down_are_unknown_for_a_log() -> None:
    result = find_in_logs([str(LOGS / "bookworm-6.1-memcg.log")], boot="all", limit=1, tasks="none", top=0)
    assert explain(result).startswith("1 OOM event; services taken down: not known.\n")


def test_event_of_a_log_shows_its_line_and_time_stamp() -> None:
    log = {"path": "a.log", "line": 7, "stamp": "Jun 20 12:47:02 web1 kernel:"}
    logged = {**event("", "kill"), "time": None, "log": log}
    assert explain({"events": [logged]}).splitlines()[2:4] == ["a.log, line 7", "Jun 20 12:47:02 web1 kernel:"]


EVENTS = [event("2026-01-01", "outage", stopped=True), *(event(f"2026-01-0{day}", "kill") for day in (2, 3, 4))]


def test_each_kind_of_event_is_shown_once_and_outages_first() -> None:
    lines = explain({"events": EVENTS, "summary": sum_up(4, ["a.service"])}).splitlines()
    assert lines[2:7] == [
        "2026-01-01 UTC",
        "Kind: outage.",
        "  - Seen at 2026-01-01.",
        "",
        "2026-01-04 UTC, and 2 more of this kind since 2026-01-02 UTC",
    ]
    assert lines[7:] == ["Kind: kill."]


def test_details_show_the_evidence_of_each_kind() -> None:
    assert "Seen at 2026-01-04." in explain({"events": EVENTS}, details=True)


@pytest.mark.parametrize(
    ("count", "line"),
    [
        (1, "  - 1 kernel message was lost before journald read it."),
        (12, "  - 12 kernel messages were lost before journald read them."),
    ],
)
def test_lost_kernel_messages_are_counted(count: int, line: str) -> None:
    text = explain({"coverage": {**COVERED, "complete": False, "missed_records": count}})
    assert text.splitlines()[1:] == ["The search was incomplete:", line]


@pytest.mark.parametrize(
    ("count", "line"), [(1, "  - 1 record could not be read."), (3, "  - 3 records could not be read.")]
)
def test_unreadable_records_are_counted(count: int, line: str) -> None:
    text = explain({"coverage": {**COVERED, "complete": False, "unparsed": count}})
    assert text.splitlines()[1:] == ["The search was incomplete:", line]


def test_events_beyond_the_limit_are_counted() -> None:
    text = explain({"events": EVENTS, "summary": sum_up(900, [])})
    assert "The explanation covers 4 of them." in text


def test_long_remedy_is_valid_yaml() -> None:
    variables = {"oom_policy_units": [f"a-{'very-' * 30}long-name.service", "b: c.service"]}
    remedy = {"role": "oom_policy", "variables": variables, "why": "why.", "risk": "risk.", "automatic": True}
    text = explain({"remedies": [remedy]})
    lines = [line for line in text.splitlines() if line.startswith("     ") and "Risk" not in line]
    assert yaml.safe_load("\n".join(lines)) == variables


def policy(unit: str, **variables: str) -> dict[str, t.Any]:
    variables_of_unit = {"oom_policy_units": [unit], **variables}
    why = f"For {unit}."
    return {"role": "oom_policy", "variables": variables_of_unit, "why": why, "risk": "risk.", "automatic": True}


def test_remedies_of_several_units_are_one() -> None:
    lines = explain({"remedies": [policy("a.service"), policy("b.service"), policy("a.service")]}).splitlines()
    assert lines[3:] == [
        "  -> role oom_policy: For a.service. For b.service.",
        "     oom_policy_units:",
        "       - a.service",
        "       - b.service",
        "     Risk: risk.",
    ]


def test_remedies_with_other_variables_stay_apart() -> None:
    restarting = policy("b.service", oom_policy_restart="always")
    text = explain({"remedies": [policy("a.service"), restarting, policy("c.service")]})
    assert text.count("oom_policy_units:") == 2
    assert "       - a.service\n       - c.service\n" in text


def test_remedy_to_choose_says_so_and_stays_apart() -> None:
    ceiling = {**policy("user-.slice"), "automatic": False}
    lines = explain({"remedies": [policy("a.service"), ceiling]}).splitlines()
    assert "  -> role oom_policy (only if you choose it): For user-.slice." in lines


@pytest.mark.parametrize(
    "value",
    [
        "1G",
        "a.service",
        "no",
        "Null",
        "1",
        "1e3",
        "2026-11-29",
        "",
        "a: b",
        "- a",
        "\u00fc",
        5,
        True,
        None,
        {"a": [1]},
    ],
)
def test_variables_are_valid_yaml(value: object) -> None:
    lines = explain({"remedies": [{**policy("a"), "variables": {"name": value}}]}).splitlines()
    assert yaml.safe_load("\n".join(lines[4:-1])) == {"name": value}


def test_repeated_advice_is_shown_once() -> None:
    same = {"what": "Do it.", "why": "It helps.", "risk": "None."}
    events = [{**kill, "diagnosis": {**kill["diagnosis"], "advice": [same]}} for kill in EVENTS]
    assert explain({"events": events}).count("Do it.") == 1


# Texts that are never null.
TEXTS = {"automatic", "kind", "summary", "evidence", "role", "why", "risk", "what", "variables", "notes"}
RESULT = find_in_journal(Query(), Host(captured("bullseye"), {"apache2.service": "stop"}))
DENIALS = re.compile(r"\b(none|no|0|null|never)\b", re.IGNORECASE)


def list_values(value: t.Any, path: tuple[t.Any, ...] = ()) -> t.Iterator[tuple[t.Any, ...]]:
    """Yield the path to each value that may be null."""
    if isinstance(value, dict):
        for name in value.keys() - TEXTS:
            yield from list_values(value[name], (*path, name))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from list_values(item, (*path, number))
    else:
        yield path


def hide(path: t.Sequence[t.Any]) -> dict[str, t.Any]:
    """Return the result with null at a path."""
    hidden: dict[str, t.Any] = copy.deepcopy(RESULT)
    place: t.Any = hidden
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = None
    return hidden


PRINTED = explain(RESULT, details=True).splitlines()
SHOWN = [
    path
    for path in list_values(RESULT)
    if path[:1] != ("events",) or path[2:3] in {("time",), ("log",), ("unit_effect",)}
]


@pytest.mark.parametrize("path", SHOWN, ids=lambda path: ".".join(map(str, path)))
def test_unknown_value_is_not_printed_as_none(path: tuple[t.Any, ...]) -> None:
    lines = explain(hide(path), details=True).splitlines()
    assert [line for line in lines if line not in PRINTED and DENIALS.search(line)] == []


@pytest.mark.parametrize("name", ["events", "remedies"])
def test_unknown_services_are_not_printed_as_none(name: str) -> None:
    summary = {**RESULT["summary"], "units_taken_down": [], "units_taken_down_complete": None}
    lines = explain({**RESULT, name: [], "summary": summary}).splitlines()
    assert lines[0] == "3 OOM events; services taken down: not known."


def make_kind(**changes: t.Any) -> dict[str, t.Any]:
    growth = {"verdict": "leak", "sentence": "The memory leaks.", "evidence": ["It grew."]}
    return {
        "unit": "shop.service",
        "victim": "worker",
        "count": 3,
        "first": "2026-11-20T08:53:20.000000Z",
        "growth": growth,
        "rhythm": None,
        "preceded_by": [],
        "forecast": None,
        "enough": None,
        "since": [],
        **changes,
    }


CANNOT_TELL = {"verdict": "cannot_tell", "sentence": "It cannot be told.", "evidence": ["There is one run."]}
BEGIN = ["", "History of worker of shop.service, killed 3 times since 2026-11-20 08:53:20", "UTC:"]


def test_history_has_one_sentence_for_each_part_that_is_known() -> None:
    parts = {name: {"sentence": f"The {name}."} for name in ("rhythm", "forecast", "enough")}
    since = {"sentence": "The since.", "before": {"kills": 1}}
    lists = {"preceded_by": [{"sentence": "The preceded_by."}], "since": [since]}
    assert explain_history({"kinds": [make_kind(**parts, **lists)]}) == [
        *BEGIN,
        "  - The memory leaks.",
        *[f"  - The {name}." for name in (*parts, *lists)],
    ]


def test_change_before_the_first_kill_is_left_out_without_details() -> None:
    kinds = {"kinds": [make_kind(since=[{"sentence": "1 kill since.", "before": {"kills": 0}}])]}
    assert explain_history(kinds) == [*BEGIN, "  - The memory leaks."]
    assert explain_history(kinds, details=True)[-1] == "  - 1 kill since."


def test_details_have_the_figures() -> None:
    assert explain_history({"kinds": [make_kind()]}, details=True)[3:] == ["  - The memory leaks.", "  - It grew."]


def test_kind_of_which_nothing_is_known_is_left_out_without_details() -> None:
    kinds = {"kinds": [make_kind(growth=CANNOT_TELL)]}
    assert explain_history(kinds) == []
    assert explain_history(kinds, details=True)[3:] == ["  - It cannot be told.", "  - There is one run."]


@pytest.mark.parametrize(
    ("changes", "begin"),
    [
        ({"count": 1}, "History of worker of shop.service, killed once:"),
        ({"count": 1, "unit": None}, "History of worker, killed once:"),
        ({"count": 1, "victim": None}, "History of an unknown process of shop.service, killed once:"),
    ],
)
def test_history_names_the_victim_and_its_unit(changes: dict[str, t.Any], begin: str) -> None:
    assert explain_history({"kinds": [make_kind(**changes)]})[1] == begin


def test_history_stands_before_what_helps() -> None:
    remedy = {"role": "swap", "variables": {}, "why": "Why.", "risk": "Risk.", "automatic": True}
    lines = explain({"history": {"kinds": [make_kind()]}, "remedies": [remedy]}).splitlines()
    assert lines.index(BEGIN[1]) < lines.index("What helps:")


def test_result_without_history_has_no_lines_about_it() -> None:
    assert explain({}) == explain({"history": None})
