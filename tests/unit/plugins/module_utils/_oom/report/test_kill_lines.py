# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines about the trigger, the choice and the victim, with the names that users can choose."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.kill_lines import (
    is_kill_line,
    parse_choice,
    parse_cut_kill,
    parse_kill,
    parse_trigger,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import Choice, Trigger, Victim
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.report.factories import HOSTILE_NAMES


@pytest.mark.parametrize(
    ("text", "trigger"),
    [
        pytest.param(
            "cat invoked oom-killer: gfp_mask=0x140cca(GFP_HIGHUSER_MOVABLE|__GFP_COMP), order=0, oom_score_adj=-500",
            Trigger("cat", None, "0x140cca", ("GFP_HIGHUSER_MOVABLE", "__GFP_COMP"), 0, -500),
            id="5.0",
        ),
        pytest.param(
            "kworker/0:1 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=-1, oom_score_adj=0",
            Trigger("kworker/0:1", None, "0xcc0", ("GFP_KERNEL",), -1, 0),
            id="sysrq",
        ),
        pytest.param(
            "java invoked oom-killer: gfp_mask=0x14000c0(GFP_KERNEL), nodemask=0-2,4,  order=3, oom_score_adj=1000",
            Trigger("java", None, "0x14000c0", ("GFP_KERNEL",), 3, 1000),
            id="4.13",
        ),
        pytest.param(
            "cc1 invoked oom-killer: gfp_mask=0x0(), order=0, oom_score_adj=0",
            Trigger("cc1", None, "0x0", (), 0, 0),
            id="page fault",
        ),
        pytest.param(
            "sshd invoked oom-killer: gfp_mask=0x201da, order=0, oom_adj=-17, oom_score_adj=-1000",
            Trigger("sshd", None, "0x201da", ("__GFP_HIGHMEM", "__GFP_MOVABLE", "__GFP_IO", "__GFP_FS"), 0, -1000),
            id="el6",
        ),
        pytest.param(
            "httpd invoked oom-killer: gfp_mask=0x1201d2, order=1, oomkilladj=0",
            Trigger("httpd", None, "0x1201d2", ("__GFP_HIGHMEM", "__GFP_IO", "__GFP_FS"), 1, None),
            id="2.6.18",
        ),
        pytest.param(
            "a invoked b) invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
            Trigger("a invoked b)", None, "0xcc0", ("GFP_KERNEL",), 0, 0),
            id="a name of many words",
        ),
        pytest.param("tar invoked oom-killer:", Trigger("tar"), id="cut"),
        pytest.param("12345.678901] tar invoked oom-killer:", Trigger("tar"), id="cut at its beginning"),
        pytest.param("a] b] c invoked oom-killer:", Trigger("a] b] c"), id="a name with brackets"),
        pytest.param(
            "oom-killer: gfp_mask=0x1d2",
            Trigger("", None, "0x1d2", ("__GFP_HIGHMEM", "__GFP_IO", "__GFP_FS")),
            id="2.6.9",
        ),
    ],
)
def test_trigger_is_parsed(text: str, trigger: Trigger) -> None:
    assert parse_trigger(text) == trigger


@pytest.mark.parametrize(
    "text",
    [
        '"sh invoked oom-killer: gfp_mask=0x280da, order=0, oom_score_adj=0",',
        'pr_warn("%s invoked oom-killer: gfp_mask=%#x(%pGg), order=%d")',
        "then systemd invoked oom-killers for all",
        "the kernel then invoked oom-killer: and that was that",
        "sh started",
    ],
)
def test_text_about_the_oom_killer_is_not_a_trigger(text: str) -> None:
    assert parse_trigger(text) is None


@pytest.mark.parametrize(
    ("text", "victim"),
    [
        pytest.param(
            "Out of memory: Killed process 812 (sys.fcgi) total-vm:900kB, anon-rss:100kB, file-rss:4kB, shmem-rss:8kB,"
            " UID:33 pgtables:64kB oom_score_adj:-5",
            Victim("sys.fcgi", 812, 33, 900 * 1024, 100 * 1024, 4 * 1024, 8 * 1024, 64 * 1024, None, -5),
            id="5.4",
        ),
        pytest.param(
            "Killed process 812 (ruby) total-vm:900kB, anon-rss:100kB, file-rss:4kB, shmem-rss:8kB",
            Victim("ruby", 812, None, 900 * 1024, 100 * 1024, 4 * 1024, 8 * 1024),
            id="4.5",
        ),
        pytest.param(
            "Killed process 812, UID 27, (mysqld) total-vm:900kB, anon-rss:100kB, file-rss:4kB",
            Victim("mysqld", 812, 27, 900 * 1024, 100 * 1024, 4 * 1024),
            id="el6",
        ),
        pytest.param(
            "Killed process 812 (mysqld), UID 27, total-vm:900kB, anon-rss:100kB, file-rss:4kB, shmem-rss:8kB",
            Victim("mysqld", 812, 27, 900 * 1024, 100 * 1024, 4 * 1024, 8 * 1024),
            id="el7",
        ),
        pytest.param(
            "Killed process 812 (a), UID 0) total-vm:900kB, anon-rss:100kB, file-rss:4kB",
            Victim("a), UID 0", 812, None, 900 * 1024, 100 * 1024, 4 * 1024),
            id="a name that looks like el7",
        ),
        pytest.param(
            "Killed process 812 (httpd) vsz:900kB, anon-rss:100kB, file-rss:4kB",
            Victim("httpd", 812, None, 900 * 1024, 100 * 1024, 4 * 1024),
            id="2.6.32",
        ),
        pytest.param("Out of Memory: Killed process 812 (httpd).", Victim("httpd", 812), id="2.6.9"),
        pytest.param("Kill process 812 (worker) sharing same memory", Victim("worker", 812), id="sharing"),
        pytest.param(
            "Out of memory: Killed process 812 (x) total-vm:900kB, anon-rss:1kB, file-rss:2kB, new-rss:3kB, colour:4",
            Victim("x", 812, None, 900 * 1024, 1024, 2048),
            id="a later kernel",
        ),
    ],
)
def test_victim_is_parsed(text: str, victim: Victim) -> None:
    kill = parse_kill(text)
    assert kill is not None
    assert kill.victim == victim


