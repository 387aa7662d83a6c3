# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role swap makes of its variables, which are texts where they come from `-e name=value` or an INI file."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.tests.unit.roles.role import load, templar, value


@pytest.mark.parametrize(("given", "written"), [(True, "y"), ("true", "y"), (False, "n"), ("false", "n")], ids=repr)
def test_the_lru_is_switched_as_asked(given: object, written: str) -> None:
    assert value("swap", "__swap_lru_gen", swap_lru_gen=given) == {"enabled": written}


@pytest.mark.parametrize("given", [0, "0", 500])
def test_another_time_of_the_thrash_guard_is_not_what_was_asked_for(given: object) -> None:
    assert not value("swap", "'0x0007\n1000' is match(__swap_lru_gen_said)", swap_min_ttl_ms=given)


@pytest.mark.parametrize("given", [1000, "1000", None])
def test_what_was_asked_for_of_the_thrash_guard_is_in_force(given: object) -> None:
    assert value("swap", "'0x0007\n1000' is match(__swap_lru_gen_said)", swap_min_ttl_ms=given)


@pytest.mark.parametrize(
    ("changes", "passes"),
    [
        ({"swap_min_ttl_ms": 1000}, False),
        ({"swap_min_ttl_ms": "0"}, True),
        ({"swap_min_ttl_ms": 1000, "swap_lru_gen": "true"}, True),
        ({"swap_min_ttl_ms": 1000, "swap_lru_gen": "false"}, False),
    ],
)
def test_a_thrash_guard_without_the_lru_is_refused(changes: dict[str, object], *, passes: bool) -> None:
    task = next(task for task in load("swap", "tasks/lru_gen.yml") if "no effect" in task["name"])
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
def test_what_no_kernel_takes_is_refused(name: str, number: object, *, passes: bool) -> None:
    task = load("swap", "tasks/main.yml")[0]
    setting = {"key": name, "value": number}
    given = templar("swap", __swap_setting=setting)
    assert all(map(given.evaluate_conditional, task["ansible.builtin.assert"]["that"])) == passes


def test_what_no_kernel_takes_is_named() -> None:
    task = load("swap", "tasks/main.yml")[0]
    given = templar("swap", __swap_setting={"key": "page-cluster", "value": 99})
    assert given.template(task["ansible.builtin.assert"]["fail_msg"]) == (
        "swap_page_cluster is 99. Give a number from 0 to 31."
    )


def test_nothing_is_persisted_that_the_kernel_has_not_taken() -> None:
    (task,) = load("swap", "tasks/sysctl.yml")[0]["block"]
    assert task["ansible.builtin.copy"]["validate"] == "/lib/systemd/systemd-sysctl %s"


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (
            {"msg": "failed to validate", "stderr": "Couldn't write '150' to 'vm/swappiness': Invalid argument\n"},
            "Couldn't write '150' to 'vm/swappiness': Invalid argument.",
        ),
        ({"msg": "Destination /etc/sysctl.d not writable"}, "Destination /etc/sysctl.d not writable."),
    ],
)
def test_what_this_kernel_refuses_is_told(result: dict[str, str], reason: str) -> None:
    (task,) = load("swap", "tasks/sysctl.yml")[0]["rescue"]
    said = templar("swap", swap_swappiness=150, __swap_sysctl_file=result).template(task["ansible.builtin.fail"]["msg"])
    assert said.startswith(f"Could not set {{'swappiness': 150}} below /proc/sys/vm: {reason} /etc/sysctl.d/")


@pytest.mark.parametrize(("given", "differs"), [(10, False), ("10", False), (11, True)])
def test_numbers_are_compared_with_what_is_in_force(given: object, *, differs: bool) -> None:
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
def test_check_mode_alone_calls_another_value_in_force_a_change(
    tasks: str, read: dict[str, object], *, check_mode: bool
) -> None:
    task = next(task for task in load("swap", f"tasks/{tasks}") if task["name"] == "Compare with what is in force")
    variables = {**read, "ansible_check_mode": check_mode}
    assert templar("swap", **variables).evaluate_conditional(task["changed_when"]) == check_mode
