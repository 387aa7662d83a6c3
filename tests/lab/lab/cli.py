# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command line of the lab."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import subprocess
import sys
import typing as t
from pathlib import Path

from lab import machine
from lab.errors import LabError
from lab.image import DISK_BYTES, find_or_build
from lab.interrupts import unwind_on_interrupts
from lab.releases import RELEASES

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def main(argv: t.Sequence[str] | None = None) -> int:
    """Run one verb, and return the exit status."""
    arguments = _parser().parse_args(argv)
    unwind_on_interrupts()
    try:
        arguments.verb(arguments)
    except (LabError, OSError) as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    return 0


def parse_size(text: str) -> int:
    """Return the bytes of a size: a number, or a number with K, M, G or T (powers of 1024).

    Raise ArgumentTypeError if it is not a size.
    """
    match = re.fullmatch(r"(\d+)([KMGT]?)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size. Write 25769803776 or 24G")
    return int(match[1]) * _UNITS[match[2]]


def _say(text: str) -> None:
    print(f"lab: {text}", file=sys.stderr, flush=True)


def _image(arguments: argparse.Namespace) -> None:
    print(find_or_build(RELEASES[arguments.release], _say).folder)


def _up(arguments: argparse.Namespace) -> None:
    booted = machine.up(
        arguments.folder,
        release=arguments.release,
        memory=arguments.memory,
        cpus=arguments.cpus,
        disk_bytes=arguments.disk_size,
        port=arguments.port,
        boot_seconds=arguments.boot_seconds,
        say=_say,
    )
    print(json.dumps(machine.describe(booted), indent=2))


def _down(arguments: argparse.Namespace) -> None:
    machine.down(arguments.folder)


def _power_cut(arguments: argparse.Namespace) -> None:
    machine.power_cut(arguments.folder)


def _power_on(arguments: argparse.Namespace) -> None:
    booted = machine.power_on(arguments.folder, boot_seconds=arguments.boot_seconds, say=_say)
    print(json.dumps(machine.describe(booted), indent=2))


def _ssh(arguments: argparse.Namespace) -> None:
    command = machine.build_ssh_command(machine.load(arguments.folder), *arguments.command)
    sys.exit(subprocess.run(command, check=False).returncode)


def _ssh_command(arguments: argparse.Namespace) -> None:
    print(shlex.join(machine.build_ssh_command(machine.load(arguments.folder))))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lab", description="Manage real Debian machines for the tests. A machine is a folder."
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    def add(name: str, verb: t.Callable[[argparse.Namespace], None], summary: str) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=summary, description=summary)
        added.set_defaults(verb=verb)
        return added

    def add_for_machine(
        name: str, verb: t.Callable[[argparse.Namespace], None], summary: str
    ) -> argparse.ArgumentParser:
        added = add(name, verb, summary)
        added.add_argument("folder", type=Path, metavar="DIR", help="the folder of the machine")
        return added

    image = add("image", _image, "Find an image in the cache or build it there, and print its folder.")
    image.add_argument("release", choices=RELEASES)

    up = add_for_machine("up", _up, "Create a machine, boot it, and print its address as JSON.")
    up.add_argument("--release", choices=RELEASES, required=True)
    up.add_argument("--memory", type=int, default=512, metavar="MIB", help="default: 512")
    up.add_argument("--cpus", type=int, default=2, help="default: 2")
    up.add_argument(
        "--disk-size", type=parse_size, default=DISK_BYTES, metavar="SIZE", help="at least 24G; default: 24G"
    )
    up.add_argument("--port", type=int, help="port of 127.0.0.1 for ssh; default: a free one")

    add_for_machine("down", _down, "Stop a machine and remove its folder.")
    add_for_machine("power-cut", _power_cut, "Stop a machine as a power failure does.")
    on = add_for_machine("power-on", _power_on, "Boot a machine again, and print its address as JSON.")
    for booting in (up, on):
        booting.add_argument(
            "--boot-seconds", type=float, default=900, metavar="S", help="limit for the boot; default: 900"
        )

    ssh = add_for_machine("ssh", _ssh, "Run a command or a shell on a machine.")
    ssh.add_argument("command", nargs="*", metavar="CMD")
    add_for_machine("ssh-command", _ssh_command, "Print the ssh command line of a machine.")
    return parser
