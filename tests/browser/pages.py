# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of the report in a file, and headless Chromium to look at it."""

from __future__ import annotations

import contextlib
import pathlib
import shutil
import typing as t

from playwright.sync_api import Browser, sync_playwright

from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.fleet import build_fleet, build_host
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.page import Extras, render_page
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.record import Record

_CHROMIUM = "chromium"
EXTRAS = Extras(
    problems=["Could not read the record hosts/old1.json. It is damaged: record.kinds is not a list."],
    drift=[
        {"host": "web2", "setting": "OOMPolicy of apache2.service", "before": "stop", "after": "continue"},
        {"host": "web2", "setting": "total swap", "before": "3.7 GiB", "after": "10.0 GiB"},
    ],
    trend=[
        {
            "day": "2026-11-29",
            "hosts": {"down": 1, "taken_down": 1, "killed": 2, "unknown": 1, "remediated": 1, "clean": 7},
        },
        {"day": "2026-11-28", "hosts": {"taken_down": 1, "killed": 1, "remediated": 1, "clean": 10}},
        {"day": "2026-11-27", "hosts": {"taken_down": 1, "killed": 1, "remediated": 1, "clean": 10}},
        {"day": "2026-11-26", "hosts": {"killed": 1, "incomplete": 1, "remediated": 1, "clean": 10}},
    ],
)
"""What the page shows beside the fleet, as the history would have it."""


def write_page(path: pathlib.Path, records: t.Iterable[Record], extras: Extras = EXTRAS) -> None:
    """Write the page of a fleet into a file."""
    by_host = {record["host"]: record for record in records}
    fleet = build_fleet(map(build_host, by_host.values()))
    path.write_text("".join(render_page(fleet, by_host.__getitem__, extras)), "utf-8")


@contextlib.contextmanager
def run_chromium() -> t.Iterator[Browser]:
    """Run headless Chromium, with which only this program can talk. Raises FileNotFoundError if it is not installed."""
    path = shutil.which(_CHROMIUM)
    if path is None:
        raise FileNotFoundError("Chromium is not installed. Run: make browser")

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        try:
            yield browser
        finally:
            browser.close()
