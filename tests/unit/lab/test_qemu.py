# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from lab.errors import LabError
from lab.host import Completed
from lab.qemu import build_machine_argv, choose_ports, make_host_name, start_qemu

from ansible_collections.oomguard.linux.tests.unit.lab.factories import make_machine

TAKEN = Completed(1, "qemu: -netdev user,id=net: Could not set up host forwarding rule 'tcp:127.0.0.1:20000-:22'\n")
STARTED = Completed(0, "")

MACHINE = make_machine(Path("/lab/web1"))


class Host:
    """Return prepared results, and record the commands."""

    def __init__(self, *results: Completed) -> None:
        self.results = iter(results)
        self.commands: list[list[str]] = []

    def run(self, argv: list[str]) -> Completed:
        self.commands.append(argv)
        return next(self.results)


def find_value(option: str, argv: list[str]) -> str:
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
    assert find_value(option, build_machine_argv(MACHINE)) == value


def test_argv_with_kvm_has_cpu_of_host() -> None:
    assert find_value("-cpu", build_machine_argv(dataclasses.replace(MACHINE, accel="kvm"))) == "host"


def test_argv_has_host_name_of_folder() -> None:
    assert find_value("-append", build_machine_argv(MACHINE)).endswith(" systemd.hostname=web1")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("web1", "web1"), ("oomguard-trixie", "oomguard-trixie"), ("my web_1.", "my-web-1"), ("x" * 80, "x" * 63)],
)
def test_host_name(name: str, expected: str) -> None:
    assert make_host_name(name) == expected


def test_argv_doubles_commas_in_paths() -> None:
    argv = build_machine_argv(dataclasses.replace(MACHINE, folder=Path("/lab/a,b")))
    assert find_value("-drive", argv) == "file=/lab/a,,b/overlay.qcow2,if=virtio,format=qcow2"


def test_wanted_port_is_the_only_candidate() -> None:
    assert choose_ports(2222) == (2222,)


def test_random_ports_differ() -> None:
    assert len(set(choose_ports(None))) == len(choose_ports(None))


def test_start_returns_first_free_port() -> None:
    assert start_qemu(lambda port: [str(port)], (20000, 20001), Host(TAKEN, STARTED).run) == 20001


def test_start_stops_at_first_free_port() -> None:
    host = Host(STARTED)
    start_qemu(lambda port: [str(port)], (20000, 20001), host.run)
    assert host.commands == [["20000"]]


@pytest.mark.parametrize(
    ("results", "candidates", "message"),
    [
        pytest.param(
            (TAKEN,),
            (20000,),
            "Port 20000 of 127.0.0.1 is in use.\n"
            "Stop the program that listens there (ss -ltnp shows it), or choose another port with --port.",
            id="wanted port",
        ),
        pytest.param(
            (TAKEN, TAKEN),
            (20000, 20001),
            "All 2 tried ports of 127.0.0.1 are in use.\n"
            "Stop the program that listens there (ss -ltnp shows it), or choose another port with --port.",
            id="all ports",
        ),
        pytest.param(
            (Completed(1, "qemu: could not load kernel\n"),),
            (20000, 20001),
            "QEMU does not start. Its message:\n    qemu: could not load kernel\n"
            "Fix the problem that it reports. OOMGUARD_ACCEL=tcg avoids KVM.",
            id="another reason",
        ),
    ],
)
def test_start_fails(results: tuple[Completed, ...], candidates: tuple[int, ...], message: str) -> None:
    with pytest.raises(LabError) as error:
        start_qemu(lambda port: [str(port)], candidates, Host(*results).run)
    assert str(error.value) == message
