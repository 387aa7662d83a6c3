# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Units by name: one or several, also on a host that is not booted."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._systemd.model import DropinError
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.names import (
    find_hidden,
    find_unit,
    get_asked_name,
    get_folder_name,
    get_loadable_name,
    get_pattern,
    get_template,
    is_group,
    list_shared_folders,
)

OWN = "etc/systemd/system"

LIB = "usr/lib/systemd/system"


@pytest.fixture
def root(tmp_path: pathlib.Path) -> pathlib.Path:
    for folder in (OWN, LIB):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("apache2.service", "getty@.service"):
        (tmp_path / LIB / name).write_text("[Service]\n")
    (tmp_path / OWN / "httpd.service").symlink_to(f"/{LIB}/apache2.service")
    (tmp_path / OWN / "www.service").symlink_to("../../../usr/lib/systemd/system/apache2.service")
    (tmp_path / OWN / "app.service").symlink_to("/opt/app/app-v2.service")
    (tmp_path / OWN / "tty@.service").symlink_to(f"/{LIB}/getty@.service")
    (tmp_path / OWN / "masked.service").symlink_to("/dev/null")
    (tmp_path / OWN / "empty.service").touch()
    return tmp_path


def find(root: pathlib.Path, unit: str, *, required: bool = True) -> tuple[str, str]:
    name, fragment = find_unit(unit, root, root / OWN, user=False, required=required)
    return name, fragment.replace(f"{root}/", "")


@pytest.mark.parametrize(
    ("unit", "found"),
    [
        ("apache2.service", ("apache2.service", f"{LIB}/apache2.service")),
        ("httpd.service", ("apache2.service", f"{LIB}/apache2.service")),
        ("app.service", ("app.service", "opt/app/app-v2.service")),
        ("getty@.service", ("getty@.service", f"{LIB}/getty@.service")),
        ("getty@tty1.service", ("getty@tty1.service", f"{LIB}/getty@.service")),
        ("tty@tty1.service", ("getty@tty1.service", f"{LIB}/getty@.service")),
        ("user.slice", ("user.slice", "")),
    ],
)
def test_unit_is_found(root: pathlib.Path, unit: str, found: tuple[str, str]) -> None:
    assert find(root, unit) == found


def test_relative_link_is_resolved(root: pathlib.Path) -> None:
    assert find(root, "www.service")[0] == "apache2.service"


@pytest.mark.parametrize("unit", ["masked.service", "empty.service"])
def test_masked_unit_is_refused(root: pathlib.Path, unit: str) -> None:
    with pytest.raises(DropinError, match=rf"^{unit} is masked\."):
        find(root, unit)


def test_unit_without_file_is_refused(root: pathlib.Path) -> None:
    with pytest.raises(
        DropinError, match=r"^There is no unit file of nosuch\.service below .*, where systemd does not run\."
    ):
        find(root, "nosuch.service")


@pytest.mark.parametrize("unit", ["masked.service", "nosuch.service"])
def test_unit_that_is_not_required_may_be_masked_or_missing(root: pathlib.Path, unit: str) -> None:
    assert find(root, unit, required=False) == (unit, "")


@pytest.mark.parametrize(("unit", "instance"), [("getty@.service", "getty@oomguard.service"), ("a.slice", "a.slice")])
def test_template_is_loaded_as_instance_and_named_as_itself(unit: str, instance: str) -> None:
    assert (get_loadable_name(unit), get_asked_name(instance, unit)) == (instance, unit)


@pytest.mark.parametrize(
    ("unit", "pattern"),
    [("a@.service", "a@*.service"), ("a\\x2db@.service", "a\\\\x2db@*.service"), ("a@b.service", ""), ("a.slice", "")],
)
def test_template_has_pattern_of_instances(unit: str, pattern: str) -> None:
    assert get_pattern(unit) == pattern


@pytest.mark.parametrize(
    ("unit", "template"),
    [("a@b.c.service", "a@.service"), ("a@.service", ""), ("a.service", ""), ("a@b@c.service", "a@.service")],
)
def test_instance_has_template(unit: str, template: str) -> None:
    assert get_template(unit) == template


@pytest.mark.parametrize(
    ("unit", "group", "folder", "loadable", "pattern"),
    [
        ("a.service", False, "a.service.d", "a.service", ""),
        ("a-b@c-d.service", False, "a-b@c-d.service.d", "a-b@c-d.service", ""),
        ("-.slice", False, "-.slice.d", "-.slice", ""),
        ("a@.service", False, "a@.service.d", "a@oomguard.service", "a@*.service"),
        ("user-.slice", True, "user-.slice.d", "user-oomguard.slice", "user-*.slice"),
        ("a\\x2d-.service", True, "a\\x2d-.service.d", "a\\x2d-oomguard.service", "a\\\\x2d-*.service"),
        ("service.d", True, "service.d", "oomguard.service", "*.service"),
        ("system.conf", False, "system.conf.d", "system.conf", ""),
        ("user.conf", True, "user.conf.d", "user.conf", ""),
    ],
)
def test_name_stands_for_one_unit_or_several(unit: str, group: bool, folder: str, loadable: str, pattern: str) -> None:
    found = (is_group(unit), get_folder_name(unit), get_loadable_name(unit), get_pattern(unit))
    assert found == (group, folder, loadable, pattern)


@pytest.mark.parametrize(
    ("unit", "folders"),
    [
        ("a.service", ["service.d"]),
        ("a-b-c.service", ["a-b-.service.d", "a-.service.d", "service.d"]),
        ("a-b@c-d.service", ["a-b@.service.d", "a-.service.d", "service.d"]),
        ("a-b@.service", ["a-.service.d", "service.d"]),
        ("a-b-.slice", ["a-.slice.d", "slice.d"]),
        ("-.slice", ["slice.d"]),
        ("service.d", []),
    ],
)
def test_directories_that_a_unit_shares_are_listed(unit: str, folders: list[str]) -> None:
    assert list_shared_folders(unit) == folders


@pytest.mark.parametrize("folder", [f"{OWN}/a-.service.d", f"{OWN}/service.d", f"{LIB}/service.d"])
def test_dropin_of_several_units_that_is_hidden_is_found(root: pathlib.Path, folder: str) -> None:
    hidden = root / folder / "50-oomguard.conf"
    hidden.parent.mkdir()
    hidden.touch()
    ours = root / OWN / "a-b.service.d/50-oomguard.conf"
    assert find_hidden(ours, "a-b.service", root, user=False) == str(hidden)


def test_dropin_of_another_name_is_not_hidden(root: pathlib.Path) -> None:
    (root / OWN / "service.d").mkdir()
    (root / OWN / "service.d/60-site.conf").touch()
    assert find_hidden(root / OWN / "a.service.d/50-oomguard.conf", "a.service", root, user=False) is None


@pytest.mark.parametrize("unit", ["service.d", "a-.service", "user.conf"])
def test_name_of_several_units_needs_no_file(root: pathlib.Path, unit: str) -> None:
    assert find(root, unit) == (unit, "")
