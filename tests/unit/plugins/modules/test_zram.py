# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module zram: from parameters to a request, and from a device to plain data."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.oomguard.linux.plugins.modules import zram
from ansible_collections.oomguard.linux.plugins.modules.zram import RETURN, build_wanted, describe_device
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._zram.factories import (
    DEVICE,
    WANTED,
    device,
)
from ansible_collections.oomguard.linux.tests.unit.plugins.modules.documented import documented

PARAMS: dict[str, t.Any] = {
    "size": "50%",
    "maximum": "4G",
    "algorithm": None,
    "priority": 100,
    "reserve": "64M",
    "state": "present",
}


def test_defaults() -> None:
    assert build_wanted(PARAMS) == WANTED


def test_absent() -> None:
    assert not build_wanted({**PARAMS, "state": "absent"}).present


def test_device_has_the_documented_keys() -> None:
    described = describe_device(DEVICE)
    assert described is not None
    assert set(described) == set(documented(RETURN)["after"])


def test_no_device_is_null() -> None:
    assert describe_device(None) is None


def test_algorithm_that_is_not_known_is_null() -> None:
    described = describe_device(device(algorithm=""))
    assert described is not None
    assert described["algorithm"] is None


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"size": "1M"}, "too small"),
        ({"size": "9x"}, "is not a size"),
        ({"maximum": "x"}, "is not a size"),
        ({"algorithm": "../x"}, "is not a compression algorithm"),
        ({"priority": -1}, "is not a valid priority"),
    ],
)
def test_bad_argument_is_refused(arguments: dict[str, t.Any], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    with patch_module_args(arguments), pytest.raises(SystemExit):
        zram.main()
    result = json.loads(capsys.readouterr().out)
    assert (result["failed"], reason in result["msg"]) == (True, True)
