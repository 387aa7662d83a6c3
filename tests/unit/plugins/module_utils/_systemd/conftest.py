# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures: systemd with a fake in the place of its programs and a folder in the place of the root."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._systemd.manager import Systemd
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._systemd.factories import Programs


@pytest.fixture
def programs() -> Programs:
    return Programs(
        shown={
            "Id": "apache2.service",
            "LoadState": "loaded",
            "ActiveState": "active",
            "FragmentPath": "/lib/systemd/system/apache2.service",
            "DropInPaths": "",
            "NeedDaemonReload": "no",
            "OOMPolicy": "stop",
        }
    )


@pytest.fixture
def systemd(programs: Programs, tmp_path: pathlib.Path) -> Systemd:
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    return Systemd(run=programs, root=tmp_path)
