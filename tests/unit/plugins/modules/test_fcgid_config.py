# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module fcgid_config: from parameters to what is wanted, and from what was done to the result."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.apache import find_layout
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.config import parse_dump
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.layout import LAYOUTS
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.memory import Need
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.plan import State, make_plan
from ansible_collections.oomguard.linux.plugins.modules import fcgid_config
from ansible_collections.oomguard.linux.plugins.modules.fcgid_config import RETURN, result, wanted_from
from ansible_collections.oomguard.linux.tests.unit.plugins.modules.documented import documented, returned

PARAMS: dict[str, t.Any] = {
    "directives": {"FcgidProcessLifeTime": "600"},
    "workers": [],
    "state": "present",
    "path": None,
    "allow_overrides": True,
}
STATE = State(
    path=pathlib.Path("/etc/httpd/conf.d/zz-oomguard-fcgid.conf"),
    link=None,
    text=None,
    linked=False,
    configuration=parse_dump(
        "# In file: /etc/httpd/conf.d/{{ shop }}.conf\n#  1:\n<VirtualHost *:80>\n#  2:\nFcgidProcessLifeTime 60\n"
        "</VirtualHost>\nLoaded Modules:\n fcgid_module (shared)\n"
    ),
    running=True,
)
NEED = Need(workers=1, largest_worker_bytes=10, max_processes=50, ram_bytes=400, swap_bytes=0)


@pytest.mark.parametrize(
    ("state", "names"), [("present", ["FcgidProcessLifeTime"]), ("absent", [])], ids=["present", "absent"]
)
def test_parameters_are_taken_over(state: str, names: list[str]) -> None:
    wanted = wanted_from({**PARAMS, "state": state})
    assert [setting.directive.name for setting in wanted.settings] == names


def test_the_result_names_what_is_in_force_and_what_is_not() -> None:
    wanted = wanted_from(PARAMS)
    assert result(STATE, make_plan(STATE, wanted), wanted, NEED) == {
        "path": "/etc/httpd/conf.d/zz-oomguard-fcgid.conf",
        "effective": {"FcgidProcessLifeTime": 600},
        "overridden_by": [
            {
                "directive": "FcgidProcessLifeTime",
                "wanted": 600,
                "value": 60,
                "file": "/etc/httpd/conf.d/\\x7b{ shop }}.conf",
                "line": 2,
                "context": "<VirtualHost *:80>",
            }
        ],
        "memory": {
            "workers": 1,
            "largest_worker_bytes": 10,
            "max_processes": 50,
            "needed_bytes": 500,
            "ram_bytes": 400,
            "swap_bytes": 0,
        },
        "running": True,
        "reloaded": True,
    }


def test_what_is_absent_has_no_effect() -> None:
    wanted = wanted_from({**PARAMS, "state": "absent"})
    assert "effective" not in result(STATE, make_plan(STATE, wanted), wanted, NEED)


def test_on_a_host_without_apache_there_is_nothing_to_take_away(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    layout = dataclasses.replace(LAYOUTS[0], main=tmp_path / "apache2.conf")
    monkeypatch.setattr(fcgid_config, "find_layout", lambda *, must: find_layout([layout], must=must))
    with patch_module_args({"state": "absent"}), pytest.raises(SystemExit):
        fcgid_config.main()
    assert json.loads(capfd.readouterr().out)["changed"] is False


def test_what_is_returned_is_documented() -> None:
    wanted = wanted_from(PARAMS)
    found = {"unit": "httpd.service", **result(STATE, make_plan(STATE, wanted), wanted, NEED)}
    assert returned(found, documented(RETURN)) == documented(RETURN)
