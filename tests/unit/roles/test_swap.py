# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the role swap, which are strings if they come from `-e name=value` or an INI file."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.tests.unit.roles.role import load, templar, value

FILE = "/etc/sysctl.d/90-oomguard-swap.conf"


@pytest.mark.parametrize(("given", "written"), [(True, "y"), ("true", "y"), (False, "n"), ("false", "n")], ids=repr)
def test_lru_switch_is_written_as_y_or_n(given: object, written: str) -> None:
    assert value("swap", "__swap_lru_gen", swap_lru_gen=given) == {"enabled": written}


@pytest.mark.parametrize("given", [0, "0", 500])
def test_different_thrash_guard_is_not_in_force(given: object) -> None:
    assert not value("swap", "'0x0007\n1000' is match(__swap_lru_gen_expected)", swap_min_ttl_ms=given)


@pytest.mark.parametrize("given", [1000, "1000", None])
def test_same_thrash_guard_is_in_force(given: object) -> None:
    assert value("swap", "'0x0007\n1000' is match(__swap_lru_gen_expected)", swap_min_ttl_ms=given)


@pytest.mark.parametrize(
    ("changes", "passes"),
    [
        ({"swap_min_ttl_ms": 1000}, False),
        ({"swap_min_ttl_ms": "0"}, True),
        ({"swap_min_ttl_ms": 1000, "swap_lru_gen": "true"}, True),
        ({"swap_min_ttl_ms": 1000, "swap_lru_gen": "false"}, False),
    ],
)
def test_thrash_guard_requires_the_lru(changes: dict[str, object], *, passes: bool) -> None:
    task = next(task for task in load("swap", "tasks/lru_gen.yml") if "for the thrash guard" in task["name"])
    variables = {"__swap_lru_gen_before": {"rc": 0, "stdout_lines": ["0x0000", "0"]}, **changes}
    assert templar("swap", **variables).evaluate_conditional(task["ansible.builtin.assert"]["that"]) == passes


@pytest.mark.parametrize(
    ("name", "number", "passes"),
    [
        ("swappiness", 200, True),
        ("swappiness", "0", True),
        ("swappiness", 99999, False),
        ("swappiness", -1, False),
        ("page-cluster", 31, True),
        ("page-cluster", 32, False),
        ("vfs_cache_pressure", 1000, True),
        ("vfs_cache_pressure", -1, False),
        ("watermark_scale_factor", "3000", True),
        ("watermark_scale_factor", 0, False),
    ],
)
def test_value_that_no_kernel_accepts_is_rejected(name: str, number: object, *, passes: bool) -> None:
    task = load("swap", "tasks/main.yml")[1]
    setting = {"key": name, "value": number}
    given = templar("swap", swap_setting=setting)
    assert all(map(given.evaluate_conditional, task["ansible.builtin.assert"]["that"])) == passes


def test_rejected_value_is_named_with_its_range() -> None:
    task = load("swap", "tasks/main.yml")[1]
    given = templar("swap", swap_setting={"key": "page-cluster", "value": 99})
    assert given.template(task["ansible.builtin.assert"]["fail_msg"]) == (
        "swap_page_cluster is 99. Use a number from 0 to 31."
    )


def persist_settings() -> dict[str, t.Any]:
    """Return the task that writes the settings."""
    tasks = load("swap", "tasks/sysctl.yml")
    return next(task for task in tasks if task["name"] == "Persist the settings if the kernel accepts them")


def test_settings_are_validated_by_the_kernel_before_they_are_persisted() -> None:
    (task,) = persist_settings()["block"]
    assert task["ansible.builtin.copy"]["validate"] == "/lib/systemd/systemd-sysctl %s"


REJECTED = {
    "msg": "failed to validate",
    "exit_status": 1,
    "stderr": "Couldn't write '150' to 'vm/swappiness': Invalid argument\n",
}
UNWRITABLE = {"msg": "Destination /etc/sysctl.d not writable"}


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (
            REJECTED,
            "Could not set {'swappiness': 150} below /proc/sys/vm: Couldn't write '150' to 'vm/swappiness': Invalid",
        ),
        (UNWRITABLE, f"Could not write {FILE}: Destination /etc/sysctl.d not writable. The file is unchanged."),
    ],
    ids=["rejected by the kernel", "not writable"],
)
def test_reason_why_settings_do_not_last_is_reported(result: dict[str, object], message: str) -> None:
    given = templar("swap", swap_swappiness=150, __swap_sysctl_file=result)
    tasks = persist_settings()["rescue"]
    first = next(task for task in tasks if given.evaluate_conditional(task.get("when", True)))
    assert given.template(first["ansible.builtin.fail"]["msg"]).startswith(message)


