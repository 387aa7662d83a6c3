# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files and commands of docs/schedulers.md, in the hands of the programs that read them."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import sys

import pytest
import yaml
from engines.programs import find_program, find_python_program
from engines.snippets import list_commands, read_files

COLLECTION = pathlib.Path(__file__).parents[2]
BIN = pathlib.Path(sys.executable).parent
FILES = read_files("schedulers.md")
LOG = COLLECTION / "tests/unit/plugins/module_utils/_oom/fixtures/bookworm-6.1-memcg.log"
UNITS = [name for name in FILES if name.startswith("/etc/systemd/system/")]
MOST_EXPOSURE = 20
CRON_LINE = re.compile(r"(?:[0-9*/,-]+ ){5}oomguard (.*)")


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Build the collection as it would be published."""
    folder = tmp_path_factory.mktemp("artifact")
    build = ["ansible-galaxy", "collection", "build", "--output-path", str(folder), str(COLLECTION)]
    subprocess.run([BIN / build[0], *build[1:]], check=True, stdout=subprocess.DEVNULL)
    (path,) = folder.glob("*.tar.gz")

    return path


class Place:
    """A folder with the files of the document, and the home of the user who runs the commands."""

    def __init__(self, folder: pathlib.Path, artifact: pathlib.Path) -> None:
        self.folder = folder
        self.log = folder / "kernel.log"
        self.log.write_text("", "utf-8")
        self.artifact = artifact

    def write(self, name: str) -> pathlib.Path:
        """Write a file of the document, with this folder in place of the root of the filesystem."""
        path = self.folder / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self._adapt(FILES[name]), "utf-8")

        return path

    def write_inventory(self, name: str) -> None:
        """Write the inventory. Its host searches a text log in place of this machine's journal."""
        inventory = yaml.safe_load(FILES["/etc/oomguard/hosts.yml"])
        inventory["all"]["hosts"]["localhost"] |= {
            "ansible_python_interpreter": sys.executable,
            "detect_log_files": [str(self.log)],
        }
        path = self.folder / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(inventory), "utf-8")

    def write_variables(self, name: str) -> None:
        """Write the variables for a text log, of which the period cannot be chosen, and is not known."""
        variables = yaml.safe_load(FILES["/etc/oomguard/vars.yml"])
        del variables["detect_since"]
        variables["detect_fail_on"].remove("incomplete")
        (self.folder / name.lstrip("/")).write_text(yaml.safe_dump(variables), "utf-8")

    def write_requirements(self) -> None:
        """Write the requirements, with the collection from this checkout in place of the published one."""
        requirements = yaml.safe_load(FILES["collections/requirements.yml"])
        assert requirements == {"collections": [{"name": "oomguard.linux"}]}
        path = self.folder / "collections/requirements.yml"
        path.parent.mkdir()
        path.write_text(yaml.safe_dump({"collections": [{"name": str(self.artifact)}]}), "utf-8")

    def break_log(self) -> None:
        """Let the search fail."""
        self.log.unlink()

    def run(self, command: str, *, path: str = "/usr/bin:/bin", **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command by /bin/sh as cron does: with hardly any environment, and no terminal."""
        environment = {
            "HOME": str(self.folder),
            "LOGNAME": "oomguard",
            "SHELL": "/bin/sh",
            "PATH": f"{BIN}:{path}",
            **variables,
        }
        return subprocess.run(
            ["/bin/sh", "-c", self._adapt(command)],
            env=environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def _adapt(self, text: str) -> str:
        return re.sub(r"/(etc/oomguard|var/lib)\b", rf"{self.folder}/\1", text)


def find_command(part: str) -> str:
    """Return the command in the document that has this part."""
    (command,) = [command for command in list_commands("schedulers.md") if part in command]
    return command


@pytest.fixture
def place(tmp_path: pathlib.Path, artifact: pathlib.Path) -> Place:
    return Place(tmp_path, artifact)


@pytest.fixture
def node(place: Place) -> Place:
    """Prepare a control node."""
    place.write_inventory("/etc/oomguard/hosts.yml")
    place.write_variables("/etc/oomguard/vars.yml")
    install = find_command("collection install oomguard").removeprefix("sudo -u oomguard ")
    command = install.replace("oomguard.linux", str(place.artifact))
    done = place.run(command)
    assert done.returncode == 0, done.stdout

    return place


def parse_cron() -> tuple[dict[str, str], str]:
    """Return the variables and the command in the crontab."""
    *settings, line, _end = FILES["/etc/cron.d/oomguard"].split("\n")
    match = CRON_LINE.fullmatch(line)
    assert match, line
    variables = dict(setting.split("=") for setting in settings)

    return variables, match[1]


def test_cron_mails_nothing_if_nothing_is_wrong(node: Place) -> None:
    variables, command = parse_cron()
    done = node.run(command, path=variables["PATH"])
    assert [done.returncode, done.stdout] == [0, ""]


def test_cron_mails_what_is_wrong(node: Place) -> None:
    node.break_log()
    variables, command = parse_cron()
    done = node.run(command, path=variables["PATH"])
    assert "1 host: 1 not looked at." in done.stdout


def test_cron_takes_a_percent_sign_for_a_newline() -> None:
    assert "%" not in parse_cron()[1]


def test_systemd_finds_no_fault_in_the_units(place: Place) -> None:
    paths = [str(place.write(name)) for name in UNITS]
    done = subprocess.run(["systemd-analyze", "verify", *paths], capture_output=True, text=True, check=False)
    assert [done.returncode, done.stderr] == [0, ""]


def test_service_is_restricted(place: Place) -> None:
    path = place.write("/etc/systemd/system/oomguard.service")
    argv = ["systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSURE}", str(path)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_timer_runs_every_day() -> None:
    (calendar,) = re.findall("OnCalendar=(.*)", FILES["/etc/systemd/system/oomguard.timer"])
    argv = ["systemd-analyze", "calendar", "--base-time=2026-11-29 12:00 UTC", "--iterations=2", calendar]
    shown = subprocess.run(argv, env={"TZ": "UTC", "LC_ALL": "C"}, capture_output=True, text=True, check=True).stdout
    assert re.findall(r": ... (2026-\S+ \S+) UTC", shown) == ["2026-11-30 06:15:00", "2026-12-01 06:15:00"]


def test_service_and_cron_run_the_same_command() -> None:
    (start,) = re.findall("ExecStart=/usr/bin/env (.*)", FILES["/etc/systemd/system/oomguard.service"])
    assert f"$({start} 2>&1)" in parse_cron()[1]


def test_report_has_a_page_metrics_and_events(node: Place) -> None:
    node.log.write_bytes(LOG.read_bytes())
    node.write("/etc/oomguard/report.yml")
    done = node.run(find_command("report.yml"))
    assert done.returncode == 0, done.stdout

    state = node.folder / "var/lib"
    assert (state / "oomguard/report/index.html").is_file()
    (event,) = (state / "oomguard/events.jsonl").read_text("utf-8").splitlines()
    assert json.loads(event)["host"] == {"name": "localhost"}
    metrics = (state / "prometheus/node-exporter/oomguard.prom").read_text("utf-8")
    assert re.search(r'^oomguard_kills\{host="localhost",.*\} 1$', metrics, re.MULTILINE)
    check = subprocess.run([find_program("promtool"), "check", "metrics"], input=metrics, text=True, check=False)
    assert check.returncode == 0


def test_awx_project_runs(place: Place) -> None:
    place.write("detect.yml")
    place.write_requirements()
    place.write_inventory("hosts.yml")
    place.write_variables("vars.yml")
    assert place.run(find_command("collection install -r")).returncode == 0
    done = place.run(find_command("detect.yml"))
    assert done.returncode == 0, done.stdout
    assert "1 host: 1" in done.stdout


def test_gitlab_file_matches_its_schema(place: Place) -> None:
    path = place.write(".gitlab-ci.yml")
    argv = [find_python_program("check-jsonschema"), "--builtin-schema", "vendor.gitlab-ci"]
    done = subprocess.run([*argv, "--data-transform", "gitlab-ci", str(path)], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("is_broken", "code"), [(False, 0), (True, 2)])
def test_gitlab_job_fails_if_something_is_wrong(place: Place, is_broken: bool, code: int) -> None:
    place.write_requirements()
    place.write_inventory("hosts.yml")
    place.write_variables("vars.yml")
    key = place.folder / "key"
    key.touch()
    if is_broken:
        place.break_log()

    job = yaml.safe_load(FILES[".gitlab-ci.yml"])["oom-kills"]
    lines = [line for line in [*job["before_script"], *job["script"]] if not line.startswith(("apt-get", "pip"))]
    done = place.run("\n".join(["set -e", *lines]), SSH_KEY=str(key))
    assert done.returncode == code, done.stdout
    assert [(place.folder / path / "index.html").is_file() for path in job["artifacts"]["paths"]] == [True]
    assert key.stat().st_mode & 0o777 == 0o400
