# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The owner of a memory limit is named for what it is, also if it is above the killed process."""

from __future__ import annotations

import time

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.explain.limit_owner import (
    describe_owner_at_limit,
    find_limit_owner,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import Limit
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.explain.factories import REPORT

ID = "ab" * 32
POD = "podaaaaaaaa_bbbb_cccc_dddd_eeeeeeeeeeee"


@pytest.mark.parametrize(
    ("path", "name", "setting"),
    [
        ("/system.slice/a.service", "a.service", "MemoryMax="),
        ("/user.slice/user-7.slice/user@7.service/app.slice/b.scope", "b.scope", "MemoryMax="),
        ("/user.slice", "user.slice", "MemoryMax="),
        ("/system.slice/a.service/worker", "the cgroup /system.slice/a.service/worker", ""),
        ("/batch", "the cgroup /batch", ""),
        ("/kubepods.slice", "the cgroup /kubepods.slice of all pods", "the memory of the node"),
        ("/kind/kubelet-kubepods.slice", "the cgroup /kind/kubelet-kubepods.slice of all pods", "the memory"),
        ("/kubepods/burstable", "the cgroup /kubepods/burstable of all burstable pods", "the memory of the node"),
        (
            "/kubepods.slice/kubepods-besteffort.slice",
            "the cgroup /kubepods.slice/kubepods-besteffort.slice of all besteffort pods",
            "the memory of the node",
        ),
        (f"/kubepods.slice/kubepods-{POD}.slice", "the pod", "the sum of resources.limits"),
        (f"/kubepods/{POD.replace('_', '-')}", "the pod", "the sum of resources.limits"),
        (f"/kubepods/{POD}/{ID}", "the container", "resources.limits"),
        (f"/kubepods.slice/kubepods-{POD}.slice/cri-containerd-{ID}.scope", "the container", "resources.limits"),
        (f"/docker/{ID}", "the container", "in its runtime"),
        (f"/system.slice/docker-{ID}.scope", "the container", "in its runtime"),
        ("/ecs/0a1b", "the task of Amazon ECS", "memory in the task definition"),
        ("/lxc/101", "the LXC container 101", "lxc.cgroup2.memory.max"),
        (None, "", ""),
    ],
)
def test_an_owner_has_a_name_and_a_setting(path: str | None, name: str, setting: str) -> None:
    owner = find_limit_owner(REPORT._replace(limit_cgroup=path))
    assert (owner.name[: len(name)], owner.setting[: len(setting)]) == (name, setting)
    assert bool(owner.name) is bool(path)


def test_a_path_that_repeats_a_word_takes_no_long_time() -> None:
    path = "/kubepods" * 20_000
    begun = time.process_time()
    assert find_limit_owner(REPORT._replace(limit_cgroup=path)).name == "the cgroup " + path + " of all pods"
    assert find_limit_owner(REPORT._replace(limit_cgroup=path + "/x")).name == "the cgroup " + path + "/x"
    assert time.process_time() - begun < 5


@pytest.mark.parametrize(
    ("cgroup", "is_above"), [("/system.slice/a.service", True), ("/system.slice", False), (None, False)]
)
def test_an_owner_can_be_above_the_killed_process(cgroup: str | None, is_above: bool) -> None:
    report = REPORT._replace(cgroup=cgroup, limit_cgroup="/system.slice")
    assert find_limit_owner(report).is_above is is_above


@pytest.mark.parametrize(
    ("limit", "end"),
    [
        (None, "memory limit"),
        (Limit(usage_bytes=4096), "memory limit"),
        (Limit(usage_bytes=8192, limit_bytes=8192), "memory limit of 8.0 KiB"),
        (
            Limit(usage_bytes=4096, limit_bytes=8192, swap_usage_bytes=9216, swap_limit_bytes=9216, memsw=True),
            "limit of memory and swap together of 9.0 KiB",
        ),
        (
            Limit(usage_bytes=8192, limit_bytes=8192, swap_usage_bytes=8192, swap_limit_bytes=8192, memsw=True),
            "memory limit of 8.0 KiB",
        ),
        (
            Limit(usage_bytes=8192, limit_bytes=8192, swap_usage_bytes=9216, memsw=True),
            "memory limit of 8.0 KiB",
        ),
    ],
)
def test_the_limit_with_the_least_room_was_reached(limit: Limit | None, end: str) -> None:
    report = REPORT._replace(limit=limit, cgroup="/batch", limit_cgroup="/batch")
    assert describe_owner_at_limit(report) == f"the cgroup /batch had reached its {end}"


def test_an_unknown_owner_is_said_to_be_unknown() -> None:
    report = REPORT._replace(limit_cgroup=None)
    assert describe_owner_at_limit(report) == "its cgroup or a cgroup above it had reached its memory limit"
