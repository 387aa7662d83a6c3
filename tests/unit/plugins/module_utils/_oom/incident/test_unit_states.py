# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The states of units, as systemctl shows them."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._command import CommandError, Completed
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.unit_states import UnitStates, observe_units
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
"""
UNITS = ("web.service", "gone.service", "swap.swap")


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


def test_only_loaded_units_with_a_policy_are_known() -> None:
    assert observe_units(Systemd(done(SHOWN)), UNITS).policies == {"web.service": "stop"}


def test_a_deactivating_unit_is_stopping() -> None:
    states = observe_units(Systemd(done(SHOWN)), UNITS)
    assert [unit for unit in UNITS if states.is_stopping(unit)] == ["web.service"]


@pytest.mark.parametrize(
    "answer", [done(SHOWN, returncode=1), CommandError("Could not run systemctl.")], ids=["fails", "is missing"]
)
def test_nothing_is_known_if_systemd_does_not_answer(answer: Completed | CommandError) -> None:
    assert observe_units(Systemd(answer), UNITS) == UnitStates(policies=None, stopping=())


def test_systemd_is_not_asked_about_no_units() -> None:
    systemd = Systemd(done(SHOWN))
    observe_units(systemd, ())
    assert systemd.calls == []


@pytest.mark.parametrize(
    ("policies", "policy", "is_gone"),
    [(None, None, False), ({}, None, True), ({"web.service": "kill"}, "kill", False)],
    ids=["systemd does not answer", "systemd does not know the unit", "systemd knows the unit"],
)
def test_the_policy_of_a_unit(policies: dict[str, str] | None, policy: str | None, is_gone: bool) -> None:
    states = UnitStates(policies)
    assert (states.find_policy("web.service"), states.is_gone("web.service")) == (policy, is_gone)
