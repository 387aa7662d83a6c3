# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role systemd_oomd sees in check mode of what the run would trip over."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.tests.unit.roles.role import value


@pytest.mark.parametrize(
    ("found", "unwritable"),
    [
        ({"stat": {"exists": True, "writeable": False}}, ["/etc/systemd"]),
        ({"stat": {"exists": True, "writeable": True}}, []),
        ({"stat": {"exists": False}}, []),
        ({"skipped": True}, []),
    ],
    ids=["immutable", "writable", "missing", "nothing to write"],
)
def test_place_that_the_run_could_not_write_is_found(found: dict[str, object], unwritable: list[str]) -> None:
    places = {"results": [{"systemd_oomd_place": "/etc/systemd", **found}]}
    assert value("systemd_oomd", "__systemd_oomd_unwritable", __systemd_oomd_places=places) == unwritable
