# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare values as users write them in unit files with values as `systemctl show` prints them. Pure.

Every comparison returns True if both are the same, False if they differ, and None if that is unknown.
"""

from __future__ import annotations

import functools
import itertools
import math
import re
import typing as t

from .directives import get_properties, is_command, is_list, is_replaced_list, resolve_assignments
from .model import Totals
from .syntax import (
    SECOND,
    normalise_words,
    parse_boolean,
    parse_number,
    parse_percentage,
    parse_signal,
    parse_size,
    parse_time_span,
    split_words,
)

Verdict = t.Optional[bool]

_UNLIMITED = frozenset(("infinity", str(2**64 - 1), "[not set]"))
_PADDED = re.compile("[+-]?0[0-9]")
_WORD = re.compile(r"[\w./:@+-]+")
_ARGV = re.compile(r"argv\[\]=(.*?) ; ")
_PAGE = 4096

# systemd prints such commands and variables as they were written, except for quotes.
_PLAIN_COMMAND = re.compile(r"[-:+!|]*/[^\\$%;]*")
_PLAIN_VARIABLES = dict.fromkeys(("Environment", "EnvironmentFile", "PassEnvironment"), re.compile(r"[^\\$%`]*"))
_NOTHING = re.compile(r"(?!)")
_FLAGS = frozenset(("(ignore_errors=yes)", "(ignore_errors=no)"))

_LEVELS = {
    name: number for number, name in enumerate(("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"))
}
# A number that no memory limit has.
_INVALID = -1


def is_in_force(directive: str, values: t.Sequence[str], properties: t.Mapping[str, str], totals: Totals) -> Verdict:
    """Return whether assigning `values` in order leads to the `properties` that systemd shows; None if unknown."""
    if is_list(directive):
        return _is_list_in_force(directive, values, properties)

    remaining = resolve_assignments(values)
    if not remaining:
        return None

    value = remaining[-1]
    return _is_value_in_force(directive, value, properties, totals)


def _is_value_in_force(directive: str, value: str, properties: t.Mapping[str, str], totals: Totals) -> Verdict:
    names = get_properties(directive, value)
    parts = [value]
    if len(names) > 1:
        # Two limits are written as `soft:hard`. One value without a colon counts for both properties.
        parts = value.split(":")

    verdicts: list[Verdict] = []
    for name, part in zip(names, itertools.cycle(parts)):
        shown = properties.get(name)
        verdict = None
        if shown is not None:
            verdict = _is_same(directive, part.strip(), shown, totals)

        verdicts.append(verdict)

    return _combine(verdicts)


def _combine(verdicts: t.Collection[Verdict]) -> Verdict:
    """Return False if one value differs, else None if one is unknown, else True."""
    for verdict in (False, None):
        if verdict in verdicts:
            return verdict

    return True


def _is_list_in_force(directive: str, values: t.Sequence[str], properties: t.Mapping[str, str]) -> Verdict:
    name = get_properties(directive)[0]
    shown = _get_shown_list(name, properties)
    if shown is None:
        return None

    remaining = resolve_assignments(values)
    if not remaining:
        return not shown

    has_reset = len(remaining) < len(values)
    exactly = has_reset or is_replaced_list(directive)
    return _has_entries(directive, remaining, shown, exactly=exactly)


def _get_shown_list(name: str, properties: t.Mapping[str, str]) -> str | None:
    if name.startswith("Exec"):
        # systemctl prints no line for a list of no commands.
        return properties.get(name, "")

    return properties.get(name)


# Single values.


def _is_same(directive: str, value: str, shown: str, totals: Totals) -> Verdict:
    if value == shown:
        return True

    if directive == "WatchdogSec":
        return _compare_watchdogs(value, shown)

    if shown in ("yes", "no"):
        is_on = shown == "yes"
        return parse_boolean(value) is is_on

    share = parse_percentage(value)
    if share is not None:
        return _is_share(directive, share, shown, totals)

    compare = _choose_comparator(directive)
    if _PADDED.match(value) and compare is not _compare_modes:
        # systemd reads it as an octal number in some directives, and as a decimal one in others.
        return None

    verdict = compare(value, shown)
    if verdict is not None:
        return verdict

    return _compare_words(value, shown)


def _compare_watchdogs(value: str, shown: str) -> Verdict:
    if _compare_times(value, shown):
        return True

    # systemd shows the value of the running process, which got it when it was started.
    return None


def _compare_words(value: str, shown: str) -> Verdict:
    if "%" in value:
        # systemd shows what a specifier stands for.
        return None

    wanted = normalise_words(value)
    found = normalise_words(shown)
    if wanted == found:
        return True

    both_are_words = _WORD.fullmatch(value) and _WORD.fullmatch(shown)
    if not both_are_words:
        return None

    is_named = _is_number(value) != _is_number(shown)
    if is_named:
        # systemd shows the number of a name that is unknown here.
        return None

    return False


def _is_number(text: str) -> bool:
    digits = text.lstrip("-")
    return digits.isdigit()


# Readers: each returns a number that can be compared, None for a text that it cannot read.

_Reader = t.Callable[[str], t.Optional[float]]


def _read_with(pattern: str, convert: t.Callable[[str], float]) -> _Reader:
    """Return a reader of the texts that match `pattern`."""
    compiled = re.compile(pattern)

    def read(text: str) -> float | None:
        if not compiled.fullmatch(text):
            return None

        return convert(text)

    return read


# Numbers are shorter. int() fails for the longest ones.
_read_integer = _read_with("[+-]?[0-9]{1,30}", int)
_read_mode = _read_with("[0-7]{1,30}", functools.partial(int, base=8))


def _read_number(value: str) -> float | None:
    if value == "infinity":
        return math.inf

    number = _read_integer(value)
    if number is None:
        return parse_size(value)

    return number


def _read_shown_number(shown: str) -> float | None:
    if shown in _UNLIMITED:
        return math.inf

    return _read_integer(shown)


def _read_memory(value: str) -> float | None:
    number = _read_number(value)
    if number is None and parse_percentage(value) is None:
        # All valid limits are known here. systemd has ignored this one, and has another value in force.
        return _INVALID

    return number


def _read_time(text: str, *, default_unit: int = SECOND) -> float | None:
    """Return the microseconds of a time span."""
    if text in _UNLIMITED:
        return math.inf

    return parse_time_span(text, default_unit=default_unit)


# Without a unit, this limit of CPU time is in microseconds (rlimit_parse_usec() in systemd's sources).
_read_realtime_limit = functools.partial(_read_time, default_unit=1)


def _read_nanoseconds(value: str) -> float | None:
    number = parse_number(value)
    if number is not None:
        return number

    microseconds = _read_time(value)
    if microseconds is None:
        return None

    return microseconds * 1000


def _read_nice_limit(value: str) -> float | None:
    number = _read_number(value)
    is_signed = value.startswith(("+", "-"))
    if number is None or not is_signed:
        return number

    # A signed value is a nice level, which the kernel counts down from 20 (setrlimit(2)).
    return 20 - number


def _read_cpu_limit(value: str) -> float | None:
    """Return the seconds of a limit of CPU time."""
    microseconds = parse_time_span(value)
    if microseconds is None:
        return _read_number(value)

    # systemd rounds up (rlimit_parse_sec() in its sources), so that no limit becomes 0.
    return math.ceil(microseconds / SECOND)


def _read_name(numbers: t.Mapping[str, int], value: str) -> float | None:
    """Return the number that `systemctl show` prints for a name."""
    number = numbers.get(value.lower())
    if number is None:
        return parse_number(value)

    return number


# Comparators: each compares a value as users write it with one that systemd shows.

_Comparator = t.Callable[[str, str], Verdict]


def _compare_with(read_written: _Reader, read_shown: _Reader) -> _Comparator:
    """Return a comparator of the numbers that two readers return."""

    def compare(value: str, shown: str) -> Verdict:
        wanted = read_written(value)
        found = read_shown(shown)
        if wanted is None or found is None:
            return None

        return wanted == found

    return compare


def _compare_names(numbers: t.Mapping[str, int]) -> _Comparator:
    read_name = functools.partial(_read_name, numbers)
    return _compare_with(read_name, parse_number)


_compare_numbers = _compare_with(_read_number, _read_shown_number)
_compare_times = _compare_with(_read_time, _read_time)
_compare_modes = _compare_with(_read_mode, _read_mode)


def _compare_time_limits(value: str, shown: str) -> Verdict:
    if shown in _UNLIMITED:
        # 0 turns the limit off.
        wanted = _read_time(value)
        return wanted in (0, math.inf)

    return _compare_times(value, shown)


# The first pattern that fits a directive counts. The numbers are those of the kernel (sched.h, ioprio.h) and syslog(3).
_COMPARATORS: tuple[tuple[t.Pattern[str], _Comparator], ...] = (
    (re.compile("CPUSchedulingPolicy"), _compare_names({"other": 0, "fifo": 1, "rr": 2, "batch": 3, "idle": 5})),
    (re.compile("IOSchedulingClass"), _compare_names({"realtime": 1, "best-effort": 2, "idle": 3})),
    (re.compile("LogLevelMax|SyslogLevel"), _compare_names(_LEVELS)),
    (re.compile(".*Signal"), _compare_with(parse_signal, parse_number)),
    (re.compile(".*LimitNICE"), _compare_with(_read_nice_limit, _read_shown_number)),
    (re.compile(".*LimitCPU"), _compare_with(_read_cpu_limit, _read_shown_number)),
    (re.compile(".*LimitRTTIME"), _compare_with(_read_realtime_limit, _read_shown_number)),
    (re.compile(".*NSec"), _compare_with(_read_nanoseconds, _read_shown_number)),
    (re.compile("(?:Timeout|Job|RuntimeMax).*Sec"), _compare_time_limits),
    (re.compile(".*Sec"), _compare_times),
    (re.compile("UMask|.*Mode"), _compare_modes),
    (re.compile("Memory.*"), _compare_with(_read_memory, _read_shown_number)),
)


def _choose_comparator(directive: str) -> _Comparator:
    for pattern, comparator in _COMPARATORS:
        if pattern.fullmatch(directive):
            return comparator

    return _compare_numbers


# Percentages.


class _Total(t.NamedTuple):
    """The amount that a percentage refers to, the error that is tolerated, and the verdict on 100 % of no limit."""

    amount: int
    tolerance: int
    unlimited: Verdict


def _is_share(directive: str, share: float, shown: str, totals: Totals) -> Verdict:
    if directive == "CPUQuota":
        microseconds = round(share * SECOND)
        return parse_time_span(shown) == microseconds

    if directive == "ManagedOOMMemoryPressureLimit":
        expected = share * 2**32
        return _is_near(shown, expected, tolerance=2)

    # systemd rounds memory down to whole pages.
    total = _Total(totals.ram_bytes, tolerance=_PAGE, unlimited=True)
    if directive == "TasksMax":
        total = _Total(totals.tasks, tolerance=1, unlimited=None)

    return _is_share_of(total, share, shown)


def _is_share_of(total: _Total, share: float, shown: str) -> Verdict:
    if not total.amount:
        return None

    is_everything = share >= 1
    if is_everything and shown in _UNLIMITED:
        return total.unlimited

    expected = share * total.amount
    return _is_near(shown, expected, tolerance=total.tolerance)


def _is_near(shown: str, expected: float, *, tolerance: int) -> bool:
    if not shown.isdigit():
        return False

    difference = int(shown) - expected
    return abs(difference) <= tolerance


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
        return _judge_surplus(exactly=exactly)

    if _is_printed_as_written(directive, values):
        return False

    return None


def _judge_surplus(*, exactly: bool) -> Verdict:
    if exactly:
        # The other entries may come from another file.
        return None

    return True


def _is_printed_as_written(directive: str, values: t.Iterable[str]) -> bool:
    """Return whether systemd prints these values as a user writes them; it interprets others first."""
    plain = _PLAIN_VARIABLES.get(directive, _NOTHING)
    if is_command(directive):
        plain = _PLAIN_COMMAND

    return all(plain.fullmatch(value) for value in values)


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

    normal_asked = set(map(normalise_words, asked))
    normal_found = set(map(normalise_words, found))
    return _Entries(normal_asked, normal_found)


def _split_commands(values: t.Sequence[str], shown: str) -> _Entries:
    asked = set()
    for value in values:
        command = value.lstrip("-@:+!|")
        words = split_words(command)
        asked.add(_join_words(" ".join(words)))

    found = set(map(_join_words, _ARGV.findall(shown)))
    return _Entries(asked, found)


def _join_words(command: str) -> str:
    """Return a command with single spaces between its words."""
    return " ".join(command.split())


def _split_environment_files(asked: t.Iterable[str], found: set[str]) -> _Entries:
    # systemd prints `/etc/x (ignore_errors=yes)` for `-/etc/x`.
    names = {name.lstrip("-") for name in asked}
    return _Entries(names, found - _FLAGS)


def _find_last_values(assignments: t.Iterable[str]) -> set[str]:
    """Return the last assignment to each variable, which is the one that counts."""
    last = {}
    for assignment in assignments:
        variable = assignment.partition("=")[0]
        last[variable] = assignment

    return set(last.values())
