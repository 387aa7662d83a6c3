# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of `oom_info` as text for people: what happened, why, and what helps. Pure, and without Ansible."""

from __future__ import annotations

import json
import re
import textwrap
import typing as t

from .summary import format_utc, write_message

Data = t.Mapping[str, t.Any]

_WIDTH = 78
_INDENT = "     "
_LOST_ONE = "kernel message was lost before journald read it"
_LOST = "kernel messages were lost before journald read them"
_UNITS = "oom_policy_units"
_UNKNOWN = "cannot_tell"
# The parts of a history that are there once, or not at all.
_PARTS = ("rhythm", "forecast", "enough")
_CHOSEN = {True: "", False: " (only if you choose it)"}
# Text that YAML reads as this very text, without quotes: it is no number, no date and no word with a meaning.
_PLAIN = re.compile(
    r"(?!(?:y|n|yes|no|on|off|true|false|null)$)[A-Za-z_/][\w./@+-]*|\d+[KMGT]", re.ASCII | re.IGNORECASE
)


def explain_result(result: Data, *, details: bool = False) -> list[str]:
    """Return the lines that explain a result, in at most 78 columns unless a name is longer.

    With `details`, the evidence is shown for each kind of event. Otherwise, it is shown for one event only, the newest
    one that took a unit down, or the newest one if none did.
    """
    events = result["events"]
    lines = _wrap(write_message(result))
    if result["summary"]["count"] > len(events):
        lines.append(f"The explanation covers {len(events)} of them.")

    lines += _explain_coverage(result["coverage"])
    for number, event in enumerate(_select_events(events)):
        lines.append("")
        lines += _explain_event(event, events, has_evidence=details or number == 0)

    lines += explain_history(result.get("history"), details=details)
    helps = [*_explain_remedies(result["remedies"]), *_explain_advice(events)]
    if helps:
        lines += ["", "What helps:", *helps]

    return lines


def explain_history(history: Data | None, *, details: bool = False) -> list[str]:
    """Return the lines about what the kills of each kind have in common."""
    lines = []
    for title, sentences in describe_history(history, details=details):
        lines += ["", *_wrap(f"History of {title}:"), *_list_bullets("-", sentences)]

    return lines


def describe_history(history: Data | None, *, details: bool = False) -> list[tuple[str, list[str]]]:
    """Return each kind of kills in words, and what its kills have in common.

    Without `details`, kinds of which nothing is known are left out, and so are the figures.
    """
    if history is None:
        return []

    described = [(_describe_kind(kind), _list_sentences(kind, details=details)) for kind in history["kinds"]]
    return list(filter(_has_sentences, described))


def _has_sentences(described: tuple[str, list[str]]) -> bool:
    return bool(described[1])


def _describe_kind(kind: Data) -> str:
    names = [kind["victim"] or "an unknown process"]
    if kind["unit"]:
        names.append(kind["unit"])

    victim = " of ".join(names)
    if kind["count"] == 1:
        return f"{victim}, killed once"

    return f"{victim}, killed {kind['count']} times since {format_utc(str(kind['first']))}"


def _list_sentences(kind: Data, *, details: bool) -> list[str]:
    """Return what is known about a kind of kills, each part in one sentence."""
    growth = kind["growth"]
    others = [kind[part] for part in _PARTS if kind[part]]
    known = [*others, *kind["preceded_by"]]
    if details:
        return [growth["sentence"], *growth["evidence"], *_get_sentences([*known, *kind["since"]])]

    sentences = _get_sentences([*known, *filter(_follows_kill, kind["since"])])
    if growth["verdict"] == _UNKNOWN:
        return sentences

    return [growth["sentence"], *sentences]


def _follows_kill(change: Data) -> bool:
    """Return whether there was a kill before a change of the host: otherwise, it cannot have helped."""
    return bool(change["before"]["kills"])


def _get_sentences(parts: t.Iterable[Data]) -> list[str]:
    return [part["sentence"] for part in parts]


def merge_remedies(remedies: t.Iterable[Data]) -> list[dict[str, t.Any]]:
    """Return the remedies, with those for several units that are otherwise the same as one."""
    merged: dict[str, dict[str, t.Any]] = {}
    for remedy in remedies:
        variables = {**remedy["variables"]}
        units = _list_units(variables.pop(_UNITS, None))
        key = json.dumps([remedy["role"], remedy["automatic"], variables], sort_keys=True)
        known = merged.setdefault(key, {**remedy, "variables": {**remedy["variables"], _UNITS: []}, "why": ""})
        known["variables"][_UNITS] = [*dict.fromkeys([*known["variables"][_UNITS], *units])]
        known["why"] = _add_sentence(known["why"], remedy["why"])

    return [{**remedy, "variables": _drop_empty(remedy["variables"])} for remedy in merged.values()]


