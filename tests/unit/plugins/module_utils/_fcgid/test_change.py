# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change of mod_fcgid's configuration on a host, step by step, and interrupted."""

from __future__ import annotations

import dataclasses
import pathlib
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._change import bring
from ansible_collections.oomguard.linux.plugins.module_utils._command import Completed
from ansible_collections.oomguard.linux.plugins.module_utils._errors import OomguardError
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.apache import Apache
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.change import FcgidChange
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.directives import FcgidError
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.layout import LAYOUTS, Layout
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.plan import Plan, State, Wanted, make_plan
from ansible_collections.oomguard.linux.plugins.module_utils._files import FileError
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._fcgid.configurations import EMPTY, state
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._fcgid.programs import (
    ABSENT,
    MAIN,
    NAME,
    OTHER,
    TEXT,
    WANTED,
    Programs,
    converge,
    files,
    is_converged,
    sleepless,
)


class Disturbed(FcgidChange):
    """A change of a host that something else disturbs after the change was planned."""

    def __init__(self, apache: Apache, wanted: Wanted, disturb: t.Callable[[], object]) -> None:
        super().__init__(apache, wanted)
        self._disturb = disturb

    def plan(self, state: State) -> Plan:
        plan = super().plan(state)
        self._disturb()
        return plan


def test_file_is_written_and_linked(apache: Apache, tmp_path: pathlib.Path) -> None:
    converge(apache, WANTED)
    assert files(tmp_path) == {f"conf-available/{NAME}": TEXT, f"conf-enabled/{NAME}": TEXT}


def test_link_is_one_that_a2disconf_removes(apache: Apache, tmp_path: pathlib.Path) -> None:
    converge(apache, WANTED)
    assert (tmp_path / "conf-enabled" / NAME).readlink() == pathlib.Path("../conf-available", NAME)


def test_apache_is_reloaded_once_and_last(apache: Apache, programs: Programs) -> None:
    converge(apache, WANTED)
    assert programs.ran == [
        "apache2ctl -t",
        "systemctl is-active",
        "apache2ctl -t",
        "systemctl is-active",
        "systemctl reload",
        *["systemctl is-active"] * 15,
    ]


def test_second_run_changes_nothing(apache: Apache) -> None:
    converge(apache, WANTED)
    assert is_converged(apache, WANTED)


def test_file_and_link_are_removed(apache: Apache, tmp_path: pathlib.Path) -> None:
    converge(apache, WANTED)
    converge(apache, ABSENT)
    assert files(tmp_path) == {}


def test_check_mode_changes_nothing(apache: Apache, tmp_path: pathlib.Path) -> None:
    assert not is_converged(apache, WANTED)
    assert files(tmp_path) == {}


@pytest.mark.parametrize("active", ["inactive", "failed", "activating"])
def test_stopped_apache_stays_stopped(apache: Apache, programs: Programs, active: str) -> None:
    programs.active = active
    converge(apache, WANTED)
    assert "systemctl reload" not in programs.ran


def test_systemctl_is_not_called_without_systemd(layout: Layout, programs: Programs, tmp_path: pathlib.Path) -> None:
    root = tmp_path / "elsewhere"
    (root / "run").mkdir(parents=True)
    apache = Apache(layout, run=programs, root=root)
    converge(apache, WANTED)
    assert programs.ran == ["apache2ctl -t", "apache2ctl -t"]


def test_fault_of_our_file_is_repaired_by_new_settings(
    apache: Apache, programs: Programs, tmp_path: pathlib.Path
) -> None:
    converge(apache, OTHER)
    programs.complaints = {"FcgidProcessLifeTime 60": "Something it names is gone"}
    converge(apache, WANTED)
    assert files(tmp_path)[f"conf-enabled/{NAME}"] == TEXT


def test_fault_of_our_file_is_removed_with_it(apache: Apache, programs: Programs, tmp_path: pathlib.Path) -> None:
    converge(apache, OTHER)
    programs.complaints = {"FcgidProcessLifeTime 60": "Something it names is gone"}
    converge(apache, ABSENT)
    assert files(tmp_path) == {}


