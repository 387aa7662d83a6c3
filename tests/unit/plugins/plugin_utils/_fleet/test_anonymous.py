# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No name is left in an anonymous record."""

from __future__ import annotations

import copy
import json
import pathlib
import re
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.in_logs import find_in_logs
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.anonymous import Pseudonyms
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.merge import merge_records
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.record import (
    Record,
    decode_record,
    encode_record,
    find_state,
)
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.store import load_schema
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import FIXTURES
from ansible_collections.oomguard.linux.tests.unit.plugins.plugin_utils._fleet.factories import (
    COVERAGE,
    RESULT,
    make_event,
    make_record,
    make_result,
)

KEY = b"k" * 32
HOST = "zebra7.example"
NAMES = {
    "apache2.service": "tapir-shop@two.service",
    "w-kill.service": "run-gecko.service",
    "w-continue.service": "heron.scope",
    "leak.fcgi": "otter wombat",
    "python3": "marmot",
    "hog.sh": "(lemur)",
    "/system.slice/": "/puffin.slice/some ibex/",
    '"shop"': '"walrus"',
}
WORDS = ("zebra7", "tapir", "gecko", "heron", "otter", "wombat", "marmot", "lemur", "puffin", "ibex", "walrus")


def make_secret() -> Record:
    """Return a record in which the names of the captured journal are replaced by invented ones, also in sentences."""
    text = json.dumps(RESULT)
    for name, invented in NAMES.items():
        text = text.replace(name, invented)
    return make_record(HOST, json.loads(text))


def replace(record: Record) -> Record:
    """Return the anonymous record, which is a valid record again."""
    return decode_record(encode_record(Pseudonyms(KEY).replace(record)), load_schema())


def find_left(record: Record) -> list[str]:
    text = encode_record(record)
    return [word for word in WORDS if word in text]


def test_no_name_is_left() -> None:
    secret = make_secret()
    assert find_left(secret) == [*WORDS]
    assert find_left(replace(secret)) == []


def test_no_name_is_left_in_a_merged_record() -> None:
    secret = make_secret()
    renamed = copy.deepcopy(secret)
    renamed["kinds"][0]["kind"] += " and more"
    merged = merge_records([secret, {**renamed, "collected_at": "2026-11-28T03:00:00Z"}])
    assert merged["merging"]["kinds"]
    assert find_left(replace(merged)) == []


def test_no_name_is_left_of_what_was_applied_and_is_in_force() -> None:
    changes = [{"time": None, "what": "drop-in of puffin.service", "before": None, "after": "ExecStart=/srv/lemur"}]
    in_force = {"oom_policy": {"tapir.service": "stop"}, "fcgid": {"FcgidCmdOptions": "/srv/gecko.fcgi"}}
    record = replace(make_record(applied=changes, in_force=in_force))
    assert find_left(record) == []
    assert [*record["in_force"]["oom_policy"].values()] == ["stop"]
    assert re.fullmatch(r"drop-in of unit-\w{12}\.service", record["applied"][0]["what"])


@pytest.mark.parametrize("message", ["no route to zebra7", "tapir: heron"])
def test_reason_of_an_error_is_left_out(message: str) -> None:
    record = replace(make_record("host", {"unreachable": True, "msg": message}))
    assert record["error"] == "The host is unreachable."


def test_error_without_a_reason_is_kept() -> None:
    assert replace(make_record(result=None))["error"] == "The host was not searched."


@pytest.mark.parametrize(
    "note",
    [
        "Read from /srv/tapir/gecko.log.",
        "journald did not run: tapir.service failed.",
        "tapir-gecko@heron.service and user@tapir.service",
        "Messages of 10.20.30.40 and fe80::1:2 are missing.",
    ],
)
def test_no_name_is_left_in_a_sentence(note: str) -> None:
    record = replace(make_record(result=make_result(coverage={**COVERAGE, "notes": [note]})))
    assert find_left(record) == []
    assert not re.search(r"10\.20|fe80", encode_record(record))


