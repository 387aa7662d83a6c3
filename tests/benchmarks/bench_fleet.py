# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure the cost of the playbook oomguard.linux.detect on a whole fleet, compared with `ansible -m ping`.

All hosts of the fleet are this host with a local connection, so the result is the cost of Ansible and the module.
Variables such as PYTHONUNBUFFERED, which do not reach other hosts, are removed: with it, Python reads a module that
Ansible pipes to it one byte at a time.
systemd-journal-remote makes the journal without an OOM kill, which is what most hosts have. If it is not installed,
only the journal with kills is measured.
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
    """The elapsed time of a command and its processor time, in seconds."""

    elapsed: float
    processors: float


def measure_cost(argv: list[str]) -> Cost:
    """Return the cost of a command. Exit if the command fails."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    done = subprocess.run(argv, check=False, env={**inherited, **CONFIG}, stdout=subprocess.PIPE, text=True)
    elapsed = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{' '.join(argv)} ended with status {done.returncode}:\n{done.stdout[-2000:]}")
    return Cost(elapsed, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def list_commands(hosts: int, folder: pathlib.Path, folders: list[pathlib.Path], forks: int) -> dict[str, list[str]]:
    """Return the commands to compare, `ping` first."""
    inventory = folder / f"hosts-{hosts}"
    inventory.write_text(f"web[1:{hosts}] ansible_connection=local ansible_python_interpreter={sys.executable}\n")
    common = ["--inventory", str(inventory), "--forks", str(forks)]
    commands = {"ping": ["ansible", "all", "--module-name", "ansible.builtin.ping", *common]}
    for journal in folders:
        variables = ["--extra-vars", json.dumps({"detect_journal_directory": str(journal)})]
        commands[f"detect, {journal.name}"] = ["ansible-playbook", "oomguard.linux.detect", *common, *variables]
    return commands


def measure_commands(commands: dict[str, list[str]], hosts: int, rounds: int) -> None:
    """Run the commands in turn, and print their lowest costs and the ratios to that of `ping`."""
    costs: dict[str, list[Cost]] = {title: [] for title in commands}
    for _round in range(rounds):
        for title, argv in commands.items():
            costs[title].append(measure_cost(argv))
    lowest = {title: find_lowest(measured) for title, measured in costs.items()}
    ping = lowest["ping"]
    for title, (elapsed, processors) in lowest.items():
        ratios = f"{elapsed / ping.elapsed:>8.2f} {processors / ping.processors:>8.2f}"
        print(f"{hosts:>4} hosts  {title:<18} {elapsed:>8.1f} {processors:>8.1f} {ratios}", flush=True)


def find_lowest(costs: list[Cost]) -> Cost:
    """Return the lowest elapsed time and the lowest processor time."""
    return Cost(min(cost.elapsed for cost in costs), min(cost.processors for cost in costs))


def make_journals(folder: pathlib.Path) -> list[pathlib.Path]:
    """Write the journals to search, and return their folders."""
    made = []
    if pathlib.Path(journals.REMOTE).exists():
        without_kill = folder / "no kill"
        without_kill.mkdir()
        journals.write_small_journal(without_kill / "system.journal", "c", ENTRIES)
        made.append(without_kill)

    with_kills = folder / "with kills"
    with_kills.mkdir()
    (with_kills / "system.journal").write_bytes(lzma.decompress((FIXTURES / "bullseye.journal.xz").read_bytes()))
    made.append(with_kills)
    return made


def main() -> None:
    """Measure fleets of the given sizes."""
    parser = argparse.ArgumentParser(prog="bench_fleet", description=__doc__)
    parser.add_argument("hosts", nargs="*", type=int, default=[50, 200], help="numbers of hosts; default: 50 200")
    parser.add_argument("--forks", type=int, default=20, help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    options = parser.parse_args()
    print(f"{'seconds, and ratio to ping':<30} {'elapsed':>8} {'cpu':>8} {'elapsed':>8} {'cpu':>8}")
    with tempfile.TemporaryDirectory(prefix="oomguard-bench-") as name:
        folder = pathlib.Path(name)
        made = make_journals(folder)
        for hosts in options.hosts:
            measure_commands(list_commands(hosts, folder, made, options.forks), hosts, options.rounds)


if __name__ == "__main__":
    main()
