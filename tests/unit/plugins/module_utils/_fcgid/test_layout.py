# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where Apache is, and with which options its unit starts it."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.directives import FcgidError
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.layout import (
    LAYOUTS,
    Layout,
    find_layout,
    parse_options,
)

NAME = "zz-oomguard-fcgid.conf"


@pytest.mark.parametrize("environment", ["", "LANG=C", "FOO=-k", "OPTIONS= [unprintable]", '"FOO=it\'s" OPTIONS='])
def test_unit_can_have_no_options(environment: str) -> None:
    assert parse_options(environment) == []


@pytest.mark.parametrize(
    ("environment", "shown"),
    [
        ('KEY=secret "OPTIONS=-DA -k stop"', "-DA -k stop"),
        ("OPTIONS=-kstop", "-kstop"),
        (r'"OPTIONS=-c \"A b\""', '-c "A b"'),
        ("LANG=C [unprintable]", "[unprintable]"),
    ],
)
def test_unusable_options_are_rejected(environment: str, shown: str) -> None:
    with pytest.raises(FcgidError) as error:
        parse_options(environment)
    assert str(error.value) == (
        f"The OPTIONS in the environment of Apache's unit cannot be used: {shown}."
        " Set OPTIONS without quotes, backslashes and -k. An old systemctl hides values that contain a space."
    )


def test_layout_is_found_by_its_main_file(layout: Layout) -> None:
    layout.main.touch()
    assert find_layout([LAYOUTS[1], layout], required=True) == layout


def test_missing_apache_is_an_error(layout: Layout) -> None:
    with pytest.raises(FcgidError) as error:
        find_layout([layout], required=True)
    assert str(error.value) == (
        f"There is no Apache on this host: neither {layout.main} exists. Install Apache and mod_fcgid first."
    )


@pytest.mark.parametrize(
    ("layout", "path", "link"),
    [
        (LAYOUTS[0], f"/etc/apache2/conf-available/{NAME}", f"/etc/apache2/conf-enabled/{NAME}"),
        (LAYOUTS[1], f"/etc/httpd/conf.d/{NAME}", "None"),
    ],
    ids=["debian", "enterprise linux"],
)
def test_layout_has_path_and_link_of_our_file(layout: Layout, path: str, link: str) -> None:
    assert (str(layout.path), str(layout.find_link(layout.path))) == (path, link)
