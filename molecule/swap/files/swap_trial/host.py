# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The trials, how they are applied, and the checks of the host before, during and after them."""

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
from swap_trial.proc import read_swap_total

MIB = 1024**2
GIB = 1024**3
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
FSTAB = pathlib.Path("/etc/fstab")
UNITS = pathlib.Path("/etc/systemd/system")

_LIBC = ctypes.CDLL(None, use_errno=True)
# The flag +C of chattr(1), from linux/fs.h.
_FS_IOC_SETFLAGS, _FS_NOCOW_FL = 0x40086602, 0x00800000
# The tables that findmnt(8) has accepted; it takes long to run.
_VERIFIED: set[bytes] = set()


@dataclasses.dataclass(frozen=True)
class Trial:
    """A change of our swap from one size in bytes to another. A target of None stands for state=absent."""

    start: int
    target: int | None
    priority: int | None = None
    persist: str = "fstab"

    @property
    def floor(self) -> int:
        """Return the least swap that must be in use at any time, in bytes."""
        return min(self.start, self.target or 0)


TRIALS = {
    "grow": Trial(start=64 * MIB, target=160 * MIB),
    "shrink": Trial(start=160 * MIB, target=64 * MIB),
    "priority": Trial(start=64 * MIB, target=64 * MIB, priority=7),
    "units": Trial(start=64 * MIB, target=64 * MIB, persist="systemd"),
    "absent": Trial(start=64 * MIB, target=None),
}


def make_wanted(path: str, size: int | None, *, priority: int | None = None, persist: str = "fstab") -> Wanted:
    """Return the module's options that give `size` bytes at `path`, in addition to all other swap."""
    total = read_swap_total()
    areas = observe_state(path, Host(), run).areas
    ours = sum(area.size_bytes for area in areas if area.path.startswith(path))
    return Wanted(
        path=path,
        present=size is not None,
        size_bytes=total - ours + (size or 0),
        exact=True,
        priority=priority,
        persist=persist,
        reserve_bytes=16 * MIB,
    )


def set_up(path: str, trial: Trial) -> None:
    """Give the host the swap that the trial starts with, without the module or other programs."""
    remove_swap(path)
    pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
    if not trial.start:
        return

    with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        if find_mount(pathlib.Path("/proc/self/mountinfo").read_text(), path).filesystem == "btrfs":
            fcntl.ioctl(file, _FS_IOC_SETFLAGS, struct.pack("=l", _FS_NOCOW_FL))
        os.posix_fallocate(file.fileno(), 0, trial.start + PAGE_BYTES)
        file.write(make_header(trial.start))
        file.flush()
        os.fsync(file.fileno())
    switch_on(path)
    with FSTAB.open("a", encoding="utf-8", errors="surrogateescape") as table:
        table.write(f"{path} none swap sw,nofail 0 0\n")


def remove_swap(path: str) -> None:
    """Remove our swap at `path`, without the module or other programs."""
    for area in switch_off(path):
        os.unlink(area)
    lines = FSTAB.read_bytes().split(b"\n")
    kept = [line for line in lines if not line.startswith(path.encode())]
    if kept != lines:
        FSTAB.write_bytes(b"\n".join(kept))
    for unit in UNITS.rglob(f"{build_unit_name(path)[: -len('.swap')]}*.swap"):
        unit.unlink()


def switch_off(path: str) -> list[str]:
    """Switch off our swap areas at `path`, which changes nothing on the disk; return their paths."""
    areas = [area.path for area in observe_areas(Host()) if area.path.startswith(path)]
    for area in areas:
        call_libc(_LIBC.swapoff, area)
    return areas


def switch_on(path: str) -> None:
    """Switch on the swap area at `path`."""
    call_libc(_LIBC.swapon, path, 0)


