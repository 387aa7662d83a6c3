# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of units, with a fake in the place of systemctl and a folder in the place of the root."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
import pwd
import socket
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._command import Completed
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.manager import Systemd
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.model import DropinError, Wanted
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._systemd.factories import HTTPD as WANTED
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._systemd.factories import Programs


def test_alias_is_resolved(systemd: Systemd, tmp_path: pathlib.Path) -> None:
    path = systemd.observe(WANTED).path
    assert path == tmp_path / "etc/systemd/system/apache2.service.d/50-oomguard.conf"


def test_runtime_dropin_is_below_run(systemd: Systemd, tmp_path: pathlib.Path) -> None:
    path = systemd.observe(dataclasses.replace(WANTED, runtime=True)).path
    assert path == tmp_path / "run/systemd/system/apache2.service.d/50-oomguard.conf"


def test_properties_are_observed(systemd: Systemd) -> None:
    assert systemd.observe(WANTED).properties["OOMPolicy"] == "stop"


def test_loaded_dropins_are_read(systemd: Systemd, programs: Programs, tmp_path: pathlib.Path) -> None:
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
            (
                "httpd.service has the load state not-found."
                " Check the name of the unit, and that the package that provides it is installed."
            ),
        ),
        ("masked", "httpd.service has the load state masked. A masked unit cannot be configured; unmask it first."),
        (
            "bad-setting",
            "httpd.service has the load state bad-setting. Run `systemctl status httpd.service` for details.",
        ),
    ],
)
def test_unit_that_cannot_be_configured_is_refused(
    systemd: Systemd, programs: Programs, load_state: str, message: str
) -> None:
    programs.shown["LoadState"] = load_state
    with pytest.raises(DropinError) as error:
        systemd.observe(WANTED)
    assert str(error.value) == message


def test_dropin_of_missing_unit_can_be_removed(systemd: Systemd, programs: Programs) -> None:
    programs.shown["LoadState"] = "not-found"
    assert systemd.observe(dataclasses.replace(WANTED, present=False)).text is None


def test_symbolic_link_is_refused(systemd: Systemd, tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "etc/systemd/system"
    folder.mkdir(parents=True)
    (folder / "apache2.service.d").symlink_to("/dev/null")
    with pytest.raises(DropinError, match=r"or its directory is a symbolic link\."):
        systemd.observe(WANTED)


def test_no_program_runs_if_systemd_does_not_run(programs: Programs, tmp_path: pathlib.Path) -> None:
    file = tmp_path / "etc/systemd/system/httpd.service"
    file.parent.mkdir(parents=True)
    file.write_text("[Service]\n")
    Systemd(run=programs, root=tmp_path).observe(WANTED)
    assert programs.ran == []


def test_transient_unit_is_refused_with_the_right_way(systemd: Systemd, programs: Programs) -> None:
    programs.shown["Transient"] = "yes"
    with pytest.raises(DropinError) as error:
        systemd.observe(WANTED)
    assert str(error.value) == (
        "httpd.service is transient: it has no unit file of its own. Set the properties where the unit is created, such"
        " as with `systemd-run --property=`. If a later unit has the same name, use force."
    )


def test_generated_unit_is_accepted(systemd: Systemd, programs: Programs) -> None:
    programs.shown.update(UnitFileState="generated", FragmentPath="/run/systemd/generator.late/apache2.service")
    assert systemd.observe(WANTED).path == systemd.root / "etc/systemd/system/apache2.service.d/50-oomguard.conf"


@pytest.mark.parametrize(
    ("properties", "force"), [({"Transient": "yes"}, True), ({"Transient": "yes", "Perpetual": "yes"}, False)]
)
def test_unit_without_own_file_is_accepted_if_forced_or_perpetual(
    systemd: Systemd, programs: Programs, properties: dict[str, str], force: bool
) -> None:
    programs.shown.update(properties)
    assert systemd.observe(dataclasses.replace(WANTED, force=force)).text is None


def test_template_is_observed_through_an_instance(systemd: Systemd, programs: Programs) -> None:
    programs.shown["Id"] = "worker@oomguard.service"
    state = systemd.observe(dataclasses.replace(WANTED, unit="worker@.service"))
    assert state.path.parent.name == "worker@.service.d"


def test_template_without_loaded_instance_has_no_instances(systemd: Systemd) -> None:
    assert systemd.observe(dataclasses.replace(WANTED, unit="worker@.service")).instances == ()


def test_dropin_of_instance_hides_that_of_template(
    systemd: Systemd, programs: Programs, tmp_path: pathlib.Path
) -> None:
    programs.shown["Id"] = "worker@1.service"
    hidden = tmp_path / "etc/systemd/system/worker@.service.d/50-oomguard.conf"
    hidden.parent.mkdir(parents=True)
    hidden.touch()
    assert systemd.observe(dataclasses.replace(WANTED, unit="worker@1.service")).hidden == str(hidden)


def test_runtime_dropin_is_refused_if_systemd_does_not_run(programs: Programs, tmp_path: pathlib.Path) -> None:
    with pytest.raises(
        DropinError, match=r"^The systemd instance of httpd\.service does not run, so a drop-in below .* would not"
    ):
        Systemd(run=programs, root=tmp_path).observe(dataclasses.replace(WANTED, runtime=True))


@pytest.fixture
def user_systemd(programs: Programs, tmp_path: pathlib.Path) -> Systemd:
    (tmp_path / "run/user/1000/systemd").mkdir(parents=True)
    return Systemd(run=programs, root=tmp_path, user=True, uid=1000, home=tmp_path / "home")


def test_dropin_of_user_unit_is_in_home(user_systemd: Systemd, tmp_path: pathlib.Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(user_systemd.runtime / "systemd/private"))
        listener.listen()
        state = user_systemd.observe(WANTED)
    assert (state.booted, state.path) == (
        True,
        tmp_path / "home/.config/systemd/user/apache2.service.d/50-oomguard.conf",
    )


def test_user_systemd_that_left_its_socket_is_not_booted(user_systemd: Systemd) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(user_systemd.runtime / "systemd/private"))
    assert not user_systemd.booted


