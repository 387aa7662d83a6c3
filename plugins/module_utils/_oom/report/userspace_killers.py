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
from .times import is_near

_MAX_REMEMBERED = 16

_OOMD = re.compile(r"(?:Killed|Marked) (/.*?)(?: for killing)? due to (memory .*)", re.DOTALL)
_OOMD_MARKED = re.compile(r"Marked (/.*) for killing", re.DOTALL)
_OOMD_PRESSURE = re.compile(r"memory pressure for (/.*) being ", re.DOTALL)
# A name has at most 15 bytes, each of which can be escaped as four characters. That is too short for the words that
# follow it, so it ends where these come first. The command line, which newer versions print last, can repeat them.
_NAME = r"(?P<name>.{0,60}?)"
_EARLYOOM = (
    re.compile(
        rf"sending SIG(?:TERM|KILL) to process (?P<pid>\d{{1,20}}) (?:uid (?P<uid>\d{{1,20}}) )?\"{_NAME}\": "
        r"(?:badness|oom_score) -?\d{1,20}, (?:oom_score_adj (?P<adjustment>-?\d{1,20}), )?VmRSS \d{1,20} [KMG]iB",
        re.DOTALL,
    ),
    # Versions 1.1 and 1.2.
    re.compile(rf"Killing process '{_NAME}' with signal \d{{1,3}}, pid: (?P<pid>\d{{1,20}}), badness: ", re.DOTALL),
    re.compile(rf"[Kk]illing process (?P<pid>\d{{1,20}}) \"{_NAME}\" with signal \d{{1,3}}: badness ", re.DOTALL),
    # Older versions.
    re.compile(r"[Kk]illing process:? (?P<pid>\d{1,20}) (?P<name>.+)", re.DOTALL),
)
_EARLYOOM_OUTPUT = re.compile(r"sending SIG(?:TERM|KILL) to process \d|[Kk]illing process (?:'|\d{1,20} \")")
_OWN_STAMP = re.compile(
    r"\A(?:[^\W\d]{2,8}\.? {1,2}\d{1,2} |\d{4}-\d\d-\d\d[T ])?\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?Z)?:? "
)
_NOHANG_VICTIM = re.compile(r"\s*PID: (?P<pid>\d{1,20}), [Nn]ame: (?P<name>.*), badness: -?\d{1,20}", re.DOTALL)
_NOHANG_ACTION = re.compile(r"\s*Send(?:ing)? SIG(?:TERM|KILL) to the victim")


class UserspaceKillers:
    """Parses the lines of userspace killers, and reports a kill once if two lines are about it."""

    def __init__(self) -> None:
        self._latest: dict[t.Hashable, Line] = {}
        self._nohang_victims: dict[str | None, Victim] = {}

    def take(self, line: Line) -> OomReport | None:
        """Return the kill that a line is about, or None if it is about none or about one that was returned before."""
        parse = _PARSERS.get(line.source)
        if parse is None:
            return None

        report = parse(self, line)
        if report is None or self._is_repeated(report, line):
            return None

        return report

    def _is_repeated(self, report: OomReport, line: Line) -> bool:
        """Return whether an earlier line was about the same kill, and remember this line."""
        pids = [victim.pid for victim in report.victims]
        key = (line.hostname, report.killer, report.cgroup, *pids)
        before = self._latest.pop(key, None)
        self._latest[key] = line
        if len(self._latest) > _MAX_REMEMBERED:
            oldest = next(iter(self._latest))
            del self._latest[oldest]

        return before is not None and is_near(before, line)

    def _parse_oomd(self, line: Line) -> OomReport | None:
        match = _OOMD.fullmatch(line.text)
        if match is None:
            return self._parse_oomd_mark(line)

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

    def _parse_oomd_mark(self, line: Line) -> OomReport | None:
        """Return the kill of a line that does not say why."""
        match = _OOMD_MARKED.fullmatch(line.text)
        if match is None:
            return None

        return OomReport(
            first=line,
            last=line,
            kill=line,
            killer="systemd-oomd",
            cgroup=match.group(1),
            notes=("The line does not show why the cgroup was killed.",),
        )

    def _parse_earlyoom(self, line: Line) -> OomReport | None:
        for pattern in _EARLYOOM:
            match = pattern.match(line.text)
            if match:
                return _build_report("earlyoom", _build_victim(match.groupdict()), line)

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


def _build_victim(fields: t.Mapping[str, t.Any]) -> Victim:
    """Return the victim that a line of earlyoom names; old versions do not print its user and its adjustment."""
    return Victim(
        name=fields["name"],
        pid=int(fields["pid"]),
        uid=_parse_number(fields.get("uid")),
        oom_score_adj=_parse_number(fields.get("adjustment")),
    )


def _parse_number(text: str | None) -> int | None:
    if text is None:
        return None

    return int(text)


def find_unnamed_killer(text: str) -> tuple[str, str] | None:
    """Return the userspace killer whose standard output a line is, and its message. Return None if it is of none.

    A killer that is started by hand does not print its own name. earlyoom can print the time.
    """
    message = _OWN_STAMP.sub("", text)
    if _EARLYOOM_OUTPUT.match(message):
        return "earlyoom", message

    if _NOHANG_VICTIM.match(message) or _NOHANG_ACTION.match(message):
        return "nohang", message

    return None


_PARSERS: t.Mapping[str | None, t.Callable[[UserspaceKillers, Line], OomReport | None]] = {
    "systemd-oomd": UserspaceKillers._parse_oomd,
    "earlyoom": UserspaceKillers._parse_earlyoom,
    "nohang": UserspaceKillers._parse_nohang,
    "nohang-desktop": UserspaceKillers._parse_nohang,
}
USERSPACE_SOURCES = tuple(_PARSERS)
