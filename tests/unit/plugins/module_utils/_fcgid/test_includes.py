# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files Apache will read, according to the Include directives in those that it reads now."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.includes import (
    Include,
    Reach,
    find_includes,
    find_reach,
)

ROOT = "/etc/apache2"
MAIN = "/etc/apache2/apache2.conf"
OURS = "/etc/apache2/conf-enabled/zz.conf"
CHARSET = "/etc/apache2/conf-enabled/charset.conf"


@pytest.mark.parametrize(
    ("text", "includes"),
    [
        ("IncludeOptional conf-enabled/*.conf\n", [Include(f"{ROOT}/conf-enabled/*.conf", "")]),
        ('\tINCLUDE "/srv/a b.conf"\n', [Include("/srv/a b.conf", "")]),
        ("Include ${CONF}/a.conf\n", [Include(f"{ROOT}/*/a.conf", "")]),
        ("<IfModule x>\nInclude a.conf\n</IfModule>\n", [Include(f"{ROOT}/a.conf", "")]),
        (
            "<VirtualHost *:80>\n<IfModule x>\nInclude a.conf\n</IfModule>\n</VirtualHost>\nInclude b.conf\n",
            [Include(f"{ROOT}/a.conf", "<VirtualHost *:80>"), Include(f"{ROOT}/b.conf", "")],
        ),
        ("# Include a.conf\nIncludes x\nInclude\n</Directory>\n", []),
    ],
    ids=["folder", "quoted", "variable", "condition", "section", "none"],
)
def test_include_directives_are_found(text: str, includes: list[Include]) -> None:
    assert list(find_includes(text, server_root=ROOT)) == includes


def reach(text: str, *, read: list[str], neighbours: list[str]) -> Reach:
    return find_reach(OURS, list(find_includes(text, server_root=ROOT)), read=[MAIN, *read], neighbours=neighbours)


@pytest.mark.parametrize(
    ("text", "read", "neighbours", "found"),
    [
        ("Include conf-enabled/*.conf", [], [], Reach(is_read=True)),
        ("Include conf-enabled/*.conf", [CHARSET], [CHARSET], Reach(is_read=True)),
        ("Include conf-enabled", [], [], Reach(is_read=True)),
        ("Include conf-enabled/", [], [], Reach(is_read=True)),
        ("Include conf-enabled/zz*.conf", [], [CHARSET], Reach(is_read=True)),
        ("Include conf-enabled/*.conf", [], [CHARSET], Reach(is_read=False)),
        ("Include conf-enabled/charset.conf", [CHARSET], [CHARSET], Reach(is_read=False)),
        ("Include mods-enabled/*.conf", [], [], Reach(is_read=False)),
        ("", [], [CHARSET], Reach(is_read=False)),
        ("Use Everything", [CHARSET], [CHARSET], Reach(is_read=True)),
        (
            "<Directory />\nInclude conf-enabled/*.conf\n</Directory>",
            [],
            [],
            Reach(is_read=True, section="<Directory />"),
        ),
        (
            "<Directory />\nInclude conf-enabled/*.conf\n</Directory>\nInclude conf-enabled/zz.conf",
            [],
            [],
            Reach(is_read=True),
        ),
    ],
    ids=[
        "folder",
        "folder with a file",
        "name of the folder",
        "name with a slash",
        "name",
        "condition that does not hold",
        "another file",
        "another folder",
        "nothing",
        "macro",
        "section",
        "section and elsewhere",
    ],
)
def test_reach_is_that_of_the_includes(text: str, read: list[str], neighbours: list[str], found: Reach) -> None:
    assert reach(text, read=read, neighbours=neighbours) == found


def test_neighbour_of_the_main_file_is_not_read_with_it() -> None:
    found = find_reach("/etc/apache2/zz.conf", [], read=[MAIN], neighbours=[MAIN])
    assert found == Reach(is_read=False)
