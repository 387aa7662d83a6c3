# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel and mod_fcgid report about a worker. Pure.

mod_fcgid creates a socket `DIR/MANAGER.N` for each worker, where MANAGER is the pid of its process manager. It passes
the listening socket to the worker as standard input (fcgid_proc_unix.c, 2.3.9). Each request has its own connection.
So a worker is a child of that manager, which runs Apache's program, and it has such a socket. It is busy while a
connection to that socket exists or waits to be accepted. Its other connections, for example to a database, do not
matter. A worker may start processes of its own, which are part of it: php-cgi starts PHP_FCGI_CHILDREN of them, which
answer requests on the same socket.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fnmatch
import functools
import operator
import os.path
import re
import typing as t

from .._errors import OomguardError
from .._proc import find_unit_cgroup, parse_cgroups

# Programs that run a script.
INTERPRETER = re.compile(r"(?:perl|python|pypy|ruby|php|lua|node|nodejs|tclsh|sh|bash|dash|ksh|zsh)[0-9.]*")
_SOCKET = re.compile(r"/([0-9]+)\.[0-9]+")
_ACCEPTS = 0x10000
# How mod_status's page names the states of a worker: Exiting has a reason in brackets.
_STATES = (("Ready", "idle"), ("Working", "busy"), ("Exiting", "exiting"))
_PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)
_LIMIT = re.compile(r"^Max ([a-z ]+?) +(\d+|unlimited) +(\d+|unlimited) *([a-z]*)", re.MULTILINE)


class WorkerError(OomguardError):
    """The workers or mod_status's page could not be read."""


@dataclasses.dataclass(frozen=True)
class Sockets:
    """The sockets of workers. Any user may have forged some of them.

    `listening` has the manager and the path of each listening socket by inode. `connected` has the paths of the sockets
    with a connection.
    """

    listening: t.Mapping[int, tuple[int, str]]
    connected: t.AbstractSet[str]

    @property
    def managers(self) -> frozenset[int]:
        """Return the pids of the process managers that created the sockets, according to the paths."""
        return frozenset(manager for manager, _path in self.listening.values())


@dataclasses.dataclass(frozen=True)
class Row:
    """What mod_status's page says about one worker. `idle_seconds` is the time since its last request began.

    Nothing else vouches for it: a website that may configure its own directories can put any text in place of the page.
    """

    command: str
    idle_seconds: int
    accesses: int
    state: str


@dataclasses.dataclass(frozen=True)
class Limit:
    """A resource limit. None is unlimited."""

    soft: int | None
    hard: int | None


class Memory(t.NamedTuple):
    """Values from /proc/PID/status, None if the kernel does not give one, as for a process that is ending.

    `switches` counts how often the kernel has run the process. While it does not change, there was no request.
    """

    uid: int
    vm_hwm_bytes: int | None
    rss_bytes: int | None
    swap_bytes: int | None
    switches: int

    @property
    def peak_bytes(self) -> int:
        """Return the most memory that was ever resident, 0 if the kernel does not say."""
        return self.vm_hwm_bytes or 0


class Process(t.NamedTuple):
    """One process of a worker. No other process ever has the same `pid` and `started` (clock ticks after the boot)."""

    pid: int
    started: int
    memory: Memory

    @property
    def activity(self) -> tuple[int, int, int]:
        """Return a value that changes whenever the kernel runs the process, and that no other process has."""
        return self.pid, self.started, self.memory.switches


@dataclasses.dataclass(frozen=True)
class Worker:
    """The process that mod_fcgid has started, and all its descendants.

    `processes` has that process first. The other values are those of this process, unless they say otherwise.
    `pss_bytes` is the sum over all processes.
    """

    pid: int
    ppid: int
    started: int
    command: tuple[str, ...]
    user: str
    state: str
    state_source: str
    idle_seconds: int | None
    age_seconds: int
    processes: tuple[Process, ...]
    pss_bytes: int | None
    limits: t.Mapping[str, Limit]
    oom_score: int | None
    oom_score_adj: int | None
    cgroup: str | None
    socket: str
    row: Row | None = None

    @property
    def memory(self) -> Memory:
        """Return the sums over all processes. A page that several of them share is counted for each."""
        if len(self.processes) == 1:
            return self.processes[0].memory

        return add_memory(map(operator.attrgetter("memory"), self.processes))

    @property
    def activity(self) -> tuple[tuple[int, int, int], ...]:
        """Return a value that changes whenever the kernel runs, starts or ends one of the processes."""
        return tuple(map(operator.attrgetter("activity"), self.processes))

    @property
    def script(self) -> str:
        """Return the program that Apache serves, according to the command line."""
        return find_script(self.command)

    @property
    def counted_as(self) -> tuple[str, str]:
        """Return the same value for all workers that mod_fcgid counts together (its class).

        These have the same user and program. Workers that may have renamed themselves count as one program.
        """
        if self.script.startswith("/"):
            return self.user, self.script

        return self.user, ""


def parse_sockets(text: str) -> Sockets:
    """Return the workers' sockets in the text of /proc/net/unix (unix_seq_show in net/unix/af_unix.c).

    A user who may create a socket can put a line break into its path and so forge lines. An inode with two different
    lines is left out. But an inode that has no line there, such as that of a TCP socket, may have a forged one, so the
    caller has to check that a manager is Apache's.
    """
    found: dict[int, set[tuple[bool, str]]] = {}
    for line in text.split("\n"):
        fields = line.split(None, 7)
        # The headings are not numbers, and a forged line may contain anything.
        with contextlib.suppress(IndexError, ValueError):
            accepts = bool(int(fields[3], 16) & _ACCEPTS)
            inode = int(fields[6])
            found.setdefault(inode, set()).add((accepts, "".join(fields[7:])))

    listening: dict[int, tuple[int, str]] = {}
    connected = set()
    for inode, sockets in found.items():
        for accepts, path in sockets:
            manager = _find_manager(path)
            if manager is None:
                continue

            if not accepts:
                connected.add(path)
            elif len(sockets) == 1:
                listening[inode] = manager, path

    return Sockets(listening, connected)


