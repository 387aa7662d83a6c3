# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make big journals with known OOM kills. systemd-journal-remote writes them in the format of journald."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import pathlib
import shutil
import subprocess
import typing as t

REMOTE = "/lib/systemd/systemd-journal-remote"
FIXTURES = pathlib.Path(__file__).parents[1] / "unit/plugins/module_utils/_oom/fixtures"
FILES = 32
REPORTS = 20
LINES = 163
UNIT = "apache2.service"

EDITION = 1
"""Raise this with each change of the entries, so that journals made before are not used."""
# One entry every ten seconds.
STEP_US = 10_000_000
EPOCH_US = 1_764_000_000_000_000
MACHINE = "8f5d3c1e9a7b4d26b0c2e4f6a8091b3d"


@dataclasses.dataclass(frozen=True)
class Shape:
    """The content of a journal: the kernel's entries per 1,000 entries, and the errors per 1,000 of these."""

    title: str
    kernel: int
    errors: int
    kills: bool = True


SHAPES = {
    "a": Shape("a busy server", kernel=150, errors=20),
    "b": Shape("a firewall that logs packets", kernel=750, errors=0),
    "c": Shape("like a, no OOM kill", kernel=150, errors=20, kills=False),
    "d": Shape("a dying disk", kernel=750, errors=1000),
}

_KERNEL = (
    "__REALTIME_TIMESTAMP={at}\n__MONOTONIC_TIMESTAMP={monotonic}\n_BOOT_ID={boot}\n_MACHINE_ID={machine}\n"
    "_HOSTNAME=web1\n_TRANSPORT=kernel\nSYSLOG_FACILITY=0\nSYSLOG_IDENTIFIER=kernel\nPRIORITY={priority}\n"
    "_SOURCE_MONOTONIC_TIMESTAMP={monotonic}\nMESSAGE={message}\n\n"
)
_PROCESS = (
    "__REALTIME_TIMESTAMP={at}\n__MONOTONIC_TIMESTAMP={monotonic}\n_BOOT_ID={boot}\n_MACHINE_ID={machine}\n"
    "_HOSTNAME=web1\n_TRANSPORT={transport}\nSYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER={name}\nPRIORITY={priority}\n"
    "_PID={pid}\n_UID=0\n_GID=0\n_COMM={name}\n_EXE=/usr/sbin/{name}\n_CMDLINE=/usr/sbin/{name} --foreground\n"
    "_CAP_EFFECTIVE=1ffffffffff\n_SYSTEMD_CGROUP={cgroup}\n_SYSTEMD_UNIT={unit}\n_SYSTEMD_SLICE=-.slice\n"
    "_SOURCE_REALTIME_TIMESTAMP={at}\n{more}MESSAGE={message}\n\n"
)
_PACKET = (
    "[UFW BLOCK] IN=eth0 OUT= MAC=52:54:00:12:34:56:52:55:0a:00:02:02:08:00 SRC=198.51.100.{octet} DST=192.0.2.7 "
    "LEN=60 TOS=0x00 PREC=0x00 TTL=52 ID={number} DF PROTO=TCP SPT={port} DPT=22 WINDOW=29200 RES=0x00 SYN URGP=0"
)
_DISK = "blk_update_request: I/O error, dev sda, sector {number} op 0x0:(READ) flags 0x80700 phys_seg 1 prio class 0"


