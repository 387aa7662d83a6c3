# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Units by name, on a host that is not booted."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._systemd.model import DropinError
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.names import (
    find_unit,
    get_asked_name,
    get_instance_pattern,
    get_loadable_name,
    get_template,
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
    assert get_instance_pattern(unit) == pattern


@pytest.mark.parametrize(
    ("unit", "template"),
    [("a@b.c.service", "a@.service"), ("a@.service", ""), ("a.service", ""), ("a@b@c.service", "a@.service")],
)
def test_instance_has_template(unit: str, template: str) -> None:
    assert get_template(unit) == template
