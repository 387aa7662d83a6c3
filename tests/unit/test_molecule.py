# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check that each Molecule scenario has tests. Molecule itself lets a scenario without tests pass."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

MOLECULE = Path(__file__).parents[2] / "molecule"
SCENARIOS = sorted(path.parent for path in MOLECULE.glob("*/molecule.yml"))


def test_scenarios_exist() -> None:
    assert SCENARIOS


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.name)
def test_scenario_has_tests(scenario: Path) -> None:
    assert any(re.search(r"^def test_", path.read_text(), re.MULTILINE) for path in scenario.glob("tests/test_*.py"))
