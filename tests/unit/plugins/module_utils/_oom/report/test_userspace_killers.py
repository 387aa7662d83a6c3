# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""systemd-oomd, earlyoom and nohang."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.log_lines import read_log
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import (
    Line,
    OomReport,
    Origin,
    Unparsed,
    Victim,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.reader import read_reports
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.userspace_killers import UserspaceKillers

PRESSURE = "memory pressure for /user.slice being 51.07% > 50.00% for > 20s with reclaim activity"
SWAP = "memory used (1000) / total (1024) and swap used (90) / total (99) being more than 90.00%"


def read(source: str, *texts: str | Line) -> list[OomReport]:
    lines = [text if isinstance(text, Line) else Line(text, origin=Origin(source=source)) for text in texts]
    found = list(read_reports(lines))
    assert all(isinstance(item, OomReport) for item in found)
    return t.cast("list[OomReport]", found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"Killed /user.slice/a.scope due to {PRESSURE}", ("memcg", "/user.slice/a.scope", "/user.slice", PRESSURE)),
        (f"Killed /user.slice/a.scope due to {SWAP}", ("global", "/user.slice/a.scope", None, SWAP)),
        (
            f"Marked /user.slice/a.scope for killing due to {PRESSURE}",
            ("memcg", "/user.slice/a.scope", "/user.slice", PRESSURE),
        ),
    ],
)
def test_systemd_oomd_kills_a_cgroup(text: str, expected: tuple[str | None, ...]) -> None:
    (report,) = read("systemd-oomd", text)
    assert (report.scope, report.cgroup, report.limit_cgroup, report.reason) == expected


@pytest.mark.parametrize("cut", ["memory p>", "memory pressure for /user.sl", "memory "])
def test_truncated_line_has_unknown_scope(cut: str) -> None:
    (report,) = read("systemd-oomd", f"Killed /user.slice/a.scope due to {cut}")
    assert (report.scope, report.cgroup, report.complete) == ("unknown", "/user.slice/a.scope", False)


@pytest.mark.parametrize(
    "text",
    [
        "Considered 60 cgroups for killing, top candidates were:",
        "Memory pressure for /user.slice is 74% > 20% for > 2s with reclaim activity",
        "Path: /user.slice Killed /a due to nothing",
    ],
)
def test_other_lines_of_systemd_oomd_are_not_kills(text: str) -> None:
    assert read("systemd-oomd", text) == []


def test_marked_and_killed_cgroup_is_one_kill() -> None:
    assert len(read("systemd-oomd", f"Marked /a for killing due to {SWAP}", f"Killed /a due to {SWAP}")) == 1


@pytest.mark.parametrize(
    ("text", "victim"),
    [
        pytest.param(
            'sending SIGTERM to process 7378 uid 1000 "tail": oom_score 156, oom_score_adj -5, VmRSS 9 MiB, cmdline ""',
            Victim("tail", 7378, 1000, oom_score_adj=-5),
            id="1.8",
        ),
        pytest.param(
            'sending SIGTERM to process 7378 uid 1000 "tail": oom_score 156, VmRSS 4962 MiB',
            Victim("tail", 7378, 1000),
            id="1.7",
        ),
        pytest.param(
            'sending SIGKILL to process 7378 uid 1000 "a": b": badness 67, VmRSS 4352 MiB',
            Victim('a": b', 7378, 1000),
            id="1.4",
        ),
        pytest.param(
            'sending SIGTERM to process 7378 "python3": badness 209, VmRSS 2891 MiB', Victim("python3", 7378), id="1.3"
        ),
        pytest.param("Killing process 7378 a.out", Victim("a.out", 7378), id="1.0"),
        pytest.param("Killing process 7378 (a.out)", Victim("a.out", 7378), id="0.6"),
        pytest.param("Killing process 7378 (Web", Victim("Web", 7378), id="0.6, blank"),
    ],
)
def test_earlyoom_kills_a_process(text: str, victim: Victim) -> None:
    (report,) = read("earlyoom", text)
    assert (report.killer, report.victims) == ("earlyoom", (victim,))


