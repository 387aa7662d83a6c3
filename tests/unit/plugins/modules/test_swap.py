# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module swap: from parameters to a request, and from areas to plain data."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.oomguard.linux.plugins.module_utils._size import SizeError
from ansible_collections.oomguard.linux.plugins.module_utils._swap.plan import Plan
from ansible_collections.oomguard.linux.plugins.module_utils._swap.state import Area
from ansible_collections.oomguard.linux.plugins.module_utils._swap.wanted import Wanted
from ansible_collections.oomguard.linux.plugins.modules import swap
from ansible_collections.oomguard.linux.plugins.modules.swap import RETURN, build_result, build_wanted, describe_areas
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._swap.kernel import TITLE, Kernel
from ansible_collections.oomguard.linux.tests.unit.plugins.modules.documented import documented, returned

PARAMS: dict[str, t.Any] = {
    "size": "10G",
    "path": "/swapfile",
    "mode": "at_least",
    "priority": None,
    "persist": "fstab",
    "state": "present",
    "reserve": "256M",
    "count_zram": False,
    "force": False,
}
WANTED = Wanted(
    path="/swapfile",
    present=True,
    size_bytes=10 * 1024**3,
    exact=False,
    priority=None,
    persist="fstab",
    reserve_bytes=256 * 1024**2,
)
AREAS = [
    Area(path="/swap\x1bfile", type="file", size_bytes=4096, used_bytes=1024, priority=-2),
    Area(path="/dev/zram0", type="partition", size_bytes=8192, used_bytes=8192, priority=100),
]


def test_defaults() -> None:
    assert build_wanted(PARAMS) == WANTED


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"size": "1.5G"}, "size_bytes", 1536 * 1024**2),
        ({"size": "10GB"}, "size_bytes", 10 * 1000**3),
        ({"mode": "exact"}, "exact", True),
        ({"priority": 0}, "priority", 0),
        ({"persist": "none"}, "persist", "none"),
        ({"state": "absent"}, "present", False),
        ({"state": "absent", "size": None}, "size_bytes", 0),
        ({"reserve": "0"}, "reserve_bytes", 0),
        ({"count_zram": True}, "count_zram", True),
        ({"force": True}, "force", True),
    ],
)
def test_parameter_becomes_part_of_request(changes: dict[str, t.Any], field: str, value: object) -> None:
    assert getattr(build_wanted({**PARAMS, **changes}), field) == value


def test_invalid_size_is_refused() -> None:
    with pytest.raises(SizeError):
        build_wanted({**PARAMS, "size": "plenty"})


@pytest.mark.parametrize(
    ("count_zram", "sums"), [(False, (4096, 1024)), (True, (12288, 9216))], ids=["by default", "if requested"]
)
def test_zram_is_in_the_sums_only_if_it_counts(sums: tuple[int, int], *, count_zram: bool) -> None:
    data = describe_areas(AREAS, dataclasses.replace(WANTED, count_zram=count_zram))
    assert (data["total_bytes"], data["used_bytes"]) == sums


def test_areas_as_plain_data() -> None:
    assert describe_areas(AREAS, WANTED)["areas"] == [
        {
            "path": "/swap\x1bfile",
            "type": "file",
            "size_bytes": 4096,
            "used_bytes": 1024,
            "priority": -2,
            "counted": True,
        },
        {
            "path": "/dev/zram0",
            "type": "partition",
            "size_bytes": 8192,
            "used_bytes": 8192,
            "priority": 100,
            "counted": False,
        },
    ]


def test_returned_keys_are_documented() -> None:
    found = build_result(Plan(steps=(), before=tuple(AREAS)), AREAS, WANTED)
    assert returned(found, documented(RETURN)) == documented(RETURN)


@pytest.fixture
def kernel(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    """Let the module find a fake host."""
    fake = Kernel(tmp_path)
    monkeypatch.setattr(swap, "Host", lambda: fake.host)
    monkeypatch.setattr(swap, "run", fake)
    return fake


def run_module(capfd: pytest.CaptureFixture[str], **arguments: t.Any) -> dict[str, t.Any]:
    """Run the module in check mode, and return its result."""
    with patch_module_args({"_ansible_check_mode": True, **arguments}), pytest.raises(SystemExit):
        swap.main()
    return dict(json.loads(capfd.readouterr().out))


def test_result_is_inert(kernel: Kernel, capfd: pytest.CaptureFixture[str]) -> None:
    kernel.write("proc/swaps", f"{TITLE}/swap\x1bfile file 4 1 -2\n")
    result = run_module(capfd, path=str(kernel.path), state="absent")
    assert [area["path"] for area in result["after"]["areas"]] == ["/swap\\x1bfile"]


def test_host_without_own_files_is_not_changed_by_absent(kernel: Kernel, capfd: pytest.CaptureFixture[str]) -> None:
    result = run_module(capfd, path=str(kernel.path), state="absent")
    assert (result["changed"], result["plan"]) == (False, [])


def test_refusal_fails_the_module(kernel: Kernel, capfd: pytest.CaptureFixture[str]) -> None:
    kernel.write(".dockerenv", "")
    result = run_module(capfd, path=str(kernel.path), size="10G")
    assert result["msg"] == (
        "Swap cannot be managed in a container (docker): it belongs to the host's kernel. Manage it on the host."
    )
