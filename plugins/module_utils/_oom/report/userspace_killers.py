# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the OOM killers outside the kernel log: systemd-oomd, earlyoom and nohang.

Formats: systemd 248 to 260 (src/oom), earlyoom 0.6 to 1.9 (kill.c), nohang 0.1 to 0.3.
"""

from __future__ import annotations

import re
import typing as t

from .model import Line, OomReport, Victim

# A process that does not end on SIGTERM gets SIGKILL, and a cgroup that was marked is killed, shortly after.
_SAME_US = 60 * 1000000
_REMEMBERED = 16

_OOMD = re.compile(r"(?:Killed|Marked) (/.*?)(?: for killing)? due to (memory .*)", re.DOTALL)
_OOMD_PRESSURE = re.compile(r"memory pressure for (/.*) being ", re.DOTALL)
_EARLYOOM = re.compile(
    r"sending SIG(?:TERM|KILL) to process (?P<pid>\d{1,20}) (?:uid (?P<uid>\d{1,20}) )?\"(?P<name>.*)\": "
    r"(?:badness|oom_score) -?\d{1,20}, (?:oom_score_adj (?P<adjustment>-?\d{1,20}), )?VmRSS \d{1,20} [KMG]iB",
    re.DOTALL,
)
_EARLYOOM_OLD = re.compile(r"[Kk]illing process:? (?P<pid>\d{1,20}) (?P<name>.+)", re.DOTALL)
_NOHANG_VICTIM = re.compile(r"\s*PID: (?P<pid>\d{1,20}), [Nn]ame: (?P<name>.*), badness: -?\d{1,20}", re.DOTALL)
_NOHANG_ACTION = re.compile(r"\s*Send(?:ing)? SIG(?:TERM|KILL) to the victim")


class UserspaceKillers:
    """Reads the lines of these programs; a kill that is told twice is one."""

    def __init__(self) -> None:
        self._latest: dict[tuple[str | None, str, int | str], Line] = {}
        self._nohang_victims: dict[str | None, Victim] = {}

    def read(self, line: Line) -> OomReport | None:
        """Return the kill that a line of `line.source` tells of, None where it tells of none that is new."""
        reader = _READERS.get(line.source or "")
        report = reader(self, line) if reader else None
        if report is None:
            return None
        whom = report.victims[0].pid if report.victims else report.cgroup or ""
        key = (line.hostname, report.killer, whom)
        before = self._latest.pop(key, None)
        self._latest[key] = line
        if len(self._latest) > _REMEMBERED:
            del self._latest[next(iter(self._latest))]
        return None if before and are_near(before, line) else report

    def _oomd(self, line: Line) -> OomReport | None:
        match = _OOMD.fullmatch(line.text)
        if match is None:
            return None
        cgroup, reason = match.groups()
        pressure = _OOMD_PRESSURE.match(reason)
        is_whole = pressure is not None or reason.startswith("memory used ")
        return OomReport(
            first=line,
            last=line,
            kill=line,
            killer="systemd-oomd",
            scope="memcg" if pressure else "global" if is_whole else "unknown",
            cgroup=cgroup,
            limit_cgroup=pressure.group(1) if pressure else None,
            reason=reason,
            complete=is_whole,
            notes=() if is_whole else ("the line is cut",),
        )

    def _earlyoom(self, line: Line) -> OomReport | None:
        match = _EARLYOOM.match(line.text) or _EARLYOOM_OLD.fullmatch(line.text)
        if match is None:
            return None
        known = match.groupdict()
        uid, adjustment = known.get("uid"), known.get("adjustment")
        victim = Victim(
            name=known["name"],
            pid=int(known["pid"]),
            uid=int(uid) if uid else None,
            oom_score_adj=int(adjustment) if adjustment else None,
        )
        return _of_process("earlyoom", victim, line)

    def _nohang(self, line: Line) -> OomReport | None:
        match = _NOHANG_VICTIM.match(line.text)
        if match:
            self._nohang_victims[line.hostname] = Victim(name=match.group("name"), pid=int(match.group("pid")))
        elif _NOHANG_ACTION.match(line.text) and line.hostname in self._nohang_victims:
            return _of_process("nohang", self._nohang_victims.pop(line.hostname), line)
        return None


def _of_process(killer: str, victim: Victim, line: Line) -> OomReport:
    return OomReport(
        first=line,
        last=line,
        kill=line,
        killer=killer,
        scope="global",
        victims=(victim,),
        reason=line.text,
        complete=True,
    )


def are_near(before: Line, line: Line) -> bool:
    """Answer whether two lines about one process can be about one kill; without times they can."""
    for one, other in ((before.monotonic_us, line.monotonic_us), (before.realtime_us, line.realtime_us)):
        if one is not None and other is not None:
            return abs(other - one) <= _SAME_US
    return True


_READERS: dict[str, t.Callable[[UserspaceKillers, Line], OomReport | None]] = {
    "systemd-oomd": UserspaceKillers._oomd,
    "earlyoom": UserspaceKillers._earlyoom,
    "nohang": UserspaceKillers._nohang,
    "nohang-desktop": UserspaceKillers._nohang,
}
USERSPACE_SOURCES = tuple(_READERS)
