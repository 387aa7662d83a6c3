# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure how long swap takes to grow, and for how long the host has less swap during that time.

The usual way (swapoff, dd, swapon) is measured for comparison. Both run on a virtual machine of tests/lab.
"""

from __future__ import annotations

import io
import json
import pathlib
import subprocess
import sys
import tempfile
import typing as t

from lab import machine
from lab.qemu import Machine
from scenario.trials import PROJECT, pack_trial

TRIAL = PROJECT / "molecule/swap/files/swap_trial"


def install_trial(booted: Machine) -> None:
    """Install the trial in /opt of the machine."""
    archive = io.BytesIO()
    pack_trial(archive, [TRIAL])
    command = machine.build_ssh_command(booted, "tar --extract --gzip --directory=/opt")
    subprocess.run(command, input=archive.getvalue(), check=True)


def measure(booted: Machine, verb: str) -> dict[str, t.Any]:
    """Run a verb of the trial on the machine, and return its measurements."""
    command = f"cd /opt && python3 -m {TRIAL.name} {verb} /swapfile"
    done = subprocess.run(machine.build_ssh_command(booted, command), check=True, stdout=subprocess.PIPE)
    return dict(json.loads(done.stdout))


def main() -> None:
    """Boot a machine of the release that the command line names (bullseye by default), measure on it, and print."""
    release = sys.argv[1] if len(sys.argv) > 1 else "bullseye"
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch) / "bench-swap"
        try:
            booted = machine.up(folder, release=release, memory=512, say=print)
            install_trial(booted)
            allocation = measure(booted, "allocate")
            ways = measure(booted, "compare")
        finally:
            machine.down(folder)
    times = ", ".join(f"{size}: {milliseconds}" for size, milliseconds in allocation.items())
    print(f"Allocating with fallocate, milliseconds: {times}")
    print("Growing swap from 1 GiB to 2 GiB     seconds   seconds with less swap")
    for name, numbers in ways.items():
        print(f"{name:34} {numbers['seconds']:9.2f} {numbers['short_seconds']:9.2f}")
    print(f"usual / ours: {ways['usual']['seconds'] / ways['ours']['seconds']:.1f}")


if __name__ == "__main__":
    main()
