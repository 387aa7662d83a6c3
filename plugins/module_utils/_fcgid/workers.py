# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""mod_fcgid's workers on this host: the adapter for /proc."""

from __future__ import annotations

import contextlib
import itertools
import os
import posixpath
import pwd
import time
import types
import typing as t

from .._proc import Stat, parse_stat
from .worker import (
    Memory,
    Process,
    Row,
    Sockets,
    Worker,
    WorkerError,
    add_known,
    find_cgroup,
    find_state,
    is_row_of,
    parse_limits,
    parse_pss,
    parse_sockets,
    parse_status,
)

_TICKS = os.sysconf("SC_CLK_TCK")
_SOCKET_LINK = "socket:["

# The names of Apache's program. The process manager is a fork of Apache's first process.
_APACHE = ("apache2", "httpd")
_REPLACED = " (deleted)"

_NO_ROW = Row("", 0, 0, "")
_NO_PAGE: t.Mapping[int, Row] = types.MappingProxyType({})

# The errors of /proc for a process that has ended.
_VANISHED = (FileNotFoundError, ProcessLookupError)


def is_apache(exe: str) -> bool:
    """Return whether `exe`, a process's link to its program, leads to Apache's program.

    The program may have been replaced since. A program with that name that belongs to another user than root is not
    Apache's. Raises PermissionError without the right to follow the link, that is, as another user without
    CAP_SYS_PTRACE.
    """
    try:
        program = os.readlink(exe)
    except _VANISHED:
        return False

    if program.endswith(_REPLACED):
        program = program[: -len(_REPLACED)]
    if posixpath.basename(program) not in _APACHE:
        return False

    try:
        return os.stat(exe).st_uid == 0
    except OSError:
        # The process has ended, or the program is on a user's own file system that root cannot enter.
        return False


def _read_boottime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class _Table(t.NamedTuple):
    """Processes by pid, and the pids of the children of each process that has any."""

    stats: dict[int, Stat]
    children: dict[int, list[int]]

    def list_children(self, pid: int) -> list[int]:
        """Return the pids of the processes that a process has started."""
        return self.children.get(pid, [])

    def find_descendants(self, pid: int) -> list[int]:
        """Return the pids of all processes below a process. The table was not read at once, so it may have a circle."""
        found = {pid}
        waiting = [pid]
        for parent in waiting:
            new = set(self.list_children(parent)) - found
            found.update(new)
            waiting += new

        return waiting[1:]


