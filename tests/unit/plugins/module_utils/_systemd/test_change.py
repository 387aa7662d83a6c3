# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The change of a drop-in from observation to activation, and back if it fails."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import os
import pathlib
import stat
import tempfile
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._change import bring
from ansible_collections.oomguard.linux.plugins.module_utils._change_record import Setting
from ansible_collections.oomguard.linux.plugins.module_utils._errors import OomguardError
from ansible_collections.oomguard.linux.plugins.module_utils._files import FileError
from ansible_collections.oomguard.linux.plugins.module_utils._systemd import change
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.cgroup import write_limit
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.change import DropinChange
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.manager import Systemd
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.model import DropinError, Wanted
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._systemd.factories import HTTPD as WANTED
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._systemd.factories import TEXT, Programs

ABSENT = Wanted(unit="httpd.service", present=False)

ONE_MIB = dataclasses.replace(WANTED, settings={"Service": {"MemoryMax": ["1M"]}})


def apply_change(systemd: Systemd, wanted: Wanted, *, verify: bool = True) -> pathlib.Path:
    state, _plan = bring(DropinChange(wanted, systemd, verify=verify), check_mode=False)
    return state.path


def fail_to_apply(systemd: Systemd, wanted: Wanted = WANTED) -> str:
    with pytest.raises(OomguardError) as error:
        apply_change(systemd, wanted)
    return str(error.value)


def read_owner(path: pathlib.Path) -> tuple[int, int, int]:
    found = path.stat()
    return stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid


@pytest.fixture
def secret(systemd: Systemd) -> pathlib.Path:
    path = systemd.observe(WANTED).path
    path.parent.mkdir(parents=True)
    path.write_text("[Service]\nEnvironment=PASSWORD=x\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def memory_max(programs: Programs, tmp_path: pathlib.Path) -> pathlib.Path:
    file = tmp_path / "sys/fs/cgroup/system.slice/apache2.service/memory.max"
    file.parent.mkdir(parents=True)
    file.write_text("max\n")
    programs.shown.update(ControlGroup="/system.slice/apache2.service", MemoryMax="1048576")
    return file


def test_planned_file_is_installed_and_read(systemd: Systemd, programs: Programs) -> None:
    path = apply_change(systemd, WANTED)
    assert (path.read_text(), programs.ran) == (TEXT, ["show", "verify", "daemon-reload", "show"])


@pytest.mark.parametrize("check_mode", [True, False])
def test_found_settings_are_verified_if_nothing_is_planned(
    systemd: Systemd, programs: Programs, *, check_mode: bool
) -> None:
    programs.after_reload = "stop"
    apply_change(systemd, WANTED, verify=False)
    unread = dataclasses.replace(WANTED, reload="never")
    with pytest.raises(DropinError, match=r"^OOMPolicy= of httpd\.service has the value 'stop' in force, although "):
        bring(DropinChange(unread, systemd), check_mode=check_mode)


def test_found_settings_are_not_verified_without_verify(systemd: Systemd) -> None:
    apply_change(systemd, WANTED, verify=False)
    unread = dataclasses.replace(WANTED, reload="never")
    _state, plan = bring(DropinChange(unread, systemd, verify=False), check_mode=False)
    assert not plan.changed


def test_file_that_cannot_be_written_is_not_restored(
    systemd: Systemd, programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> t.NoReturn:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "replace", refuse)
    # The configuration of systemd itself is not validated, so no other file is written.
    wanted = dataclasses.replace(WANTED, unit="system.conf", settings={"Manager": {"DefaultOOMPolicy": ["continue"]}})
    with pytest.raises(FileError, match=r"Read-only file system\. It was not changed\. Mount its filesystem"):
        apply_change(systemd, wanted)
    assert programs.ran == ["show"]


@pytest.mark.parametrize("check_mode", [True, False])
def test_place_that_cannot_be_written_is_refused_before_anything_is_done(
    systemd: Systemd, programs: Programs, monkeypatch: pytest.MonkeyPatch, *, check_mode: bool
) -> None:
    monkeypatch.setattr(os, "access", lambda *_arguments, **_options: False)
    with pytest.raises(FileError, match=r": this user may not write to /.*\. Nothing was changed\."):
        bring(DropinChange(WANTED, systemd), check_mode=check_mode)
    assert programs.ran == ["show"]


@pytest.mark.parametrize("check_mode", [True, False])
def test_place_that_cannot_be_examined_is_an_error(
    systemd: Systemd, monkeypatch: pytest.MonkeyPatch, *, check_mode: bool
) -> None:
    def refuse(path: pathlib.Path) -> t.NoReturn:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(pathlib.Path, "is_symlink", refuse)
    with pytest.raises(FileError) as error:
        bring(DropinChange(WANTED, systemd), check_mode=check_mode)
    path = systemd.root / "etc/systemd/system/apache2.service.d/50-oomguard.conf"
    assert str(error.value) == f"Could not examine the drop-in of httpd.service: {path}: Permission denied."


def test_host_without_room_for_temporary_files_is_an_error(systemd: Systemd, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_options: object) -> t.NoReturn:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "TemporaryDirectory", refuse)
    with pytest.raises(FileError) as error:
        apply_change(systemd, WANTED)
    assert str(error.value) == ("Could not check the settings for httpd.service: No usable temporary directory found.")


