# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernel messages to OOM reports, in one pass."""

from __future__ import annotations

import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._oom.facts import Line, OomReport, Unparsed


def read_reports(lines: t.Iterable[Line]) -> t.Iterator[t.Union[OomReport, Unparsed]]:
    """Yield the OOM reports in `lines` as each ends, and the kill lines that could not be read."""
    yield from ()
