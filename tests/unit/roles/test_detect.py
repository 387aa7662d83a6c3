# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first words of the role detect, by which its reader goes."""

from __future__ import annotations

import pathlib

import pytest
from ansible.template import Templar, trust_as_template

SUMMARY = pathlib.Path(__file__).parents[3] / "roles/detect/templates/summary.txt.j2"


@pytest.mark.parametrize(
    ("count", "down", "complete", "said"),
    [
        (0, [], True, "No OOM kill found."),
        (0, [], False, "Unknown: no OOM kill was found in what could be looked at."),
        (0, ["a.service"], True, "No kill was found, but OOM kills took services down: a.service."),
        (2, ["a.service"], True, "2 OOM events. Services taken down: a.service."),
        (1, [], False, "1 OOM event. Services taken down: none."),
    ],
)
def test_the_first_line(count: int, down: list[str], said: str, *, complete: bool) -> None:
    coverage = {"complete": complete, "missed_records": 0, "unparsed": 0, "notes": []}
    result = {"summary": {"count": count, "units_taken_down": down}, "coverage": coverage, "events": []}
    text = Templar(variables={"detect_result": result}).template(trust_as_template(SUMMARY.read_text()))
    assert text.split("\n")[0] == said
