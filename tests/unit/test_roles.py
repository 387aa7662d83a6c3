# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The argument specification, defaults, tags, platforms and README of each role agree."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys
import typing as t

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.changes import SOURCES

ROOT = pathlib.Path(__file__).parents[2]
ROLES = sorted((ROOT / "roles").iterdir())


def read_defaults(role: pathlib.Path) -> dict[str, t.Any]:
    return dict(yaml.safe_load((role / "defaults" / "main.yml").read_text()) or {})


def read_options(role: pathlib.Path) -> dict[str, dict[str, t.Any]]:
    specification = yaml.safe_load((role / "meta" / "argument_specs.yml").read_text())
    return dict(specification["argument_specs"]["main"].get("options", {}))


def read_tasks(path: pathlib.Path) -> list[dict[str, t.Any]]:
    """Return the tasks of a file, also those in blocks, with the tags that they inherit."""
    return list(flatten(yaml.safe_load(path.read_text())))


def flatten(tasks: list[dict[str, t.Any]], inherited: t.Sequence[str] = ()) -> t.Iterator[dict[str, t.Any]]:
    for task in tasks:
        tags = [*inherited, *task.get("tags", ())]
        parts = [task[part] for part in ("block", "rescue", "always") if part in task]
        if not parts:
            yield {**task, "tags": tags}
        for part in parts:
            yield from flatten(part, tags)


each_role = pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
each_default = pytest.mark.parametrize(
    ("option", "value"),
    [
        pytest.param(read_options(role).get(name, {}), value, id=name)
        for role in ROLES
        for name, value in read_defaults(role).items()
    ],
)


@each_role
def test_specification_and_defaults_have_the_same_variables(role: pathlib.Path) -> None:
    optional = {name for name, option in read_options(role).items() if not option.get("required")}

    assert optional == set(read_defaults(role))


@each_default
def test_specified_default_is_the_default(option: dict[str, t.Any], value: object) -> None:
    assert option.get("default") == value


@each_default
def test_default_has_the_specified_type(option: dict[str, t.Any], value: object) -> None:
    accepted = {"path": ["str"], "raw": ["bool", "dict", "float", "int", "list", "str"]}

    assert value is None or type(value).__name__ in accepted.get(option["type"], [option["type"]])


@each_role
def test_role_accepts_its_own_defaults(role: pathlib.Path) -> None:
    assert ArgumentSpecValidator(read_options(role)).validate(read_defaults(role)).error_messages == []


@each_role
def test_variables_begin_with_the_name_of_the_role(role: pathlib.Path) -> None:
    foreign = {name for name in read_options(role) | read_defaults(role) if not name.startswith(f"{role.name}_")}

    assert foreign == set()


@each_role
def test_platforms_are_the_releases_of_the_molecule_scenarios(role: pathlib.Path) -> None:
    scenario = yaml.safe_load((ROOT / ".config/molecule/config.yml").read_text())
    platforms = yaml.safe_load((role / "meta/main.yml").read_text())["galaxy_info"]["platforms"]

    assert platforms == [{"name": "Debian", "versions": [machine["release"] for machine in scenario["platforms"]]}]


@each_role
def test_role_has_a_readme(role: pathlib.Path) -> None:
    assert (role / "README.md").is_file()


def test_readmes_have_the_variables_of_the_specification() -> None:
    program = pathlib.Path(sys.executable).parent / "ansible-docsmith"
    config = ROOT / ".config/ansible-docsmith/config.toml"
    command = [str(program), "generate", "--check", "--config", str(config), str(ROOT)]
    finished = subprocess.run(command, check=False, capture_output=True, text=True)
    assert finished.returncode == 0, f'Run "make readme".\n{finished.stdout}'


@each_role
def test_each_task_has_the_tag_of_the_role(role: pathlib.Path) -> None:
    tasks = read_tasks(role / "tasks/main.yml")
    untagged = [task["name"] for task in tasks if role.name not in task["tags"]]

    assert untagged == []


@each_role
def test_readme_lists_the_tags_of_the_tasks(role: pathlib.Path) -> None:
    section = (role / "README.md").read_text().partition("## Tags\n")[2].partition("\n## ")[0]
    tags = {tag for task in read_tasks(role / "tasks/main.yml") for tag in task["tags"]}

    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == tags


REGISTERED = {source.variable for source in SOURCES}
# Actions that change nothing on a host.
READING = {
    "ansible.builtin.assert",
    "ansible.builtin.debug",
    "ansible.builtin.fail",
    "ansible.builtin.find",
    "ansible.builtin.import_tasks",
    "ansible.builtin.include_role",
    "ansible.builtin.include_tasks",
    "ansible.builtin.stat",
    "ansible.builtin.validate_argument_spec",
    "oomguard.linux.check_variables",
    "oomguard.linux.oom_info",
    "oomguard.linux.recap",
    "oomguard.linux.report",
}
KEYWORDS = {"loop", "when", "register", "vars", "failed_when", "retries", "delay", "until", "notify", "run_once"}
KEYWORDS |= {"name", "tags", "loop_control", "changed_when", "check_mode", "ignore_unreachable"}


def find_action(task: dict[str, t.Any]) -> str:
    (action,) = task.keys() - KEYWORDS
    return str(action)


def list_changing_tasks(role: pathlib.Path) -> list[dict[str, t.Any]]:
    """Return the tasks of a role that can change a host."""
    tasks = [task for path in (role / "tasks").iterdir() for task in read_tasks(path)]
    return [task for task in tasks if find_action(task) not in READING and task.get("changed_when") is not False]


@each_role
def test_each_change_is_registered_for_the_record(role: pathlib.Path) -> None:
    unregistered = [task["name"] for task in list_changing_tasks(role) if task.get("register") not in REGISTERED]

    assert unregistered == []


@each_role
def test_no_change_replaces_the_result_of_another(role: pathlib.Path) -> None:
    registered = [task["register"] for task in list_changing_tasks(role)]
    tasks = read_tasks(role / "tasks/main.yml")
    included = [task["name"] for task in tasks if "loop" in task and "ansible.builtin.include_tasks" in task]

    assert (len(registered), included) == (len(set(registered)), [])


@pytest.mark.parametrize(
    ("role", "parts"),
    [
        ("fcgid", ["Set the mod_fcgid directives", "Set ceilings"]),
        ("oom_policy", ["Set the default OOM policy", "Configure the units"]),
        ("swap", ["Bring the total swap", "Configure how the kernel swaps", "Configure the thrash guard"]),
    ],
)
def test_part_of_a_role_that_fails_keeps_no_other_back(role: str, parts: list[str]) -> None:
    block = yaml.safe_load((ROOT / "roles" / role / "tasks/main.yml").read_text())[-1]
    *before, last = parts
    for part in before:
        (task,) = block["block"]
        assert task["name"].startswith(part)
        (block,) = block["always"]

    assert block["name"].startswith(last)
