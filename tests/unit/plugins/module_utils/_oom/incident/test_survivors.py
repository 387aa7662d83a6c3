# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cgroups of processes that still run, as opposed to processes that have got their pids since."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.incident import Incident, build_incident
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.survivors import (
    Process,
    add_cgroups,
    read_process,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import (
    Line,
    OomReport,
    Origin,
    Task,
)

BOOT = "0b3c6a1e-7d52-4f0e-9b61-2f1f7a9d4c11"
SECOND = os.sysconf("SC_CLK_TCK")


def incident(name: str = "httpd", *, boot_id: str = BOOT.replace("-", ""), monotonic_us: int = 50_000_000) -> Incident:
    line = Line("Out of memory: Killed process 7 (hog)", monotonic_us=monotonic_us, origin=Origin(boot_id))
    return build_incident(OomReport(first=line, last=line, kill=line, tasks=(Task(name, 812), Task("gone", 813))))


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    (tmp_path / "sys/kernel/random").mkdir(parents=True)
    (tmp_path / "sys/kernel/random/boot_id").write_text(f"{BOOT}\n", encoding="ascii")
    add(tmp_path, 812, "httpd", "0::/system.slice/httpd.service\n")
    return tmp_path


def add(proc: Path, pid: int, name: str, cgroup: str) -> None:
    (proc / str(pid)).mkdir()
    zeros = " ".join("0" * 17)
    (proc / f"{pid}/stat").write_text(f"{pid} ({name}) S 1 {zeros} {40 * SECOND} 0 0\n", encoding="ascii")
    (proc / f"{pid}/cgroup").write_text(cgroup, encoding="utf-8")


def test_a_process_that_still_runs_has_its_cgroup(proc: Path) -> None:
    assert add_cgroups([incident()], proc)[0].cgroups == {812: "/system.slice/httpd.service"}


@pytest.mark.parametrize(
    "other",
    [incident("nginx"), incident(monotonic_us=39_000_000), incident(boot_id="0" * 32)],
    ids=["another name", "started since", "another boot"],
)
def test_another_process_with_the_pid_has_no_cgroup(proc: Path, other: Incident) -> None:
    assert add_cgroups([other], proc)[0].cgroups == {}


def test_cgroups_are_unknown_without_proc(tmp_path: Path) -> None:
    assert add_cgroups([incident()], tmp_path)[0].cgroups == {}


@pytest.mark.parametrize(
    ("cgroup", "path"),
    [
        ("0::/a b:c\n", "/a b:c"),
        ("0::/a\u2028b\rc\n", "/a\u2028b\rc"),
        ("5:cpu,cpuacct:/x\n4:memory:/y\n0::/z\n", "/y"),
        ("5:cpu,cpuacct:/x\n0::/z\n", "/z"),
    ],
)
def test_the_cgroup_is_the_one_that_accounts_for_memory(proc: Path, cgroup: str, path: str) -> None:
    add(proc, 9, "a) S 1 (b", cgroup)
    assert read_process(9, proc) == Process("a) S 1 (b", 40_000_000, path)


@pytest.mark.parametrize("stat", ["", "9", "9 (a) S 1 2"])
def test_a_process_that_is_ending_has_ended(proc: Path, stat: str) -> None:
    add(proc, 9, "a", "0::/z\n")
    (proc / "9/stat").write_text(stat, encoding="ascii")
    assert read_process(9, proc) is None


def test_the_current_process_is_found() -> None:
    process = read_process(os.getpid())
    assert process is not None
    assert process.cgroup.startswith("/")
