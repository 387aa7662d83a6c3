# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module fcgid_recycler: what it rejects before it observes the host, and check mode."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args
from hypothesis import given

from ansible_collections.oomguard.linux.plugins.module_utils._recycler.install import Host
from ansible_collections.oomguard.linux.plugins.module_utils._recycler.settings import parse
from ansible_collections.oomguard.linux.plugins.modules import fcgid_recycler
from ansible_collections.oomguard.linux.tests.unit.plugins.modules import hostile
from ansible_collections.oomguard.linux.tests.unit.plugins.modules.documented import documented


@pytest.fixture(autouse=True)
def root(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """Return an image that is not booted, in which the module works."""
    monkeypatch.setattr(fcgid_recycler, "Host", lambda run: Host(run, tmp_path))
    return tmp_path


def run(capfd: pytest.CaptureFixture[str], **arguments: t.Any) -> dict[str, t.Any]:
    with patch_module_args(arguments), pytest.raises(SystemExit):
        fcgid_recycler.main()
    return dict(json.loads(capfd.readouterr().out))


def test_check_mode_shows_the_files_and_writes_none(root: pathlib.Path, capfd: pytest.CaptureFixture[str]) -> None:
    found = run(capfd, limit="256M", _ansible_check_mode=True, _ansible_diff=True)
    assert (found["changed"], len(found["diff"]), found["active"], list(root.iterdir())) == (True, 3, False, [])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "No limit is set. Set a limit for all workers, or for a script."),
        (
            {"limit": "1G", "status_url": "http://example.org/"},
            (
                "'http://example.org/' is not a page of this host."
                " Use a URL that begins with http:// or https://, followed by 127.0.0.1, [::1] or localhost."
            ),
        ),
    ],
)
def test_invalid_settings_are_rejected(
    capfd: pytest.CaptureFixture[str], arguments: dict[str, t.Any], message: str
) -> None:
    assert run(capfd, **arguments)["msg"] == message


def test_metrics_file_in_missing_directory_is_rejected(root: pathlib.Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = root / "missing/a.prom"
    assert run(capfd, limit="1G", metrics_file=str(path))["msg"] == (
        f"Metrics cannot be written to {path}. Use a name that ends in .prom, in a directory that exists."
    )


def test_absent_recycler_is_not_removed(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(capfd, state="absent", _ansible_check_mode=True)["changed"] is False


def test_result_is_documented(capfd: pytest.CaptureFixture[str]) -> None:
    found = run(capfd, limit="256M", _ansible_check_mode=True)
    assert found.keys() - {"changed", "diff", "invocation"} == set(documented(fcgid_recycler.RETURN))


USUAL: dict[str, list[t.Any]] = {
    "limit": ["256M"],
    "hard_limit": ["1G"],
    "grace": [60],
    "scripts": [[{"script": "/srv/a.fcgi", "limit": "1G"}]],
    "status_url": ["", "http://127.0.0.1:99999/"],
    "metrics_file": ["", "/nonexistent/a.prom"],
}


@pytest.fixture(scope="module")
def _image(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[None]:
    """Let the module work in an image that is not booted."""
    image = tmp_path_factory.mktemp("image")
    (image / "run").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fcgid_recycler, "Host", lambda run: Host(run, image))
        yield


@pytest.mark.usefixtures("_image")
@hostile.SETTINGS
@given(hostile.arguments(fcgid_recycler, usual=USUAL))
def test_any_arguments_end_in_words(arguments: dict[str, t.Any]) -> None:
    hostile.run(fcgid_recycler, {**arguments, "_ansible_check_mode": True})


@pytest.mark.usefixtures("_image")
@hostile.SETTINGS
@given(hostile.arguments(fcgid_recycler, usual=USUAL))
def test_accepted_settings_are_those_that_the_recycler_reads(arguments: dict[str, t.Any]) -> None:
    found = hostile.run(fcgid_recycler, {**arguments, "_ansible_check_mode": True, "_ansible_diff": True})
    texts = [diff["after"] for diff in found.get("diff", []) if diff["after_header"].endswith(".conf")]
    for text in filter(None, texts):
        assert parse(text)
