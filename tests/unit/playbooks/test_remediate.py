# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles that the playbook remediate runs on a host."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

PLAYBOOK = pathlib.Path(__file__).parents[3] / "playbooks/remediate.yml"


def make_remedy(role: str, *, automatic: bool = True, **variables: object) -> dict[str, t.Any]:
    return {"role": role, "variables": variables, "trusted": True, "automatic": automatic}


REMEDIES = [
    make_remedy("swap", swap_size="3G"),
    make_remedy("fcgid_recycler", automatic=False),
    make_remedy("oom_policy", oom_policy_units=["a.service"]),
    make_remedy("oom_policy", oom_policy_units=["b.service"]),
    make_remedy("oom_policy", automatic=False, oom_policy_units=["user-.slice"], oom_policy_memory_max="1G"),
    make_remedy("zram", automatic=False),
]
FOREIGN = [{**remedy, "trusted": False} for remedy in REMEDIES]


def play(**variables: object) -> tuple[Templar, dict[str, dict[str, t.Any]]]:
    """Return a templar with the variables of the play, and its tasks by name."""
    (loaded,) = DataLoader().load_from_file(str(PLAYBOOK), trusted_as_template=True)
    given: dict[str, t.Any] = {
        "detect_result": {"remedies": REMEDIES},
        "ansible_run_tags": ["all"],
        "ansible_skip_tags": [],
        "ansible_check_mode": False,
        "oomguard_done": [],
        "oomguard_failed": [],
    }
    templar = Templar(variables={**loaded["vars"], **given, **variables})
    return templar, {task["name"]: task for task in list_tasks(loaded["tasks"])}


def list_tasks(tasks: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    """Return tasks, and those in blocks."""
    listed = []
    for task in tasks:
        inner = [*task.get("block", ()), *task.get("rescue", ()), *task.get("always", ())]
        listed += [task, *list_tasks(inner)]

    return listed


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ({"msg": "No journal."}, "No journal."),
        ({"msg": "Refused.", "unreachable": True}, "The host could not be searched, so nothing was changed on it."),
    ],
    ids=["failed", "unreachable"],
)
def test_reason_that_the_search_has_printed_is_not_repeated(result: dict[str, object], message: str) -> None:
    templar, tasks = play(detect_result=result)
    task = tasks["Fail if the host could not be looked at"]
    assert templar.template(task["ansible.builtin.fail"]["msg"]) == message


@pytest.mark.parametrize(
    ("chosen", "managed"),
    [
        ({}, ["oom_policy", "swap"]),
        ({"oomguard_roles": ["fcgid_recycler"]}, ["fcgid_recycler"]),
        ({"oomguard_roles": ["fcgid", "auto", "fcgid_recycler"]}, ["oom_policy", "swap", "fcgid", "fcgid_recycler"]),
        ({"oomguard_roles": ["systemd_oomd", "swap", "zram"]}, ["zram", "swap", "systemd_oomd"]),
        ({"oomguard_roles": []}, []),
        ({"detect_result": {"remedies": FOREIGN}}, []),
        ({"detect_result": {"remedies": FOREIGN}, "oomguard_roles": ["auto", "swap"]}, ["swap"]),
    ],
    ids=[
        "detected",
        "one named role",
        "detected and named roles",
        "choices",
        "none",
        "not trusted",
        "not trusted but named",
    ],
)
def test_detected_and_named_roles_run_in_order(chosen: dict[str, object], managed: list[str]) -> None:
    templar, tasks = play(**chosen)
    assert templar.template(trust_as_template(tasks["Run the roles"]["loop"])) == managed


def test_variables_of_remedies_that_are_not_applied_are_printed() -> None:
    templar, tasks = play(detect_result={"remedies": FOREIGN})
    task = tasks["Report remedies that are not applied"]
    templar.available_variables = {**templar.available_variables, **task["vars"]}
    message = templar.template(trust_as_template(task["ansible.builtin.debug"]["msg"]))
    assert message[0].startswith("Nothing was changed because of these records")
    assert yaml.safe_load("\n".join(message[1:])) == {
        "oomguard_roles": ["swap", "oom_policy"],
        "oom_policy_units": ["a.service", "b.service"],
        "swap_size": "3G",
    }


@pytest.mark.parametrize(
    ("roles", "accepted"), [(["auto", "swap"], True), (["swpa"], False), ("fcgid_recycler", False), ([], True)]
)
def test_unknown_roles_are_rejected(roles: object, *, accepted: bool) -> None:
    templar, tasks = play(oomguard_roles=roles)
    conditions = tasks["Reject unknown roles"]["ansible.builtin.assert"]["that"]
    assert all(templar.evaluate_conditional(condition) for condition in conditions) is accepted


@pytest.mark.parametrize(
    ("given", "taken"),
    [({}, True), ({"swap_size": "10G"}, False), ({"detect_result": {"remedies": FOREIGN}}, False)],
    ids=["not set", "set", "not trusted"],
)
def test_suggested_swap_size_is_used_unless_one_is_set(given: dict[str, object], *, taken: bool) -> None:
    templar, tasks = play(**given)
    task = tasks["Use the swap size that the remedies suggest"]
    assert all(templar.evaluate_conditional(condition) for condition in task["when"]) is taken


