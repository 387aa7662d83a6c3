# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet as JSON, for other programs: what the page shows of it, without the details of each kill."""

from __future__ import annotations

import json
import pathlib
import typing as t

from .fleet import Count, Fleet, Host, Setting
from .page import Extras
from .store import name_file

SCHEMA = "oomguard.report/1"


def encode_fleet(fleet: Fleet, extras: Extras) -> str:
    """Return the text of report.json: the same fleet always has the same text."""
    data = {
        "schema": SCHEMA,
        "anonymous": extras.is_anonymous,
        "as_of": fleet.as_of,
        "oldest": fleet.oldest,
        "kills": fleet.kills,
        "by_standing": fleet.by_standing,
        "by_cause": _encode_counts(fleet.causes),
        "by_unit": _encode_counts(fleet.units),
        "by_victim": _encode_counts(fleet.victims),
        "timeline": {"step": fleet.timeline.step, "bars": list(map(_encode_fields, fleet.timeline.bars))},
        "settings": list(map(_encode_setting, fleet.settings)),
        "drift": [change._asdict() for change in extras.drift],
        "days": [day._asdict() for day in extras.trend],
        "late": sorted(fleet.late),
        "problems": list(extras.problems),
        "hosts": list(map(_encode_host, fleet.hosts)),
    }

    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False) + "\n"


def is_anonymous_report(path: pathlib.Path) -> bool:
    """Return whether a report.json is certainly one of an anonymous report."""
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return False

    return isinstance(data, dict) and data.get("anonymous") is True


def _encode_counts(counts: t.Iterable[Count]) -> list[dict[str, t.Any]]:
    return list(map(_encode_fields, counts))


def _encode_setting(setting: Setting) -> dict[str, t.Any]:
    values = [{"value": value, "hosts": list(hosts)} for value, hosts in setting.values]
    return {"name": setting.name, "values": values}


def _encode_host(host: Host) -> dict[str, t.Any]:
    return {
        "host": host.name,
        "standing": host.standing,
        "collected_at": host.collected_at,
        "searched_at": host.searched_at or None,
        "error": host.error,
        "kills": host.kills,
        "last": host.last,
        "victim": host.victim,
        "cause": host.cause,
        "outages": list(map(_encode_fields, host.outages)),
        "roles": list(host.roles),
        "record": f"hosts/{name_file(host.name)}",
    }


def _encode_fields(value: t.Any) -> dict[str, t.Any]:
    """Return the fields of a dataclass that has slots."""
    return {name: getattr(value, name) for name in value.__slots__}
