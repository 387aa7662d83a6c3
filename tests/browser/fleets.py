# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fleets of any size for tests of the page: the reports of real kernels in the fixtures, on invented hosts."""

from __future__ import annotations

import copy
import datetime as dt
import functools
import pathlib
import random
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._oom.in_logs import find_in_logs
from ansible_collections.oomguard.linux.plugins.module_utils._safe import neutralise_all
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.record import Record, build_record

FIXTURES = pathlib.Path(__file__).parents[1] / "unit/plugins/module_utils/_oom/fixtures"
NOW = dt.datetime(2026, 11, 29, 3, 0, tzinfo=dt.UTC)
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "{{ 7 * 7 }}{% raw %}",
    "#jinja2: {{ lookup('pipe', 'id') }}",
    "\u05e9\u05dc\u05d5\u05dd-\u202egnp.exe",
    "a" * 500,
    "'; -- \\ \x1b[31m",
    "&lt;b&gt; &amp;",
)
_SEED = 29
_SERVICES = ("apache2.service", "mariadb.service", "php8.2-fpm.service", "gitlab-runner.service", "tomcat10.service")
_VICTIMS = ("leak.fcgi", "mariadbd", "php-fpm8.2", "node", "java")
_REASONS = (
    "Failed to connect to the host via ssh: ssh: connect to host {} port 22: Connection timed out",
    "Failed to connect to the host via ssh: {}: Permission denied (publickey).",
)


@functools.cache
def read_fixture(name: str) -> Record:
    """Return what oom_info returns for a log of the fixtures."""
    found = find_in_logs([str(FIXTURES / f"{name}.log")], boot="all", limit=100, tasks="top", top=10)
    return t.cast("Record", neutralise_all(found))


def format_time(moment: dt.datetime) -> str:
    """Return a time as records have it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def build_kill(fixture: str, at: dt.datetime, number: int, **changes: t.Any) -> Record:
    """Return the event of a fixture as one of a host's own journal; `changes` are other values for its keys."""
    event: Record = copy.deepcopy(read_fixture(fixture)["events"][0])
    event.update(id=f"{at.timestamp():.0f}-{number}", time=format_time(at), log=None, trusted=True, notes=[], **changes)
    victims = "/".join([victim["name"] for victim in event["victims"][:1]])
    event["diagnosis"]["kind"] = f"kernel: {victims} of {event['unit']}: {event['diagnosis']['cause']}"

    return event


def build_effect(unit: str, *, seconds: float | None, policy: str = "stop", stopped: bool = True) -> Record:
    """Return what became of a unit."""
    return {
        "unit": unit,
        "result": "oom-kill" if stopped else None,
        "stopped": stopped,
        "restarted": False,
        "oom_policy": policy,
        "down_seconds": seconds,
        "confirmed": True,
    }


def build_result(events: t.Sequence[Record], *, down: t.Collection[str] = (), complete: bool = True) -> Record:
    """Return what oom_info returns for a host with these events; the units in `down` have not come back."""
    units = {event["unit"]: event for event in events if (event["unit_effect"] or {}).get("stopped")}
    taken_down = [
        {
            "unit": unit,
            "result": "oom-kill",
            "time": event["time"],
            "confirmed": True,
            "last_event_id": event["id"],
            "is_down": unit in down,
            "active_state": "failed" if unit in down else "active",
            "oom_policy": event["unit_effect"]["oom_policy"],
            "remedies": [],
        }
        for unit, event in sorted(units.items())
    ]
    remedies = [
        {
            "role": "oom_policy",
            "variables": {"oom_policy_units": [unit]},
            "why": f"With OOMPolicy=continue, {unit} keeps running when the kernel kills one of its processes.",
            "risk": "The service keeps running without that process. If it cannot work without it, it looks healthy "
            "but is not, and Restart= does not help.",
            "trusted": True,
        }
        for unit in sorted(units)
    ]
    for event in reversed(events[-1:]):
        remedies += [{**remedy, "trusted": True} for remedy in event["diagnosis"]["remedies"]]
    times = [event["time"] for event in events]
    notes = [] if complete else ["The journal is kept in memory only, so a reboot empties it."]

    return {
        "events": list(events),
        "remedies": remedies,
        "summary": {
            "count": len(events),
            "by_killer": _count([event["killer"] for event in events]),
            "by_unit": _count([event["unit"] for event in events]),
            "other_units": 0,
            "by_victim": _count([event["victims"][0]["name"] for event in events]),
            "other_victims": 0,
            "by_cause": _count([event["diagnosis"]["cause"] for event in events]),
            "first": min(times, default=None),
            "last": max(times, default=None),
            "units_taken_down": sorted(units),
            "units_taken_down_complete": complete,
            "taken_down": taken_down,
        },
        "coverage": {
            "from": format_time(NOW - dt.timedelta(days=48, hours=7)),
            "to": format_time(NOW),
            "boots": 3,
            "persistent": complete,
            "complete": complete,
            "missed_records": 0,
            "unparsed": 0,
            "untrusted": 0,
            "cursor": None,
            "notes": notes,
        },
    }