@pytest.mark.parametrize("name", ["a", "by", "unit", "process", "kernel", "x.y*(", "tapir ", "🦒", "\\xe9", "path-12"])
def test_odd_names_are_replaced_in_sentences(name: str) -> None:
    event = make_event(victim=name)
    event["diagnosis"]["evidence"] = [f"{name}, {name}: {name} (pid 7) held the most; {name}."]
    record = replace(make_record(result=make_result(events=[event])))
    pseudonym = record["kinds"][0]["events"][0]["victim"]
    evidence = record["kinds"][0]["newest"]["diagnosis"]["evidence"][0]
    assert evidence.count(pseudonym) == 4
    assert evidence.replace(pseudonym, "") == ", :  (pid 7) held the most; ."


def test_part_of_a_name_that_was_cut_off_is_left_out() -> None:
    event = make_event()
    event["notes"] = ["The unit is tapir-ge... (12 more)"]
    record = replace(make_record(result=make_result(events=[event])))
    assert record["kinds"][0]["newest"]["notes"] == ["(left out)"]


def test_part_of_a_newer_version_is_left_out() -> None:
    record = replace(make_record(extra={"word": "tapir", "words": ["gecko"]}, label="heron"))
    assert find_left(record) == []


def test_name_has_the_same_pseudonym_in_every_run_with_the_same_key() -> None:
    first, second = replace(make_secret()), replace(make_record(HOST, None))
    assert first["host"] == second["host"]
    assert Pseudonyms(b"x" * 32).replace(make_secret())["host"] != first["host"]


def test_names_are_told_apart() -> None:
    pseudonyms = Pseudonyms(KEY)
    assert len({pseudonyms.make("host", f"web{number}") for number in range(5000)}) == 5000
    assert pseudonyms.make("unit", "a.service") != pseudonyms.make("process", "a.service")


@pytest.mark.parametrize("name", ["apache2.service", "user-1000.slice", "session-1.scope"])
def test_unit_keeps_its_type(name: str) -> None:
    assert Pseudonyms(KEY).make("unit", name).endswith(name[name.index(".") :])


def test_figures_and_words_of_the_kernel_are_kept() -> None:
    before, after = make_record(), replace(make_record())
    assert find_state(after) == find_state(before)
    newest = [record["kinds"][0]["newest"] for record in (before, after)]
    for part in ("memory", "zones", "time", "kernel_release", "scope", "victims_count"):
        assert newest[0][part] == newest[1][part]
    assert newest[0]["tasks"]["rss_bytes"] == newest[1]["tasks"]["rss_bytes"]
    assert newest[0]["trigger"]["gfp_flags"] == newest[1]["trigger"]["gfp_flags"]


def list_texts(value: t.Any) -> t.Iterator[str]:
    if isinstance(value, dict):
        for member in value.values():
            yield from list_texts(member)
    elif isinstance(value, list):
        for item in value:
            yield from list_texts(item)
    elif isinstance(value, str):
        yield value


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.log")), ids=lambda path: path.stem)
def test_no_name_of_a_real_log_is_left(path: pathlib.Path) -> None:
    result = find_in_logs([str(path)], boot="all", limit=100, tasks="all", top=10)
    record = make_record(HOST, json.loads(json.dumps(result)))
    releases = {kind["newest"]["kernel_release"] for kind in record["kinds"]}
    replaced = [text for text in list_texts(replace(record)) if text not in releases]
    names = set()
    for kind in record["kinds"]:
        names |= {kind["newest"]["unit"], kind["newest"]["cgroup"], kind["newest"]["hostname"]} - {None}
        names |= {row["name"] for row in kind["newest"]["tasks"]["rows"]}
    for name in names:
        left = rf"(?<![\w-]){re.escape(name)}(?![\w-])"
        assert not [text for text in replaced if re.search(left, text)], name
