# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The alert rules and the dashboard ask for metrics that exist; `make engines` tries them with a real Prometheus."""

from __future__ import annotations

import itertools
import json
import pathlib
import re
import typing as t

import pytest
import yaml

from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.ecs import list_events
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.openmetrics import render_openmetrics
from ansible_collections.oomguard.linux.tests.unit.plugins.plugin_utils._fleet.factories import (
    list_kills,
    make_record,
    make_short_event,
    make_unit,
    sum_up,
)

CHECKOUT = pathlib.Path(__file__).parents[2]
EXTENSIONS = CHECKOUT / "extensions"
MONITORING = (CHECKOUT / "docs/monitoring.md").read_text("utf-8")
RULES = yaml.safe_load((EXTENSIONS / "prometheus/oomguard.rules.yml").read_text("utf-8"))["groups"][0]["rules"]
DASHBOARD = json.loads((EXTENSIONS / "grafana/oomguard.json").read_text("utf-8"))
PANELS = DASHBOARD["panels"]
TARGETS = [target for panel in PANELS for target in panel["targets"]]


def list_metrics() -> set[str]:
    """Return the names of the metrics of a host that has all of them."""
    time = "2026-11-29T01:00:00Z"
    record = make_record(
        kinds=list_kills(make_short_event(taken_down=True, down_seconds=1)),
        summary=sum_up(make_unit(is_down=True)),
        applied=[{"time": time, "what": "swap", "before": None, "after": None}],
    )
    return set(re.findall(r"^oomguard_\w+", render_openmetrics([record], time), re.MULTILINE))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_alert_asks_for_metrics_that_exist(rule: dict[str, t.Any]) -> None:
    used = set(re.findall(r"oomguard_\w+", rule["expr"]))
    assert used
    assert used <= list_metrics()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_alert_says_what_is_wrong_and_what_to_do(rule: dict[str, t.Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert re.search(r"oomguard\.linux\.(detect|remediate|report)", rule["annotations"]["description"])


@pytest.mark.parametrize("rule", [rule for rule in RULES if "victim" in rule["expr"]], ids=lambda rule: rule["alert"])
def test_alert_on_kills_names_the_culprit(rule: dict[str, t.Any]) -> None:
    text = json.dumps(rule["annotations"])
    assert all(f"$labels.{label}" in text for label in ("host", "unit", "victim", "cause"))


def test_metrics_of_the_dashboard_exist() -> None:
    used = set(re.findall(r"oomguard_\w+", json.dumps(DASHBOARD["panels"])))
    assert used <= list_metrics()


def test_panels_have_ids_of_their_own() -> None:
    ids = [panel["id"] for panel in PANELS]
    assert len(ids) == len(set(ids))


def test_panels_do_not_overlap() -> None:
    cells = [cell for panel in PANELS for cell in list_cells(panel["gridPos"])]
    assert len(cells) == len(set(cells))
    assert max(x for x, _y in cells) < 24


def list_cells(place: dict[str, int]) -> t.Iterator[tuple[int, int]]:
    columns = range(place["x"], place["x"] + place["w"])
    rows = range(place["y"], place["y"] + place["h"])
    return itertools.product(columns, rows)


def test_dashboard_belongs_to_no_server() -> None:
    assert "id" not in DASHBOARD
    assert {target["datasource"]["uid"] for target in TARGETS} == {"${datasource}"}


def test_dashboard_never_shows_zero_without_metrics() -> None:
    counts = [panel["targets"][0]["expr"] for panel in PANELS if panel["type"] == "stat"]
    assert all(count.endswith("or 0 * count(oomguard_export_timestamp_seconds)") for count in counts)
    assert all(
        panel["fieldConfig"]["defaults"]["noValue"] == "not known" for panel in PANELS if panel["type"] == "stat"
    )


def read_section(title: str) -> str:
    """Return a section of the document on monitoring."""
    return MONITORING.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_every_metric_is_documented_once() -> None:
    names = re.findall(r"^\| `(oomguard_\w+)` \|", read_section("Metrics"), re.MULTILINE)
    assert len(names) == len(set(names))
    assert set(names) == list_metrics()


def test_every_alert_is_documented_with_its_severity() -> None:
    table = re.findall(r"^\| `(\w+)` \| (\w+) \|", read_section("Alerts"), re.MULTILINE)
    assert table == [(rule["alert"], rule["labels"]["severity"]) for rule in RULES]


def test_every_field_of_events_is_documented() -> None:
    event = make_short_event(taken_down=True, down_seconds=1)
    record = make_record(kinds=list_kills(event))
    record["kinds"][0]["newest"]["victims"] = [{"pid": 1}]
    (fields,) = list_events([record])
    cells = re.findall(r"^\| (`.*?) \|", read_section("Events"), re.MULTILINE)
    documented = re.findall(r"`([@\w.]+)`", " ".join(cells))
    assert set(documented) == {*list_paths(fields)} - {"ecs.version"}


def list_paths(fields: dict[str, t.Any], start: str = "") -> t.Iterator[str]:
    """Yield the names of fields in mappings, with dots."""
    for name, value in fields.items():
        if isinstance(value, dict):
            yield from list_paths(value, f"{start}{name}.")
        else:
            yield f"{start}{name}"
