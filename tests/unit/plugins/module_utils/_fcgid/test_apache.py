# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The adapter for Apache: how it is tested, and what keeps our file from being observed."""

from __future__ import annotations

import dataclasses
import pathlib

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.apache import Apache
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.config import parse_settings
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.directives import FcgidError
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.layout import LAYOUTS, Layout
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.plan import Wanted
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._fcgid.programs import (
    ABSENT,
    NAME,
    WANTED,
    Programs,
    converge,
    files,
)


def test_apache_is_asked_once(apache: Apache, programs: Programs) -> None:
    converge(apache, WANTED)
    programs.ran.clear()
    apache.observe(trying=WANTED.settings)
    assert programs.ran == ["apache2ctl -t", "systemctl is-active"]


@pytest.mark.parametrize("want", [WANTED, ABSENT], ids=["present", "absent"])
def test_broken_configuration_is_an_error(
    apache: Apache, programs: Programs, tmp_path: pathlib.Path, want: Wanted
) -> None:
    (tmp_path / "conf-enabled/site.conf").write_text("Nonsense on\n")
    programs.complaints = {"Nonsense on": "Invalid command 'Nonsense'"}
    with pytest.raises(FcgidError) as error:
        apache.observe(trying=want.settings)
    assert str(error.value) == (
        "Apache's configuration does not pass Apache's own test: AH00526: Syntax error on line 1 of"
        f" {tmp_path}/conf-enabled/site.conf: Invalid command 'Nonsense'. Repair it, then run the task again."
    )


def test_refused_settings_are_not_written(apache: Apache, programs: Programs, tmp_path: pathlib.Path) -> None:
    wanted = Wanted(settings=parse_settings({"FcgidIdleTimeout": 9, "FcgidWrapper": "/bin/true .php -"}))
    programs.complaints = {"FcgidWrapper /bin/true .php -": "Invalid wrapper flag"}
    with pytest.raises(FcgidError) as error:
        apache.observe(trying=wanted.settings)
    message = (
        "Apache rejects FcgidWrapper /bin/true .php -: AH00526: Syntax error on line 3 of -c/-C directives:"
        " Invalid wrapper flag. Nothing was changed."
    )
    assert (str(error.value), files(tmp_path)) == (message, {})


def test_link_of_our_name_that_leads_elsewhere_is_rejected(apache: Apache, tmp_path: pathlib.Path) -> None:
    (tmp_path / "conf-enabled" / NAME).symlink_to("../site.conf")
    (tmp_path / "site.conf").touch()
    with pytest.raises(FcgidError) as error:
        apache.observe(trying=WANTED.settings)
    assert str(error.value) == (
        f"{tmp_path}/conf-enabled/{NAME} is not a link to {tmp_path}/conf-available/{NAME}."
        " Move it away, or choose another path."
    )


def test_link_in_place_of_our_file_is_rejected(apache: Apache, tmp_path: pathlib.Path) -> None:
    (tmp_path / "conf-available" / NAME).symlink_to("/dev/null")
    with pytest.raises(FcgidError) as error:
        apache.observe(trying=WANTED.settings)
    assert str(error.value) == f"{tmp_path}/conf-available/{NAME} is a symbolic link. Use the path of the file itself."


@pytest.mark.parametrize(("booted", "arguments"), [(True, ["-DA", "-DB=1", "-DFOREGROUND"]), (False, ["-DFOREGROUND"])])
def test_enterprise_linux_is_tested_as_its_unit_starts_it(
    programs: Programs, layout: Layout, tmp_path: pathlib.Path, booted: bool, arguments: list[str]
) -> None:
    programs.environment = 'LANG=C "OPTIONS=-DA -DB=1"'
    httpd = dataclasses.replace(LAYOUTS[1], main=layout.main, folder=tmp_path / "conf-enabled")
    Apache(httpd, run=programs, root=tmp_path if booted else tmp_path / "elsewhere").observe(trying=WANTED.settings)
    assert programs.arguments == arguments


def test_debian_is_tested_without_options(apache: Apache, programs: Programs) -> None:
    apache.observe(trying=WANTED.settings)
    assert programs.arguments == []
