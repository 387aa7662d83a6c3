# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel's texts and mod_fcgid's own table say about its workers. Pure.

mod_fcgid makes a socket for each worker, `DIR/MANAGER.N`, where MANAGER is the pid of its process manager, and hands it
over, listening, as standard input (fcgid_proc_unix.c, 2.3.9). Each request is a connection of its own. So a worker is a
child of that manager, which runs Apache's program, with such a socket, and it is busy while anything is connected to
it, or waits to be accepted; what else the program has open, to a database for instance, does not matter.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fnmatch
import functools
import os.path
import re
import typing as t

from .._errors import OomguardError

# Programs that run a script.
INTERPRETER = re.compile(r"(?:perl|python|pypy|ruby|php|lua|node|nodejs|tclsh|sh|bash|dash|ksh|zsh)[0-9.]*")
_SOCKET = re.compile(r"/([0-9]+)\.[0-9]+")
_ACCEPTS = 0x10000
_PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)
_LIMIT = re.compile(r"^Max ([a-z ]+?) +(\d+|unlimited) +(\d+|unlimited) *([a-z]*)", re.MULTILINE)


class WorkerError(OomguardError):
    """Workers cannot be looked at, or there is no such page of mod_status."""


@dataclasses.dataclass(frozen=True)
class Sockets:
    """Workers' sockets: manager and path of each listening one by its inode, and the paths that have a connection.

    Anybody may have forged some of them.
    """

    listening: t.Mapping[int, tuple[int, str]]
    connected: t.AbstractSet[str]

    @property
    def managers(self) -> frozenset[int]:
        """Return the pids of the process managers that made them, by their paths."""
        return frozenset(manager for manager, _path in self.listening.values())


@dataclasses.dataclass(frozen=True)
class Row:
    """What mod_status's page says about one worker; `idle_seconds` is the time since its last request began."""

    command: str
    idle_seconds: int
    accesses: int
    state: str


@dataclasses.dataclass(frozen=True)
class Limit:
    """A resource limit; None is unlimited."""

    soft: int | None
    hard: int | None


@dataclasses.dataclass(frozen=True)
class Memory:
    """From /proc/PID/status; None where the kernel does not say, as for a process that is ending."""

    uid: int
    vm_hwm_bytes: int | None
    rss_bytes: int | None
    swap_bytes: int | None
    switches: int


