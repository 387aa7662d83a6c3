# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parse the logs of the OOM killers outside the kernel: systemd-oomd, earlyoom and nohang.

Formats: systemd 248 to 261 (src/oom), earlyoom 0.6 to 1.9 (kill.c), nohang 0.1 to 0.3.
"""

from __future__ import annotations

import re
import typing as t

from .model import Line, OomReport, Unparsed, Victim
from .oomd_candidates import OomdCandidates
from .recent import is_kernel_request
from .times import is_near

_MAX_REMEMBERED = 16
# nohang acts within this time after it has named its victim.
_NOHANG_ACTS_US = 1_000_000

# What follows the cgroup, by the first word of the line.
_OOMD_ENDS = {"Killed": " due to ", "Marked": " for killing"}
_OOMD_PRESSURE = re.compile(r"memory pressure for (/.*) being ", re.DOTALL)
# An admin chooses the name of the rule, and users can choose that of the cgroup, so the cgroup ends at the known end.
_OOMD_RULE = re.compile(
    r"Rule '(?P<rule>.{0,255}?)' conditions met for cgroup (?P<cgroup>/.*) for (?P<lasting>[\w. ]{1,60}),"
    r" taking action (?P<action>[a-z-]{1,40})",
    re.DOTALL,
)
_KILL_ALL = "kill-all"

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
    re.compile(rf"Killing process: {_NAME}, pid: (?P<pid>\d{{1,20}}), badness: ", re.DOTALL),
    re.compile(rf"Killing process '{_NAME}' with signal \d{{1,3}}, pid: (?P<pid>\d{{1,20}}), badness: ", re.DOTALL),
    re.compile(rf"[Kk]illing process (?P<pid>\d{{1,20}}) \"{_NAME}\" with signal \d{{1,3}}: badness ", re.DOTALL),
    # Older versions, the oldest with the parentheses of /proc/PID/stat, in which a name ends at its first blank.
    re.compile(r"[Kk]illing process:? (?P<pid>\d{1,20}) \((?P<name>\S{1,60}?)\)?\Z", re.DOTALL),
    re.compile(r"[Kk]illing process:? (?P<pid>\d{1,20}) (?P<name>[^\"'].{0,59})\Z", re.DOTALL),
)
# What newer versions print last can have lines of its own, which look like lines of earlyoom. They come at once, and
# earlyoom itself waits 100 ms after each signal.
_COMMAND_LINE = ', cmdline "'
_EARLYOOM_WAITS_US = 50_000
_EARLYOOM_START = re.compile(r"sending SIG(?:TERM|KILL) to process|[Kk]illing process[: ]")
_EARLYOOM_OUTPUT = re.compile(
    r"sending SIG(?:TERM|KILL) to process \d|[Kk]illing process (?:'|\d{1,20} \")|Killing process: .{1,60}, pid: \d"
)
# The line before the kill, from earlyoom 0.1 and up to 1.0.
_EARLYOOM_REASONS = ("OOM: Currently available: ", "Out of memory! avail: ")
_OWN_STAMP = re.compile(
    r"\A(?:[^\W\d]{2,8}\.? {1,2}\d{1,2} |\d{4}-\d\d-\d\d[T ])?\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?Z)?:? "
)
_NOHANG_VICTIM = (
    re.compile(r"\s*PID: (?P<pid>\d{1,20}), [Nn]ame: (?P<name>.{0,60}), badness: -?\d", re.DOTALL),
    # nohang 0.1.
    re.compile(r"\s*Victim is (?P<name>.{0,60}), pid: (?P<pid>\d{1,20}), badness: -?\d", re.DOTALL),
)
# Versions before 0.1 print the pid in the next line.
_NOHANG_EARLY = re.compile(r"\s*Preventing OOM: trying to send")
_NOHANG_ACTION = re.compile(r"\s*Send(?:ing)? SIG(?:TERM|KILL) to the victim")
_NO_VICTIM = (Line(""), Victim("", 0))
_OUTPUT = {"earlyoom": (_EARLYOOM_OUTPUT,), "nohang": (*_NOHANG_VICTIM, _NOHANG_ACTION)}


class UserspaceKillers:
    """Parses the lines of userspace killers, and reports a kill once if two lines are about it.

    `requests` is where it keeps the latest lines in which a killer says that it asked the kernel for a kill.
    """

    def __init__(self, requests: list[Line]) -> None:
        self._requests = requests
        self._latest: dict[t.Hashable, Line] = {}
        self._earlyoom_kill, _no_victim = _NO_VICTIM
        self._nohang_victims: dict[str | None, tuple[Line, Victim]] = {}
        self._candidates = OomdCandidates()

    def take(self, line: Line) -> OomReport | Unparsed | None:
        """Return the kill that a line is about, or the line if it is about a kill but cannot be parsed.

        Return None if it is about no kill, or about one that was returned before.
        """
        parse = _PARSERS.get(line.source)
        if parse is None:
            return None

        found = parse(self, line)
        if isinstance(found, OomReport) and self._is_repeated(found, line):
            return None

        return found

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

    def _take_oomd(self, line: Line) -> OomReport | Unparsed | None:
        """Return the kill that a line is about, with the cgroups that systemd-oomd considered before it."""
        if self._candidates.take(line):
            return None

        found = self._parse_oomd(line)
        if not isinstance(found, OomReport):
            return found

        return found._replace(candidates=self._candidates.pop(line))

    def _parse_oomd(self, line: Line) -> OomReport | Unparsed | None:
        text = line.text
        rule = _OOMD_RULE.fullmatch(text)
        if rule:
            return _build_rule_report(rule, line)

        verb, _blank, path = text.partition(" ")
        end = _OOMD_ENDS.get(verb, "")
        if not end or path[:1] != "/":
            return None

        # Users can choose the names of cgroups, also with these words.
        cgroup, words, rest = path.rpartition(end)
        if not words:
            return _build_unparsed(line)

        reason = rest.replace(_OOMD_ENDS["Killed"], "", 1)
        report = _build_oomd_report(cgroup, reason, line)
        if end in cgroup:
            return report._replace(complete=False, notes=("The cgroup repeats the words after it.",))

        return report

    def _parse_earlyoom(self, line: Line) -> OomReport | Unparsed | None:
        if _EARLYOOM_START.match(line.text) and self._can_be_command_line(line):
            return _build_unparsed(line)

        match = _match_any(_EARLYOOM, line.text)
        if match:
            self._earlyoom_kill = line
            victim = _build_victim(match.groupdict())
            return _build_report("earlyoom", victim, line)

        if is_kernel_request(line) and not self._can_be_command_line(line):
            self._remember_request(line)

        if _EARLYOOM_START.match(line.text):
            return _build_unparsed(line)

        return None

    def _take_psi_monitor(self, line: Line) -> None:
        """Take a line of a killer that does not kill itself."""
        if is_kernel_request(line):
            self._remember_request(line)

    def _remember_request(self, line: Line) -> None:
        self._requests.append(line)
        del self._requests[:-_MAX_REMEMBERED]

    def _can_be_command_line(self, line: Line) -> bool:
        """Return whether a line comes so soon after a kill that it can be a part of the victim's command line."""
        kill = self._earlyoom_kill
        if _COMMAND_LINE not in kill.text or kill.monotonic_us is None or kill.hostname != line.hostname:
            return False

        return is_near(kill, line, within_us=_EARLYOOM_WAITS_US)

    def _parse_nohang(self, line: Line) -> OomReport | Unparsed | None:
        """Return the kill of a line about the action. A line before it names the victim."""
        if _NOHANG_EARLY.match(line.text):
            return _build_unparsed(line)

        match = _match_any(_NOHANG_VICTIM, line.text)
        if match:
            victim = Victim(name=match.group("name"), pid=int(match.group("pid")))
            self._remember_nohang_victim(victim, line)
            return None

        if not _NOHANG_ACTION.match(line.text):
            return None

        held = self._nohang_victims.pop(line.hostname, None)
        if held is None:
            return _build_unparsed(line)

        return _build_report("nohang", held[1], line)

    def _remember_nohang_victim(self, victim: Victim, line: Line) -> None:
        """Remember the victim of a line, unless a line just before it named one.

        nohang prints the command line of its victim after the line that names it, and this can have lines of its own.
        """
        before, _victim = self._nohang_victims.get(line.hostname, _NO_VICTIM)
        if before.monotonic_us is not None and is_near(before, line, within_us=_NOHANG_ACTS_US):
            return

        self._nohang_victims[line.hostname] = (line, victim)


