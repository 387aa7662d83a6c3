# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write records to the journal of the host, through the socket of systemd-journald."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import typing as t


@dataclasses.dataclass(frozen=True)
class Journald:
    """The socket of systemd-journald; a `silent` one sends nothing."""

    path: str = "/run/systemd/journal/socket"
    silent: bool = False

    def send(self, records: t.Iterable[bytes]) -> None:
        """Send each record if journald takes it at once.

        A record tells of a change that was made. The change does not fail, and does not wait, if journald does not run
        (as in many containers), does not answer, or has its queue full.
        """
        if self.silent:
            return

        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
            journal.setblocking(False)
            for record in records:
                journal.sendto(record, self.path)


SILENT = Journald(silent=True)
