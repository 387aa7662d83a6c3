# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The oom-kill line and the lines of older kernels, with the names that users can choose."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.constraint_lines import (
    Constraint,
    ConstraintLines,
    parse_constraint,
    parse_old_nodemask,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import Victim
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.report.factories import HOSTILE_NAMES


@pytest.mark.parametrize(
    ("text", "nodemask"),
    [
        ("a invoked oom-killer: gfp_mask=0x0(), nodemask=(null),  order=0, oom_score_adj=0", "(null)"),
        ("a invoked oom-killer: gfp_mask=0x0(), nodemask=0-2,4, order=0, oom_score_adj=0", "0-2,4"),
        ("a invoked oom-killer: gfp_mask=0x0(), order=0, oom_score_adj=0", None),
    ],
)
def test_old_nodemask_is_parsed(text: str, nodemask: str | None) -> None:
    assert parse_old_nodemask(text) == nodemask


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,"
            "task_memcg=/system.slice/apache2.service,task=sys.fcgi,pid=812,uid=33",
            ("CONSTRAINT_NONE", "(null)", "/", "0", None, "/system.slice/apache2.service", True, "sys.fcgi", 812, 33),
            id="global",
        ),
        pytest.param(
            "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=hog.service,mems_allowed=0-1,3,"
            "oom_memcg=/system.slice,task_memcg=/system.slice/hog.service,task=hog,pid=812,uid=0",
            (
                "CONSTRAINT_MEMCG",
                "(null)",
                "hog.service",
                "0-1,3",
                "/system.slice",
                "/system.slice/hog.service",
                False,
                "hog",
                812,
                0,
            ),
            id="memcg",
        ),
        pytest.param(
            "oom-kill:constraint=CONSTRAINT_MEMORY_POLICY,nodemask=0-1,3,cpuset=/,mems_allowed=0,global_oom,"
            "task_memcg=/a,task=b,pid=1,uid=0",
            ("CONSTRAINT_MEMORY_POLICY", "0-1,3", "/", "0", None, "/a", True, "b", 1, 0),
            id="mempolicy",
        ),
        pytest.param(
            "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null), cpuset=/,mems_allowed=0,oom_memcg=/a,task_memcg=/a/b,"
            "task=c,pid=1,uid=0",
            ("CONSTRAINT_NONE", "(null)", "/", "0", "/a", "/a/b", False, "c", 1, 0),
            id="5.0 with its blank",
        ),
        pytest.param(
            "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),task=sh,pid=7,uid=0",
            ("CONSTRAINT_NONE", "(null)", None, None, None, None, False, "sh", 7, 0),
            id="neither cpusets nor cgroups",
        ),
        pytest.param(
            "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),global_oom,task_memcg=/,task=sh,pid=7,uid=0",
            ("CONSTRAINT_NONE", "(null)", None, None, None, "/", True, "sh", 7, 0),
            id="no cpusets",
        ),
        pytest.param(
            "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/a,task_memcg=/a,task=sh,pid=7,uid=0",
            ("CONSTRAINT_MEMCG", "(null)", None, None, "/a", "/a", False, "sh", 7, 0),
            id="memcg, no cpusets",
        ),
        pytest.param(
            "oom-kill:constraint=CONSTRAINT_CPUSET,nodemask=(null),cpuset=test,mems_allowed=0",
            ("CONSTRAINT_CPUSET", "(null)", "test", "0", None, None, False, None, None, None),
            id="cut",
        ),
        pytest.param(
            "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/a b,>",
            ("CONSTRAINT_NONE", "(null)", "/", "0", None, "/a b", True, None, None, None),
            id="cut by a pager",
        ),
    ],
)
def test_oom_kill_line_is_parsed(text: str, expected: tuple[object, ...]) -> None:
    assert parse_constraint(text) == expected