@pytest.mark.parametrize(
    ("words", "scope"),
    [
        ("Out of memory: ", "global"),
        ("Out of Memory: ", "global"),
        ("Out of memory (oom_kill_allocating_task): ", "global"),
        ("Memory cgroup out of memory: ", "memcg"),
        ("No available memory (MPOL_BIND): ", "mempolicy"),
        ("No available memory in cpuset: ", "cpuset"),
        ("Policy of the house: ", None),
        ("bpf oom test: ", None),
        ("bpf systemd-oomd policy (v1.2): ", None),
        ("", None),
    ],
)
def test_words_before_show_scope(words: str, scope: str | None) -> None:
    kill = parse_kill(f"{words}Killed process 812 (x) total-vm:900kB, anon-rss:1kB, file-rss:2kB")
    assert kill is not None
    assert kill.scope == scope


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_victim_can_have_any_name(name: str) -> None:
    kill = parse_kill(f"Out of memory: Killed process 812 ({name}) total-vm:900kB, anon-rss:1kB, file-rss:2kB")
    assert kill is not None
    assert (kill.victim.pid, kill.victim.name) == (812, name)


@pytest.mark.parametrize(
    "text",
    [
        "Out of memory: Killed process 812",
        "Out of memory: Killed process 812 (wor",
        "Memory cgroup out of memory: Killed process 12001 (worker-1) ...",
        '"Killed process 812 (a)",',
        "see: Killed process 812 (a)",
        "see: Killed process 812 (a).",
        f"{'a' * 65}: Killed process 812 (a) total-vm:1kB, anon-rss:1kB, file-rss:1kB",
        "usb 1-1: Product: x: Killed process 1 (init) total-vm:1kB, anon-rss:1kB, file-rss:1kB",
        "Task in /a: Killed process 1 (init) total-vm:1kB, anon-rss:1kB killed as a result of limit of /",
        "oom-kill:constraint=CONSTRAINT_NONE,task_memcg=/Killed process 1 (init) total-vm:1kB,task=a,pid=5,uid=0",
        "a cpuset=Out of memory: Killed process 1 (init) total-vm:1kB, anon-rss:1kB, file-rss:1kB mems_allowed=0",
        "Tasks in /Killed process 1 (init) are going to be killed due to memory.oom.group set",
    ],
)
def test_truncated_or_quoting_line_is_not_a_kill(text: str) -> None:
    assert parse_kill(text) is None


@pytest.mark.parametrize(
    ("text", "choice", "scope"),
    [
        (
            "Memory cgroup out of memory: Kill process 77 (ruby) score 996 or sacrifice child",
            Choice("ruby", 77, None, 996),
            "memcg",
        ),
        ("Out of memory: kill process 77 (a) b) score 9 or a child", Choice("a) b", 77, None, 9), "global"),
        ("Out of Memory: Kill process 77 (httpd) score 123 and children.", Choice("httpd", 77, None, 123), "global"),
    ],
)
def test_choice_is_parsed(text: str, choice: Choice, scope: str) -> None:
    assert parse_choice(text) == (choice, scope)


def test_choice_with_other_words_is_rejected() -> None:
    assert parse_choice("see: Kill process 77 (ruby) score 996 or sacrifice child") is None


def test_choice_is_not_a_kill() -> None:
    assert parse_kill("Out of memory: Kill process 77 (ruby) score 996 or sacrifice child") is None


@pytest.mark.parametrize(
    ("place", "scope"),
    [("", "global"), (" in UB 0", "global"), (" in UB 1729", "memcg")],
    ids=["none", "host", "container"],
)
@pytest.mark.parametrize("name", ["npm", "a) score 1 vm:1kB", *HOSTILE_NAMES])
def test_openvz_kill_line_is_parsed(place: str, scope: str, name: str) -> None:
    text = f"Out of memory{place}: OOM killed process 812 ({name}) score 0 vm:900kB, rss:100kB, swap:8kB"
    kill = parse_kill(text)
    assert kill is not None
    assert (kill.scope, kill.victim) == (scope, Victim(name, 812, total_vm_bytes=921600, swap_bytes=8192))


