# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parse the logs of the OOM killers outside the kernel: systemd-oomd, earlyoom and nohang.

Formats: systemd 248 to 260 (src/oom), earlyoom 0.6 to 1.9 (kill.c), nohang 0.1 to 0.3.
"""

from __future__ import annotations

import re
import typing as t

from .model import Line, OomReport, Victim

# SIGKILL follows a SIGTERM that a process ignores, and a kill follows the mark of a cgroup, within this time.
_SAME_KILL_US = 60 * 1000000
_MAX_REMEMBERED = 16

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
    """Parses the lines of userspace killers, and reports a kill once if two lines are about it."""

    def __init__(self) -> None:
        self._latest: dict[tuple[str | None, str, int | str], Line] = {}
        self._nohang_victims: dict[str | None, Victim] = {}

    def take(self, line: Line) -> OomReport | None:
        """Return the kill that a line is about, or None if it is about none or about one that was returned before."""
        parse = _PARSERS.get(line.source or "")
        if parse is None:
            return None

        report = parse(self, line)
        if report is None or self._is_repeated(report, line):
            return None

        return report

    def _is_repeated(self, report: OomReport, line: Line) -> bool:
        """Return whether an earlier line was about the same kill, and remember this line."""
        target = report.victims[0].pid if report.victims else report.cgroup or ""
        key = (line.hostname, report.killer, target)
        before = self._latest.pop(key, None)
        self._latest[key] = line
        if len(self._latest) > _MAX_REMEMBERED:
            oldest = next(iter(self._latest))
            del self._latest[oldest]

        return before is not None and is_near(before, line)

    def _parse_oomd(self, line: Line) -> OomReport | None:
        match = _OOMD.fullmatch(line.text)
        if match is None:
            return None

        cgroup, reason = match.groups()
        report = OomReport(
            first=line, last=line, kill=line, killer="systemd-oomd", cgroup=cgroup, reason=reason, complete=True
        )
        pressure = _OOMD_PRESSURE.match(reason)
        if pressure:
            return report._replace(scope="memcg", limit_cgroup=pressure.group(1))

        if reason.startswith("memory used "):
            return report._replace(scope="global")

        return report._replace(complete=False, notes=("The line is truncated.",))

    def _parse_earlyoom(self, line: Line) -> OomReport | None:
        match = _EARLYOOM.match(line.text)
        if match:
            pid, uid, name, adjustment = match.groups()
            victim = Victim(name, int(pid), uid=_parse_number(uid), oom_score_adj=_parse_number(adjustment))
            return _build_report("earlyoom", victim, line)

        match = _EARLYOOM_OLD.fullmatch(line.text)
        if match:
            victim = Victim(match.group("name"), int(match.group("pid")))
            return _build_report("earlyoom", victim, line)

        return None

    def _parse_nohang(self, line: Line) -> OomReport | None:
        """Return the kill of a line about the action. A line before it names the victim."""
        match = _NOHANG_VICTIM.match(line.text)
        if match:
            self._nohang_victims[line.hostname] = Victim(name=match.group("name"), pid=int(match.group("pid")))
            return None

        if not _NOHANG_ACTION.match(line.text):
            return None

        victim = self._nohang_victims.pop(line.hostname, None)
        if victim is None:
            return None

        return _build_report("nohang", victim, line)


def _build_report(killer: str, victim: Victim, line: Line) -> OomReport:
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


def _parse_number(text: str | None) -> int | None:
    if text is None:
        return None

    return int(text)


def is_near(before: Line, line: Line) -> bool:
    """Return whether two lines about one process can be about one kill. Lines without times can."""
    for earlier, later in ((before.monotonic_us, line.monotonic_us), (before.realtime_us, line.realtime_us)):
        if earlier is not None and later is not None:
            return abs(later - earlier) <= _SAME_KILL_US

    return True


_PARSERS: dict[str, t.Callable[[UserspaceKillers, Line], OomReport | None]] = {
    "systemd-oomd": UserspaceKillers._parse_oomd,
    "earlyoom": UserspaceKillers._parse_earlyoom,
    "nohang": UserspaceKillers._parse_nohang,
    "nohang-desktop": UserspaceKillers._parse_nohang,
}
USERSPACE_SOURCES = tuple(_PARSERS)