def test_manager_is_observed_without_unit(systemd: Systemd, programs: Programs, tmp_path: pathlib.Path) -> None:
    programs.shown = {"DefaultOOMPolicy": "stop"}
    wanted = Wanted(unit="system.conf", settings={"Manager": {"DefaultOOMPolicy": ["continue"]}})
    state = systemd.observe(wanted)
    assert state.path == tmp_path / "etc/systemd/system.conf.d/50-oomguard.conf"
    assert state.properties == {"DefaultOOMPolicy": "stop"}


def test_output_has_no_colours() -> None:
    def run(argv: t.Sequence[str], **options: t.Any) -> Completed:
        colours = {name: value for name, value in options["environment"].items() if "COLOR" in name}
        assert colours == {"SYSTEMD_COLORS": "0", "SYSTEMD_LOG_COLOR": "0"}
        return Completed(argv=tuple(argv), returncode=0, stdout="", stderr="")

    Systemd(run=run).systemctl("--version")


def test_user_without_an_entry_has_the_home_of_the_environment(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_uid: int) -> t.NoReturn:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr(pwd, "getpwuid", refuse)
    monkeypatch.setenv("HOME", "/srv/home")
    assert Systemd(run=programs).home == pathlib.Path("/srv/home")


# Names that stand for several units.

PREFIX = dataclasses.replace(WANTED, unit="web-.service")


def add_units(programs: Programs, *units: dict[str, str]) -> None:
    usual = {"ActiveState": "active", "DropInPaths": "", "OOMPolicy": "stop"}
    programs.instances += [{**usual, **unit} for unit in units]


@pytest.mark.parametrize(
    ("unit", "path"),
    [
        ("web-.service", "etc/systemd/system/web-.service.d/50-oomguard.conf"),
        ("user-.slice", "etc/systemd/system/user-.slice.d/50-oomguard.conf"),
        ("service.d", "etc/systemd/system/service.d/50-oomguard.conf"),
        ("user.conf", "etc/systemd/user.conf.d/50-oomguard.conf"),
    ],
)
def test_shared_dropin_has_its_directory(systemd: Systemd, unit: str, path: str) -> None:
    assert systemd.observe(dataclasses.replace(WANTED, unit=unit)).path == systemd.root / path


def test_loaded_units_of_a_prefix_are_its_instances(systemd: Systemd, programs: Programs) -> None:
    add_units(
        programs, {"Id": "web-1.service"}, {"Id": "web-2.service"}, {"Id": "web-3.service", "LoadState": "masked"}
    )
    instances = systemd.observe(PREFIX).instances
    assert [instance.properties["Id"] for instance in instances] == ["web-1.service", "web-2.service"]


