# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook explain, as it is run in a shell: without an inventory, in the folder of the log."""

from __future__ import annotations

import os
import pathlib
import pty
import shutil
import subprocess
import sys
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.action.explain_log import is_terminal
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import FIXTURES

ROOT = pathlib.Path(__file__).parents[4]
KILL = FIXTURES / "bookworm-6.1-memcg.log"
SENTENCE = "\nThe kernel killed python3 (pid 437) because"


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """Return a folder with a log and the collection."""
    shutil.copy(KILL, tmp_path / "dmesg.txt")
    collection = tmp_path / "collections/ansible_collections/oomguard/linux"
    collection.parent.mkdir(parents=True)
    collection.symlink_to(ROOT)
    return tmp_path


def explain(folder: pathlib.Path, *arguments: str, **keywords: t.Any) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(folder / "collections"),
        "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
        "ANSIBLE_NOCOLOR": "true",
    }
    command = [str(pathlib.Path(sys.executable).parent / "ansible-playbook"), "oomguard.linux.explain", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True, **keywords)


def test_relative_path_is_that_of_the_shell(folder: pathlib.Path) -> None:
    finished = explain(folder, "-e", "log=dmesg.txt", "--check")
    assert finished.returncode == 0, finished.stdout
    assert SENTENCE in finished.stdout


def test_dash_is_the_standard_input(folder: pathlib.Path) -> None:
    finished = explain(folder, "-e", "log=-", input=KILL.read_text())
    assert finished.returncode == 0, finished.stdout
    assert SENTENCE in finished.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Could not explain a log: none is named. Name one, such as -e log=dmesg.txt."),
        (["-e", "log=nope.txt"], "Could not read the log nope.txt: No such file or directory."),
    ],
)
def test_error_is_one_sentence(folder: pathlib.Path, arguments: list[str], message: str) -> None:
    finished = explain(folder, *arguments)
    assert finished.returncode == 2
    assert f'"msg": "{message}"' in finished.stdout


def test_closed_standard_input_is_an_error(folder: pathlib.Path) -> None:
    finished = explain(folder, "-e", "log=-", preexec_fn=lambda: os.close(0))
    assert '"msg": "Could not read the standard input: it is closed."' in finished.stdout


def test_terminal_is_told_from_a_file_and_both_are_closed() -> None:
    leader, follower = pty.openpty()
    before = os.listdir("/proc/self/fd")
    assert is_terminal(pathlib.Path(os.ttyname(follower)))
    assert not is_terminal(KILL)
    assert os.listdir("/proc/self/fd") == before
    os.close(leader)
    os.close(follower)