@dataclasses.dataclass(frozen=True)
class Worker:
    """One worker. `started` (clock ticks after boot) and `pid` together are never used again for another process.

    `switches` counts how often the kernel has run it: as long as it stands still, there was no request.
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
    memory: Memory
    pss_bytes: int | None
    limits: t.Mapping[str, Limit]
    oom_score: int | None
    oom_score_adj: int | None
    cgroup: str | None
    socket: str
    row: Row | None = None

    @property
    def script(self) -> str:
        """Return the program as Apache knows it.

        That is what mod_status's page gives, but for a wrapper with words of its own, which may stand for any program.
        """
        served = self.row.command if self.row else ""
        return served if served.startswith("/") and " " not in served else script_of(self.command)

    @property
    def counted_as(self) -> str:
        """Return what is the same for all workers that mod_fcgid counts together (its class).

        Without its page that is the program, and one word for all those that may have named themselves.
        """
        if self.row:
            return self.row.command
        return self.script if self.script.startswith("/") else ""


def parse_sockets(text: str) -> Sockets:
    """Return the workers' sockets in the text of /proc/net/unix (unix_seq_show in net/unix/af_unix.c).

    Whoever may make a socket can put a line break into its path and so write lines of their own. An inode of which two
    lines differ is left out, but one that has no line there, as of TCP, may have a forged one: whether a manager is
    Apache's has to be seen elsewhere.
    """
    found: dict[int, set[tuple[bool, str]]] = {}
    for line in text.split("\n"):
        fields = line.split(None, 7)
        # The headings are no numbers, nor is what else may stand in a forged line.
        with contextlib.suppress(IndexError, ValueError):
            accepts, inode = bool(int(fields[3], 16) & _ACCEPTS), int(fields[6])
            found.setdefault(inode, set()).add((accepts, "".join(fields[7:])))
    listening: dict[int, tuple[int, str]] = {}
    connected = set()
    for inode, sockets in found.items():
        for accepts, path in sockets:
            named = _SOCKET.fullmatch(path, path.rfind("/")) if "/" in path else None
            if named and not accepts:
                connected.add(path)
            elif named and len(sockets) == 1:
                listening[inode] = int(named.group(1)), path
    return Sockets(listening, connected)


def parse_stat(text: str) -> tuple[int, int]:
    """Return the parent and the start (clock ticks after boot) from /proc/PID/stat; the name may hold anything."""
    fields = text[text.rindex(")") + 2 :].split()
    return int(fields[1]), int(fields[19])


def parse_status(text: str) -> Memory:
    """Return what counts here of /proc/PID/status."""
    return Memory(
        uid=_number(text, "\nUid:") or 0,
        vm_hwm_bytes=_kib(text, "\nVmHWM:"),
        rss_bytes=_kib(text, "\nVmRSS:"),
        swap_bytes=_kib(text, "\nVmSwap:"),
        switches=(_number(text, "\nvoluntary_ctxt_switches:") or 0)
        + (_number(text, "\nnonvoluntary_ctxt_switches:") or 0),
    )


def _kib(text: str, label: str) -> int | None:
    """Return in bytes the KiB that follow `label`."""
    value = _number(text, label)
    return None if value is None else value * 1024


def _number(text: str, label: str) -> int | None:
    """Return the number that follows `label`; for hundreds of workers this is far quicker than a regular expression."""
    at = text.find(label)
    return None if at < 0 else int(text[at + len(label) : text.index("\n", at + 1)].split(None, 1)[0])


@functools.lru_cache(maxsize=16)
def parse_limits(text: str) -> t.Mapping[str, Limit]:
    """Return the limits in /proc/PID/limits that are set, such as `address_space_bytes`; the others are unlimited."""
    found = {}
    for name, soft, hard, unit in _LIMIT.findall(text):
        limit = Limit(*(None if value == "unlimited" else int(value) for value in (soft, hard)))
        if limit != Limit(None, None):
            found[name.replace(" ", "_") + ("_bytes" if unit == "bytes" else "")] = limit
    return found


def parse_pss(text: str) -> int | None:
    """Return the bytes in /proc/PID/smaps_rollup, each shared page counted in parts."""
    match = _PSS.search(text)
    return int(match.group(1)) * 1024 if match else None


@functools.lru_cache(maxsize=16)
def parse_cgroup(text: str) -> str | None:
    """Return the path in /proc/PID/cgroup: that of version 2, else the one that systemd uses."""
    paths = dict(line.split(":", 2)[1:] for line in text.split("\n") if line.count(":") >= 2)
    return next((paths[name] for name in ("", "name=systemd", "memory") if name in paths), None)


def script_of(command: t.Sequence[str]) -> str:
    """Return the program that Apache serves.

    The kernel puts an interpreter and its option before a script, whose full path mod_fcgid gives. php-cgi has no
    script of its own: each request names one.
    """
    if not command:
        return ""
    name = os.path.basename(command[0])
    if name.startswith("php") or not INTERPRETER.fullmatch(name):
        return command[0]
    return next((word for word in command[1:] if word.startswith("/")), command[0])


def matches(worker: Worker, patterns: t.Iterable[str]) -> bool:
    """Return whether the worker's script is one of `patterns`, in which `*` stands for anything."""
    return any(fnmatch.fnmatchcase(worker.script, pattern) for pattern in patterns)


def state_of(*, connected: bool, row: Row | None) -> tuple[str, str]:
    """Return whether a worker is idle, busy or exiting, and who says so.

    `row` is older than the look at the sockets, so a connection is the later word. A worker that mod_fcgid has already
    chosen and not connected to yet is busy.
    """
    if connected:
        return "busy", "sockets"
    if row is None:
        return "idle", "sockets"
    return {"Ready": "idle", "Working": "busy"}.get(row.state, "exiting"), "status_page"
