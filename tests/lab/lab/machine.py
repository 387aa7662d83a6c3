# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Machines: each is a folder, with its overlay, its serial console, its process id and what it is made of."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
import socket
import time
import typing as t
from pathlib import Path

from lab.accel import accel_of_host
from lab.errors import LabError
from lab.host import GIB, last_words, locked, require, require_space, run, run_checked
from lab.image import DISK_BYTES, Image, Say, find_or_build
from lab.interrupts import held_back
from lab.process import find_qemu, kill_qemu
from lab.qemu import ADDRESS, PROGRAM, Machine, machine_argv, ports, start
from lab.releases import RELEASES

USER = "root"

_OVERLAY_BYTES = 2 * GIB
_POLL_SECONDS = 0.5
_DESCRIPTION = "machine.json"
_CONTENTS = {_DESCRIPTION, f"{_DESCRIPTION}.new", "overlay.qcow2", "pid", "serial.log"}

# Keys and ports change from machine to machine. A guest that thrashes is silent for minutes, and comes back.
SSH_OPTIONS = (
    "BatchMode=yes",
    "IdentitiesOnly=yes",
    "StrictHostKeyChecking=no",
    "UserKnownHostsFile=/dev/null",
    "LogLevel=ERROR",
    "ConnectTimeout=60",
    "ServerAliveInterval=30",
    "ServerAliveCountMax=40",
)


def up(
    folder: Path,
    *,
    release: str,
    memory: int = 512,
    cpus: int = 2,
    disk_bytes: int = DISK_BYTES,
    port: int | None = None,
    boot_seconds: float = 900,
    say: Say,
) -> Machine:
    """Make a machine, boot it and wait until it has come up. One that fails leaves nothing.

    Where there is a machine like that already, see that it is up.
    Raises LabError.
    """
    folder = folder.resolve()
    if (folder / _DESCRIPTION).exists():
        found = load(folder)
        if (found.release, found.memory, found.cpus, found.disk_bytes) != (release, memory, cpus, disk_bytes):
            raise LabError(f"{folder} is a machine of another kind.", "Choose another folder, or end it with: lab down")
        return power_on(folder, boot_seconds=boot_seconds, say=say)
    if disk_bytes < DISK_BYTES:
        raise LabError(
            f"A disk of {disk_bytes / GIB:.1f} GiB cannot hold the image's file system.",
            f"Ask for {DISK_BYTES // GIB}G or more; disks are sparse.",
        )
    require(PROGRAM, "qemu-img", "ssh")
    with _new_folder(folder):
        image = find_or_build(RELEASES[release], say)
        accel = accel_of_host(image, say)
        require_space(folder, _OVERLAY_BYTES, "A machine")
        machine = Machine(
            folder=folder,
            release=release,
            image=image,
            memory=memory,
            cpus=cpus,
            disk_bytes=disk_bytes,
            accel=accel,
            port=port or 0,
        )
        backing = ("-b", str(image.disk), "-F", "raw")
        run_checked(
            ["qemu-img", "create", "-q", "-f", "qcow2", *backing, str(machine.overlay), str(disk_bytes)],
            "Making the overlay",
        )
        return _boot(machine, ports(port), boot_seconds, say)


def down(folder: Path) -> None:
    """End a machine and remove its folder. Where there is none, there is nothing to do.

    Raises LabError.
    """
    folder = folder.resolve()
    if not folder.exists():
        return
    foreign = sorted(path.name for path in folder.iterdir() if path.name not in _CONTENTS)
    if foreign:
        raise LabError(
            f"{folder} has what no machine has: {', '.join(foreign[:5])}.",
            "Nothing was removed. Look at the path, or take it out of there.",
        )
    with held_back():
        _remove(folder)


def power_cut(folder: Path) -> None:
    """End a machine as a power failure does.

    Raises LabError.
    """
    kill_qemu(load(folder).pid_file)


def power_on(folder: Path, *, boot_seconds: float = 900, say: Say) -> Machine:
    """Boot a machine again, on the same port, and wait until it has come up. One that runs is only waited for.

    Raises LabError.
    """
    machine = load(folder)
    require(PROGRAM, "ssh")
    if find_qemu(machine.pid_file):
        _wait(machine, time.monotonic(), boot_seconds)
        return machine
    require_space(machine.folder, _OVERLAY_BYTES, "A machine")
    return _boot(machine, (machine.port,), boot_seconds, say)


