# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Properties of the data classes."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import Line, Origin, Zone


def test_line_has_the_fields_of_its_origin() -> None:
    line = Line("a", origin=Origin("b", "web1", "kernel"))
    assert (line.boot_id, line.hostname, line.source) == ("b", "web1", "kernel")


@pytest.mark.parametrize(
    ("blocks", "largest"),
    [({4096: 1, 8192: 2, 16384: 0}, 8192), ({4096: 0}, 0), ({}, None)],
    ids=["some", "none free", "no buddy list"],
)
def test_largest_free_block_has_a_count(blocks: dict[int, int], largest: int | None) -> None:
    assert Zone(0, "DMA", free_blocks=blocks).largest_free_block_bytes == largest
