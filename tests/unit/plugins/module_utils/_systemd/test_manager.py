# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The adapter to systemd, with a fake in the place of its programs and a folder in the place of the root."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import os
import pathlib
import socket
import stat
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._command import Completed
from ansible_collections.oomguard.linux.plugins.module_utils._errors import OomguardError
from ansible_collections.oomguard.linux.plugins.module_utils._systemd import manager
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.bring import bring
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.cgroup import write_limit
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.dropin import MARK, DropinError, Wanted
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.manager import Systemd
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.plan import make_plan

WANTED = Wanted(unit="httpd.service", settings={"Service": {"OOMPolicy": ["continue"]}})
ABSENT = Wanted(unit="httpd.service", present=False)
TEXT = f"{MARK}\n\n[Service]\nOOMPolicy=continue\n"


@dataclasses.dataclass
class Programs:
    """Answers of systemctl, and the commands that were run."""

    shown: dict[str, str] = dataclasses.field(default_factory=dict)
    instances: list[dict[str, str]] = dataclasses.field(default_factory=list)
    failures: int = 0
    after_reload: str = "continue"
    ran: list[str] = dataclasses.field(default_factory=list)

    def __call__(self, argv: t.Sequence[str], **_options: t.Any) -> Completed:
        self.ran.append(next(word for word in argv[1:] if not word.startswith("--")))
        done = Completed(argv=tuple(argv), returncode=0, stdout="", stderr="")
        if "show" in argv:
            units = self.instances if argv[-1] == "worker@*.service" else [self.shown]
            blocks = ["".join(f"{name}={value}\n" for name, value in unit.items()) for unit in units]
            return done._replace(stdout="\n".join(blocks))
        if argv[-1] == "daemon-reload":
            self.failures -= 1
            self.shown["OOMPolicy"] = self.after_reload
        return done._replace(returncode=int(self.failures >= 0), stderr="Access denied")


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
    names = ["site.conf", "by\\x2duuid.conf"]
    for name in names:
        (tmp_path / name).write_text("[Service]\n")
    # Systemd quotes paths that a shell would not take as they are.
    programs.shown["DropInPaths"] = f'{tmp_path}/site.conf "{tmp_path}/by\\\\x2duuid.conf"'
    assert systemd.observe(WANTED).dropins == tuple((f"{tmp_path}/{name}", "[Service]\n") for name in names)


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
    file = tmp_path / "etc/systemd/system/httpd.service"
    file.parent.mkdir(parents=True)
    file.write_text("[Service]\n")
    Systemd(run=programs, root=tmp_path).observe(WANTED)
    assert programs.ran == []


def carry_out(systemd: Systemd, wanted: Wanted, *, check: bool = True) -> pathlib.Path:
    state = systemd.observe(wanted)
    systemd.carry_out(make_plan(state, wanted), wanted, check=check)
    return state.path


def failure(systemd: Systemd, wanted: Wanted = WANTED) -> str:
    with pytest.raises(OomguardError) as error:
        carry_out(systemd, wanted)
    return str(error.value)


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"Transient": "yes"}, "httpd.service is transient: no file of its own describes it."),
        ({"UnitFileState": "generated"}, "httpd.service is generated: no file of its own describes it."),
    ],
)
def test_units_without_a_file_of_their_own(
    systemd: Systemd, programs: Programs, properties: dict[str, str], message: str
) -> None:
    programs.shown.update(properties)
    with pytest.raises(DropinError, match=f"^{message} Set it where it is made, or use force"):
        systemd.observe(WANTED)


@pytest.mark.parametrize(
    ("properties", "force"), [({"Transient": "yes"}, True), ({"Transient": "yes", "Perpetual": "yes"}, False)]
)
def test_such_units_are_accepted(systemd: Systemd, programs: Programs, properties: dict[str, str], force: bool) -> None:
    programs.shown.update(properties)
    assert systemd.observe(dataclasses.replace(WANTED, force=force)).text is None


def test_what_is_planned_is_installed_and_read(systemd: Systemd, programs: Programs) -> None:
    path = carry_out(systemd, WANTED)
    assert (path.read_text(), programs.ran) == (TEXT, ["show", "daemon-reload", "show"])


def test_a_removed_file_takes_its_empty_folder_along(systemd: Systemd) -> None:
    carry_out(systemd, WANTED)
    assert not carry_out(systemd, ABSENT).parent.exists()


def test_a_folder_with_other_files_stays(systemd: Systemd) -> None:
    path = carry_out(systemd, WANTED)
    (path.parent / "site.conf").touch()
    carry_out(systemd, ABSENT)
    assert [left.name for left in path.parent.iterdir()] == ["site.conf"]


