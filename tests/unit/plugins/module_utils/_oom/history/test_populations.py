# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the processes that run now."""

from __future__ import annotations

import pathlib
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.model import Population
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.populations import observe_populations
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.history.factories import make_kill

USER = "Uid:\t1000\t1000\t1000\t1000\n"
PROCESSES = (
    ("6", "worker", "Uid:\t0\t0\t0\t0\nVmRSS:\t 99 kB\n"),
    ("7", "worker", f"{USER}VmRSS:\t 10 kB\nVmSwap:\t 2 kB\n"),
    ("8", "worker", f"{USER}VmRSS:\t 20 kB\n"),
    ("9", "sh", USER),
)
KEY = ("worker", 1000)


def make_proc(folder: pathlib.Path) -> pathlib.Path:
    for pid, name, status in PROCESSES:
        (folder / pid).mkdir()
        (folder / pid / "comm").write_text(f"{name}\n")
        (folder / pid / "status").write_text(f"Name:\t{name}\n{status}")

    return folder


def observe(folder: pathlib.Path, **changes: t.Any) -> dict[tuple[str, int | None], Population]:
    return observe_populations([make_kill(1, uid=1000, **changes)], make_proc(folder))


def test_processes_with_the_name_of_a_victim_are_counted(tmp_path: pathlib.Path) -> None:
    assert observe(tmp_path, namesakes=5) == {KEY: Population(2, 16 * 1024)}


def test_victim_that_had_few_namesakes_is_not_looked_for(tmp_path: pathlib.Path) -> None:
    assert observe(tmp_path, namesakes=4) == {}


def test_name_that_no_process_has_is_unknown(tmp_path: pathlib.Path) -> None:
    assert observe(tmp_path, namesakes=5, victim="other") == {}


def test_process_that_ends_meanwhile_does_not_count(tmp_path: pathlib.Path) -> None:
    kill = make_kill(1, uid=1000, namesakes=5)
    proc = make_proc(tmp_path)
    (proc / "8/status").unlink()
    assert observe_populations([kill], proc) == {KEY: Population(1, 12 * 1024)}
