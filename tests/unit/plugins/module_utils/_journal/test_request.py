# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The requested part of a journal, in the terms of journalctl."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._journal.request import Request


@pytest.mark.parametrize(
    ("request_", "arguments", "is_open"),
    [
        (Request(), [], True),
        (Request(since="-1d"), [], True),
        (Request(boot="-1"), ["--boot=-1"], False),
        (Request(until="today"), ["--until=today"], False),
        (Request(boot="0", until="today"), ["--boot=0", "--until=today"], False),
    ],
)
def test_boot_and_end_are_arguments_of_journalctl(request_: Request, arguments: list[str], *, is_open: bool) -> None:
    assert (request_.arguments, request_.is_open) == (arguments, is_open)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (Request(), False),
        (Request(now=1.0), True),
        (Request(now=1.0, boot="0"), True),
        (Request(now=1.0, boot="-1"), False),
        (Request(now=1.0, until="today"), False),
    ],
)
def test_only_a_part_that_goes_on_should_be_recent(request_: Request, *, expected: bool) -> None:
    assert request_.should_be_recent is expected
