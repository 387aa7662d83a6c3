# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module fcgid_config: from parameters to what is wanted, and its documentation."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args
from hypothesis import given

from ansible_collections.oomguard.linux.plugins.module_utils._command import Run
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.apache import Apache
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.config import parse_settings, render
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.directives import FcgidError
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.instances import Instance
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.layout import LAYOUTS, Layout, find_layout
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.memory import Usage
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.plan import make_plan
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.result import build_result, describe_instances
from ansible_collections.oomguard.linux.plugins.modules import fcgid_config
from ansible_collections.oomguard.linux.plugins.modules.fcgid_config import RETURN, build_wanted
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._fcgid.configurations import HTTPD, NEED
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._fcgid.programs import Programs
from ansible_collections.oomguard.linux.tests.unit.plugins.modules import hostile
from ansible_collections.oomguard.linux.tests.unit.plugins.modules.documented import documented, returned

PARAMS: dict[str, t.Any] = {
    "directives": {"FcgidProcessLifeTime": "600"},
    "workers": [],
    "state": "present",
    "path": None,
    "allow_overrides": True,
}


@pytest.mark.parametrize(
    ("state", "names"), [("present", ["FcgidProcessLifeTime"]), ("absent", [])], ids=["present", "absent"]
)
def test_parameters_become_settings(state: str, names: list[str]) -> None:
    wanted = build_wanted({**PARAMS, "state": state})
    assert [setting.directive.name for setting in wanted.settings] == names


def test_misspelt_directive_is_rejected_whatever_the_state() -> None:
    with pytest.raises(FcgidError, match=r"^'FcgidProcesLifeTime' is not a directive of mod_fcgid\."):
        build_wanted({**PARAMS, "state": "absent", "directives": {"FcgidProcesLifeTime": 600}})


def test_absent_file_needs_no_apache(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    layout = dataclasses.replace(LAYOUTS[0], main=tmp_path / "apache2.conf")
    monkeypatch.setattr(fcgid_config, "find_layout", lambda *, required: find_layout([layout], required=required))
    with patch_module_args({"state": "absent"}), pytest.raises(SystemExit):
        fcgid_config.main()
    assert json.loads(capfd.readouterr().out)["changed"] is False


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test see the workers and the instances of the host that runs it."""
    monkeypatch.setattr(fcgid_config, "observe_usage", lambda: Usage([], ""))
    instances = [Instance("default", "httpd.service", True, False, True)]
    monkeypatch.setattr(fcgid_config, "observe_instances", lambda _layout, **_options: instances)


def test_names_of_files_are_inert_in_the_result(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    directives = {"FcgidBusyTimeout": 60}
    layout = dataclasses.replace(LAYOUTS[1], main=tmp_path / "httpd.conf", folder=tmp_path)
    layout.path.write_text(render(parse_settings(directives)))
    (tmp_path / "zzz{{ shop }}.conf").write_text("FcgidBusyTimeout 90\n")
    apache = Apache(layout, run=Programs(tmp_path), root=tmp_path)
    monkeypatch.setattr(fcgid_config, "find_layout", lambda **_options: layout)
    monkeypatch.setattr(fcgid_config, "Apache", lambda _layout, **_options: apache)
    arguments = {"directives": directives, "allow_overrides": True, "_ansible_check_mode": True}
    with patch_module_args(arguments), pytest.raises(SystemExit):
        fcgid_config.main()
    (override,) = json.loads(capfd.readouterr().out)["overridden_by"]
    assert override["file"] == f"{tmp_path}/zzz\\x7b{{ shop }}}}.conf"


def test_error_has_all_overrides(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    layout = dataclasses.replace(LAYOUTS[1], main=tmp_path / "httpd.conf", folder=tmp_path)
    layout.path.write_text(render(parse_settings({"FcgidBusyTimeout": 60})))
    (tmp_path / "run").mkdir()
    for number in range(300):
        (tmp_path / f"zzz{number:03}.conf").write_text("FcgidBusyTimeout 90\n")
    apache = Apache(layout, run=Programs(tmp_path), root=tmp_path)
    monkeypatch.setattr(fcgid_config, "find_layout", lambda **_options: layout)
    monkeypatch.setattr(fcgid_config, "Apache", lambda _layout, **_options: apache)
    with patch_module_args({"directives": {"FcgidBusyTimeout": 60}}), pytest.raises(SystemExit):
        fcgid_config.main()
    result = json.loads(capfd.readouterr().out)
    assert (len(result["overridden_by"]), len(result["msg"]) < 1000) == (300, True)


def test_result_is_documented() -> None:
    wanted = build_wanted(PARAMS)
    instances = describe_instances([Instance("default", "httpd.service", True, False, True)], "httpd.service")
    found = {"unit": "httpd.service", **build_result(HTTPD, make_plan(HTTPD, wanted), wanted, NEED), **instances}
    assert returned(found, documented(RETURN)) == documented(RETURN)


USUAL: dict[str, list[t.Any]] = {
    "directives": [
        {"FcgidProcessLifeTime": 600},
        {"FcgidProcessLifeTime": "9" * 5000},
        {"FcgidCmdOptions": ["/srv/a.fcgi MinProcesses 0"]},
        {"FcgidInitialEnv": f"PHP_FCGI_MAX_REQUESTS {'9' * 5000}", "FcgidMaxRequestsPerProcess": 1},
        {"FcgidWrapper": "/usr/bin/php-cgi .php"},
        {"FcgidIPCDir": "/run/../x"},
        {"FcgidProcesLifeTime": 600},
    ],
    "workers": [
        [{"script": "/srv/a.fcgi", "oom_score_adjust": 9}],
        [{"command": "/usr/bin/php-cgi", "suffix": ".php", "address_space": "9" * 400}],
    ],
}


@pytest.fixture(scope="module")
def _other_apache(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[None]:
    """Let the module find an Apache in a folder for temporary files."""
    folder = tmp_path_factory.mktemp("httpd")
    (folder / "run").mkdir()
    (folder / "httpd.conf").write_text("IncludeOptional *.conf\n")
    layout = dataclasses.replace(
        LAYOUTS[1], main=folder / "httpd.conf", folder=folder, server_root=str(folder), instances=f"{folder}/*.conf"
    )

    def make(_layout: Layout, *, run: Run, path: str | None) -> Apache:
        del run
        if path is not None:
            # Only below this folder can a test write.
            path = f"{folder}{path}"
        return Apache(layout, run=Programs(folder, main="httpd.conf"), path=path, root=folder)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fcgid_config, "find_layout", lambda **_options: layout)
        patch.setattr(fcgid_config, "Apache", make)
        patch.setattr(fcgid_config, "observe_usage", lambda: Usage([], ""))
        patch.setattr(fcgid_config, "observe_instances", lambda _layout, **_options: [])
        patch.setattr(fcgid_config, "describe_instances", lambda _instances, _unit: {})
        # Ansible keeps warnings for all later results of this process.
        patch.setattr(fcgid_config, "find_warnings", lambda *_state, **_names: [])
        yield


@pytest.mark.usefixtures("_other_apache")
@hostile.SETTINGS
@given(hostile.arguments(fcgid_config, usual=USUAL))
def test_any_arguments_end_in_words(arguments: dict[str, t.Any]) -> None:
    hostile.run(fcgid_config, arguments)
