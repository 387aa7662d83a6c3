# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ceilings for each user, from what each of them held."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.explain.remedies import Remedy
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import Limit, Task, Victim
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.explain.factories import (
    GIB,
    diagnose_incident,
    make_memory,
)

MIB = 1 << 20
SLICE = "/user.slice/user-1001.slice/session-3.scope"
APACHE = "/system.slice/apache2.service"
# A host with 1 GiB of RAM and 1 GiB of swap
MEMORY = make_memory(GIB, 0)


def make_tasks(uid: int, *sizes: int) -> list[Task]:
    """Return the processes of a user, whose sizes are in MiB."""
    return [Task("php-cgi", uid * 100 + number, uid, rss_bytes=size * MIB) for number, size in enumerate(sizes)]


def find_ceilings(tasks: t.Iterable[Task], cgroup: str = SLICE, **changes: t.Any) -> list[Remedy]:
    changes = {"memory": MEMORY, **changes}
    victims = (Victim("php-cgi", 100100, uid=1001),)
    found = diagnose_incident(cgroup=cgroup, tasks=tuple(tasks), victims=victims, **changes).remedies
    return [
        remedy
        for remedy in found
        if remedy.variables.get("oom_policy_units") == ["user-.slice"]
        or "FcgidMaxProcessesPerClass" in remedy.variables.get("fcgid_directives", {})
    ]


@pytest.mark.parametrize(
    ("tasks", "ceiling"),
    [
        ([*make_tasks(1001, 1500), *make_tasks(1002, 300)], ("320M", "320M")),
        ([*make_tasks(1001, 1500), *make_tasks(1002, 10)], ("256M", "256M")),
        ([*make_tasks(1001, 1500), *make_tasks(1002, 800)], None),
        ([*make_tasks(1001, 500), *make_tasks(1002, 100)], None),
        (make_tasks(1001, 1500), None),
        ([*make_tasks(1001, 1500), *make_tasks(33, 300), *make_tasks(65534, 300), *make_tasks(61185, 300)], None),
        ([*make_tasks(1002, 1500), *make_tasks(1001, 300)], None),
    ],
    ids=["twice the second", "a quarter", "no ceiling fits", "little", "one user", "no persons", "another user's"],
)
def test_slices_get_a_ceiling_that_only_the_largest_user_exceeds(
    tasks: list[Task], ceiling: tuple[str, str] | None
) -> None:
    variables = [remedy.variables for remedy in find_ceilings(tasks)]
    limits = [(given["oom_policy_memory_max"], given["oom_policy_memory_swap_max"]) for given in variables]
    assert limits == [ceiling] * bool(ceiling)


def test_a_host_without_swap_gets_a_ceiling_for_ram_alone() -> None:
    tasks = [*make_tasks(1001, 700), *make_tasks(1002, 100)]
    (remedy,) = find_ceilings(tasks, memory=make_memory(0, 0))
    assert remedy.variables == {"oom_policy_units": ["user-.slice"], "oom_policy_memory_max": "256M"}


def test_a_limit_is_the_memory_that_the_users_share() -> None:
    tasks = [*make_tasks(1001, 100, 100, 100), *make_tasks(1002, 10)]
    (remedy,) = find_ceilings(tasks, APACHE, scope="memcg", limit=Limit(limit_bytes=512 * MIB))
    assert remedy.variables["fcgid_directives"]["FcgidMaxProcessesPerClass"] == 1


@pytest.mark.parametrize(
    ("sizes", "number"), [((300, 300, 300, 300, 300), 2), ((1500,), None), ((900, 600), 1), ((50,) * 30, 12)]
)
def test_workers_of_a_user_are_as_many_as_fit(sizes: tuple[int, ...], number: int | None) -> None:
    tasks = [*make_tasks(1001, *sizes), *make_tasks(1002, 300)]
    numbers = [
        remedy.variables["fcgid_directives"]["FcgidMaxProcessesPerClass"] for remedy in find_ceilings(tasks, APACHE)
    ]
    assert numbers == [number] * bool(number)


def test_a_ceiling_is_explained_and_not_automatic() -> None:
    (remedy,) = find_ceilings([*make_tasks(1001, 1500), *make_tasks(1002, 300)])
    assert not remedy.automatic
    assert remedy.why == (
        "User 1001 held 1.5 GiB, and no other user held more than 300.0 MiB. With a ceiling of 640.0 MiB for each "
        "user, the kernel would have killed only processes of that user, and earlier."
    )


@pytest.mark.parametrize("changes", [{"complete": False}, {"memory": None}], ids=["rows missing", "no memory"])
def test_a_report_that_is_not_whole_shows_no_ceiling(changes: dict[str, t.Any]) -> None:
    assert find_ceilings([*make_tasks(1001, 1500), *make_tasks(1002, 300)], **changes) == []
