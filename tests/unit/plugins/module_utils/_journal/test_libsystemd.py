# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real journal files, read by this machine's libsystemd."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._journal.files import Place
from ansible_collections.oomguard.linux.plugins.module_utils._journal.reader import Reader
from ansible_collections.oomguard.linux.plugins.module_utils._journal.walk import FAR_FUTURE_US, Walk
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._journal.factories import walk_once


@pytest.mark.parametrize("backwards", [True, False])
def test_walk_goes_through_all_files_in_the_order_of_time(folder: pathlib.Path, *, backwards: bool) -> None:
    reader = Reader(Place(str(folder)))
    entries = walk_once(reader, Walk((), FAR_FUTURE_US if backwards else 0, backwards, 10_000, ()))
    reader.close()
    times = [entry.realtime_us for entry in entries]
    assert (len(times), times) == (669, sorted(times, reverse=backwards))


def test_walk_ends_at_the_text_that_it_has_to_reach(folder: pathlib.Path) -> None:
    reader = Reader(Place(str(folder)))
    kernel = ("_TRANSPORT=kernel",)
    kill = next(
        one
        for one in walk_once(reader, Walk(kernel, FAR_FUTURE_US, True, 1000, ("MESSAGE",)))
        if "Killed" in one.message
    )
    to_header = Walk(kernel, FAR_FUTURE_US, True, 1000, ("MESSAGE",), kill.monotonic_us, " invoked oom-killer")
    last = walk_once(reader, to_header)[-1]
    reader.close()
    assert (last.monotonic_us < kill.monotonic_us, "invoked oom-killer" in last.message) == (True, True)


def test_entry_in_two_files_is_found_once(folder: pathlib.Path) -> None:
    (folder / "again.journal").write_bytes((folder / "trixie.journal").read_bytes())
    reader = Reader(Place(str(folder)))
    entries = walk_once(reader, Walk((), FAR_FUTURE_US, True, 10_000, ()))
    reader.close()
    assert len(entries) == 669
