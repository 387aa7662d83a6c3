# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings, the model of a whole search."""

from __future__ import annotations

from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.findings import Findings
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.host_now import HostNow
from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.coverage import Coverage


def test_the_host_is_unknown_by_default() -> None:
    assert Findings((), (), (), Coverage()).host_now == HostNow(swap_total_bytes=None, has_fcgid=None)
