# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What systemd writes to /dev/kmsg while journald does not take its messages.

systemd (log.c, log_dispatch_internal) writes there if journald has died, or is too slow. Such a record has the text of
the message alone, without the fields that say which unit it is about. The kernel does not say who wrote it: systemd, or
another program of root. What journald forwards there for any user (journald-kmsg.c, server_forward_kmsg) has the
process id of the client after the name, so it is in the name of another process, or has another text.
"""

from __future__ import annotations

import re
import typing as t

MATCHES = ("_TRANSPORT=kernel", "SYSLOG_FACILITY=3", "SYSLOG_IDENTIFIER=systemd", "SYSLOG_PID=1")
"""How to find these records: systemd has the facility of daemons."""
_FIELDS = dict(match.split("=") for match in MATCHES)

PATTERN = r"killed by the OOM killer|systemd-oomd killed|Failed with result|Main process exited|Scheduled restart job"
"""How to find those that matter here."""

_MESSAGE = re.compile(
    r"(?P<unit>\S+\.[a-z]+): "
    r"(?:(?P<OUT_OF_MEMORY>A process of this unit has been killed by the OOM killer\.)"
    r"|(?P<OOMD_KILL>systemd-oomd killed \d+ process\(es\) in this unit\.)"
    r"|(?P<FAILED>Failed with result '(?P<result>[a-z-]+)'\.)"
    r"|(?P<EXITED>Main process exited, code=(?P<code>[a-z]+), status=(?P<status>\d+)/\S+)"
    r"|(?P<RESTART>Scheduled restart job, restart counter is at \d+\.))"
)


class Message(t.NamedTuple):
    """A message of systemd about a unit; `what` is the name of its kind in `records.py`."""

    unit: str
    what: str
    result: str | None
    killed: bool


def is_kmsg_of_systemd(fields: t.Mapping[str, str]) -> bool:
    """Return whether a record came through /dev/kmsg in the name of systemd."""
    return all(fields.get(name) == value for name, value in _FIELDS.items())


def parse_message(text: str) -> Message | None:
    """Return what a message of systemd says about a unit, None if that does not matter here."""
    match = _MESSAGE.fullmatch(text)
    if match is None:
        return None

    ended = (match["code"], match["status"])
    return Message(
        unit=match["unit"],
        # The last group that matched holds the whole message.
        what=match.lastgroup or "",
        result=match["result"],
        killed=ended == ("killed", "9"),
    )
