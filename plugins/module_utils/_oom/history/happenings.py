# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What else happens on a host: which records show it, and what they say; pure.

A client can choose SYSLOG_IDENTIFIER, MESSAGE_ID and UNIT, so a record counts only if a field that journald itself sets
shows that root or systemd wrote it.
"""

from __future__ import annotations

import re
import typing as t

from ..._journal.record import Record
from ..search.records import STARTED
from .lives import STARTING
from .model import Happening

NEW_SESSION = "8d45620c1a4348dbb17410da57c60c66"
"""logind has begun a session (sd-messages.h)."""
PRESSURE = "Under memory pressure, flushing caches."
"""What journald and resolved log (sd-event's memory pressure, systemd 254)."""

_SYSTEMD = re.compile(r"systemd-(?:journald|resolved|logind|networkd)(?:@[^.]*)?\.service")
# cron writes the command of a job, anacron its name.
_CRON = re.compile(r"\((?P<user>[^()]*)\) CMD \((?P<command>.*)\)|Job `(?P<job>[^']+)' started", re.DOTALL)
_SUDO = re.compile(r" ; COMMAND=(?P<program>\S+)")
# The program of a command, after `cd` and tests. What looks different may be a secret, such as PASSWORD=x.
_PROGRAM = re.compile(
    r"""(?:
        [\s({]                                                          # a group of commands
        | (?:cd|test|\[)\s[^;&|'"]*(?:&&|\|\||;)                       # what comes before the program
        | \w+=(?:'[^']*'|"[^"]*"|[^\s'"\\$`;&|()])*\s                 # a variable of its environment
    )*
    (?P<program>[\w./+@~-]+)(?=[\s;&|)]|$)
    """,
    re.VERBOSE,
)
_CRON_FOLDER = re.compile(r"/etc/cron\.(?:hourly|daily|weekly|monthly)\b")
_UNNAMED = "(unnamed)"
_PLUMBING = re.compile(r"user@|user-runtime-dir@|systemd-")
_SERVICE = ".service"
_LONGEST = 100
_ANSIBLE = "ansible-"
_ANSIBLE_MODULES = (
    *("ansible.legacy.setup", "ansible.legacy.command", "ansible.legacy.copy", "ansible.legacy.stat"),
    *("ansible.legacy.systemd", "ansible.legacy.apt", "ansible.legacy.dnf", "ansible.legacy.service"),
    *("ansible.builtin.setup", "ansible.builtin.command", "setup", "command"),
)

Name = t.Callable[[Record], t.Optional[t.Tuple[str, str]]]


class Source(t.NamedTuple):
    """Records that show happenings."""

    matches: t.Sequence[str]
    """How the index finds them."""
    key: str
    """The field that has the same value for happenings of one name."""
    fields: t.Sequence[str]
    """The other fields to read."""
    name: Name
    """Returns the kind and the name of what a record shows, None if it shows nothing."""

    @property
    def all_fields(self) -> tuple[str, ...]:
        return (self.key, *self.fields)

    def read(self, records: t.Iterable[Record]) -> list[Happening]:
        """Return what the records show, in their order."""
        happenings = []
        for record in records:
            named = self.name(record)
            if named is not None:
                happenings.append(Happening(record.realtime_us, *named))

        return happenings

    def match(self, record: Record) -> str:
        """Return the match that finds the happenings of the same name."""
        return f"{self.key}={record.fields.get(self.key, '')}"

    def list_matches(self, records: t.Iterable[Record]) -> list[str]:
        """Return the matches of the records that show something."""
        return [self.match(record) for record in records if self.name(record)]

    def narrow(self, match: str) -> list[str]:
        """Return how the index finds the happenings of one name."""
        others = [other for other in self.matches if not other.startswith(f"{self.key}=")]
        return [*others, match]


def _name_job(record: Record) -> tuple[str, str] | None:
    """Return the command of a cron job."""
    found = _CRON.fullmatch(record.message)
    if found is None or not _is_from_root(record):
        return None

    return "cron", _shorten(found["command"] or found["job"])


def name_program(command: str) -> str:
    """Return the program that a command of cron runs, without its arguments, which may be secret."""
    found = _PROGRAM.match(command)
    if found is None:
        return _UNNAMED

    folder = _CRON_FOLDER.search(command)
    if found["program"] == "run-parts" and folder:
        return f"run-parts {folder[0]}"

    return found["program"]


def _name_start(record: Record) -> tuple[str, str] | None:
    """Return the service that systemd starts, or restarts."""
    unit = record.fields.get("UNIT", "")
    if not unit.endswith(_SERVICE) or _PLUMBING.match(unit):
        return None

    if record.fields.get("JOB_TYPE") == "restart":
        return "restart", unit

    return "start", unit


def _name_user(record: Record) -> tuple[str, str] | None:
    """Return the user of a new session."""
    user = record.fields.get("USER_ID")
    if user is None:
        return None

    return "login", user


def _name_program(record: Record) -> tuple[str, str] | None:
    """Return the program that sudo runs, without its arguments, which may be secret."""
    found = _SUDO.search(record.message)
    if found is None or not _is_from_root(record):
        return None

    return "sudo", _shorten(found["program"])


def _name_module(record: Record) -> tuple[str, str] | None:
    """Return the module that Ansible runs."""
    if not _is_from_root(record):
        return None

    return "ansible", record.fields.get("SYSLOG_IDENTIFIER", "")[len(_ANSIBLE) :]


SOURCES = (
    Source(
        matches=("_COMM=cron", "_COMM=crond", "_COMM=anacron"),
        key="MESSAGE",
        fields=("_UID",),
        name=_name_job,
    ),
    Source(
        matches=(f"MESSAGE_ID={STARTING}", f"MESSAGE_ID={STARTED}", "_PID=1"),
        key="UNIT",
        fields=("JOB_TYPE",),
        name=_name_start,
    ),
    Source(
        matches=(f"MESSAGE_ID={NEW_SESSION}", "_SYSTEMD_UNIT=systemd-logind.service"),
        key="USER_ID",
        fields=(),
        name=_name_user,
    ),
    Source(
        matches=("_COMM=sudo",),
        key="MESSAGE",
        fields=("_UID",),
        name=_name_program,
    ),
    Source(
        matches=tuple(f"SYSLOG_IDENTIFIER={_ANSIBLE}{module}" for module in _ANSIBLE_MODULES),
        key="SYSLOG_IDENTIFIER",
        fields=("_UID",),
        name=_name_module,
    ),
)
"""The kinds of happenings that the journal shows. The kind `timer` is a start that a timer of the host causes."""


def mark_timers(happenings: t.Iterable[Happening], timers: t.Container[str]) -> list[Happening]:
    """Return happenings in which the starts of services with one of these timers are of the kind `timer`."""
    return [_mark_timer(happening, timers) for happening in happenings]


def _mark_timer(happening: Happening, timers: t.Container[str]) -> Happening:
    timer = happening.name[: -len(_SERVICE)] + ".timer"
    if happening.what == "start" and timer in timers:
        return happening._replace(what="timer")

    return happening


def is_pressure(record: Record) -> bool:
    """Return whether a service of systemd says that memory is short."""
    return _SYSTEMD.fullmatch(record.fields.get("_SYSTEMD_UNIT", "")) is not None


def _is_from_root(record: Record) -> bool:
    return record.fields.get("_UID") == "0"


def _shorten(text: str) -> str:
    if len(text) <= _LONGEST:
        return text

    return f"{text[:_LONGEST]}…"