def test_empty_folder_is_removed_with_file(systemd: Systemd) -> None:
    apply_change(systemd, WANTED)
    assert not apply_change(systemd, ABSENT).parent.exists()


def test_folder_with_other_files_stays(systemd: Systemd) -> None:
    path = apply_change(systemd, WANTED)
    (path.parent / "site.conf").touch()
    apply_change(systemd, ABSENT)
    assert [left.name for left in path.parent.iterdir()] == ["site.conf"]


@pytest.mark.parametrize("wanted", [WANTED, ABSENT])
def test_leftover_of_killed_run_is_removed(systemd: Systemd, wanted: Wanted) -> None:
    path = apply_change(systemd, wanted)
    path.parent.mkdir(parents=True, exist_ok=True)
    (path.parent / ".50-oomguard.conf.oomguard").touch()
    apply_change(systemd, wanted)
    left = [name.name for name in path.parent.iterdir()] if path.parent.exists() else []
    assert left == (["50-oomguard.conf"] if wanted.present else [])


def test_forced_replacement_keeps_backup(systemd: Systemd) -> None:
    forced = dataclasses.replace(WANTED, force=True)
    path = systemd.observe(forced).path
    path.parent.mkdir(parents=True)
    path.write_text("[Service]\n")
    apply_change(systemd, forced)
    assert [backup.read_text() for backup in path.parent.glob("50-oomguard.conf.*~")] == ["[Service]\n"]


