# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instances of Apache: where they are, and which run without a file of ours."""

from __future__ import annotations

import dataclasses
import pathlib
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._command import Completed
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.apache import Apache
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.directives import FcgidError
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.instances import (
    Instance,
    describe_unmanaged,
    find_instance,
    observe_instances,
)
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.layout import LAYOUTS, Layout
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._fcgid.programs import (
    NAME,
    WANTED,
    Programs,
    converge,
    sleepless,
)


@pytest.fixture
def etc(tmp_path: pathlib.Path) -> pathlib.Path:
    """Return a folder with two instances of Apache, and another folder that is none."""
    for name in ("apache2", "apache2-foo"):
        for folder in ("conf-available", "conf-enabled"):
            (tmp_path / name / folder).mkdir(parents=True)
        (tmp_path / name / "apache2.conf").write_text("IncludeOptional conf-enabled/*.conf\n")
    (tmp_path / "apache2-empty").mkdir()
    return tmp_path


@pytest.fixture
def default(etc: pathlib.Path) -> Layout:
    return dataclasses.replace(
        LAYOUTS[0],
        main=etc / "apache2/apache2.conf",
        folder=etc / "apache2/conf-available",
        enabled=etc / "apache2/conf-enabled",
        instances=f"{etc}/apache2-*/apache2.conf",
    )


def show(*states: str) -> t.Callable[..., Completed]:
    def run(argv: t.Sequence[str], **_options: t.Any) -> Completed:
        return Completed(argv=tuple(argv), returncode=0, stdout="\n\n".join(states), stderr="")

    return run


def test_instance_has_its_own_files_and_unit(default: Layout, etc: pathlib.Path) -> None:
    found = find_instance(default, "foo")
    assert (found.unit, found.path, found.find_link(found.path)) == (
        "apache2@foo.service",
        etc / "apache2-foo/conf-available" / NAME,
        etc / "apache2-foo/conf-enabled" / NAME,
    )


def test_default_instance_is_the_layout_itself(default: Layout) -> None:
    assert find_instance(default, "default") is default


@pytest.mark.parametrize("name", ["bar", "", "empty", "../foo"])
def test_missing_instance_is_an_error(default: Layout, name: str) -> None:
    with pytest.raises(FcgidError) as error:
        find_instance(default, name)
    assert str(error.value) == (
        f"Apache has no instance {name!r} that can be configured. The instances are default, foo."
        " Besides the default one, only those of Debian's setup-instance can be."
    )


def test_instances_are_observed_with_their_units(default: Layout, etc: pathlib.Path) -> None:
    (etc / "run/systemd/system").mkdir(parents=True)
    (etc / "apache2-foo/conf-enabled" / NAME).touch()
    run = show("LoadState=masked\nActiveState=inactive", "LoadState=loaded\nActiveState=active")
    assert observe_instances(default, run=run, root=etc) == [
        Instance("default", "apache2.service", running=False, masked=True, managed=False),
        Instance("foo", "apache2@foo.service", running=True, masked=False, managed=True),
    ]


@pytest.mark.parametrize(("state", "count"), [("UnitFileState=enabled", 2), ("UnitFileState=disabled", 1)])
def test_copy_of_a_configuration_is_no_instance(default: Layout, etc: pathlib.Path, state: str, count: int) -> None:
    (etc / "run/systemd/system").mkdir(parents=True)
    run = show("LoadState=loaded\nActiveState=active", f"LoadState=loaded\nActiveState=inactive\n{state}")
    assert len(observe_instances(default, run=run, root=etc)) == count


def test_states_are_unknown_without_systemd(default: Layout, etc: pathlib.Path) -> None:
    found = observe_instances(default, run=show(), root=etc)
    assert [(instance.running, instance.masked) for instance in found] == [(None, None)] * 2


def test_enterprise_linux_names_its_instances(tmp_path: pathlib.Path) -> None:
    for name in ("httpd.conf", "foo.conf"):
        (tmp_path / name).touch()
    layout = dataclasses.replace(LAYOUTS[1], main=tmp_path / "httpd.conf", instances=f"{tmp_path}/*.conf")
    found = observe_instances(layout, run=show(), root=tmp_path)
    assert [instance.unit for instance in found] == ["httpd.service", "httpd@foo.service"]
    with pytest.raises(FcgidError, match="no instance 'foo' that can be configured"):
        find_instance(layout, "foo")


@pytest.mark.parametrize(
    ("changes", "warned"),
    [({}, True), ({"running": False}, False), ({"running": None}, False), ({"managed": True}, False)],
    ids=["unmanaged", "stopped", "unknown", "managed"],
)
def test_running_instance_without_our_file_is_named(changes: dict[str, t.Any], warned: bool) -> None:
    other = Instance("foo", "apache2@foo.service", running=True, masked=False, managed=False)._replace(**changes)
    current = other._replace(name="default", unit="apache2.service", running=True, managed=False)
    message = (
        "apache2@foo.service is another instance of Apache that runs, and it has none of these settings."
        " To manage it as well, run this task with instance: foo."
    )
    assert list(describe_unmanaged([current, other], LAYOUTS[0])) == [message] * warned


def test_instance_that_cannot_be_managed_is_named_without_that_advice() -> None:
    other = Instance("foo", "httpd@foo.service", running=True, masked=False, managed=False)
    message = (
        "httpd@foo.service is another instance of Apache that runs, and it has none of these settings."
        " This module cannot manage it."
    )
    assert list(describe_unmanaged([other], LAYOUTS[1])) == [message]


def test_instance_is_tested_and_written_in_its_own_folder(default: Layout, etc: pathlib.Path) -> None:
    environments = []
    programs = Programs(etc / "apache2-foo/conf-enabled", main="apache2.conf")

    def run(argv: t.Sequence[str], **options: t.Any) -> Completed:
        environments.append(options.get("environment"))
        return programs(argv, **options)

    (etc / "run").mkdir()
    converge(Apache(find_instance(default, "foo"), run=run, root=etc, sleep=sleepless), WANTED)
    written = sorted(str(path.relative_to(etc)) for path in etc.rglob(NAME))
    assert written == [f"apache2-foo/conf-available/{NAME}", f"apache2-foo/conf-enabled/{NAME}"]
    assert environments == [{"APACHE_CONFDIR": f"{etc}/apache2-foo"}] * 2
