# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import random
import re
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.openmetrics import render_openmetrics
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.record import Record
from ansible_collections.oomguard.linux.tests.unit.plugins.plugin_utils._fleet.factories import (
    CLEAN,
    COVERAGE,
    list_kills,
    make_record,
    make_short_event,
    make_unit,
    sum_up,
)

NOW = "2026-11-29T03:10:00Z"
SHOP = 'host="web1",unit="shop.service",victim="leak.fcgi",cause="cgroup_limit"'
CHANGE = {"time": "2026-11-29T01:30:00Z", "what": "swap", "before": "0 B", "after": "1 GiB"}
# The grammar of https://prometheus.io/docs/instrumenting/exposition_formats/, as far as gauges need it.
LABELS = r'\{[a-z_]+="(?:[^"\\\n]|\\[\\"n])*"(?:,[a-z_]+="(?:[^"\\\n]|\\[\\"n])*")*\}'
SAMPLE = re.compile(rf"(?P<series>[a-z_]+(?:{LABELS})?) (?P<value>-?[0-9]+(?:\.[0-9]+)?(?:e[+][0-9]+)?)")


def parse(text: str) -> dict[str, float]:
    """Return the values by series. Fail for what neither Prometheus' text format nor OpenMetrics allows."""
    families: list[str] = []
    values: dict[str, float] = {}
    lines = text.split("\n")
    assert lines[-2:] == ["# EOF", ""]
    for line in lines[:-2]:
        if line.startswith("# HELP "):
            families.append(line.split()[2])
        elif line.startswith("# TYPE "):
            assert line == f"# TYPE {families[-1]} gauge"
        else:
            match = SAMPLE.fullmatch(line)
            assert match, line
            assert re.split(r"[{ ]", line)[0] == families[-1]
            assert match["series"] not in values
            values[match["series"]] = float(match["value"])
    assert len(families) == len(set(families))

    return values


def measure(*records: Record) -> dict[str, float]:
    return parse(render_openmetrics(records, NOW))


def make_kills(*events: dict[str, t.Any], **parts: t.Any) -> Record:
    return make_record(**{"kinds": list_kills(*events), "summary": sum_up(count=len(events)), **parts})


def test_captured_result_is_whole() -> None:
    text = render_openmetrics([make_record()], NOW)
    assert (
        'oomguard_outages{host="web1",unit="apache2.service",victim="leak.fcgi",cause="ram_and_swap_exhausted"} 1'
        in text.split("\n")
    )


def test_no_host_is_a_valid_file() -> None:
    assert measure() == {"oomguard_export_timestamp_seconds": 1795921800}


def test_clean_host_was_searched_completely() -> None:
    values = measure(make_record(result=CLEAN))
    assert values['oomguard_host_searched{host="web1"}'] == 1
    assert values['oomguard_search_complete{host="web1"}'] == 1
    assert values['oomguard_search_timestamp_seconds{host="web1"}'] == 1795921200
    assert not [series for series in values if "kill" in series]


def test_host_that_was_never_searched_has_no_other_metric() -> None:
    values = measure(make_record(result=None))
    assert values == {"oomguard_export_timestamp_seconds": 1795921800, 'oomguard_host_searched{host="web1"}': 0}


def test_unreachable_host_keeps_what_an_earlier_search_found() -> None:
    earlier = {"as_of": {"summary": "2026-11-28T03:00:00Z"}}
    values = measure(make_kills(make_short_event(), ok=False, error="The host is unreachable: No route.", **earlier))
    assert values['oomguard_host_searched{host="web1"}'] == 0
    assert values['oomguard_search_timestamp_seconds{host="web1"}'] == 1795921200 - 86400
    assert values[f"oomguard_kills{{{SHOP}}}"] == 1


@pytest.mark.parametrize("coverage", [{**COVERAGE, "complete": False}, None], ids=["incomplete", "unknown"])
def test_search_is_not_complete_unless_it_is_known_to_be(coverage: dict[str, t.Any] | None) -> None:
    assert measure(make_kills(coverage=coverage))['oomguard_search_complete{host="web1"}'] == 0


def test_searched_period_is_told() -> None:
    coverage = {**COVERAGE, "from": "2026-11-01T00:00:00Z", "to": "2026-11-29T00:00:00Z"}
    values = measure(make_kills(coverage=coverage))
    assert values['oomguard_search_start_timestamp_seconds{host="web1"}'] == 1793491200
    assert values['oomguard_search_end_timestamp_seconds{host="web1"}'] == 1795910400


def test_kills_that_an_earlier_search_found_start_the_period() -> None:
    coverage = {**COVERAGE, "from": "2026-11-28T00:00:00Z"}
    values = measure(make_kills(coverage=coverage, summary=sum_up(count=1, first="2026-11-01T00:00:00Z")))
    assert values['oomguard_search_start_timestamp_seconds{host="web1"}'] == 1793491200