def test_fault_of_wanted_settings_is_an_error(apache: Apache, programs: Programs, tmp_path: pathlib.Path) -> None:
    converge(apache, WANTED)
    programs.complaints = {"FcgidProcessLifeTime 600": "Something it names is gone"}
    with pytest.raises(FcgidError) as error:
        converge(apache, WANTED)
    name = f"{tmp_path}/conf-enabled/{NAME}"
    assert str(error.value) == (
        f"Apache rejects {name}: AH00526: Syntax error on line 3 of {name}: Something it names is gone."
        " Change the settings in the task."
    )


def test_file_is_put_back_if_apache_breaks_meanwhile(
    apache: Apache, programs: Programs, tmp_path: pathlib.Path
) -> None:
    converge(apache, WANTED)
    programs.complaints = {"Nonsense on": "Invalid command 'Nonsense'"}
    site = tmp_path / "conf-enabled/site.conf"
    change = Disturbed(apache, OTHER, lambda: site.write_text("Nonsense on\n"))
    with pytest.raises(FcgidError, match=r"was restored, and Apache was not reloaded\. Repair it"):
        bring(change, check_mode=False)
    assert files(tmp_path)[f"conf-available/{NAME}"] == TEXT


def test_file_is_removed_again_if_a_later_file_wins(apache: Apache, tmp_path: pathlib.Path) -> None:
    later = tmp_path / "conf-enabled/zzz.conf"
    change = Disturbed(apache, WANTED, lambda: later.write_text("FcgidProcessLifeTime 44\n"))
    with pytest.raises(FcgidError) as error:
        bring(change, check_mode=False)
    message = (
        "Some directives would not be in force: FcgidProcessLifeTime is 44 instead of 600 in server config"
        f" ({tmp_path}/conf-enabled/zzz.conf line 1). {tmp_path}/conf-available/{NAME} was restored,"
        " and Apache was not reloaded."
        " Change these settings there, or set allow_overrides if they are meant to differ."
    )
    assert (str(error.value), list(files(tmp_path))) == (message, ["conf-enabled/zzz.conf"])


def test_later_file_can_win_if_overrides_are_allowed(apache: Apache, tmp_path: pathlib.Path) -> None:
    (tmp_path / "conf-enabled/zzz.conf").write_text("FcgidProcessLifeTime 44\n")
    converge(apache, dataclasses.replace(WANTED, allow_overrides=True))
    assert files(tmp_path)[f"conf-enabled/{NAME}"] == TEXT


def test_path_that_apache_does_not_read_is_rejected(layout: Layout, programs: Programs, tmp_path: pathlib.Path) -> None:
    apache = Apache(layout, run=programs, path=tmp_path / "fcgid.conf", root=tmp_path, sleep=sleepless)
    with pytest.raises(FcgidError, match=r"^Apache does not read FcgidProcessLifeTime from .*/fcgid\.conf\. "):
        converge(apache, WANTED)
    assert files(tmp_path) == {}


def test_check_mode_predicts_that_apache_does_not_read_the_file(apache: Apache, tmp_path: pathlib.Path) -> None:
    (tmp_path / MAIN).write_text("IncludeOptional mods-enabled/*.conf\n")
    with pytest.raises(FcgidError, match=r"^Apache does not read FcgidProcessLifeTime from "):
        is_converged(apache, WANTED)


def test_check_mode_predicts_that_the_file_is_read_inside_a_section(apache: Apache, tmp_path: pathlib.Path) -> None:
    (tmp_path / MAIN).write_text("<VirtualHost *:80>\nInclude conf-enabled/*.conf\n</VirtualHost>\n")
    with pytest.raises(FcgidError, match=r"inside <VirtualHost \*:80>, so it would not apply to the whole server\."):
        is_converged(apache, WANTED)