@pytest.mark.parametrize(
    ("unlike", "first"),
    [
        ({"DropInPaths": "/etc/a.conf /etc/b.conf"}, "web-2.service"),
        ({"ActiveState": "inactive"}, "web-2.service"),
        ({"Id": "-.slice"}, "web-2.service"),
        ({}, "web-1.service"),
    ],
    ids=["many drop-ins", "inactive", "root slice", "same"],
)
def test_unit_with_few_dropins_stands_for_all(
    systemd: Systemd, programs: Programs, unlike: dict[str, str], first: str
) -> None:
    add_units(programs, {"Id": "web-1.service", **unlike}, {"Id": "web-2.service"})
    assert systemd.observe(PREFIX).properties["Id"] == first


def test_unit_with_a_dropin_of_the_same_name_does_not_stand_for_all(systemd: Systemd, programs: Programs) -> None:
    shared = systemd.observe(PREFIX).path
    add_units(programs, {"Id": "web-1.service", "DropInPaths": "/etc/systemd/system/web-1.service.d/50-oomguard.conf"})
    add_units(programs, {"Id": "web-2.service", "DropInPaths": str(shared)})
    assert systemd.observe(PREFIX).properties["Id"] == "web-2.service"


def test_unit_that_stands_for_all_counts_once(systemd: Systemd, programs: Programs) -> None:
    add_units(programs, {"Id": "web-1.service"}, {"Id": "web-2.service"})
    state = systemd.observe(PREFIX)
    assert state.units == state.instances


def test_prefix_without_loaded_unit_has_no_properties(systemd: Systemd) -> None:
    state = systemd.observe(PREFIX)
    assert (state.properties, state.instances, state.booted) == ({}, (), True)


@pytest.fixture
def users(systemd: Systemd) -> t.Iterator[list[int]]:
    """Let the systemd of two users answer, and leave the socket of a third one."""
    with contextlib.ExitStack() as stack:
        for uid in (7, 1000, 1001):
            folder = systemd.root / f"run/user/{uid}/systemd"
            folder.mkdir(parents=True)
            server = stack.enter_context(socket.socket(socket.AF_UNIX))
            server.bind(str(folder / "private"))
            if uid != 1001:
                server.listen()
        yield [7, 1000]


def test_systemd_of_each_user_is_an_instance(systemd: Systemd, users: list[int]) -> None:
    state = systemd.observe(dataclasses.replace(WANTED, unit="user.conf"))
    names = {instance.properties["Id"] for instance in state.instances}
    assert names == {f"user@{uid}.service" for uid in users}


def test_systemd_of_each_user_is_reloaded_as_that_user(systemd: Systemd, users: list[int]) -> None:
    ran = []

    def run(argv: t.Sequence[str], **options: t.Any) -> Completed:
        ran.append((list(argv), options["environment"]["XDG_RUNTIME_DIR"]))
        return Completed(argv=tuple(argv), returncode=0, stdout="", stderr="")

    dataclasses.replace(systemd, run=run).reload(dataclasses.replace(WANTED, unit="user.conf"))
    # The folders of the test belong to the user who runs it.
    owner = ["setpriv", f"--reuid={os.getuid()}", f"--regid={os.getgid()}", "--clear-groups", "--"]
    command = [*owner, "systemctl", "--user", "daemon-reload"]
    expected = [(command, str(systemd.root / f"run/user/{uid}")) for uid in users]
    assert sorted(ran) == sorted(expected)


def test_user_has_a_configuration_of_the_own_systemd(systemd: Systemd, programs: Programs, users: list[int]) -> None:
    del programs.shown["Id"]
    own = dataclasses.replace(systemd, user=True, uid=users[0], home=systemd.root / "home")
    state = own.observe(dataclasses.replace(WANTED, unit="user.conf"))
    assert state.path == systemd.root / "home/.config/systemd/user.conf.d/50-oomguard.conf"
    assert (state.instances, programs.ran) == ((), ["show"])


def test_made_up_instance_is_not_named(systemd: Systemd, programs: Programs) -> None:
    programs.shown.update(ActiveState="active", ManagedOOMSwap="kill", Id="user@oomguard.service")
    wanted = dataclasses.replace(WANTED, unit="user@.service")
    assert "user@oomguard.service" not in systemd.observe(wanted).oomd_units


def test_socket_at_which_nothing_is_accepted_does_not_hang(systemd: Systemd) -> None:
    folder = systemd.root / "run/user/7/systemd"
    folder.mkdir(parents=True)
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.socket(socket.AF_UNIX))
        server.bind(str(folder / "private"))
        server.listen(0)
        waiting = stack.enter_context(socket.socket(socket.AF_UNIX))
        waiting.connect(str(folder / "private"))
        assert not dataclasses.replace(systemd, user=True, uid=7).booted
