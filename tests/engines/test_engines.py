# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The metrics, alerts and dashboard in the hands of a real Prometheus and a real node_exporter."""

from __future__ import annotations

import datetime as dt
import functools
import http.server
import json
import pathlib
import re
import subprocess
import threading
import time
import typing as t

import pytest
import yaml
from engines.metrics import Series, list_alerts, parse_metrics, query, read_last_evaluation, read_series
from engines.programs import find_program
from engines.server import find_port, get, run_server

from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.export import write_metrics
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.openmetrics import render_openmetrics
from ansible_collections.oomguard.linux.tests.unit.plugins.plugin_utils._fleet.factories import (
    CLEAN,
    COVERAGE,
    list_kills,
    make_record,
    make_short_event,
    make_unit,
    sum_up,
)

COLLECTION = pathlib.Path(__file__).parents[2]
RULES = COLLECTION / "extensions/prometheus/oomguard.rules.yml"
RULES_TEST = COLLECTION / "tests/engines/oomguard.rules.test.yml"
DASHBOARD = COLLECTION / "extensions/grafana/oomguard.json"
NOW = dt.datetime.now(tz=dt.UTC)
HOSTILE = 'a"} 1\noomguard_kills{host="x\\'
SCRAPE_SECONDS = 30
ADDED = ("instance", "job")
# node_exporter on the control node, as most people run it; with a label `host` of the target, which moves ours away
# unless honor_labels is true; and the same text as OpenMetrics.
CONFIG = """
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [%(rules)s]
scrape_configs:
  - job_name: node
    static_configs: [{targets: ["127.0.0.1:%(node)d"]}]
  - job_name: moved
    static_configs: [{targets: ["127.0.0.1:%(node)d"], labels: {host: control}}]
  - job_name: honored
    honor_labels: true
    static_configs: [{targets: ["127.0.0.1:%(node)d"], labels: {host: control}}]
  - job_name: openmetrics
    static_configs: [{targets: ["127.0.0.1:%(openmetrics)d"]}]
"""


def tell(hours: float) -> str:
    """Return the time of so many hours ago."""
    return f"{NOW - dt.timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}"


def make_fleet() -> list[dict[str, t.Any]]:
    """Return records of hosts in all states."""
    event = functools.partial(make_short_event, time=tell(2))
    outage = functools.partial(event, taken_down=True)
    searched: dict[str, t.Any] = {
        "collected_at": tell(1),
        "coverage": {**COVERAGE, "from": tell(24 * 30), "to": tell(1)},
    }
    change = {"time": tell(24), "what": "swap", "before": None, "after": None}
    down = sum_up(make_unit(is_down=True, last_event_id="1"))
    one = sum_up(count=1)
    two = sum_up(count=2)

    return [
        make_record("down1", kinds=list_kills(outage()), summary=down, **searched),
        make_record("up1", kinds=list_kills(outage(down_seconds=90)), summary=one, **searched),
        make_record("kill1", kinds=list_kills(event()), summary=one, **searched),
        make_record("worse1", kinds=list_kills(event(), event()), summary=two, applied=[change], **searched),
        make_record("part1", CLEAN, **{**searched, "coverage": {**COVERAGE, "complete": False}}),
        make_record("old1", CLEAN, **{**searched, "collected_at": tell(72)}),
        make_record("clean1", CLEAN, **searched),
        make_record("lost1", None),
        make_record(HOSTILE, kinds=list_kills(event(victim=HOSTILE, unit=HOSTILE)), summary=one, **searched),
    ]


