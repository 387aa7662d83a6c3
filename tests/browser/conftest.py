# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages of fleets, and a browser that looks at them."""

from __future__ import annotations

import functools
import pathlib
import typing as t

import pytest
from playwright.sync_api import Browser

from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.record import Record
from ansible_collections.oomguard.linux.tests.browser.fleets import (
    build,
    build_hostile,
    build_incident,
    build_result,
    build_showcase,
    generate_fleet,
    generate_mixture,
)
from ansible_collections.oomguard.linux.tests.browser.pages import run_chromium, write_page

FLEETS: dict[str, t.Callable[[], t.Iterable[Record]]] = {
    "none": list,
    "one": lambda: [build_incident()],
    "clean": lambda: [build("web1", build_result([]))],
    "showcase": build_showcase,
    "fifty": lambda: generate_mixture(50),
    "hostile": build_hostile,
    "many": lambda: generate_fleet(5000, events=10),
}


@pytest.fixture(scope="session")
def browser() -> t.Iterator[Browser]:
    """Run one browser for all tests."""
    with run_chromium() as running:
        yield running


@pytest.fixture(scope="session")
def find_page(tmp_path_factory: pytest.TempPathFactory) -> t.Callable[[str], pathlib.Path]:
    """Return the file of the page of a fleet, by its name in FLEETS; it is written once."""
    folder = tmp_path_factory.mktemp("pages")

    @functools.cache
    def find(name: str) -> pathlib.Path:
        path = folder / f"{name}.html"
        write_page(path, FLEETS[name]())
        return path

    return find
