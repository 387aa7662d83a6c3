# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build the command line of QEMU, and start QEMU on a free port."""

from __future__ import annotations

import random
import re
import typing as t
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError
from lab.host import Run, format_last_lines
from lab.image import Image

PROGRAM = "qemu-system-x86_64"
ADDRESS = "127.0.0.1"

Accel = t.Literal["kvm", "tcg"]

_ACCEL = {
    "kvm": ("-accel", "kvm", "-cpu", "host"),
    # With erms and fsrm, emulation clears pages so slowly that the kernel reports soft lockups.
    # la57 adds a level of page tables.
    "tcg": ("-accel", "tcg,thread=multi", "-cpu", "max,erms=off,fsrm=off,la57=off"),
}

_KERNEL_ARGUMENTS = (
    "console=ttyS0",
    "root=/dev/vda",
    "rw",
    "net.ifnames=0",
    # These mitigations are slow under emulation, and there are no attackers here.
    "mitigations=off",
    "init_on_alloc=0",
    # Errors only, because each character takes time, and the report of an OOM kill has thousands.
    "loglevel=4",
    "systemd.show_status=auto",
    # The image is as new as its packages.
    "systemd.condition-needs-update=0",
)

# Linux uses higher ports for outgoing connections.
_FIRST_PORT = 20000
_LAST_PORT = 32767
_ATTEMPTS = 50


@dataclass(frozen=True, kw_only=True)
class Machine:
    """The properties of a machine. `memory` is in MiB; `port` is the one of ADDRESS for ssh."""

    folder: Path
    release: str
    image: Image
    memory: int
    cpus: int
    disk_bytes: int
    accel: Accel
    port: int

    @property
    def overlay(self) -> Path:
        """The changes that the machine has made to the disk of the image."""
        return self.folder / "overlay.qcow2"

    @property
    def serial_log(self) -> Path:
        """The serial console of all boots."""
        return self.folder / "serial.log"

    @property
    def pid_file(self) -> Path:
        """The file with the process id of QEMU."""
        return self.folder / "pid"


def build_machine_argv(machine: Machine) -> list[str]:
    """Return the command that runs a machine in the background. It has no network but the forwarded port for ssh."""
    forward = f"hostfwd=tcp:{ADDRESS}:{machine.port}-:22"
    return [
        *build_base_argv(
            image=machine.image,
            accel=machine.accel,
            memory=machine.memory,
            cpus=machine.cpus,
            serial_log=machine.serial_log,
            kernel_arguments=(*_KERNEL_ARGUMENTS, f"systemd.hostname={make_host_name(machine.folder.name)}"),
        ),
        *("-drive", f"file={_escaped(machine.overlay)},if=virtio,format=qcow2"),
        *("-netdev", f"user,id=net,restrict=on,{forward}"),
        *("-device", "virtio-net-pci,netdev=net,romfile="),
        *("-device", "virtio-rng-pci"),
        *("-pidfile", str(machine.pid_file)),
        "-daemonize",
    ]


def build_base_argv(
    *, image: Image, accel: Accel, memory: int, cpus: int, serial_log: Path, kernel_arguments: t.Sequence[str]
) -> list[str]:
    """Return the command that runs a kernel with a serial console."""
    return [
        *(PROGRAM, "-nodefaults", "-no-user-config", "-display", "none"),
        *_ACCEL[accel],
        *("-smp", str(cpus), "-m", str(memory)),
        *("-chardev", f"file,id=serial,path={_escaped(serial_log)},append=on", "-serial", "chardev:serial"),
        *("-kernel", str(image.kernel), "-initrd", str(image.initrd), "-append", " ".join(kernel_arguments)),
    ]


def make_host_name(name: str) -> str:
    """Return a host name (hostname(7)) that is like the name of a folder."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:63]


def choose_ports(wanted: int | None) -> t.Sequence[int]:
    """Return the ports to try: the wanted one, or many random ones."""
    if wanted is not None:
        return (wanted,)
    return random.sample(range(_FIRST_PORT, _LAST_PORT + 1), _ATTEMPTS)


def start_qemu(argv_on: t.Callable[[int], list[str]], candidates: t.Sequence[int], run: Run) -> int:
    """Start QEMU on the first free port, and return the port. Only QEMU itself can find out whether a port is free.

    Raise LabError if no port is free or QEMU does not start.
    """
    for port in candidates:
        completed = run(argv_on(port))
        if completed.code == 0:
            return port
        if "host forwarding rule" not in completed.output:
            raise LabError(
                f"QEMU does not start. Its message:\n{format_last_lines(completed.output)}",
                "Fix the problem that it reports. OOMGUARD_ACCEL=tcg avoids KVM.",
            )

    hint = "Stop the program that listens there (ss -ltnp shows it), or choose another port with --port."
    if len(candidates) == 1:
        raise LabError(f"Port {candidates[0]} of {ADDRESS} is in use.", hint)
    raise LabError(f"All {len(candidates)} tried ports of {ADDRESS} are in use.", hint)


def _escaped(path: Path) -> str:
    return str(path).replace(",", ",,")
