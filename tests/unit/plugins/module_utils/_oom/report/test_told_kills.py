# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of other programs that tell of kills."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.in_logs import LogFile, find_in_logs
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.mentions import has_hint
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.told_kills import HINTS, TOLD

ID = "0123456789abcdef" * 4
SYSLOG = "Jul 15 23:44:32 web1 "
KILL = "Out of memory: Killed process 7 (hog) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB"
LINES = [
    ("kubelet", f'{SYSLOG}kubelet[5]: I0715 event.go:1] "Event occurred" "System OOM encountered"'),
    ("kubelet", "default 1m Warning SystemOOM node/web1 System OOM encountered, victim process: hog, pid: 8"),
    ("Kubernetes", "      Reason:       OOMKilled"),
    ("Kubernetes", "shop-5c  0/1  OOMKilled  3 (2m ago)  9m"),
    ("Kubernetes", '        "reason": "OOMKilled",'),
    ("containerd", f'{SYSLOG}containerd[5]: level=info msg="TaskOOM event container_id:\\"{ID}\\""'),
    ("containerd", f'2023-07-15 23:44:32 +0000 UTC k8s.io /tasks/oom {{"container_id":"{ID}"}}'),
    ("Docker", f"2023-07-15T23:44:32.000000001Z container oom {ID} (image=shop, name=shop)"),
    ("Docker", '            "OOMKilled": true,'),
    ("Slurm", f"{SYSLOG}slurmstepd[5]: error: Detected 2 oom_kill events in StepId=9.batch."),
    ("Slurm", "slurmstepd: error: Detected 1 oom-kill event(s) in StepId=9.batch."),
    ("oomd", "[   12.500000] oomd kill: 81.28 80.05 42.78 shop.slice 1000 ruleset:[a]"),
    (
        "lmkd",
        "07-15 23:44:32.000  1000 500 500 I lowmemorykiller: Kill 'org.shop' (7), uid 10001, oom_score_adj 900",
    ),
    ("lmkd", "I/lowmemorykiller(  500): Kill 'org.shop' (7), uid 10001, oom_score_adj 900 to free 51200kB rss"),
    ("lmkd", "[   12.500000] lowmemorykiller: Killing 'hog' (7), adj 900,"),
    ("nohang", "  Preventing OOM: trying to send the SIGTERM signal to hog,"),
    ("nohang", f"{SYSLOG}nohang[5]:   Preventing OOM: trying to send the SIGTERM signal to hog,"),
]


@pytest.mark.parametrize(("program", "line"), LINES)
def test_told_kill_is_counted_and_named(program: str, line: str, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.log"
    path.write_text(f"a\nb\n{line}\nc\n", encoding="utf-8")
    result = find_in_logs([str(path)], boot="all", limit=9, tasks="none", top=9)
    notes = " ".join(result["coverage"]["notes"])
    assert (result["events"], result["coverage"]["unparsed"]) == ([], 1)
    assert f"{path} line 3" in notes
    assert program in notes


@pytest.mark.parametrize(("program", "line"), LINES)
def test_told_kill_has_a_hint(program: str, line: str) -> None:
    forms = [form for form in TOLD if form.program == program and form.pattern.search(line)]
    assert all(form.hint in line for form in forms)
    assert len(forms) == 1
    assert any(hint in line for hint in HINTS)
    assert has_hint(line)


@pytest.mark.parametrize(
    "line", ['  "OOMKilled": false,', "OOMScoreAdjust=0", "Joined the ZOOM call", "kubelet: SystemOOM watcher started"]
)
def test_other_lines_are_not_counted(line: str, tmp_path: pathlib.Path) -> None:
    assert read(tmp_path, line).unparsed == 0


def read(tmp_path: pathlib.Path, *lines: str) -> LogFile:
    path = tmp_path / "a.log"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    log = LogFile(str(path))
    list(log.read_reports())
    return log


@pytest.mark.parametrize(("program", "line"), LINES)
def test_kill_that_the_kernel_reports_is_not_counted_again(program: str, line: str, tmp_path: pathlib.Path) -> None:
    log = read(tmp_path, f"{SYSLOG}kernel: {KILL}", line.replace("pid: 8", "pid: 7"))
    assert (log.unparsed, log.unparsed_programs) == (0, []), program


def test_kill_of_another_process_is_counted(tmp_path: pathlib.Path) -> None:
    _program, line = LINES[1]
    log = read(tmp_path, f"{SYSLOG}kernel: {KILL}", line)
    assert (log.unparsed, log.first_unparsed, log.unparsed_programs) == (1, [2], ["kubelet"])


def test_victim_that_exits_by_itself_is_counted(tmp_path: pathlib.Path) -> None:
    line = "Memory cgroup out of memory: OOM victim 7 (hog) is already exiting. Skip killing the task"
    assert read(tmp_path, f"{SYSLOG}kernel: {line}").first_unparsed == [1]
