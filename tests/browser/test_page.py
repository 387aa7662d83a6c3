# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of the report in headless Chromium: light and dark, on a phone and on a desk, for no host to 5,000."""

from __future__ import annotations

import contextlib
import pathlib
import re
import typing as t

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from ansible_collections.oomguard.linux.tests.browser.fleets import HOSTILE

FindPage = t.Callable[[str], pathlib.Path]
SMALL = ("none", "one", "clean", "showcase", "fifty", "hostile")
WIDTHS = (360, 1440)
SCHEMES: tuple[t.Literal["light", "dark"], ...] = ("light", "dark")
OPEN_ALL = "document.querySelectorAll('details').forEach(one => { one.open = true })"
FIND_HANDLERS = """
[...document.querySelectorAll('*')].flatMap(one => one.getAttributeNames()).filter(name => name.startsWith('on'))
"""
FIND_HIDDEN_BODIES = """
[...document.querySelectorAll('.kind:not([open]) .body')].filter(one => one.getBoundingClientRect().height < 50).length
"""
LARGEST_BYTES = 5 << 20
MOST_SECONDS = 1.0
# A loaded machine may take long, and that is no fault of the page.
TIMEOUT_MS = 300_000


class View(t.NamedTuple):
    """An open page, and what went wrong or was fetched since it was opened."""

    page: Page
    messages: list[str]
    requests: list[str]


@contextlib.contextmanager
def open_page(
    browser: Browser, path: pathlib.Path, *, width: int = 1440, scheme: t.Literal["light", "dark"] = "light"
) -> t.Iterator[View]:
    with browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme) as context:
        context.set_default_timeout(TIMEOUT_MS)
        page = context.new_page()
        view = View(page, [], [])
        page.on("console", lambda message: view.messages.append(message.text))
        page.on("pageerror", lambda error: view.messages.append(str(error)))
        page.on("dialog", lambda dialog: view.messages.append(dialog.message))
        page.on("request", lambda request: view.requests.append(request.url))
        page.goto(path.as_uri())
        page.evaluate(OPEN_ALL)
        yield view


@pytest.fixture(params=SCHEMES)
def scheme(request: pytest.FixtureRequest) -> t.Literal["light", "dark"]:
    return t.cast('t.Literal["light", "dark"]', request.param)


@pytest.fixture
def showcase(browser: Browser, find_page: FindPage) -> t.Iterator[Page]:
    with open_page(browser, find_page("showcase")) as view:
        yield view.page


@pytest.fixture
def hostile(browser: Browser, find_page: FindPage) -> t.Iterator[View]:
    with open_page(browser, find_page("hostile")) as view:
        yield view


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("fleet", [*SMALL, "many"])
def test_page_is_as_wide_as_the_window(browser: Browser, find_page: FindPage, fleet: str, width: int) -> None:
    with open_page(browser, find_page(fleet), width=width) as view:
        assert view.page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("fleet", SMALL)
def test_axe_finds_nothing(
    browser: Browser, find_page: FindPage, fleet: str, width: int, scheme: t.Literal["light", "dark"]
) -> None:
    with open_page(browser, find_page(fleet), width=width, scheme=scheme) as view:
        assert list_violations(view.page) == []


@pytest.mark.parametrize("fleet", [*SMALL, "many"])
def test_console_has_no_message(browser: Browser, find_page: FindPage, fleet: str) -> None:
    with open_page(browser, find_page(fleet)) as view:
        assert view.messages == []


@pytest.mark.parametrize("fleet", SMALL)
def test_nothing_but_the_page_is_fetched(browser: Browser, find_page: FindPage, fleet: str) -> None:
    path = find_page(fleet)
    with open_page(browser, path) as view:
        assert view.requests == [path.as_uri()]


@pytest.mark.parametrize("fleet", SMALL)
def test_page_has_no_script(browser: Browser, find_page: FindPage, fleet: str) -> None:
    with open_page(browser, find_page(fleet)) as view:
        expect(view.page.locator("script")).to_have_count(0)


def test_policy_blocks_a_script_all_the_same(showcase: Page) -> None:
    messages: list[str] = []
    showcase.on("console", lambda message: messages.append(message.text))
    showcase.evaluate("document.body.appendChild(document.createElement('script')).textContent = 'document.title = 1'")

    assert "Content Security Policy" in " ".join(messages)


def test_policy_blocks_a_picture_of_another_server(showcase: Page) -> None:
    messages: list[str] = []
    showcase.on("console", lambda message: messages.append(message.text))
    showcase.evaluate(
        "new Promise(end => { const one = new Image(); one.onerror = end; one.src = 'http://127.0.0.1/' })"
    )

    assert "Content Security Policy" in " ".join(messages)