def make_header(size: int) -> bytes:
    """Return the first page of one of our swap areas, as mkswap(8) writes it."""
    page = bytearray(PAGE_BYTES)
    struct.pack_into("=III16s16s", page, 1024, 1, size // PAGE_BYTES, 0, os.urandom(16), LABEL.encode())
    page[-10:] = b"SWAPSPACE2"
    return bytes(page)


def call_libc(function: t.Callable[..., int], path: str, *arguments: int) -> None:
    """Call swapon(2) or swapoff(2). Raise OSError if it fails."""
    if function(path.encode(), *arguments):
        raise OSError(ctypes.get_errno(), f"{path}: {os.strerror(ctypes.get_errno())}")


def reach_target(path: str, trial: Trial) -> bool:
    """Give the host the swap that is the trial's target, as the module does. Return whether anything was changed."""
    wanted = make_wanted(path, trial.target, priority=trial.priority, persist=trial.persist)
    return change_swap(wanted).changed


def change_swap(wanted: Wanted, *, check_mode: bool = False) -> Plan:
    """Give the host the wanted swap, as the module does, and return the plan."""
    change = SwapChange(wanted=wanted, host=Host(), run=run)
    _state, plan = bring(change, check_mode=check_mode)
    return plan


def run_in_child(work: t.Callable[[], object]) -> int:
    """Do `work` in a child process, and return its wait status."""
    return os.waitpid(start_child(work), 0)[1]


def start_child(work: t.Callable[[], object]) -> int:
    """Start `work` in a child process, and return its process id.

    The child exits with 1 after an OomguardError, and with 2 after any other exception.
    """
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
    """Sample the total swap 50 times a second: how low it falls, and for how long it is lower than at the start."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.start_bytes = read_swap_total()
        self.lowest_bytes = self.start_bytes
        self.short_seconds = 0.0
        self.done = threading.Event()

    def run(self) -> None:
        """Sample until `done` is set."""
        last = time.monotonic()
        while not self.done.wait(0.02):
            current = read_swap_total()
            now = time.monotonic()
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


def find_damage(path: str) -> t.Iterator[str]:
    """Yield the errors in fstab that an interrupted change has left."""
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
        if not fields or not fields[0].startswith(path):
            continue
        if "nofail" not in fields[3] or not os.path.exists(fields[0]):
            yield f"fstab: {line}"


def find_leftovers(path: str) -> t.Iterator[str]:
    """Yield what must not exist after a complete change: stray files and units, and areas that a boot adds or loses."""
    state = observe_state(path, Host(), run)
    in_use = {area.path for area in state.areas}
    yield from _find_stray_files(path, in_use=in_use)

    units = [unit for unit in state.units if unit.text]
    enabled = [unit.area for unit in units if unit.enabled]
    after_boot = sorted(_list_fstab_areas(path) + enabled)
    files = sorted(entry.path for entry in state.entries)
    if after_boot != files:
        yield f"after a boot, {after_boot} are in use, but the files are {files}"

    known = {pathlib.Path(unit.path).name for unit in units}
    yield from _find_stray_units(path, known=known)


def _list_fstab_areas(path: str) -> list[str]:
    lines = FSTAB.read_text().splitlines()
    return [line.split()[0] for line in lines if line.startswith(path)]


def _find_stray_files(path: str, *, in_use: set[str]) -> t.Iterator[str]:
    place = pathlib.Path(path)
    for entry in sorted(place.parent.iterdir()):
        if place.name in entry.name and str(entry) not in in_use:
            yield f"stray {entry}"


def _find_stray_units(path: str, *, known: set[str]) -> t.Iterator[str]:
    stem = path.strip("/").replace("/", "-")
    for entry in sorted(UNITS.rglob(f"*{stem}*.swap*")):
        if entry.name not in known:
            yield f"stray {entry}"


def find_unfinished_tables() -> t.Iterator[str]:
    """Yield the unfinished tables, which must not exist once every interrupted change is complete."""
    for entry in [*FSTAB.parent.glob(".fstab*"), *pathlib.Path("/run").glob("*oomguard-fstab*")]:
        yield f"stray {entry}"


def list_host(*roots: str) -> list[str]:
    """Return a line for each file below `roots`, except those that change by themselves, and for each swap area."""
    pruned = ["-path", tempfile.gettempdir()]
    for path in ("/var/log", "/root", "/var/lib/systemd"):
        pruned += ["-o", "-path", path]
    shape = ["-printf", "%p %y %m %u %g %s %T@ %l\n"]
    found = _run_find(*roots, "-xdev", "(", *pruned, ")", "-prune", "-o", *shape)
    found += _run_find("/run", "-maxdepth", "1", "-name", "*oomguard*", "!", "-name", "*.lock", *shape)
    areas = [" ".join(line.split()[:3]) for line in pathlib.Path("/proc/swaps").read_text().splitlines()]
    return sorted(found) + areas


def _run_find(*arguments: str) -> list[str]:
    command = ["find", *arguments]
    found = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return found.stdout.splitlines()
