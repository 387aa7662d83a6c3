# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure how long a change of swap takes and leaves a host short of it, beside the usual way (swapoff, dd, swapon)."""

from __future__ import annotations

import io
import json
import pathlib
import subprocess
import tarfile
import tempfile
import typing as t

from lab import machine

PROJECT = pathlib.Path(__file__).resolve().parents[2]
TRIAL = PROJECT / "molecule/swap/files/swap_trial.py"
UTILS = "ansible_collections/oomguard/linux/plugins/module_utils"


def packed() -> bytes:
    """Return an archive of what the trial imports, and of the trial."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", dereference=True) as tar:
        tar.add(PROJECT / "plugins/module_utils", UTILS)
        tar.add(TRIAL, TRIAL.name)
    return archive.getvalue()


def measure(folder: pathlib.Path) -> dict[str, t.Any]:
    """Boot a machine, compare there, and return what was measured."""
    made = machine.up(folder, release="bullseye", memory=512, say=print)
    command = f"tar --extract --directory=/opt && python3 /opt/{TRIAL.name} compare"
    done = subprocess.run(machine.ssh_command(made, command), input=packed(), check=True, stdout=subprocess.PIPE)
    return t.cast("dict[str, t.Any]", json.loads(done.stdout))


def main() -> None:
    """Print the comparison."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch) / "bench-swap"
        try:
            measured = measure(folder)
        finally:
            machine.down(folder)
    print("Growing swap from 1 GiB to 2 GiB     seconds   seconds short of swap")
    for name, numbers in measured.items():
        print(f"{name:34} {numbers['seconds']:9.2f} {numbers['short_seconds']:9.2f}")
    print(f"usual / ours: {measured['usual']['seconds'] / measured['ours']['seconds']:.1f}")


if __name__ == "__main__":
    main()