def _count(names: t.Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return counts


def build(host: str, result: Record, **changes: t.Any) -> Record:
    """Return the record of a host; `changes` are other values for its keys."""
    record = build_record(host, result, collected_at=format_time(NOW)[:19] + "Z", version="1.0.0")
    return {**record, **changes}


def rename(event: Record, victim: str, unit: str) -> Record:
    """Return an event with another victim and unit, in all its texts as well."""
    old = event["victims"][0]["name"]
    event["victims"][0]["name"] = victim
    event["unit"] = unit
    event["cgroup"] = f"/system.slice/{unit}"
    for row in [*event["tasks"]["rows"], *event["tasks"]["by_name"]]:
        if row["name"] == old:
            row["name"] = victim
    diagnosis = event["diagnosis"]
    diagnosis["summary"] = diagnosis["summary"].replace(old, victim)
    diagnosis["evidence"] = [line.replace(old, victim) for line in diagnosis["evidence"]]
    diagnosis["kind"] = f"kernel: {victim} of {unit}: {diagnosis['cause']}"
    return event


def build_incident(host: str = "web1") -> Record:
    """Return the record of the host with the incident that the collection was built around."""
    unit = "apache2.service"
    events = []
    for number, days in enumerate((19, 12.2, 5.6, 0.3)):
        event = build_kill("handmade-incident", NOW - dt.timedelta(days=days), number)
        seconds = None if number == 3 else (754, 61, 5423)[number]
        event["unit_effect"] = build_effect(unit, seconds=seconds)
        event["diagnosis"]["summary"] += f" systemd then stopped the whole unit {unit}."
        events.append(event)
    in_force = {"oom_policy": {unit: "stop"}, "swap_total_bytes": 3941502976, "fcgid": {}}
    return build(host, build_result(events, down=(unit,)), in_force=in_force)


def build_remediated(host: str) -> Record:
    """Return the record of a host that was changed, and has been quiet since."""
    unit = "apache2.service"
    events = []
    for number, days in enumerate((31, 24.5, 17)):
        event = build_kill("handmade-incident", NOW - dt.timedelta(days=days), number)
        event["unit_effect"] = build_effect(unit, seconds=412.5, policy="continue")
        events.append(event)
    changed = format_time(NOW - dt.timedelta(days=16))
    applied = [
        {"time": changed, "what": f"OOMPolicy of {unit}", "before": "stop", "after": "continue"},
        {"time": changed, "what": "total swap", "before": "3.7 GiB", "after": "10.0 GiB"},
        {"time": changed, "what": "FcgidProcessLifeTime", "before": None, "after": "600"},
    ]
    in_force = {
        "oom_policy": {unit: "continue"},
        "swap_total_bytes": 10 << 30,
        "fcgid": {"FcgidProcessLifeTime": 600, "FcgidMinProcessesPerClass": 0},
    }
    return build(host, {**build_result(events), "remedies": []}, applied=applied, in_force=in_force)


def build_showcase() -> list[Record]:
    """Return a small fleet in which every kind of host occurs."""
    order = build_kill("bookworm-6.1-order", NOW - dt.timedelta(days=2.4), 1)
    order["unit_effect"] = build_effect(order["unit"], seconds=None, stopped=False)
    db = rename(build_kill("bookworm-6.1-swap", NOW - dt.timedelta(days=1.1), 1), "mariadbd", "mariadb.service")
    db["unit_effect"] = build_effect("mariadb.service", seconds=93.2)
    ci = rename(build_kill("trixie-6.12-memcg", NOW - dt.timedelta(days=0.9), 1), "node", "gitlab-runner.service")
    ci["unit_effect"] = build_effect("gitlab-runner.service", seconds=None, stopped=False, policy="continue")
    records = [
        build_incident(),
        build("db1", build_result([db])),
        build("ci1", build_result([ci])),
        build("mail1", build_result([order])),
        build_remediated("web2"),
        build("cache1", build_result([], complete=False)),
        build("web3", {"unreachable": True, "msg": _REASONS[0].format("web3")}),
    ]
    for number in range(2, 8):
        in_force = {"oom_policy": {"apache2.service": "continue"}, "swap_total_bytes": 10 << 30}
        records.append(build(f"app{number}", build_result([]), in_force=in_force))
    return records


def build_hostile() -> list[Record]:
    """Return a fleet in which every name is hostile."""
    records = [build(HOSTILE[number], {"failed": True, "msg": name}) for number, name in enumerate(HOSTILE[:3])]
    for number, name in enumerate(HOSTILE):
        event = rename(build_kill("bookworm-6.1-swap", NOW, number), name, name)
        event["unit_effect"] = build_effect(name, seconds=1)
        event["trigger"]["name"] = name
        event["notes"] = [name]
        event["diagnosis"]["summary"] = name
        event["diagnosis"]["evidence"] = [name]
        result = build_result([event], complete=False)
        result["remedies"].append({"role": name, "variables": {name: [name]}, "why": name, "risk": name})
        result["coverage"]["notes"] = [name]
        change = {"time": name, "what": name, "before": name, "after": name}
        in_force = {"oom_policy": {name: name}, "swap_total_bytes": None, "fcgid": {name: name}}
        records.append(build(f"host {name}", result, applied=[change], in_force=in_force))
    return records


def generate_fleet(hosts: int, *, events: int, seed: int = _SEED) -> t.Iterator[Record]:
    """Yield the records of many hosts with that many events each."""
    chance = random.Random(seed)
    for number in range(1, hosts + 1):
        yield build_random(f"host{number:04}.example.net", chance, events)


def build_random(host: str, chance: random.Random, events: int) -> Record:
    """Return the record of a host with events of two kinds at random times."""
    kinds = []
    for at in range(2):
        which = chance.randrange(len(_SERVICES))
        fixture = chance.choice(("handmade-incident", "bookworm-6.1-swap", "trixie-6.12-global"))
        kinds.append((fixture, _VICTIMS[which], _SERVICES[which], at == 0 and chance.random() < 0.5))
    found = []
    for number in range(events):
        fixture, victim, unit, stopped = kinds[number % 2]
        moment = NOW - dt.timedelta(seconds=chance.randrange(48 * 86400))
        event = rename(build_kill(fixture, moment, number), victim, unit)
        seconds = round(chance.random() * 900, 3)
        event["unit_effect"] = build_effect(unit, seconds=seconds, stopped=stopped)
        found.append(event)
    found.sort(key=lambda event: str(event["time"]))
    down = _SERVICES if chance.random() < 0.01 else ()
    return build(host, build_result(found, down=down))


def generate_mixture(hosts: int, seed: int = _SEED) -> t.Iterator[Record]:
    """Yield the records of a fleet as it usually is: most hosts are clean."""
    chance = random.Random(seed)
    yield from build_showcase()
    for number in range(len(build_showcase()), hosts):
        name = f"node{number:04}"
        dice = chance.random()
        if dice < 0.06:
            yield build_random(name, chance, chance.randrange(1, 6))
        elif dice < 0.09:
            yield build(name, {"unreachable": True, "msg": chance.choice(_REASONS).format(name)})
        elif dice < 0.12:
            yield build(name, build_result([], complete=False))
        elif dice < 0.15:
            yield build_remediated(name)
        else:
            yield build(name, build_result([]))
