# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The past of a host: its kills, and what else its journal says of the same time."""

from __future__ import annotations

import types
import typing as t


class Kill(t.NamedTuple):
    """One OOM kill; None for what its report and the journal do not say."""

    time_us: int
    """Since 1970, as all times here."""
    boot_id: str
    unit: str
    """The unit of the victim, or else its cgroup; empty if both are unknown."""
    victim: str
    cause: str
    """As in the diagnosis of its event."""
    rss_bytes: int | None = None
    swap_bytes: int | None = None
    uid: int | None = None
    """The user of the victim."""
    namesakes: int | None = None
    """The number of processes with the name and the user of the victim, itself included."""
    namesakes_bytes: int | None = None
    """The resident and swapped memory of these processes."""
    limit_bytes: int | None = None
    """The memory limit that was reached; None if it was the memory of the host."""
    started_us: int | None = None
    """When the unit was started."""
    ram_bytes: int | None = None
    """The RAM of the host."""
    swap_total_bytes: int | None = None
    """The swap of the host."""
    evicted_bytes: int | None = None
    """The page cache that the kernel had taken from the cgroup at its limit."""
    unit_peak_bytes: int | None = None
    """The most memory and swap of the unit in the run that the kill ended; None before systemd 255."""

    @property
    def age_us(self) -> int | None:
        """How long the unit had run."""
        if self.started_us is None:
            return None

        return self.time_us - self.started_us

    @property
    def mean_namesake_bytes(self) -> int | None:
        """The resident and swapped memory of each of the processes with the victim's name, on average."""
        if self.namesakes is None or self.namesakes_bytes is None:
            return None

        return self.namesakes_bytes // self.namesakes

    @property
    def size_bytes(self) -> int | None:
        """The resident and swapped memory of the victim. Swap that the report does not show counts as unknown."""
        if self.rss_bytes is None or self.swap_bytes is None:
            return None

        return self.rss_bytes + self.swap_bytes


class Life(t.NamedTuple):
    """One run of a unit that did not end with an OOM kill, as systemd logged its end."""

    unit: str
    started_us: int | None
    ended_us: int
    peak_bytes: int | None
    """The most memory that it used; None before systemd 255."""
    swap_peak_bytes: int | None = None

    @property
    def length_us(self) -> int | None:
        """How long the unit ran."""
        if self.started_us is None:
            return None

        return self.ended_us - self.started_us

    @property
    def held_bytes(self) -> int | None:
        """The most memory and swap together that it may have used."""
        if self.peak_bytes is None:
            return None

        return self.peak_bytes + (self.swap_peak_bytes or 0)


class Happening(t.NamedTuple):
    """Something else that the journal shows: a cron job, a timer, a start, a package, a login."""

    time_us: int
    what: str
    """`cron`, `timer`, `start`, `restart`, `package`, `kernel`, `login`, `sudo` or `ansible`."""
    name: str
    """Which one: the command, the unit, the package, the user."""


class Modification(t.NamedTuple):
    """A change of the host that may have helped against kills."""

    time_us: int
    what: str
    """What was changed: `swap`, a directive of a unit, a directive of mod_fcgid."""
    before: str | None
    after: str | None
    by: str
    """`oomguard` or `unknown`."""
    unit: str = ""
    """The unit that it concerns; empty if it concerns the whole host."""


class Population(t.NamedTuple):
    """The processes of one name that run now."""

    number: int
    mean_bytes: int
    """The resident and swapped memory of each, on average."""


class Past(t.NamedTuple):
    """What the journal says of a period; `kills` and all others are oldest first."""

    first_us: int
    last_us: int
    """The period that the journal covers."""
    utc_offsets: t.Sequence[tuple[int, int]]
    """The local time of the host: since when which offset from UTC applies, in microseconds and seconds."""
    kills: t.Sequence[Kill]
    lives: t.Sequence[Life] = ()
    running: t.Mapping[str, int] = types.MappingProxyType({})
    """When the units that run now were started, as far as that is known."""
    partial_units: t.AbstractSet[str] = frozenset()
    """The units of which systemd did not record what each run used. Of all runs that ended, `lives` has some."""
    happenings: t.Sequence[Happening] = ()
    """Of one name, all in the period are known, or only those shortly before kills if they precede few of them."""
    pressures_us: t.Sequence[int] = ()
    """When services of systemd said that memory was short (systemd 254 and later)."""
    present: t.Mapping[tuple[str, int | None], Population] = types.MappingProxyType({})
    """The processes with the names and users of victims that run now; empty for another host's journal."""
    modifications: t.Sequence[Modification] = ()
    boots: t.Sequence[tuple[int, int]] = ()
    """When the host was up: the first and the last time of each boot. If empty, it is not known, and all counts."""