def _find_manager(path: str) -> int | None:
    """Return the manager in the path of a worker's socket, None for the path of another socket."""
    name_start = path.rfind("/")
    if name_start < 0:
        return None

    match = _SOCKET.fullmatch(path, name_start)
    if match is None:
        return None

    return int(match.group(1))


def parse_status(text: str) -> Memory:
    """Return the memory of a process from the text of /proc/PID/status."""
    voluntary = _find_count(text, "\nvoluntary_ctxt_switches:")
    involuntary = _find_count(text, "\nnonvoluntary_ctxt_switches:")
    return Memory(
        uid=_find_count(text, "\nUid:"),
        vm_hwm_bytes=_find_kib(text, "\nVmHWM:"),
        rss_bytes=_find_kib(text, "\nVmRSS:"),
        swap_bytes=_find_kib(text, "\nVmSwap:"),
        switches=voluntary + involuntary,
    )


def add_memory(memories: t.Iterable[Memory]) -> Memory:
    """Return the sums of several processes, with the user of the first. A sum without a known value is None."""
    uids, peaks, resident_sizes, swapped_sizes, switches = zip(*memories)
    return Memory(
        uid=uids[0],
        vm_hwm_bytes=add_known(peaks),
        rss_bytes=add_known(resident_sizes),
        swap_bytes=add_known(swapped_sizes),
        switches=sum(switches),
    )


def add_known(values: t.Iterable[int | None]) -> int | None:
    """Return the sum of the values that are known, None if none is."""
    known = [value for value in values if value is not None]
    if not known:
        return None

    return sum(known)


def _find_count(text: str, label: str) -> int:
    """Return the number that follows `label`, 0 if there is none."""
    return _find_number(text, label) or 0


def _find_kib(text: str, label: str) -> int | None:
    """Return the KiB that follow `label`, in bytes."""
    value = _find_number(text, label)
    if value is None:
        return None

    return value * 1024


def _find_number(text: str, label: str) -> int | None:
    """Return the number that follows `label`. For hundreds of workers, this is far faster than a regular expression."""
    start = text.find(label)
    if start < 0:
        return None

    end = text.index("\n", start + 1)
    return int(text[start + len(label) : end].split(None, 1)[0])


@functools.lru_cache(maxsize=16)
def parse_limits(text: str) -> t.Mapping[str, Limit]:
    """Return the limits that are set in /proc/PID/limits, such as `address_space_bytes`. The others are unlimited."""
    limits = {}
    for title, soft, hard, unit in _LIMIT.findall(text):
        limit = Limit(_parse_limit(soft), _parse_limit(hard))
        if limit == Limit(None, None):
            continue

        name = title.replace(" ", "_")
        if unit == "bytes":
            name = f"{name}_bytes"
        limits[name] = limit

    return limits


def _parse_limit(text: str) -> int | None:
    if text == "unlimited":
        return None

    return int(text)


def parse_pss(text: str) -> int | None:
    """Return the proportional set size in /proc/PID/smaps_rollup, in bytes. It counts shared pages in parts."""
    match = _PSS.search(text)
    if match is None:
        return None

    return int(match.group(1)) * 1024


@functools.lru_cache(maxsize=16)
def find_cgroup(text: str) -> str | None:
    """Return the cgroup in the text of /proc/PID/cgroup, in which systemd runs the process."""
    return find_unit_cgroup(parse_cgroups(text))


def find_script(command: t.Sequence[str]) -> str:
    """Return the program that Apache serves.

    The kernel puts an interpreter and its option before a script, which mod_fcgid starts by its full path. php-cgi has
    no script of its own, since each request names one.
    """
    if not command:
        return ""

    name = os.path.basename(command[0])
    if name.startswith("php") or not INTERPRETER.fullmatch(name):
        return command[0]

    for word in command[1:]:
        if word.startswith("/"):
            return word

    return command[0]


def has_script(worker: Worker, patterns: t.Iterable[str]) -> bool:
    """Return whether the worker's script matches one of `patterns`, in which `*` stands for any text."""
    return any(fnmatch.fnmatchcase(worker.script, pattern) for pattern in patterns)


def is_row_of(row: Row, command: t.Sequence[str]) -> bool:
    """Return whether a row of mod_status's page names the program in `command`, a process's command line.

    mod_fcgid counts a wrapper with several words as one command, whose last word is the program. suexec starts a
    program by its name alone. A program that renames itself has no row.
    """
    program = row.command.rpartition(" ")[2]
    if not os.path.basename(program):
        return False

    if row.command in command or program in command:
        return True

    return os.path.basename(program) in command[:3]


def find_state(*, connected: bool, row: Row | None) -> tuple[str, str]:
    """Return whether a worker is idle, busy or exiting, and the source of that.

    `row` is older than the state of the sockets, so a connection takes precedence. A worker that mod_fcgid has already
    chosen but not connected to yet is busy.
    """
    if connected:
        return "busy", "sockets"
    if row is None:
        return "idle", "sockets"

    for beginning, state in _STATES:
        if row.state.startswith(beginning):
            return state, "status_page"

    return "idle", "sockets"
