# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a report on the control node: the results of all hosts become records, and the records become a page."""

from __future__ import annotations

import datetime as dt
import functools
import pathlib
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..module_utils._errors import OomguardError
from ..plugin_utils._arguments import validate_arguments
from ..plugin_utils._fleet.claim import claim
from ..plugin_utils._fleet.ecs import list_events
from ..plugin_utils._fleet.export import append_events, write_metrics
from ..plugin_utils._fleet.openmetrics import render_openmetrics
from ..plugin_utils._fleet.parts import format_moment
from ..plugin_utils._fleet.play import read_variables, select_hosts
from ..plugin_utils._fleet.publish import PAGE, Published, Source, plan_report, publish_report, read_published
from ..plugin_utils._fleet.record import Data, Record, build_record
from ..plugin_utils._fleet.store import find_record, read_version
from ..plugin_utils._fleet.wording import write_headline
from ..plugin_utils._terminal import Line, print_lines

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "path": {"type": "path", "required": True},
    "records": {"type": "list", "elements": "path", "default": []},
    "anonymize": {"type": "bool", "default": False},
    "continued_path": {"type": "path"},
    "openmetrics_path": {"type": "path"},
    "events_path": {"type": "path"},
}
_RESULT = "detect_result"
_MOST_WARNINGS = 10


class ActionModule(ActionBase):
    """Write a report. It needs no connection to a host."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Write the report, or in check mode return what would be written."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        arguments = validate_arguments(self, ARGUMENT_SPEC)
        folder = pathlib.Path(arguments["path"]).absolute()
        results = find_results(task_vars or {})
        if results is None or not claim(self._task._uuid, results):
            return {**result, "changed": False, "msg": "The task of another host writes the report."}

        folders = [pathlib.Path(path) for path in arguments["records"]]
        records = self._build_records(results)
        if arguments["continued_path"]:
            records = map(functools.partial(find_continued, pathlib.Path(arguments["continued_path"])), records)

        source = Source(records, folders)
        try:
            if self._task.check_mode:
                planned = plan_report(folder, source, is_anonymous=arguments["anonymize"])
                return {**result, **describe_plan(folder, planned)}

            published = publish_report(folder, source, is_anonymous=arguments["anonymize"])
            new_events = export_records(folder, arguments)
        except OomguardError as error:
            raise AnsibleActionFail(str(error)) from error

        described = describe_report(folder, published, new_events=new_events)
        lines = ["", described["msg"], f"The report: {described['page']}"]
        printed = print_lines(self._display, map(Line, lines))

        return {**result, **printed, **described}

    def _build_records(self, results: t.Mapping[str, Data | None]) -> t.Iterator[Record]:
        """Yield a record for each host. With serial, the hosts of earlier batches have theirs already."""
        now = tell_time()
        version = read_version()
        for host, result in results.items():
            if claim(f"record {self._task._uuid}", [host]):
                yield build_record(host, result, collected_at=now, version=version)


def tell_time() -> str:
    """Return the current time as records have it."""
    return format_moment(dt.datetime.now(dt.UTC))


def find_results(task_vars: Data) -> dict[str, Data | None] | None:
    """Return what the role detect has registered for the hosts of the play that were searched until now.

    It is None for a host that has left the play before. Nothing is returned if the task of a later host writes the
    report.
    """
    variables = read_variables(task_vars)
    found = {host: values[_RESULT] for host, values in variables.items() if is_searched(values)}
    if not found:
        return {}

    hosts = select_hosts(task_vars, variables, is_searched)
    if not hosts:
        return None

    return {host: found.get(host) for host in hosts}


def is_searched(variables: Data) -> bool:
    """Return whether the search of a host was tried."""
    return _RESULT in variables and "skipped" not in variables[_RESULT]


def find_continued(folder: pathlib.Path, record: Record) -> Record:
    """Return the record of all searches of a host that continued each other, or of the last one if there is none."""
    return find_record(folder, record["host"]) or record


def export_records(folder: pathlib.Path, arguments: Data) -> int:
    """Write the files for other programs from the records of a report, and return how many events were appended.

    Raises OomguardError.
    """
    if arguments["openmetrics_path"] is not None:
        metrics = render_openmetrics(read_published(folder), tell_time())
        write_metrics(pathlib.Path(arguments["openmetrics_path"]), metrics)

    if arguments["events_path"] is None:
        return 0

    return append_events(pathlib.Path(arguments["events_path"]), list_events(read_published(folder)))


def describe_report(folder: pathlib.Path, published: Published, *, new_events: int) -> dict[str, t.Any]:
    """Return the result of the task."""
    warnings = list(published.problems[:_MOST_WARNINGS])
    more = len(published.problems) - len(warnings)
    if more:
        warnings.append(f"{more} more records could not be used. The report names them.")

    return {
        "changed": bool(published.changed or new_events),
        "msg": f"{write_headline(published.fleet)}.",
        "page": str(folder / PAGE),
        "files": list(published.changed),
        "standings": dict(published.fleet.by_standing),
        "problems": list(published.problems),
        "new_events": new_events,
        "warnings": warnings,
    }


def describe_plan(folder: pathlib.Path, planned: t.Sequence[str]) -> dict[str, t.Any]:
    """Return the result of the task in check mode."""
    names = [f"{name}\n" for name in planned]
    diff = {"before_header": str(folder), "after_header": str(folder), "before": "", "after": "".join(names)}

    return {
        "changed": bool(planned),
        "msg": f"{len(planned)} files in {folder} would be written.",
        "page": str(folder / PAGE),
        "files": list(planned),
        "diff": diff,
    }
