# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration of zram-generator."""

from __future__ import annotations

import dataclasses

from ansible_collections.oomguard.linux.plugins.module_utils._zram.config import render_config
from ansible_collections.oomguard.linux.plugins.module_utils._zram.model import Share
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._zram.factories import ABSENT, GIB, WANTED

TITLE = "# Managed by oomguard.linux.zram. Changes made by hand are lost.\n[zram0]\n"


def test_percentage_is_left_to_the_generator() -> None:
    assert render_config(WANTED) == f"{TITLE}zram-size = min(ram * 50 / 100, 4096)\nswap-priority = 100\n"


def test_size_and_algorithm() -> None:
    wanted = dataclasses.replace(WANTED, share=Share(None, 8 * GIB), algorithm="zstd", priority=5)
    assert render_config(wanted) == (f"{TITLE}zram-size = 4096\nswap-priority = 5\ncompression-algorithm = zstd\n")


def test_absent_device_has_no_size() -> None:
    assert render_config(ABSENT) == f"{TITLE}zram-size = 0\n"
