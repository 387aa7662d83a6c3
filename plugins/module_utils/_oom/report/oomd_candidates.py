# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parse the cgroups that systemd-oomd considered before a kill.

Format: oomd_dump_swap_cgroup_context() and oomd_dump_memory_pressure_cgroup_context() in src/oom/oomd-util.c of systemd
248 to 261. Each line is a message of its own.
"""

from __future__ import annotations

import re
import typing as t

from .model import Candidate, Line
from .times import is_near

# systemd-oomd prints at most 10.
_MAX_CANDIDATES = 20
_MAX_HOSTS = 16

_HEADING = re.compile(r"Considered \d{1,20} cgroups for killing, top candidates were:")
_PATH = re.compile(r"\s*Path: (/.*)", re.DOTALL)
_SIZES = {"Swap Usage": "swap_bytes", "Current Memory Usage": "memory_bytes"}
_SIZE = re.compile(rf"\s*({'|'.join(_SIZES)}): (\d{{1,20}}(?:\.\d)?)([BKMGTPE])$")
_POWERS = "BKMGTPE"
_PRESSURE = re.compile(r"\s*Pressure: Avg10: (\d{1,3}\.\d\d) ")
_SCANNED = re.compile(r"\s*Pgscan: (\d{1,20})$")
_OTHER = re.compile(r"\s*(?:Memory Pressure Limit|Memory Min|Memory Low|Last Pgscan): ")


class _Table:
    """The lines since one heading, and the last of them."""

    def __init__(self, line: Line) -> None:
        self.last = line
        self.candidates: list[dict[str, t.Any]] = []


class OomdCandidates:
    """Collects the candidates by host, until systemd-oomd logs whom it killed."""

    def __init__(self) -> None:
        self._tables: dict[str | None, _Table] = {}

    def take(self, line: Line) -> bool:
        """Take a line of systemd-oomd, and return whether it is one about the candidates."""
        if _HEADING.match(line.text):
            self._begin(line)
            return True

        table = self._tables.get(line.hostname)
        if table is None:
            return False

        is_taken = _take_row(table.candidates, line.text)
        if is_taken:
            table.last = line

        return is_taken

    def pop(self, line: Line) -> tuple[Candidate, ...]:
        """Return the candidates that were printed before the line about a kill, in the order of systemd-oomd."""
        table = self._tables.pop(line.hostname, None)
        if table is None or not is_near(table.last, line):
            return ()

        return tuple([Candidate(**fields) for fields in table.candidates])

    def _begin(self, line: Line) -> None:
        self._tables.pop(line.hostname, None)
        self._tables[line.hostname] = _Table(line)
        if len(self._tables) > _MAX_HOSTS:
            oldest = next(iter(self._tables))
            del self._tables[oldest]


def _take_row(candidates: list[dict[str, t.Any]], text: str) -> bool:
    path = _PATH.match(text)
    if path is not None:
        candidates.append({"cgroup": path.group(1)})
        del candidates[_MAX_CANDIDATES:]
        return True

    fields = _parse_field(text)
    if fields is None or not candidates:
        return False

    candidates[-1].update(fields)

    return True


def _parse_field(text: str) -> dict[str, t.Any] | None:
    """Return the field in a line about a candidate. It is empty for a limit, and None if the line is another one."""
    size = _SIZE.match(text)
    if size is not None:
        name, number, unit = size.groups()
        return {_SIZES[name]: int(float(number) * 1024 ** _POWERS.index(unit))}

    pressure = _PRESSURE.match(text)
    if pressure is not None:
        return {"pressure_percent": float(pressure.group(1))}

    scanned = _SCANNED.match(text)
    if scanned is not None:
        return {"scanned_pages": int(scanned.group(1))}

    if _OTHER.match(text):
        return {}

    return None