@pytest.mark.parametrize("links", [True, False])
def test_backup_keeps_mode_and_owner(
    systemd: Systemd, secret: pathlib.Path, links: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> t.NoReturn:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    if os.getuid() == 0:
        os.chown(str(secret), 1234, 1234)
    if not links:
        monkeypatch.setattr(os, "link", refuse)
    before = read_owner(secret)
    apply_change(systemd, dataclasses.replace(WANTED, force=True))
    assert [read_owner(backup) for backup in secret.parent.glob("*~")] == [before]


def test_restored_file_keeps_mode_and_owner(systemd: Systemd, programs: Programs, secret: pathlib.Path) -> None:
    if os.getuid() == 0:
        os.chown(str(secret), 1234, 1234)
    before, programs.failures = read_owner(secret), 1
    fail_to_apply(systemd, dataclasses.replace(WANTED, force=True))
    assert read_owner(secret) == before


def test_failed_reload_restores_old_state(systemd: Systemd, programs: Programs) -> None:
    programs.failures = 1
    path = systemd.observe(WANTED).path
    assert fail_to_apply(systemd) == (
        "Could not reload systemd's unit files: systemctl ended with status 1 (Access denied)."
        f" {path} is as it was before."
    )
    assert (path.parent.exists(), programs.ran[-1]) == (False, "daemon-reload")


def test_failure_to_restore_is_reported_as_well(systemd: Systemd, programs: Programs) -> None:
    programs.failures = 2
    once = "Could not reload systemd's unit files: systemctl ended with status 1 (Access denied)."
    assert fail_to_apply(systemd) == f"{once} Restoring the old state failed as well: {once}"


def test_setting_that_is_not_in_force_is_undone(systemd: Systemd, programs: Programs) -> None:
    programs.after_reload = "stop"
    path = systemd.observe(WANTED).path
    assert fail_to_apply(systemd).endswith(f"{path} is as it was before.")
    assert not path.exists()


def test_failed_reload_restores_old_file(systemd: Systemd, programs: Programs) -> None:
    path = apply_change(systemd, WANTED)
    programs.failures = 1
    fail_to_apply(systemd, dataclasses.replace(WANTED, settings={"Service": {"OOMPolicy": ["kill"]}}))
    assert path.read_text() == TEXT


def test_kernel_gets_new_limit(systemd: Systemd, memory_max: pathlib.Path) -> None:
    apply_change(systemd, ONE_MIB)
    assert memory_max.read_text() == "1048576"


@pytest.mark.parametrize("check_mode", [True, False])
def test_limit_below_memory_in_use_changes_nothing(
    systemd: Systemd, memory_max: pathlib.Path, *, check_mode: bool
) -> None:
    memory_max.with_name("memory.current").write_text("3145728\n")
    with pytest.raises(
        DropinError, match=r"^MemoryMax= of apache2\.service would be 1\.0 MiB, but the unit uses 3\.0 MiB"
    ):
        bring(DropinChange(ONE_MIB, systemd), check_mode=check_mode)
    assert (systemd.observe(ONE_MIB).text, memory_max.read_text()) == (None, "max\n")


@pytest.mark.parametrize("refused", [True, False])
@pytest.mark.parametrize("verify", [True, False])
def test_limit_that_kernel_does_not_take_fails_if_verified(
    systemd: Systemd, memory_max: pathlib.Path, verify: bool, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(file: pathlib.Path, text: str, *, required: bool) -> None:
        if refused:
            write_limit(file.parent, text, required=required)

    monkeypatch.setattr(change, "write_limit", write)
    with pytest.raises(DropinError, match=f"{memory_max.parent}") if verify else contextlib.nullcontext():
        apply_change(systemd, ONE_MIB, verify=verify)
    assert systemd.observe(ONE_MIB).path.exists() is not verify


@pytest.mark.usefixtures("memory_max")
def test_unit_that_ends_meanwhile_needs_no_limit(
    systemd: Systemd, programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(file: pathlib.Path, text: str, *, required: bool) -> None:
        file.unlink()
        file.parent.rmdir()
        programs.shown.update(ControlGroup="", ActiveState="inactive")
        write_limit(file, text, required=required)

    monkeypatch.setattr(change, "write_limit", end)
    assert apply_change(systemd, ONE_MIB).exists()


def test_instances_of_template_get_new_limit(systemd: Systemd, programs: Programs, tmp_path: pathlib.Path) -> None:
    programs.shown.update(Id="worker@oomguard.service", ActiveState="inactive", MemoryMax="1048576")
    files = [tmp_path / f"sys/fs/cgroup/worker@{number}.service/memory.max" for number in (1, 2)]
    for file in files:
        file.parent.mkdir(parents=True)
        file.write_text("max\n")
        programs.instances.append({"ControlGroup": f"/{file.parent.name}", "MemoryMax": "1048576"})
    apply_change(systemd, dataclasses.replace(ONE_MIB, unit="worker@.service"))
    assert [file.read_text() for file in files] == ["1048576", "1048576"]


def test_settings_are_those_of_the_drop_in(systemd: Systemd) -> None:
    change_here = DropinChange(WANTED, systemd)
    settings = change_here.list_settings(change_here.observe())
    assert settings[0] == Setting("drop-in 50-oomguard", settings[1].object)
    assert settings[1].what == "OOMPolicy"
