# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of every change: in order, under a lock, and back where it fails."""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._change import Change, bring
from ansible_collections.oomguard.linux.plugins.module_utils._change_record import Setting
from ansible_collections.oomguard.linux.plugins.module_utils._errors import OomguardError
from ansible_collections.oomguard.linux.plugins.module_utils._journald import Journald


class Increment(t.NamedTuple):
    """Adds a number."""

    by: int

    @property
    def changed(self) -> bool:
        return self.by != 0


class Counter(Change[int, Increment]):
    """Brings a number to a target, and notes each step."""

    module = "swap"

    def __init__(self, number: int, target: int, *, fails: str = "") -> None:
        self.number = number
        self.target = target
        self.fails = fails
        self.steps: list[str] = []

    def note(self, step: str) -> None:
        self.steps.append(step)
        if step == self.fails:
            raise OomguardError(f"Could not {step}.")

    @contextlib.contextmanager
    def lock(self) -> t.Iterator[None]:
        self.note("lock")
        yield
        self.note("unlock")

    def observe(self) -> int:
        self.note("observe")
        return self.number

    def plan(self, state: int) -> Increment:
        self.note("plan")
        return Increment(self.target - state)

    def apply(self, plan: Increment) -> Increment:
        self.note("apply")
        self.number += plan.by
        return plan

    def verify(self, state: int) -> None:
        self.note("verify")

    def activate(self, state: int, plan: Increment) -> int:
        self.note("activate")
        return state

    def list_settings(self, state: int) -> list[Setting]:
        return [Setting("swap", "", state)]

    def undo(self, plan: Increment, error: OomguardError) -> t.NoReturn:
        self.number -= plan.by
        raise OomguardError(f"{error} It was put back.") from error


def test_change_is_observed_planned_applied_verified_and_activated() -> None:
    counter = Counter(1, 3)
    assert bring(counter, check_mode=False) == (3, Increment(2))
    assert counter.steps == ["lock", "observe", "plan", "apply", "observe", "verify", "activate", "unlock"]


def test_check_mode_ends_after_the_plan_and_takes_no_lock() -> None:
    counter = Counter(1, 3)
    assert bring(counter, check_mode=True) == (1, Increment(2))
    assert counter.steps == ["observe", "plan"]


def test_empty_plan_is_not_applied() -> None:
    counter = Counter(3, 3)
    assert bring(counter, check_mode=False) == (3, Increment(0))
    assert counter.steps == ["lock", "observe", "plan", "unlock"]


def test_failure_to_verify_is_undone() -> None:
    counter = Counter(1, 3, fails="verify")
    with pytest.raises(OomguardError, match=r"^Could not verify\. It was put back\.$"):
        bring(counter, check_mode=False)
    assert counter.number == 1


@pytest.mark.parametrize("step", ["lock", "plan", "observe"])
def test_failure_before_the_change_changes_nothing(step: str) -> None:
    counter = Counter(1, 3, fails=step)
    with pytest.raises(OomguardError, match=rf"^Could not {step}\.$"):
        bring(counter, check_mode=False)
    assert counter.number == 1


def test_failure_to_activate_leaves_the_change() -> None:
    counter = Counter(1, 3, fails="activate")
    with pytest.raises(OomguardError, match=r"^Could not activate\.$"):
        bring(counter, check_mode=False)
    assert counter.number == 3


@dataclasses.dataclass(frozen=True)
class Notes(Journald):
    """A journal that keeps its records."""

    records: list[bytes] = dataclasses.field(default_factory=list)

    def send(self, records: t.Iterable[bytes]) -> None:
        self.records.extend(records)


def test_change_has_one_record() -> None:
    journal = Notes()
    bring(Counter(1, 3), check_mode=False, journal=journal)
    (record,) = journal.records
    assert b"MESSAGE=Changed swap from 1 B to 3 B.\n" in record


def test_check_mode_has_no_record() -> None:
    journal = Notes()
    bring(Counter(1, 3), check_mode=True, journal=journal)
    assert journal.records == []


def test_empty_plan_has_no_record() -> None:
    journal = Notes()
    bring(Counter(3, 3), check_mode=False, journal=journal)
    assert journal.records == []


@pytest.mark.parametrize("step", ["apply", "verify", "activate"])
def test_failure_has_no_record(step: str) -> None:
    journal = Notes()
    with pytest.raises(OomguardError):
        bring(Counter(1, 3, fails=step), check_mode=False, journal=journal)
    assert journal.records == []
