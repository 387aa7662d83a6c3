# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The adapter to systemd, with a fake in the place of its programs and a folder in the place of the root."""

from __future__ import annotations

import dataclasses
import pathlib
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._command import Completed
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.dropin import MARK, DropinError, Wanted, make_plan
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.unit import Systemd

WANTED = Wanted(unit="httpd.service", settings={"Service": {"OOMPolicy": ["continue"]}})
TEXT = f"{MARK}\n\n[Service]\nOOMPolicy=continue\n"


@dataclasses.dataclass
class Programs:
    """Answers of systemctl and systemd-analyze, and the commands that were run."""

    shown: dict[str, str] = dataclasses.field(default_factory=dict)
    complaint: str = ""
    reload_status: int = 0
    ran: list[str] = dataclasses.field(default_factory=list)

    def __call__(self, argv: t.Sequence[str], **options: t.Any) -> Completed:
        self.ran.append(" ".join(argv[:2]))
        done = Completed(argv=tuple(argv), returncode=0, stdout="", stderr="")
        if argv[1] == "show":
            return dataclasses.replace(done, stdout="".join(f"{name}={value}\n" for name, value in self.shown.items()))
        if argv[1] == "verify":
            folder = options["environment"]["SYSTEMD_UNIT_PATH"].rstrip(":")
            candidate = next(pathlib.Path(folder).rglob("*.conf"))
            return dataclasses.replace(
                done, stderr=f"other.service: unrelated\n{candidate}:4: {self.complaint}\n" * bool(self.complaint)
            )
        return dataclasses.replace(done, returncode=self.reload_status, stderr="Access denied")


@pytest.fixture
def programs() -> Programs:
    return Programs(
        shown={
            "Id": "apache2.service",
            "LoadState": "loaded",
            "ActiveState": "active",
            "FragmentPath": "/lib/systemd/system/apache2.service",
            "DropInPaths": "",
            "NeedDaemonReload": "no",
            "OOMPolicy": "stop",
        }
    )


@pytest.fixture
def systemd(programs: Programs, tmp_path: pathlib.Path) -> Systemd:
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    return Systemd(run=programs, root=tmp_path)


def test_an_alias_is_resolved(systemd: Systemd, tmp_path: pathlib.Path) -> None:
    path = systemd.observe(WANTED).path
    assert path == tmp_path / "etc/systemd/system/apache2.service.d/50-oomguard.conf"


def test_a_runtime_dropin_lies_below_run(systemd: Systemd, tmp_path: pathlib.Path) -> None:
    path = systemd.observe(dataclasses.replace(WANTED, runtime=True)).path
    assert path == tmp_path / "run/systemd/system/apache2.service.d/50-oomguard.conf"


def test_properties_are_observed(systemd: Systemd) -> None:
    assert systemd.observe(WANTED).properties["OOMPolicy"] == "stop"


def test_the_loaded_dropins_are_read(systemd: Systemd, programs: Programs, tmp_path: pathlib.Path) -> None:
    (tmp_path / "site.conf").write_text("[Service]\n")
    programs.shown["DropInPaths"] = f"{tmp_path}/site.conf"
    assert systemd.observe(WANTED).dropins == ((f"{tmp_path}/site.conf", "[Service]\n"),)


@pytest.mark.parametrize(
    ("load_state", "message"),
    [
        (
            "not-found",
            "httpd.service has the load state not-found. Is the package that brings it installed, and its name right?",
        ),
        ("masked", "httpd.service has the load state masked. A masked unit cannot be configured; unmask it first."),
        ("bad-setting", "httpd.service has the load state bad-setting. Run `systemctl status` on it."),
    ],
)
def test_units_that_cannot_be_configured(systemd: Systemd, programs: Programs, load_state: str, message: str) -> None:
    programs.shown["LoadState"] = load_state
    with pytest.raises(DropinError) as error:
        systemd.observe(WANTED)
    assert str(error.value) == message


def test_a_dropin_of_a_unit_that_is_gone_can_be_removed(systemd: Systemd, programs: Programs) -> None:
    programs.shown["LoadState"] = "not-found"
    assert systemd.observe(dataclasses.replace(WANTED, present=False)).text is None


def test_links_are_refused(systemd: Systemd, tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "etc/systemd/system"
    folder.mkdir(parents=True)
    (folder / "apache2.service.d").symlink_to("/dev/null")
    with pytest.raises(DropinError, match=r"or its folder is a symbolic link\."):
        systemd.observe(WANTED)


def test_without_systemd_only_the_file_is_looked_at(programs: Programs, tmp_path: pathlib.Path) -> None:
    Systemd(run=programs, root=tmp_path).observe(WANTED)
    assert programs.ran == []


def test_what_systemd_complains_about_is_told(systemd: Systemd, programs: Programs) -> None:
    programs.complaint = "Failed to parse OOM policy, ignoring: bogus"
    state = systemd.observe(WANTED)
    with pytest.raises(DropinError) as error:
        systemd.validate(make_plan(state, WANTED), state, WANTED)
    assert str(error.value) == (
        "systemd does not accept the settings for httpd.service (50-oomguard.conf:4: Failed to parse OOM policy,"
        " ignoring: bogus). Nothing was changed. Correct the directive, its section or its value."
    )


def test_what_systemd_accepts_is_installed_and_read(systemd: Systemd, programs: Programs) -> None:
    state = systemd.observe(WANTED)
    systemd.apply(make_plan(state, WANTED))
    assert (state.path.read_text(), programs.ran) == (TEXT, ["systemctl show", "systemctl daemon-reload"])


def test_a_removed_file_takes_its_empty_folder_along(systemd: Systemd) -> None:
    systemd.apply(make_plan(systemd.observe(WANTED), WANTED))
    absent = dataclasses.replace(WANTED, present=False)
    state = systemd.observe(absent)
    systemd.apply(make_plan(state, absent))
    assert not state.path.parent.exists()


def test_a_folder_with_other_files_stays(systemd: Systemd) -> None:
    systemd.apply(make_plan(systemd.observe(WANTED), WANTED))
    absent = dataclasses.replace(WANTED, present=False)
    state = systemd.observe(absent)
    (state.path.parent / "site.conf").touch()
    systemd.apply(make_plan(state, absent))
    assert [path.name for path in state.path.parent.iterdir()] == ["site.conf"]


def test_a_forced_replacement_keeps_a_backup(systemd: Systemd) -> None:
    forced = dataclasses.replace(WANTED, force=True)
    path = systemd.observe(forced).path
    path.parent.mkdir(parents=True)
    path.write_text("[Service]\n")
    systemd.apply(make_plan(systemd.observe(forced), forced))
    assert [backup.read_text() for backup in path.parent.glob("50-oomguard.conf.*~")] == ["[Service]\n"]


def test_a_failed_reload_brings_the_old_state_back(systemd: Systemd, programs: Programs) -> None:
    programs.reload_status = 1
    state = systemd.observe(WANTED)
    with pytest.raises(DropinError) as error:
        systemd.apply(make_plan(state, WANTED))
    assert str(error.value) == (
        "Could not have systemd read its files again: systemctl ended with status 1 (Access denied)."
        f" {state.path} is as it was before."
    )
    assert not state.path.exists()


def test_a_template_is_looked_at_through_an_instance(systemd: Systemd, programs: Programs) -> None:
    programs.shown["Id"] = "worker@oomguard.service"
    state = systemd.observe(dataclasses.replace(WANTED, unit="worker@.service"))
    assert state.path.parent.name == "worker@.service.d"
