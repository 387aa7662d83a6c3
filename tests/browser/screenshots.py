# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take the screenshots of the report for the documentation."""

from __future__ import annotations

import pathlib
import tempfile
import typing as t

from playwright.sync_api import Browser, ViewportSize

from ansible_collections.oomguard.linux.tests.browser.fleets import build_showcase
from ansible_collections.oomguard.linux.tests.browser.pages import run_chromium, write_page

FOLDER = pathlib.Path(__file__).parents[2] / "docs" / "images"


class Shot(t.NamedTuple):
    """A screenshot: what to show at the top of a window, and the size of the window."""

    name: str
    top: str
    width: int
    height: int
    scheme: t.Literal["light", "dark"]


SHOTS = (
    Shot("report-fleet", "header.page", 1280, 1000, "light"),
    Shot("report-host", "article.host", 1120, 720, "dark"),
    Shot("report-phone", "header.page", 390, 844, "light"),
)


def main() -> None:
    """Write all screenshots."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, run_chromium() as browser:
        page = pathlib.Path(folder) / "index.html"
        write_page(page, build_showcase())
        for shot in SHOTS:
            _take(browser, page, shot)


def _take(browser: Browser, path: pathlib.Path, shot: Shot) -> None:
    viewport: ViewportSize = {"width": shot.width, "height": shot.height}
    with browser.new_context(viewport=viewport, color_scheme=shot.scheme) as context:
        page = context.new_page()
        page.goto(path.as_uri())
        page.locator(shot.top).first.evaluate("one => one.scrollIntoView()")
        page.screenshot(path=FOLDER / f"{shot.name}.png")


if __name__ == "__main__":
    main()
