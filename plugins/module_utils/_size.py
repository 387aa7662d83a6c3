# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes as people write and read them."""

from __future__ import annotations

import decimal
import re

from ._errors import OomguardError

_UNITS = {"": 1, "B": 1}
for _power, _letter in enumerate("KMGTPE", start=1):
    _UNITS[_letter] = _UNITS[f"{_letter}IB"] = 1024**_power
    _UNITS[f"{_letter}B"] = 1000**_power

# The kernel counts the bytes of a process in 63 bits, which is 8 EiB.
_LARGEST_LIMIT = 1024**6
# No process runs in less, so a smaller limit has probably lost its unit.
_LEAST_LIMIT = 1024**2

# Of swap and zram, more than ten times the RAM helps no host.
_HIGHEST_PERCENTAGE = 1000

_PERCENTAGE = re.compile(r"([0-9]{1,5}) ?%")
_SIZE = re.compile(r"([0-9]{1,40}(?:\.[0-9]{1,40})?) ?([A-Z]{0,3})", re.IGNORECASE)
# The kernel and systemd count bytes in 64 bits.
_LARGEST = 2**64 - 1


class SizeError(OomguardError):
    """A text is not a size, or a limit is too small."""


def parse_size(text: str | int) -> int:
    """Return the bytes that `text` stands for.

    `10G` and `10GiB` are binary (1024 to the power of 3), `10GB` is decimal (1000 to the power of 3), and a plain
    number is bytes. The units K, M, G, T, P and E are accepted in either case. A fraction such as `1.5G` must come to
    whole bytes. Raises SizeError.
    """
    match = _SIZE.fullmatch(str(text).strip())
    if not match:
        raise _not_a_size(text)

    number, unit = match.groups()
    if unit.upper() not in _UNITS:
        raise _not_a_size(text)

    size = decimal.Decimal(number) * _UNITS[unit.upper()]
    if size != int(size):
        raise _not_a_size(text)

    if size > _LARGEST:
        raise SizeError(f"{str(text)[:64]!r} is too large.", hint="Use a size below 16 EiB.")

    return int(size)


def parse_percentage(text: str) -> int | None:
    """Return the percentage of the RAM that `text` stands for, such as `200%`; None if it is something else.

    Raises SizeError if it is out of range.
    """
    word = text.strip()
    match = _PERCENTAGE.fullmatch(word)
    if not match:
        return None

    percentage = int(match.group(1))
    if not 1 <= percentage <= _HIGHEST_PERCENTAGE:
        raise SizeError(
            f"{word} is not a valid part of the RAM.", hint=f"Use a percentage from 1% to {_HIGHEST_PERCENTAGE}%."
        )

    return percentage


def parse_limit(text: str | int, *, name: str) -> int:
    """Return the bytes of the memory limit called `name`, as parse_size() does.

    Raises SizeError, also if the limit is smaller than any process needs, or larger than any host has.
    """
    size = parse_size(text)
    refuse_tiny(name, str(text).strip(), size)
    if size > _LARGEST_LIMIT:
        raise SizeError(
            f"{name} is larger than the memory of any host.", hint=f"Set {format_size(_LARGEST_LIMIT)} or less."
        )

    return size


def refuse_tiny(name: str, text: str, size: int) -> None:
    """Raise SizeError if `size`, the bytes of the limit called `name`, is smaller than any process needs.

    `text` is the limit as the user wrote it.
    """
    if size >= _LEAST_LIMIT:
        return

    hint = f"Set {format_size(_LEAST_LIMIT)} or more."
    if text.isdigit() and size:
        hint = f"Did you mean {text}M?"
    raise SizeError(f"{name} is {size} bytes, but no process runs in so little memory.", hint=hint)


def format_size(size: int) -> str:
    """Return `size` bytes in binary units for people to read: `836.0 MiB`, `0 B`."""
    if abs(size) < 1024:
        return f"{size} B"

    value = size / 1024
    unit = "KiB"
    for larger_unit in ("MiB", "GiB", "TiB", "PiB"):
        if abs(value) < 1024:
            break

        value /= 1024
        unit = larger_unit

    return f"{value:.1f} {unit}"


def _not_a_size(text: str | int) -> SizeError:
    return SizeError(
        f"{str(text)[:64]!r} is not a size.",
        hint="Use a number of bytes, or a number with a unit such as 512M, 10G, 10GiB (binary) or 10GB (decimal).",
    )
