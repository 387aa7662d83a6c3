# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the rhythm of kills; pure.

A rhythm needs at least four kills and half of all kills, and less than 1% chance at random:

* Kills in quick succession count as one. Otherwise each burst would look like a rhythm.
* Kills at random may come at some hours of the day more often than at others, but not in some minutes more often than
  in the hours around them. The window of a rhythm must hold more kills than chance puts there from the four hours
  before it, from the four hours after it, and from the whole period. Kills of one day are not independent.
* Kills that come a regular time after the kill before them have no rhythm of the clock if this explains them better.
"""

from __future__ import annotations

import typing as t

from .chance import SIGNIFICANT, correct
from .clock_rhythm import ClockRhythm, list_clock_rhythms
from .model import Kill, Past
from .occasions import Rhythm
from .start_rhythm import StartRhythm, list_start_rhythms

_FAMILIES = 2
"""The clock and the starts: each may be wrong in half of the cases."""


def find_rhythm(kills: t.Sequence[Kill], past: Past) -> Rhythm | None:
    """Return the rhythm that explains the kills of one kind best; None if there is none."""
    rhythms: list[ClockRhythm | StartRhythm] = [*list_clock_rhythms(kills, past), *list_start_rhythms(kills)]
    for rhythm in sorted(rhythms, key=lambda rhythm: rhythm.gain, reverse=True):
        chance = correct(rhythm.find_chance(), _FAMILIES)
        if chance >= SIGNIFICANT:
            continue

        if rhythm.kind == "after_kill":
            return None

        return rhythm.describe(past, kills, chance)

    return None
