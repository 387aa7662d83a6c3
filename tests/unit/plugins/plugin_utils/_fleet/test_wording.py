# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.fleet import (
    STANDINGS,
    Fleet,
    build_fleet,
    build_host,
)
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.record import Record
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.wording import (
    LABELS,
    clean,
    count,
    shorten_name,
    write_block_size,
    write_cause,
    write_day,
    write_duration,
    write_headline,
    write_killer,
    write_lead,
    write_moment,
    write_request,
    write_size,
)
from ansible_collections.oomguard.linux.tests.browser.fleets import (
    build,
    build_incident,
    build_remediated,
    build_result,
    build_showcase,
)

PAGE = 4096


def build_clean(host: str, *, complete: bool = True) -> Record:
    return build(host, build_result([], complete=complete))


def build_unknown(host: str) -> Record:
    return build(host, {"unreachable": True, "msg": "No route to host."})


def unite(*records: Record) -> Fleet:
    return build_fleet(map(build_host, records))


def test_each_standing_has_its_label() -> None:
    assert tuple(LABELS) == STANDINGS


@pytest.mark.parametrize(
    ("records", "headline"),
    [
        ([], "No host has been looked at"),
        ([build_incident("web1"), build_clean("a")], "apache2.service is down on web1"),
        ([build_incident("web1"), build_incident("web2")], "Services are down on 2 of 2 hosts"),
        ([build_clean("a")], "No OOM kill on 1 host"),
        ([build_clean("a"), build_remediated("b")], "No OOM kill on 2 hosts since the last changes"),
        ([build_clean("a"), build_unknown("b")], "No OOM kill on the 1 of 2 hosts that were fully searched"),
        ([build_clean("a", complete=False)], "It is not known whether 1 host had OOM kills"),
        ([build_unknown("a")], "It is not known whether 1 host had OOM kills"),
    ],
)
def test_headline_is_the_answer(records: list[Record], headline: str) -> None:
    assert write_headline(unite(*records)) == headline


def test_headline_names_a_service_that_is_up_again() -> None:
    (host,) = unite(build_incident()).hosts
    (outage,) = host.outages
    host = dataclasses.replace(host, standing="taken_down", outages=(dataclasses.replace(outage, is_down=False),))

    assert write_headline(build_fleet([host])) == "apache2.service went down on web1"


def test_headline_has_no_long_name() -> None:
    assert write_headline(unite(build_incident("w" * 80))) == "Services are down on 1 of 1 host"


def test_lead_counts_kills_and_doubts() -> None:
    assert write_lead(unite(*build_showcase())) == (
        "10 kills on 5 of 13 hosts. The most frequent cause: RAM and swap exhausted. "
        "What happened on 2 hosts is not fully known."
    )


def test_lead_of_kills_without_a_cause_is_their_number() -> None:
    record = build_incident()
    record["summary"]["by_cause"] = {}

    assert write_lead(unite(record)) == "4 kills on 1 of 1 host."


def test_lead_of_clean_hosts_is_empty() -> None:
    assert write_lead(unite(build_clean("a"))) == ""


@pytest.mark.parametrize(("number", "text"), [(0, "0 hosts"), (1, "1 host"), (1024, "1,024 hosts")])
def test_count(number: int, text: str) -> None:
    assert count(number, "host") == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("ram_exhausted_no_swap", "RAM exhausted, no swap"),
        ("from_the_future", "from_the_future"),
        (None, "Cause not known"),
    ],
)
def test_cause(value: str | None, text: str) -> None:
    assert write_cause(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [("kernel", "The kernel"), ("earlyoom", "earlyoom"), (None, "An unknown program")]
)
def test_killer(value: str | None, text: str) -> None:
    assert write_killer(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [("2026-11-23T06:48:46.787033Z", "2026-11-23 06:48"), ("not a time", "not a time")]
)
def test_moment(value: str, text: str) -> None:
    assert write_moment(value) == text


def test_day() -> None:
    assert write_day("2026-11-23T06:48:46Z") == "2026-11-23"


@pytest.mark.parametrize(("size", "text"), [(None, "not known"), (0, "0 B"), (1536 << 20, "1.5 GiB")])
def test_size(size: int | None, text: str) -> None:
    assert write_size(size) == text


@pytest.mark.parametrize(("size", "text"), [(PAGE, "4K"), (4 << 20, "4M")])
def test_block_size(size: int, text: str) -> None:
    assert write_block_size(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "less than 1 s"),
        (61, "1 min 1 s"),
        (5423, "1 h 30 min"),
        (86_400, "1 day"),
        (200_000, "2 days 7 h"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    assert write_duration(seconds) == text


@pytest.mark.parametrize(
    ("order", "page_size", "text"),
    [
        (0, PAGE, "4.0 KiB"),
        (3, PAGE, "32.0 KiB in one piece"),
        (None, PAGE, "memory"),
        (0, None, "memory"),
    ],
)
def test_request(order: int | None, page_size: int | None, text: str) -> None:
    assert write_request({"trigger": {"order": order}, "memory": {"page_size": page_size}}) == text


def test_name_is_inert_and_not_endless() -> None:
    assert clean("\x1b[31m" + "a" * 500).startswith(r"\x1b[31maaa")
    assert len(clean("a" * 500)) < 140


def test_long_name_loses_its_middle() -> None:
    assert shorten_name("host-in-the-first-hall.example.net", 20) == "host-in-th…ample.net"
