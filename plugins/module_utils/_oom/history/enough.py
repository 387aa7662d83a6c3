# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much memory, swap or how few processes would have been enough; pure.

A report shows how much a unit had when it was killed, not how much more it wanted. That is known only from a run that
used more and was not killed, for example before the limit was lowered or after it was raised.
"""

from __future__ import annotations

import typing as t

from ..._size import format_size
from .growth import Growth
from .model import Kill, Past

# What a recommendation adds to what was used.
_MARGIN = 1.05
_MIB = 1 << 20
_LEAK = (
    "No size is enough for a leak: a higher limit or more swap only delays the next kill. Fix the leak, or restart the "
    "program regularly."
)
# The share of the processes that filled the memory which leaves room for other growth.
_FITTING_SHARE = 0.9
# The limit that was reached is the unit's own if the unit used about as much.
_OWN_LIMIT = (0.9, 1.1)
_RAM_EXHAUSTED = ("ram_and_swap_exhausted", "ram_exhausted_no_swap")


class Enough(t.NamedTuple):
    """What would have been enough; None for what does not apply, and for all three after a leak."""

    sentence: str
    memory_max_bytes: int | None = None
    """For MemoryMax= of the unit."""
    swap_total_bytes: int | None = None
    """The swap of the host."""
    workers: int | None = None
    """The number of processes with the victim's name."""
    is_lower_bound: bool = False
    """Whether all that is known is that less is not enough."""


def find_enough(kills: t.Sequence[Kill], past: Past, growth: Growth) -> Enough | None:
    """Return what would have been enough for kills of one kind, which are oldest first; None if nothing shows it."""
    kill = kills[-1]
    if growth.verdict == "leak":
        return Enough(_LEAK)

    if growth.verdict == "too_many":
        return _find_workers(kill)

    most = _find_most_used(kill, past)
    if kill.cause == "cgroup_limit":
        return _find_limit(kill, most, growth)

    if kill.cause in _RAM_EXHAUSTED:
        return _find_swap(kill, most)

    return None


def _find_workers(kill: Kill) -> Enough | None:
    if kill.namesakes is None:
        return None

    workers = int(kill.namesakes * _FITTING_SHARE)
    return Enough(
        f"At most {workers} processes named {kill.victim} fit: {kill.namesakes} filled the memory, and a tenth is left "
        "for other growth.",
        workers=workers,
    )


def _find_most_used(kill: Kill, past: Past) -> int | None:
    """Return the most that the unit of a kill used in a run without a kill, if that was more than at the kill."""
    if kill.unit_peak_bytes is None:
        return None

    own = [life.held_bytes for life in past.lives if life.unit == kill.unit]
    most = max(filter(None, own), default=0)
    if most <= kill.unit_peak_bytes:
        return None

    return most


def _find_limit(kill: Kill, most: int | None, growth: Growth) -> Enough | None:
    """Return the limit that a run without a kill needs, or else that more is needed than the limit at the kill."""
    if kill.limit_bytes is None or not _is_own_limit(kill):
        return None

    limit = format_size(kill.limit_bytes)
    if most is None and growth.verdict == "cannot_tell":
        # It may be a leak, for which nothing is enough.
        return None

    if most is None:
        return Enough(
            f"More than {limit} is needed. How much more is not known, since no run of {kill.unit} used more without "
            "being killed.",
            memory_max_bytes=kill.limit_bytes,
            is_lower_bound=True,
        )

    enough = _round_up(most * _MARGIN)
    return Enough(
        f"MemoryMax={enough // _MIB}M is enough for what {kill.unit} is known to need: a run that was not killed used "
        f"{format_size(most)}, and 5% are added. At {limit} it was killed.",
        memory_max_bytes=enough,
    )


def _is_own_limit(kill: Kill) -> bool:
    """Return whether the limit that was reached is that of the unit, and not that of a slice."""
    if kill.limit_bytes is None or kill.unit_peak_bytes is None:
        return False

    least, greatest = _OWN_LIMIT
    return least * kill.limit_bytes <= kill.unit_peak_bytes <= greatest * kill.limit_bytes


def _find_swap(kill: Kill, most: int | None) -> Enough | None:
    """Return the swap that a run needs which used more than the killed one, and was not killed."""
    if most is None or kill.unit_peak_bytes is None or kill.swap_total_bytes is None:
        return None

    missing = most * _MARGIN - kill.unit_peak_bytes
    enough = _round_up(kill.swap_total_bytes + missing)
    return Enough(
        f"A total swap of {format_size(enough)} is enough for what {kill.unit} is known to need: a run that was not "
        f"killed used {format_size(most)}, and 5% are added. When it was killed, it had "
        f"{format_size(kill.unit_peak_bytes)}, and the swap was {format_size(kill.swap_total_bytes)}.",
        swap_total_bytes=enough,
    )


def _round_up(size: float) -> int:
    """Return a size as the next whole MiB."""
    return -(-int(size) // _MIB) * _MIB