class OpenMetrics(http.server.BaseHTTPRequestHandler):
    """Serves a text as OpenMetrics, which Prometheus parses by other rules than its own format."""

    text = ""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/openmetrics-text; version=1.0.0; charset=utf-8")
        self.end_headers()
        self.wfile.write(self.text.encode())

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Print nothing."""


@pytest.fixture(scope="module")
def text() -> str:
    return render_openmetrics(make_fleet(), tell(0))


@pytest.fixture(scope="module")
def textfile(text: str, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    path = tmp_path_factory.mktemp("textfile") / "oomguard.prom"
    write_metrics(path, text)
    return path


@pytest.fixture(scope="module")
def openmetrics(text: str) -> t.Iterator[int]:
    OpenMetrics.text = text
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), OpenMetrics)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def node(textfile: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[int]:
    port = find_port()
    argv = [
        find_program("prometheus-node-exporter"),
        "--collector.disable-defaults",
        "--collector.textfile",
        f"--collector.textfile.directory={textfile.parent}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with run_server(argv, port=port, ready="/", log=tmp_path_factory.mktemp("node") / "log"):
        yield port


@pytest.fixture(scope="module")
def prometheus(node: int, openmetrics: int, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[int]:
    folder = tmp_path_factory.mktemp("prometheus")
    config = folder / "prometheus.yml"
    config.write_text(CONFIG % {"rules": RULES, "node": node, "openmetrics": openmetrics}, "utf-8")
    port = find_port()
    argv = [
        find_program("prometheus"),
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with run_server(argv, port=port, ready="/-/ready", log=folder / "log"):
        wait_for(lambda: len(query(port, "up == 1")) == 4)
        # The first of these evaluations may have begun before the last target was scraped.
        wait_for_evaluation(port)
        wait_for_evaluation(port)
        yield port


def wait_for_evaluation(port: int) -> None:
    last = read_last_evaluation(port)
    wait_for(lambda: read_last_evaluation(port) != last)


def wait_for(is_true: t.Callable[[], bool]) -> None:
    deadline = time.monotonic() + SCRAPE_SECONDS
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def run_promtool(*arguments: str, text: str = "") -> str:
    argv = [find_program("promtool"), *arguments]
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_promtool_finds_no_fault_in_the_metrics(text: str) -> None:
    assert not run_promtool("check", "metrics", text=text)


def test_promtool_finds_no_fault_in_the_rules() -> None:
    assert "8 rules found" in run_promtool("check", "rules", "--lint=all", "--lint-fatal", str(RULES))


def test_rules_pass_their_tests() -> None:
    assert "SUCCESS" in run_promtool("test", "rules", str(RULES_TEST))


@pytest.mark.parametrize("does_fire", [True, False])
def test_each_alert_is_seen_to_fire_and_not_to_fire(does_fire: bool) -> None:
    rules = {rule["alert"] for rule in yaml.safe_load(RULES.read_text("utf-8"))["groups"][0]["rules"]}
    tests = yaml.safe_load(RULES_TEST.read_text("utf-8"))["tests"]
    checks = [check for test in tests for check in test["alert_rule_test"]]
    assert {check["alertname"] for check in checks if bool(check.get("exp_alerts")) is does_fire} == rules


@pytest.mark.parametrize("job", ["node", "openmetrics"])
def test_prometheus_has_every_value(prometheus: int, text: str, job: str) -> None:
    found = read_series(prometheus, f'{{__name__=~"oomguard_.*", job="{job}"}}', without=ADDED)
    assert found == parse_metrics(text)
    assert len(found) > 60


def test_node_exporter_has_no_error(prometheus: int) -> None:
    assert set(read_series(prometheus, "node_textfile_scrape_error", without=()).values()) == {0}


@pytest.mark.parametrize(("job", "label"), [("node", "host"), ("honored", "host"), ("moved", "exported_host")])
def test_label_host_is_where_the_documentation_says(prometheus: int, job: str, label: str) -> None:
    hosts = {result["metric"][label] for result in query(prometheus, f'oomguard_host_searched{{job="{job}"}}')}
    assert hosts >= {"down1", "lost1", "clean1"}


@pytest.mark.parametrize(
    ("alert", "host"),
    [
        ("OomguardServiceDown", "down1"),
        ("OomguardServiceTakenDown", "up1"),
        ("OomguardProcessKilled", "kill1"),
        ("OomguardChangeDidNotHelp", "worse1"),
        ("OomguardSearchIncomplete", "part1"),
        ("OomguardSearchTooOld", "old1"),
        ("OomguardHostNotSearched", "lost1"),
    ],
)
def test_alert_is_of_its_host(prometheus: int, alert: str, host: str) -> None:
    alerts = [one for one in list_alerts(prometheus) if one["labels"]["alertname"] == alert]
    hosts = [one["labels"]["host"] for one in alerts if one["labels"]["host"] != "control"]
    assert hosts.count(host) == 1
    assert "clean1" not in hosts


def test_alert_names_the_culprit(prometheus: int) -> None:
    (alert,) = [one for one in list_alerts(prometheus) if one["labels"].get("host") == "down1"]
    assert alert["annotations"]["summary"] == "shop.service on down1 is down because of an OOM kill"
    assert "The victim was leak.fcgi; the cause is cgroup limit." in alert["annotations"]["description"]


def list_queries() -> list[str]:
    """Return the queries of the dashboard, with values in place of Grafana's variables."""
    dashboard = json.loads(DASHBOARD.read_text("utf-8"))
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    expressions += [annotation["expr"] for annotation in dashboard["annotations"]["list"]]
    begin = str(int((NOW - dt.timedelta(days=30)).timestamp() * 1000))
    return [expression.replace("$host", ".*").replace("${__from}", begin) for expression in expressions]


@pytest.mark.parametrize("expression", list_queries())
def test_query_of_the_dashboard_has_a_result(prometheus: int, expression: str) -> None:
    assert "$" not in expression
    assert query(prometheus, expression)


def test_dashboard_counts_the_hosts_in_trouble(prometheus: int) -> None:
    dashboard = json.loads(DASHBOARD.read_text("utf-8"))
    titles = [panel["title"] for panel in dashboard["panels"] if panel["type"] == "stat"]
    # A target with a label of its own moves ours away, so its job is left out here.
    counts = [query(prometheus, expression.replace('host=~".*"', 'job="node"')) for expression in list_queries()[:5]]
    assert dict(zip(titles, [int(count[0]["value"][1]) for count in counts], strict=True)) == {
        "Services down now": 1,
        "Hosts with outages": 2,
        "Hosts with kills": 5,
        "Hosts not searched for two days": 2,
        "Hosts searched incompletely": 1,
    }


def test_no_scrape_sees_a_part_of_the_file(node: int, textfile: pathlib.Path, text: str) -> None:
    is_done = threading.Event()

    def rewrite() -> None:
        while not is_done.is_set():
            write_metrics(textfile, text)

    writer = threading.Thread(target=rewrite)
    writer.start()
    try:
        for _number in range(100):
            scraped = get(node, "/metrics")
            assert re.search(r"^node_textfile_scrape_error 0$", scraped, re.MULTILINE)
            assert count_own(parse_metrics(scraped)) == count_own(parse_metrics(text))
    finally:
        is_done.set()
        writer.join()


def count_own(series: Series) -> int:
    return len([labels for labels in series if dict(labels)["__name__"].startswith("oomguard_")])