def test_check_mode_predicts_that_a_file_cannot_be_written(apache: Apache, tmp_path: pathlib.Path) -> None:
    (tmp_path / "conf-available" / NAME).mkdir()
    with pytest.raises(FileError, match=r"it is a directory"):
        apache.check_place(make_plan(state(EMPTY, text=None, linked=False), WANTED))


@pytest.mark.parametrize("folder", ["conf-available", "conf-enabled"])
@pytest.mark.parametrize("want", [WANTED, ABSENT], ids=["present", "absent"])
def test_check_mode_predicts_that_a_folder_is_immutable(
    apache: Apache, monkeypatch: pytest.MonkeyPatch, folder: str, want: Wanted
) -> None:
    if want == ABSENT:
        converge(apache, WANTED)

    def refuse(path: pathlib.Path, text: str | None) -> None:
        assert (text is None) == (want == ABSENT)
        if path.parent.name == folder:
            raise FileError(f"Could not change {path}: {path.parent} is immutable.")

    monkeypatch.setattr(f"{Apache.__module__}.check_change", refuse)
    with pytest.raises(FileError, match=f"{folder} is immutable"):
        is_converged(apache, want)


def test_second_run_needs_no_writable_folder(apache: Apache, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: pathlib.Path, _text: str | None) -> t.NoReturn:
        raise FileError(f"Could not change {path}.")

    converge(apache, WANTED)
    monkeypatch.setattr(f"{Apache.__module__}.check_change", refuse)
    assert is_converged(apache, WANTED)


