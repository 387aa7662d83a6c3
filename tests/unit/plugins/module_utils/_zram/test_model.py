# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests for zram, and which devices meet them."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._size import SizeError
from ansible_collections.oomguard.linux.plugins.module_utils._zram.model import Share, ZramError, parse_share, to_mib
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._zram.factories import (
    GIB,
    HALF,
    MIB,
    RAM,
    WANTED,
    device,
)


@pytest.mark.parametrize(
    ("text", "share"),
    [("50%", Share(50, 0)), (" 1000% ", Share(1000, 0)), ("2G", Share(None, 2 * GIB)), ("100", Share(None, 100))],
)
def test_share(text: str, share: Share) -> None:
    assert parse_share(text) == share


@pytest.mark.parametrize("text", ["-5%", "1.5%", "%", "", "half", "\u0665%"])
def test_not_a_share(text: str) -> None:
    with pytest.raises(SizeError, match="is not a size"):
        parse_share(text)


def test_percentage_is_of_ram() -> None:
    assert WANTED.find_size(RAM) == HALF


def test_size_has_a_maximum() -> None:
    assert WANTED.find_size(64 * GIB) == 4 * GIB


def test_unit_of_the_generator_is_mib() -> None:
    assert to_mib(3 * MIB + 5) == 3


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"priority": -1}, "-1 is not a valid priority"),
        ({"priority": 32768}, "32768 is not a valid priority"),
        ({"algorithm": "zstd\nx = y"}, "is not a compression algorithm"),
        ({"algorithm": "z" * 33}, "is not a compression algorithm"),
        ({"maximum_bytes": MIB}, "1.0 MiB is too small"),
        ({"share": Share(None, 0)}, "0 B is too small"),
    ],
)
def test_senseless_request_is_refused(changes: dict[str, t.Any], reason: str) -> None:
    with pytest.raises(ZramError, match=reason):
        dataclasses.replace(WANTED, **changes)


@pytest.mark.parametrize(
    ("changes", "met"),
    [
        ({}, True),
        ({"size_bytes": HALF - 16 * MIB}, True),
        ({"size_bytes": HALF - 17 * MIB}, False),
        ({"priority": 99}, False),
        ({"priority": None}, False),
        ({"algorithm": "zstd"}, True),
    ],
)
def test_device_meets_request(changes: dict[str, t.Any], *, met: bool) -> None:
    assert WANTED.is_met_by(device(**changes), RAM) == met


def test_requested_algorithm_must_be_in_use() -> None:
    assert not dataclasses.replace(WANTED, algorithm="zstd").is_met_by(device(algorithm="lz4"), RAM)
