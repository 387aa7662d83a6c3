# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet as JSON."""

from __future__ import annotations

import json
import pathlib

import pytest

from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.fleet import build_fleet, build_host
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.history import Day, Drift
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.page import Extras
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.report_data import encode_fleet, is_anonymous_report
from ansible_collections.oomguard.linux.tests.unit.plugins.plugin_utils._fleet.factories import make_record

RECORDS = [make_record("web1", in_force={"swap_total_bytes": 2**30}), make_record("web2", None)]
EXTRAS = Extras(["damaged"], [Drift("web1", "total swap", "1", "2")], [Day("2026-11-29", {"clean": 1})], False)


def test_fleet_is_written() -> None:
    data = json.loads(encode_fleet(build_fleet(map(build_host, RECORDS)), EXTRAS))
    assert data["schema"] == "oomguard.report/1"
    assert data["kills"] == 3
    assert data["by_standing"]["unknown"] == 1
    assert data["by_unit"][0] == {"name": "apache2.service", "kills": 1, "hosts": 1}
    assert data["settings"][-1] == {"name": "total swap", "values": [{"value": "1.0 GiB", "hosts": ["web1"]}]}
    assert data["drift"] == [{"host": "web1", "setting": "total swap", "before": "1", "after": "2"}]
    assert data["days"] == [{"day": "2026-11-29", "hosts": {"clean": 1}}]
    assert data["problems"] == ["damaged"]
    assert sum(hour["kills"] for hour in data["timeline"]["bars"]) == 3


def test_worst_host_comes_first() -> None:
    web1, web2 = json.loads(encode_fleet(build_fleet(map(build_host, RECORDS)), EXTRAS))["hosts"]
    assert (web1["host"], web1["standing"], web1["kills"]) == ("web1", "taken_down", 3)
    assert [outage["unit"] for outage in web1["outages"]] == ["apache2.service", "w-kill.service"]
    assert (web1["roles"], web1["record"]) == (["oom_policy", "swap", "zram"], "hosts/web1.json")
    assert (web2["error"], web2["searched_at"]) == ("The host was not searched.", None)


def test_same_fleet_has_the_same_text() -> None:
    texts = {encode_fleet(build_fleet(map(build_host, records)), EXTRAS) for records in (RECORDS, RECORDS[::-1])}
    assert len(texts) == 1


@pytest.mark.parametrize(
    ("text", "is_anonymous"),
    [('{"anonymous": true}', True), ('{"anonymous": false}', False), ("{", False), ("[]", False), ("{}", False)],
)
def test_report_is_anonymous_only_if_it_says_so(tmp_path: pathlib.Path, text: str, *, is_anonymous: bool) -> None:
    path = tmp_path / "report.json"
    assert not is_anonymous_report(path)
    path.write_text(text)
    assert is_anonymous_report(path) is is_anonymous
