# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""systemd's notices of kills."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.log_lines import read_log
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import OomReport
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.reader import read_reports
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.report.factories import (
    GLOBAL_KILL,
    build_memcg_report,
)

NOTICE = "A process of this unit has been killed by the OOM killer."
NEWER = "The kernel OOM killer killed some processes in this unit."
OOMD = "systemd-oomd killed 12 process(es) in this unit."
FAILED = "Failed with result 'oom-kill'."
KILLED_BY_OOMD = "Killed /system.slice/{0} due to memory used (9) / total (9) and swap used (9) / total (9) being more"


def read(*lines: str) -> list[OomReport]:
    """Return the reports in lines whose prefixes lack the day: `MM:SS PROGRAM: MESSAGE`."""
    found = read_reports(read_log(f"Jun  1 07:{line[:5]} web1{line[5:]}" for line in lines))
    return [item for item in found if isinstance(item, OomReport)]


def find_facts(reports: t.Iterable[OomReport]) -> list[tuple[str, str | None]]:
    return [(report.killer, report.unit) for report in reports]


@pytest.mark.parametrize(
    ("text", "killer"),
    [
        (NOTICE, "unknown"),
        (NEWER, "unknown"),
        (FAILED, "unknown"),
        (OOMD, "systemd-oomd"),
        ("systemd-oomd killed some process(es) in this unit.", "systemd-oomd"),
    ],
)
@pytest.mark.parametrize("pid", [1, 1590])
def test_notice_alone_is_an_incomplete_event(text: str, killer: str, pid: int) -> None:
    (report,) = read(f"00:00 systemd[{pid}]: shop@1.service: {text}")
    assert (report.killer, report.unit, report.complete) == (killer, "shop@1.service", False)
    assert report.notes == ("Only systemd's notice of this kill is known. The report of the OOM killer is missing.",)


@pytest.mark.parametrize("program", ["evil[5]", "evil", "systemd-x[1]", "systemd[1]: evil[5]", "kernel"])
@pytest.mark.parametrize("text", [NOTICE, OOMD, FAILED])
def test_notice_of_another_program_is_no_event(program: str, text: str) -> None:
    assert read(f"00:00 {program}: shop.service: {text}") == []


@pytest.mark.parametrize(
    "text", [f"shop.service: {NOTICE} Really.", f"a shop.service: {NOTICE}", "a.service: Failed with result 'signal'."]
)
def test_other_line_of_systemd_is_no_event(text: str) -> None:
    assert read(f"00:00 systemd[1]: {text}") == []


@pytest.mark.parametrize("notices", [(NOTICE, FAILED), (NOTICE, NOTICE), (OOMD, FAILED)])
def test_notices_of_one_kill_are_one_event(notices: tuple[str, str]) -> None:
    first, second = notices
    (report,) = read(f"00:00 systemd[1]: a.service: {first}", f"05:00 systemd[1]: a.service: {second}")
    assert report.first.cursor == "1"


@pytest.mark.parametrize("position", [0, 1, 5, -1, None])
@pytest.mark.parametrize("unit", ["hog.service", "system.slice"])
def test_report_explains_the_notices_of_its_units(position: int | None, unit: str) -> None:
    lines = [f"00:00 kernel: {line}" for line in build_memcg_report()]
    at = len(lines) if position is None else position
    lines.insert(at, f"00:01 systemd[1]: {unit}: {NOTICE}")
    lines.append(f"01:59 systemd[1]: hog.service: {FAILED}")
    assert find_facts(read(*lines)) == [("kernel", None)]


def test_report_does_not_explain_the_notice_of_another_unit() -> None:
    lines = [f"00:00 kernel: {line}" for line in build_memcg_report()]
    lines.append(f"00:01 systemd[1]: shop.service: {NOTICE}")
    assert sorted(find_facts(read(*lines)), key=str) == [("kernel", None), ("unknown", "shop.service")]


@pytest.mark.parametrize(("at", "count"), [("00:30", 1), ("01:30", 2)])
def test_kill_in_an_unknown_cgroup_explains_notices_near_it(at: str, count: int) -> None:
    lines = [f"00:00 kernel: {GLOBAL_KILL}", f"{at} systemd[1]: shop.service: {NOTICE}"]
    assert len(read(*lines)) == count


def test_kill_of_earlyoom_explains_no_notice() -> None:
    earlyoom = 'earlyoom[7]: sending SIGTERM to process 7 uid 0 "a": oom_score 1, VmRSS 2 MiB'
    lines = [f"00:00 {earlyoom}", f"00:01 systemd[1]: shop.service: {NOTICE}"]
    assert find_facts(read(*lines)) == [("earlyoom", None), ("unknown", "shop.service")]


@pytest.mark.parametrize(("notice", "count"), [(OOMD, 1), (FAILED, 1), (NOTICE, 1)])
def test_kill_of_systemd_oomd_explains_the_notice_of_its_unit(notice: str, count: int) -> None:
    lines = [f"00:00 systemd-oomd[7]: {KILLED_BY_OOMD.format('a.service')}", f"00:01 systemd[1]: a.service: {notice}"]
    assert len(read(*lines)) == count


def test_kill_of_the_kernel_does_not_explain_a_notice_about_systemd_oomd() -> None:
    lines = [f"00:00 kernel: {GLOBAL_KILL}", f"00:01 systemd[1]: a.service: {OOMD}"]
    assert sorted(find_facts(read(*lines)), key=str) == [("kernel", None), ("systemd-oomd", "a.service")]


@pytest.mark.parametrize("outer", ["user@1000.service", "user-1000.slice"])
@pytest.mark.parametrize("is_first", [True, False])
def test_notice_about_an_outer_unit_is_no_other_kill(outer: str, is_first: bool) -> None:
    lines = [f"00:00 systemd[1590]: app-1.scope: {NOTICE}", f"00:00 systemd[1]: {outer}: {NOTICE}"]
    assert find_facts(read(*(reversed(lines) if is_first else lines))) == [("unknown", "app-1.scope")]


def test_notices_of_two_units_are_two_kills() -> None:
    assert len(read(f"00:00 systemd[1]: a.service: {NOTICE}", f"00:00 systemd[1]: b.service: {NOTICE}")) == 2


def test_rule_of_systemd_oomd_explains_a_notice() -> None:
    rule = "Rule 'r' conditions met for cgroup /a.slice for 10s, taking action kill-by-swap"
    lines = [f"00:00 systemd-oomd[7]: {rule}", f"00:01 systemd[1]: a.service: {OOMD}"]
    assert find_facts(read(*lines)) == [("systemd-oomd", "a.service")]
