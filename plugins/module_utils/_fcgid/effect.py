# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The effect of our settings among all others: which win, which values apply, which contradict. Pure.

In this file, `occurrences` are the settings of mod_fcgid in the order in which Apache reads them, and `file` is the
name of our file.
"""

from __future__ import annotations

import dataclasses
import math
import posixpath
import re
import typing as t

from .config import Occurrence, Setting
from .directives import (
    COMMAND_OPTIONS,
    DIRECTIVES,
    INITIAL_ENV,
    FcgidError,
    parse_command_options,
)
from .wrapper import list_programs, split_command

Occurrences = t.Sequence[Occurrence]
_Values = t.Mapping[t.Tuple[str, str], t.Any]

# How many warnings of one kind are shown.
_MOST_DOUBTS = 3

# A class cannot have more processes than the server: (the smaller, the larger).
_ORDERED = (
    ("FcgidMinProcessesPerClass", "FcgidMaxProcessesPerClass"),
    ("FcgidMaxProcessesPerClass", "FcgidMaxProcesses"),
)
_LIFETIMES = ("FcgidIdleTimeout", "FcgidProcessLifeTime")
_MINIMUM = "FcgidMinProcessesPerClass"
# The values that decide when an idle worker ends, by identity, with mod_fcgid's defaults.
_RETIRING: _Values = {(name, ""): DIRECTIVES[name].default for name in (*_LIFETIMES, _MINIMUM)}
_PHP = re.compile(r"php[0-9.]*-f?cgi")
# Limits for the requests of a worker: of mod_fcgid for any worker, and of php-cgi for itself (sapi/cgi/cgi_main.c).
_REQUESTS = ("FcgidMaxRequestsPerProcess", "")
_PHP_LIMIT = (INITIAL_ENV, "PHP_FCGI_MAX_REQUESTS")
_PHP_DEFAULT = 500
_PHP_NUMBER = re.compile("[0-9]{1,9}")


@dataclasses.dataclass(frozen=True)
class Override:
    """A setting that applies in place of ours. `value` is None if nothing applies there any more.

    A `harmless` one replaces a lifetime, but idle workers end no later than we want, because of the other values there.
    """

    directive: str
    wanted: int | str
    value: int | str | None
    file: str
    line: int
    context: str
    harmless: bool = False

    def __str__(self) -> str:
        value = self.value
        if value is None:
            value = "not set"
        place = f"{self.file} line {self.line}"

        return f"{self.directive} is {value} instead of {self.wanted} in {self.context} ({place})"


def find_overrides(occurrences: Occurrences, file: str) -> list[Override]:
    """Return each setting that applies in place of one of ours, for a part of the server or for all of it.

    These are settings that Apache reads after ours, settings for a part of the server (a virtual host, a directory),
    and commands for which FcgidCmdOptions sets its own values.
    """
    sides = _divide(occurrences, file)
    parts = _index_parts(occurrences)
    overrides: list[Override] = []
    for other in sides.earlier:
        found = _compare(other, sides.ours, is_later=False)
        overrides += _judge(other, found, parts)
    for other in sides.later:
        found = _compare(other, sides.ours, is_later=True)
        overrides += _judge(other, found, parts)

    return overrides


def _index_parts(occurrences: Occurrences) -> dict[int, dict[tuple[str, str], t.Any]]:
    """Return the values that decide when an idle worker ends, for each part of the configuration that sets any."""
    parts: dict[int, dict[tuple[str, str], t.Any]] = {0: {}}
    for occurrence in occurrences:
        identity = occurrence.setting.identity
        if identity in _RETIRING:
            part = parts.setdefault(occurrence.part, {})
            part[identity] = occurrence.setting.value

    return parts


def _judge(other: Occurrence, overrides: t.Iterable[Override], parts: t.Mapping[int, _Values]) -> list[Override]:
    """Return the overrides by one setting, and mark the harmless ones."""
    values = _find_values_there(other, parts)
    longest = _find_longest_idle_time(values)
    return [_mark_harmless(override, longest) for override in overrides]


def _mark_harmless(override: Override, longest: float) -> Override:
    if override.directive not in _LIFETIMES:
        return override

    is_in_time = longest <= int(override.wanted)
    return dataclasses.replace(override, harmless=is_in_time)


def _find_values_there(other: Occurrence, parts: t.Mapping[int, _Values]) -> _Values:
    """Return the values that decide when an idle worker ends where another setting applies."""
    if other.setting.directive.name == COMMAND_OPTIONS:
        _command, values = parse_command_options(other.setting.text)
        return values
    if not other.part:
        # It is for the whole server, so nothing is left of what we want.
        return {(_MINIMUM, ""): 1}

    return {**_RETIRING, **parts[0], **parts.get(other.part, {})}


def _find_longest_idle_time(values: _Values) -> float:
    """Return the seconds after which mod_fcgid ends all idle workers.

    It ends an idle worker after the shorter one of both times, of which 0 is none, but keeps the minimum of each class
    (scan_idlelist in fcgid_pm_main.c, 2.3.9).
    """
    if values[_MINIMUM, ""]:
        return math.inf

    times = (values["FcgidIdleTimeout", ""], values["FcgidProcessLifeTime", ""])
    return min(filter(None, times), default=math.inf)


class _Sides(t.NamedTuple):
    """Our settings, and those of other files that Apache reads before the last of ours, and after it."""

    ours: list[Setting]
    earlier: list[Occurrence]
    later: list[Occurrence]


def _divide(occurrences: Occurrences, file: str) -> _Sides:
    sides = _Sides([], [], [])
    for occurrence in occurrences:
        if occurrence.file != file:
            sides.later.append(occurrence)
            continue

        sides.ours.append(occurrence.setting)
        sides.earlier.extend(sides.later)
        sides.later.clear()

    return sides


def _compare(other: Occurrence, ours: t.Sequence[Setting], *, is_later: bool) -> t.Iterator[Override]:
    """Yield the overrides of our settings by one setting of another file."""
    is_replaced = False
    for setting in ours:
        if setting.identity != other.setting.identity:
            continue

        if not _wins(other.setting, setting, is_later=is_later):
            is_replaced = True
        elif setting.value != other.setting.value:
            yield _make_override(setting, other, other.setting.value, other.setting.context)

    # The options of a command do not apply if ours replace them.
    if other.setting.directive.name == COMMAND_OPTIONS and not is_replaced:
        yield from _find_voided(other, ours)


def _wins(other: Setting, ours: Setting, *, is_later: bool) -> bool:
    """Return whether `other` applies in place of `ours`, at least for a part of the server."""
    if not ours.sections:
        return is_later or bool(other.sections)
    if other.scope != ours.scope:
        return False

    is_for_virtual_host = other.sections[0].startswith("<VirtualHost")
    return is_later or is_for_virtual_host


def _find_voided(options: Occurrence, ours: t.Sequence[Setting]) -> t.Iterator[Override]:
    """Yield each of our settings that FcgidCmdOptions keeps from applying to its command."""
    command, values = parse_command_options(options.setting.text)
    for setting in ours:
        if _hides(setting, command):
            return

    for setting in ours:
        value = values.get(setting.identity)
        can_be_option = value is not None or setting.directive.name == INITIAL_ENV
        is_different = value != setting.value
        if can_be_option and is_different:
            yield _make_override(setting, options, value, f"{COMMAND_OPTIONS} {command}")


def _make_override(ours: Setting, other: Occurrence, value: int | str | None, context: str) -> Override:
    return Override(ours.directive.name, ours.value, value, other.file, other.line, context)


def find_effective(occurrences: Occurrences, names: t.Iterable[str]) -> dict[str, t.Any]:
    """Return the value that the server has of each directive in `names`, or a list for a directive with keys."""
    values: dict[str, dict[str, t.Any]] = {}
    for occurrence in occurrences:
        if not occurrence.setting.sections:
            name, key = occurrence.setting.identity
            values.setdefault(name, {})[key] = occurrence.setting.value

    return {name: _pick_value(name, values.get(name, {})) for name in names}


def list_values(occurrences: Occurrences) -> dict[str, int | str | None]:
    """Return the value that the server has of each directive, and of each setting for a part of the server."""
    values: dict[str, int | str | None] = {}
    for name, value in find_effective(occurrences, DIRECTIVES).items():
        values[name] = value
        if isinstance(value, list):
            values[name] = ", ".join(value) or None

    for occurrence in occurrences:
        setting = occurrence.setting
        if setting.sections:
            name = " ".join(setting.identity).strip()
            values[f"{name} in {setting.context}"] = setting.value

    return values


def find_effective_number(occurrences: Occurrences, name: str) -> int:
    """Return the value that the server has of the directive `name`, which takes a number."""
    return int(find_effective(occurrences, [name])[name])


def _pick_value(name: str, by_key: t.Mapping[str, t.Any]) -> t.Any:
    if DIRECTIVES[name].keyed:
        return list(by_key.values())

    return by_key.get("", DIRECTIVES[name].default)


def refuse_contradictions(occurrences: Occurrences, file: str) -> None:
    """Raise FcgidError if one of our values cannot take effect beside another value that applies."""
    ours = {setting.identity for setting in _divide(occurrences, file).ours}
    for smaller, larger in _ORDERED:
        if (smaller, "") in ours:
            _refuse_disorder(occurrences, smaller, larger)

    if ours & {_REQUESTS, _PHP_LIMIT}:
        _refuse_php_limit(occurrences)


def _refuse_disorder(occurrences: Occurrences, smaller: str, larger: str) -> None:
    low = find_effective_number(occurrences, smaller)
    high = find_effective_number(occurrences, larger)
    if low > high:
        raise FcgidError(
            f"{smaller} {low} is more than {larger} {high}.", hint=f"Lower {smaller}, or set {larger} here as well."
        )


def _refuse_php_limit(occurrences: Occurrences) -> None:
    requests = find_effective_number(occurrences, "FcgidMaxRequestsPerProcess")
    limit = _find_php_limit(occurrences)
    if limit and requests > limit:
        raise FcgidError(
            f"FcgidMaxRequestsPerProcess is {requests}, but php-cgi ends itself after {limit} requests. A request that"
            " is being sent to it at that moment fails.",
            hint=f"Set FcgidMaxRequestsPerProcess to {limit} or less, or {_PHP_LIMIT[1]} in FcgidInitialEnv to"
            f" {requests} or more.",
        )


def find_doubts(occurrences: Occurrences, file: str) -> list[str]:
    """Return a warning for each of our settings that is in force but does not do what it promises."""
    sides = _divide(occurrences, file)
    doubts = [*_doubt_lifetimes(occurrences, sides.ours), *_doubt_php(occurrences, sides.ours)]
    doubts_of_options: list[str] = []
    for other in (*sides.earlier, *sides.later):
        if other.setting.directive.name == COMMAND_OPTIONS:
            doubts_of_options += _doubt_options(other, sides.ours)

    return doubts + _shorten(doubts_of_options)


def _shorten(doubts: list[str]) -> list[str]:
    """Return the first warnings about FcgidCmdOptions, of which a host may have one for each website."""
    more = len(doubts) - _MOST_DOUBTS
    if more <= 0:
        return doubts

    return [*doubts[:_MOST_DOUBTS], f"{more} more settings of FcgidCmdOptions have no effect for the same reason."]


def _doubt_lifetimes(occurrences: Occurrences, ours: t.Sequence[Setting]) -> t.Iterator[str]:
    minimum = find_effective_number(occurrences, _MINIMUM)
    if not minimum:
        return

    names = {setting.directive.name for setting in ours}
    for name in sorted(names.intersection(_LIFETIMES)):
        yield (
            f"{name} does not end the last {minimum} workers of each class, which mod_fcgid always keeps."
            " To end them as well, set FcgidMinProcessesPerClass to 0."
        )


def _doubt_php(occurrences: Occurrences, ours: t.Sequence[Setting]) -> t.Iterator[str]:
    limit = _find_php_limit(occurrences)
    if not limit or not any(map(_concerns_php, ours)):
        return

    requests = find_effective_number(occurrences, "FcgidMaxRequestsPerProcess")
    if 0 < requests <= limit:
        return

    yield (
        f"php-cgi ends itself after {limit} requests. A request that is being sent to it at that moment fails."
        f" Set FcgidMaxRequestsPerProcess to {limit} or less, so that mod_fcgid ends it first."
    )


def _concerns_php(setting: Setting) -> bool:
    return setting.identity in (_REQUESTS, _PHP_LIMIT) or _runs_php(setting)


def _doubt_options(options: Occurrence, ours: t.Sequence[Setting]) -> t.Iterator[str]:
    command, _values = parse_command_options(options.setting.text)
    for setting in ours:
        if _hides(setting, command):
            program = split_command(setting)[0]
            yield (
                f"FcgidCmdOptions {command} ({options.file} line {options.line}) has no effect, since the wrapper that"
                f" is set here hides the command: mod_fcgid looks for the options of {program}."
            )


def _find_php_limit(occurrences: Occurrences) -> int:
    """Return the number of requests after which php-cgi ends itself, 0 if it never does or if there is no PHP."""
    limit = 0
    if any(_runs_php(occurrence.setting) for occurrence in occurrences):
        limit = _PHP_DEFAULT

    for variable in find_effective(occurrences, [INITIAL_ENV])[INITIAL_ENV]:
        name, _blank, value = variable.partition(" ")
        if name == _PHP_LIMIT[1]:
            limit = _parse_php_limit(value)

    return limit


def _parse_php_limit(text: str) -> int:
    if not _PHP_NUMBER.fullmatch(text):
        return 0

    return int(text)


def _runs_php(setting: Setting) -> bool:
    programs = map(posixpath.basename, list_programs(setting))
    return any(map(_PHP.match, programs))


def _hides(setting: Setting, command: str) -> bool:
    """Return whether the wrapper of `setting` starts `command`, so that FcgidCmdOptions does not find it."""
    return command in list_programs(setting)[1:]
