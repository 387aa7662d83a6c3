# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times as systemd writes them."""

from __future__ import annotations

import time
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._journal.times import format_time, parse_time, parse_utc


@pytest.fixture
def _in_berlin(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "CET-1")
        patch.setattr(time, "time", lambda: 1_795_000_000)
        patch.setattr(time, "localtime", lambda: (2026, 11, 1, 12, 0, 0, 6, 305, 0))
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("_in_berlin")
@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("@1795000000", 1_795_000_000),
        (" -2h ", 1_794_992_800),
        ("-30", 1_794_999_970),
        ("-3min", 1_794_999_820),
        ("2 hours ago", 1_794_992_800),
        ("1day ago", 1_794_913_600),
        ("2026-11-18 12:06:40", 1_795_000_000),
        ("2026-11-18 12:06", 1_794_999_960),
        ("2026-11-18 11:06:40 UTC", 1_795_000_000),
        ("2026-11-18", 1_794_956_400),
        ("today", 1_793_487_600),
        ("yesterday", 1_793_401_200),
    ],
)
def test_usual_times_are_read(text: str, seconds: int) -> None:
    assert parse_time(text) == seconds * 1_000_000


@pytest.mark.parametrize(
    "text", ["", "soon", "last week", "-1month", "-1M", "2 hours", "@1.5", "2026-13-01", "20261118"]
)
def test_other_times_are_not_read(text: str) -> None:
    assert parse_time(text) is None


def test_time_is_formatted_to_the_microsecond() -> None:
    assert format_time(1_795_000_000_000_042) == "@1795000000.000042"


def test_time_of_a_boot_is_in_utc() -> None:
    assert parse_utc("2026-11-18 11:06:40") == 1_795_000_000_000_000