@pytest.mark.parametrize("wanted", [WANTED, ABSENT])
def test_what_a_killed_run_has_left_is_removed(systemd: Systemd, wanted: Wanted) -> None:
    path = carry_out(systemd, wanted)
    path.parent.mkdir(parents=True, exist_ok=True)
    (path.parent / ".50-oomguard.conf.oomguard").touch()
    carry_out(systemd, wanted)
    left = [name.name for name in path.parent.iterdir()] if path.parent.exists() else []
    assert left == (["50-oomguard.conf"] if wanted.present else [])


def test_a_forced_replacement_keeps_a_backup(systemd: Systemd) -> None:
    forced = dataclasses.replace(WANTED, force=True)
    path = systemd.observe(forced).path
    path.parent.mkdir(parents=True)
    path.write_text("[Service]\n")
    carry_out(systemd, forced)
    assert [backup.read_text() for backup in path.parent.glob("50-oomguard.conf.*~")] == ["[Service]\n"]


@pytest.fixture
def secret(systemd: Systemd) -> pathlib.Path:
    path = systemd.observe(WANTED).path
    path.parent.mkdir(parents=True)
    path.write_text("[Service]\nEnvironment=PASSWORD=x\n")
    path.chmod(0o600)
    return path


def owned(path: pathlib.Path) -> tuple[int, int, int]:
    found = path.stat()
    return stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid


