# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our file, and the configuration of Apache around it as Apache prints it."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.config import parse_dump, parse_settings, render
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.directives import FcgidError
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._fcgid.configurations import (
    BOOKWORM,
    BULLSEYE,
    FOLDER,
    LINK,
    OURS,
    TEXT,
    wanted,
)


def test_our_file_applies_only_if_the_module_is_loaded() -> None:
    assert render(OURS.settings) == TEXT


def test_all_settings_of_the_module_are_found_in_order() -> None:
    assert [found.setting.directive.name for found in BULLSEYE.occurrences] == [
        "FcgidConnectTimeout",
        "FcgidIdleScanInterval",
        "FcgidMinProcessesPerClass",
        "FcgidProcessLifeTime",
        "FcgidProcessLifeTime",
        "FcgidIOTimeout",
        "FcgidWrapper",
        "FcgidCmdOptions",
        "FcgidMaxProcesses",
    ]


def test_setting_has_file_line_and_sections() -> None:
    found = BULLSEYE.occurrences[6]
    assert (found.file, found.line, found.setting.sections) == (
        "/etc/apache2/sites-enabled/shop.conf",
        10,
        ("<VirtualHost *:80>", "<Directory /srv>", "<Files hog.fcgi>"),
    )


def test_setting_after_a_section_is_outside_of_it() -> None:
    assert BULLSEYE.occurrences[7].setting.sections == ()


@pytest.mark.parametrize(
    ("dump", "sections"),
    [
        ("#   1:\n<Directory /srv/x>\n#   2:\nFcgidIdleTimeout 7\n", ()),
        (
            "# 1:\n<VirtualHost *:80>\n  #   2:\n  <Directory /srv/x>\n  #   3:\n  FcgidIdleTimeout 7\n</VirtualHost>",
            ("<VirtualHost *:80>",),
        ),
        (
            "#   1:\n<VirtualHost *:80>\n  #   2:\n  <Directory /srv/x>\n</VirtualHost>\n#   3:\nFcgidIdleTimeout 7\n",
            (),
        ),
        (
            "#   1:\n<Directory /srv/x>\n#   2:\n<VirtualHost *:80>\n  #   3:\n  FcgidIdleTimeout 7\n</VirtualHost>\n",
            ("<VirtualHost *:80>",),
        ),
    ],
    ids=["alone", "within another", "last in another", "before another"],
)
def test_empty_section_does_not_enclose_later_settings(dump: str, sections: tuple[str, ...]) -> None:
    assert [found.setting.sections for found in parse_dump(dump).occurrences] == [sections]


def test_sections_end_without_indentation() -> None:
    dump = "<VirtualHost *:80>\nFcgidIdleTimeout 7\n</VirtualHost>\nFcgidIdleTimeout 8\n"
    found = [found.setting.sections for found in parse_dump(dump).occurrences]
    assert found == [("<VirtualHost *:80>",), ()]


@pytest.mark.parametrize(("printed", "line"), [("#   7:", 7), ("# 999:", 999), ("#1000:", 1000)])
def test_line_number_has_any_width(printed: str, line: int) -> None:
    found = parse_dump(f"#   1:\nListen 80\n{printed}\nFcgidIdleTimeout 7\n").occurrences
    assert [one.line for one in found] == [line]


def test_modules_are_found() -> None:
    assert {"core_module", "fcgid_module"} <= BULLSEYE.modules


@pytest.mark.parametrize(
    ("directives", "message"),
    [
        (
            {"FcgidInitialEnv": ["MODE a", "MODE b"]},
            "FcgidInitialEnv is set twice for 'MODE'. Remove one of them: only the last one would take effect.",
        ),
        ({"FcgidIdleTimeout": [1, 2]}, "FcgidIdleTimeout is '[1, 2]'. Use a number from 0 to 2147483647."),
    ],
)
def test_repeated_settings_are_rejected(directives: dict[str, t.Any], message: str) -> None:
    with pytest.raises(FcgidError) as error:
        wanted(**directives)
    assert str(error.value) == message


def test_each_value_of_a_list_has_its_line() -> None:
    settings = parse_settings({"FcgidPassHeader": ["X-A", "X-B"]})
    assert render(settings).splitlines()[2:4] == ["  FcgidPassHeader X-A", "  FcgidPassHeader X-B"]


@pytest.mark.parametrize("cut", range(0, 900, 7))
def test_truncated_dump_is_read_up_to_the_cut(cut: int) -> None:
    text = (FOLDER / "bullseye.dump").read_text()
    assert len(parse_dump(text[:cut]).occurrences) <= len(BULLSEYE.occurrences)


def test_files_are_found_in_the_order_of_reading() -> None:
    assert BOOKWORM.files[:3] == (
        "/etc/apache2/apache2.conf",
        "/etc/apache2/mods-enabled/access_compat.load",
        "/etc/apache2/mods-enabled/alias.load",
    )


@pytest.mark.parametrize(
    ("file", "before"),
    [
        (f"{LINK}", "FcgidIdleTimeout"),
        ("/etc/apache2/conf-enabled/zzy.conf", "FcgidIdleTimeout"),
        ("/etc/apache2/conf-enabled/aa.conf", "FcgidConnectTimeout"),
        ("/etc/apache2/sites-enabled/aaa.conf", "FcgidIdleTimeout"),
        ("/etc/apache2/sites-enabled/zzz.conf", "FcgidBusyTimeout"),
        ("/srv/first.conf", "FcgidBusyTimeout"),
    ],
    ids=["its own", "after ours", "first", "before another", "after the last", "another folder"],
)
def test_new_file_comes_where_its_name_sorts(file: str, before: str) -> None:
    names = [found.setting.directive.name for found in BOOKWORM.with_file(file, parse_settings({"FcgidIPCDir": "/x"}))]
    assert names[names.index("FcgidIPCDir") - 1] == before


def test_file_contains_only_the_wanted_settings() -> None:
    found = BULLSEYE.with_file(str(LINK), parse_settings({"FcgidIPCDir": "/x"}))
    assert [one.setting.directive.name for one in found if one.file == str(LINK)] == ["FcgidIPCDir"]
