# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Swap units: names as systemd-escape builds them, and texts."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._swap.unit import build_unit_name, build_unit_text


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/swapfile", "swapfile.swap"),
        ("/swapfile.1", "swapfile.1.swap"),
        ("/srv/swap/file", "srv-swap-file.swap"),
        ("/srv/a-b c", "srv-a\\x2db\\x20c.swap"),
        ("/.swap", "\\x2eswap.swap"),
        ("/ä", "\\xc3\\xa4.swap"),
    ],
)
def test_unit_name_is_escaped_path(path: str, name: str) -> None:
    assert build_unit_name(path) == name


def test_unit_text() -> None:
    assert build_unit_text("/swap 50%", 7) == (
        "# Managed by oomguard.linux.swap. Changes made by hand are lost.\n"
        "\n"
        "[Unit]\n"
        "Description=Swap file of oomguard.linux.swap\n"
        "\n"
        "[Swap]\n"
        "What=/swap 50%%\n"
        "Priority=7\n"
        "\n"
        "[Install]\n"
        "WantedBy=swap.target\n"
    )


def test_unit_text_without_priority() -> None:
    assert "Priority" not in build_unit_text("/swapfile", None)


def test_unit_text_with_options() -> None:
    assert "\nOptions=discard,a=5%%\n" in build_unit_text("/swapfile", None, ("discard", "a=5%"))