def load(folder: Path) -> Machine:
    """Read what a machine is made of.

    Raises LabError.
    """
    folder = folder.resolve()
    try:
        described = json.loads((folder / _DESCRIPTION).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LabError(f"{folder} is not a machine: it has no {_DESCRIPTION}.", "Make one there with: lab up") from None
    known = {field.name: described[field.name] for field in dataclasses.fields(Machine)}
    return Machine(**{**known, "folder": folder, "image": Image(Path(described["image"]))})


def describe(machine: Machine) -> dict[str, t.Any]:
    """Say in JSON's types what a machine is, and how it is reached."""
    return {
        "name": machine.folder.name,
        "folder": str(machine.folder),
        "release": machine.release,
        "image": str(machine.image.folder),
        "memory": machine.memory,
        "cpus": machine.cpus,
        "disk_bytes": machine.disk_bytes,
        "accel": machine.accel,
        "host": ADDRESS,
        "port": machine.port,
        "user": USER,
        "identity_file": str(machine.image.identity_file),
        "ssh_options": list(SSH_OPTIONS),
        "ssh_command": ssh_command(machine),
        "serial_log": str(machine.serial_log),
        "pid": find_qemu(machine.pid_file),
    }


def ssh_command(machine: Machine, *command: str) -> list[str]:
    """Say how a command, or a shell, is run on a machine."""
    return [
        *("ssh", "-F", "none", "-i", str(machine.image.identity_file), "-p", str(machine.port)),
        *(argument for option in SSH_OPTIONS for argument in ("-o", option)),
        f"{USER}@{ADDRESS}",
        *command,
    ]


@contextlib.contextmanager
def _new_folder(folder: Path) -> t.Iterator[None]:
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise LabError(f"{folder} is there already.", "Choose another folder, or end it with: lab down") from None
    try:
        yield
    except BaseException:
        with held_back():
            _remove(folder)
        raise


def _remove(folder: Path) -> None:
    with contextlib.suppress(FileNotFoundError), locked(folder):
        kill_qemu(folder / "pid")
        shutil.rmtree(folder)


def _save(machine: Machine) -> None:
    draft = machine.folder / f"{_DESCRIPTION}.new"
    draft.write_text(json.dumps(describe(machine), indent=2) + "\n", encoding="utf-8")
    draft.replace(machine.folder / _DESCRIPTION)


def _boot(machine: Machine, candidates: t.Sequence[int], boot_seconds: float, say: Say) -> Machine:
    began = time.monotonic()
    try:
        # The start takes a moment only, and afterwards "lab down" and the clean-up below find the process.
        with held_back(), locked(machine.folder):
            port = start(lambda port: machine_argv(dataclasses.replace(machine, port=port)), candidates, run)
            machine = dataclasses.replace(machine, port=port)
            _save(machine)
        say(f"{machine.folder.name} boots ({machine.release}, {machine.accel})")
        _wait(machine, began, boot_seconds)
    except BaseException:
        with held_back():
            kill_qemu(machine.pid_file)
        raise
    say(f"{machine.folder.name} is up after {time.monotonic() - began:.0f} s")
    return machine


def _wait(machine: Machine, began: float, boot_seconds: float) -> None:
    while (waited := time.monotonic() - began) < boot_seconds:
        if find_qemu(machine.pid_file) is None:
            raise _not_up(machine, "has ended while it booted")
        # A packet to a machine that is not there yet is lost, so ask anew; ask more patiently the slower all is.
        if _greets(machine.port, max(5, waited / 8)) and _has_booted(machine, boot_seconds - waited):
            return
        time.sleep(_POLL_SECONDS)
    raise _not_up(machine, f"has not come up within {boot_seconds:.0f} s")


def _greets(port: int, patience: float) -> bool:
    try:
        with socket.create_connection((ADDRESS, port), timeout=patience) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def _has_booted(machine: Machine, seconds: float) -> bool:
    state = run(ssh_command(machine, "systemctl is-system-running --wait"), seconds=seconds).output.strip()
    return state in {"running", "degraded"}


def _not_up(machine: Machine, what: str) -> LabError:
    serial = machine.serial_log.read_text(encoding="utf-8", errors="replace") if machine.serial_log.exists() else ""
    return LabError(
        f"{machine.folder.name} ({machine.release}, {machine.accel}) {what}. "
        f"The last lines of its serial console:\n{last_words(serial)}",
        "On a busy host give it more time with --boot-seconds; OOMGUARD_ACCEL=tcg does without KVM.",
    )