@pytest.mark.parametrize(
    ("before", "count"),
    [
        ("Out of memory! avail: 210 MiB < min: 784 MiB", 1),
        ("OOM: Currently available: 2 < minimum: 7 (kiB)", 1),
        ("a", 0),
    ],
)
def test_first_line_of_old_earlyoom_shows_the_killer(before: str, count: int) -> None:
    found = read_reports(read_log([before, "Killing process 7378 a.out"]))
    assert [item.killer for item in found if isinstance(item, OomReport)] == ["earlyoom"] * count


def test_sigkill_after_sigterm_is_one_kill() -> None:
    texts = [f'sending {name} to process 7 uid 0 "a": oom_score 1, VmRSS 2 MiB' for name in ("SIGTERM", "SIGKILL")]
    assert len(read("earlyoom", *texts)) == 1


EARLYOOM_KILL = 'sending SIGTERM to process {0} uid 0 "a": oom_score 1, oom_score_adj 0, VmRSS 2 MiB, cmdline "a'


@pytest.mark.parametrize(("later_us", "count"), [(20, 1), (100_000, 2)])
def test_line_in_the_command_line_of_earlyooms_victim_is_no_kill(later_us: int, count: int) -> None:
    origin = Origin(source="earlyoom")
    lines = [
        Line(EARLYOOM_KILL.format(7), monotonic_us=1_000_000, origin=origin),
        Line(EARLYOOM_KILL.format(1), monotonic_us=1_000_000 + later_us, origin=origin),
    ]
    found = list(read_reports(lines))
    assert (len(found), sum(isinstance(item, OomReport) for item in found)) == (2, count)


def test_request_in_the_command_line_of_earlyooms_victim_is_none() -> None:
    origin = Origin(source="earlyoom")
    requests: list[Line] = []
    killers = UserspaceKillers(requests)
    killers.take(Line(EARLYOOM_KILL.format(7), monotonic_us=1, origin=origin))
    killers.take(Line("Invoking oom killer: a", monotonic_us=9, origin=origin))
    assert not requests


def test_same_pid_much_later_is_another_kill() -> None:
    text = 'sending SIGTERM to process 7 uid 0 "a": oom_score 1, VmRSS 2 MiB'
    lines = [Line(text, monotonic_us=time, origin=Origin(source="earlyoom")) for time in (1, 61000002)]
    assert len(read("earlyoom", *lines)) == 2


def test_nohang_names_victim_before_action() -> None:
    (report,) = read(
        "nohang",
        "  PID: 903309, name: mysqld, badness: 849",
        "Implementing a corrective action:",
        "  Sending SIGTERM to the victim; total response time: 13 ms",
    )
    assert (report.killer, report.victims) == ("nohang", (Victim("mysqld", 903309),))


ASKED = 'sending SIGTERM to process 7 uid 0 "a": oom_score 1, VmRSS 2 MiB'
KILLED = "Out of memory: Killed process 7 (a) total-vm:9kB, anon-rss:1kB, file-rss:2kB"


@pytest.mark.parametrize("kernel_first", [True, False])
def test_process_that_the_kernel_kills_too_is_one_kill(kernel_first: bool) -> None:
    lines = [Line(ASKED, monotonic_us=1, origin=Origin(source="earlyoom")), Line(KILLED, monotonic_us=2)]
    assert [report.killer for report in read("", *(reversed(lines) if kernel_first else lines))] == ["kernel"]


def test_much_later_kernel_kill_is_another_kill() -> None:
    lines = [Line(ASKED, monotonic_us=1, origin=Origin(source="earlyoom")), Line(KILLED, monotonic_us=61000002)]
    assert [report.killer for report in read("", *lines)] == ["earlyoom", "kernel"]


def test_quoting_program_is_not_a_killer() -> None:
    assert read("app", f"Killed /a due to {SWAP}") == []


