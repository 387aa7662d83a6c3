# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be requested."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._swap.state import SwapError
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._swap.factories import GIB, WANTED, area


@pytest.mark.parametrize("path", ["swapfile", "/a/../b", "//swapfile", "/", "/a\nb"])
def test_path_that_is_not_plain_is_refused(path: str) -> None:
    with pytest.raises(SwapError) as error:
        dataclasses.replace(WANTED, path=path)
    assert str(error.value) == (
        f"{path!r} is not a valid path for a swap file. "
        "Use an absolute, normalized path without control characters, such as /swapfile."
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"size_bytes": 0},
            (
                "0 B is too small for the swap of a host. Use 2.0 MiB or more. "
                "To remove the files that this module created, use state: absent."
            ),
        ),
        (
            {"priority": -1},
            "-1 is not a valid priority. Use a number from 0 to 32767, or omit it to let the kernel choose.",
        ),
    ],
)
def test_invalid_request_is_refused(changes: dict[str, t.Any], message: str) -> None:
    with pytest.raises(SwapError) as error:
        dataclasses.replace(WANTED, **changes)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("path", "managed"),
    [
        ("/swapfile", True),
        ("/swapfile.1", True),
        ("/swapfile.10", True),
        ("/swapfile.01", False),
        ("/swapfile.0", False),
        ("/swapfile.old", False),
        ("/swapfile2", False),
        ("/srv/swapfile", False),
    ],
)
def test_managed_names(path: str, *, managed: bool) -> None:
    assert WANTED.is_managed_name(path) is managed


@pytest.mark.parametrize(("count_zram", "total"), [(False, GIB), (True, 3 * GIB)])
def test_zram_counts_only_if_requested(total: int, *, count_zram: bool) -> None:
    wanted = dataclasses.replace(WANTED, count_zram=count_zram)
    assert wanted.sum_size([area("/dev/vda5", GIB), area("/dev/zram0", 2 * GIB)]) == total


@pytest.mark.parametrize(("requested", "fits"), [(None, True), (5, True), (7, False)])
def test_priority_of_area(requested: int | None, *, fits: bool) -> None:
    wanted = dataclasses.replace(WANTED, priority=requested)
    assert wanted.has_priority(area("/swapfile", GIB, priority=5)) is fits
