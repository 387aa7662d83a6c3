# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What systemd says about units, as systemctl shows it."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._command import CommandError, Completed
from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.systemd import (
    observe_failed_units,
    observe_units,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.units import UnitState, UnitStates
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import done

SHOWN = """\
Id=web.service
LoadState=loaded
ActiveState=deactivating
OOMPolicy=stop

Id=gone.service
LoadState=not-found
ActiveState=inactive
OOMPolicy=stop

Id=swap.swap
LoadState=loaded
ActiveState=active

Id=shop.service
LoadState=loaded
ActiveState=failed
Result=oom-kill
OOMPolicy=stop
Restart=on-abort
NRestarts=2
ExecMainCode=2
ExecMainStatus=9
MainPID=12
ActiveEnterTimestampMonotonic=100
ActiveExitTimestampMonotonic=200
InactiveEnterTimestampMonotonic=300
Type=notify
Transient=no
TriggeredBy=shop.socket shop.timer night.timer
"""
UNITS = ("web.service", "gone.service", "swap.swap", "shop.service")
SHOP = UnitState(
    unit="shop.service",
    active_state="failed",
    result="oom-kill",
    oom_policy="stop",
    restart="on-abort",
    was_restarted=True,
    main_process_killed=True,
    main_pid=12,
    up_us=100,
    down_us=300,
    type="notify",
    timers="shop.timer night.timer",
)


class Systemd:
    """Answers each call with `answer`, or raises it."""

    def __init__(self, answer: Completed | CommandError) -> None:
        self.answer = answer
        self.calls: list[t.Sequence[str]] = []

    def __call__(self, argv: t.Sequence[str], **options: t.Any) -> Completed:
        self.calls.append(argv)
        if isinstance(self.answer, CommandError):
            raise self.answer
        return self.answer


def observe(answer: Completed | CommandError) -> UnitStates:
    return observe_units(Systemd(answer), UNITS, boot_id="b")


def test_what_systemd_says_about_a_unit_is_read() -> None:
    assert observe(done(SHOWN)).find("shop.service") == SHOP


def test_only_loaded_units_are_known() -> None:
    states = observe(done(SHOWN))
    assert [unit for unit in UNITS if not states.is_gone(unit)] == ["web.service", "swap.swap", "shop.service"]


def test_a_deactivating_unit_is_stopping() -> None:
    states = observe(done(SHOWN))
    assert [unit for unit in UNITS if states.find(unit).is_stopping] == ["web.service"]


@pytest.mark.parametrize(("code", "killed"), [("0", None), ("1", False), ("2", True)], ids=["runs", "exited", "killed"])
def test_whether_the_main_process_was_killed(code: str, killed: object) -> None:
    shown = SHOWN.replace("ExecMainCode=2", f"ExecMainCode={code}")
    assert observe(done(shown)).find("shop.service").main_process_killed is killed


def test_main_process_that_another_signal_ended_was_not_oom_killed() -> None:
    shown = SHOWN.replace("ExecMainStatus=9", "ExecMainStatus=15")
    assert observe(done(shown)).find("shop.service").main_process_killed is False


def test_unit_that_is_being_stopped_went_down_when_its_stop_began() -> None:
    shown = SHOWN.replace("ActiveExitTimestampMonotonic=200", "ActiveExitTimestampMonotonic=400")
    assert observe(done(shown)).find("shop.service").down_us == 400


@pytest.mark.parametrize(
    "answer", [done(SHOWN, returncode=1), CommandError("Could not run systemctl.")], ids=["fails", "is missing"]
)
def test_nothing_is_known_if_systemd_does_not_answer(answer: Completed | CommandError) -> None:
    states = observe(answer)
    assert (states.is_known, states.find("shop.service"), states.is_gone("shop.service")) == (
        False,
        UnitState("shop.service"),
        False,
    )


def test_systemd_is_not_asked_about_no_units() -> None:
    systemd = Systemd(done(SHOWN))
    observe_units(systemd, (), boot_id="b")
    assert systemd.calls == []


def test_one_call_shows_journald_and_all_units_whose_result_is_not_reset() -> None:
    systemd = Systemd(done(SHOWN))
    observe_failed_units(systemd, boot_id="b")
    assert [(call[:3], call[-2:]) for call in systemd.calls] == [
        (["systemctl", "--state=failed,activating,deactivating", "show"], ["*", "systemd-journald.service"])
    ]


@pytest.mark.parametrize(("boot", "expected"), [("b", SHOP), ("c", UnitState("shop.service"))])
def test_the_state_says_nothing_about_another_boot(boot: str, expected: UnitState) -> None:
    assert observe(done(SHOWN)).find_in_boot("shop.service", boot) == expected


@pytest.mark.parametrize(("value", "is_transient"), [("yes", True), ("no", False)])
def test_transient_units_are_told_from_others(value: str, *, is_transient: bool) -> None:
    shown = f"Id=run-u1.service\nLoadState=loaded\nTransient={value}\n"
    assert observe(done(shown)).find("run-u1.service").is_transient is is_transient
