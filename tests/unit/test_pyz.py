# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program oomguard-explain.pyz: how it is built, and that it runs with the oldest Python."""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import sys
import zipfile

import pytest

from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import FIXTURES

ROOT = pathlib.Path(__file__).parents[2]
KILL = FIXTURES / "bookworm-6.1-memcg.log"
UNUSED = {"_change.py", "_command.py", "_files.py", "in_journal.py", "survivors.py"}


def build(path: pathlib.Path) -> pathlib.Path:
    subprocess.run([sys.executable, str(ROOT / "tests/tools/pyz.py"), str(path)], check=True)
    return path


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return build(tmp_path_factory.mktemp("program") / "oomguard-explain.pyz")


def find_oldest_python() -> str:
    """Return the oldest Python that runs the program, such as that of pyenv."""
    for minor in range(8, sys.version_info.minor):
        installed = sorted(pathlib.Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python3"))
        found = shutil.which(f"python3.{minor}")
        for candidate in [*map(str, installed), found or "false"]:
            if subprocess.run([candidate, "--version"], check=False, capture_output=True).returncode == 0:
                return candidate

    return sys.executable


def run(program: pathlib.Path, *arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [find_oldest_python(), "-I", str(program), *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, input=text)


def test_same_sources_give_the_same_bytes(program: pathlib.Path, tmp_path: pathlib.Path) -> None:
    assert build(tmp_path / "again.pyz").read_bytes() == program.read_bytes()


def test_program_has_only_what_it_needs(program: pathlib.Path) -> None:
    names = {pathlib.PurePath(name).name for name in zipfile.ZipFile(program).namelist()}
    assert {"standalone.py", "_safe.py", "LICENCE.txt"} <= names
    assert names & UNUSED == set()


def test_oldest_python_explains_a_log(program: pathlib.Path) -> None:
    finished = run(program, str(KILL))
    assert (finished.returncode, finished.stderr) == (1, "")
    assert "The kernel killed python3 (pid 437)" in finished.stdout


def test_oldest_python_reads_the_standard_input(program: pathlib.Path) -> None:
    assert run(program, "-", text=KILL.read_text()).returncode == 1
    assert run(program, "-", text="[    1.000000] Linux version 6.1.0\n").returncode == 0


def test_closed_standard_input_is_an_error(program: pathlib.Path) -> None:
    command = f"exec {find_oldest_python()} {program} - <&-"
    finished = subprocess.run(["sh", "-c", command], check=False, capture_output=True, text=True)
    assert finished.returncode == 2
    assert finished.stderr == "Could not read the standard input: Bad file descriptor.\n"


def test_fault_of_the_program_does_not_look_like_a_kill(program: pathlib.Path, tmp_path: pathlib.Path) -> None:
    broken = tmp_path / "broken.pyz"
    with zipfile.ZipFile(program) as archive, zipfile.ZipFile(broken, "w") as copy:
        copy.writestr("__main__.py", archive.read("__main__.py"))
    assert run(broken, str(KILL)).returncode == 2


def test_older_python_is_refused(program: pathlib.Path) -> None:
    code = f"import runpy, sys; sys.version_info = (3, 7, 16); runpy.run_path({str(program)!r}, run_name='__main__')"
    finished = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert (finished.returncode, finished.stderr) == (2, "oomguard-explain needs Python 3.8 or later.\n")