@pytest.mark.parametrize("mark", [">", "\u2026"])
@pytest.mark.parametrize(
    ("figures", "total_vm"),
    [
        (" t", None),
        (", UID 9", None),
        (" total-vm", None),
        (" total-vm:90", None),
        (" total-vm:900kB, an", 921600),
        (" total-vm:900kB, anon-rss:1", 921600),
    ],
)
def test_kill_line_that_a_terminal_has_cut_is_parsed(figures: str, total_vm: int | None, mark: str) -> None:
    kill = parse_kill(f"Out of memory: Killed process 812 (hog){figures}{mark}")
    assert kill is not None
    assert kill.victim == Victim("hog", 812, total_vm_bytes=total_vm)


@pytest.mark.parametrize("rest", ["", ":", ": gfp_ma>", ": gfp_mask=0x1\u2026"])
def test_trigger_line_that_a_terminal_has_cut_has_no_mask(rest: str) -> None:
    assert parse_trigger(f"hog invoked oom-killer{rest}") == Trigger("hog")


def test_adjustment_that_a_terminal_has_cut_is_unknown() -> None:
    trigger = parse_trigger("hog invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=9>")
    assert trigger is not None
    assert (trigger.gfp_mask, trigger.order, trigger.oom_score_adj) == ("0xd0", 0, None)


def test_container_of_virtuozzo_is_not_part_of_the_name() -> None:
    kill = parse_kill('Killed process 812 (hog) in VE "1729" total-vm:900kB, anon-rss:100kB, file-rss:4kB')
    assert kill is not None
    assert kill.victim == Victim("hog", 812, total_vm_bytes=921600, anon_rss_bytes=102400, file_rss_bytes=4096)


def test_truncated_openvz_kill_line_is_a_kill_line() -> None:
    assert is_kill_line("Out of memory in UB 7: OOM killed process 812 (np")


@pytest.mark.parametrize("mark", ["#)", "</b> (see above)", " ()"])
def test_name_of_victim_ends_before_its_figures(mark: str) -> None:
    kill = parse_kill("Killed process 7 (a) b), UID 91, total-vm:8kB, anon-rss:4kB, file-rss:0kB" + mark)
    assert kill is not None
    assert (kill.victim.name, kill.victim.uid, kill.victim.total_vm_bytes) == ("a) b", 91, 8192)


FIGURES = " total-vm:52832kB, anon-rss:40192kB, file-rss:6040kB, shmem-rss:0kB, UID:30 pgtables:148kB oom_score_adj:900"


@pytest.mark.parametrize("length", range(len(" total-vm:52832kB, "), len(FIGURES) - 4))
def test_size_that_is_cut_is_unknown(length: int) -> None:
    whole = parse_kill(f"Out of memory: Killed process 812 (python3){FIGURES}")
    kill = parse_kill(f"Out of memory: Killed process 812 (python3){FIGURES[:length]}")
    assert whole is not None
    assert kill is not None
    known = [value for value in kill.victim if value is not None]
    assert set(known) <= set(whole.victim)
    assert kill.is_cut or FIGURES[:length].rstrip().endswith("kB")


@pytest.mark.parametrize("end", ["", "</li>", "<br>", ",", '",', " \\", "   <---"])
def test_line_with_a_suffix_is_not_cut(end: str) -> None:
    kill = parse_kill(f"Out of memory: Killed process 812 (python3){FIGURES}{end}")
    assert kill is not None
    assert not kill.is_cut


@pytest.mark.parametrize("text", ["Killed process 812 (a) total-vm:1kB) total-", "Killed process 812 (a) total-vm:1"])
def test_name_does_not_end_where_a_line_that_is_cut_could_go_on(text: str) -> None:
    assert parse_kill(text) is None


@pytest.mark.parametrize(
    ("rest", "name"), [("hog", "hog"), ("ho>", "ho"), ("hog) total-v\u2026", "hog) total-v"), ("a) total-vm:1", None)]
)
def test_line_that_ends_within_the_name_has_its_beginning(rest: str, name: str | None) -> None:
    kill = parse_cut_kill(f"Memory cgroup out of memory: Killed process 812 ({rest}")
    assert kill is not None
    assert (kill.victim, kill.scope, kill.is_cut) == (Victim(name or rest, 812), "memcg", True)


@pytest.mark.parametrize("text", ["Killed process 812 (", "Killed process 812 (a-name-of-17-byte", "a"])
def test_other_line_does_not_end_within_a_name(text: str) -> None:
    assert parse_cut_kill(text) is None


@pytest.mark.parametrize("end", ["oom_sco\udcbb_adj:0", "a=b:5", ":5", "9"])
def test_kill_line_with_a_damaged_end_is_parsed(end: str) -> None:
    kill = parse_kill(f"Killed process 7 (hog) total-vm:8kB, anon-rss:4kB {end}")
    assert kill is not None
    assert (kill.victim.anon_rss_bytes, kill.victim.oom_score_adj) == (4096, None)
