# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure what the playbook oomguard.linux.detect costs on a whole fleet, beside `ansible -m ping` on the same hosts.

The hosts are this one, many times over, by local connections: what is measured is the cost of Ansible and the module.
The journal without a kill, which most hosts have, is made by systemd-journal-remote, and left out where that is not
installed.
"""

from __future__ import annotations

import argparse
import json
import lzma
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time
import typing as t

import journals

FIXTURES = pathlib.Path(__file__).parents[1] / "unit/plugins/module_utils/_oom/fixtures"
CONFIG = {"ANSIBLE_PIPELINING": "true", "ANSIBLE_GATHERING": "explicit", "ANSIBLE_FORCE_COLOR": "false"}
ENTRIES = 2000


class Cost(t.NamedTuple):
    """What a command took, in seconds: by the clock, and of all processors together."""

    elapsed: float
    processors: float


def cost(argv: list[str]) -> Cost:
    """Return what a command takes; a fleet on which it fails is no measure."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(argv, check=False, env={**os.environ, **CONFIG}, stdout=subprocess.PIPE, text=True)
    elapsed, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{' '.join(argv)} ended with status {done.returncode}:\n{done.stdout[-2000:]}")
    return Cost(elapsed, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def commands(hosts: int, folder: pathlib.Path, stores: list[pathlib.Path], forks: int) -> dict[str, list[str]]:
    """Return what is compared, `ping` first."""
    inventory = folder / f"hosts-{hosts}"
    inventory.write_text(f"web[1:{hosts}] ansible_connection=local ansible_python_interpreter={sys.executable}\n")
    common = ["--inventory", str(inventory), "--forks", str(forks)]
    found = {"ping": ["ansible", "all", "--module-name", "ansible.builtin.ping", *common]}
    for store in stores:
        which = ["--extra-vars", json.dumps({"detect_journal_directory": str(store)})]
        found[f"detect, {store.name}"] = ["ansible-playbook", "oomguard.linux.detect", *common, *which]
    return found


def measure(compared: dict[str, list[str]], hosts: int, rounds: int) -> None:
    """Run all in turn, and print their least costs and the ratios to the first."""
    costs: dict[str, list[Cost]] = {title: [] for title in compared}
    for _round in range(rounds):
        for title, argv in compared.items():
            costs[title].append(cost(argv))
    best = {title: Cost(*map(min, zip(*taken, strict=True))) for title, taken in costs.items()}
    ping = next(iter(best.values()))
    for title, (elapsed, processors) in best.items():
        ratios = f"{elapsed / ping.elapsed:>8.2f} {processors / ping.processors:>8.2f}"
        print(f"{hosts:>4} hosts  {title:<18} {elapsed:>8.1f} {processors:>8.1f} {ratios}", flush=True)


def main() -> None:
    """Measure fleets of the sizes that are asked for."""
    parser = argparse.ArgumentParser(prog="bench_fleet", description=__doc__)
    parser.add_argument("hosts", nargs="*", type=int, default=[50, 200], help="default: 50 200")
    parser.add_argument("--forks", type=int, default=20, help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    options = parser.parse_args()
    print(f"{'seconds, and to ping':<30} {'elapsed':>8} {'cpu':>8} {'elapsed':>8} {'cpu':>8}")
    with tempfile.TemporaryDirectory(prefix="oomguard-bench-") as name:
        folder = pathlib.Path(name)
        kills, none = folder / "with kills", folder / "no kill"
        kills.mkdir()
        (kills / "system.journal").write_bytes(lzma.decompress((FIXTURES / "bullseye.journal.xz").read_bytes()))
        if pathlib.Path(journals.REMOTE).exists():
            none.mkdir()
            journals.write_small(none / "system.journal", "c", ENTRIES)
        for hosts in options.hosts:
            compared = commands(hosts, folder, [path for path in (none, kills) if path.exists()], options.forks)
            measure(compared, hosts, options.rounds)


if __name__ == "__main__":
    main()
