# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tasks of the playbooks that run with a tag, on this machine, in check mode and with stubs for our modules."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
import typing as t

import pytest
import yaml

ROOT = pathlib.Path(__file__).parents[3]
MADE = {"why": "", "risk": "", "trusted": True, "automatic": True}
SWAP_REMEDY = {"role": "swap", "variables": {"swap_size": "3G"}, **MADE}
UNIT_REMEDY = {"role": "oom_policy", "variables": {"oom_policy_units": ["a.service"]}, **MADE}
FCGID_REMEDY = {"role": "fcgid", "variables": {}, **MADE}
RESULTS: dict[str, dict[str, t.Any]] = {
    "oom_info": {
        "events": [],
        "remedies": [SWAP_REMEDY, UNIT_REMEDY, FCGID_REMEDY],
        "summary": {
            "count": 1,
            "units_taken_down": ["a.service"],
            "units_taken_down_complete": True,
            "taken_down": [],
        },
        "coverage": {"complete": True, "from": None, "missed_records": 0, "unparsed": 0, "notes": []},
    },
    "systemd_dropin": {"restart_required": False, "active_state": "active", "unit_result": "success"},
    "swap": {},
    "fcgid_config": {"unit": "apache2.service", "masked": False},
    "fcgid_recycler": {},
}
STUB = """\
#!/usr/bin/python
# WANT_JSON: so Ansible accepts any arguments.
print({result!r})
"""

ALWAYS = {"Warn about misspelt variables", "Reject unknown tags", "Reject unknown roles", "Begin the list of results"}
SHOW = {"Note what was done and what is left", "Show what was done and what is left on all hosts"}
DETECT = {*ALWAYS, *SHOW, "Find every OOM kill"}
OOM_POLICY = {
    "Reject an OOM score that exempts workers from OOM kills",
    "Reject a restart that does not follow an OOM kill",
    "Require the names of the units whose drop-ins are removed",
    "Set the OOM policy and verify that it is in force",
}
SWAP_SIZE = {"Use the swap size that the remedies suggest", "Bring the total swap to its target"}
SWAP_SYSCTL = {
    "Reject values that no kernel accepts",
    "Read the settings of all files",
    "Reject settings that another file overrides",
    "Write the settings for the kernel",
    "Compare with the values in force",
    "Look at the places that the run would write to",
    "Require that the run can write to these places",
}
FCGID_DIRECTIVES = {"Find the other instances of Apache that are enabled or run", "Set the mod_fcgid directives"}
FCGID_CEILINGS = {
    "Reject an OOM score that exempts Apache from OOM kills",
    "Reject MemoryHigh if Apache has no swap",
    "Set the ceilings of Apache's unit",
}
VARIABLES = {"swap_swappiness": 10, "fcgid_ceilings": {}}


@pytest.fixture(scope="module")
def collections(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Return a folder with a copy of the collection whose modules return fixed results."""
    folder = tmp_path_factory.mktemp("collections")
    collection = folder / "ansible_collections/oomguard/linux"
    modules = collection / "plugins/modules"
    modules.mkdir(parents=True)
    shared = (
        "action",
        "doc_fragments",
        "lookup",
        "module_utils",
        "plugin_utils",
        "modules/recap.py",
        "modules/check_variables.py",
    )
    for name in ("galaxy.yml", "meta", "playbooks", "roles", *[f"plugins/{name}" for name in shared]):
        (collection / name).symlink_to(ROOT / name)
    for name, result in RESULTS.items():
        text = json.dumps({"changed": False, **result})
        (modules / f"{name}.py").write_text(STUB.format(result=text))
    return folder


def play(collections: pathlib.Path, playbook: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a playbook of the collection on this machine in check mode."""
    variables = {**VARIABLES, "ansible_python_interpreter": sys.executable}
    command = [str(pathlib.Path(sys.executable).parent / "ansible-playbook"), f"oomguard.linux.{playbook}", "--check"]
    command += ["-i", "localhost,", "-c", "local", "-e", json.dumps(variables), *arguments]
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false",
        "ANSIBLE_LOCAL_TEMP": str(collections / "tmp"),
        "ANSIBLE_NOCOLOR": "true",
    }
    return subprocess.run(command, env=environment, check=False, capture_output=True, text=True)


def list_tasks(output: str) -> set[str]:
    """Return the tasks that ran, without includes and without the validation of arguments."""
    names = re.findall(r"^TASK \[(?:oomguard\.linux\.\w+ : )?(.*?)\] \*+\n(?!included: )", output, re.MULTILINE)
    return {name for name in names if not name.startswith(("Validating arguments", "Record that the role"))}


@pytest.mark.parametrize(
    ("tags", "tasks"),
    [
        ("oom_policy", OOM_POLICY),
        ("swap", SWAP_SIZE | SWAP_SYSCTL),
        ("swap_sysctl", SWAP_SYSCTL),
        ("fcgid", FCGID_DIRECTIVES | FCGID_CEILINGS),
        ("fcgid_directives", FCGID_DIRECTIVES),
        ("oom_policy,swap_size", OOM_POLICY | SWAP_SIZE),
    ],
)
def test_remediate_detects_and_runs_the_tagged_part(tags: str, tasks: set[str], collections: pathlib.Path) -> None:
    finished = play(collections, "remediate", "--tags", tags)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert list_tasks(finished.stdout) == DETECT | tasks


@pytest.mark.parametrize(
    ("tags", "left_out"),
    [("swap", SWAP_SIZE | SWAP_SYSCTL), ("swap_sysctl", SWAP_SYSCTL), ("fcgid", FCGID_DIRECTIVES | FCGID_CEILINGS)],
)
def test_remediate_detects_and_skips_the_tagged_part(tags: str, left_out: set[str], collections: pathlib.Path) -> None:
    everything = list_tasks(play(collections, "remediate").stdout)
    finished = play(collections, "remediate", "--skip-tags", tags)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert list_tasks(finished.stdout) == everything - left_out


