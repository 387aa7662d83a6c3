# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts of a play a task is about that runs once."""

from __future__ import annotations

import types
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.play import read_variables, select_hosts


def make_play(batch: list[str], waiting: list[str]) -> dict[str, t.Any]:
    """Return the variables of a task in a play with the hosts a, b and c."""
    variables = {host: {"is_ready": host not in waiting} for host in "abc"}
    hostvars = types.SimpleNamespace(raw_get=variables.__getitem__)
    hosts = list(variables)
    return {
        "hostvars": hostvars,
        "ansible_play_hosts_all": hosts,
        "ansible_play_hosts": hosts,
        "ansible_play_batch": batch,
    }


@pytest.mark.parametrize(
    ("batch", "waiting", "selected"),
    [
        (["c"], [], ["a", "b", "c"]),
        (["a", "b"], ["c"], ["a", "b"]),
        (["a", "b", "c"], ["c"], []),
    ],
    ids=["the last batch", "an earlier batch", "a strategy that does not wait"],
)
def test_hosts_are_selected_when_they_are_ready(batch: list[str], waiting: list[str], selected: list[str]) -> None:
    play = make_play(batch, waiting)
    assert select_hosts(play, read_variables(play), lambda variables: variables["is_ready"]) == selected


def test_host_that_left_the_play_is_not_waited_for() -> None:
    play = make_play(["a", "b", "c"], ["c"])
    play["ansible_play_hosts"] = ["a", "b"]
    selected = select_hosts(play, read_variables(play), lambda variables: variables["is_ready"])
    assert selected == ["a", "b", "c"]
