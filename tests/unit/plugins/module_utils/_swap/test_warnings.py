# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Warnings about what stays in use, and about what the next boot takes away."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._swap.plan import make_plan
from ansible_collections.oomguard.linux.plugins.module_utils._swap.state import Boot, Obstacle, State
from ansible_collections.oomguard.linux.plugins.module_utils._swap.wanted import Wanted
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._swap.factories import (
    ABSENT,
    GIB,
    MIB,
    WANTED,
    area,
    entry,
    fstab_text,
    managed,
    state,
    unit,
)

DISOWNED = entry("/swapfile", GIB, label="")


@pytest.mark.parametrize(
    "host",
    [
        state(area("/swapfile", GIB), entries=[DISOWNED]),
        state(area("/swapfile", GIB), entries=[DISOWNED], fstab=""),
        state(entries=[DISOWNED], fstab=fstab_text("/swapfile")),
    ],
    ids=["in use", "in use, not in fstab", "in fstab"],
)
def test_file_that_lost_its_label_is_reported(host: State) -> None:
    plan = make_plan(host, ABSENT)
    assert not plan.changed
    assert " ".join(plan.warnings) == (
        "/swapfile stays in use as swap, now or after the next boot: it does not have the label oomguard of the files "
        "of this module. If this module created it, somebody has formatted it again since then. To have it removed, "
        "run swapoff /swapfile, then swaplabel --label oomguard /swapfile, then this task again."
    )


@pytest.mark.parametrize(
    "host",
    [
        managed(GIB),
        state(entries=[dataclasses.replace(DISOWNED, header=None)], fstab=fstab_text("/swapfile")),
        state(entries=[DISOWNED], fstab=""),
        state(area("/dev/vda5", GIB)),
    ],
    ids=["own file", "no swap", "unused", "elsewhere"],
)
def test_other_files_are_not_reported(host: State) -> None:
    assert make_plan(host, ABSENT).warnings == ()


def test_other_area_that_nothing_names_is_reported() -> None:
    host = state(area("/dev/vda5", GIB), boot=Boot())
    assert " ".join(make_plan(host, WANTED).warnings) == (
        "/dev/vda5 may not be in use after the next boot, because neither fstab nor a unit names it. Add it to fstab, "
        "or switch it off so that this module makes up for it."
    )


def test_several_areas_have_one_warning() -> None:
    host = state(area("/dev/vda5", GIB), area("/dev/vda6", GIB), boot=Boot())
    (warning,) = make_plan(host, WANTED).warnings
    assert warning.startswith("/dev/vda5, /dev/vda6 may not be in use")


def test_masked_target_is_reported_for_areas_of_others() -> None:
    masked = Boot(obstacles=(Obstacle("swap.target is masked", "Unmask it."),), named=frozenset(["/dev/vda5"]))
    host = state(area("/dev/vda5", 10 * GIB), boot=masked)
    assert make_plan(host, WANTED).warnings == (
        "/dev/vda5 may not be in use after the next boot, because swap.target is masked. Unmask it.",
    )


@pytest.mark.parametrize(
    ("host", "wanted"),
    [
        (state(area("/dev/vda5", 10 * GIB)), WANTED),
        (state(area("/dev/zram0", GIB), boot=Boot()), WANTED),
        (managed(10 * GIB, boot=Boot()), WANTED),
        (state(area("/dev/vda5", 10 * GIB), boot=Boot()), dataclasses.replace(WANTED, persist="none")),
    ],
    ids=["named", "not counted", "own file", "until the next boot"],
)
def test_nothing_is_reported_of_other_areas(host: State, wanted: Wanted) -> None:
    assert make_plan(host, wanted).warnings == ()


DISABLED = dataclasses.replace(ABSENT, disabled=True, count_zram=True)


def test_area_that_a_service_switched_on_is_reported() -> None:
    host = state(area("/dev/zram0", MIB), boot=Boot())
    assert " ".join(make_plan(host, DISABLED).warnings) == (
        "/dev/zram0 may be in use again after the next boot: neither fstab nor a swap unit names it. If a service such "
        "as zramswap.service has switched it on, disable that service."
    )


@pytest.mark.parametrize(
    "host", [managed(MIB, boot=Boot()), state(area("/dev/vda5", MIB)), state()], ids=["own", "named", "none"]
)
def test_no_service_is_suspected(host: State) -> None:
    assert make_plan(host, DISABLED).warnings == ()


DISCARD = dataclasses.replace(WANTED, options=("discard",))


def test_area_that_keeps_its_options_is_reported() -> None:
    assert make_plan(managed(10 * GIB), DISCARD).warnings == (
        "/swapfile stays in use with its old options. The new ones are in force after the next boot.",
    )


def test_area_that_keeps_its_options_is_reported_with_units() -> None:
    host = managed(10 * GIB, fstab="", units=(unit("/swapfile"),))
    assert len(make_plan(host, dataclasses.replace(DISCARD, persist="systemd")).warnings) == 1


@pytest.mark.parametrize(
    ("host", "wanted"),
    [
        (state(), DISCARD),
        (managed(10 * GIB, areas=()), DISCARD),
        (managed(10 * GIB), WANTED),
        (managed(10 * GIB), dataclasses.replace(DISCARD, persist="none")),
        (managed(10 * GIB, fstab="/swapfile none swap sw,nofail,discard 0 0\n"), DISCARD),
    ],
    ids=["new file", "file that is off", "no options", "not persistent", "same options"],
)
def test_options_are_in_force(host: State, wanted: Wanted) -> None:
    assert make_plan(host, wanted).warnings == ()
