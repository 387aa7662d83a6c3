# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recycler as it runs on the host: it checks the workers, decides, acts and logs, until it is terminated."""

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
from .._fcgid.status_fetch import fetch_page
from .._fcgid.worker import Row, Worker
from .._fcgid.workers import Workers
from .._files import remove_file, write_file
from . import messages
from .policy import (
    Key,
    Order,
    Seen,
    decide,
    find_passed_bound,
    make_key,
)
from .settings import RecyclerError, Settings, parse

UNIT_DIGEST = "OOMGUARD_UNIT"


def compute_fingerprint(*parts: bytes) -> str:
    """Return a short text that differs for each code, configuration and unit."""
    digests = [hashlib.sha256(part).digest() for part in parts]
    return hashlib.sha256(b"".join(digests)).hexdigest()[:16]


class Recycler:
    """Retire the workers that have outgrown their limit, each time `run_once` is called."""

    def __init__(
        self,
        settings: Settings,
        workers: Workers,
        *,
        log: t.Callable[[t.Mapping[str, str]], None],
        fetch: t.Callable[[str], t.Mapping[int, Row]] = fetch_page,
        clock: t.Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._workers = workers
        self._log = log
        self._fetch = fetch
        self._clock = clock
        self._seen: dict[Key, Seen] = {}
        self._drained: dict[Key, Order] = {}
        self._signalled: dict[Key, Worker] = {}
        self._problems: set[str] = set()
        self._metrics = ""
        self.retired = {"limit": 0, "hard_limit": 0}

    def run_once(self) -> str:
        """Do all that is due now, and return a line about it.

        Raises OomguardError if the workers cannot be read, and RecyclerError if only a restart helps.
        """
        workers = self._workers.find_all(self._fetch_page())
        orders, self._seen = decide(workers, self._seen, self._settings, self._clock())
        self._count_gone()
        self._log_orphans()
        for order in orders:
            self._execute(order)

        passed_bounds = [find_passed_bound(worker, self._settings) for worker in workers]
        over = len(workers) - passed_bounds.count(None)
        self._write_metrics(messages.render_metrics(workers, over, self.retired))

        total = sum(self.retired.values())
        return f"{len(workers)} workers, {over} over their limit, {total} retired so far"

    def log_problem(self, problem: str, *, topic: str) -> None:
        """Log the first problem with a topic to the journal. The texts of later ones may differ without end."""
        if topic not in self._problems:
            self._problems.add(topic)
            self._log(messages.make_problem(problem))

    def _fetch_page(self) -> t.Mapping[int, Row]:
        if not self._settings.status_url:
            return {}

        try:
            page = self._fetch(self._settings.status_url)
        except OomguardError as error:
            self.log_problem(f"{error} Only the sockets show which workers are idle.", topic="page")
            return {}

        # A website may have replaced the page. Its states could keep every worker, so the sockets alone give them.
        return {pid: dataclasses.replace(row, state="") for pid, row in page.items()}

    def _count_gone(self) -> None:
        """Count the drained workers that have ended: mod_fcgid may be the first to end one that it cannot reach."""
        for key in list(self._drained):
            if key not in self._seen:
                order = self._drained.pop(key)
                self._count(dataclasses.replace(order, act="gone"))

    def _log_orphans(self) -> None:
        """Log that processes have outlived the one that was signalled, as those of a script without exec do."""
        for key in set(self._signalled) - set(self._seen):
            worker = self._signalled.pop(key)
            left = self._workers.list_left(worker)
            if left:
                self.log_problem(
                    f"{len(left)} processes of pid {worker.pid} ({worker.script}) did not end with it. End its wrapper"
                    " with exec, so that mod_fcgid and the recycler signal the program itself.",
                    topic=f"orphans of {worker.script}",
                )

    def _execute(self, order: Order) -> None:
        key = make_key(order.worker)
        if order.act == "drain":
            if self._drain(order.worker):
                self._seen[key] = dataclasses.replace(self._seen[key], drained=True)
                self._drained[key] = order

            return

        if self._settings.dry_run or self._signal(order):
            self._drained.pop(key, None)
            self._signalled[key] = order.worker
            self._seen[key] = dataclasses.replace(self._seen[key], retired=True)
            self._count(order)

    def _count(self, order: Order) -> None:
        if not self._settings.dry_run:
            self.retired[order.reason] += 1
        self._log(messages.make_retirement(order, dry_run=self._settings.dry_run))

    def _drain(self, worker: Worker) -> bool:
        """Remove the name of the worker's socket, so that mod_fcgid no longer finds it, and return whether it is gone.

        Raises RecyclerError if the folder is read-only, since it did not exist yet when the unit was started.
        """
        path = pathlib.Path(worker.socket)
        if str(path.parent) not in self._settings.socket_directories:
            self._log_undrained(path, "it is not one of the socket_directories")
            return False

        try:
            if not stat.S_ISSOCK(path.lstat().st_mode):
                return False

            path.unlink()
        except FileNotFoundError:
            return self._is_name_gone(path)
        except OSError as error:
            if error.errno == errno.EROFS:
                raise RecyclerError(
                    f"{path.parent} did not exist when the recycler was started, so the recycler cannot write to it.",
                    hint="systemd restarts the recycler.",
                ) from error

            self._log_undrained(path, str(error.strerror))
            return False

        return True

    def _is_name_gone(self, path: pathlib.Path) -> bool:
        """Return whether a socket that was not found is gone, and its folder is not merely hidden."""
        if path.parent.is_dir():
            return True

        self._log_undrained(path, "the recycler cannot see that directory")
        return False

    def _log_undrained(self, path: pathlib.Path, reason: str) -> None:
        self.log_problem(f"Workers in {path.parent} cannot be drained: {reason}.", topic=str(path.parent))

    def _signal(self, order: Order) -> bool:
        """Send SIGTERM if the worker is still as it was at the check, and return whether it was sent.

        Only the process that mod_fcgid has started is signalled. php-cgi passes the signal on to its processes.

        The process is held open while it is checked again, so the signal cannot reach another process with its pid.
        """
        pid = order.worker.pid
        with contextlib.ExitStack() as stack, contextlib.suppress(ProcessLookupError):
            descriptor = _open_process(pid)
            if descriptor is not None:
                stack.callback(os.close, descriptor)

            if not self._is_unchanged(order):
                return False

            if descriptor is None:
                os.kill(pid, signal.SIGTERM)
            else:
                signal.pidfd_send_signal(descriptor, signal.SIGTERM)

            return True

        return False

    def _is_unchanged(self, order: Order) -> bool:
        """Return whether the worker is the same process, and still idle unless it has passed its hard limit."""
        worker = order.worker
        now = self._workers.find_again(worker)
        if now is None or now.started != worker.started:
            return False
        if order.reason != "limit":
            return True

        return now.state == "idle" and now.activity == worker.activity

    def _write_metrics(self, text: str) -> None:
        if not self._settings.metrics_file or text == self._metrics:
            return

        try:
            write_file(pathlib.Path(self._settings.metrics_file), text)
        except OomguardError as error:
            self.log_problem(str(error), topic="metrics")
        else:
            self._metrics = text


def _open_process(pid: int) -> int | None:
    """Return a descriptor of the process, None if Python (before 3.9) or the kernel (before 5.3) has none.

    Raises ProcessLookupError.
    """
    if not hasattr(os, "pidfd_open"):
        return None

    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        raise
    except OSError:
        return None


def main(arguments: t.Sequence[str]) -> int:
    """Run until SIGTERM with the configuration file that the one argument names, and return the exit status."""
    code = pathlib.Path(sys.argv[0]).read_bytes()
    configuration = pathlib.Path(arguments[0]).read_bytes()
    unit_digest = os.environ.get(UNIT_DIGEST, "")
    version = compute_fingerprint(code, configuration, unit_digest.encode())
    try:
        settings = parse(configuration.decode("utf-8", "surrogateescape"))
    except OomguardError as error:
        sys.stderr.write(f"{arguments[0]}: {error}\n")
        return 2

    # The signal stays pending until sigtimedwait() takes it, so that a check is never interrupted.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    recycler = Recycler(settings, Workers(), log=_send_to_journal)
    status = _run_until_terminated(recycler, settings.interval, version)
    if settings.metrics_file:
        # Otherwise, somebody could take the old values for current ones.
        remove_file(pathlib.Path(settings.metrics_file))

    return status


def _run_until_terminated(recycler: Recycler, interval: int, version: str) -> int:
    """Check the workers every `interval` seconds, and return the exit status."""
    is_ready = False
    while True:
        try:
            line = recycler.run_once()
        except OomguardError as error:
            recycler.log_problem(str(error), topic="check")
            line = str(error)
            if not is_ready or isinstance(error, RecyclerError):
                # It would not work now. It ends rather than appear to work, and systemd restarts it after RestartSec=.
                return 1

        messages.send(os.environ.get("NOTIFY_SOCKET", ""), f"READY=1\nSTATUS={version}: {line}".encode())
        is_ready = True
        if signal.sigtimedwait({signal.SIGTERM}, interval):
            return 0


def _send_to_journal(fields: t.Mapping[str, str]) -> None:
    messages.send(messages.JOURNAL, messages.encode_for_journal(fields))
