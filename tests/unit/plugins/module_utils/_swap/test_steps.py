# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps as plain data."""

from __future__ import annotations

from ansible_collections.oomguard.linux.plugins.module_utils._swap.plan import make_plan
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._swap.factories import GIB, WANTED, managed


def test_step_as_plain_data() -> None:
    assert make_plan(managed(GIB), WANTED).steps[1].as_dict() == {
        "step": "enable",
        "path": "/swapfile.1",
        "size_bytes": 9 * GIB,
        "priority": None,
    }


def test_plain_data_omits_texts_of_files() -> None:
    assert make_plan(managed(GIB), WANTED).steps[2].as_dict() == {"step": "persist", "path": "/etc/fstab"}