def find_or_make_journal(kind: str, entries: int, cache: pathlib.Path) -> pathlib.Path:
    """Return the folder of a journal of that kind from the cache, or make it there."""
    folder = cache / f"{kind}-{entries}-{EDITION}"
    if folder.is_dir():
        return folder

    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for number in range(FILES):
        entries_of_file = _make_entries(SHAPES[kind], entries // FILES, number)
        _write_file(partial / f"system-{number:02}.journal", entries_of_file)
    partial.rename(folder)
    return folder


def write_small_journal(path: pathlib.Path, kind: str, entries: int) -> None:
    """Write one file of a journal of that kind."""
    _write_file(path, _make_entries(SHAPES[kind], entries, 0))


def find_newest_us(entries: int) -> int:
    """Return the time of the newest entry, in microseconds since 1970."""
    return EPOCH_US + (entries // FILES * FILES - 1) * STEP_US


def find_cache_folder() -> pathlib.Path:
    """Return the folder for journals that are kept between runs."""
    cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(cache) / "oomguard/journals"


def _write_file(path: pathlib.Path, entries: t.Iterator[str]) -> None:
    command = [REMOTE, f"--output={path}", "-"]
    remote = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    with remote, t.cast(t.IO[str], remote.stdin) as stdin:
        while chunk := "".join(itertools.islice(entries, 1000)):
            stdin.write(chunk)
    if remote.returncode:
        raise SystemExit(f"{' '.join(command)} ended with status {remote.returncode}.")


def _make_entries(shape: Shape, count: int, file: int) -> t.Iterator[str]:
    """Yield the entries of one file. A boot has four files, and the kills are spread evenly over all files."""
    boot = f"{file // 4 + 1:032x}"
    kills: dict[int, int] = {}
    if shape.kills:
        kills = _place_kills(count, file)
    for index in range(count):
        number = file * count + index
        at = {"at": EPOCH_US + number * STEP_US, "boot": boot, "machine": MACHINE}
        at["monotonic"] = ((file % 4) * count + index + 1) * STEP_US
        if index in kills:
            yield from _make_kill(at, kills[index])
        else:
            yield _make_entry(shape, number, at)


def _place_kills(count: int, file: int) -> dict[int, int]:
    """Return the pids of the victims in one file by the index of the entry that the kill replaces."""
    numbers = [number for number in range(REPORTS) if number * FILES // REPORTS == file]
    kills = {}
    for turn, number in enumerate(numbers):
        kills[count * (turn + 1) // (len(numbers) + 1)] = 1000 + number
    return kills


def _make_entry(shape: Shape, number: int, at: t.Mapping[str, t.Any]) -> str:
    """Return an entry of the kernel, of systemd or of a program. The kinds are scattered evenly."""
    scattered = number * 7919 % 1000
    values = {"number": number, "octet": number % 250, "port": 1024 + number % 60000}
    if scattered < shape.kernel:
        if number * 104729 % 1000 < shape.errors:
            return _KERNEL.format(priority=3, message=_DISK.format(**values), **at)
        return _KERNEL.format(priority=4, message=_PACKET.format(**values), **at)
    if scattered >= 990:
        return _make_systemd_entry(
            at, "logrotate.service", "39f53479d3a045ac8e11786248231fbf", "Started Rotate log files."
        )
    return _make_program_entry(number, at)


def _make_program_entry(number: int, at: t.Mapping[str, t.Any]) -> str:
    name = f"app{number % 23}"
    message = (
        f"request {number} from 198.51.100.{number % 250} took {number % 977} ms, status 200, {number % 8191} bytes"
    )
    return _PROCESS.format(
        transport="syslog",
        name=name,
        pid=600 + number % 23,
        priority=6,
        unit=f"{name}.service",
        cgroup=f"/system.slice/{name}.service",
        more="",
        message=message,
        **at,
    )


def _make_systemd_entry(at: t.Mapping[str, t.Any], unit: str, message_id: str, message: str, *, more: str = "") -> str:
    return _PROCESS.format(
        transport="journal",
        name="systemd",
        pid=1,
        priority=6,
        unit="init.scope",
        cgroup="/init.scope",
        more=f"UNIT={unit}\nMESSAGE_ID={message_id}\n{more}",
        message=message,
        **at,
    )


def _make_kill(at: t.Mapping[str, t.Any], pid: int) -> t.Iterator[str]:
    """Yield a whole report and systemd's reaction to the kill, all within half a second."""
    moment = dict(at)

    def advance() -> dict[str, t.Any]:
        moment["at"] += 1000
        moment["monotonic"] += 1000
        return dict(moment)

    for message, priority in _make_report(pid):
        yield _KERNEL.format(priority=priority, message=message, **advance())
    noticed = f"{UNIT}: A process of this unit was killed."
    yield _make_systemd_entry(advance(), UNIT, "fe6faa94e7774663a0da52717891d8ef", noticed)
    failed = f"{UNIT}: Failed with result 'oom-kill'."
    result = "UNIT_RESULT=oom-kill\n"
    yield _make_systemd_entry(advance(), UNIT, "d9b373ed55a64feb8242e02dbe79a49c", failed, more=result)
    scheduled = f"{UNIT}: Scheduled restart job."
    yield _make_systemd_entry(advance(), UNIT, "5eb03494b6584870a536b337290809b3", scheduled)
    started = "Started The Apache HTTP Server."
    yield _make_systemd_entry(advance(), UNIT, "39f53479d3a045ac8e11786248231fbf", started)


def _make_report(pid: int) -> list[tuple[str, int]]:
    """Return the lines of a real report and their priorities. Rows of its table are repeated to make LINES lines."""
    lines = _read_kernel_lines(pid)
    begin = _find_line(lines, "leak.fcgi invoked", 0)
    heading = _find_line(lines, "[  pid  ]", begin)
    end = _find_line(lines, "Killed process", heading)
    head = lines[begin : heading + 1]
    rows = lines[heading + 1 : end - 1]
    tail = lines[end - 1 : end + 1]
    table = itertools.islice(itertools.cycle(rows), LINES - len(head) - len(tail))
    return [*head, *table, *tail]


def _read_kernel_lines(pid: int) -> list[tuple[str, int]]:
    """Return the kernel's lines in a fixture and their priorities. The victim gets another pid."""
    lines = []
    for text in (FIXTURES / "bullseye.json").read_text(encoding="utf-8").splitlines():
        record = json.loads(text)
        if record["_TRANSPORT"] == "kernel":
            message = str(record["MESSAGE"]).replace("759", str(pid)).replace("\n", " ")
            lines.append((message, int(record["PRIORITY"])))
    return lines


def _find_line(lines: list[tuple[str, int]], words: str, start: int) -> int:
    """Return the position of the first line from `start` on that contains the words."""
    for at in range(start, len(lines)):
        if words in lines[at][0]:
            return at
    raise ValueError(f"No line of the fixture contains {words!r}.")
