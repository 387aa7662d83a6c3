# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times as systemd writes them, in microseconds since 1970."""

from __future__ import annotations

import datetime as dt
import re
import time

_AGO = r"(-)?(\d+)\s*(s|sec|seconds?|m|min|minutes?|h|hr|hours?|d|days?|w|weeks?|)(?(1)|\s+ago)"
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DAYS_AGO = {"today": 0, "yesterday": 1}
_DATE = r"\d{4}-\d\d-\d\d( \d\d:\d\d(:\d\d)?( UTC)?)?"


def parse_time(text: str) -> int | None:
    """Return the time that `text` gives in one of the usual forms of systemd.time(7), or None for other forms."""
    try:
        seconds = _parse_seconds(text.strip())
        return int(seconds * 1_000_000)
    except (ValueError, OverflowError):
        return None


def parse_utc(text: str) -> int:
    """Return the time that `text` gives as date and time in UTC, as in "2026-11-23 16:38:00"."""
    when = dt.datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=dt.timezone.utc)
    return int(when.timestamp()) * 1_000_000


def format_time(realtime_us: int) -> str:
    """Return the time in a form that journalctl takes, exact to the microsecond."""
    return f"@{realtime_us // 1_000_000}.{realtime_us % 1_000_000:06d}"


def format_utc(realtime_us: int) -> str:
    """Return the time for people, to the second."""
    moment = dt.datetime.fromtimestamp(realtime_us // 1_000_000, tz=dt.timezone.utc)
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _parse_seconds(text: str) -> float:
    """Return the seconds since 1970.

    Raises ValueError for other forms than the usual ones, and ValueError or OverflowError for numbers out of range.
    """
    ago = re.fullmatch(_AGO, text)
    if ago:
        return time.time() - int(ago[2]) * _SECONDS[ago[3][:1]]
    if text in _DAYS_AGO:
        return _find_midnight(_DAYS_AGO[text])
    if re.fullmatch(_DATE, text):
        return dt.datetime.fromisoformat(text.replace(" UTC", "+00:00")).timestamp()
    if text.startswith("@"):
        return int(text[1:])

    raise ValueError(text)


def _find_midnight(days_ago: int) -> float:
    """Return the beginning of a day in local time, as seconds since 1970."""
    year, month, day, *_time = time.localtime()
    return time.mktime((year, month, day - days_ago, 0, 0, 0, 0, 0, -1))