def _list_units(units: t.Any) -> list[str]:
    """Return units as a list; a record that another program wrote can have a single one, or none."""
    if not units:
        return []

    if isinstance(units, list):
        return list(map(str, units))

    return [str(units)]


def format_variables(variables: Data) -> list[str]:
    """Return role variables as lines of YAML."""
    lines = []
    for name, value in variables.items():
        lines += _format_variable(name, value)

    return lines


def _format_variable(name: str, value: t.Any) -> list[str]:
    if isinstance(value, dict):
        members = format_variables(value)
        return [f"{name}:", *_indent(members, "  ")]

    if isinstance(value, list):
        items = map(_format_scalar, value)
        return [f"{name}:", *_indent(items, "  - ")]

    return [f"{name}: {_format_scalar(value)}"]


def _indent(lines: t.Iterable[str], indent: str) -> list[str]:
    return [f"{indent}{line}" for line in lines]


def _explain_coverage(coverage: Data) -> list[str]:
    notes = [
        *_count(coverage["missed_records"], _LOST_ONE, _LOST),
        *_count(coverage["unparsed"], "record could not be read", "records could not be read"),
        *coverage["notes"],
    ]
    if not coverage["complete"]:
        return ["The search was incomplete:", *_list_bullets("-", notes)]

    if notes:
        return ["Notes on coverage:", *_list_bullets("-", notes)]

    return []


def _count(count: int | None, one: str, several: str) -> list[str]:
    if not count:
        return []

    if count == 1:
        return [f"1 {one}."]

    return [f"{count} {several}."]


def _select_events(events: t.Sequence[Data]) -> list[Data]:
    """Return the newest event of each kind, and first those that took a unit down."""
    newest_first = [*reversed(events)]
    outages = [event for event in newest_first if (event["unit_effect"] or {}).get("stopped")]
    selected: dict[str, Data] = {}
    for event in [*outages, *newest_first]:
        selected.setdefault(event["diagnosis"]["kind"], event)

    return [*selected.values()]


def _explain_event(event: Data, events: t.Sequence[Data], *, has_evidence: bool) -> list[str]:
    """Return when and why a kill happened, and how many of its kind there are."""
    diagnosis = event["diagnosis"]
    alike = [other for other in events if other["diagnosis"]["kind"] == diagnosis["kind"]]
    lines = [_format_place(event)]
    if len(alike) > 1:
        lines = [f"{lines[0]}, and {len(alike) - 1} more of this kind since {_format_place(alike[0])}"]

    log = event["log"] or {}
    if log.get("stamp"):
        lines.append(log["stamp"])

    lines += _wrap(diagnosis["summary"])
    if has_evidence:
        lines += _list_bullets("-", diagnosis["evidence"])

    return lines


def _format_place(event: Data) -> str:
    """Return the time of an event, or else its place in a log."""
    if event["time"]:
        return format_utc(event["time"])

    if event["log"]:
        return f"{event['log']['path']}, line {event['log']['line']}"

    return "Time unknown"


def _explain_remedies(remedies: t.Iterable[Data]) -> t.Iterator[str]:
    for remedy in merge_remedies(remedies):
        yield from _list_bullets("->", [f"role {remedy['role']}{_CHOSEN[remedy['automatic']]}: {remedy['why']}"])
        yield from _indent(format_variables(remedy["variables"]), _INDENT)
        yield from _list_bullets("  ", [f"Risk: {remedy['risk']}"])


def _explain_advice(events: t.Iterable[Data]) -> t.Iterator[str]:
    """Yield the lines about other measures, each measure once."""
    advised: dict[str, Data] = {}
    for event in events:
        for measure in event["diagnosis"]["advice"]:
            advised.setdefault(measure["what"], measure)

    for measure in advised.values():
        yield from _list_bullets("=>", [f"{measure['what']} {measure['why']}"])
        yield from _list_bullets("  ", [f"Risk: {measure['risk']}"])


def _add_sentence(text: str, sentence: str) -> str:
    """Return a text with one more sentence, unless it is in it."""
    if sentence in text:
        return text

    return f"{text} {sentence}".lstrip()


def _drop_empty(variables: Data) -> dict[str, t.Any]:
    return {name: value for name, value in variables.items() if value != []}


def _format_scalar(value: t.Any) -> str:
    """Return a value in YAML, with quotes only if it would be read as another one without them."""
    if isinstance(value, str) and _PLAIN.fullmatch(value):
        return value

    return json.dumps(value, ensure_ascii=False)


def _list_bullets(mark: str, texts: t.Iterable[str]) -> list[str]:
    lines = []
    for text in texts:
        lines += _wrap(text, first=f"  {mark} ", others=" " * (len(mark) + 3))

    return lines


def _wrap(text: str, *, first: str = "", others: str = "") -> list[str]:
    """Return a text as lines, in which no word is cut."""
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )
