# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of a drop-in file."""

from __future__ import annotations

from ansible_collections.oomguard.linux.plugins.module_utils._mark import make_mark
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.dropin import (
    find_directives,
    find_values,
    parse_assignments,
    render_dropin,
)


def test_rendered_file_has_mark_and_settings_in_order() -> None:
    text = render_dropin({"Unit": {"After": ["", "a.service"]}, "Service": {"OOMPolicy": ["continue"]}})
    assert (
        text == f"{make_mark('systemd_dropin')}\n\n[Unit]\nAfter=\nAfter=a.service\n\n[Service]\nOOMPolicy=continue\n"
    )


def test_assignments_are_parsed_as_systemd_reads_them() -> None:
    text = "# c\n; c\n[Service]\nOOMPolicy = stop \nExecStart=a \\\n b=c\n\n[Install]\nAlias=x\nnonsense\n"
    assert list(parse_assignments(text)) == [
        ("Service", "OOMPolicy", "stop"),
        ("Service", "ExecStart", "a   b=c"),
        ("Install", "Alias", "x"),
    ]


def test_directives_of_all_sections_are_found() -> None:
    assert find_directives("[Unit]\nAfter=a.service\n[Service]\nNice=1\nNice=2\n") == {"After", "Nice"}


def test_values_are_found_by_section_and_directive_in_order() -> None:
    text = "[Service]\nNice=1\nEnvironment=A=1\n[Unit]\nNice=3\n[Service]\nNice=2\n"
    assert find_values(text, "Service", "Nice") == ["1", "2"]
