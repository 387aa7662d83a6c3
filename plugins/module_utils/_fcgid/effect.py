# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the settings of our file come to among all others: who wins, which values apply, what contradicts. Pure.

Everywhere `occurrences` are the settings of mod_fcgid in the order of reading, and `file` is the name of ours.
"""

from __future__ import annotations

import dataclasses
import posixpath
import re
import typing as t

from .._safe import neutralise
from .config import Occurrence, Setting
from .directives import (
    DIRECTIVES,
    SERVER,
    FcgidError,
    command_options,
)
from .wrapper import command_of, programs_of

Occurrences = t.Sequence[Occurrence]

# No process of a class can be more than all of them: (the smaller, the larger).
_ORDERED = (
    ("FcgidMinProcessesPerClass", "FcgidMaxProcessesPerClass"),
    ("FcgidMaxProcessesPerClass", "FcgidMaxProcesses"),
)
_PHP = re.compile(r"php[0-9.]*-f?cgi")
# What bounds the requests of a worker: of any, by mod_fcgid, and of php-cgi, by itself (sapi/cgi/cgi_main.c of PHP).
_REQUESTS = ("FcgidMaxRequestsPerProcess", "")
_PHP_LIMIT = ("FcgidInitialEnv", "PHP_FCGI_MAX_REQUESTS")
_PHP_DEFAULT = 500


@dataclasses.dataclass(frozen=True)
class Override:
    """A setting that applies in place of ours; `value` is None where nothing applies any more."""

    directive: str
    wanted: int | str
    value: int | str | None
    file: str
    line: int
    context: str

    def __str__(self) -> str:
        place = f"{self.file} line {self.line}"
        value = "not set" if self.value is None else self.value
        return neutralise(f"{self.directive} is {value} instead of {self.wanted} in {self.context} ({place})")


def overrides(occurrences: Occurrences, file: str) -> list[Override]:
    """Return each setting that applies in place of one of ours, somewhere or everywhere.

    These are settings that Apache reads after ours, settings for a part of the server (a virtual host, a directory),
    and the commands to which FcgidCmdOptions gives values of their own.
    """
    ours = [found.setting for found in occurrences if found.file == file]
    place = max((index for index, found in enumerate(occurrences) if found.file == file), default=len(occurrences))
    overriding: list[Override] = []
    for index, found in enumerate(occurrences):
        if found.file != file:
            rivals = [setting for setting in ours if setting.identity == found.setting.identity]
            losing = [setting for setting in rivals if _wins(found.setting, setting, later=index > place)]
            overriding += _differing(found, losing)
            if found.setting.directive.name == "FcgidCmdOptions" and (losing or not rivals):
                overriding += _voided(found, ours)
    return overriding


def _wins(other: Setting, ours: Setting, *, later: bool) -> bool:
    """Tell whether `other` applies in place of `ours` somewhere."""
    if ours.sections:
        return other.scope == ours.scope and (later or other.sections[0].startswith("<VirtualHost"))
    return later or bool(other.sections)


def _differing(found: Occurrence, losing: t.Iterable[Setting]) -> t.Iterator[Override]:
    other = found.setting
    context = " ".join(other.sections) or SERVER
    for ours in losing:
        if ours.value != other.value:
            yield Override(ours.directive.name, ours.value, other.value, found.file, found.line, context)


def _voided(found: Occurrence, settings: t.Sequence[Setting]) -> t.Iterator[Override]:
    """Yield each of our settings that FcgidCmdOptions keeps from its command."""
    command, values = command_options(found.setting.text)
    if any(_hides(setting, command) for setting in settings):
        return
    for ours in settings:
        name = ours.directive.name
        value = values.get(ours.identity)
        if value != ours.value and (value is not None or name == "FcgidInitialEnv"):
            yield Override(name, ours.value, value, found.file, found.line, f"FcgidCmdOptions {command}")


def effective(occurrences: Occurrences, names: t.Iterable[str]) -> dict[str, t.Any]:
    """Return the value that the server has of each directive in `names`, a list where several are allowed."""
    values: dict[str, dict[str, int | str | None]] = {
        name: {} if DIRECTIVES[name].keyed else {"": DIRECTIVES[name].default} for name in names
    }
    for found in occurrences:
        name, key = found.setting.identity
        if name in values and not found.setting.sections:
            values[name][key] = found.setting.value
    return {name: list(by_key.values()) if DIRECTIVES[name].keyed else by_key[""] for name, by_key in values.items()}


def refuse_contradictions(occurrences: Occurrences, file: str) -> None:
    """Raise FcgidError where a value of ours cannot come about beside another that applies."""
    ours = {found.setting.identity for found in occurrences if found.file == file}
    for smaller, larger in _ORDERED:
        values = effective(occurrences, [smaller, larger])
        if (smaller, "") in ours and values[smaller] > values[larger]:
            raise FcgidError(
                f"{smaller} {values[smaller]} is more than {larger} {values[larger]}.",
                hint=f"Lower the one, or set {larger} here as well.",
            )
    requests, limit = _php_requests(occurrences)
    if limit and requests > limit and ours & {_REQUESTS, _PHP_LIMIT}:
        raise FcgidError(
            f"FcgidMaxRequestsPerProcess {requests} is more than the {limit} requests after which php-cgi ends itself,"
            " perhaps with another request on its way to it, which then fails.",
            hint=f"Set it to {limit} or less, or FcgidInitialEnv to {_PHP_LIMIT[1]} {requests} or more.",
        )


def doubts(occurrences: Occurrences, file: str) -> list[str]:
    """Return what is in force and still does not do what it says."""
    ours = [found.setting for found in occurrences if found.file == file]
    told = [*_lifetimes_in_doubt(occurrences, ours), *_php_in_doubt(occurrences, ours)]
    for found in occurrences:
        if found.file != file and found.setting.directive.name == "FcgidCmdOptions":
            command, _values = command_options(found.setting.text)
            told += [
                f"FcgidCmdOptions {command} ({found.file} line {found.line}) has no effect behind the wrapper that is"
                f" set here: mod_fcgid looks for {command_of(setting)[0]}."
                for setting in ours
                if _hides(setting, command)
            ]
    return [neutralise(doubt) for doubt in told]


def _lifetimes_in_doubt(occurrences: Occurrences, ours: t.Sequence[Setting]) -> t.Iterator[str]:
    minimum = effective(occurrences, ["FcgidMinProcessesPerClass"])["FcgidMinProcessesPerClass"]
    for name in sorted({setting.directive.name for setting in ours} & {"FcgidIdleTimeout", "FcgidProcessLifeTime"}):
        if minimum:
            yield (
                f"{name} does not end the last {minimum} workers of each class, which mod_fcgid keeps for ever;"
                " set FcgidMinProcessesPerClass to 0 to have them go as well."
            )


def _php_in_doubt(occurrences: Occurrences, ours: t.Sequence[Setting]) -> t.Iterator[str]:
    requests, limit = _php_requests(occurrences)
    concerned = any(setting.identity in (_REQUESTS, _PHP_LIMIT) or _runs_php(setting) for setting in ours)
    if concerned and limit and (not requests or requests > limit):
        yield (
            f"php-cgi ends itself after {limit} requests, perhaps with another request on its way to it, which then"
            f" fails; set FcgidMaxRequestsPerProcess to {limit} or less, so that mod_fcgid ends it in time."
        )


def _php_requests(occurrences: Occurrences) -> tuple[int, int]:
    """Return after how many requests mod_fcgid ends a worker, and php-cgi ends itself; 0 for never, or without PHP."""
    values = effective(occurrences, ["FcgidMaxRequestsPerProcess", "FcgidInitialEnv"])
    limit = _PHP_DEFAULT if any(_runs_php(found.setting) for found in occurrences) else 0
    for variable in values["FcgidInitialEnv"]:
        name, _blank, value = variable.partition(" ")
        if name == _PHP_LIMIT[1]:
            limit = int(value) if value.isdecimal() else 0
    return values["FcgidMaxRequestsPerProcess"], limit


def _runs_php(setting: Setting) -> bool:
    return any(_PHP.match(posixpath.basename(program)) for program in programs_of(setting))


def _hides(setting: Setting, command: str) -> bool:
    """Tell whether `command` is behind the wrapper of `setting`, where FcgidCmdOptions does not find it."""
    return command in programs_of(setting)[1:]
