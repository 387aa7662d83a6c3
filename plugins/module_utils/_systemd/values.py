# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare values as users write them in unit files with values as `systemctl show` prints them. Pure.

Every comparison returns True if both are the same, False if they differ, and None if that is unknown.
"""

from __future__ import annotations

import functools
import re
import typing as t

from .directives import get_properties, is_command, is_list, is_replaced_list, resolve_assignments
from .model import Totals
from .syntax import (
    SECOND,
    normalise_words,
    parse_boolean,
    parse_percentage,
    parse_signal,
    parse_size,
    parse_time_span,
    split_words,
)

Verdict = t.Optional[bool]

_UNLIMITED = frozenset(("infinity", str(2**64 - 1), "[not set]"))
_INTEGER = re.compile("[+-]?[0-9]+")
_NUMBER = re.compile("-?[0-9]+")
_OCTAL = re.compile("[0-7]+")
_NICE = re.compile("[+-][0-9]+")
_WORD = re.compile(r"[\w./:@+-]+")
_ARGV = re.compile(r"argv\[\]=(.*?) ; ")
_PAGE = 4096

# systemd prints such commands and variables as they were written, except for quotes.
_PLAIN_COMMAND = re.compile(r"[-:+!|]*/[^\\$%;]*")
_PLAIN_VARIABLE = re.compile(r"[^\\$%`]*")
_VARIABLES = frozenset(("Environment", "EnvironmentFile", "PassEnvironment"))

_LEVELS = {
    name: str(number)
    for number, name in enumerate(("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"))
}
_CPU_POLICIES = {"other": "0", "fifo": "1", "rr": "2", "batch": "3", "idle": "5"}
_IO_CLASSES = {"realtime": "1", "best-effort": "2", "idle": "3"}


def is_in_force(directive: str, values: t.Sequence[str], properties: t.Mapping[str, str], totals: Totals) -> Verdict:
    """Return whether assigning `values` in order leads to the `properties` that systemd shows; None if unknown."""
    if is_list(directive):
        return _is_list_in_force(directive, values, properties)

    remaining = resolve_assignments(values)
    if not remaining:
        return None

    return _is_value_in_force(directive, remaining[-1], properties, totals)


def _is_value_in_force(directive: str, value: str, properties: t.Mapping[str, str], totals: Totals) -> Verdict:
    names = get_properties(directive, value)
    parts = [value] * len(names)
    if len(names) > 1 and ":" in value:
        parts = value.split(":")

    verdicts: list[Verdict] = []
    for name, part in zip(names, parts):
        if name in properties:
            verdicts.append(_is_same(directive, part.strip(), properties[name], totals))
        else:
            verdicts.append(None)

    if False in verdicts:
        return False

    if None in verdicts:
        return None

    return True


def _is_list_in_force(directive: str, values: t.Sequence[str], properties: t.Mapping[str, str]) -> Verdict:
    name = get_properties(directive)[0]
    shown = properties.get(name)
    if shown is None and name.startswith("Exec"):
        # systemctl prints no line for a list of no commands.
        shown = ""
    if shown is None:
        return None

    remaining = resolve_assignments(values)
    if not remaining:
        return not shown

    has_reset = len(remaining) < len(values)
    return _has_entries(directive, remaining, shown, exactly=has_reset or is_replaced_list(directive))


# Single values.


def _is_same(directive: str, value: str, shown: str, totals: Totals) -> Verdict:
    if value == shown:
        return True

    if directive == "WatchdogSec":
        return _compare_watchdogs(value, shown)

    if shown in ("yes", "no"):
        return parse_boolean(value) is (shown == "yes")

    share = parse_percentage(value)
    if share is not None:
        return _is_share(directive, share, shown, totals)

    verdict = _choose_comparator(directive)(value, shown)
    if verdict is not None:
        return verdict

    return _compare_words(value, shown)


def _compare_words(value: str, shown: str) -> Verdict:
    if "%" in value:
        # systemd shows what a specifier stands for.
        return None

    if normalise_words(value) == normalise_words(shown):
        return True

    if not _WORD.fullmatch(value) or not _WORD.fullmatch(shown):
        return None

    if _is_number(value) != _is_number(shown):
        # systemd shows the number of a name that is unknown here.
        return None

    return False


def _is_number(text: str) -> bool:
    return text.lstrip("-").isdigit()


def _compare_numbers(value: str, shown: str) -> Verdict:
    is_unlimited = shown in _UNLIMITED
    if value == "infinity" and (is_unlimited or shown.isdigit()):
        return is_unlimited

    number = _parse_number(value)
    if number is None:
        return None

    if is_unlimited:
        return False

    if not _NUMBER.fullmatch(shown):
        return None

    return number == int(shown)


def _parse_number(value: str) -> int | None:
    if _INTEGER.fullmatch(value):
        return int(value)

    return parse_size(value)


def _compare_memory(value: str, shown: str) -> Verdict:
    verdict = _compare_numbers(value, shown)
    if verdict is not None:
        return verdict

    is_amount = shown in _UNLIMITED or _NUMBER.fullmatch(shown) is not None
    if is_amount and "%" not in value:
        # All valid values of a memory limit are known here, and systemd has ignored any other one.
        return False

    return None


def _compare_watchdogs(value: str, shown: str) -> Verdict:
    if parse_time_span(value) == parse_time_span(shown):
        return True

    # systemd shows the value of the running process, which got it when it was started.
    return None


def _compare_times(value: str, shown: str) -> Verdict:
    is_unlimited = shown in _UNLIMITED
    if value == "infinity":
        return is_unlimited

    asked = parse_time_span(value)
    if asked is None:
        return None

    if is_unlimited:
        return False

    found = parse_time_span(shown)
    if found is None:
        return None

    return asked == found


def _compare_time_limits(value: str, shown: str) -> Verdict:
    if shown in _UNLIMITED and value != "infinity":
        # 0 turns the limit off.
        return parse_time_span(value) == 0

    return _compare_times(value, shown)


def _compare_nanoseconds(value: str, shown: str) -> Verdict:
    if value == "infinity":
        return shown in _UNLIMITED

    asked = parse_time_span(value)
    if asked is None or not shown.isdigit():
        return None

    return asked * 1000 == int(shown)


def _compare_modes(value: str, shown: str) -> Verdict:
    if not _OCTAL.fullmatch(value) or not _OCTAL.fullmatch(shown):
        return None

    return int(value, 8) == int(shown, 8)


def _compare_signals(value: str, shown: str) -> Verdict:
    number = parse_signal(value)
    if not number.isdigit():
        return None

    return number == shown


def _compare_nice_limits(value: str, shown: str) -> Verdict:
    if not _NICE.fullmatch(value):
        return _compare_numbers(value, shown)

    # A signed value is a nice level, which the kernel counts down from 20 (setrlimit(2)).
    return str(20 - int(value)) == shown


def _compare_cpu_limits(value: str, shown: str) -> Verdict:
    microseconds = parse_time_span(value)
    if microseconds is None:
        return _compare_numbers(value, shown)

    return str(microseconds // SECOND) == shown


def _compare_realtime_limits(value: str, shown: str) -> Verdict:
    microseconds = parse_time_span(value)
    if microseconds is None:
        return _compare_numbers(value, shown)

    return str(microseconds) == shown


def _compare_names(numbers: t.Mapping[str, str], value: str, shown: str) -> Verdict:
    """Compare a name with the number that `systemctl show` prints instead of it."""
    number = numbers.get(value.lower(), value)
    if not number.isdigit():
        return None

    return number == shown


_Comparator = t.Callable[[str, str], Verdict]

# The numbers are those of the kernel (sched.h, ioprio.h) and of syslog(3). The first pattern that fits counts.
_COMPARATORS: tuple[tuple[t.Pattern[str], _Comparator], ...] = (
    (re.compile("CPUSchedulingPolicy"), functools.partial(_compare_names, _CPU_POLICIES)),
    (re.compile("IOSchedulingClass"), functools.partial(_compare_names, _IO_CLASSES)),
    (re.compile("LogLevelMax|SyslogLevel"), functools.partial(_compare_names, _LEVELS)),
    (re.compile(".*Signal"), _compare_signals),
    (re.compile(".*LimitNICE"), _compare_nice_limits),
    (re.compile(".*LimitCPU"), _compare_cpu_limits),
    (re.compile(".*LimitRTTIME"), _compare_realtime_limits),
    (re.compile(".*NSec"), _compare_nanoseconds),
    (re.compile("(?:Timeout|Job|RuntimeMax).*Sec"), _compare_time_limits),
    (re.compile(".*Sec"), _compare_times),
    (re.compile("UMask|.*Mode"), _compare_modes),
    (re.compile("Memory.*"), _compare_memory),
)


def _choose_comparator(directive: str) -> _Comparator:
    for pattern, comparator in _COMPARATORS:
        if pattern.fullmatch(directive):
            return comparator

    return _compare_numbers


# Percentages.


def _is_share(directive: str, share: float, shown: str, totals: Totals) -> Verdict:
    if directive == "CPUQuota":
        return round(share * SECOND) == parse_time_span(shown)

    if directive == "ManagedOOMMemoryPressureLimit":
        return shown.isdigit() and abs(int(shown) - share * 2**32) < 2

    if directive == "TasksMax":
        return _is_share_of_tasks(share, shown, totals.tasks)

    return _is_share_of_memory(share, shown, totals.ram_bytes)


def _is_share_of_tasks(share: float, shown: str, tasks: int) -> Verdict:
    if not tasks:
        return None

    if shown in _UNLIMITED and share >= 1:
        return None

    return shown.isdigit() and abs(int(shown) - share * tasks) <= 1


def _is_share_of_memory(share: float, shown: str, ram_bytes: int) -> Verdict:
    if not ram_bytes:
        return None

    if shown in _UNLIMITED and share >= 1:
        return True

    # systemd rounds down to whole pages.
    return shown.isdigit() and abs(int(shown) - share * ram_bytes) <= _PAGE


# Lists.


class _Entries(t.NamedTuple):
    """The entries of a list that were asked for, and those that systemd shows."""

    asked: set[str]
    found: set[str]


def _has_entries(directive: str, values: t.Sequence[str], shown: str, *, exactly: bool) -> Verdict:
    """Return whether the list that systemd shows has all that was assigned, and with `exactly` nothing else."""
    asked, found = _split_entries(directive, values, shown)
    if asked == found:
        return True

    if asked < found:
        # The other entries may come from another file.
        return None if exactly else True

    if _is_printed_as_written(directive, values):
        return False

    return None


def _is_printed_as_written(directive: str, values: t.Iterable[str]) -> bool:
    """Return whether systemd prints these values as a user writes them; it interprets others first."""
    if is_command(directive):
        return all(_PLAIN_COMMAND.fullmatch(value) for value in values)

    if directive in _VARIABLES:
        return all(_PLAIN_VARIABLE.fullmatch(value) for value in values)

    return False


def _split_entries(directive: str, values: t.Sequence[str], shown: str) -> _Entries:
    if is_command(directive):
        return _split_commands(values, shown)

    asked = []
    for value in values:
        asked.extend(split_words(value))
    found = set(split_words(shown))

    if directive == "EnvironmentFile":
        return _split_environment_files(asked, found)

    if directive == "Environment":
        return _Entries(_find_last_values(asked), found)

    if found.issuperset(asked):
        return _Entries(set(asked), found)

    return _Entries(set(map(normalise_words, asked)), set(map(normalise_words, found)))


def _split_commands(values: t.Sequence[str], shown: str) -> _Entries:
    asked = set()
    for value in values:
        command = " ".join(split_words(value.lstrip("-@:+!|")))
        asked.add(_join_words(command))

    found = set(map(_join_words, _ARGV.findall(shown)))
    return _Entries(asked, found)


def _join_words(command: str) -> str:
    """Return a command with single spaces between its words."""
    return " ".join(command.split())


def _split_environment_files(asked: t.Iterable[str], found: t.Iterable[str]) -> _Entries:
    # systemd prints `/etc/x (ignore_errors=yes)` for `-/etc/x`.
    names = {name.lstrip("-") for name in asked}
    shown = {word for word in found if not word.startswith("(")}
    return _Entries(names, shown)


def _find_last_values(assignments: t.Iterable[str]) -> set[str]:
    """Return the last assignment to each variable, which is the one that counts."""
    last = {}
    for assignment in assignments:
        variable = assignment.partition("=")[0]
        last[variable] = assignment

    return set(last.values())
