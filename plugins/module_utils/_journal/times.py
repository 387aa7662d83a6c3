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


def moment(text: str) -> int | None:
    """Return the time that is written in one of the usual ways of systemd.time(7), None for the others."""
    text = text.strip()
    ago = re.fullmatch(_AGO, text)
    try:
        if ago:
            seconds = time.time() - int(ago[2]) * _SECONDS[ago[3][:1]]
        elif text in _DAYS_AGO:
            year, month, day, *_time = time.localtime()
            seconds = time.mktime((year, month, day - _DAYS_AGO[text], 0, 0, 0, 0, 0, -1))
        elif re.fullmatch(_DATE, text):
            seconds = dt.datetime.fromisoformat(text.replace(" UTC", "+00:00")).timestamp()
        elif text.startswith("@"):
            seconds = int(text[1:])
        else:
            return None
    except (ValueError, OverflowError):
        return None
    return int(seconds * 1_000_000)


def at_time(realtime_us: int) -> str:
    return f"@{realtime_us // 1_000_000}.{realtime_us % 1_000_000:06d}"


def utc(text: str) -> int:
    when = dt.datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=dt.timezone.utc)
    return int(when.timestamp()) * 1_000_000
