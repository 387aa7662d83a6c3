# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recap of a run, on the control node: from the results of all hosts to a table and to records."""

from __future__ import annotations

import datetime as dt
import itertools
import operator
import pathlib
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..plugin_utils import _terminal
from ..plugin_utils._arguments import validate_arguments
from ..plugin_utils._fleet.changes import describe_change, list_changes, read_in_force
from ..plugin_utils._fleet.claim import claim
from ..plugin_utils._fleet.continuation import continue_record
from ..plugin_utils._fleet.next_run import build_next_command, list_tags
from ..plugin_utils._fleet.parts import format_moment
from ..plugin_utils._fleet.play import read_variables, select_hosts
from ..plugin_utils._fleet.recap import (
    Line,
    build_recap,
    explain_host,
    is_helped,
)
from ..plugin_utils._fleet.record import Data, Record, RecordError, build_record, find_state, update_record
from ..plugin_utils._fleet.remediation import Outcome, build_remediation
from ..plugin_utils._fleet.store import find_record, read_version, write_next_record
from ..plugin_utils._variables import find_misspelt

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "display": {"type": "bool", "default": True},
    "explain": {"type": "list", "elements": "str", "default": []},
    "details": {"type": "bool", "default": False},
    "records_path": {"type": "path"},
    "continued": {"type": "bool", "default": False},
    "remediation": {"type": "bool", "default": False},
}
_RESULT = "detect_result"
_OUTCOME = "oomguard_outcome"
# The variable that a host has when it has reached the recap, without and with a remediation.
_LAST_VARIABLE = (_RESULT, _OUTCOME)
_COLORS: dict[str | None, str] = {
    "down": "COLOR_ERROR",
    "taken_down": "COLOR_CHANGED",
    "killed": "COLOR_CHANGED",
    "unknown": "COLOR_UNREACHABLE",
    "incomplete": "COLOR_WARN",
}
_REMEDIATE = "oomguard.linux.remediate"
_DETECT = "oomguard.linux.detect"


class ActionModule(ActionBase):
    """Show what was found on all hosts of a play."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Print the recap, write the records, and return the state of each host."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        arguments = validate_arguments(self, ARGUMENT_SPEC)
        fleet = Fleet(task_vars or {}, is_remediation=arguments["remediation"], check_mode=self._task.check_mode)
        hosts = self._claim_hosts(fleet)
        records = fleet.build_records(hosts or [fleet.own])
        if arguments["continued"] and arguments["records_path"]:
            folder = pathlib.Path(arguments["records_path"])
            records = [_continue_last(folder, record) for record in records]

        states = {record["host"]: find_state(record) for record in records}
        result.update(changed=False, states=states)
        if not hosts:
            return result

        for sentence in find_misspelt(fleet.list_variables()):
            self._display.warning(sentence)

        if arguments["display"]:
            lines = fleet.write_recap(records, arguments)
            colored = [_terminal.Line(line.text, _COLORS.get(line.state)) for line in lines]
            result.update(_terminal.print_lines(self._display, colored))

        if arguments["records_path"] and not self._task.check_mode:
            _write_records(pathlib.Path(arguments["records_path"]), fleet.update_records(records))

        return result

    def _claim_hosts(self, fleet: Fleet) -> t.Sequence[str]:
        """Return the hosts that this task prints and records, none if another host's task does."""
        hosts = fleet.select_hosts()
        if not hosts:
            return ()

        if not claim(self._task._uuid, hosts):
            return ()

        return hosts


