# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's memory, as /proc/meminfo tells it: proc_meminfo(5)."""

from __future__ import annotations


def parse_meminfo(text: str) -> dict[str, int]:
    """Return the sizes in /proc/meminfo, such as `MemTotal`, in bytes; what has no unit there is a count."""
    lines = (line.split() for line in text.splitlines())
    return {words[0].rstrip(":"): int(words[1]) * (1024 if words[2:] else 1) for words in lines if len(words) > 1}
