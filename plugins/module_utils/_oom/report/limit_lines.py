# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parse the lines about a cgroup that reached its limit: usage, limit and statistics.

Formats: mm/memcontrol.c of Linux up to 6.18.
"""

from __future__ import annotations

import re
import typing as t

from .mem_info import PAGE_SIZES
from .model import Limit
from .task_table import is_number

_USAGE = re.compile(r"(memory|memory\+swap|swap|kmem): usage (\d{1,20})kB, limit (\d{1,20})kB, failcnt (\d{1,20})$")
# The boundary and the limit keep the search linear in a long run of letters.
_OLD_STAT = re.compile(r"\b([a-z_]{1,40}):(\d{1,20})KB")

# "No limit" is the largest number of pages that the kernel's counters hold, in kB: 64 bit, and 32 bit with 4 kB pages.
_NO_LIMIT_KB = 9007199254740000
_NO_LIMIT_KB_32_BIT = 8589934588

# A cgroup has some 60 statistics, in old kernels on one line.
_LONGEST_STATISTICS = 4096
_MAX_STATISTICS = 1000


class _Usage(t.NamedTuple):
    """One `usage` line. All fields are None if the report does not have this line."""

    usage_kb: int | None = None
    limit_kb: int | None = None
    failcnt: int | None = None

    @property
    def usage_bytes(self) -> int | None:
        """Return the usage in bytes."""
        if self.usage_kb is None:
            return None

        return self.usage_kb * 1024

    @property
    def limit_bytes(self) -> int | None:
        """Return the limit in bytes, or None if there is no limit."""
        kilobytes = self.limit_kb
        if kilobytes is None or kilobytes >= _NO_LIMIT_KB or kilobytes == _NO_LIMIT_KB_32_BIT:
            return None

        return kilobytes * 1024


_UNKNOWN = _Usage()


class LimitLines:
    """Collects the lines of one report about usage and limits."""

    def __init__(self) -> None:
        self._usage: dict[str, _Usage] = {}
        self._stat: dict[str, int] = {}

    @property
    def has_usage(self) -> bool:
        """Return whether the report has a `usage` line."""
        return bool(self._usage)

    def take_usage(self, text: str) -> bool:
        """Take a line such as `memory: usage 8kB, limit 8kB, failcnt 0`, and return whether `text` is one."""
        match = _USAGE.match(text)
        if match is None:
            return False

        key, usage_kb, limit_kb, failcnt = match.groups()
        self._usage.setdefault(key, _Usage(int(usage_kb), int(limit_kb), int(failcnt)))

        return True

    def take_stat_heading(self, text: str) -> bool:
        """Take `Memory cgroup stats for CGROUP:`, and return whether `text` is that line.

        Old kernels print the statistics in the same line, and one line for each cgroup below the limit. These add up.
        """
        if not text.startswith("Memory cgroup stats for "):
            return False

        statistics = dict(_OLD_STAT.findall(text[:_LONGEST_STATISTICS]))
        for key, kilobytes in statistics.items():
            if len(self._stat) >= _MAX_STATISTICS:
                break

            self._stat[key] = self._stat.get(key, 0) + int(kilobytes) * 1024

        return True

    def take_stat(self, text: str) -> bool:
        """Take a line such as `anon 4096`, and return whether `text` is one.

        Up to Linux 6.3, one record has all these lines.
        """
        key, _blank, value = text.partition(" ")
        if is_number(value) and len(self._stat) < _MAX_STATISTICS:
            self._stat[key] = int(value)
            return True

        if "\n" not in text:
            return False

        taken = [self.take_stat(line) for line in text.split("\n")]

        return any(taken)

    def find_page_size(self) -> int | None:
        """Return the page size that "no limit" reveals: it is the largest number of whole pages below 2**63 bytes."""
        for usage in self._usage.values():
            if usage.limit_kb is None:
                continue

            size = (2**53 - usage.limit_kb) * 1024
            if size in PAGE_SIZES:
                return size

        return None

    def build_limit(self) -> Limit | None:
        """Return usage and limits, or None if the report has neither usage nor statistics."""
        if not self._usage and not self._stat:
            return None

        memory = self._usage.get("memory", _UNKNOWN)
        has_memsw = "memory+swap" in self._usage
        swap_key = "memory+swap" if has_memsw else "swap"
        swap = self._usage.get(swap_key, _UNKNOWN)
        # Without swap accounting, version 1 prints 0 for memory and swap together.
        if has_memsw and memory.usage_kb and not swap.usage_kb:
            swap = _UNKNOWN

        kmem = self._usage.get("kmem", _UNKNOWN)

        return Limit(
            usage_bytes=memory.usage_bytes,
            limit_bytes=memory.limit_bytes,
            failcnt=memory.failcnt,
            swap_usage_bytes=swap.usage_bytes,
            swap_limit_bytes=swap.limit_bytes,
            memsw=has_memsw,
            kmem_usage_bytes=kmem.usage_bytes,
            kmem_limit_bytes=kmem.limit_bytes,
            kmem_failcnt=kmem.failcnt,
            stat=self._stat,
        )
