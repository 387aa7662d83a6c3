# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""QEMU's command line, and its start on a port that is free."""

from __future__ import annotations

import random
import re
import typing as t
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError
from lab.host import Run, last_words
from lab.image import Image

PROGRAM = "qemu-system-x86_64"
ADDRESS = "127.0.0.1"

Accel = t.Literal["kvm", "tcg"]

_ACCEL = {
    "kvm": ("-accel", "kvm", "-cpu", "host"),
    # With erms and fsrm emulation clears pages slowly enough for soft lockups; la57 is one more level of page tables.
    "tcg": ("-accel", "tcg,thread=multi", "-cpu", "max,erms=off,fsrm=off,la57=off"),
}

_KERNEL_ARGUMENTS = (
    "console=ttyS0",
    "root=/dev/vda",
    "rw",
    "net.ifnames=0",
    # Guards against attackers, of whom there are none here; emulation pays dearly for them.
    "mitigations=off",
    "init_on_alloc=0",
    # Errors only: each character costs, and the report of an OOM kill has thousands.
    "loglevel=4",
    "systemd.show_status=auto",
    # The image is as new as its packages.
    "systemd.condition-needs-update=0",
)

# Below the ports that Linux gives to outgoing connections.
_FIRST_PORT, _LAST_PORT = 20000, 32767
_ATTEMPTS = 50


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What a machine is made of, and where it is reached. Memory in MiB."""

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
        """What the machine has written, over the image's disk."""
        return self.folder / "overlay.qcow2"

    @property
    def serial_log(self) -> Path:
        """The serial console of all its boots."""
        return self.folder / "serial.log"

    @property
    def pid_file(self) -> Path:
        """The process id of its QEMU."""
        return self.folder / "pid"


def machine_argv(machine: Machine) -> list[str]:
    """Say how a machine is run in the background. It reaches nothing; its ssh is reached through one port."""
    forward = f"hostfwd=tcp:{ADDRESS}:{machine.port}-:22"
    return [
        *base_argv(
            image=machine.image,
            accel=machine.accel,
            memory=machine.memory,
            cpus=machine.cpus,
            serial_log=machine.serial_log,
            kernel_arguments=(*_KERNEL_ARGUMENTS, f"systemd.hostname={host_name(machine.folder.name)}"),
        ),
        *("-drive", f"file={_escaped(machine.overlay)},if=virtio,format=qcow2"),
        *("-netdev", f"user,id=net,restrict=on,{forward}"),
        *("-device", "virtio-net-pci,netdev=net,romfile="),
        *("-device", "virtio-rng-pci"),
        *("-pidfile", str(machine.pid_file)),
        "-daemonize",
    ]


def base_argv(
    *, image: Image, accel: Accel, memory: int, cpus: int, serial_log: Path, kernel_arguments: t.Sequence[str]
) -> list[str]:
    """Say how a kernel is run that talks to a serial console."""
    return [
        *(PROGRAM, "-nodefaults", "-no-user-config", "-display", "none"),
        *_ACCEL[accel],
        *("-smp", str(cpus), "-m", str(memory)),
        *("-chardev", f"file,id=serial,path={_escaped(serial_log)},append=on", "-serial", "chardev:serial"),
        *("-kernel", str(image.kernel), "-initrd", str(image.initrd), "-append", " ".join(kernel_arguments)),
    ]


def host_name(name: str) -> str:
    """Make a host name (hostname(7)) of the name of a folder."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:63]


def ports(wanted: int | None) -> t.Sequence[int]:
    """Return the ports to try: the wanted one, else many by chance."""
    if wanted is not None:
        return (wanted,)
    return random.sample(range(_FIRST_PORT, _LAST_PORT + 1), _ATTEMPTS)


def start(argv_on: t.Callable[[int], list[str]], candidates: t.Sequence[int], run: Run) -> int:
    """Start QEMU on the first port that nobody else has, and return it. Only QEMU's own attempt can tell.

    Raises LabError.
    """
    for port in candidates:
        completed = run(argv_on(port))
        if completed.code == 0:
            return port
        if "host forwarding rule" not in completed.output:
            raise LabError(
                f"QEMU does not start. It says:\n{last_words(completed.output)}",
                "Put right what it names. With OOMGUARD_ACCEL=tcg it does without KVM.",
            )
    tried = f"Port {candidates[0]}" if len(candidates) == 1 else f"Each of {len(candidates)} ports that were tried"
    raise LabError(
        f"{tried} of {ADDRESS} is in use.",
        "End what listens there (ss -ltnp shows it), or choose another with --port.",
    )


def _escaped(path: Path) -> str:
    return str(path).replace(",", ",,")
