# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recycler itself, as it runs on the host: it looks, decides, acts and tells, until it is told to end."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import hashlib
import os
import pathlib
import signal
import stat
import sys
import time
import typing as t

from .._errors import OomguardError
from .._fcgid.worker import Row, Worker
from .._fcgid.workers import Workers, fetch_page
from .._files import remove_file, write_file
from . import messages
from .policy import (
    Key,
    Order,
    Seen,
    decide,
    key_of,
    over_limit,
)
from .settings import RecyclerError, Settings, parse

UNIT_DIGEST = "OOMGUARD_UNIT"


def fingerprint(*parts: bytes) -> str:
    """Return what tells this code, configuration and unit from any other."""
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()[:16]


class Recycler:
    """Look at the workers from time to time, and have those go that have outgrown their limit."""

    def __init__(
        self,
        settings: Settings,
        workers: Workers,
        *,
        tell: t.Callable[[t.Mapping[str, str]], None],
        fetch: t.Callable[[str], t.Mapping[int, Row]] = fetch_page,
        clock: t.Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._workers = workers
        self._tell = tell
        self._fetch = fetch
        self._clock = clock
        self._seen: dict[Key, Seen] = {}
        self._drained: dict[Key, Order] = {}
        self._problems: set[str] = set()
        self._metrics = ""
        self.retired = {"limit": 0, "hard_limit": 0}

    def look(self) -> str:
        """Do all that is to be done now, and return a line about it.

        Raises OomguardError where nothing can be seen, and RecyclerError where only a new start helps.
        """
        workers = self._workers.all(self._page())
        orders, self._seen = decide(workers, self._seen, self._settings, self._clock())
        for key in [key for key in self._drained if key not in self._seen]:
            # mod_fcgid ends a worker that it cannot connect to, and may be the first to do so.
            self._count(dataclasses.replace(self._drained.pop(key), act="gone"))
        for order in orders:
            self._carry_out(order)
        over = sum(over_limit(worker, self._settings) is not None for worker in workers)
        self._write_metrics(messages.metrics(workers, over, self.retired))
        return f"{len(workers)} workers, {over} beyond their limit, {sum(self.retired.values())} retired so far"

    def report(self, problem: str) -> None:
        """Tell the journal once what is in the way."""
        if problem not in self._problems:
            self._problems.add(problem)
            self._tell(messages.problem(problem))

    def _page(self) -> t.Mapping[int, Row]:
        if not self._settings.status_url:
            return {}
        try:
            return self._fetch(self._settings.status_url)
        except OomguardError as error:
            self.report(f"{error} Idle workers are told by their sockets alone.")
            return {}

    def _carry_out(self, order: Order) -> None:
        key = key_of(order.worker)
        if order.act == "drain":
            if self._drain(order.worker):
                self._seen[key] = dataclasses.replace(self._seen[key], drained=True)
                self._drained[key] = order
        elif self._settings.dry_run or self._signal(order):
            self._drained.pop(key, None)
            self._seen[key] = dataclasses.replace(self._seen[key], retired=True)
            self._count(order)

    def _count(self, order: Order) -> None:
        if not self._settings.dry_run:
            self.retired[order.reason] += 1
        self._tell(messages.retirement(order, dry_run=self._settings.dry_run))

    def _drain(self, worker: Worker) -> bool:
        """Take the name of its socket away, so that mod_fcgid finds it no more, and return whether it is away.

        Raises RecyclerError where the folder cannot be written to: it was not there yet when the unit was started.
        """
        path = pathlib.Path(worker.socket)
        if str(path.parent) not in self._settings.socket_directories:
            self.report(f"Workers in {path.parent} cannot be drained, for it is none of socket_directories.")
            return False
        try:
            if stat.S_ISSOCK(path.lstat().st_mode):
                path.unlink()
                return True
        except FileNotFoundError:
            if path.parent.is_dir():
                return True
            self.report(f"Workers in {path.parent} cannot be drained, for the recycler does not see that folder.")
        except OSError as error:
            if error.errno == errno.EROFS:
                raise RecyclerError(
                    f"{path.parent} was not there when the recycler was started, so that it cannot write to it.",
                    hint="It is started anew.",
                ) from error
            self.report(f"Workers in {path.parent} cannot be drained: {error.strerror}.")
        return False

    def _signal(self, order: Order) -> bool:
        """Send SIGTERM if the worker is still what it was at the look, and return whether it was sent.

        The process is held while it is looked at again, so that the signal reaches no other with its pid.
        """
        worker = order.worker
        with contextlib.ExitStack() as stack, contextlib.suppress(ProcessLookupError):
            held = _hold(worker.pid)
            if held is not None:
                stack.callback(os.close, held)
            again = self._workers.one(worker.pid)
            if again is None or again.started != worker.started:
                return False
            undisturbed = again.state == "idle" and again.memory.switches == worker.memory.switches
            if order.reason == "limit" and not undisturbed:
                return False
            if held is None:
                os.kill(worker.pid, signal.SIGTERM)
            else:
                signal.pidfd_send_signal(held, signal.SIGTERM)
            return True
        return False

    def _write_metrics(self, text: str) -> None:
        if self._settings.metrics_file and text != self._metrics:
            try:
                write_file(pathlib.Path(self._settings.metrics_file), text)
            except OomguardError as error:
                self.report(str(error))
            else:
                self._metrics = text


def _hold(pid: int) -> int | None:
    """Return a descriptor of the process, None where Python (before 3.9) or the kernel (before 5.3) has none.

    Raises ProcessLookupError.
    """
    try:
        return os.pidfd_open(pid) if hasattr(os, "pidfd_open") else None
    except ProcessLookupError:
        raise
    except OSError:
        return None


def main(arguments: t.Sequence[str]) -> int:
    """Run until SIGTERM, with the configuration that the one argument names."""
    code, configuration = (pathlib.Path(name).read_bytes() for name in (sys.argv[0], arguments[0]))
    version = fingerprint(code, configuration, os.environ.get(UNIT_DIGEST, "").encode())
    try:
        settings = parse(configuration.decode("utf-8", "surrogateescape"))
    except OomguardError as error:
        sys.stderr.write(f"{arguments[0]}: {error}\n")
        return 2
    # It waits until it is waited for, so that a look is never broken off.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    recycler = Recycler(
        settings,
        Workers(),
        tell=lambda fields: messages.send(messages.JOURNAL, messages.journal_datagram(fields)),
    )
    ready, status = False, 0
    while True:
        try:
            line = recycler.look()
        except OomguardError as error:
            recycler.report(str(error))
            line = str(error)
            if not ready or isinstance(error, RecyclerError):
                # Then it never will: better not to run than to seem to work. systemd starts it anew after RestartSec=.
                status = 1
                break
        messages.send(os.environ.get("NOTIFY_SOCKET", ""), f"READY=1\nSTATUS={version}: {line}".encode())
        ready = True
        if signal.sigtimedwait({signal.SIGTERM}, settings.interval):
            break
    if settings.metrics_file:
        # Nobody is to take what it says for what is.
        remove_file(pathlib.Path(settings.metrics_file))
    return status
