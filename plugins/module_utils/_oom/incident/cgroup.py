# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a cgroup path: systemd unit and slice, container, pod."""

from __future__ import annotations

import re
import typing as t

_UNIT = re.compile(r"[^/]+\.(?:service|scope|socket|mount|swap)")
_USER_MANAGER = re.compile(r"user@\d+\.service")
_CONTAINER = re.compile(r"(?:^|[/:-])([0-9a-f]{64})(?:\.scope)?(?:/|$)")
# Kubernetes writes the uid of a pod with _ in place of - if the path is one of systemd's slices.
_POD = re.compile(
    r"/(?:kubepods[^/]*-)?pod([0-9a-f]{8}([_-])[0-9a-f]{4}\2[0-9a-f]{4}\2[0-9a-f]{4}\2[0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?/"
)


class Place(t.NamedTuple):
    """The place of a process in the tree of cgroups.

    `unit` belongs to the systemd of the host, `user_unit` to the systemd of a user.
    """

    unit: str | None = None
    user_unit: str | None = None
    slice: str | None = None
    container_id: str | None = None
    pod_uid: str | None = None

    @property
    def innermost_unit(self) -> str | None:
        """The unit of a user if there is one, or else the unit of the host."""
        return self.user_unit or self.unit


def parse_cgroup(path: str | None) -> Place:
    """Return the parts of `path`, read as systemd does (cgroup-util.c, cg_path_get_unit): slices, then one unit.

    The levels below the unit belong to the program that the unit delegates them to, and are no units of this host,
    whatever their names are. The same applies to a path that does not begin with a slice (LXC, Docker without systemd).
    """
    if not path or not path.startswith("/"):
        return Place()

    parts = path.split("/")[1:]
    slice_, unit, rest = _split_at_unit(parts)
    user_unit = None
    if unit and _USER_MANAGER.fullmatch(unit):
        _slice, user_unit, _rest = _split_at_unit(rest)

    return Place(
        unit=unit,
        user_unit=user_unit,
        slice=slice_,
        container_id=_find_container(path),
        pod_uid=_find_pod(path),
    )


def _find_container(path: str) -> str | None:
    match = _CONTAINER.search(path)
    if match is None:
        return None

    return match[1]


def _find_pod(path: str) -> str | None:
    match = _POD.search(path)
    if match is None:
        return None

    return match[1].replace("_", "-")


def _split_at_unit(parts: list[str]) -> tuple[str | None, str | None, list[str]]:
    """Return the innermost slice, the unit in it, and the parts below the unit."""
    slice_ = None
    for index, escaped in enumerate(parts):
        part = _unescape(escaped)
        if part.endswith(".slice"):
            slice_ = part
        elif _UNIT.fullmatch(part):
            return slice_, part, parts[index + 1 :]
        else:
            break

    return slice_, None, []


def _unescape(part: str) -> str:
    """Remove the underscore that systemd puts before names that look like the kernel's own files."""
    if part.startswith("_"):
        return part[1:]

    return part