def _match_any(patterns: t.Iterable[t.Pattern[str]], text: str) -> t.Match[str] | None:
    """Return the match of the first pattern that matches the beginning of a text."""
    for pattern in patterns:
        match = pattern.match(text)
        if match:
            return match

    return None


def _build_oomd_report(cgroup: str, reason: str, line: Line) -> OomReport:
    report = OomReport(
        first=line,
        last=line,
        kill=line,
        killer="systemd-oomd",
        cgroup=cgroup,
        reason=reason or None,
        notes=("The line does not show why the cgroup was killed.",),
    )
    pressure = _OOMD_PRESSURE.match(reason)
    if pressure:
        return report._replace(scope="memcg", limit_cgroup=pressure.group(1), complete=True, notes=())

    # systemd 248 names the swap alone.
    if reason.startswith(("memory used ", "swap used ")):
        return report._replace(scope="global", complete=True, notes=())

    return report


def _build_rule_report(match: t.Match[str], line: Line) -> OomReport:
    """Return the kill of a rule (`OOMRules=`, systemd 261), of which systemd-oomd logs no more than this line."""
    rule, cgroup, lasting, action = match.groups()
    report = OomReport(
        first=line,
        last=line,
        kill=line,
        killer="systemd-oomd",
        limit_cgroup=cgroup,
        reason=f"the conditions of the rule {rule} were met for {lasting}, action {action}",
        notes=(f"The line does not show which cgroup in {cgroup} was killed, or whether one was.",),
    )
    if action != _KILL_ALL:
        return report

    return report._replace(cgroup=cgroup, limit_cgroup=None, complete=True, notes=())


def _build_unparsed(line: Line) -> Unparsed:
    return Unparsed(line, f"The line of {line.source} is truncated or has an unknown format.")


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


def find_unnamed_killer(text: str, before: str = "") -> tuple[str, str] | None:
    """Return the userspace killer whose standard output a line is, and its message. Return None if it is of none.

    A killer that is started by hand does not print its own name. earlyoom can print the time. `before` is the text of
    the line before, which alone shows an old version of earlyoom.
    """
    message = _OWN_STAMP.sub("", text)
    if before.startswith(_EARLYOOM_REASONS) and _EARLYOOM_START.match(message):
        return "earlyoom", message

    for killer, patterns in _OUTPUT.items():
        if _match_any(patterns, message):
            return killer, message

    return None


_PARSERS: t.Mapping[str | None, t.Callable[[UserspaceKillers, Line], OomReport | Unparsed | None]] = {
    "systemd-oomd": UserspaceKillers._take_oomd,
    "earlyoom": UserspaceKillers._parse_earlyoom,
    "nohang": UserspaceKillers._parse_nohang,
    "nohang-desktop": UserspaceKillers._parse_nohang,
    "psi-monitor": UserspaceKillers._take_psi_monitor,
}
