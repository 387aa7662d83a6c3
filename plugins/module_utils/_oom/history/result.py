# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The history of a host as the plain data that `oom_info` and `oom_history_info` return."""

from __future__ import annotations

import typing as t

from ..._journal.journal import Journal
from ..._journal.window import Extent
from ..summary import format_time
from .clock import SECOND
from .enough import Enough, find_enough
from .growth import judge_growth
from .kinds import Kind, group_kills
from .model import Kill, Modification, Past
from .observe import observe_past
from .recurrence import build_recurrence
from .since import Period, Since, judge_changes

# Any user can have processes of any number of names killed.
_MOST_KINDS = 100


def find_history(
    journal: Journal, extent: Extent, kills: t.Sequence[Kill], *, now_us: int, local: bool
) -> dict[str, t.Any]:
    """Return the history of the kills in the requested part of a journal. Raises JournalError.

    `local` is whether it is this host's own journal.
    """
    past = observe_past(journal, extent, kills, local=local)
    kinds = group_kills(past.kills)
    built = [build_kind(kind, past, now_us=now_us) for kind in kinds[:_MOST_KINDS]]

    return {
        "from": format_time(past.first_us),
        "to": format_time(past.last_us),
        "kinds": built,
        "other_kinds": len(kinds) - len(built),
    }


def build_kind(kind: Kind, past: Past, *, now_us: int) -> dict[str, t.Any]:
    """Return what the past says of one kind of kills; null for what is unknown."""
    kills = kind.kills
    growth = judge_growth(kills, past)

    return {
        "unit": kind.unit or None,
        "victim": kind.victim or None,
        "cause": kind.cause,
        "count": len(kills),
        "first": format_time(kills[0].time_us),
        "last": format_time(kills[-1].time_us),
        "growth": {**growth._asdict(), "evidence": list(growth.evidence), "sentence": growth.sentence},
        **build_recurrence(kills, past, now_us),
        "enough": _build_enough(find_enough(kills, past, growth)),
        "since": [describe_since(since) for since in judge_changes(kills, past)],
    }


def _build_enough(enough: Enough | None) -> dict[str, t.Any] | None:
    if enough is None:
        return None

    return enough._asdict()


def describe_since(since: Since) -> dict[str, t.Any]:
    """Return a change, or several, and the kills before and after as plain data."""
    return {
        "changes": list(map(_describe_change, since.changes)),
        "verdict": since.verdict,
        "sentence": since.sentence,
        "chance": since.chance,
        "before": _describe_period(since.before),
        "after": _describe_period(since.after),
    }


def _describe_change(change: Modification) -> dict[str, str | None]:
    return {
        "time": format_time(change.time_us),
        "what": change.what,
        "before": change.before,
        "after": change.after,
        "by": change.by,
        "unit": change.unit or None,
    }


def _describe_period(period: Period) -> dict[str, int]:
    return {"kills": period.kills, "occasions": period.occasions, "up_seconds": period.up_us // SECOND}
