# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An Apache for the tests in this folder, whose programs are a fake."""

from __future__ import annotations

import dataclasses
import pathlib

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.apache import Apache
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.layout import LAYOUTS, Layout
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._fcgid.programs import MAIN, Programs, sleepless


@pytest.fixture
def layout(tmp_path: pathlib.Path) -> Layout:
    layout = dataclasses.replace(
        LAYOUTS[0],
        main=tmp_path / "apache2.conf",
        folder=tmp_path / "conf-available",
        enabled=tmp_path / "conf-enabled",
        server_root=str(tmp_path),
        instances=f"{tmp_path}-*/apache2.conf",
    )
    (tmp_path / MAIN).write_text("IncludeOptional conf-enabled/*.conf\n")
    for folder in (layout.folder, tmp_path / "conf-enabled", tmp_path / "run/systemd/system"):
        folder.mkdir(parents=True)
    return layout


@pytest.fixture
def programs(tmp_path: pathlib.Path) -> Programs:
    return Programs(folder=tmp_path / "conf-enabled")


@pytest.fixture
def apache(layout: Layout, programs: Programs, tmp_path: pathlib.Path) -> Apache:
    return Apache(layout, run=programs, root=tmp_path, sleep=sleepless)
