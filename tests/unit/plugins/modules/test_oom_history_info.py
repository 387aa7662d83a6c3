# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module oom_history_info: its parameters, and what it returns against what it documents."""

from __future__ import annotations

import json
import typing as t

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args

from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.enough import Enough
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.model import Modification
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.recurrence import build_recurrence
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.result import describe_since
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.since import CANNOT_TELL, Period, Since
from ansible_collections.oomguard.linux.plugins.modules import oom_info
from ansible_collections.oomguard.linux.plugins.modules.oom_history_info import (
    ARGUMENT_SPEC,
    DOCUMENTATION,
    RETURN,
    find,
    main,
)
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.history.histories import build_nights
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import Host, captured, entry
from ansible_collections.oomguard.linux.tests.unit.plugins.modules.documented import documented, returned

DEFAULTS = {name: option.get("default") for name, option in ARGUMENT_SPEC.items()}
QUIET = [entry("usb 1-1: new device", at=1, _TRANSPORT="kernel", SYSLOG_FACILITY="0", PRIORITY="6")]


def find_history(**params: t.Any) -> dict[str, t.Any]:
    return find({**DEFAULTS, "journal_directory": "/nonexistent", **params}, Host(captured("bullseye")))


def test_history_is_that_of_the_search() -> None:
    found = find_history()
    assert found["msg"] == (
        "OOM kills of 3 kinds: python3 of w-continue.service (1), python3 of w-kill.service (1), leak.fcgi of "
        "apache2.service (1)."
    )
    assert [kind["count"] for kind in found["kinds"]] == [1, 1, 1]
    assert found["from"] == found["coverage"]["from"]


def test_period_can_be_limited() -> None:
    assert sum(kind["count"] for kind in find_history(since="@1795452000")["kinds"]) == 1


def test_host_without_kills_has_no_kinds() -> None:
    found = find({**DEFAULTS, "journal_directory": "/nonexistent"}, Host(QUIET))
    assert (found["msg"], found["kinds"]) == ("No OOM kill found since 2026-11-18 11:06:41 UTC.", [])


def test_returned_keys_are_documented() -> None:
    contents = documented(RETURN)
    found = find_history()
    past = build_nights()
    found["kinds"][0]["enough"] = Enough("")._asdict()
    change = Modification(0, "swap", "0", "4294967296", "oomguard")
    found["kinds"][0]["since"] = [describe_since(Since((change,), Period(0, 0, 0), Period(0, 0, 0), CANNOT_TELL))]
    found["kinds"][0].update(build_recurrence(past.kills, past, past.last_us))
    assert returned([found], contents) == contents


def test_kinds_are_documented_as_those_of_oom_info() -> None:
    contained = yaml.safe_load(oom_info.RETURN)["history"]["contains"]["kinds"]["contains"]
    own = yaml.safe_load(RETURN)["kinds"]["contains"]
    assert {**own, "cause": contained["cause"]} == contained


def test_options_have_the_defaults_that_are_documented() -> None:
    options = yaml.safe_load(DOCUMENTATION)["options"]
    assert {name: option.get("default") for name, option in options.items()} == DEFAULTS


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"timeout": 0}, "timeout is 0, but it must be between 1 and 2147483"),
        ({"since": "-1d\0", "_ansible_no_log": True}, "The value of since contains a NUL character"),
        ({"journal_directory": "/a", "journal_namespace": "b"}, "parameters are mutually exclusive"),
    ],
)
def test_error_says_what_is_wrong(params: dict[str, t.Any], message: str, capfd: pytest.CaptureFixture[str]) -> None:
    with patch_module_args(params), pytest.raises(SystemExit):
        main()
    result = json.loads(capfd.readouterr().out)
    assert result["failed"]
    assert message in result["msg"]
