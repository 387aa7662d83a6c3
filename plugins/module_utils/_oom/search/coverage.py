# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which part of a journal, or of text logs, was examined, and its gaps."""

from __future__ import annotations

import typing as t


class Coverage(t.NamedTuple):
    """Which part of the journal was examined, and its gaps; times in microseconds since 1970."""

    first_us: int | None = None
    last_us: int | None = None
    boots: int | None = None
    persistent: bool | None = None
    missed_records: int = 0
    unparsed: int = 0
    untrusted: int = 0
    cursor: str | None = None
    gaps: tuple[str, ...] = ()
    """Why the search may have missed OOM kills."""
    notes: tuple[str, ...] = ()
    is_journald_starved: bool = False
    """Whether journald died or did not keep up, as on a host that thrashes."""

    @property
    def complete(self) -> bool:
        return not any((self.missed_records, self.unparsed, self.gaps))
