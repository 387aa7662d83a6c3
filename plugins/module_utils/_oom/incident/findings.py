# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The findings of a search: the incidents, and how completely the sources were examined."""

from __future__ import annotations

import typing as t

from ..search.coverage import Coverage
from .host_now import HostNow
from .incident import Incident
from .taken_down import TakenDown
from .tally import Tally


class Findings(t.NamedTuple):
    """The incidents, oldest first: `incidents` are whole; of `older`, beyond the limit, only the kill line is read.

    `tally` has further ones in numbers.
    """

    incidents: tuple[Incident, ...]
    older: tuple[Incident, ...]
    taken_down: tuple[TakenDown, ...]
    coverage: Coverage
    host_now: HostNow = HostNow()
    trusted: bool = False
    """The records are those of this host's own journal, which shows who wrote them."""
    tally: Tally | None = None
