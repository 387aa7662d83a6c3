# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from lab.errors import LabError
from lab.host import Completed
from lab.image import Image
from lab.qemu import Machine, host_name, machine_argv, ports, start

TAKEN = Completed(1, "qemu: -netdev user,id=net: Could not set up host forwarding rule 'tcp:127.0.0.1:20000-:22'\n")
STARTED = Completed(0, "")

MACHINE = Machine(
    folder=Path("/lab/web1"),
    release="bullseye",
    image=Image(Path("/cache/bullseye")),
    memory=512,
    cpus=2,
    disk_bytes=24 << 30,
    accel="tcg",
    port=20022,
)


class Host:
    """Answer with what was prepared, and note what was run."""

    def __init__(self, *answers: Completed) -> None:
        self.answers = iter(answers)
        self.ran: list[list[str]] = []

    def run(self, argv: list[str]) -> Completed:
        self.ran.append(argv)
        return next(self.answers)


def value_of(option: str, argv: list[str]) -> str:
    return argv[argv.index(option) + 1]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("-accel", "tcg,thread=multi"),
        ("-cpu", "max,erms=off,fsrm=off,la57=off"),
        ("-m", "512"),
        ("-smp", "2"),
        ("-kernel", "/cache/bullseye/vmlinuz"),
        ("-initrd", "/cache/bullseye/initrd"),
        ("-chardev", "file,id=serial,path=/lab/web1/serial.log,append=on"),
        ("-drive", "file=/lab/web1/overlay.qcow2,if=virtio,format=qcow2"),
        ("-netdev", "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:20022-:22"),
        ("-pidfile", "/lab/web1/pid"),
    ],
)
def test_argv(option: str, value: str) -> None:
    assert value_of(option, machine_argv(MACHINE)) == value


def test_argv_with_kvm_gives_the_cpu_of_the_host() -> None:
    assert value_of("-cpu", machine_argv(dataclasses.replace(MACHINE, accel="kvm"))) == "host"


def test_argv_names_the_host_after_its_folder() -> None:
    assert value_of("-append", machine_argv(MACHINE)).endswith(" systemd.hostname=web1")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("web1", "web1"), ("oomguard-trixie", "oomguard-trixie"), ("my web_1.", "my-web-1"), ("x" * 80, "x" * 63)],
)
def test_host_name(name: str, expected: str) -> None:
    assert host_name(name) == expected


def test_argv_doubles_commas_of_paths() -> None:
    argv = machine_argv(dataclasses.replace(MACHINE, folder=Path("/lab/a,b")))
    assert value_of("-drive", argv) == "file=/lab/a,,b/overlay.qcow2,if=virtio,format=qcow2"


def test_the_wanted_port_is_the_only_one() -> None:
    assert ports(2222) == (2222,)


def test_other_ports_differ() -> None:
    assert len(set(ports(None))) == len(ports(None))


def test_start_returns_the_first_port_that_is_free() -> None:
    assert start(lambda port: [str(port)], (20000, 20001), Host(TAKEN, STARTED).run) == 20001


def test_start_tries_no_more_ports_than_it_needs() -> None:
    host = Host(STARTED)
    start(lambda port: [str(port)], (20000, 20001), host.run)
    assert host.ran == [["20000"]]


@pytest.mark.parametrize(
    ("answers", "candidates", "message"),
    [
        pytest.param(
            (TAKEN,),
            (20000,),
            "Port 20000 of 127.0.0.1 is in use.\n"
            "End what listens there (ss -ltnp shows it), or choose another with --port.",
            id="wanted port",
        ),
        pytest.param(
            (TAKEN, TAKEN),
            (20000, 20001),
            "Each of 2 ports that were tried of 127.0.0.1 is in use.\n"
            "End what listens there (ss -ltnp shows it), or choose another with --port.",
            id="all ports",
        ),
        pytest.param(
            (Completed(1, "qemu: could not load kernel\n"),),
            (20000, 20001),
            "QEMU does not start. It says:\n    qemu: could not load kernel\n"
            "Put right what it names. With OOMGUARD_ACCEL=tcg it does without KVM.",
            id="another reason",
        ),
    ],
)
def test_start_fails(answers: tuple[Completed, ...], candidates: tuple[int, ...], message: str) -> None:
    with pytest.raises(LabError) as error:
        start(lambda port: [str(port)], candidates, Host(*answers).run)
    assert str(error.value) == message