def test_headline_names_the_service_that_is_down(showcase: Page) -> None:
    expect(showcase.get_by_role("heading", level=1)).to_have_text("apache2.service is down on web1")


def test_hosts_come_worst_first(showcase: Page) -> None:
    titles = [
        "A service is down 1",
        "A service went down 1",
        "Processes were killed 2",
        "Not looked at 1",
        "Not fully searched 1",
        "Remediated, and no kill since 1",
        "No OOM kill 6",
    ]
    expect(showcase.locator(".group h3")).to_have_text(titles)


def test_row_of_a_host_has_the_answer(showcase: Page) -> None:
    cells = [
        "web1",
        "apache2.service is down since 2026-11-28 19:48",
        "sys.fcgi",
        "RAM and swap exhausted",
        "oom_policy, swap +3",
        "4 kills",
        "2026-11-28 19:48",
    ]
    row = showcase.get_by_role("row", name="web1").first
    expect(row.locator("th, td")).to_have_text(cells)


def test_link_leads_to_the_host_in_full(showcase: Page) -> None:
    showcase.get_by_role("link", name="web2", exact=True).first.click()

    expect(showcase.get_by_role("article", name="web2")).to_be_in_viewport()


def test_closed_event_opens_with_the_keyboard(browser: Browser, find_page: FindPage) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(find_page("showcase").as_uri())
        closed = page.locator(".kind:not([open])").first
        body = closed.locator(".body")
        expect(body).not_to_be_visible()
        closed.locator("summary").evaluate("one => { one.parentElement.id = 'chosen'; one.focus() }")
        page.keyboard.press("Enter")

        expect(page.locator("#chosen .body")).to_be_visible()


def test_focus_is_visible(showcase: Page) -> None:
    showcase.keyboard.press("Tab")

    assert showcase.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_page_reads_without_script(browser: Browser, find_page: FindPage) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(find_page("showcase").as_uri())

        expect(page.get_by_text("Memory at the moment of the kill").first).to_be_visible()


def test_print_has_a_light_page(browser: Browser, find_page: FindPage) -> None:
    with open_page(browser, find_page("showcase"), scheme="dark") as view:
        view.page.emulate_media(media="print")

        assert view.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_print_shows_closed_events(browser: Browser, find_page: FindPage) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(find_page("showcase").as_uri())
        page.emulate_media(media="print")

        assert page.evaluate(FIND_HIDDEN_BODIES) == 0


@pytest.mark.parametrize("tag", ["img", "script", "b:has(script)"])
def test_hostile_names_make_no_elements(hostile: View, tag: str) -> None:
    expect(hostile.page.locator(tag)).to_have_count(0)


def test_hostile_names_make_no_handlers(hostile: View) -> None:
    assert hostile.page.evaluate(FIND_HANDLERS) == []


def test_hostile_names_are_shown_as_they_are(hostile: View) -> None:
    expect(hostile.page.get_by_text(HOSTILE[0], exact=True).first).to_be_visible()


def test_templates_in_names_are_not_evaluated(hostile: View) -> None:
    expect(hostile.page.get_by_text(r"\x7b{ 7 * 7 }}").first).to_be_visible()


def test_direction_of_a_name_ends_with_it(hostile: View) -> None:
    assert hostile.page.evaluate("document.body.innerText.includes('\\u202e')") is False


def test_long_names_do_not_widen_their_columns(hostile: View) -> None:
    widths = hostile.page.locator(".hosts td.victim").evaluate_all("all => all.map(one => one.offsetWidth)")

    assert len(set(widths)) == 1


def test_many_hosts_are_all_on_the_page(find_page: FindPage) -> None:
    assert len(set(re.findall(r"host\d{4}\.example\.net", find_page("many").read_text("utf-8")))) == 5000


def test_page_of_many_hosts_is_not_too_large(find_page: FindPage) -> None:
    assert find_page("many").stat().st_size < LARGEST_BYTES


def test_page_of_many_hosts_is_painted_soon(browser: Browser, find_page: FindPage) -> None:
    path = find_page("many")
    times = [measure_load(browser, path) for _attempt in range(3)]

    assert min(times) < MOST_SECONDS


def list_violations(page: Page) -> list[str]:
    """Return the rules of axe-core that a page breaks, with the first element that breaks each."""
    violations = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in violations]


def measure_load(browser: Browser, path: pathlib.Path) -> float:
    """Return the seconds of processor time in which the browser parses, lays out and paints a whole page.

    They are more than the time until the first paint, and do not depend on what else the machine does.
    """
    with browser.new_context() as context:
        context.set_default_timeout(TIMEOUT_MS)
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.goto(path.as_uri())
        metrics = session.send("Performance.getMetrics")["metrics"]
        durations = {metric["name"]: metric["value"] for metric in metrics}
        return float(durations["TaskDuration"])
