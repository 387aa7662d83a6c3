# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure what the playbook oomguard.linux.detect costs on a whole fleet, beside `ansible -m ping` on the same hosts.

The hosts are this one, many times over, by local connections: what is measured is the cost of Ansible and the module.
"""

from __future__ import annotations

import argparse
import lzma
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

FIXTURES = pathlib.Path(__file__).parents[1] / "unit/plugins/module_utils/_oom/fixtures"
CONFIG = {"ANSIBLE_PIPELINING": "true", "ANSIBLE_GATHERING": "explicit", "ANSIBLE_FORCE_COLOR": "false"}


def seconds(argv: list[str]) -> float:
    """Return how long a command takes; a fleet on which it fails is no measure."""
    begun = time.perf_counter()
    done = subprocess.run(argv, check=False, env={**os.environ, **CONFIG}, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(argv)} ended with status {done.returncode}:\n{done.stdout[-2000:]}")
    return time.perf_counter() - begun


def measure(hosts: int, folder: pathlib.Path, options: argparse.Namespace) -> None:
    """Run both in turn, and print their times and the ratio."""
    inventory = folder / f"hosts-{hosts}"
    inventory.write_text(
        f"web[1:{hosts}] ansible_connection=local ansible_python_interpreter={sys.executable}\n"
        f"[all:vars]\ndetect_journal_directory={folder}\n"
    )
    common = ["--inventory", str(inventory), "--forks", str(options.forks)]
    ping = ["ansible", "all", "--module-name", "ansible.builtin.ping", *common]
    detect = ["ansible-playbook", "oomguard.linux.detect", *common]
    times: dict[str, list[float]] = {"ping": [], "detect": []}
    for _round in range(options.rounds):
        times["ping"].append(seconds(ping))
        times["detect"].append(seconds(detect))
    best = {name: min(taken) for name, taken in times.items()}
    median = {name: statistics.median(taken) for name, taken in times.items()}
    for name in times:
        ratio = best[name] / best["ping"]
        print(f"{hosts:>4} hosts  {name:<7} {best[name]:>7.1f} s {median[name]:>7.1f} s {ratio:>7.2f}", flush=True)


def main() -> None:
    """Measure fleets of the sizes that are asked for."""
    parser = argparse.ArgumentParser(prog="bench_fleet", description=__doc__)
    parser.add_argument("hosts", nargs="*", type=int, default=[50, 200], help="default: 50 200")
    parser.add_argument("--forks", type=int, default=20, help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    options = parser.parse_args()
    print(f"{'':<19} {'best':>9} {'median':>9}  to ping")
    with tempfile.TemporaryDirectory(prefix="oomguard-bench-") as name:
        folder = pathlib.Path(name)
        journal = lzma.decompress((FIXTURES / "bullseye.journal.xz").read_bytes())
        (folder / "system.journal").write_bytes(journal)
        for hosts in options.hosts:
            measure(hosts, folder, options)


if __name__ == "__main__":
    main()
