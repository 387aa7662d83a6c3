# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a caller requests: a part of the journal, and what to search for in it."""

from __future__ import annotations

import typing as t

from .record import FIELDS


class Request(t.NamedTuple):
    """A part of the journal, in the terms of the options of journalctl(1); by default all of it.

    `now`, the seconds since 1970, is given for a journal that is still written and should have new entries.
    """

    since: str | None = None
    until: str | None = None
    boot: str = "all"
    after_cursor: str | None = None
    now: float | None = None

    @property
    def has_boot(self) -> bool:
        """Whether one boot is requested."""
        return self.boot != "all"

    @property
    def has_begin(self) -> bool:
        """Whether the part begins at a requested entry or time."""
        return any((self.since, self.after_cursor))

    @property
    def is_open(self) -> bool:
        """Whether the part goes on to the newest entry of the journal, whatever its boot."""
        return not any((self.has_boot, self.until))

    @property
    def should_be_recent(self) -> bool:
        """Whether the newest entry of the part should be recent."""
        return all((self.now is not None, self.boot in {"all", "0"}, not self.until))

    @property
    def boot_arguments(self) -> list[str]:
        if not self.has_boot:
            return []

        return [f"--boot={self.boot}"]

    @property
    def arguments(self) -> list[str]:
        """The arguments of journalctl for the boot and the end of the part, but not for its beginning."""
        if not self.until:
            return self.boot_arguments

        return [*self.boot_arguments, f"--until={self.until}"]


EVERYTHING = Request()


class Search(t.NamedTuple):
    """Records to search for: `matches` are terms joined by "+", looked up in the journal's index, so keep them narrow.

    `pattern` (PCRE) narrows them further if journalctl was built with it.
    """

    matches: t.Sequence[str]
    pattern: str
    fields: t.Sequence[str] = FIELDS
    """The fields to read. For records that any program may write, read only fields that journald itself sets.

    A client may give a field of its own a thousand values.
    """
    wide: bool = False
    """Whether there may be so many matches that two processors search a big journal faster than one."""
