# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import html.parser
import re
import typing as t
import urllib.parse

import pytest

from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.fleet import build_fleet, build_host
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.page import (
    Extras,
    hash_style,
    make_environment,
    read_style,
    render_page,
)
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.record import Record
from ansible_collections.oomguard.linux.tests.browser.fleets import (
    HOSTILE,
    build,
    build_hostile,
    build_incident,
    build_remediated,
    build_result,
    build_showcase,
    generate_fleet,
)

_ENDINGS = dict.fromkeys(("td", "th", "dd", "dt", "style"), " ")


class Reader(html.parser.HTMLParser):
    """Collects the text, the elements and the attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        self.text += _ENDINGS.get(tag, "")

    def handle_data(self, data: str) -> None:
        self.text += data


def render(records: t.Iterable[Record], extras: Extras | None = None) -> str:
    by_host = {record["host"]: record for record in records}
    fleet = build_fleet(map(build_host, by_host.values()))
    return "".join(render_page(fleet, by_host.__getitem__, extras or Extras()))


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    return reader


def read_text(text: str) -> str:
    """Return the text of a page as people read it, in one line."""
    return " ".join(read(text).text.split())


def say(macro: str, *arguments: t.Any) -> str:
    """Return what a macro of the sentences says."""
    sentences = t.cast("t.Any", make_environment().get_template("sentences.html.j2").module)
    return read_text(getattr(sentences, macro)(*arguments))


@pytest.fixture(scope="module")
def showcase() -> str:
    return render(build_showcase())


@pytest.fixture(scope="module")
def hostile() -> str:
    return render(build_hostile())


def test_page_is_the_same_for_the_same_records(showcase: str) -> None:
    assert render(reversed(build_showcase())) == showcase


def test_policy_allows_the_style_alone(showcase: str) -> None:
    policy = f"default-src 'none'; style-src '{hash_style(read_style())}'; base-uri 'none'; form-action 'none'"

    assert ("content", policy) in read(showcase).attributes


def test_page_loads_nothing(showcase: str) -> None:
    assert not {"script", "link", "img", "iframe", "object", "embed"} & set(read(showcase).tags)


def test_page_has_no_style_attribute(showcase: str) -> None:
    assert "style" not in dict(read(showcase).attributes)


def test_identifiers_are_unique(hostile: str) -> None:
    identifiers = [value for name, value in read(hostile).attributes if name == "id"]

    assert len(set(identifiers)) == len(identifiers)


def test_links_within_the_page_lead_somewhere(hostile: str) -> None:
    attributes = read(hostile).attributes
    targets = {value for name, value in attributes if name == "id"}
    links = [urllib.parse.unquote(str(value)) for name, value in attributes if name == "href"]

    assert {link[1:] for link in links if link.startswith("#")} <= targets


@pytest.mark.parametrize("name", ["<script>", "<img", "{{", "{%", "\u202e", "\x1b"])
def test_hostile_names_leave_nothing_that_acts(hostile: str, name: str) -> None:
    assert name not in hostile


def test_hostile_names_are_readable(hostile: str) -> None:
    assert HOSTILE[0] in read(hostile).text


def test_page_has_each_host_once_in_its_tables() -> None:
    text = render(build(f"web{number}", build_result([])) for number in range(100))

    assert len(re.findall(r"<bdi>web\d+</bdi>", text)) == 100


@pytest.mark.parametrize(
    "part",
    [
        "Memory at the moment of the kill",
        "Anonymous835.2 MiB",
        "apache2 (pid 1620) asked for 4.0 KiB and did not get it.",
        "The kernel killed sys.fcgi (pid 20114) on 2026-11-28 19:48. It held 280.4 MiB of RAM and 1.5 GiB of swap.",
        "apache2.service went down. systemd logged the result oom-kill. OOMPolicy=stop is in force.",
        "It was not seen to start again.",
        "apache2.service was down for 1 h 30 min",
        "oom_policy_units: - apache2.service",
        "oomguard_roles: - auto - zram",
        "ansible-playbook oomguard.linux.remediate --check --diff --limit web1",
    ],
)
def test_host_is_shown_in_full(part: str) -> None:
    assert part in read_text(render([build_incident()]))


@pytest.mark.parametrize(
    "part",
    [
        "3 changes, and no kill in the 16 days since.",
        "3 kills",
        "3 outages in ",
        "no outage in 16 days",
        "total swap 3.7 GiB 10.0 GiB",
    ],
)
def test_remediated_host_has_before_and_after(part: str) -> None:
    assert part in read_text(render([build_remediated("web2")]))


def test_kill_by_hand_was_not_asked_for() -> None:
    record = build_incident()
    record["kinds"][0]["newest"]["manual"] = True
    text = read_text(render([record]))

    assert "A kill was requested by hand (SysRq)." in text
    assert "asked for" not in text


def test_anonymous_page_has_no_command() -> None:
    assert "ansible-playbook" not in render([build_incident()], Extras(is_anonymous=True))


def test_foreign_role_is_not_on_the_page() -> None:
    record = build_incident()
    record["remedies"].append({"role": "evil.collection.role", "variables": {}})

    assert "evil" not in render([record])


def test_remedies_that_are_not_trusted_have_no_command() -> None:
    record = build_incident()
    record["remedies"] = [{**remedy, "trusted": False} for remedy in record["remedies"]]

    assert "ansible-playbook" not in render([record])


def test_problems_are_named() -> None:
    assert "hosts/a.json is damaged." in render([], Extras(problems=["hosts/a.json is damaged."]))


def test_drift_and_trend_are_shown() -> None:
    drift = [{"host": "web1", "setting": "total swap", "before": "3.7 GiB", "after": "10.0 GiB"}]
    trend = [{"day": f"2026-11-2{number}", "hosts": {"clean": number}} for number in (9, 8)]
    text = read_text(render([], Extras(drift=drift, trend=trend)))

    assert "web1 total swap 3.7 GiB 10.0 GiB" in text
    assert "2026-11-28 0 0 0 0 0 0 8" in text


def test_damaged_part_of_a_record_is_a_problem_of_its_host_alone() -> None:
    damaged = build_incident("web0")
    damaged["kinds"][0]["newest"]["zones"] = [{"zone": "Normal", "free_blocks": {"x": 1}}]
    text = read_text(render([damaged, build_incident("web1")]))

    assert "The record of web0 has parts that cannot be shown" in text
    assert "Memory at the moment of the kill" in text


def test_unknown_value_is_not_known() -> None:
    record = build_incident()
    record["kinds"][0]["events"][0]["rss_bytes"] = None

    assert "2026-11-10 03:00 sys.fcgi not known 1.5 GiB" in read_text(render([record]))


@pytest.mark.parametrize(
    ("part", "name"), [("tasks", "count"), ("unit_effect", "down_seconds"), ("memory", "breakdown"), ("trigger", "pid")]
)
def test_host_is_shown_whatever_is_missing(part: str, name: str) -> None:
    record = build_incident()
    del record["kinds"][0]["newest"][part][name]

    assert "has parts that cannot be shown" not in read_text(render([record]))


def test_not_so_bad_hosts_are_left_out_of_a_long_page() -> None:
    text = read_text(render(generate_fleet(200, events=2)))

    assert re.search(r"Shown in full: the \d+ worst hosts\. The details of \d+ more hosts with kills", text)


def test_host_that_is_only_partly_searched_is_not_clean() -> None:
    text = read_text(render([build("cache1", build_result([], complete=False))]))

    assert "No kill found, but the search was incomplete: The journal is kept in memory only" in text


@pytest.mark.parametrize(
    ("unit", "sentence"), [("a.service", "a.service kept running"), (None, "It is not known what became of the unit")]
)
def test_survivor(unit: str | None, sentence: str) -> None:
    assert say("tell_survivor", unit) == sentence


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"is_down": True}, "a.service is down since 2026-11-28 19:48"),
        ({"seconds": None}, "a.service went down on 2026-11-28 19:48"),
        ({}, "a.service was down for 1 min 1 s"),
        ({"is_confirmed": False}, "a.service was down for 1 min 1 s, according to unconfirmed records"),
    ],
)
def test_outage(parts: dict[str, t.Any], sentence: str) -> None:
    outage = {"unit": "a.service", "is_down": False, "since": "2026-11-28T19:48:00Z", "seconds": 61}

    assert say("tell_outage", {**outage, "is_confirmed": True, **parts}) == sentence


@pytest.mark.parametrize(
    ("number", "ending"), [(1, ""), (2, "; u1 went down, too"), (4, "; 3 other units went down, too")]
)
def test_outages(number: int, ending: str) -> None:
    outages = [{"unit": f"u{at}", "is_confirmed": True, "seconds": 2} for at in range(number)]

    assert say("tell_outages", outages) == f"u0 was down for 2 s{ending}"


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"taken_down": None}, "Not known"),
        ({"taken_down": False}, "a.service kept running"),
        ({"taken_down": True, "down_seconds": None}, "a.service went down"),
        ({"taken_down": True, "down_seconds": 2}, "a.service was down for 2 s"),
        ({"taken_down": True, "down_seconds": 2, "unit": None}, "The unit was down for 2 s"),
    ],
)
def test_fate(parts: dict[str, t.Any], sentence: str) -> None:
    assert say("tell_fate", {"unit": "a.service", **parts}) == sentence


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["a"], "a of x.service"),
        (["a", "a", "b"], "a, b of x.service"),
        (["a", "b", "c", "d", "e"], "a, b, c and 2 more of x.service"),
        ([], "An unknown process of x.service"),
    ],
)
def test_kind(names: list[str], sentence: str) -> None:
    victims = [{"name": name} for name in names]

    assert say("name_kind", {"victims": victims, "unit": "x.service"}) == sentence


@pytest.mark.parametrize(
    ("roles", "text"), [([], ""), (["swap"], "swap"), (["oom_policy", "swap", "fcgid"], "oom_policy, swap +1")]
)
def test_roles(roles: list[str], text: str) -> None:
    assert say("list_roles", roles) == text


@pytest.mark.parametrize(
    ("effect", "sentence"),
    [
        ({"down_seconds": None}, "It was not seen to start again."),
        ({"down_seconds": 2, "restarted": True}, "systemd restarted it after 2 s."),
        ({"down_seconds": 2, "restarted": False}, "It was down for 2 s."),
    ],
)
def test_return(effect: dict[str, t.Any], sentence: str) -> None:
    assert say("tell_return", effect) == sentence


def make_history(**growth: t.Any) -> dict[str, t.Any]:
    kind = {
        "unit": "shop.service",
        "victim": "<b>worker",
        "count": 1,
        "first": "2026-11-10T03:00:00.000000Z",
        "growth": {"verdict": "leak", "sentence": "The memory leaks.", "evidence": [], **growth},
        "rhythm": None,
        "preceded_by": [],
        "forecast": None,
        "enough": None,
        "since": [],
    }
    return {"kinds": [kind]}


def test_history_says_what_the_kills_have_in_common() -> None:
    text = render([{**build_incident(), "history": make_history()}])
    assert "What the kills have in common" in text
    assert "<b>worker" not in text
    assert "worker of shop.service, killed once The memory leaks." in read_text(text)


@pytest.mark.parametrize("history", [None, make_history(verdict="cannot_tell")], ids=["not looked for", "not known"])
def test_history_that_says_nothing_is_left_out(history: dict[str, t.Any] | None) -> None:
    assert "What the kills have in common" not in render([{**build_incident(), "history": history}])
