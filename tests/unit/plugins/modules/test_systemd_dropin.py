# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module systemd_dropin in an image, and its documentation against its result."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args
from hypothesis import given

from ansible_collections.oomguard.linux.plugins.module_utils._systemd.manager import Systemd
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.plan import make_plan
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.result import build_result
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.wanted import parse_wanted
from ansible_collections.oomguard.linux.plugins.modules import systemd_dropin
from ansible_collections.oomguard.linux.plugins.modules.systemd_dropin import RETURN
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._systemd.factories import (
    PARAMS,
    TEXT,
    Programs,
    state,
)
from ansible_collections.oomguard.linux.tests.unit.plugins.modules import hostile
from ansible_collections.oomguard.linux.tests.unit.plugins.modules.documented import (
    documented,
    documented_always,
    returned,
)


def test_returned_keys_are_documented() -> None:
    wanted = parse_wanted(PARAMS)
    found = state(later="[Service]\nOOMPolicy=stop\n", properties={"OOMPolicy": "stop"})
    assert returned(build_result(found, make_plan(found, wanted), wanted), documented(RETURN)) == documented(RETURN)


def test_keys_that_are_always_returned_are_documented_so() -> None:
    wanted, found = parse_wanted({**PARAMS, "state": "absent"}), state(booted=False)
    assert set(build_result(found, make_plan(found, wanted), wanted)) == documented_always(RETURN)


def test_dropin_is_removed_from_an_image(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "etc/systemd/system/apache2.service.d/50-oomguard.conf"
    path.parent.mkdir(parents=True)
    path.write_text(TEXT)
    systemd = Systemd(run=Programs(), root=tmp_path)
    monkeypatch.setattr(systemd_dropin, "Systemd", lambda **_options: systemd)
    with patch_module_args({"unit": "apache2.service", "state": "absent"}), pytest.raises(SystemExit):
        systemd_dropin.main()
    assert (json.loads(capfd.readouterr().out)["changed"], path.parent.exists()) == (True, False)


USUAL: dict[str, list[t.Any]] = {
    "unit": ["apache2.service", "user-.slice", "service.d", "user.conf"],
    "name": ["50-oomguard"],
    "settings": [{"Service": {"OOMPolicy": "continue"}}, {"Manager": {"DefaultOOMPolicy": "continue"}}],
}


@pytest.fixture(scope="module")
def _host(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[None]:
    """Let the module act on a folder, with a fake of systemd's programs."""
    root = tmp_path_factory.mktemp("root")
    (root / "run/systemd/system").mkdir(parents=True)
    shown = {"LoadState": "loaded", "NeedDaemonReload": "no", "OOMPolicy": "stop", "DefaultOOMPolicy": "stop"}
    systemd = Systemd(run=Programs(shown=shown), root=root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(systemd_dropin, "Systemd", lambda **_options: systemd)
        yield


@pytest.mark.usefixtures("_host")
@hostile.SETTINGS
@given(hostile.arguments(systemd_dropin, usual=USUAL))
def test_any_arguments_end_in_words(arguments: dict[str, t.Any]) -> None:
    hostile.run(systemd_dropin, arguments)
