# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values as written against values as systemd shows them."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._systemd.values import is_in_force, microseconds, size


@pytest.mark.parametrize(
    ("directive", "values", "shown", "verdict"),
    [
        ("OOMPolicy", ["continue"], "continue", True),
        ("OOMPolicy", ["continue"], "stop", False),
        ("OOMPolicy", ["continue"], None, None),
        ("OOMPolicy", [""], "stop", None),
        ("NoNewPrivileges", ["true"], "yes", True),
        ("NoNewPrivileges", ["0"], "no", True),
        ("NoNewPrivileges", ["0"], "yes", False),
        ("MemoryMax", ["512M"], "536870912", True),
        ("MemoryMax", ["1.5G"], "1610612736", True),
        ("MemoryMax", ["512M"], "infinity", False),
        ("MemoryMax", ["infinity"], "infinity", True),
        ("MemoryLimit", ["infinity"], "18446744073709551615", True),
        ("MemoryMax", ["50%"], "268435456", None),
        ("OOMScoreAdjust", ["-500"], "-500", True),
        ("OOMScoreAdjust", ["-500"], "0", False),
        ("TimeoutStopSec", ["90"], "1min 30s", True),
        ("TimeoutStopSec", ["1min 30s"], "1min 30s", True),
        ("TimeoutStopSec", ["2h"], "1min 30s", False),
        ("TimeoutStopSec", ["soon"], "infinity", False),
        ("Environment", ["A=1", "B=2"], "B=2 A=1 C=3", True),
        ("Environment", ["A=1", "", "B=2"], "B=2", True),
        ("Environment", ["A=1", "B=2"], "A=1", False),
    ],
)
def test_what_is_in_force(directive: str, values: list[str], shown: str | None, verdict: bool | None) -> None:
    assert is_in_force(directive, values, shown) is verdict


@pytest.mark.parametrize(("text", "bytes_"), [("1K", 1024), ("0", 0), ("infinity", None), ("1Q", None), ("", None)])
def test_sizes_in_the_syntax_of_systemd(text: str, bytes_: int | None) -> None:
    assert size(text) == bytes_


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5", 5_000_000),
        ("1.5ms", 1500),
        ("1h 2min", 3_720_000_000),
        ("infinity", None),
        ("5 parsecs", None),
        ("", None),
    ],
)
def test_time_spans(text: str, expected: int | None) -> None:
    assert microseconds(text) == expected
