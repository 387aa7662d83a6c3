# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one way to change a host: observe, plan, apply, verify.

    observe            plan               apply              verify             activate
    read the host  ->  decide (pure)  ->  carry it out   ->  observe again,  ->  hand what is verified
                                                             compare             to what runs

Check mode ends after the plan. A second run plans nothing. A change that was made is told to the journal.
"""

from __future__ import annotations

import abc
import contextlib
import typing as t

from ._change_record import Setting, encode_record, find_differences
from ._errors import OomguardError
from ._journald import SILENT, Journald


class Plan(t.Protocol):
    """What a capability intends to do. Check mode, diff and `changed` all come from it, so they cannot disagree."""

    @property
    def changed(self) -> bool:
        """Whether there is anything to do."""


StateT = t.TypeVar("StateT")
PlanT = t.TypeVar("PlanT", bound=Plan)


class Change(abc.ABC, t.Generic[StateT, PlanT]):
    """One change that a module makes, in the steps that `bring` takes. `module` is the name of the module."""

    module: t.ClassVar[str]

    @abc.abstractmethod
    def lock(self) -> t.ContextManager[object]:
        """Return the lock that keeps a second run from making the same kind of change at the same time."""

    @abc.abstractmethod
    def observe(self) -> StateT:
        """Return the state of the host."""

    @abc.abstractmethod
    def plan(self, state: StateT) -> PlanT:
        """Return what to do. Raise OomguardError if it cannot or must not be done."""

    @abc.abstractmethod
    def apply(self, plan: PlanT) -> PlanT:
        """Carry out the plan, and return it with what its steps came to."""

    @abc.abstractmethod
    def verify(self, state: StateT) -> None:
        """Raise OomguardError if `state`, observed after the plan was applied, is not what was asked for."""

    @abc.abstractmethod
    def activate(self, state: StateT, plan: PlanT) -> StateT:
        """Hand the verified change to what already runs, and return the state afterwards."""

    @abc.abstractmethod
    def undo(self, plan: PlanT, error: OomguardError) -> t.NoReturn:
        """Put back what `plan` changed before `error`, and raise an error that says what state the host is in."""

    @abc.abstractmethod
    def list_settings(self, state: StateT) -> list[Setting]:
        """Return the settings of the host that such a change concerns, as they are in `state`."""


def bring(change: Change[StateT, PlanT], *, check_mode: bool, journal: Journald = SILENT) -> tuple[StateT, PlanT]:
    """Bring about a change; return the state of the host afterwards, and the plan as it was carried out.

    In check mode, and if there is nothing to do, that is the state that was found. Raises OomguardError.

    The `journal` gets a record of each setting that has another value, once everything has succeeded. If the run is
    interrupted before that, the change has no record: the next run finds nothing to do.
    """
    with contextlib.nullcontext() if check_mode else change.lock():
        state = change.observe()
        plan = change.plan(state)
        if check_mode or not plan.changed:
            return state, plan

        before = change.list_settings(state)
        try:
            applied = change.apply(plan)
            state = change.observe()
            change.verify(state)
        except OomguardError as error:
            change.undo(plan, error)

        state = change.activate(state, plan)
        differences = find_differences(before, change.list_settings(state))
        journal.send(encode_record(change.module, difference) for difference in differences)
        return state, applied
