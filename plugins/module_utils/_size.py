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

# No process runs in less; a limit below it has lost its unit.
_LEAST_LIMIT = 1024**2

_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([A-Z]{0,3})", re.IGNORECASE)


class SizeError(OomguardError):
    """A text is not a size."""


def parse_size(text: str | int) -> int:
    """Return the bytes that `text` stands for.

    `10G` and `10GiB` are binary (1024 to the power of 3), `10GB` is decimal (1000 to the power of 3), a plain number
    is bytes; K, M, G, T, P and E in either case; a fraction is fine where it comes to whole bytes (`1.5G`).
    Raises SizeError.
    """
    match = _SIZE.fullmatch(str(text).strip())
    factor = _UNITS.get(match.group(2).upper()) if match else None
    size = decimal.Decimal(match.group(1)) * factor if match and factor else None
    if size is None or size != int(size):
        raise SizeError(
            f"{str(text)[:64]!r} is not a size.",
            hint="Write a number of bytes, or one with a unit such as 512M, 10G, 10GiB (binary) or 10GB (decimal).",
        )
    return int(size)


def parse_limit(text: str | int, *, of: str) -> int:
    """Return the bytes of a limit of memory, as parse_size() does. Raises SizeError, also for what is too little."""
    size = parse_size(text)
    refuse_tiny(of, str(text).strip(), size)
    return size


def refuse_tiny(limit: str, text: str, size: int) -> None:
    """Raise SizeError where `limit`, written as `text`, is of fewer bytes than any process needs."""
    if size < _LEAST_LIMIT:
        raise SizeError(
            f"{limit} is {size} bytes, and no process runs in so little.",
            hint=f"Did you mean {text}M?" if text.isdigit() and size else f"Give {format_size(_LEAST_LIMIT)} or more.",
        )


def format_size(size: int) -> str:
    """Return `size` bytes as people read it, in binary units: `836.0 MiB`, `0 B`."""
    value, unit = float(size), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB", "PiB"):
        if abs(value) < 1024 or unit == "PiB":
            break
        value /= 1024
    return f"{size} B" if unit == "B" else f"{value:.1f} {unit}"