ZRAM_REMEDY = make_remedy("swap", swap_size="5G", swap_count_zram=True)


@pytest.mark.parametrize(
    ("given", "size", "count_zram"),
    [
        ({}, "3G", False),
        ({"detect_result": {"remedies": [ZRAM_REMEDY]}}, "5G", True),
        ({"detect_result": {"remedies": [ZRAM_REMEDY]}, "swap_count_zram": False}, "5G", False),
    ],
    ids=["without zram", "with zram", "with zram that is not counted"],
)
def test_swap_is_that_of_the_remedy(given: dict[str, object], size: str, *, count_zram: bool) -> None:
    templar, tasks = play(**given)
    task = tasks["Use the swap size that the remedies suggest"]
    templar.available_variables = {**templar.available_variables, **task["vars"]}
    facts = task["ansible.builtin.set_fact"]
    assert templar.template(trust_as_template(facts["swap_size"])) == size
    assert templar.template(trust_as_template(facts["swap_count_zram"])) is count_zram


def unit(
    name: str, refusal: str | None = None, *, is_down: bool | None = True, state: str | None = "failed"
) -> dict[str, t.Any]:
    return {"unit": name, "is_down": is_down, "start_refusal": refusal, "active_state": state}


DOWN = [
    unit("shop.service"),
    unit("up.service", is_down=False, state="active"),
    unit("foreign.service", is_down=None, state=None),
    unit("backup.service", "It is a job."),
]
FOUND = {"remedies": [], "summary": {"taken_down": DOWN}}


def evaluate(expression: str, **variables: object) -> t.Any:
    """Return the value of a variable of the play after a search that found units that were down."""
    templar, _tasks = play(**{"detect_result": FOUND, **variables})
    return templar.template(trust_as_template(f"{{{{ {expression} }}}}"))


def test_services_that_are_down_are_started() -> None:
    assert evaluate("oomguard_startable") == ["shop.service"]


@pytest.mark.parametrize(
    ("given", "faults"),
    [
        ({}, ["shop.service"]),
        ({"oomguard_checked": {"summary": {"taken_down": DOWN[1:]}}}, []),
        ({"oomguard_checked": {"summary": {"taken_down": [unit("web.service")]}}}, ["web.service"]),
        ({"oomguard_checked": {"summary": {"taken_down": [unit("shop.service", is_down=False)]}}}, ["shop.service"]),
        ({"oomguard_checked": {"skipped": True}}, ["shop.service"]),
        ({"oomguard_failed": ["swap: no room"]}, ["swap: no room", "shop.service"]),
        ({"oomguard_start": False}, ["shop.service"]),
        ({"ansible_check_mode": True}, []),
        ({"ansible_check_mode": True, "oomguard_start": False}, ["shop.service"]),
        ({"ansible_run_tags": ["swap"]}, []),
        ({"ansible_skip_tags": ["start_services"]}, []),
        ({"ansible_run_tags": ["start_services"]}, ["shop.service"]),
        ({"detect_result": {"remedies": []}}, []),
    ],
    ids=[
        "still down",
        "up after the start",
        "another one down",
        "failed again for another reason",
        "no second search",
        "a role failed",
        "not to be started",
        "check mode",
        "check mode, not to be started",
        "other tags",
        "tag skipped",
        "tag given",
        "nothing known",
    ],
)
def test_the_play_fails_if_a_service_is_still_down(given: dict[str, object], faults: list[str]) -> None:
    assert evaluate("oomguard_faults", **given) == faults


def note(**variables: object) -> dict[str, t.Any]:
    """Return the outcome that the play notes for the table."""
    templar, tasks = play(oomguard_failed_roles=[], **variables)
    noted = tasks["Note what was done and what is left"]["ansible.builtin.set_fact"]["oomguard_outcome"]
    return {name: templar.template(trust_as_template(value)) for name, value in noted.items()}


@pytest.mark.parametrize(
    ("given", "down"),
    [
        ({"ansible_check_mode": True}, {"backup.service": "It is a job."}),
        ({"ansible_run_tags": ["swap"]}, {"backup.service": "It is a job.", "shop.service": ""}),
    ],
)
def test_each_unit_that_is_left_down_is_noted(given: dict[str, object], down: dict[str, str]) -> None:
    assert note(detect_result=FOUND, **given)["down"] == down


@pytest.mark.parametrize(
    ("given", "advised"),
    [
        ({}, ["oom_policy", "swap"]),
        ({"oomguard_done": ["swap"]}, ["oom_policy"]),
        ({"oomguard_done": ["swap", "oom_policy"]}, []),
        ({"detect_result": {"remedies": FOREIGN}}, ["oom_policy", "swap"]),
    ],
    ids=["no role ran", "one ran", "both ran", "not trusted"],
)
def test_roles_that_would_help_and_did_not_run_are_noted(given: dict[str, object], advised: list[str]) -> None:
    assert note(**given)["advised"] == advised


def test_no_task_replaces_a_variable_of_the_play() -> None:
    (loaded,) = yaml.safe_load(PLAYBOOK.read_text())
    given = {name for task in list_tasks(loaded["tasks"]) for name in task.get("ansible.builtin.set_fact", {})}
    assert given & set(loaded["vars"]) == set()