@pytest.mark.parametrize("links", [True, False])
def test_a_backup_keeps_mode_and_owner(
    systemd: Systemd, secret: pathlib.Path, links: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> t.NoReturn:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    if os.getuid() == 0:
        os.chown(str(secret), 1234, 1234)
    if not links:
        monkeypatch.setattr(os, "link", refuse)
    before = owned(secret)
    carry_out(systemd, dataclasses.replace(WANTED, force=True))
    assert [owned(backup) for backup in secret.parent.glob("*~")] == [before]


def test_the_old_file_comes_back_with_mode_and_owner(
    systemd: Systemd, programs: Programs, secret: pathlib.Path
) -> None:
    if os.getuid() == 0:
        os.chown(str(secret), 1234, 1234)
    before, programs.failures = owned(secret), 1
    failure(systemd, dataclasses.replace(WANTED, force=True))
    assert owned(secret) == before


def test_a_failed_reload_brings_the_old_state_back(systemd: Systemd, programs: Programs) -> None:
    programs.failures = 1
    path = systemd.observe(WANTED).path
    said = failure(systemd)
    assert said == (
        "Could not have systemd read its files again: systemctl ended with status 1 (Access denied)."
        f" {path} is as it was before."
    )
    assert (path.parent.exists(), programs.ran[-1]) == (False, "daemon-reload")


def test_both_errors_are_told(systemd: Systemd, programs: Programs) -> None:
    programs.failures = 2
    once = "Could not have systemd read its files again: systemctl ended with status 1 (Access denied)."
    assert failure(systemd) == f"{once} To go back failed as well: {once}"


def test_what_is_not_in_force_is_taken_back(systemd: Systemd, programs: Programs) -> None:
    programs.after_reload = "stop"
    path = systemd.observe(WANTED).path
    assert failure(systemd).endswith(f"{path} is as it was before.")
    assert not path.exists()


def test_the_old_file_comes_back(systemd: Systemd, programs: Programs) -> None:
    path = carry_out(systemd, WANTED)
    programs.failures = 1
    failure(systemd, dataclasses.replace(WANTED, settings={"Service": {"OOMPolicy": ["kill"]}}))
    assert path.read_text() == TEXT


ONE_MIB = dataclasses.replace(WANTED, settings={"Service": {"MemoryMax": ["1M"]}})


@pytest.fixture
def memory_max(programs: Programs, tmp_path: pathlib.Path) -> pathlib.Path:
    file = tmp_path / "sys/fs/cgroup/system.slice/apache2.service/memory.max"
    file.parent.mkdir(parents=True)
    file.write_text("max\n")
    programs.shown.update(ControlGroup="/system.slice/apache2.service", MemoryMax="1048576")
    return file


def test_the_kernel_is_handed_what_systemd_has(systemd: Systemd, memory_max: pathlib.Path) -> None:
    carry_out(systemd, ONE_MIB)
    assert memory_max.read_text() == "1048576"


@pytest.mark.parametrize("dry", [True, False])
def test_a_limit_below_what_is_in_use_stays_away(systemd: Systemd, memory_max: pathlib.Path, *, dry: bool) -> None:
    memory_max.with_name("memory.current").write_text("3145728\n")
    with pytest.raises(DropinError, match=r"^MemoryMax= of apache2\.service would be 1\.0 MiB, below the 3\.0 MiB"):
        bring(ONE_MIB, systemd, dry=dry)
    assert (systemd.observe(ONE_MIB).text, memory_max.read_text()) == (None, "max\n")


@pytest.mark.parametrize("refused", [True, False])
@pytest.mark.parametrize("check", [True, False])
def test_a_limit_that_the_kernel_does_not_take_fails_where_that_is_checked(
    systemd: Systemd, memory_max: pathlib.Path, check: bool, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(file: pathlib.Path, text: str, *, must: bool) -> None:
        if refused:
            write_limit(file.parent, text, must=must)

    monkeypatch.setattr(manager, "write_limit", write)
    with pytest.raises(DropinError, match=f"{memory_max.parent}") if check else contextlib.nullcontext():
        carry_out(systemd, ONE_MIB, check=check)
    assert systemd.observe(ONE_MIB).path.exists() is not check


@pytest.mark.usefixtures("memory_max")
def test_a_unit_that_ends_meanwhile_needs_no_limit(
    systemd: Systemd, programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(file: pathlib.Path, text: str, *, must: bool) -> None:
        file.unlink()
        file.parent.rmdir()
        programs.shown.update(ControlGroup="", ActiveState="inactive")
        write_limit(file, text, must=must)

    monkeypatch.setattr(manager, "write_limit", end)
    assert carry_out(systemd, ONE_MIB).exists()


def test_a_template_is_looked_at_through_an_instance(systemd: Systemd, programs: Programs) -> None:
    programs.shown["Id"] = "worker@oomguard.service"
    state = systemd.observe(dataclasses.replace(WANTED, unit="worker@.service"))
    assert state.path.parent.name == "worker@.service.d"


def test_no_instance_of_a_template_need_be_loaded(systemd: Systemd) -> None:
    assert systemd.observe(dataclasses.replace(WANTED, unit="worker@.service")).instances == ()


def test_the_instances_of_a_template_are_handed_what_systemd_has(
    systemd: Systemd, programs: Programs, tmp_path: pathlib.Path
) -> None:
    programs.shown.update(Id="worker@oomguard.service", ActiveState="inactive", MemoryMax="1048576")
    files = [tmp_path / f"sys/fs/cgroup/worker@{number}.service/memory.max" for number in (1, 2)]
    for file in files:
        file.parent.mkdir(parents=True)
        file.write_text("max\n")
        programs.instances.append({"ControlGroup": f"/{file.parent.name}", "MemoryMax": "1048576"})
    carry_out(systemd, dataclasses.replace(ONE_MIB, unit="worker@.service"))
    assert [file.read_text() for file in files] == ["1048576", "1048576"]


def test_an_instance_hides_the_file_of_its_template(
    systemd: Systemd, programs: Programs, tmp_path: pathlib.Path
) -> None:
    programs.shown["Id"] = "worker@1.service"
    hidden = tmp_path / "etc/systemd/system/worker@.service.d/50-oomguard.conf"
    hidden.parent.mkdir(parents=True)
    hidden.touch()
    assert systemd.observe(dataclasses.replace(WANTED, unit="worker@1.service")).hides == str(hidden)


def test_without_systemd_nothing_is_written_below_run(programs: Programs, tmp_path: pathlib.Path) -> None:
    with pytest.raises(DropinError, match=r"^No systemd runs here, and a drop-in of httpd\.service below .* would not"):
        Systemd(run=programs, root=tmp_path).observe(dataclasses.replace(WANTED, runtime=True))


@pytest.fixture
def of_a_user(programs: Programs, tmp_path: pathlib.Path) -> Systemd:
    (tmp_path / "run/user/1000/systemd").mkdir(parents=True)
    return Systemd(run=programs, root=tmp_path, user=True, uid=1000, home=tmp_path / "home")


def test_a_unit_of_a_user_has_its_folder_at_home(of_a_user: Systemd, tmp_path: pathlib.Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(of_a_user.runtime / "systemd/private"))
        listener.listen()
        state = of_a_user.observe(WANTED)
    assert (state.booted, state.path) == (
        True,
        tmp_path / "home/.config/systemd/user/apache2.service.d/50-oomguard.conf",
    )


def test_the_systemd_of_a_user_that_has_stopped_leaves_its_socket(of_a_user: Systemd) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(of_a_user.runtime / "systemd/private"))
    assert not of_a_user.booted


def test_the_manager_has_no_unit_to_ask_about(systemd: Systemd, programs: Programs, tmp_path: pathlib.Path) -> None:
    programs.shown = {"DefaultOOMPolicy": "stop"}
    wanted = Wanted(unit="system.conf", settings={"Manager": {"DefaultOOMPolicy": ["continue"]}})
    state = systemd.observe(wanted)
    assert state.path == tmp_path / "etc/systemd/system.conf.d/50-oomguard.conf"
    assert state.properties == {"DefaultOOMPolicy": "stop"}