def test_outages_are_counted_with_their_duration() -> None:
    first = make_short_event(taken_down=True, down_seconds=90.5)
    second = make_short_event(taken_down=True, down_seconds=None, time="2026-11-29T02:00:00Z")
    values = measure(make_kills(first, second, make_short_event()))
    assert values[f"oomguard_kills{{{SHOP}}}"] == 3
    assert values[f"oomguard_outages{{{SHOP}}}"] == 2
    assert values[f"oomguard_down_seconds{{{SHOP}}}"] == 90.5
    assert values[f"oomguard_last_outage_timestamp_seconds{{{SHOP}}}"] == 1795917600


def test_unknown_duration_is_not_zero() -> None:
    values = measure(make_kills(make_short_event(taken_down=True, down_seconds=None)))
    assert f"oomguard_down_seconds{{{SHOP}}}" not in values


def test_unknown_fate_of_the_unit_is_not_zero_outages() -> None:
    values = measure(make_kills(make_short_event(taken_down=None), make_short_event(id="2")))
    assert values[f"oomguard_kills{{{SHOP}}}"] == 2
    assert f"oomguard_outages{{{SHOP}}}" not in values
    assert f"oomguard_down_seconds{{{SHOP}}}" not in values


def test_known_outage_is_counted_beside_an_unknown_fate() -> None:
    outage = make_short_event(id="2", taken_down=True, down_seconds=60)
    values = measure(make_kills(make_short_event(taken_down=None), outage))
    assert values[f"oomguard_outages{{{SHOP}}}"] == 1
    assert values[f"oomguard_down_seconds{{{SHOP}}}"] == 60


def test_unknown_time_is_absent() -> None:
    values = measure(make_kills(make_short_event(time=None)))
    assert f"oomguard_last_kill_timestamp_seconds{{{SHOP}}}" not in values
    assert values[f"oomguard_kills{{{SHOP}}}"] == 1


def test_memory_is_that_of_the_newest_victim() -> None:
    newest = make_short_event(time="2026-11-29T02:00:00Z", rss_bytes=7_000_000_123, swap_bytes=0)
    values = measure(make_kills(newest, make_short_event()))
    assert values[f"oomguard_last_victim_memory_bytes{{{SHOP}}}"] == 7_000_000_123


def test_kills_that_the_record_does_not_list_are_others() -> None:
    values = measure(make_kills(make_short_event(), summary=sum_up(count=120)))
    assert values['oomguard_kills{host="web1",unit="other",victim="other",cause="other"}'] == 119


def test_unit_that_is_down_is_named() -> None:
    unit = make_unit(is_down=True, last_event_id="1")
    assert measure(make_kills(make_short_event(), summary=sum_up(unit)))[f"oomguard_unit_down{{{SHOP}}}"] == 1


def test_kills_after_the_last_change_are_counted() -> None:
    before = make_short_event(time="2026-11-29T01:00:00Z")
    after = make_short_event(time="2026-11-29T02:00:00Z")
    earlier = {**CHANGE, "time": "2026-11-01T00:00:00Z"}
    values = measure(make_kills(before, after, applied=[CHANGE, earlier]))
    assert values['oomguard_last_change_timestamp_seconds{host="web1"}'] == 1795915800
    assert values[f"oomguard_kills_after_change{{{SHOP}}}"] == 1


def test_without_a_change_no_kills_are_after_it() -> None:
    assert not [series for series in measure(make_kills(make_short_event())) if "change" in series]


def test_order_of_records_does_not_matter() -> None:
    records = [make_record(f"web{number}") for number in range(20)]
    text = render_openmetrics(records, NOW)
    assert render_openmetrics(random.Random(1).sample(records, 20), NOW) == text


def test_second_record_of_a_host_makes_no_second_series() -> None:
    assert measure(make_record(), make_record(ok=False))['oomguard_host_searched{host="web1"}'] == 1


@pytest.mark.parametrize(
    "name",
    [
        'a"} 1\noomguard_kills{host="x',
        "back\\slash",
        "{{ 7*7 }}",
        "\u202egnp.exe",
        "nul\0byte",
        "x" * 500,
        "\ud800",
        "a\\",
    ],
    ids=["quote", "backslash", "template", "rtl", "nul", "long", "surrogate", "trailing"],
)
def test_hostile_names_stay_in_their_labels(name: str) -> None:
    values = measure(make_kills(make_short_event(victim=name, unit=name, cause=name), host=name))
    assert len([series for series in values if series.startswith("oomguard_kills{")]) == 1
    assert render_openmetrics([make_record(name)], NOW).isascii()


def test_series_are_bounded() -> None:
    events = [make_short_event(victim=f"v{number}", unit=f"u{number}.service") for number in range(5000)]
    assert len(measure(make_kills(*events))) < 100
