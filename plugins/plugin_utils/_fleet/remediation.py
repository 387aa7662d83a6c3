# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of all hosts that ends a remediation: what was done, and what is left. Pure."""

from __future__ import annotations

import operator
import re
import types
import typing as t

from .changes import Change
from .columns import wrap
from .recap import WIDTH, Cells, Line, Row, build_table, clean, count_hosts, describe_gap, describe_host, list_names
from .record import Record, State, find_state

Group = t.Literal["left", "unknown", "changed", "incomplete", "unchanged"]

_HEADING = ("HOST", "WENT DOWN", "FOR", "KILLED", "WHY")
_COUNTED: dict[Group, str] = {
    "left": "with something left to do",
    "unknown": "not looked at",
    "changed": "changed",
    "incomplete": "not searched completely",
    "unchanged": "unchanged",
}
# The words of a run, and those of one in check mode.
_WORDS: dict[bool, tuple[dict[Group, str], Cells]] = {
    False: (_COUNTED, [*_HEADING, "DONE", "LEFT"]),
    True: ({**_COUNTED, "changed": "to change"}, [*_HEADING, "WOULD DO", "LEFT"]),
}
# The state that looks like a group.
_STATES: dict[Group, State] = {
    "left": "down",
    "unknown": "unknown",
    "changed": "taken_down",
    "incomplete": "incomplete",
}
_NOT_FINISHED = "The run ended before this host was finished."
_NOTHING = "nothing"
_INDENT = "    "
# A failure begins with what failed: a role and its task, or a unit.
_END_OF_NAME = re.compile(r" [(]|: ")


class Outcome(t.NamedTuple):
    """What a remediation did on a host, and what it left."""

    changes: t.Sequence[Change] = ()
    failed: t.Sequence[str] = ()
    """What failed and why, such as `swap (TASK): REASON`."""
    down: t.Mapping[str, str] = types.MappingProxyType({})
    """The units that are still down, each with the reason why it is not started, or "" if there is none."""
    advised: t.Sequence[str] = ()
    """The roles that help and did not run."""
    is_finished: bool = True

    def list_rest(self) -> list[tuple[str, str]]:
        """Return what is left to do, each thing in short and as a sentence."""
        rest = [(f"{_take_name(failure)} failed", failure) for failure in self.failed]
        for unit, reason in self.down.items():
            name = _take_name(unit)
            rest.append((f"{name} down", f"{unit} is still down after an OOM kill. {reason}"))

        rest += [(role, f"The role {role} would help and did not run.") for role in self.advised]
        if not self.is_finished:
            rest.append(("not known", _NOT_FINISHED))

        return rest


Hosts = t.Sequence[tuple[Record, Outcome]]


def build_remediation(hosts: Hosts, *, check_mode: bool) -> list[Line]:
    """Return the table of hosts with their records from before the remediation, the worst first, and what is left."""
    groups: dict[Group, list[Cells]] = {group: [] for group in _COUNTED}
    for record, outcome in hosts:
        group = _find_group(record, outcome)
        groups[group].append(_build_cells(group, record, outcome))

    counted, heading = _WORDS[check_mode]
    title = count_hosts(dict(zip(counted.values(), map(len, groups.values()), strict=True)))
    groups.pop("unchanged")
    rows = []
    for group, grouped in groups.items():
        state = _STATES[group]
        rows += [Row(state, cells) for cells in grouped]

    return [*title, *build_table(heading, rows), *_list_reasons(hosts)]


def _find_group(record: Record, outcome: Outcome) -> Group:
    signs: dict[Group, bool] = {
        "left": bool(outcome.list_rest()),
        "changed": bool(outcome.changes),
        "unknown": not record["ok"],
        "incomplete": find_state(record) == "incomplete",
        "unchanged": True,
    }

    return next(group for group in signs if signs[group])


def _build_cells(group: Group, record: Record, outcome: Outcome) -> Cells:
    if group in {"unknown", "incomplete"}:
        return describe_gap(record)

    roles = dict.fromkeys(map(operator.attrgetter("role"), outcome.changes))
    rest = list(map(operator.itemgetter(0), outcome.list_rest()))
    done = list_names([*roles]) or _NOTHING
    left = list_names(rest, most=1) or _NOTHING

    return [*describe_host(record), done, left]


def _take_name(sentence: str) -> str:
    name, *_reason = _END_OF_NAME.split(sentence, maxsplit=1)
    return name.removesuffix(".service")


def _list_reasons(hosts: Hosts) -> list[Line]:
    """Return what is left on all hosts, below a heading if there is anything."""
    lines = []
    for record, outcome in hosts:
        host = clean(record["host"])
        for _short, sentence in outcome.list_rest():
            reason = clean(f"{host}: {sentence}")
            first, *others = wrap(reason, WIDTH - len(_INDENT))
            lines += [f"  {first}", *map(_INDENT.__add__, others)]

    if not lines:
        return []

    return list(map(Line, ["", "What is left:", *lines]))
