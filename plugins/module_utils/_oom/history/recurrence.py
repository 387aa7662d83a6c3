# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the kills of a kind come, what precedes them, and when the next one is to be expected: plain data; pure."""

from __future__ import annotations

import typing as t

from ..summary import format_time, format_utc
from .clock import SECOND, word_time
from .forecast import Forecast, forecast
from .model import Kill, Past
from .occasions import Rhythm
from .preceding import Preceding, find_preceding
from .rhythm import find_rhythm

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

Data = t.Dict[str, t.Any]


def build_recurrence(kills: t.Sequence[Kill], past: Past, now_us: int) -> Data:
    """Return `rhythm`, `preceded_by` and `forecast` of one kind of kills; null for what there is not."""
    rhythm = find_rhythm(kills, past)
    next_kill = forecast(kills, past, rhythm, now_us)
    return {
        "rhythm": rhythm and _build_rhythm(rhythm),
        "preceded_by": [_build_preceding(preceding) for preceding in find_preceding(kills, past, rhythm)],
        "forecast": next_kill and _build_forecast(next_kill),
    }


def _build_rhythm(rhythm: Rhythm) -> Data:
    return {
        "kind": rhythm.kind,
        **_build_occasion(rhythm),
        "within_seconds": rhythm.within_us // SECOND,
        "jitter_seconds": rhythm.jitter_us // SECOND,
        "matched": rhythm.matched,
        "kills": rhythm.kills,
        "hits": rhythm.hits,
        "occasions": rhythm.occasions,
        "chance": rhythm.chance,
        "sentence": rhythm.sentence,
    }


def _build_occasion(rhythm: Rhythm) -> Data:
    """Return when there is an occasion of a rhythm."""
    if rhythm.kind == "after_start":
        return {"time": None, "days": [], "every_seconds": None, "after_seconds": rhythm.at_us // SECOND}

    return {
        "time": word_time(rhythm.at_us),
        "days": [_DAYS[weekday] for weekday in rhythm.weekdays],
        "every_seconds": rhythm.period_us // SECOND,
        "after_seconds": None,
    }


def _build_preceding(preceding: Preceding) -> Data:
    return {
        "what": preceding.what,
        "name": preceding.name,
        "together": [{"what": what, "name": name} for what, name in preceding.together],
        "window_seconds": preceding.window_us // SECOND,
        "before": preceding.before,
        "kills": preceding.kills,
        "otherwise": preceding.otherwise,
        "lag_seconds": preceding.lag_us // SECOND,
        "shortest_seconds": preceding.shortest_us // SECOND,
        "longest_seconds": preceding.longest_us // SECOND,
        "chance": preceding.chance,
        "has_clock": preceding.has_clock,
        "sentence": preceding.sentence,
    }


def _build_forecast(next_kill: Forecast) -> Data:
    data = {
        "expected": format_time(next_kill.expected_us),
        "earliest": format_time(next_kill.earliest_us),
        "latest": format_time(next_kill.latest_us),
    }
    return {**data, "share": next_kill.share, "basis": next_kill.basis, "sentence": _word_forecast(next_kill)}


def _word_forecast(next_kill: Forecast) -> str:
    earliest = format_utc(format_time(next_kill.earliest_us) or "")
    latest = format_utc(format_time(next_kill.latest_us) or "")
    when = f"between {earliest} and {latest}"
    if earliest == latest:
        when = f"at {earliest}"

    sentence = f"The next kill is expected {when}"
    if next_kill.share is None:
        return f"{sentence}."

    return f"{sentence}. So far, {next_kill.share:.0%} of such times had a kill."
