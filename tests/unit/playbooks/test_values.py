# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks check the values of variables once, before they search the hosts."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[3]


@pytest.mark.parametrize("playbook", ["detect", "report"])
def test_wrong_value_is_rejected_once_before_the_search(tmp_path: pathlib.Path, playbook: str) -> None:
    collection = tmp_path / "ansible_collections/oomguard/linux"
    collection.parent.mkdir(parents=True)
    collection.symlink_to(ROOT)
    program = str(pathlib.Path(sys.executable).parent / "ansible-playbook")
    variables = '{"ansible_connection": "local", "detect_limit": "many"}'
    finished = subprocess.run(
        [program, "-i", "web1,web2,", f"oomguard.linux.{playbook}", "--tags", "detect", "-e", variables],
        cwd=tmp_path,
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(tmp_path), "ANSIBLE_NOCOLOR": "true"},
        check=False,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert finished.returncode
    assert finished.stdout.count("FAILED!") == 1
    assert "cannot be converted to an int" in finished.stdout
    assert "Find every OOM kill" not in finished.stdout