def test_marked_cgroup_without_reason_is_an_incomplete_kill() -> None:
    (report,) = read("systemd-oomd", "Marked /user.slice/a.scope for killing")
    assert (report.cgroup, report.reason, report.complete) == ("/user.slice/a.scope", None, False)


@pytest.mark.parametrize(
    "text",
    [
        "Killing process '{0}' with signal 15, pid: 7, badness: 538, VmRSS: 3160 MiB",
        'killing process 7 "{0}" with signal 15: badness 550, VmRSS 7609 MiB',
        'sending SIGTERM to process 7 uid 0 "{0}": badness 550, VmRSS 7609 MiB',
        'sending SIGTERM to process 7 uid 0 "{0}": oom_score 9, VmRSS 7 MiB, cmdline "x": oom_score 1, VmRSS 9 MiB"',
        'sending SIGTERM to process 7 uid 0 "{0}": oom_score 9, oom_score_adj 0, VmRSS 7 MiB, cmdline "a": oom_score"',
    ],
)
@pytest.mark.parametrize("name", ["bash", '": badness 1, ', "' with signal 1", '" with signal 1', 'x": oom_score'])
def test_name_of_earlyooms_victim_ends_where_its_own_words_begin(text: str, name: str) -> None:
    (report,) = read("earlyoom", text.format(name))
    assert [(victim.pid, victim.name) for victim in report.victims] == [(7, name)]


RULE = "Rule 'swap' conditions met for cgroup /user.slice/a.slice for 1min 30s, taking action "


@pytest.mark.parametrize(
    ("action", "cgroup", "limit_cgroup", "complete"),
    [
        ("kill-all", "/user.slice/a.slice", None, True),
        ("kill-by-pgscan", None, "/user.slice/a.slice", False),
        ("kill-by-swap", None, "/user.slice/a.slice", False),
    ],
)
def test_rule_of_systemd_oomd_is_a_kill(action: str, cgroup: str, limit_cgroup: str, complete: bool) -> None:
    (report,) = read("systemd-oomd", RULE + action)
    found = (report.killer, report.cgroup, report.limit_cgroup, report.complete)
    assert found == ("systemd-oomd", cgroup, limit_cgroup, complete)
    assert report.reason == f"the conditions of the rule swap were met for 1min 30s, action {action}"


@pytest.mark.parametrize(
    "text", [RULE[: RULE.index(",")] + " (need 2min)", RULE.replace("for 1min 30s, taking action ", "waiting for 2s")]
)
def test_rule_that_does_not_act_yet_is_no_kill(text: str) -> None:
    assert read("systemd-oomd", text) == []


@pytest.mark.parametrize("name", ["a for 1s, taking action kill-all", "a due to memory pressure for /b being "])
def test_cgroup_cannot_end_its_name_in_a_rule(name: str) -> None:
    (report,) = read("systemd-oomd", f"Rule 'r' conditions met for cgroup /{name} for 10s, taking action kill-all")
    assert report.cgroup == f"/{name}"


@pytest.mark.parametrize("verb", ["Killed {0} due to ", "Marked {0} for killing due to "])
@pytest.mark.parametrize("cgroup", ["/u/a for killing due to memory pressure for /b being 1", "/u/a due to swap used "])
def test_cgroup_cannot_end_its_own_name(verb: str, cgroup: str) -> None:
    (report,) = read("systemd-oomd", verb.format(cgroup) + PRESSURE)
    assert (report.cgroup, report.limit_cgroup, report.reason) == (cgroup, "/user.slice", PRESSURE)


def test_cgroup_that_repeats_the_words_after_it_is_uncertain() -> None:
    (report,) = read("systemd-oomd", f"Killed /u due to a due to {PRESSURE}")
    assert (report.complete, report.notes) == (False, ("The cgroup repeats the words after it.",))


def test_swap_alone_is_a_reason() -> None:
    (report,) = read("systemd-oomd", "Killed /a due to swap used (90) / total (99) being more than 90.00%")
    assert (report.scope, report.cgroup, report.complete) == ("global", "/a", True)


