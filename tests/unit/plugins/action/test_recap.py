# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role detect ends with one table for all hosts. It runs on this machine, and reads text logs."""

from __future__ import annotations

import json
import lzma
import os
import pathlib
import subprocess
import sys
import typing as t

import pytest

from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import FIXTURES

ROOT = pathlib.Path(__file__).parents[4]
KILL = str(FIXTURES / "bookworm-6.1-memcg.log")
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
HOSTS: dict[str, dict[str, t.Any]] = {
    "web1": {**LOCAL, "detect_log_files": [KILL]},
    "web2": {**LOCAL, "detect_log_files": ["/nonexistent.log"]},
    "gone": {"ansible_host": "127.0.0.1", "ansible_port": 1},
}
PLAY: dict[str, t.Any] = {"hosts": "all", "gather_facts": False, "roles": ["oomguard.linux.detect"]}


class Control:
    """A folder on the control node with an inventory."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        (folder / "hosts.json").write_text(json.dumps({"all": {"hosts": HOSTS}}))

    def play(self, *arguments: str, callback: str = "default", **keywords: object) -> subprocess.CompletedProcess[str]:
        """Run the role in a play with these keywords."""
        (self.folder / "play.json").write_text(json.dumps([{**PLAY, **keywords}]))
        collection = self.folder / "ansible_collections/oomguard/linux"
        if not collection.exists():
            collection.parent.mkdir(parents=True)
            collection.symlink_to(ROOT)
        environment = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(self.folder),
            "ANSIBLE_LOCAL_TEMP": str(self.folder / "tmp"),
            "ANSIBLE_NOCOLOR": "true",
            "ANSIBLE_STDOUT_CALLBACK": callback,
        }
        command = [str(pathlib.Path(sys.executable).parent / "ansible-playbook"), "-i", "hosts.json", "play.json"]
        command += arguments
        return subprocess.run(command, cwd=self.folder, env=environment, check=False, capture_output=True, text=True)


@pytest.fixture
def control(tmp_path: pathlib.Path) -> Control:
    return Control(tmp_path)


def list_rows(output: str) -> list[str]:
    """Return the first words of the lines in the last table."""
    table = output.rpartition("\nHOST ")[2].splitlines()[1:]
    return [line.split()[0] for line in table[: table.index("")] if not line.startswith(("ok:", " "))]


def test_all_hosts_are_in_the_table(control: Control) -> None:
    finished = control.play()
    assert finished.returncode == 2
    assert "3 hosts: 1 with OOM kills only, 2 not looked at.\n" in finished.stdout
    assert list_rows(finished.stdout) == ["web1", "web2", "gone"]
    assert "\nansible-playbook -i hosts.json oomguard.linux.detect --limit web1\n" in finished.stdout


def test_host_that_is_alone_is_explained(control: Control) -> None:
    finished = control.play("--limit", "web1", "--check")
    assert finished.returncode == 0
    assert "\nThe kernel killed python3 (pid 437) because" in finished.stdout


def test_table_is_printed_if_no_host_is_reachable(control: Control) -> None:
    finished = control.play("--limit", "gone")
    assert finished.returncode == 2
    assert list_rows(finished.stdout) == ["gone"]


@pytest.mark.parametrize("keywords", [{"serial": 1}, {"strategy": "free"}], ids=["serial", "free"])
def test_all_hosts_are_in_the_last_table(control: Control, keywords: dict[str, t.Any]) -> None:
    finished = control.play("-e", '{"detect_fail_on": []}', **keywords)
    assert finished.returncode == 0
    assert list_rows(finished.stdout) == ["web1", "web2", "gone"]


def test_other_callbacks_get_the_lines_as_a_message(control: Control) -> None:
    finished = control.play("--limit", "web1", callback="minimal")
    assert '"1 OOM event; services taken down: not known."' in finished.stdout


def test_host_fails_because_of_what_was_found(control: Control) -> None:
    finished = control.play("--limit", "web1", "-e", '{"detect_fail_on": ["killed"]}')
    assert finished.returncode == 2
    assert '"msg": "1 OOM event; services taken down: not known."' in finished.stdout


def test_search_goes_on_from_the_last_one_and_keeps_what_is_known(control: Control, tmp_path: pathlib.Path) -> None:
    journal = tmp_path / "journal"
    journal.mkdir()
    (journal / "system.journal").write_bytes(lzma.decompress((FIXTURES / "bullseye.journal.xz").read_bytes()))
    given = {"detect_journal_directory": str(journal), "detect_log_files": [], "detect_records_path": "kept"}
    arguments = ("--limit", "web1", "-e", json.dumps(given))
    control.play(*arguments)
    first = json.loads((tmp_path / "kept/web1.json").read_text())
    finished = control.play(*arguments, "-e", "detect_since=last")
    second = json.loads((tmp_path / "kept/web1.json").read_text())
    assert finished.returncode == 0, finished.stdout
    assert "No OOM kill" in finished.stdout
    assert list_rows(finished.stdout) == ["web1"]
    assert second["kinds"] == first["kinds"]
    assert second["summary"]["units_taken_down"] == first["summary"]["units_taken_down"]


def test_folder_of_records_is_required_to_go_on(control: Control) -> None:
    finished = control.play("--limit", "web1", "-e", "detect_since=last")
    assert finished.returncode == 2
    assert "name the folder of records, detect_records_path" in finished.stdout


@pytest.mark.parametrize(("options", "names"), [([], {"gone.json", "web1.json", "web2.json"}), (["--check"], set())])
def test_records_are_kept_except_in_check_mode(control: Control, options: list[str], names: set[str]) -> None:
    control.play("-e", f"detect_records_path={control.folder}/records", *options)
    assert {path.name for path in control.folder.glob("records/*")} == names
