# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Create, boot, stop and remove machines. A machine is a folder with its overlay, console, pid and description."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
import socket
import time
import typing as t
from pathlib import Path

from lab.accel import choose_for_host
from lab.errors import LabError
from lab.host import GIB, format_last_lines, hold_lock, require, require_space, run, run_checked
from lab.image import DISK_BYTES, Image, Say, find_or_build
from lab.interrupts import delay_interrupts
from lab.process import find_qemu, kill_qemu
from lab.qemu import ADDRESS, PROGRAM, Machine, build_machine_argv, choose_ports, start_qemu
from lab.releases import RELEASES

USER = "root"

_OVERLAY_BYTES = 2 * GIB
_POLL_SECONDS = 0.5
_DESCRIPTION = "machine.json"
_CONTENTS = {_DESCRIPTION, f"{_DESCRIPTION}.new", "overlay.qcow2", "pid", "serial.log"}

# Each machine has its own key and port. A guest that thrashes is silent for minutes, then answers again.
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
    """Create a machine, boot it, and wait until it has booted. If that fails, nothing is left.

    If the folder already is such a machine, boot that one if it does not run.
    Raise LabError if the machine cannot be created or does not boot.
    """
    folder = folder.resolve()
    if (folder / _DESCRIPTION).exists():
        found = load(folder)
        if (found.release, found.memory, found.cpus, found.disk_bytes) != (release, memory, cpus, disk_bytes):
            raise LabError(
                f"{folder} is a machine with another release, memory, number of CPUs or disk size.",
                "Choose another folder, or remove this machine with: lab down",
            )
        return power_on(folder, boot_seconds=boot_seconds, say=say)

    if disk_bytes < DISK_BYTES:
        raise LabError(
            f"A disk of {disk_bytes / GIB:.1f} GiB cannot hold the filesystem of the image.",
            f"Set the disk size to {DISK_BYTES // GIB}G or more. Disks are sparse.",
        )

    require(PROGRAM, "qemu-img", "ssh")
    with _new_folder(folder):
        image = find_or_build(RELEASES[release], say)
        accel = choose_for_host(image, say)
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
            "Creating the overlay",
        )
        return _boot(machine, choose_ports(port), boot_seconds, say)


def down(folder: Path) -> None:
    """Stop a machine and remove its folder. Do nothing if the folder does not exist.

    Raise LabError if the folder holds other files, or if QEMU does not end.
    """
    folder = folder.resolve()
    if not folder.exists():
        return

    foreign = sorted(path.name for path in folder.iterdir() if path.name not in _CONTENTS)
    if foreign:
        raise LabError(
            f"{folder} has files that do not belong to a machine: {', '.join(foreign[:5])}.",
            "Nothing was removed. Check the path, or move these files elsewhere.",
        )
    with delay_interrupts():
        _remove(folder)


def power_cut(folder: Path) -> None:
    """Stop a machine as a power failure does.

    Raise LabError if the folder is not a machine, or if QEMU does not end.
    """
    kill_qemu(load(folder).pid_file)


def power_on(folder: Path, *, boot_seconds: float = 900, say: Say) -> Machine:
    """Boot a machine again on the same port, and wait until it has booted. If it runs already, only wait.

    Raise LabError if the folder is not a machine, or if it does not boot.
    """
    machine = load(folder)
    require(PROGRAM, "ssh")
    if find_qemu(machine.pid_file):
        _wait(machine, time.monotonic(), boot_seconds)
        return machine

    require_space(machine.folder, _OVERLAY_BYTES, "A machine")
    return _boot(machine, (machine.port,), boot_seconds, say)


def load(folder: Path) -> Machine:
    """Return the machine in a folder.

    Raise LabError if the folder is not a machine.
    """
    folder = folder.resolve()
    try:
        described = json.loads((folder / _DESCRIPTION).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LabError(
            f"{folder} is not a machine: it has no {_DESCRIPTION}.", "Create one there with: lab up"
        ) from None
    known = {field.name: described[field.name] for field in dataclasses.fields(Machine)}
    return Machine(**{**known, "folder": folder, "image": Image(Path(described["image"]))})


def describe(machine: Machine) -> dict[str, t.Any]:
    """Return the properties and the address of a machine as types of JSON."""
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
        "ssh_command": build_ssh_command(machine),
        "serial_log": str(machine.serial_log),
        "pid": find_qemu(machine.pid_file),
    }


def build_ssh_command(machine: Machine, *command: str) -> list[str]:
    """Return the command line that runs a command or a shell on a machine."""
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
        raise LabError(
            f"{folder} already exists.", "Choose another folder, or remove the machine in it with: lab down"
        ) from None
    try:
        yield
    except BaseException:
        with delay_interrupts():
            _remove(folder)
        raise


def _remove(folder: Path) -> None:
    with contextlib.suppress(FileNotFoundError), hold_lock(folder):
        kill_qemu(folder / "pid")
        shutil.rmtree(folder)


def _save(machine: Machine) -> None:
    draft = machine.folder / f"{_DESCRIPTION}.new"
    draft.write_text(json.dumps(describe(machine), indent=2) + "\n", encoding="utf-8")
    draft.replace(machine.folder / _DESCRIPTION)


def _boot(machine: Machine, candidates: t.Sequence[int], boot_seconds: float, say: Say) -> Machine:
    began = time.monotonic()
    try:
        # The start takes only a moment. After it, `lab down` and the clean-up below can find the process.
        with delay_interrupts(), hold_lock(machine.folder):
            port = start_qemu(lambda port: build_machine_argv(dataclasses.replace(machine, port=port)), candidates, run)
            machine = dataclasses.replace(machine, port=port)
            _save(machine)
        say(f"{machine.folder.name} is booting ({machine.release}, {machine.accel})")
        _wait(machine, began, boot_seconds)
    except BaseException:
        with delay_interrupts():
            kill_qemu(machine.pid_file)
        raise
    say(f"{machine.folder.name} has booted after {time.monotonic() - began:.0f} s")
    return machine


def _wait(machine: Machine, began: float, boot_seconds: float) -> None:
    """Wait until a machine has booted. Raise LabError if it ends or takes too long."""
    while (waited := time.monotonic() - began) < boot_seconds:
        if find_qemu(machine.pid_file) is None:
            raise _make_error(machine, "has ended during its boot")
        # A packet to a machine without a network is lost, so each attempt has a timeout. It grows on a slow host.
        if _has_ssh(machine.port, max(5, waited / 8)) and _has_booted(machine, boot_seconds - waited):
            return
        time.sleep(_POLL_SECONDS)
    raise _make_error(machine, f"has not booted within {boot_seconds:.0f} s")


def _has_ssh(port: int, seconds: float) -> bool:
    """Return whether an ssh server answers within so many seconds."""
    try:
        with socket.create_connection((ADDRESS, port), timeout=seconds) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def _has_booted(machine: Machine, seconds: float) -> bool:
    """Wait for the end of the boot, at most so many seconds, and return whether it has ended."""
    state = run(build_ssh_command(machine, "systemctl is-system-running --wait"), seconds=seconds).output.strip()
    return state in {"running", "degraded"}


def _make_error(machine: Machine, problem: str) -> LabError:
    serial = ""
    if machine.serial_log.exists():
        serial = machine.serial_log.read_text(encoding="utf-8", errors="replace")
    return LabError(
        f"{machine.folder.name} ({machine.release}, {machine.accel}) {problem}. "
        f"The last lines of its serial console:\n{format_last_lines(serial)}",
        "On a busy host, allow more time with --boot-seconds. OOMGUARD_ACCEL=tcg avoids KVM.",
    )