class Fleet:
    """The hosts of a play, and what is known about them on the control node."""

    def __init__(self, task_vars: Data, *, is_remediation: bool, check_mode: bool) -> None:
        self.own = task_vars["inventory_hostname"]
        self._task_vars = task_vars
        self._is_remediation = is_remediation
        self._check_mode = check_mode
        self._time = format_moment(dt.datetime.now(dt.UTC))
        self._variables = read_variables(task_vars)

    def select_hosts(self) -> t.Sequence[str]:
        """Return the hosts that the recap is about, none if another host will print it."""
        last = _LAST_VARIABLE[self._is_remediation]
        return select_hosts(self._task_vars, self._variables, lambda variables: last in variables)

    def list_variables(self) -> set[str]:
        """Return the names of the variables of all hosts, and of this task."""
        return set(self._task_vars).union(*self._variables.values())

    def build_records(self, hosts: t.Iterable[str]) -> list[Record]:
        """Return the records of some hosts."""
        version = read_version()
        found = self._variables
        return [
            build_record(host, found[host].get(_RESULT), collected_at=self._time, version=version) for host in hosts
        ]

    def update_records(self, records: t.Iterable[Record]) -> t.Iterable[Record]:
        """Return the records to keep. After a remediation, they have what it changed."""
        if not self._is_remediation:
            return records

        return map(self._update_record, records)

    def write_recap(self, records: t.Sequence[Record], arguments: Data) -> list[Line]:
        """Return the lines to print: explanations, the table, and what to run next."""
        if self._is_remediation:
            return [*self._explain_hosts(records, arguments), Line(""), *self._show_remediation(records)]

        if len(records) == 1:
            arguments = {**arguments, "explain": ["all"]}

        return [*self._explain_hosts(records, arguments), Line(""), *build_recap(records), *_suggest(records)]

    def _show_remediation(self, records: t.Sequence[Record]) -> list[Line]:
        hosts = list(zip(records, map(self._find_outcome, records), strict=True))
        lines = build_remediation(hosts, check_mode=self._check_mode)

        return [*lines, *_suggest_after(hosts, check_mode=self._check_mode)]

    def _find_outcome(self, record: Record) -> Outcome:
        """Return what was done on a host and what is left, as far as the playbook has noted it."""
        variables = self._variables[record["host"]]
        changes = list(list_changes(variables))
        if _OUTCOME in variables:
            return Outcome(changes, **variables[_OUTCOME])

        return Outcome(changes, is_finished=not record["ok"])

    def _update_record(self, record: Record) -> Record:
        """Return the record of a host with what was changed on it, and what is in force now."""
        variables = self._variables[record["host"]]
        changes = list_changes(variables)
        applied = [describe_change(change, time=self._time) for change in changes]
        checked = variables.get("oomguard_checked")

        return update_record(record, checked=checked, applied=applied, in_force=read_in_force(variables))

    def _explain_hosts(self, records: t.Sequence[Record], arguments: Data) -> t.Iterator[Line]:
        """Yield the explanations of the hosts that were chosen."""
        for record in records:
            host = record["host"]
            names = {"all", host} if record["ok"] else set()
            if names.isdisjoint(arguments["explain"]):
                continue

            result = self._variables[host][_RESULT]
            lines = explain_host(host, result, details=arguments["details"], has_heading=len(records) > 1)
            yield from map(Line, lines)


def _continue_last(folder: pathlib.Path, record: Record) -> Record:
    """Return a record with what the last record of the host says; a damaged one is ignored."""
    last = find_record(folder, record["host"])
    if last is None:
        return record

    return continue_record(last, record)


def _write_records(folder: pathlib.Path, records: t.Iterable[Record]) -> None:
    """Write the records of all hosts. Raises AnsibleActionFail."""
    for record in records:
        try:
            write_next_record(folder, record)
        except RecordError as error:
            raise AnsibleActionFail(str(error)) from None


def _suggest(records: t.Sequence[Record]) -> t.Iterator[Line]:
    """Yield the commands to run after a search."""
    helped = filter(is_helped, records)
    yield from _offer("To see what the playbook remediate would change:", _REMEDIATE, helped, "--check", "--diff")

    if len(records) > 1:
        explained = filter(operator.itemgetter("kinds"), records)
        first = itertools.islice(explained, 1)
        yield from _offer("To read the whole explanation of a host:", _DETECT, first)


def _suggest_after(hosts: t.Sequence[tuple[Record, Outcome]], *, check_mode: bool) -> t.Iterator[Line]:
    """Return the command to run after a remediation, or after one in check mode."""
    if check_mode:
        changed = [record for record, outcome in hosts if outcome.changes]
        return _offer("To apply this:", _REMEDIATE, changed, *list_tags())

    left = [record for record, outcome in hosts if outcome.list_rest()]
    return _offer("To look at the hosts again:", _DETECT, left)


def _offer(purpose: str, playbook: str, records: t.Iterable[Record], *options: str) -> t.Iterator[Line]:
    """Yield a command that runs a playbook on some hosts, below its purpose; nothing without hosts."""
    hosts = list(map(operator.itemgetter("host"), records))
    if not hosts:
        return

    yield Line("")
    yield Line(purpose)
    yield Line(build_next_command(playbook, *options, hosts=hosts))
