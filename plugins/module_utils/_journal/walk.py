# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A question that both libsystemd and journalctl can answer: some entries from a place in the journal on."""

from __future__ import annotations

import typing as t

CURSOR = "__CURSOR"
"""The name under which a walk asks for an entry's cursor."""
FAR_FUTURE_US = 1 << 62


class Walk(t.NamedTuple):
    """Up to `limit` entries that match, from a time on, or back from that time.

    With a `cursor`, a walk begins there and follows the time since the boot. Its matches should then name one boot.

    `matches` form one term: values of the same field are alternatives, different fields must all match. A walk ends at
    the first entry that has the text `until` in the first of its `fields` and that journald received no later than
    `passing_us` after the boot.
    """

    matches: t.Sequence[str]
    realtime_us: int
    backwards: bool
    limit: int
    fields: t.Sequence[str]
    passing_us: int = 0
    until: str = ""
    cursor: str = ""

    def is_end(self, monotonic_us: int, text: str) -> bool:
        """Return whether the walk ends at an entry with this time since the boot and this text in its first field."""
        if not self.until:
            return False
        if monotonic_us > self.passing_us:
            return False

        return self.until in text
