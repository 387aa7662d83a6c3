# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parse systemd's notices of OOM kills, for kills whose own reports are missing from a text log.

Formats: systemd 243 to 261 (src/core/cgroup.c, src/core/unit.c).
"""

from __future__ import annotations

import re

from .model import Line, OomReport
from .times import SAME_KILL_US, is_near

SYSTEMD = "systemd"
SYSTEMD_OOMD = "systemd-oomd"
UNKNOWN_KILLER = "unknown"

_NOTICE = re.compile(
    r"(?P<unit>[\w:.\\@-]{1,255}\.(?:service|scope|slice|mount|swap|socket)): "
    r"(?:A process of this unit has been killed by the OOM killer"
    r"|The kernel OOM killer killed some processes in this unit"
    r"|(?P<oomd>systemd-oomd) killed (?:some|\d{1,20}) process\(es\) in this unit"
    r"|Failed with result 'oom-kill')\.?\s*"
)
# systemd notices a kill in these units, too, if it was in a unit that they contain.
_OUTER_UNIT = re.compile(r".*\.slice|user@\d+\.service")
# The processes that are left of a unit can take longer to stop than the time that is the default.
_LONGEST_STOP_US = 10 * SAME_KILL_US
_UNKNOWN_PLACES = ((None, None), (None, "/"))
_NOTICED_KILLERS = ("kernel", SYSTEMD_OOMD, UNKNOWN_KILLER)


def has_notice(text: str) -> bool:
    """Return whether a line can be a notice; most lines of systemd are none."""
    return "oom" in text or "OOM" in text


def parse_notice(line: Line) -> OomReport | None:
    """Return the kill that systemd noticed, or None if the line is no notice.

    systemd says which unit the killed process was in, but neither the process nor the reason.
    """
    notice = _NOTICE.fullmatch(line.text)
    if notice is None:
        return None

    return OomReport(
        first=line,
        last=line,
        kill=line,
        killer=notice.group("oomd") or UNKNOWN_KILLER,
        unit=notice.group("unit"),
        notes=("Only systemd's notice of this kill is known. The report of the OOM killer is missing.",),
    )


def is_explained(notice: OomReport, kill: OomReport) -> bool:
    """Return whether a notice is about a kill that another report or notice is about."""
    is_possible = (
        notice is not kill,
        notice.unit is not None,
        notice.killer in (UNKNOWN_KILLER, kill.killer),
        notice.first.hostname == kill.last.hostname,
    )
    if not all(is_possible):
        return False

    units_of_kill = f"{kill.cgroup}/{kill.unit}".split("/")
    if notice.unit in units_of_kill:
        return is_near(kill.last, notice.first, within_us=_LONGEST_STOP_US)

    has_no_place = (kill.unit, kill.cgroup) in _UNKNOWN_PLACES
    is_outer = _OUTER_UNIT.fullmatch(f"{notice.unit}") is not None
    is_likely = (
        any((has_no_place, is_outer)),
        # systemd does not notice the kills of earlyoom and nohang.
        kill.killer in _NOTICED_KILLERS,
        is_near(kill.last, notice.first),
    )

    return all(is_likely)
