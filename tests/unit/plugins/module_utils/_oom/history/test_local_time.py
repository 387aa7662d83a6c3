# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the local time of this host."""

from __future__ import annotations

import time
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.local_time import list_utc_offsets
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.history.factories import HOUR_US

# 2026-03-29 01:00 UTC, when the summer time of Berlin begins.
CHANGE_US = 1_774_746_000 * 1_000_000


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("berlin")
@pytest.mark.parametrize("hours", [(1, 1), (30, 100), (24 * 60, 3)])
def test_change_of_local_time_is_found(hours: tuple[int, int]) -> None:
    first_us = CHANGE_US - hours[0] * HOUR_US - 7
    offsets = list_utc_offsets(first_us, CHANGE_US + hours[1] * HOUR_US + 9)
    assert offsets == [(first_us, 3600), (CHANGE_US, 7200)]


@pytest.mark.usefixtures("berlin")
def test_time_without_change_has_one_offset() -> None:
    assert list_utc_offsets(CHANGE_US, CHANGE_US + HOUR_US) == [(CHANGE_US, 7200)]