@pytest.mark.parametrize(("given", "differs"), [(10, False), ("10", False), (11, True)])
def test_numbers_are_compared_with_the_values_in_force(given: object, *, differs: bool) -> None:
    read = {"__swap_sysctl_before": {"stdout_lines": ["10"]}}
    assert value("swap", "__swap_sysctl_differs", swap_swappiness=given, **read) == differs


@pytest.mark.parametrize(
    ("tasks", "read"),
    [
        ("sysctl.yml", {"__swap_sysctl_before": {"stdout_lines": ["60"]}, "swap_swappiness": 10}),
        ("lru_gen.yml", {"__swap_lru_gen_before": {"stdout": "0x0007\n0"}, "swap_min_ttl_ms": 1000}),
    ],
)
@pytest.mark.parametrize("check_mode", [True, False])
def test_different_value_in_force_is_a_change_only_in_check_mode(
    tasks: str, read: dict[str, object], *, check_mode: bool
) -> None:
    task = next(task for task in load("swap", f"tasks/{tasks}") if task["name"] == "Compare with the values in force")
    variables = {**read, "ansible_check_mode": check_mode}
    assert templar("swap", **variables).evaluate_conditional(task["changed_when"]) == check_mode


FILES = """# /usr/lib/sysctl.d/50-default.conf
vm.swappiness = 1
# /etc/sysctl.d/90-oomguard-swap.conf
vm.swappiness = 2
# /etc/sysctl.d/99-admin.conf
# vm.swappiness = 3
swappiness = 4
kernel.swappiness = 5
"""


@pytest.mark.parametrize(
    ("line", "conflict"),
    [
        ("vm.swappiness = 50", '/etc/sysctl.d/99-admin.conf says "vm.swappiness = 50".'),
        ("-vm/page-cluster=4", '/etc/sysctl.d/99-admin.conf says "-vm/page-cluster=4".'),
        ("vm.swappiness=10", ""),
        ("vm.vfs_cache_pressure=50", ""),
        ("vm.swappiness_of_others=50", ""),
    ],
)
def test_line_that_overrides_a_setting_is_named(line: str, conflict: str) -> None:
    read = {"__swap_sysctl_files": {"stdout_lines": [*FILES.splitlines(), line]}}
    found = value("swap", "__swap_sysctl_conflicts | trim", swap_swappiness=10, swap_page_cluster="3", **read)
    assert found == conflict


def test_overridden_settings_are_rejected_before_anything_changes() -> None:
    names = [task["name"] for task in load("swap", "tasks/sysctl.yml")]
    assert names.index("Reject settings that another file overrides") < names.index(
        "Persist the settings if the kernel accepts them"
    )


@pytest.mark.parametrize(
    ("is_changed", "in_force", "places"),
    [
        (True, "60", ["/etc/sysctl.d", FILE, "/proc/sys/vm/swappiness"]),
        (True, "10", ["/etc/sysctl.d", FILE]),
        (False, "60", ["/proc/sys/vm/swappiness"]),
        (False, "10", []),
    ],
)
def test_places_are_those_that_a_run_would_write(is_changed: bool, in_force: str, places: list[str]) -> None:
    found = {"__swap_sysctl_file": {"changed": is_changed}, "__swap_sysctl_before": {"stdout_lines": [in_force]}}
    assert value("swap", "__swap_sysctl_places", swap_swappiness=10, **found) == places


@pytest.mark.parametrize(
    ("is_changed", "in_force", "places"),
    [
        (True, "0x0007\n0", ["/etc/tmpfiles.d", "/etc/tmpfiles.d/oomguard-swap.conf", "min_ttl_ms"]),
        (False, "0x0007\n1000", []),
    ],
)
def test_places_of_the_thrash_guard_are_those_that_a_run_would_write(
    is_changed: bool, in_force: str, places: list[str]
) -> None:
    found = {"__swap_lru_gen_file": {"changed": is_changed}, "__swap_lru_gen_before": {"stdout": in_force}}
    written = value("swap", "__swap_lru_gen_places", swap_min_ttl_ms=1000, **found)
    assert [place.removeprefix("/sys/kernel/mm/lru_gen/") for place in written] == places


def test_place_that_cannot_be_written_is_named() -> None:
    stats = {
        FILE: {"exists": False},
        "/etc/sysctl.d": {"exists": True, "writeable": False},
        "/a": {"exists": True, "writeable": True},
    }
    results = [{"swap_place": place, "stat": stat} for place, stat in stats.items()]
    assert value("swap", "__swap_unwritable", __swap_places_found={"results": results}) == ["/etc/sysctl.d"]
