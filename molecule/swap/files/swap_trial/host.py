# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The changes that are tried, and what is looked at before, while and after they are made."""

from __future__ import annotations

import ctypes
import dataclasses
import fcntl
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import threading
import time
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._change import bring
from ansible_collections.oomguard.linux.plugins.module_utils._command import run
from ansible_collections.oomguard.linux.plugins.module_utils._errors import OomguardError
from ansible_collections.oomguard.linux.plugins.module_utils._swap.change import SwapChange
from ansible_collections.oomguard.linux.plugins.module_utils._swap.header import LABEL
from ansible_collections.oomguard.linux.plugins.module_utils._swap.host import Host
from ansible_collections.oomguard.linux.plugins.module_utils._swap.observe import observe_areas, observe_state
from ansible_collections.oomguard.linux.plugins.module_utils._swap.plan import Plan
from ansible_collections.oomguard.linux.plugins.module_utils._swap.tables import find_mount
from ansible_collections.oomguard.linux.plugins.module_utils._swap.unit import build_unit_name
from ansible_collections.oomguard.linux.plugins.module_utils._swap.wanted import Wanted

MIB = 1024**2
GIB = 1024**3
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
FSTAB = pathlib.Path("/etc/fstab")
UNITS = pathlib.Path("/etc/systemd/system")

_LIBC = ctypes.CDLL(None, use_errno=True)
# linux/fs.h: what chattr(1) calls +C.
_FS_IOC_SETFLAGS, _FS_NOCOW_FL = 0x40086602, 0x00800000
# The tables that findmnt(8) was content with; to ask it takes its time.
_VERIFIED: set[bytes] = set()


@dataclasses.dataclass(frozen=True)
class Trial:
    """A change from one amount of swap of ours to another; None stands for state=absent."""

    start: int
    target: int | None
    priority: int | None = None
    persist: str = "fstab"

    @property
    def floor(self) -> int:
        """Return the least that ever has to be in use."""
        return min(self.start, self.target or 0)


TRIALS = {
    "grow": Trial(start=64 * MIB, target=160 * MIB),
    "shrink": Trial(start=160 * MIB, target=64 * MIB),
    "priority": Trial(start=64 * MIB, target=64 * MIB, priority=7),
    "units": Trial(start=64 * MIB, target=64 * MIB, persist="systemd"),
    "absent": Trial(start=64 * MIB, target=None),
}


def wanted(path: str, size: int | None, *, priority: int | None = None, persist: str = "fstab") -> Wanted:
    """Return what the module would be asked for, to have `size` bytes at `path` beside all other swap."""
    elsewhere = total() - sum(
        area.size_bytes for area in observe_state(path, Host(), run).areas if area.path.startswith(path)
    )
    return Wanted(
        path=path,
        present=size is not None,
        size_bytes=elsewhere + (size or 0),
        exact=True,
        priority=priority,
        persist=persist,
        reserve_bytes=16 * MIB,
    )


def start(path: str, trial: Trial) -> None:
    """Bring the host to the trial's start, without a program: what is tried is what comes then."""
    remove(path)
    pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
    if trial.start:
        with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            if find_mount(pathlib.Path("/proc/self/mountinfo").read_text(), path).filesystem == "btrfs":
                fcntl.ioctl(file, _FS_IOC_SETFLAGS, struct.pack("=l", _FS_NOCOW_FL))
            os.posix_fallocate(file.fileno(), 0, trial.start + PAGE_BYTES)
            file.write(header(trial.start))
            file.flush()
            os.fsync(file.fileno())
        switch_on(path)
        with FSTAB.open("a", encoding="utf-8", errors="surrogateescape") as table:
            table.write(f"{path} none swap sw,nofail 0 0\n")


def remove(path: str) -> None:
    """Remove what there is of ours at `path`, in the same way."""
    for area in switch_off(path):
        os.unlink(area)
    lines = FSTAB.read_bytes().split(b"\n")
    kept = [line for line in lines if not line.startswith(path.encode())]
    if kept != lines:
        FSTAB.write_bytes(b"\n".join(kept))
    for unit in UNITS.rglob(f"{build_unit_name(path)[: -len('.swap')]}*.swap"):
        unit.unlink()


def switch_off(path: str) -> list[str]:
    """Switch off what is in use of ours at `path`, which changes nothing on the disk; return its paths."""
    areas = [area.path for area in observe_areas(Host()) if area.path.startswith(path)]
    for area in areas:
        called(_LIBC.swapoff, area)
    return areas


def switch_on(path: str) -> None:
    """Switch on the area at `path`."""
    called(_LIBC.swapon, path, 0)