def test_path_outside_of_conf_available_has_no_link(layout: Layout, programs: Programs, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "conf-enabled/zx.conf"
    converge(Apache(layout, run=programs, path=path, root=tmp_path, sleep=sleepless), WANTED)
    assert files(tmp_path) == {"conf-enabled/zx.conf": TEXT}


def test_missing_file_of_a_link_is_written(apache: Apache, layout: Layout, tmp_path: pathlib.Path) -> None:
    converge(apache, WANTED)
    layout.path.unlink()
    converge(apache, WANTED)
    assert files(tmp_path)[f"conf-enabled/{NAME}"] == TEXT


def test_link_that_cannot_be_created_is_an_error(apache: Apache, layout: Layout, tmp_path: pathlib.Path) -> None:
    change = Disturbed(apache, WANTED, (tmp_path / "conf-enabled").rmdir)
    with pytest.raises(OomguardError) as error:
        bring(change, check_mode=False)
    assert str(error.value) == (
        f"Could not link {tmp_path}/conf-enabled/{NAME} to {layout.path}: No such file or directory."
        f" {layout.path} was restored, and Apache was not reloaded."
    )


def test_owed_reload_that_cannot_be_noted_is_an_error(
    apache: Apache, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    def refuse() -> t.NoReturn:
        raise FileError("Could not write the file.")

    monkeypatch.setattr(apache, "note_owed_reload", refuse)
    with pytest.raises(FileError, match=r"^Could not write the file\.$"):
        converge(apache, WANTED)
    assert files(tmp_path) == {}


def test_enterprise_linux_reads_the_file_without_a_link(programs: Programs, tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "conf.d"
    folder.mkdir()
    programs.folder = folder
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    (tmp_path / MAIN).write_text("IncludeOptional conf.d/*.conf\n")
    httpd = dataclasses.replace(LAYOUTS[1], main=tmp_path / "httpd.conf", folder=folder, server_root=str(tmp_path))
    converge(Apache(httpd, run=programs, root=tmp_path, sleep=sleepless), WANTED)
    assert (files(tmp_path), programs.ran[1], "systemctl reload" in programs.ran) == (
        {f"conf.d/{NAME}": TEXT},
        "httpd -t",
        True,
    )


def test_failed_reload_is_an_error(apache: Apache, programs: Programs) -> None:
    programs.reload_status = 1
    with pytest.raises(OomguardError) as error:
        converge(apache, WANTED)
    assert str(error.value) == (
        "Could not reload apache2.service: systemctl ended with status 1 (Job failed.)."
        " The new configuration passed Apache's test and stays on disk. The next run reloads Apache again."
    )


@pytest.mark.parametrize(
    ("reload_status", "fate"), [(0, ["active", "failed"]), (0, ["reloading", "deactivating"]), (1, ["activating"])]
)
def test_apache_that_ends_on_the_reload_is_started_as_before(
    apache: Apache, programs: Programs, layout: Layout, reload_status: int, fate: list[str]
) -> None:
    converge(apache, WANTED)
    programs.ran.clear()
    programs.fate, programs.reload_status = fate, reload_status
    with pytest.raises(FcgidError) as error:
        converge(apache, OTHER)
    assert str(error.value) == (
        "apache2.service ended when it reloaded its configuration, although that had passed Apache's test."
        f" {layout.path} was restored, and apache2.service was started again."
        " See Apache's error log for the reason."
    )
    assert (layout.path.read_text(), programs.ran[-1]) == (TEXT, "systemctl start")


def test_apache_that_cannot_be_started_again_is_an_error(
    apache: Apache, programs: Programs, tmp_path: pathlib.Path
) -> None:
    programs.fate, programs.start_status = ["active", "failed"], 1
    with pytest.raises(OomguardError) as error:
        converge(apache, WANTED)
    assert str(error.value) == (
        "apache2.service ended when it reloaded its configuration, although that had passed Apache's test."
        " Restoring the old state failed as well:"
        " Could not start apache2.service again: systemctl ended with status 1 (Job failed.)."
        f" {tmp_path}/conf-available/{NAME} was restored."
    )
    assert files(tmp_path) == {}


def test_first_error_is_told_before_the_file_that_cannot_be_restored(
    apache: Apache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object, **_options: object) -> t.NoReturn:
        raise FileError("Could not write the file: Read-only file system.")

    def verify(*_arguments: object) -> t.NoReturn:
        monkeypatch.setattr(apache, "install", refuse)
        raise FcgidError("It is not in force.", hint="Look.")

    change = FcgidChange(apache, WANTED)
    monkeypatch.setattr(change, "verify", verify)
    with pytest.raises(OomguardError) as error:
        bring(change, check_mode=False)
    assert str(error.value) == (
        "It is not in force. Look. Restoring the old state failed as well:"
        " Could not write the file: Read-only file system."
    )


def test_owed_reload_is_done_by_the_next_run(apache: Apache, programs: Programs) -> None:
    programs.reload_status = 1
    with pytest.raises(OomguardError):
        converge(apache, WANTED)
    programs.reload_status = 0
    converge(apache, WANTED)
    assert is_converged(apache, WANTED)


@dataclasses.dataclass
class Interrupted:
    """Programs that end this run, as a power cut would, after the given one has run for the given time."""

    programs: Programs
    command: str
    time: int

    def __call__(self, argv: t.Sequence[str], **options: t.Any) -> Completed:
        done = self.programs(argv, **options)
        if self.programs.ran.count(self.command) == self.time and self.programs.ran[-1] == self.command:
            raise KeyboardInterrupt
        return done


@pytest.mark.parametrize(
    ("command", "time"), [("apache2ctl -t", 2), ("systemctl is-active", 2), ("systemctl reload", 1)]
)
def test_interrupted_run_is_completed_by_the_next_run(
    layout: Layout, programs: Programs, tmp_path: pathlib.Path, command: str, time: int
) -> None:
    interrupted = Apache(layout, run=Interrupted(programs, command, time), root=tmp_path, sleep=sleepless)
    with pytest.raises(KeyboardInterrupt):
        converge(interrupted, WANTED)
    programs.ran.clear()
    converge(Apache(layout, run=programs, root=tmp_path, sleep=sleepless), WANTED)
    assert "systemctl reload" in programs.ran


def test_settings_are_our_file_and_all_directives(apache: Apache, host: Programs) -> None:
    del host
    change = FcgidChange(apache, WANTED)
    settings = change.list_settings(change.observe())
    values = {setting.what: setting.value for setting in settings}
    assert settings[0].value is None
    assert values["FcgidMinProcessesPerClass"] == 3
