# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook report searches hosts and writes a report. It runs on this machine, and reads text logs and journals."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.action.report import find_continued
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.store import write_record
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import FIXTURES
from ansible_collections.oomguard.linux.tests.unit.plugins.plugin_utils._fleet.factories import make_record

ROOT = pathlib.Path(__file__).parents[4]
KILL = str(FIXTURES / "bookworm-6.1-memcg.log")
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}


class Control:
    """A folder on the control node with an inventory."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.report = folder / "oomguard-report"
        quiet = folder / "quiet.log"
        quiet.write_text("[    0.000000] Linux version 6.1.0\n[    1.000000] EXT4-fs (vda1): mounted\n")
        hosts: dict[str, dict[str, t.Any]] = {
            "web1": {**LOCAL, "detect_log_files": [KILL]},
            "web2": {**LOCAL, "detect_log_files": [str(quiet)]},
            "{{ 7*7 }}<b>": {**LOCAL, "detect_journal_directory": str(folder / "no-journal")},
            "gone": {"ansible_host": "127.0.0.1", "ansible_port": 1},
        }
        (folder / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts}}))
        collection = folder / "ansible_collections/oomguard/linux"
        collection.parent.mkdir(parents=True)
        collection.symlink_to(ROOT)

    def run(self, *arguments: str, playbook: str = "oomguard.linux.report") -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(self.folder),
            "ANSIBLE_LOCAL_TEMP": str(self.folder / "tmp"),
            "ANSIBLE_NOCOLOR": "true",
        }
        program = str(pathlib.Path(sys.executable).parent / "ansible-playbook")
        command = [program, "-i", "hosts.json", playbook, *arguments]
        return subprocess.run(command, cwd=self.folder, env=environment, check=False, capture_output=True, text=True)

    def read(self) -> dict[str, t.Any]:
        data: dict[str, t.Any] = json.loads((self.report / "report.json").read_text())
        return data

    def list_standings(self) -> dict[str, str]:
        return {host["host"]: host["standing"] for host in self.read()["hosts"]}

    def list_files(self) -> dict[str, bytes]:
        return {str(path.relative_to(self.report)): path.read_bytes() for path in self.report.rglob("*.*")}


@pytest.fixture
def control(tmp_path: pathlib.Path) -> Control:
    return Control(tmp_path)


STANDINGS = {"web1": "killed", "{{ 7*7 }}<b>": "unknown", "gone": "unknown", "web2": "incomplete"}


def test_all_hosts_are_in_the_report(control: Control) -> None:
    finished = control.run()
    assert finished.returncode == 2
    assert f"\nThe report: {control.report}/index.html\n" in finished.stdout
    assert {*control.list_standings().items()} == {*STANDINGS.items()}
    assert next(iter(control.list_standings())) == "web1"
    assert sorted(control.list_files()) == [
        "history.sqlite3",
        "hosts/%7B%7B%207%2A7%20%7D%7D%3Cb%3E.json",
        "hosts/gone.json",
        "hosts/web1.json",
        "hosts/web2.json",
        "index.html",
        "report.json",
    ]


def test_only_the_user_can_read_the_report(control: Control) -> None:
    control.run("--limit", "web2")
    assert control.report.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o077 for path in control.report.rglob("*.*")} == {0}


def test_nothing_from_a_host_is_a_template_or_html(control: Control) -> None:
    control.run()
    page = (control.report / "index.html").read_text()
    assert "{{ 7*7 }}<b>" in control.list_standings()
    assert "7*7 }}&lt;b&gt;" in page
    assert "7*7 }}<b>" not in page


def test_exit_code_is_that_of_detect(control: Control) -> None:
    assert control.run("--limit", "web1:web2").returncode == 0
    assert control.run("--limit", "web1", "-e", '{"detect_fail_on": ["killed"]}').returncode == 2
    assert control.list_standings() == {"web1": "killed", "web2": "incomplete"}


def test_report_is_written_if_no_host_is_reachable(control: Control) -> None:
    assert control.run("--limit", "gone").returncode == 2
    assert control.list_standings() == {"gone": "unknown"}


def test_later_run_keeps_what_was_found_before(control: Control) -> None:
    control.run("--limit", "web1")
    hosts = json.loads((control.folder / "hosts.json").read_text())
    hosts["all"]["hosts"]["web1"]["detect_log_files"] = ["/nonexistent.log"]
    (control.folder / "hosts.json").write_text(json.dumps(hosts))
    control.run("--limit", "web1")
    (host,) = control.read()["hosts"]
    assert (host["standing"], host["kills"]) == ("killed", 1)
    assert host["error"].startswith("The search failed: ")


def test_records_that_exist_need_no_host(control: Control) -> None:
    control.run("-e", "detect_records_path=east", playbook="oomguard.linux.detect")
    (control.folder / "east/damaged.json").write_text("{")
    options = ["-i", "localhost,", "--tags", "report", "-e", '{"report_records": ["east"]}']
    finished = control.run(*options)
    assert finished.returncode == 0
    assert control.list_standings() == STANDINGS
    (problem,) = control.read()["problems"]
    assert problem.startswith("Could not read the record east/damaged.json. It is not JSON")
    assert "east/damaged.json" in finished.stderr

    files = control.list_files()
    assert "changed=0" in control.run(*options).stdout
    assert control.list_files() == files


def test_check_mode_writes_nothing(control: Control) -> None:
    finished = control.run("--check", "--diff", "--limit", "web1")
    assert finished.returncode == 0
    assert "+hosts/web1.json\n" in finished.stdout
    assert not control.report.exists()


@pytest.mark.parametrize("keywords", [{"serial": 1}, {"strategy": "free"}], ids=["serial", "free"])
def test_all_hosts_are_in_the_last_report(control: Control, keywords: dict[str, t.Any]) -> None:
    play = {
        "hosts": "all",
        "gather_facts": False,
        "vars": {"detect_fail_on": []},
        "roles": ["oomguard.linux.detect", "oomguard.linux.report"],
        **keywords,
    }
    (control.folder / "play.json").write_text(json.dumps([play]))
    assert control.run(playbook="play.json").returncode == 0
    assert {*control.list_standings().items()} == {*STANDINGS.items()}
    with contextlib.closing(sqlite3.connect(control.report / "history.sqlite3")) as database:
        rows = database.execute("SELECT host, count(*) FROM records GROUP BY host").fetchall()
    assert {*rows} == {(host, 1) for host in STANDINGS}


def test_anonymous_report_has_no_names(control: Control) -> None:
    control.run("-e", "report_anonymize=true")
    everything = b"".join(control.list_files().values())
    for name in (b"web1", b"web2", b"gone", b"python3", b"7*7", str(control.folder).encode(), b"bookworm-6.1"):
        assert name not in everything
    assert sorted(control.list_standings().values()) == sorted(STANDINGS.values())
    assert (control.folder / "oomguard-report.key").stat().st_mode & 0o777 == 0o600


def test_search_that_went_on_is_shown_with_what_was_found_before(tmp_path: pathlib.Path) -> None:
    assert find_continued(tmp_path, make_record(result=None)) == make_record(result=None)
    path = write_record(tmp_path, make_record())
    assert find_continued(tmp_path, make_record(result=None)) == make_record()
    path.write_text("{")
    assert find_continued(tmp_path, make_record(result=None)) == make_record(result=None)


def test_unknown_tag_is_rejected(control: Control) -> None:
    finished = control.run("--tags", "reprot", "--limit", "web2")
    assert finished.returncode == 2
    assert "This playbook has no tag reprot. Its tags are detect, report." in finished.stdout


def list_exports() -> list[str]:
    """Return options for metrics and events in new folders beside the report."""
    paths = {"report_openmetrics_path": "metrics/oomguard.prom", "report_events_path": "log/events.jsonl"}
    return ["-e", json.dumps(paths)]


def test_metrics_and_events_are_of_all_hosts(control: Control) -> None:
    control.run("--limit", "web1")
    assert control.run("--limit", "web2", *list_exports()).returncode == 0
    metrics = (control.folder / "metrics/oomguard.prom").read_text()
    assert '\noomguard_host_searched{host="web1"} 1\noomguard_host_searched{host="web2"} 1\n' in metrics
    assert '\noomguard_kills{host="web1",' in metrics
    (event,) = (control.folder / "log/events.jsonl").read_text().splitlines()
    assert json.loads(event)["host"]["name"] == "web1"


def test_second_run_adds_no_event(control: Control) -> None:
    control.run("--limit", "web1", *list_exports())
    events = (control.folder / "log/events.jsonl").read_bytes()
    options = ["-i", "localhost,", "--tags", "report", *list_exports()]
    assert "changed=0" in control.run(*options).stdout
    assert (control.folder / "log/events.jsonl").read_bytes() == events


def test_anonymous_metrics_and_events_have_no_names(control: Control) -> None:
    control.run("--limit", "web1", "-e", "report_anonymize=true", *list_exports())
    for path in ("metrics/oomguard.prom", "log/events.jsonl"):
        text = (control.folder / path).read_text()
        assert "web1" not in text
        assert "python3" not in text


def test_check_mode_exports_nothing(control: Control) -> None:
    control.run("--check", "--limit", "web1", *list_exports())
    assert [*control.folder.glob("metrics"), *control.folder.glob("log")] == []


def test_metrics_that_cannot_be_written_fail_the_run(control: Control) -> None:
    (control.folder / "metrics").touch()
    finished = control.run("--limit", "web1", *list_exports())
    assert finished.returncode == 2
    assert "Could not write metrics/oomguard.prom: " in finished.stdout + finished.stderr
