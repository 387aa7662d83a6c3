# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure how long a change of swap takes and leaves a host short of it, beside the usual way (swapoff, dd, swapon)."""

from __future__ import annotations

import io
import json
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import typing as t

from lab import machine
from lab.qemu import Machine

PROJECT = pathlib.Path(__file__).resolve().parents[2]
TRIAL = PROJECT / "molecule/swap/files/swap_trial"
UTILS = "ansible_collections/oomguard/linux/plugins/module_utils"


def packed() -> bytes:
    """Return an archive of what the trial imports, and of the trial."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", dereference=True) as tar:
        tar.add(PROJECT / "plugins/module_utils", UTILS)
        tar.add(TRIAL, TRIAL.name)
    return archive.getvalue()


def measured(made: Machine, verb: str) -> dict[str, t.Any]:
    """Return what a verb of the trial measures on the machine."""
    command = f"cd /opt && python3 -m {TRIAL.name} {verb} /swapfile"
    done = subprocess.run(machine.ssh_command(made, command), check=True, stdout=subprocess.PIPE)
    return t.cast("dict[str, t.Any]", json.loads(done.stdout))


def main() -> None:
    """Boot a machine of the release that the command line names, and print what was measured on it."""
    release = sys.argv[1] if len(sys.argv) > 1 else "bullseye"
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch) / "bench-swap"
        try:
            made = machine.up(folder, release=release, memory=512, say=print)
            command = machine.ssh_command(made, "tar --extract --directory=/opt")
            subprocess.run(command, input=packed(), check=True)
            allocated, ways = measured(made, "allocate"), measured(made, "compare")
        finally:
            machine.down(folder)
    print("Allocating by fallocate, milliseconds:", ", ".join(f"{size}: {ms}" for size, ms in allocated.items()))
    print("Growing swap from 1 GiB to 2 GiB     seconds   seconds short of swap")
    for name, numbers in ways.items():
        print(f"{name:34} {numbers['seconds']:9.2f} {numbers['short_seconds']:9.2f}")
    print(f"usual / ours: {ways['usual']['seconds'] / ways['ours']['seconds']:.1f}")


if __name__ == "__main__":
    main()