def test_name_is_first_in_earlyoom_1_1() -> None:
    (report,) = read("earlyoom", "Killing process: a, pid: 1, pid: 7, badness: 538, VmRSS: 3160 MiB")
    assert report.victims == (Victim("a, pid: 1", 7),)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("earlyoom", 'sending SIGTERM to process 7 uid 0 "ch'),
        ("earlyoom", "sending SIGKILL to process"),
        ("earlyoom", 'killing process 7 "ch'),
        ("earlyoom", "Killing process 'ch"),
        ("systemd-oomd", "Killed /user.slice/a.sc"),
        ("systemd-oomd", "Marked /user.slice/a.scope for kil"),
        ("systemd-oomd", "Killed /user.slice/a.scope due"),
        ("nohang", "  Sending SIGTERM to the victim"),
    ],
)
def test_truncated_kill_is_unparsed(source: str, text: str) -> None:
    (unparsed,) = read_reports([Line(text, origin=Origin(source=source))])
    assert isinstance(unparsed, Unparsed)
    assert unparsed.reason == f"The line of {source} is truncated or has an unknown format."


def test_nohang_0_1_names_victim() -> None:
    (report,) = read(
        "nohang", "  Victim is a, pid: 1, pid: 7, badness: 9, VmRSS: 1 MiB", "  Sending SIGTERM to the victim; OK"
    )
    assert report.victims == (Victim("a, pid: 1", 7),)


@pytest.mark.parametrize(("later_us", "pid"), [(1000, 7), (2_000_000, 8)])
def test_command_line_of_nohangs_victim_names_no_other_victim(later_us: int, pid: int) -> None:
    origin = Origin(source="nohang")
    lines = [
        Line("  PID: 7, name: a, badness: 849", monotonic_us=1, origin=origin),
        Line("  PID: 8, name: b, badness: 9", monotonic_us=1 + later_us, origin=origin),
        Line("  Sending SIGTERM to the victim", monotonic_us=2 + later_us, origin=origin),
    ]
    (report,) = read("nohang", *lines)
    assert [victim.pid for victim in report.victims] == [pid]


MANUAL = "kworker/1:1 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=-1, oom_score_adj=0"
REQUEST = "trigger_kernel_oom: successfully triggered kernel OOM killer"


@pytest.mark.parametrize(
    ("order", "requester"),
    [("RMK", "earlyoom"), ("MRK", "earlyoom"), ("MKR", "earlyoom"), ("MK", None), ("TRK", None)],
)
def test_earlyoom_asks_the_kernel_for_a_kill(order: str, requester: str | None) -> None:
    lines = {
        "R": Line(REQUEST, origin=Origin(source="earlyoom")),
        "M": Line(MANUAL, origin=Origin(source="kernel")),
        "T": Line(MANUAL.replace("-1", "0"), origin=Origin(source="kernel")),
        "K": Line(KILLED, origin=Origin(source="kernel")),
    }
    (report,) = read("", *map(lines.__getitem__, order))
    assert (report.killer, report.requester) == ("kernel", requester)
    assert ("earlyoom asked the kernel for this kill through SysRq-f." in report.notes) == (requester is not None)


def test_psi_monitor_asks_the_kernel_for_a_kill() -> None:
    request = "Above threshold limit, killing task and pausing for recovery"
    lines = [Line(text, origin=Origin(source="kernel")) for text in (MANUAL, KILLED)]
    (report,) = read("", Line(request, origin=Origin(source="psi-monitor")), *lines)
    assert (report.killer, report.requester) == ("kernel", "psi-monitor")


@pytest.mark.parametrize("request_", [Line(REQUEST, origin=Origin(hostname="b", source="earlyoom")), Line(REQUEST)])
def test_other_request_is_not_for_this_kill(request_: Line) -> None:
    lines = [Line(text, origin=Origin(hostname="a", source="kernel")) for text in (MANUAL, KILLED)]
    (report,) = read("", request_, *lines)
    assert report.requester is None
