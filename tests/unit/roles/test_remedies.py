# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles and modules accept every remedy that the diagnosis can give, for every cause and for units of every kind."""

from __future__ import annotations

import dataclasses
import itertools
import pathlib
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.oomguard.linux.plugins.module_utils._change import bring
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.findings import Findings
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.host_now import HostNow
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.incident import (
    Incident,
    UnitEffect,
    build_incident,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.taken_down import TakenDown
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import Memory, Task, Victim
from ansible_collections.oomguard.linux.plugins.module_utils._oom.result import build_result
from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.coverage import Coverage
from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.units import UnitState, UnitStates
from ansible_collections.oomguard.linux.plugins.module_utils._recycler.settings import make_settings
from ansible_collections.oomguard.linux.plugins.module_utils._size import parse_size
from ansible_collections.oomguard.linux.plugins.module_utils._swap.plan import make_plan
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.change import DropinChange
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.manager import Systemd
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.wanted import parse_wanted
from ansible_collections.oomguard.linux.plugins.module_utils._zram import plan as zram_plan
from ansible_collections.oomguard.linux.plugins.modules import fcgid_config, zram
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.explain.factories import (
    CAUSES,
    GIB,
    REPORT,
)
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._swap import factories as swap_factories
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._systemd.factories import PARAMS, Programs
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._zram import factories as zram_factories
from ansible_collections.oomguard.linux.tests.unit.roles.role import load, value

Remedy = dict[str, t.Any]

CONTAINER = "docker-" + "ab" * 32 + ".scope"
# The properties of units of each kind that differ from those of an ordinary service.
UNITS: dict[str, dict[str, str]] = {
    "shop.service": {},
    "apache2.service": {},
    "legacyd.service": {"FragmentPath": "/run/systemd/generator.late/legacyd.service", "Type": "forking"},
    "pool@main.service": {"FragmentPath": "/lib/systemd/system/pool@.service"},
    "mount-a\\x2db@1.service": {},
    "job.service": {"Type": "oneshot"},
    "run-u12.service": {"FragmentPath": "/run/systemd/transient/run-u12.service", "Transient": "yes"},
    "user@1500.service": {"FragmentPath": "/lib/systemd/system/user@.service"},
    "session-1.scope": {"Transient": "yes"},
    CONTAINER: {"Transient": "yes"},
    "app.socket": {},
    "user-1001.slice": {},
    # An alias: systemd answers with the unit's own name.
    "mysql.service": {"Id": "mariadb.service", "Names": "mariadb.service mysql.service"},
    "dev-sda.swap": {},
}
# The cgroups of the units that are not in system.slice. A user's own unit is below the manager of that user.
CGROUPS = {
    "session-1.scope": "/user.slice/user-1001.slice/session-1.scope",
    "user@1500.service": "/user.slice/user-1500.slice/user@1500.service/app.slice/app.service",
    "user-1001.slice": "/user.slice/user-1001.slice",
}
MEMORY = Memory(ram_bytes=GIB, swap_total_bytes=GIB, swap_free_bytes=0)
# Two users, of whom one holds most of the memory.
TASKS = (
    Task("worker", 7, 1001, rss_bytes=GIB // 2),
    Task("worker", 8, 1001, rss_bytes=GIB // 2),
    Task("worker", 9, 1002, rss_bytes=GIB // 16),
)


def list_remedies(cause: str, unit: str, *, disk: int, swap_bytes: int = GIB) -> t.Iterator[Remedy]:
    """Yield the remedies for kills of a cause in a unit, with each process, policy, and Restart=."""
    facts: tuple[tuple[t.Any, ...], ...] = (
        (True, False),
        (True, False),
        ("stop", "continue", "kill"),
        ("no", "on-abort", "on-failure"),
    )
    for main, is_known, policy, restart in itertools.product(*facts):
        state = UnitState(
            unit,
            active_state="failed",
            result="oom-kill",
            oom_policy=policy,
            restart=restart,
            main_process_killed=main,
            type=UNITS[unit].get("Type", "simple"),
            is_transient=UNITS[unit].get("Transient") == "yes",
        )
        incident = make_incident(cause, state, swap_bytes)
        taken_down = TakenDown(unit, "oom-kill", 0, state, incident if is_known else None)
        now = HostNow(swap_bytes, has_fcgid=True, disk_free_bytes=disk)
        coverage = Coverage(is_journald_starved=True)
        found = Findings((incident,), (), (taken_down,), coverage, host_now=now, trusted=True)
        yield from build_result(found, tasks="none", top=0)["remedies"]


def make_incident(cause: str, state: UnitState, swap_bytes: int) -> Incident:
    """Return a kill of that cause in a unit."""
    changes = dict(CAUSES[cause])
    free = int(swap_bytes * changes.pop("swap_free_share", 0))
    memory = MEMORY._replace(swap_total_bytes=swap_bytes, swap_free_bytes=free)
    cgroup = CGROUPS.get(state.unit, f"/system.slice/{state.unit}")
    victims = (Victim("worker", 7, uid=1001),)
    report = REPORT._replace(cgroup=cgroup, victims=victims, memory=memory, tasks=TASKS)
    effect = UnitEffect(
        state.unit,
        "oom-kill",
        stopped=True,
        restarted=False,
        oom_policy=state.oom_policy,
        main_process_killed=bool(state.main_process_killed),
        gone=UnitStates({state.unit: state}, is_known=True).is_gone(state.unit),
    )
    return build_incident(report._replace(**changes))._replace(effect=effect)


def fill_in(role: str, variables: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the variables of a role with its defaults, without the name of the role."""
    complete = {**load(role, "defaults/main.yml"), **variables}
    return {name[len(role) + 1 :]: setting for name, setting in complete.items()}


def accept_policy(remedy: Remedy, root: pathlib.Path) -> None:
    """Plan the drop-ins as the role does, and raise OomguardError if the module refuses one."""
    variables = remedy["variables"]
    known: dict[str, t.Any] = variables
    if remedy["automatic"]:
        known = {"detect_result": {"remedies": [remedy], "events": [], "summary": {"taken_down": []}}}
    units = value("oom_policy", "__oom_policy_units", **known)
    assert units == variables["oom_policy_units"]
    for unit in units:
        settings = value("oom_policy", "{__oom_policy_section: __oom_policy_settings}", oom_policy_unit=unit, **known)
        assert settings.get("Service", {}).get("Restart") == variables.get("oom_policy_restart")
        accept_dropin(unit, settings, root)


def accept_dropin(unit: str, settings: dict[str, t.Any], root: pathlib.Path) -> None:
    """Plan one drop-in, and raise OomguardError if the module refuses it."""
    shown = {"Id": unit, "LoadState": "loaded", "ActiveState": "failed", "NeedDaemonReload": "no"}
    shown.update(UNITS.get(unit, {}))
    systemd = Systemd(run=Programs(shown={"DropInPaths": "", **shown}), root=root)
    wanted = parse_wanted({**PARAMS, "unit": unit, "settings": settings, "pin": False})
    _state, plan = bring(DropinChange(wanted, systemd), check_mode=True)
    assert plan.changed


def accept_oomd(variables: dict[str, t.Any], root: pathlib.Path) -> None:
    """Plan the drop-ins of the role systemd_oomd."""
    sections = load("systemd_oomd", "vars/main.yml")["__systemd_oomd_sections"]
    for unit, settings in variables.get("systemd_oomd_units", {}).items():
        accept_dropin(unit, {sections[unit.rpartition(".")[2]]: settings}, root)


def accept_swap(variables: dict[str, t.Any], *, disk: int, swap_bytes: int) -> None:
    """Plan the swap as the role does, and raise OomguardError if the disk has no room for it."""
    complete = fill_in("swap", variables)
    wanted = dataclasses.replace(
        swap_factories.WANTED, size_bytes=parse_size(complete["size"]), reserve_bytes=parse_size(complete["reserve"])
    )
    state = swap_factories.state(swap_factories.area("/dev/vdb", swap_bytes, kind="partition"), free_bytes=disk)
    assert make_plan(state, wanted).changed


def accept(remedy: Remedy, root: pathlib.Path, *, disk: int, swap_bytes: int) -> None:
    """Raise an error if the role or the module of a remedy does not accept its variables."""
    role, variables = remedy["role"], remedy["variables"]
    options = load(role, "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    result = ArgumentSpecValidator(options).validate(variables)
    assert result.error_messages == []
    assert result.unsupported_parameters == set()
    if role == "oom_policy":
        accept_policy(remedy, root)
    elif role == "swap":
        accept_swap(variables, disk=disk, swap_bytes=swap_bytes)
    elif role == "zram":
        complete = fill_in(role, variables)
        assert zram_plan.make_plan(zram_factories.state(), zram.build_wanted(complete)).changed
    elif role == "systemd_oomd":
        accept_oomd(variables, root)
    elif role == "fcgid":
        assert fcgid_config.build_wanted({**fill_in(role, variables), "state": "present"}).settings
    else:
        assert make_settings(fill_in(role, variables)).bounds.limit


@pytest.fixture
def root(tmp_path: pathlib.Path) -> pathlib.Path:
    """Return a folder in the place of a root whose systemd runs."""
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize(
    ("unit", "choices"),
    [
        ("apache2.service", {"fcgid", "fcgid_recycler", "systemd_oomd", "zram"}),
        ("session-1.scope", {"oom_policy", "systemd_oomd", "zram"}),
        ("shop.service", {"systemd_oomd", "zram"}),
    ],
)
def test_the_choices_of_each_kind_of_unit_are_tried(unit: str, choices: set[str]) -> None:
    remedies = list_remedies("ram_and_swap_exhausted", unit, disk=32 * GIB)
    assert {remedy["role"] for remedy in remedies if not remedy["automatic"]} == choices


@pytest.mark.parametrize("unit", UNITS)
def test_every_remedy_is_accepted(unit: str, root: pathlib.Path) -> None:
    disk = 32 * GIB
    accepted = []
    for cause in CAUSES:
        for remedy in list_remedies(cause, unit, disk=disk):
            asked = (remedy["role"], remedy["variables"])
            if asked not in accepted:
                accept(remedy, root, disk=disk, swap_bytes=GIB)
                accepted.append(asked)


@pytest.mark.parametrize("disk", [0, GIB // 4, GIB // 2, GIB, 2 * GIB, 5 * GIB, 9 * GIB])
@pytest.mark.parametrize("swap_bytes", [0, GIB // 3, 2 * GIB])
def test_the_suggested_swap_fits_the_disk(disk: int, swap_bytes: int, root: pathlib.Path) -> None:
    remedies = list_remedies("ram_and_swap_exhausted", "shop.service", disk=disk, swap_bytes=swap_bytes)
    for remedy in remedies:
        if remedy["role"] == "swap":
            accept(remedy, root, disk=disk, swap_bytes=swap_bytes)
            break


@pytest.mark.parametrize(
    ("unit", "restarts"),
    [
        ("shop.service", {None, "on-failure"}),
        ("legacyd.service", {None, "on-failure"}),
        ("pool@main.service", {None, "on-failure"}),
        ("job.service", {None}),
        ("run-u12.service", set()),
        ("session-1.scope", set()),
    ],
)
def test_remedies_are_given_for_units_that_can_have_them(unit: str, restarts: set[str | None]) -> None:
    remedies = [
        remedy
        for remedy in list_remedies("cgroup_limit", unit, disk=GIB)
        if remedy["role"] == "oom_policy" and remedy["automatic"]
    ]
    assert {remedy["variables"].get("oom_policy_restart") for remedy in remedies} == restarts
