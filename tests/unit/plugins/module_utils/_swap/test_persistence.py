# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps for fstab and units."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._swap.persistence import (
    find_stale_lines,
    plan_fstab,
    plan_unit_removal,
    plan_units,
)
from ansible_collections.oomguard.linux.plugins.module_utils._swap.steps import Persist
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._swap.factories import (
    GIB,
    ROOT_LINE,
    SYSTEMD,
    WANTED,
    fstab_text,
    managed,
    state,
    unit,
    unit_path,
)

FSTAB = "/etc/fstab"


def test_line_is_added() -> None:
    steps = plan_fstab(ROOT_LINE, WANTED, paths=["/swapfile"], removed=[], fstab_path=FSTAB)
    assert steps == [Persist(path=FSTAB, before=ROOT_LINE, after=fstab_text("/swapfile"))]


def test_correct_fstab_needs_no_step() -> None:
    text = fstab_text("/swapfile")
    assert plan_fstab(text, WANTED, paths=["/swapfile"], removed=["/swapfile.1"], fstab_path=FSTAB) == []


@pytest.mark.parametrize("persist", ["systemd", "none"])
def test_line_is_removed_for_another_way_of_persistence(persist: str) -> None:
    wanted = dataclasses.replace(WANTED, persist=persist)
    text = fstab_text("/swapfile")
    (step,) = plan_fstab(text, wanted, paths=["/swapfile"], removed=[], fstab_path=FSTAB)
    assert step.after == ROOT_LINE


@pytest.mark.parametrize(
    ("line", "stale"),
    [
        ("/swapfile.1 none swap sw,nofail 0 0", ["/swapfile.1"]),
        ("/swapfile.1 none swap sw,nofail,pri=5 0 0", ["/swapfile.1"]),
        ("/swapfile none swap sw,nofail 0 0", []),
        ("/swapfile.1 none swap defaults 0 0", []),
        ("/other none swap sw,nofail 0 0", []),
    ],
    ids=["own", "own with priority", "file exists", "foreign options", "foreign name"],
)
def test_stale_lines(line: str, stale: list[str]) -> None:
    host = managed(GIB, fstab=f"{ROOT_LINE}{line}\n")
    assert list(find_stale_lines(host, WANTED)) == stale


@pytest.mark.parametrize("persist", ["fstab", "none"])
def test_units_are_written_only_if_requested(persist: str) -> None:
    wanted = dataclasses.replace(WANTED, persist=persist)
    assert plan_units(state(booted=False), wanted, ["/swapfile"]) == []


def test_host_without_systemd_needs_no_unit_for_no_file() -> None:
    assert plan_units(state(booted=False), SYSTEMD, []) == []


def test_unit_with_another_priority_is_rewritten() -> None:
    host = managed(GIB, units=(unit("/swapfile"),))
    (step,) = plan_units(host, dataclasses.replace(SYSTEMD, priority=5), ["/swapfile"])
    assert "Priority=5" in step.after


@pytest.mark.parametrize(
    ("persist", "removed"), [("systemd", ["/swapfile.1"]), ("fstab", ["/swapfile", "/swapfile.1"])]
)
def test_units_are_removed(persist: str, removed: list[str]) -> None:
    host = managed(GIB, GIB, units=(unit("/swapfile"), unit("/swapfile.1")))
    wanted = dataclasses.replace(WANTED, persist=persist)
    steps = plan_unit_removal(host, wanted, paths=["/swapfile"], removed=["/swapfile.1"])
    assert [step.path for step in steps] == [unit_path(path) for path in removed]
