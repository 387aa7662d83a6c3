# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recap of a run, on the control node: from the results of all hosts to a table and to records."""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import operator
import os
import pathlib
import typing as t

from ansible import constants, context
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..plugin_utils._fleet.recap import (
    Line,
    build_command,
    build_recap,
    explain_host,
    is_helped,
    select_hosts,
)
from ..plugin_utils._fleet.record import Data, Record, RecordError, build_record, find_state
from ..plugin_utils._fleet.store import read_version, write_next_record

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "display": {"type": "bool", "default": True},
    "explain": {"type": "list", "elements": "str", "default": []},
    "details": {"type": "bool", "default": False},
    "records_path": {"type": "path"},
}
_RESULT = "detect_result"
_COLORS = {
    "down": "COLOR_ERROR",
    "taken_down": "COLOR_CHANGED",
    "killed": "COLOR_CHANGED",
    "unknown": "COLOR_UNREACHABLE",
    "incomplete": "COLOR_WARN",
}
_TEXT_CALLBACKS = ("default", "ansible.builtin.default")
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
        arguments = self._validate_arguments()
        fleet = Fleet(task_vars or {})
        hosts = self._claim_hosts(fleet)
        records = fleet.build_records(hosts or [fleet.own])
        states = {record["host"]: find_state(record) for record in records}
        result.update(changed=False, states=states)
        if not hosts:
            return result

        if arguments["display"]:
            result.update(self._print(fleet.write_recap(records, arguments)))

        self._write_records(arguments["records_path"], records)

        return result

    def _validate_arguments(self) -> dict[str, t.Any]:
        # Ansible's function has no types.
        validate: t.Callable[..., tuple[t.Any, dict[str, t.Any]]] = self.validate_argument_spec
        _result, arguments = validate(ARGUMENT_SPEC)
        return arguments

    def _claim_hosts(self, fleet: Fleet) -> t.Sequence[str]:
        """Return the hosts that this task prints and records, none if another host's task does."""
        hosts = fleet.select_hosts()
        if not hosts:
            return ()

        if not self._is_first(hosts):
            return ()

        return hosts

    def _write_records(self, path: str | None, records: t.Iterable[Record]) -> None:
        """Write the records of all hosts unless no folder is set. Raises AnsibleActionFail."""
        if path is None:
            return

        if self._task.check_mode:
            return

        folder = pathlib.Path(path)
        for record in records:
            try:
                write_next_record(folder, record)
            except RecordError as error:
                raise AnsibleActionFail(str(error)) from error

    def _is_first(self, hosts: t.Iterable[str]) -> bool:
        """Return whether no other host prints the recap of these hosts.

        With some strategies, each host runs the task. The file is removed when Ansible ends.
        """
        key = "\n".join([self._task._uuid, *hosts])
        name = hashlib.sha256(key.encode()).hexdigest()
        try:
            pathlib.Path(vars(constants)["DEFAULT_LOCAL_TMP"], f"oomguard-recap-{name}").touch(exist_ok=False)
        except FileExistsError:
            return False

        return True

    def _print(self, lines: t.Sequence[Line]) -> dict[str, t.Any]:
        """Print lines as they are if Ansible prints text, or else return them as the message of the task."""
        if _read_setting("DEFAULT_STDOUT_CALLBACK") not in _TEXT_CALLBACKS:
            return {"msg": [line.text for line in lines], "_ansible_verbose_always": True}

        for state, group in itertools.groupby(lines, operator.attrgetter("state")):
            text = "\n".join([line.text for line in group])
            self._display.display(text, color=_find_color(state))

        return {}


class Fleet:
    """The hosts of a play, and what is known about them on the control node."""

    def __init__(self, task_vars: Data) -> None:
        self.own = task_vars["inventory_hostname"]
        self._task_vars = task_vars
        self._time = f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
        hosts = task_vars["ansible_play_hosts_all"]
        self._variables = {host: task_vars["hostvars"].raw_get(host) for host in hosts}

    def select_hosts(self) -> t.Sequence[str]:
        """Return the hosts that the recap is about, none if another host will print it."""
        present = self._task_vars["ansible_play_hosts"]
        waiting = [host for host in present if _RESULT not in self._variables[host]]
        return select_hosts(list(self._variables), self._task_vars["ansible_play_batch"], waiting)

    def build_records(self, hosts: t.Iterable[str]) -> list[Record]:
        """Return the records of some hosts."""
        version = read_version()
        found = self._variables
        return [
            build_record(host, found[host].get(_RESULT), collected_at=self._time, version=version) for host in hosts
        ]

    def write_recap(self, records: t.Sequence[Record], arguments: Data) -> list[Line]:
        """Return the lines to print: explanations, the table, and what to run next."""
        lines: list[Line] = []
        for record in records:
            if _is_explained(record, records, arguments["explain"]):
                lines += self._explain(record, arguments, has_heading=len(records) > 1)

        return [*lines, Line(""), *build_recap(records), *_suggest(records)]

    def _explain(self, record: Record, arguments: Data, *, has_heading: bool) -> t.Iterator[Line]:
        host = record["host"]
        result = self._variables[host][_RESULT]
        for line in explain_host(host, result, details=arguments["details"], has_heading=has_heading):
            yield Line(line)


def _is_explained(record: Record, records: t.Sequence[Record], chosen: t.Collection[str]) -> bool:
    """Return whether a host has an explanation, and it is wanted, as it is for a host that is alone."""
    if not record["ok"]:
        return False

    is_alone = len(records) == 1
    is_chosen = not {"all", record["host"]}.isdisjoint(chosen)

    return is_alone or is_chosen


def _suggest(records: t.Sequence[Record]) -> t.Iterator[Line]:
    """Yield the commands to run next."""
    yield from _suggest_remediation(list(filter(is_helped, records)))

    if len(records) > 1:
        yield from _suggest_explanation(list(filter(operator.itemgetter("kinds"), records)))


def _suggest_remediation(helped: t.Sequence[Record]) -> t.Iterator[Line]:
    if not helped:
        return

    hosts = list(map(operator.itemgetter("host"), helped))
    options = [*_list_options(), "--check", "--diff"]

    yield Line("")
    yield Line("To see what the playbook remediate would change:")
    yield Line(build_command(_REMEDIATE, *options, inventory=_list_inventory(), hosts=hosts))


def _suggest_explanation(explained: t.Sequence[Record]) -> t.Iterator[Line]:
    if not explained:
        return

    host = explained[0]["host"]

    yield Line("")
    yield Line("To read the whole explanation of a host:")
    yield Line(build_command(_DETECT, *_list_options(), inventory=_list_inventory(), hosts=[host]))


def _find_color(state: str | None) -> str | None:
    setting = _COLORS.get(str(state))
    if setting is None:
        return None

    return str(_read_setting(setting))


def _list_options() -> list[str]:
    """Return the options of this run that the next one needs, too."""
    if context.CLIARGS.get("become"):
        return ["--become"]

    return []


def _list_inventory() -> list[str]:
    """Return the inventories that were named on the command line, relative to the current folder if they are in it."""
    sources = list(context.CLIARGS.get("inventory") or ())
    if sources == _read_setting("DEFAULT_HOST_LIST"):
        return []

    return [source.removeprefix(f"{os.getcwd()}{os.sep}") for source in sources]


def _read_setting(name: str) -> t.Any:
    return constants.config.get_config_value(name)
