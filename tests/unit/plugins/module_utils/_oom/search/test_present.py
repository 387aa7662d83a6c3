# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the host says now, which shows what its journal lacks."""

from __future__ import annotations

import pathlib
import time
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._journal.record import Record
from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.present import (
    Present,
    list_present_gaps,
    observe_present,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.systemd import JOURNALD
from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.units import UnitState, UnitStates
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import Host, done

JOURNALD_SHOWN = f"Id={JOURNALD}\nLoadState=loaded\nActiveState=active\nMainPID=12\n"


@pytest.fixture
def root(tmp_path: pathlib.Path) -> pathlib.Path:
    """Return the files of a host on which journald runs."""
    boot = tmp_path / "proc/sys/kernel/random/boot_id"
    boot.parent.mkdir(parents=True)
    boot.write_text("ba96272c-bf2f-462a-ae20-419d7d5344a9\n")
    (tmp_path / "proc/vmstat").write_text("nr_free_pages 7\noom_kill 3\n")
    (tmp_path / "proc/12/fd").mkdir(parents=True)
    return tmp_path


def observe(root: pathlib.Path) -> Present:
    host = Host([])
    host.answers["--state="] = done(JOURNALD_SHOWN)
    return observe_present(host, root)


def test_the_boot_is_written_as_in_the_journal(root: pathlib.Path) -> None:
    assert observe(root).boot_id == "ba96272cbf2f462aae20419d7d5344a9"


def test_the_kernel_counts_the_kills(root: pathlib.Path) -> None:
    assert observe(root).kills == 3


@pytest.mark.parametrize(
    ("path", "stores"),
    [("/var/log/journal/m/system.journal", True), ("/dev/kmsg", False)],
    ids=["a journal", "no journal"],
)
def test_a_journald_that_stores_has_a_journal_open(root: pathlib.Path, path: str, *, stores: bool) -> None:
    (root / "proc/12/fd/5").symlink_to(path)
    assert observe(root).stores_journal is stores


def test_what_cannot_be_read_is_unknown(tmp_path: pathlib.Path) -> None:
    present = observe(tmp_path)
    assert (present.boot_id, present.kills, present.stores_journal) == ("", None, None)


def test_a_kernel_that_does_not_count_kills_is_no_host_without_kills(root: pathlib.Path) -> None:
    (root / "proc/vmstat").write_text("nr_free_pages 7\n")
    assert observe(root).kills is None


BOOTED_US = int((time.time() - 3600) * 1_000_000)
HOST = Present(
    "b", BOOTED_US, 1, UnitStates({JOURNALD: UnitState(JOURNALD, active_state="active")}), stores_journal=True
)
KILL = Record("c", BOOTED_US, 5, "b", {"MESSAGE": "Out of memory: Killed process 7 (hog) total-vm:8kB"})
TABLE = Record("c", BOOTED_US, 5, "b", {"MESSAGE": "Tasks state (memory values in pages):"})
DEAD = UnitStates({JOURNALD: UnitState(JOURNALD, active_state="failed")})


@pytest.mark.parametrize(
    ("change", "kills", "first_us", "gap"),
    [
        ({}, [KILL], BOOTED_US, None),
        ({}, [], BOOTED_US, "The kernel has killed 1 processes"),
        ({}, [TABLE], BOOTED_US, "The kernel has killed 1 processes"),
        ({}, [KILL._replace(boot_id="a")], BOOTED_US, "The kernel has killed 1 processes"),
        ({}, [], BOOTED_US + 10**9, None),
        ({"kills": None}, [], BOOTED_US, None),
        ({"failed": DEAD}, [KILL], BOOTED_US, "systemd-journald does not run"),
        ({"stores_journal": False}, [KILL], BOOTED_US, "systemd-journald stores no journal"),
        ({"stores_journal": None}, [KILL], BOOTED_US, None),
        ({"failed": UnitStates(), "stores_journal": False}, [], BOOTED_US, None),
    ],
    ids=[
        "the kill is in the journal",
        "no kill is",
        "only its table is",
        "only one of another boot is",
        "the journal begins long after the boot",
        "the kernel does not count",
        "journald does not run",
        "journald does not store",
        "whether it stores is unknown",
        "without systemd",
    ],
)
def test_the_journal_lacks_what_the_host_knows(
    change: dict[str, t.Any], kills: list[Record], first_us: int, gap: str | None
) -> None:
    gaps = list(list_present_gaps(HOST._replace(**change), kills, first_us=first_us))
    assert [each for each in gaps if not gap or not each.startswith(gap)] == []
    assert len(gaps) == int(gap is not None)
