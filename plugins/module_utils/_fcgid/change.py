# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The change of mod_fcgid's configuration, in the steps of `bring`."""

from __future__ import annotations

import typing as t

from .._change import Change
from .._change_record import Setting
from .._errors import OomguardError, undoing
from .apache import Apache
from .checks import check_host
from .directives import FcgidError
from .effect import list_values
from .plan import (
    Plan,
    State,
    Wanted,
    make_plan,
    verify,
)


class FcgidChange(Change[State, Plan]):
    """Bring our file in the configuration of `apache` to what is `wanted`.

    Apache tries the settings before anything is written. It is reloaded only after it has read them from disk and they
    were found in force; otherwise the file is put back. If Apache ends on the reload all the same, the file is put
    back, too, and Apache is started again. Whenever a run is interrupted, Apache can load the configuration on disk,
    and the next run carries on.
    """

    module = "fcgid_config"

    def __init__(self, apache: Apache, wanted: Wanted) -> None:
        self._apache = apache
        self._wanted = wanted
        self._is_begun = False
        self._was_reload_owed = False

    def lock(self) -> t.ContextManager[object]:
        """Return the lock for the configuration of mod_fcgid."""
        return self._apache.lock()

    def observe(self) -> State:
        """Return the state of the host. Before the change, have Apache try the settings as well."""
        if self._is_begun:
            return self._apache.observe()

        check_host(self._wanted)
        return self._apache.observe(trying=self._wanted.settings)

    def plan(self, state: State) -> Plan:
        """Return what to do. Raise FcgidError if that would have no effect, FileError if it could not be done."""
        plan = make_plan(state, self._wanted)
        if plan.changed:
            self._apache.check_place(plan)

        return plan

    def apply(self, plan: Plan) -> Plan:
        """Write or remove our file and its link. Raises FileError."""
        self._was_reload_owed = self._apache.is_reload_owed()
        if plan.reload:
            self._apache.note_owed_reload()

        self._is_begun = True
        self._apache.install(plan.after, linked=plan.linked)
        return plan

    def verify(self, state: State) -> None:
        """Raise FcgidError if the settings are not in force in the configuration as Apache reads it from disk."""
        verify(state, self._wanted)

    def list_settings(self, state: State) -> list[Setting]:
        """Return our file, and the value of each directive of mod_fcgid, as Apache reads them from disk."""
        unit = self._apache.unit
        values = list_values(state.configuration.occurrences)
        return [Setting(state.name, unit), *(Setting(what, unit, value) for what, value in values.items())]

    def undo(self, plan: Plan, error: OomguardError) -> t.NoReturn:
        """Put our file back as it was. Apache was not reloaded yet."""
        if not self._is_begun:
            raise error

        with undoing(error):
            self._put_back(plan, reload_owed=self._was_reload_owed)

        hint = f"{plan.path} was restored, and Apache was not reloaded. {error.hint}".rstrip()
        raise FcgidError(error.problem, hint=hint) from error

    def activate(self, state: State, plan: Plan) -> State:
        """Reload Apache if it runs. Raises FcgidError if Apache ends on the reload, CommandError if that fails."""
        if not plan.reload:
            return state

        reloaded = self._apache.reload()
        if not self._apache.is_staying_up():
            self._start_as_before(plan)
        if reloaded.returncode != 0:
            raise reloaded.failed(
                f"reload {self._apache.unit}",
                hint="The new configuration passed Apache's test and stays on disk. The next run reloads Apache again.",
            )

        self._apache.forget_owed_reload()
        return state

    def _start_as_before(self, plan: Plan) -> t.NoReturn:
        """Put our file back, start Apache again, and raise the error that says so."""
        unit = self._apache.unit
        problem = f"{unit} ended when it reloaded its configuration, although that had passed Apache's test."

        with undoing(FcgidError(problem)):
            self._put_back(plan, reload_owed=False)
            started = self._apache.start()
            if started.returncode != 0:
                raise started.failed(f"start {unit} again", hint=f"{plan.path} was restored.")

        raise FcgidError(
            problem,
            hint=f"{plan.path} was restored, and {unit} was started again. See Apache's error log for the reason.",
        )

    def _put_back(self, plan: Plan, *, reload_owed: bool) -> None:
        self._apache.install(plan.before, linked=plan.was_linked)
        if not reload_owed:
            self._apache.forget_owed_reload()
