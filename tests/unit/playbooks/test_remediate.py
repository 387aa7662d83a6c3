# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles that the playbook remediate runs on a host."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

PLAYBOOK = pathlib.Path(__file__).parents[3] / "playbooks/remediate.yml"
REMEDIES = [
    {"role": "swap", "variables": {"swap_size": "3G"}},
    {"role": "fcgid_recycler", "variables": {}},
    {"role": "oom_policy", "variables": {"oom_policy_units": ["a.service"]}},
    {"role": "oom_policy", "variables": {"oom_policy_units": ["b.service"]}},
]


def play(**variables: object) -> tuple[Templar, dict[str, dict[str, t.Any]]]:
    """Return a templar with the variables of the play, and its tasks by name."""
    (loaded,) = DataLoader().load_from_file(str(PLAYBOOK), trusted_as_template=True)
    given = {"ansible_run_tags": ["all"], "detect_result": {"remedies": REMEDIES}}
    templar = Templar(variables={**loaded["vars"], **given, **variables})
    return templar, {task["name"]: task for task in loaded["tasks"]}


@pytest.mark.parametrize(
    ("chosen", "managed"),
    [
        ({}, {"swap", "oom_policy"}),
        ({"oomguard_roles": ["fcgid_recycler"]}, {"fcgid_recycler"}),
        ({"oomguard_roles": ["auto", "fcgid_recycler"]}, {"swap", "oom_policy", "fcgid_recycler"}),
        ({"oomguard_roles": []}, set()),
    ],
    ids=["detected", "one named role", "detected and one named role", "none"],
)
def test_detected_and_named_roles_run(chosen: dict[str, object], managed: set[str]) -> None:
    templar, tasks = play(**chosen)
    roles = {
        task["ansible.builtin.include_role"]["name"]: task
        for task in tasks.values()
        if "when" in task and "ansible.builtin.include_role" in task
    }
    run = {name for name, task in roles.items() if templar.evaluate_conditional(task["when"])}
    assert run == {f"oomguard.linux.{name}" for name in ("detect", *managed)}


@pytest.mark.parametrize(
    ("roles", "accepted"), [(["auto", "swap"], True), (["swpa"], False), ("fcgid_recycler", False), ([], True)]
)
def test_unknown_roles_are_rejected(roles: object, *, accepted: bool) -> None:
    templar, tasks = play(oomguard_roles=roles)
    conditions = tasks["Reject unknown roles"]["ansible.builtin.assert"]["that"]
    assert all(templar.evaluate_conditional(condition) for condition in conditions) is accepted


@pytest.mark.parametrize(("given", "taken"), [({}, True), ({"swap_size": "10G"}, False)], ids=["not set", "set"])
def test_suggested_swap_size_is_used_unless_one_is_set(given: dict[str, object], *, taken: bool) -> None:
    templar, tasks = play(**given)
    task = tasks["Use the swap size that the remedies suggest"]
    assert all(templar.evaluate_conditional(condition) for condition in task["when"]) is taken
    assert templar.template(trust_as_template(task["ansible.builtin.set_fact"]["swap_size"])) == "3G"