def header(size: int) -> bytes:
    """Return the first page of a swap area of ours, as mkswap(8) writes it."""
    page = bytearray(PAGE_BYTES)
    struct.pack_into("=III16s16s", page, 1024, 1, size // PAGE_BYTES, 0, os.urandom(16), LABEL.encode())
    page[-10:] = b"SWAPSPACE2"
    return bytes(page)


def called(function: t.Callable[..., int], path: str, *arguments: int) -> None:
    """Call swapon(2) or swapoff(2). Raises OSError."""
    if function(path.encode(), *arguments):
        raise OSError(ctypes.get_errno(), f"{path}: {os.strerror(ctypes.get_errno())}")


def complete(path: str, trial: Trial) -> bool:
    """Bring the host to the trial's target; tell whether anything was changed."""
    target = wanted(path, trial.target, priority=trial.priority, persist=trial.persist)
    return change(target).changed


def change(target: Wanted, *, check_mode: bool = False) -> Plan:
    """Bring the host to `target`; return the plan."""
    return bring(SwapChange(wanted=target, host=Host(), run=run), check_mode=check_mode).plan


def total() -> int:
    """Return the bytes of SwapTotal."""
    for line in pathlib.Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("SwapTotal:"):
            return int(line.split()[1]) * 1024
    raise ValueError("no SwapTotal")


def in_child(work: t.Callable[[], object]) -> int:
    """Do `work` in a child process, and return its wait status."""
    return os.waitpid(child(work), 0)[1]


def child(work: t.Callable[[], object]) -> int:
    """Begin `work` in a child process, and return its number; it ends with 1 after an error that a user may read."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os._exit(0)
        except OomguardError as error:
            print(error, file=sys.stderr)
            os._exit(1)
        finally:
            os._exit(2)
    return pid


class Sampler(threading.Thread):
    """Look 50 times a second how low the total swap falls, and for how long it is lower than at the start."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.start_bytes = self.lowest_bytes = total()
        self.short_seconds = 0.0
        self.done = threading.Event()

    def run(self) -> None:
        """Sample until done."""
        last = time.monotonic()
        while not self.done.wait(0.02):
            current, now = total(), time.monotonic()
            self.lowest_bytes = min(self.lowest_bytes, current)
            if current < self.start_bytes:
                self.short_seconds += now - last
            last = now

    def __enter__(self) -> Sampler:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.done.set()
        self.join()


def complaints(path: str) -> t.Iterator[str]:
    """Yield what is wrong with a host that an interrupted change has left behind."""
    table = FSTAB.read_bytes()
    if table not in _VERIFIED:
        verify = ["findmnt", "--verify"]
        verified = subprocess.run(verify, check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if verified.returncode:
            yield f"findmnt --verify: {verified.stdout}"
        else:
            _VERIFIED.add(table)
    for line in FSTAB.read_text().splitlines():
        fields = line.split()
        if fields and fields[0].startswith(path) and ("nofail" not in fields[3] or not os.path.exists(fields[0])):
            yield f"fstab: {line}"


def leftovers(path: str) -> t.Iterator[str]:
    """Yield what should not be there once a change is complete."""
    state = observe_state(path, Host(), run)
    in_use = {area.path for area in state.areas}
    name = pathlib.Path(path).name
    for entry in sorted(pathlib.Path(path).parent.iterdir()):
        if name in entry.name and str(entry) not in in_use:
            yield f"stray {entry}"
    named = [line.split()[0] for line in FSTAB.read_text().splitlines() if line.startswith(path)]
    named += [unit.area for unit in state.units if unit.enabled and unit.text]
    ours = [entry.path for entry in state.entries]
    if sorted(named) != sorted(ours):
        yield f"{sorted(named)} are in use after a boot, the files are {sorted(ours)}"
    units = {pathlib.Path(unit.path).name for unit in state.units if unit.text}
    stem = path.strip("/").replace("/", "-")
    for entry in sorted(UNITS.rglob(f"*{stem}*.swap*")):
        if entry.name not in units:
            yield f"stray {entry}"


def tables_left() -> t.Iterator[str]:
    """Yield the unfinished tables that should not be there once every change that was interrupted is complete."""
    for entry in [*FSTAB.parent.glob(".fstab*"), *pathlib.Path("/run").glob("*oomguard-fstab*")]:
        yield f"stray {entry}"


def listing(*roots: str) -> list[str]:
    """Return what of the host lies below `roots`, but for what changes by itself, and its swap areas."""
    prune = ["/var/log", "/root", "/var/lib/systemd", tempfile.gettempdir()]
    names = [word for path in prune for word in ("-path", path, "-o")][:-1]
    shape = ["-printf", "%p %y %m %u %g %s %T@ %l\n"]
    found = [
        subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
        for command in (
            ["find", *roots, "-xdev", "(", *names, ")", "-prune", "-o", *shape],
            ["find", "/run", "-maxdepth", "1", "-name", "*oomguard*", "!", "-name", "*.lock", *shape],
        )
    ]
    areas = [" ".join(line.split()[:3]) for line in pathlib.Path("/proc/swaps").read_text().splitlines()]
    return sorted("".join(found).splitlines()) + areas
