# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values as users write them in unit files, compared with values as `systemctl show` prints them. Pure."""

from __future__ import annotations

import re
import typing as t

_YES = frozenset(("1", "yes", "y", "true", "t", "on"))
_NO = frozenset(("0", "no", "n", "false", "f", "off"))
_UNLIMITED = str(2**64 - 1)
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)([KMGTPE]?)")
_SPAN = re.compile(r"([0-9]+(?:\.[0-9]+)?) *([a-zA-Zµ]*)")

# systemd.time(7), in microseconds.
_SECOND = 1_000_000
_MICROSECONDS = {
    name: factor
    for factor, names in (
        (1, ("us", "usec", "µs")),
        (1000, ("ms", "msec")),
        (_SECOND, ("", "s", "sec", "second", "seconds")),
        (60 * _SECOND, ("m", "min", "minute", "minutes")),
        (3600 * _SECOND, ("h", "hr", "hour", "hours")),
        (86400 * _SECOND, ("d", "day", "days")),
        (7 * 86400 * _SECOND, ("w", "week", "weeks")),
        (2_629_800 * _SECOND, ("M", "month", "months")),
        (31_557_600 * _SECOND, ("y", "year", "years")),
    )
    for name in names
}


def is_in_force(directive: str, values: t.Sequence[str], shown: str | None) -> bool | None:
    """Tell whether assigning `values` in order leads to what systemd has `shown`; None where that cannot be told.

    An empty value resets what came before, as in unit files.
    """
    assigned: list[str] = []
    for value in values:
        assigned = [*assigned, value] if value else []
    if shown is None or not assigned:
        return None
    if len(assigned) > 1:
        return _words(" ".join(assigned)) <= _words(shown)
    return _same(directive, assigned[0], shown)


def _same(directive: str, value: str, shown: str) -> bool | None:
    if value == shown:
        return True
    if shown in ("yes", "no"):
        return value.lower() in (_YES if shown == "yes" else _NO)
    if "%" in value:
        return None
    if shown == _UNLIMITED:
        return value == "infinity"
    if directive.endswith("Sec"):
        return microseconds(value) == (microseconds(shown) or -1)
    if shown.isdigit():
        return size(value) == int(shown)
    return _words(value) <= _words(shown)


def size(text: str) -> int | None:
    """Return the bytes of a size in systemd's syntax (base 1024), None for `infinity` and for what is not a size."""
    match = _SIZE.fullmatch(text)
    return int(float(match.group(1)) * 1024 ** " KMGTPE".index(match.group(2) or " ")) if match else None


def microseconds(text: str) -> int | None:
    """Return the microseconds of a time span in the syntax of systemd.time(7), None for what is not one."""
    spans = _SPAN.findall(text)
    if not spans or _SPAN.sub("", text).strip() or any(unit not in _MICROSECONDS for _number, unit in spans):
        return None
    return sum(round(float(number) * _MICROSECONDS[unit]) for number, unit in spans)


def _words(text: str) -> set[str]:
    return set(text.split())
