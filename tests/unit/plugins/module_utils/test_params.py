# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks that all parameters of modules go through."""

from __future__ import annotations

import re
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._params import (
    ParameterError,
    check_name,
    check_ranges,
    check_texts,
)

OPTIONS: dict[str, dict[str, t.Any]] = {
    "size": {"type": "str"},
    "path": {"type": "path"},
    "logs": {"type": "list", "elements": "path"},
    "settings": {"type": "dict"},
    "workers": {"type": "list", "elements": "dict", "options": {"script": {"type": "path"}}},
    "count": {"type": "int"},
}


@pytest.mark.parametrize(
    "params",
    [
        {"size": "1G", "path": "/srv/log", "logs": ["/a", "relative"], "count": 7},
        {"size": None, "path": None, "logs": None, "settings": {}, "workers": None},
        {"size": "x" * 65_536, "path": "/" + "x" * 255, "settings": {"a": 1, "b": [None, "c"]}},
        {"workers": [{"script": "/srv/a.fcgi"}, {"script": None}]},
        {"path": "/d" * 2047},
    ],
)
def test_ordinary_parameters_are_accepted(params: dict[str, t.Any]) -> None:
    check_texts(params, OPTIONS)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"size": "1\0G"}, "The value of size contains a NUL character: "),
        ({"logs": ["/a", "/\udcff"]}, "The value of logs contains bytes that are not UTF-8"),
        ({"settings": {"a": ["\ud800"]}}, "The value of settings contains bytes that are not UTF-8"),
        ({"settings": {"a\0": 1}}, "The value of settings contains a NUL character"),
        ({"size": "x" * 65_537}, "The value of size has 65537 characters, but at most 65536 can be used"),
        ({"path": "/" + "x" * 256}, "The value of path contains a name of 256 bytes, but such a name has at most 255."),
        ({"path": "/" + "é" * 128}, "The value of path contains a name of 256 bytes"),
        ({"logs": ["/d" * 2048]}, "The value of logs has 4096 bytes, but a path has at most 4095."),
        ({"workers": [{"script": "x" * 300}]}, "The value of script contains a name of 300 bytes"),
    ],
)
def test_texts_that_no_host_accepts_are_rejected(params: dict[str, t.Any], message: str) -> None:
    with pytest.raises(ParameterError, match=re.escape(message)):
        check_texts(params, OPTIONS)


def test_a_name_can_have_a_lower_limit() -> None:
    check_name("journal_namespace", "x" * 222, longest=222)
    with pytest.raises(ParameterError, match="a name of 223 bytes, but such a name has at most 222"):
        check_name("journal_namespace", "x" * 223, longest=222)


@pytest.mark.parametrize("number", [1, 9])
def test_numbers_in_their_range_are_accepted(number: int) -> None:
    check_ranges({"count": number}, {"count": (1, 9)})


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0, "0"), (10, "10"), (2**100, str(2**100)), (1 << 16_609, "a number of 16610 bits")],
    ids=["less", "more", "much more", "too many digits to print"],
)
def test_numbers_out_of_range_are_rejected_with_the_range(number: int, shown: str) -> None:
    with pytest.raises(ParameterError) as raised:
        check_ranges({"count": number}, {"count": (1, 9)})
    assert str(raised.value) == (
        f"count is {shown}, but it must be between 1 and 9. Set count to a number in this range, or omit it."
    )
