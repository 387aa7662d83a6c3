# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The results and the warnings of the modules."""

from __future__ import annotations

import dataclasses

from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.plan import make_plan
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.result import build_result, find_warnings
from ansible_collections.oomguard.linux.plugins.module_utils._safe import neutralise_all
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._fcgid.configurations import (
    ABSENT,
    HTTPD,
    NEED,
)
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._fcgid.configurations import (
    wanted as make_wanted,
)

OVERRIDDEN = dataclasses.replace(make_wanted(FcgidProcessLifeTime=600), allow_overrides=True)


def test_result_has_values_in_force_and_overrides() -> None:
    result = build_result(HTTPD, make_plan(HTTPD, OVERRIDDEN), OVERRIDDEN, NEED)
    assert neutralise_all(result) == {
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
                "harmless": False,
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


def test_absent_file_has_no_effective_values() -> None:
    assert "effective" not in build_result(HTTPD, make_plan(HTTPD, ABSENT), ABSENT, NEED)


def test_warnings_name_old_names_doubts_and_need() -> None:
    need = dataclasses.replace(NEED, ram_bytes=1)
    warnings = list(find_warnings(HTTPD, OVERRIDDEN, need, given_names=["ProcessLifeTime"]))
    assert [warning.partition(" ")[0] for warning in warnings] == [
        "ProcessLifeTime",
        "FcgidProcessLifeTime",
        "FcgidMaxProcesses",
    ]


def test_no_warnings_without_a_reason() -> None:
    assert list(find_warnings(HTTPD, ABSENT, dataclasses.replace(NEED, ram_bytes=500), given_names=[])) == []
