# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""mod_fcgid's workers as they are on this host: the adapter for /proc and for mod_status's page."""

from __future__ import annotations

import contextlib
import importlib
import os
import posixpath
import pwd
import re
import socket
import time
import typing as t

from .._safe import neutralise
from .status_page import parse_page
from .worker import (
    Row,
    Sockets,
    Worker,
    WorkerError,
    parse_cgroup,
    parse_limits,
    parse_pss,
    parse_sockets,
    parse_stat,
    parse_status,
    state_of,
)

_TICKS = os.sysconf("SC_CLK_TCK")
_LOCAL_URL = re.compile(r"(https?)://(127\.0\.0\.1|\[::1\]|localhost)(?::([0-9]{1,5}))?(/[!\"$-~]*)?")
_LONGEST_PAGE = 8 << 20
_PART = 1 << 16

# By the distribution; the process manager is a fork of Apache's first process.
_APACHE = ("apache2", "httpd")
_REPLACED = " (deleted)"

# What /proc answers for a process that is not there any more.
_VANISHED = (FileNotFoundError, ProcessLookupError)


class Workers:
    """The workers of the host whose processes are seen below `proc`."""

    def __init__(
        self,
        proc: str = "/proc",
        *,
        boottime: t.Callable[[], float] | None = None,
        apache: t.Callable[[str], bool] | None = None,
    ) -> None:
        self._proc = proc
        self._apache = apache or is_apache
        self._boottime = boottime or (lambda: time.clock_gettime(time.CLOCK_BOOTTIME))
        self._users: dict[int, str] = {}

    def all(self, page: t.Mapping[int, Row] | None = None, *, pss: bool = False) -> list[Worker]:
        """Return every worker, by pid; `page` has what mod_status said just before.

        A process that vanishes meanwhile is left out. Raises WorkerError without the right to look at them.
        """
        sockets = self._sockets()
        managers = self._managers(sockets)
        found = []
        for name in os.listdir(self._proc) if managers else ():
            if name.isdecimal():
                worker = self._worker(int(name), sockets, managers, page or {}, pss=pss)
                if worker:
                    found.append(worker)
        return sorted(found, key=lambda worker: worker.pid)

    def one(self, pid: int) -> Worker | None:
        """Look at one worker again, by its sockets; None where it is one no longer. Raises WorkerError."""
        sockets = self._sockets()
        return self._worker(pid, sockets, self._managers(sockets), {}, pss=False)

    def _worker(
        self, pid: int, sockets: Sockets, managers: t.AbstractSet[int], page: t.Mapping[int, Row], *, pss: bool
    ) -> Worker | None:
        folder = f"{self._proc}/{pid}"
        try:
            ppid, started = parse_stat(_read(f"{folder}/stat"))
            if ppid not in managers:
                return None
            manager, path = sockets.listening.get(_inode(os.readlink(f"{folder}/fd/0")), (0, ""))
            if manager != ppid:
                return None
            memory = parse_status(_read(f"{folder}/status"))
            row = page.get(pid)
            state, source = state_of(connected=path in sockets.connected, row=row)
            return Worker(
                pid=pid,
                ppid=ppid,
                started=started,
                command=tuple(_read(f"{folder}/cmdline").rstrip("\0").split("\0")),
                user=self._user(memory.uid),
                state=state,
                state_source=source,
                idle_seconds=row.idle_seconds if row and state == "idle" else None,
                age_seconds=max(int(self._boottime() - started / _TICKS), 0),
                memory=memory,
                pss_bytes=parse_pss(_read(f"{folder}/smaps_rollup")) if pss else None,
                limits=parse_limits(_read(f"{folder}/limits")),
                oom_score=int(_read(f"{folder}/oom_score")),
                oom_score_adj=int(_read(f"{folder}/oom_score_adj")),
                cgroup=parse_cgroup(_read(f"{folder}/cgroup")),
                socket=path,
                row=row,
            )
        except _VANISHED:
            return None
        except PermissionError as error:
            raise _refused(f"process {pid}, which may be a worker of mod_fcgid", error) from error

    def _managers(self, sockets: Sockets) -> frozenset[int]:
        """Return those that made the sockets and are Apache's; any user can have a socket say that others did."""
        return frozenset(pid for pid in sockets.managers if self._is_apache(pid))

    def _is_apache(self, pid: int) -> bool:
        try:
            return self._apache(f"{self._proc}/{pid}/exe")
        except PermissionError as error:
            raise _refused(f"process {pid}, which may be mod_fcgid's process manager", error) from error

    def _sockets(self) -> Sockets:
        with open(f"{self._proc}/self/net/unix", encoding="utf-8", errors="surrogateescape") as file:
            return parse_sockets(file.read())

    def _user(self, uid: int) -> str:
        if uid not in self._users:
            try:
                self._users[uid] = pwd.getpwuid(uid).pw_name
            except KeyError:
                self._users[uid] = str(uid)
        return self._users[uid]


