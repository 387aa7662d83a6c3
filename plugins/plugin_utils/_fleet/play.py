# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts of a play, for a task that runs once and is about all of them. Pure."""

from __future__ import annotations

import typing as t

from .record import Data


def read_variables(task_vars: Data) -> dict[str, Data]:
    """Return the variables of all hosts of a play. They are read as they are: nothing in them is ever a template."""
    get_variables = task_vars["hostvars"].raw_get
    return {host: get_variables(host) for host in task_vars["ansible_play_hosts_all"]}


def select_hosts(
    task_vars: Data, variables: t.Mapping[str, Data], is_ready: t.Callable[[Data], bool]
) -> t.Sequence[str]:
    """Return the hosts that the task is about: all after the last batch of a play, or those until an earlier one.

    `is_ready` is whether a host, of which it gets the variables, has reached the task. If one that has not is in the
    batch, the strategy is one that does not wait for all hosts, and the task of another host is about all of them.
    """
    waiting = set()
    for host in task_vars["ansible_play_hosts"]:
        if not is_ready(variables[host]):
            waiting.add(host)

    is_batch_waiting = not waiting.isdisjoint(task_vars["ansible_play_batch"])
    if is_batch_waiting:
        return []

    return [host for host in variables if host not in waiting]