def test_named_roles_run_without_detection(collections: pathlib.Path) -> None:
    finished = play(collections, "remediate", "--skip-tags", "detect", "-e", '{"oomguard_roles": ["auto", "fcgid"]}')
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert list_tasks(finished.stdout) - FCGID_CEILINGS == ALWAYS | FCGID_DIRECTIVES | SHOW


@pytest.mark.parametrize("option", ["--tags", "--skip-tags"])
@pytest.mark.parametrize("playbook", ["detect", "remediate"])
def test_unknown_tag_is_an_error(playbook: str, option: str, collections: pathlib.Path) -> None:
    finished = play(collections, playbook, option, "swpa")
    assert finished.returncode == 2
    assert "This playbook has no tag swpa. Its tags are detect" in finished.stdout


def test_tag_of_another_play_is_accepted(collections: pathlib.Path) -> None:
    finished = play(collections, "remediate", "--tags", "web", "-e", '{"oomguard_other_tags": ["web"]}')
    assert finished.returncode == 0
    assert list_tasks(finished.stdout) == ALWAYS


@pytest.mark.parametrize("playbook", ["detect", "remediate"])
def test_known_tags_are_the_tags_of_the_roles(playbook: str) -> None:
    text = (ROOT / f"playbooks/{playbook}.yml").read_text()
    (loaded,) = yaml.safe_load(text)
    found: set[str] = set()
    roles = re.findall(r"(?:role|name): oomguard\.linux\.(\w+)", text)
    for role in {*roles, *loaded["vars"].get("oomguard_order", ())}:
        for path in (ROOT / "roles" / role / "tasks").glob("*.yml"):
            for tags in re.findall(r"tags: \[(.*)\]", path.read_text()):
                found.update(tags.split(", "))
    found.update(re.findall(r"tags: (start_\w+)", text))
    assert found == set(loaded["vars"]["oomguard_tags"])


@pytest.fixture
def failing(collections: pathlib.Path) -> t.Iterator[pathlib.Path]:
    """Return the folder with the collection in which a disk has no room for swap."""
    module = collections / "ansible_collections/oomguard/linux/plugins/modules/swap.py"
    text = module.read_text()
    module.write_text(STUB.format(result=json.dumps({"failed": True, "msg": "The disk is full."})))
    yield collections
    module.write_text(text)


@pytest.fixture
def changing(collections: pathlib.Path) -> t.Iterator[pathlib.Path]:
    """Return the folder with the collection on a host that gets swap."""
    module = collections / "ansible_collections/oomguard/linux/plugins/modules/swap.py"
    text = module.read_text()
    swap = {"changed": True, "before": {"total_bytes": 0}, "after": {"total_bytes": 1024}}
    module.write_text(STUB.format(result=json.dumps(swap)))
    yield collections
    module.write_text(text)


def test_what_a_role_could_not_do_is_in_the_table(failing: pathlib.Path) -> None:
    finished = play(failing, "remediate")
    table = finished.stdout.partition("\n1 host: 1 with something left to do.\n")[2]
    # The role has set how the kernel swaps nevertheless.
    assert re.search(r"^localhost .* swap +swap failed$", table, re.MULTILINE)
    assert "\n  localhost: swap (Bring the total swap to its target): The disk is full.\n" in table


def test_check_mode_ends_with_the_command_that_applies_the_changes(changing: pathlib.Path) -> None:
    finished = play(changing, "remediate", "--tags", "swap", "-e", "swap_size=3G")
    table = finished.stdout.partition("\n1 host: ")[2]
    assert re.search(r"^localhost .* swap +policy \+1$", table, re.MULTILINE)
    assert " --extra-vars=swap_size=3G --tags=swap --limit localhost\n" in table


def test_one_role_that_fails_does_not_keep_the_others_back(failing: pathlib.Path) -> None:
    finished = play(failing, "remediate")
    assert finished.returncode == 2
    assert list_tasks(finished.stdout) >= OOM_POLICY | FCGID_DIRECTIVES | {"Record why the role has failed"}
    assert (
        "Done: oom_policy, fcgid\\nFailed: swap (Bring the total swap to its target): The disk is full."
        in finished.stdout
    )


@pytest.fixture
def lost(collections: pathlib.Path) -> t.Iterator[pathlib.Path]:
    """Return the folder with the collection on a host whose journal cannot be read."""
    module = collections / "ansible_collections/oomguard/linux/plugins/modules/oom_info.py"
    text = module.read_text()
    module.write_text(STUB.format(result=json.dumps({"failed": True, "msg": "The journal is gone."})))
    yield collections
    module.write_text(text)


def test_host_that_could_not_be_looked_at_is_left_alone(lost: pathlib.Path) -> None:
    finished = play(lost, "remediate", "-e", '{"oomguard_roles": ["swap"]}')
    assert finished.returncode == 2
    assert '"msg": "The journal is gone."' in finished.stdout
    assert SWAP_SIZE & list_tasks(finished.stdout) == set()


def test_units_are_not_guessed_if_the_host_could_not_be_looked_at(lost: pathlib.Path) -> None:
    finished = play(lost, "remediate", "--skip-tags", "detect", "-e", '{"oomguard_roles": ["oom_policy"]}')
    assert finished.returncode == 2
    assert "The host was not searched." in finished.stdout


def test_finding_does_not_keep_a_host_from_being_mended(collections: pathlib.Path) -> None:
    finished = play(collections, "remediate", "-e", '{"detect_fail_on": ["taken_down", "incomplete", "killed"]}')
    assert finished.returncode == 0, finished.stdout
