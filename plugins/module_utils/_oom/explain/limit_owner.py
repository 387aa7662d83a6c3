# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose memory limit was reached: a unit, a slice, a container, a pod, all pods of a node.

The limit can be that of a cgroup above the victim's. Raising a limit below it changes nothing.

Sources: cgroup drivers of the kubelet (pkg/kubelet/cm/cgroup_manager_linux.go), of Docker, of Amazon ECS and of LXC.
"""

from __future__ import annotations

import math
import re
import typing as t

from ..._size import format_size
from ..incident.cgroup import parse_cgroup
from ..report.model import Limit, OomReport

_RESOURCES = "resources.limits of the pod"
_NODE = "the memory of the node less what the kubelet keeps back: --kube-reserved, --system-reserved, --eviction-hard"

# The end of a path, the words for what has this path, and the setting of its limit. The first match counts.
_KINDS = (
    (re.compile(r"[/-]kubepods(?:\.slice)?$"), "the cgroup {path} of all pods", _NODE),
    (
        re.compile(r"[/-]kubepods(?:\.slice)?/(?:[^/]*-)?(?P<kind>burstable|besteffort)(?:\.slice)?$"),
        "the cgroup {path} of all {kind} pods",
        _NODE,
    ),
    (re.compile(r"[/-]pod[0-9a-f_-]{32,36}(?:\.slice)?$"), "the pod", f"the sum of {_RESOURCES}"),
    # The assertion keeps the search linear in a path that repeats the word.
    (re.compile(r"\A(?=.*kubepods).*[/:-][0-9a-f]{64}(?:\.scope)?$", re.DOTALL), "the container", _RESOURCES),
    (re.compile(r"(?:^|[/:-])[0-9a-f]{64}(?:\.scope)?$"), "the container", "in its runtime, such as docker --memory"),
    (re.compile(r"^/ecs(?:tasks\.slice)?/[^/]+$"), "the task of Amazon ECS", "memory in the task definition"),
    (
        re.compile(r"^/lxc(?:\.payload\.|/)(?P<kind>[^/]+)$"),
        "the LXC container {kind}",
        "lxc.cgroup2.memory.max, or memory in Proxmox VE",
    ),
)
_SYSTEMD = "MemoryMax="


class LimitOwner(t.NamedTuple):
    """Whose memory limit was reached."""

    name: str = ""
    """In words, or a unit, or the path of a cgroup; empty if the report does not show it."""
    setting: str = ""
    """Where its limit is set, empty if that is unknown."""
    is_above: bool = False
    """The killed process was in a cgroup below, whose own limit was not reached."""

    @property
    def is_unit(self) -> bool:
        """Whether systemd sets the limit."""
        return self.setting == _SYSTEMD

    def describe_limit(self) -> str:
        """Return in words whose limit it was, and where it is set."""
        if not self.name:
            return "the memory limit that was reached (the report does not show of which cgroup)"

        if not self.setting:
            return f"the memory limit of {self.name}"

        return f"the memory limit of {self.name} ({self.setting})"


def find_limit_owner(report: OomReport) -> LimitOwner:
    """Return whose memory limit was reached."""
    path = report.limit_cgroup
    if not path:
        return LimitOwner()

    name, setting = _name_path(path)
    is_above = report.cgroup is not None and report.cgroup != path

    return LimitOwner(name, setting, is_above)


def _name_path(path: str) -> tuple[str, str]:
    """Return the words for what has the path of a cgroup, and the setting of its limit."""
    for pattern, words, setting in _KINDS:
        match = pattern.search(path)
        if match is not None:
            return words.format(path=path, **match.groupdict()), setting

    place = parse_cgroup(path)
    last = path.rpartition("/")[2]
    if last in (place.slice, place.unit, place.user_unit):
        return last, _SYSTEMD

    return f"the cgroup {path}", ""


def describe_owner_at_limit(report: OomReport) -> str:
    """Return the end of a sentence that says whose limit was reached."""
    limit = describe_reached_limit(report.limit)
    owner = find_limit_owner(report)
    if not owner.name:
        return f"its cgroup or a cgroup above it had reached its {limit}"

    if owner.is_above:
        return f"{owner.name}, which contains its cgroup, had reached its {limit}"

    return f"{owner.name} had reached its {limit}"


def describe_reached_limit(limit: Limit | None) -> str:
    """Return the limit that was reached in words, with its size if that is known."""
    limit = limit or Limit()
    name = "memory limit"
    size = limit.limit_bytes
    if _is_memsw_reached(limit):
        name = "limit of memory and swap together"
        size = limit.swap_limit_bytes

    if size is None:
        return name

    return f"{name} of {format_size(size)}"


def _is_memsw_reached(limit: Limit) -> bool:
    """Return whether version 1 of cgroups had less room below its limit of memory and swap than of memory alone."""
    if not limit.memsw:
        return False

    together = _compute_room(limit.swap_usage_bytes, limit.swap_limit_bytes)
    alone = _compute_room(limit.usage_bytes, limit.limit_bytes)

    return together < alone


def _compute_room(usage: int | None, limit: int | None) -> float:
    """Return the bytes below a limit; infinity without a limit."""
    if usage is None or limit is None:
        return math.inf

    return limit - usage
