# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cgroup path says: systemd unit and slice, container, pod."""

from __future__ import annotations

import re
import typing as t

_UNIT = re.compile(r"[^/]+\.(?:service|scope|socket|mount|swap)")
_USER_MANAGER = re.compile(r"user@\d+\.service")
_CONTAINER = re.compile(r"(?:^|[/:-])([0-9a-f]{64})(?:\.scope)?(?:/|$)")
# Kubernetes writes the uid of a pod with _ for - where the path is one of systemd's slices.
_POD = re.compile(
    r"/(?:kubepods[^/]*-)?pod([0-9a-f]{8}([_-])[0-9a-f]{4}\2[0-9a-f]{4}\2[0-9a-f]{4}\2[0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?/"
)


class Place(t.NamedTuple):
    """Where in the tree of cgroups a process ran; `unit` is the host's systemd's own, `user_unit` that of a user's."""

    unit: str | None = None
    user_unit: str | None = None
    slice: str | None = None
    container_id: str | None = None
    pod_uid: str | None = None


def read_cgroup(path: str | None) -> Place:
    """Return what `path` says, the way systemd reads it (cgroup-util.c, cg_path_get_unit): slices, then one unit.

    What stands below the unit belongs to whoever the unit has it delegated to, and is no unit of this host, whatever it
    calls itself. The same goes for a path that does not begin with a slice (LXC, Docker without systemd).
    """
    if not path or not path.startswith("/"):
        return Place()
    parts = [_unescaped(part) for part in path.split("/")[1:]]
    slice_, unit, rest = _unit_in(parts)
    user_unit = _unit_in(rest)[1] if unit and _USER_MANAGER.fullmatch(unit) else None
    container, pod = _CONTAINER.search(path), _POD.search(path)
    return Place(
        unit=unit,
        user_unit=user_unit,
        slice=slice_,
        container_id=container[1] if container else None,
        pod_uid=pod[1].replace("_", "-") if pod else None,
    )


def _unit_in(parts: list[str]) -> tuple[str | None, str | None, list[str]]:
    """Return the innermost slice, the unit in it, and what is left below the unit."""
    slice_ = None
    for index, part in enumerate(parts):
        if part.endswith(".slice"):
            slice_ = part
        elif _UNIT.fullmatch(part):
            return slice_, part, parts[index + 1 :]
        else:
            break
    return slice_, None, []


def _unescaped(part: str) -> str:
    """Undo the underscore that systemd puts before names which the kernel could take for its own files."""
    return part[1:] if part.startswith("_") else part
