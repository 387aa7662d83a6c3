# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values in systemd's syntax: sizes, percentages, time spans, signals and words. Pure."""

from __future__ import annotations

import re
import shlex
import signal

SECOND = 1_000_000

_BOOLEANS = {
    **dict.fromkeys(("1", "yes", "y", "true", "t", "on"), True),
    **dict.fromkeys(("0", "no", "n", "false", "f", "off"), False),
}

# Longer numbers are out of range for all settings. int() fails for the longest ones.
_DIGITS = re.compile("[0-9]{1,30}")
# parse_size() in systemd's sources: a sum of numbers, each with a smaller unit than the one before.
_UNITS = ("E", "P", "T", "G", "M", "K", "B", "")
_EXPONENTS = (6, 5, 4, 3, 2, 1, 0, 0)
_TERM = r"(?:\s*\+?([0-9]{{1,30}}(?:\.[0-9]*)?)\s*{})?"
_SIZE = re.compile("(?=.*[0-9])" + "".join(map(_TERM.format, _UNITS)))
_LARGEST_SIZE = 2**63 - 1
_PERCENTAGE = re.compile("([0-9]{1,15}(?:[.][0-9]{1,15})?)([%‰‱])")
_PARTS = {"%": 100, "‰": 1000, "‱": 10_000}
# parse_time() in systemd's sources.
_SPAN = re.compile(r"\+?([0-9]{1,30}|(?=\.[0-9]))(?:\.([0-9]+))?\s*([a-zA-Zµμ]*)")
_LONGEST_TIME = 2**64 - 2
_FILE = re.compile(r"(append|file|truncate|fd):.*")
_SIGNAL = re.compile(r"(?:SIG)?([A-Z][A-Z0-9]*)([+-][0-9]{1,3})?")

# The units of time in systemd.time(7), in microseconds.
_MICROSECONDS = {
    name: factor
    for factor, names in (
        (1, ("us", "usec", "µs", "μs")),
        (1000, ("ms", "msec")),
        (SECOND, ("s", "sec", "second", "seconds")),
        (60 * SECOND, ("m", "min", "minute", "minutes")),
        (3600 * SECOND, ("h", "hr", "hour", "hours")),
        (86400 * SECOND, ("d", "day", "days")),
        (7 * 86400 * SECOND, ("w", "week", "weeks")),
        (2_629_800 * SECOND, ("M", "month", "months")),
        (31_557_600 * SECOND, ("y", "year", "years")),
    )
    for name in names
}


def parse_boolean(text: str) -> bool | None:
    """Return the boolean that `text` stands for, None for any other word."""
    word = text.lower()
    return _BOOLEANS.get(word)


def parse_number(text: str) -> int | None:
    """Return the number that decimal digits stand for, None for any other text."""
    if not _DIGITS.fullmatch(text):
        return None

    return int(text)


def parse_size(text: str, *, base: int = 1024) -> int | None:
    """Return the bytes of a size such as `1.5G` or `1G 512M`, None for `infinity` and for any other text."""
    match = _SIZE.fullmatch(text)
    if match is None:
        return None

    size = 0
    for number, exponent in zip(match.groups(default="0"), _EXPONENTS):
        whole, _point, fraction = number.partition(".")
        factor = base**exponent
        # systemd calculates with floating point numbers, too.
        size += int(whole) * factor + int(float(f"0.{fraction}") * factor)

    if size > _LARGEST_SIZE:
        return None

    return size


def parse_percentage(text: str) -> float | None:
    """Return the share that a percentage stands for (0.5 for `50%` and `500‰`), None for any other text."""
    match = _PERCENTAGE.fullmatch(text)
    if match is None:
        return None

    number, sign = match.groups()
    return float(number) / _PARTS[sign]


def parse_memory_limit(text: str, ram_bytes: int) -> int | None:
    """Return the bytes of a memory limit, which may be a percentage of the host's RAM; None if there is no limit."""
    share = parse_percentage(text)
    if share is None:
        return parse_size(text)

    limit = int(share * ram_bytes)
    return limit or None


def parse_time_span(text: str, *, default_unit: int = SECOND) -> int | None:
    """Return the microseconds of a time span in the syntax of systemd.time(7), None for any other text.

    A number without a unit counts `default_unit` microseconds.
    """
    factors = {**_MICROSECONDS, "": default_unit}
    spans = _SPAN.findall(text)
    rest = _SPAN.sub("", text)
    if not spans or rest.strip():
        return None

    microseconds = 0
    for whole, fraction, unit in spans:
        factor = factors.get(unit)
        if factor is None:
            return None

        microseconds += int(whole or "0") * factor + _scale_fraction(fraction, factor)

    if microseconds > _LONGEST_TIME:
        return None

    return microseconds


def _scale_fraction(fraction: str, factor: int) -> int:
    """Return a fraction, which is given by its digits, of `factor`. As systemd does, round each digit down."""
    amount = 0
    for digit in fraction:
        factor //= 10
        amount += int(digit) * factor

    return amount


def parse_signal(text: str) -> int | None:
    """Return the number of a signal such as SIGINT, INT, SIGRTMIN+3 or 2, None for any other text."""
    match = _SIGNAL.fullmatch(text)
    if match is None:
        return parse_number(text)

    name, offset = match.groups(default="0")
    number = signal.Signals.__members__.get(f"SIG{name}")
    if number is None:
        return None

    return number + int(offset)


def split_words(text: str) -> list[str]:
    """Return the words of a list, without the quotes around some of them."""
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def normalise_words(text: str) -> str:
    """Return the words of a text in one form, whether a user wrote or systemd printed them."""
    words = map(_normalise_word, text.split())
    return " ".join(words)


def _normalise_word(word: str) -> str:
    size = parse_size(word, base=1000)
    if size is not None:
        return str(size)

    if word.startswith("SIG"):
        return word[len("SIG") :].lower()

    # systemd prints `append` for `append:/var/log/x`, and drops the slash at the end of a folder.
    bare = _FILE.sub(r"\1", word).rstrip("/")
    return bare.lower()
