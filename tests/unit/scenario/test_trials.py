# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from scenario.trials import main, pack_trial


@pytest.fixture
def trial(tmp_path: Path) -> Path:
    package = tmp_path / "some_trial"
    (package / "__pycache__").mkdir(parents=True)
    (package / "__main__.py").write_text("print('{}')\n", encoding="utf-8")
    (package / "__pycache__" / "__main__.pyc").touch()
    return package


@pytest.fixture
def names(trial: Path) -> list[str]:
    archive = io.BytesIO()
    pack_trial(archive, [trial])
    archive.seek(0)
    with tarfile.open(fileobj=archive) as tar:
        return tar.getnames()


@pytest.mark.parametrize(
    "name", ["some_trial/__main__.py", "ansible_collections/oomguard/linux/plugins/module_utils/_errors.py"]
)
def test_pack_trial_holds_the_trial_and_the_code_of_the_collection(names: list[str], name: str) -> None:
    assert name in names


def test_pack_trial_omits_bytecode(names: list[str]) -> None:
    assert [name for name in names if "__pycache__" in name] == []


def test_main_writes_the_archive(trial: Path, tmp_path: Path) -> None:
    archive = tmp_path / "trial.tar.gz"
    main([str(archive), str(trial)])
    with tarfile.open(archive) as tar:
        assert "some_trial/__main__.py" in tar.getnames()
