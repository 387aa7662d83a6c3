# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cgroup paths, as kernels print them."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.cgroup import Place, parse_cgroup

ID = "3f4e" * 16
POD = "0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f"


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (None, Place()),
        ("/", Place()),
        ("/system.slice/apache2.service", Place(unit="apache2.service", slice="system.slice")),
        ("/system.slice/apache2.service/workers", Place(unit="apache2.service", slice="system.slice")),
        ("/init.scope", Place(unit="init.scope")),
        (
            "/system.slice/system-getty.slice/getty@tty1.service",
            Place(unit="getty@tty1.service", slice="system-getty.slice"),
        ),
        (
            "/system.slice/system-a\\x2db.slice/a\\x2db@c\\x2dd.service",
            Place(unit="a\\x2db@c\\x2dd.service", slice="system-a\\x2db.slice"),
        ),
        ("/system.slice/_cpu.service", Place(unit="cpu.service", slice="system.slice")),
        ("/user.slice/user-1000.slice/session-3.scope", Place(unit="session-3.scope", slice="user-1000.slice")),
        (
            "/user.slice/user-1000.slice/user@1000.service/app.slice/hog.service",
            Place(unit="user@1000.service", user_unit="hog.service", slice="user-1000.slice"),
        ),
        (f"/system.slice/docker-{ID}.scope", Place(unit=f"docker-{ID}.scope", slice="system.slice", container_id=ID)),
        (f"/docker/{ID}", Place(container_id=ID)),
        (f"/machine.slice/libpod-{ID}.scope/container", Place(f"libpod-{ID}.scope", None, "machine.slice", ID)),
        (
            (
                f"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{POD.replace('-', '_')}.slice/"
                f"cri-containerd-{ID}.scope"
            ),
            Place(
                unit=f"cri-containerd-{ID}.scope",
                slice=f"kubepods-burstable-pod{POD.replace('-', '_')}.slice",
                container_id=ID,
                pod_uid=POD,
            ),
        ),
        (f"/kubepods/burstable/pod{POD}/{ID}", Place(container_id=ID, pod_uid=POD)),
        ("/lxc.payload.shop/system.slice/apache2.service", Place()),
        (
            "/user.slice/user-1000.slice/user@1000.service/apache2.service,task=init,pid=1",
            Place(unit="user@1000.service", slice="user-1000.slice"),
        ),
    ],
)
def test_the_place_of_a_path(path: str | None, place: Place) -> None:
    assert parse_cgroup(path) == place


@pytest.mark.parametrize(
    ("place", "unit"),
    [
        (Place(unit="user@7.service", user_unit="a.service"), "a.service"),
        (Place(unit="b.service"), "b.service"),
        (Place(), None),
    ],
    ids=["of a user", "of the host", "none"],
)
def test_the_innermost_unit_is_that_of_a_user_if_there_is_one(place: Place, unit: str | None) -> None:
    assert place.innermost_unit == unit