def is_apache(exe: str) -> bool:
    """Return whether `exe`, a process's link to its program, leads to Apache's, also to one that was replaced since.

    A program of that name which a user has made is none. Raises PermissionError without the right to follow the link,
    that is, as another user without CAP_SYS_PTRACE.
    """
    try:
        program = os.readlink(exe)
    except _VANISHED:
        return False
    if program.endswith(_REPLACED):
        program = program[: -len(_REPLACED)]
    try:
        return posixpath.basename(program) in _APACHE and os.stat(exe).st_uid == 0
    except OSError:
        # It has ended, or is on a file system of a user's own, which is closed to root.
        return False


def check_status_url(url: str) -> None:
    """Raise WorkerError where `url` is not one of this host."""
    _parts_of(url)


def fetch_page(url: str, *, timeout: float = 2) -> dict[int, Row]:
    """Return the rows of mod_status's page at `url`, without a proxy and without following redirections.

    All of it takes no more than `timeout` seconds, however slowly the answer comes.

    Raises WorkerError where there is none; that is no reason to do without the workers' sockets.
    """
    # Not urllib.request: loading it takes a third of the time in which the recycler starts.
    secure, host, port, target = _parts_of(url)
    failed = f"Could not read mod_status's page {neutralise(url)}"
    deadline = time.monotonic() + timeout
    try:
        with _connected(host, port, secure=secure, deadline=deadline) as connection:
            connection.settimeout(_left(deadline))
            # Since 1.0 knows no chunks, the page is what comes until the end.
            connection.sendall(f"GET {target} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
            head, _end, page = _received(connection, deadline).decode("utf-8", "replace").partition("\r\n\r\n")
    except (OSError, OverflowError) as error:
        raise WorkerError(f"{failed}: {neutralise(str(error))}.") from error
    answer = head.partition("\r\n")[0]
    if answer.split(" ")[1:2] != ["200"]:
        raise WorkerError(f"{failed}: the answer is {neutralise(answer)!r}.")
    return parse_page(page)


def _parts_of(url: str) -> tuple[bool, str, int, str]:
    """Return whether `url` is https, its host, port and what to ask for. Raises WorkerError."""
    match = _LOCAL_URL.fullmatch(url)
    if not match:
        raise WorkerError(
            f"{neutralise(url)!r} is not a page of this host.",
            hint="Give a URL that begins with http:// or https:// and one of 127.0.0.1, [::1], localhost.",
        )
    secure = match.group(1) == "https"
    return secure, match.group(2), int(match.group(3) or (443 if secure else 80)), match.group(4) or "/"


def _connected(host: str, port: int, *, secure: bool, deadline: float) -> socket.socket:
    """Return a connection. Raises OSError, and OverflowError where there cannot be such a port."""
    connection = _plain(host.strip("[]"), port, deadline)
    if not secure:
        return connection
    # A plain page does without what takes so long to load.
    ssl = importlib.import_module("ssl")
    context = ssl.create_default_context()
    try:
        connection.settimeout(_left(deadline))
        return t.cast("socket.socket", context.wrap_socket(connection, server_hostname=host.strip("[]")))
    except OSError:
        connection.close()
        raise


def _plain(host: str, port: int, deadline: float) -> socket.socket:
    # A resolver keeps to no deadline, and tries both addresses for as long.
    if host == "localhost":
        with contextlib.suppress(OSError):
            return socket.create_connection(("::1", port), timeout=_left(deadline))
        host = "127.0.0.1"
    return socket.create_connection((host, port), timeout=_left(deadline))


def _received(connection: socket.socket, deadline: float) -> bytes:
    """Return what comes until the end, or until the page is longer than any is."""
    data = bytearray()
    while len(data) < _LONGEST_PAGE:
        # The time that a socket has is for each part alone.
        connection.settimeout(_left(deadline))
        part = connection.recv(_PART)
        if not part:
            break
        data += part
    return bytes(data)


def _left(deadline: float) -> float:
    """Return the seconds until `deadline`. Raises TimeoutError, which is an OSError, where there are none."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left


def _refused(process: str, error: OSError) -> WorkerError:
    return WorkerError(f"Could not look at {process}: {error.strerror}.", hint="Run this as root (become: true).")


def _inode(link: str) -> int:
    """Return the inode of a socket from its link in /proc/PID/fd, or -1."""
    return int(link[8:-1]) if link.startswith("socket:[") else -1


def _read(path: str) -> str:
    """Return a small file of /proc, with as few system calls as can be."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, 1 << 16).decode("utf-8", "surrogateescape")
    finally:
        os.close(descriptor)
