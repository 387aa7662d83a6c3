# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import types
from pathlib import Path

import pytest
from scenario.power import find_machine


def test_find_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOLECULE_EPHEMERAL_DIRECTORY", "/cache/swap")
    host = types.SimpleNamespace(backend=types.SimpleNamespace(get_hostname=lambda: "oomguard-trixie"))
    assert find_machine(host) == Path("/cache/swap/machines/oomguard-trixie")