class Workers:
    """The workers among the processes below `proc`."""

    def __init__(
        self,
        proc: str = "/proc",
        *,
        boottime: t.Callable[[], float] = _read_boottime,
        apache: t.Callable[[str], bool] = is_apache,
    ) -> None:
        self._proc = proc
        self._apache = apache
        self._boottime = boottime
        self._users: dict[int, str] = {}

    def find_all(self, page: t.Mapping[int, Row] = _NO_PAGE, *, pss: bool = False) -> list[Worker]:
        """Return every worker, by pid. `page` has the rows that mod_status gave just before.

        A row that does not name the program of the process is ignored. A process that ends meanwhile is left out.
        Raises WorkerError without the right to inspect processes.
        """
        sockets, managers = self._observe_managers()
        if not managers:
            return []

        table = self._read_table(map(int, filter(str.isdecimal, os.listdir(self._proc))))
        pids = itertools.chain.from_iterable(map(table.list_children, managers))
        inspected = [self._inspect(pid, sockets, table, page, pss=pss) for pid in sorted(pids)]
        return list(filter(None, inspected))

    def find_again(self, worker: Worker) -> Worker | None:
        """Return the worker as its sockets show it now, None if it is no worker any more. Raises WorkerError.

        Of its processes, it has those that are still there. Only one that has run can have started others.
        """
        sockets, managers = self._observe_managers()
        table = self._read_table(process.pid for process in worker.processes)
        stat = table.stats.get(worker.pid)
        if stat is None or stat.parent_pid not in managers:
            return None

        return self._inspect(worker.pid, sockets, table, _NO_PAGE, pss=False)

    def list_left(self, worker: Worker) -> list[int]:
        """Return the pids of those processes of the worker that still run, whoever their parent is now."""
        table = self._read_table(process.pid for process in worker.processes)
        left = []
        for process in worker.processes:
            stat = table.stats.get(process.pid)
            if stat and stat.started_ticks == process.started:
                left.append(process.pid)

        return left

    def _observe_managers(self) -> tuple[Sockets, frozenset[int]]:
        """Return the workers' sockets and Apache's process managers. Raises WorkerError."""
        # Every user sees the first process, unless /proc hides the processes of other users.
        if not os.path.isdir(f"{self._proc}/1"):
            raise WorkerError(
                f"{self._proc} does not show the processes of other users, so workers cannot be found.",
                hint="It is mounted with hidepid. Run the task with become: true.",
            )

        sockets = self._read_sockets()
        return sockets, self._find_managers(sockets)

    def _read_table(self, pids: t.Iterable[int]) -> _Table:
        """Return these processes. Most of them are no workers, and cost one small file."""
        table = _Table({}, {})
        for pid in pids:
            stat = self._read_stat(pid)
            if stat:
                table.stats[pid] = stat
                table.children.setdefault(stat.parent_pid, []).append(pid)

        return table

    def _read_stat(self, pid: int) -> Stat | None:
        try:
            return parse_stat(_read(f"{self._proc}/{pid}/stat"))
        except _VANISHED:
            return None
        except PermissionError as error:
            raise _refused(f"process {pid}, which may be a worker of mod_fcgid", error) from error

    def _inspect(
        self, pid: int, sockets: Sockets, table: _Table, page: t.Mapping[int, Row], *, pss: bool
    ) -> Worker | None:
        folder = f"{self._proc}/{pid}"
        stat = table.stats[pid]
        try:
            inode = _parse_inode(os.readlink(f"{folder}/fd/0"))
            manager, path = sockets.listening.get(inode, (0, ""))
            if manager != stat.parent_pid:
                return None

            memory = parse_status(_read(f"{folder}/status"))
            processes: tuple[Process, ...] = (Process(pid, stat.started_ticks, memory),)
            if pid in table.children:
                processes += tuple(self._inspect_descendants(pid, table))

            command = tuple(_read(f"{folder}/cmdline").rstrip("\0").split("\0"))
            row = _find_row(page, pid, command)
            state, source = find_state(connected=path in sockets.connected, row=row)
            return Worker(
                pid=pid,
                ppid=stat.parent_pid,
                started=stat.started_ticks,
                command=command,
                user=self._find_user(memory.uid),
                state=state,
                state_source=source,
                idle_seconds=row.idle_seconds if row and state == "idle" else None,
                age_seconds=max(int(self._boottime() - stat.started_ticks / _TICKS), 0),
                processes=processes,
                pss_bytes=self._read_pss(processes) if pss else None,
                limits=parse_limits(_read(f"{folder}/limits")),
                oom_score=int(_read(f"{folder}/oom_score")),
                oom_score_adj=int(_read(f"{folder}/oom_score_adj")),
                cgroup=find_cgroup(_read(f"{folder}/cgroup")),
                socket=path,
                row=row,
            )
        except _VANISHED:
            return None
        except PermissionError as error:
            raise _refused(f"process {pid}, which may be a worker of mod_fcgid", error) from error

    def _inspect_descendants(self, pid: int, table: _Table) -> t.Iterator[Process]:
        """Yield all processes that descend from the process. Those that have ended are left out."""
        for descendant in table.find_descendants(pid):
            memory = self._read_memory(descendant)
            if memory.vm_hwm_bytes is None:
                continue

            started = table.stats[descendant].started_ticks
            yield Process(descendant, started, memory)

    def _read_memory(self, pid: int) -> Memory:
        """Return the memory of a process. It is unknown if the process has ended, or is ending."""
        status = ""
        with contextlib.suppress(*_VANISHED):
            status = _read(f"{self._proc}/{pid}/status")

        return parse_status(status)

    def _read_pss(self, processes: t.Iterable[Process]) -> int | None:
        """Return the sum of the proportional set sizes, None if the kernel gives none. Ended processes have none."""
        sizes = []
        for process in processes:
            with contextlib.suppress(*_VANISHED):
                sizes.append(parse_pss(_read(f"{self._proc}/{process.pid}/smaps_rollup")))

        return add_known(sizes)

    def _find_managers(self, sockets: Sockets) -> frozenset[int]:
        """Return the managers of the sockets that are Apache's. Any user can create a socket that names another one."""
        return frozenset(filter(self._is_apache, sockets.managers))

    def _is_apache(self, pid: int) -> bool:
        try:
            return self._apache(f"{self._proc}/{pid}/exe")
        except PermissionError as error:
            raise _refused(f"process {pid}, which may be mod_fcgid's process manager", error) from error

    def _read_sockets(self) -> Sockets:
        with open(f"{self._proc}/self/net/unix", encoding="utf-8", errors="surrogateescape") as file:
            return parse_sockets(file.read())

    def _find_user(self, uid: int) -> str:
        if uid not in self._users:
            self._users[uid] = _find_user_name(uid)

        return self._users[uid]


def _refused(process: str, error: OSError) -> WorkerError:
    return WorkerError(f"Could not inspect {process}: {error.strerror}.", hint="Run the task with become: true.")


def _find_row(page: t.Mapping[int, Row], pid: int, command: t.Sequence[str]) -> Row | None:
    """Return the row of a process, None if there is none or if it names another program."""
    row = page.get(pid, _NO_ROW)
    if is_row_of(row, command):
        return row

    return None


def _parse_inode(link: str) -> int:
    """Return the inode of a socket from its link in /proc/PID/fd, -1 for other links."""
    if not link.startswith(_SOCKET_LINK):
        return -1

    return int(link[len(_SOCKET_LINK) : -1])


def _read(path: str) -> str:
    """Return a small file of /proc with as few system calls as possible."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, 1 << 16).decode("utf-8", "surrogateescape")
    finally:
        os.close(descriptor)


def _find_user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