@pytest.mark.parametrize(
    "cgroup",
    [
        "/user.slice/x,task=init,pid=1,uid=0",
        "/user.slice/x,task_memcg=/system.slice/ssh.service",
        "/user.slice/{{ 7*7 }} <img src=x onerror=alert(1)>",
        "/user.slice/x,oom_memcg=/y,task_memcg=/y",
        "/user.slice/x,global_oom,task_memcg=/y",
    ],
)
@pytest.mark.parametrize("place", ["global_oom", "oom_memcg=/user.slice"])
def test_name_of_cgroup_cannot_forge_another(cgroup: str, place: str) -> None:
    text = (
        f"oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,{place},"
        f"task_memcg={cgroup},task=a,pid=812,uid=1000"
    )
    constraint = parse_constraint(text)
    assert constraint is not None
    assert (constraint.cgroup, constraint.name, constraint.pid) == (cgroup, "a", 812)


def test_name_of_cpuset_cannot_forge_a_cgroup() -> None:
    text = (
        "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=x,mems_allowed=0,global_oom,task_memcg=init,"
        "mems_allowed=0,global_oom,task_memcg=/user.slice,task=a,pid=812,uid=1000"
    )
    constraint = parse_constraint(text)
    assert constraint is not None
    assert constraint.cgroup == "/user.slice"


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_kill_line_shows_where_name_of_task_begins(name: str) -> None:
    text = (
        "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,"
        f"task_memcg=/system.slice,task={name},pid=812,uid=1000"
    )
    constraint = parse_constraint(text, Victim(name, 812))
    assert constraint is not None
    assert (constraint.name, constraint.cgroup) == (name, "/system.slice")


def test_older_lines_replace_the_oom_kill_line() -> None:
    lines = ConstraintLines()
    lines.take_trigger("a invoked oom-killer: gfp_mask=0x0(), nodemask=0-1, order=0, oom_score_adj=0")
    assert lines.take_cpuset("a cpuset=b c mems_allowed=0-3", "a")
    assert lines.take_task_in("Task in /x/y killed as a result of limit of /x")
    assert lines.build_constraint([]) == Constraint(
        nodemask="0-1", cpuset="b c", mems_allowed="0-3", limit_cgroup="/x", cgroup="/x/y"
    )


def test_oom_kill_line_is_preferred_to_older_lines() -> None:
    lines = ConstraintLines()
    lines.take_task_in("Task in /x/y killed as a result of limit of /x")
    lines.take_oom_kill("oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),task=sh,pid=7,uid=0")
    constraint = lines.build_constraint([])
    assert (constraint.cgroup, constraint.pid) == (None, 7)


def test_first_oom_kill_line_counts() -> None:
    lines = ConstraintLines()
    for pid in (7, 8):
        lines.take_oom_kill(f"oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),task=sh,pid={pid},uid=0")
    assert lines.build_constraint([]).pid == 7


def test_cpuset_of_another_task_is_not_taken() -> None:
    assert not ConstraintLines().take_cpuset("b cpuset=/ mems_allowed=0", "a")


def test_cgroup_named_like_a_limit_is_not_the_limit_without_cpusets() -> None:
    cgroup = "/user.slice/x,oom_memcg=/system.slice,task_memcg=/system.slice/db.service"
    text = f"oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),global_oom,task_memcg={cgroup},task=a,pid=812,uid=1000"
    constraint = parse_constraint(text)
    assert constraint is not None
    assert (constraint.is_global, constraint.limit_cgroup, constraint.cgroup) == (True, None, cgroup)


CUT = "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),global_oom,task_memcg=/a,task=java,pid=7134"


def test_truncated_line_names_its_process() -> None:
    constraint = parse_constraint(f"{CUT},")
    assert constraint is not None
    assert (constraint.name, constraint.pid, constraint.uid) == ("java", 7134, None)


def test_truncated_pid_is_unknown() -> None:
    constraint = parse_constraint(CUT)
    assert constraint is not None
    assert (constraint.name, constraint.pid, constraint.uid) == (None, None, None)


def test_kill_line_is_believed_rather_than_truncated_line() -> None:
    constraint = parse_constraint(f"{CUT},", Victim("b", 812))
    assert constraint is not None
    assert (constraint.name, constraint.pid) == (None, None)


def test_fields_can_be_omitted() -> None:
    constraint = parse_constraint("oom-kill:constraint=CONSTRAINT_NONE,...,global_oom,task_memcg=/a,task=b,pid=7,uid=8")
    assert constraint == Constraint("CONSTRAINT_NONE", cgroup="/a", is_global=True, name="b", pid=7, uid=8)
