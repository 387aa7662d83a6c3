# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read metrics: from the text that the collection writes, and from Prometheus."""

from __future__ import annotations

import json
import re
import typing as t
import urllib.parse

from engines.server import get

Series = t.Mapping[frozenset[tuple[str, str]], float]
"""Values by labels, of which `__name__` is one."""

_LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')
_ESCAPES = {"n": "\n"}


def parse_metrics(text: str) -> Series:
    """Return the values in a text in Prometheus' format."""
    series = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue

        name = re.split("[{ ]", line)[0]
        labels = {label: _unescape(value) for label, value in _LABEL.findall(line)}
        series[frozenset({**labels, "__name__": name}.items())] = float(line.rpartition(" ")[2])

    return series


def query(port: int, expression: str) -> list[t.Any]:
    """Return the result of an expression. Raises RuntimeError if Prometheus does not understand it."""
    answer = get(port, "/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
    return list(json.loads(answer)["data"]["result"])


def read_series(port: int, selector: str, *, without: t.Collection[str]) -> Series:
    """Return the values that Prometheus has, without some labels."""
    series = {}
    for result in query(port, selector):
        labels = [item for item in result["metric"].items() if item[0] not in without]
        series[frozenset(labels)] = float(result["value"][1])

    return series


def list_alerts(port: int) -> list[t.Any]:
    """Return the alerts that fire or are pending."""
    return list(json.loads(get(port, "/api/v1/alerts"))["data"]["alerts"])


def read_last_evaluation(port: int) -> str:
    """Return when the rules were last evaluated."""
    (group,) = json.loads(get(port, "/api/v1/rules"))["data"]["groups"]
    return str(group["lastEvaluation"])


def _unescape(value: str) -> str:
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), value)
