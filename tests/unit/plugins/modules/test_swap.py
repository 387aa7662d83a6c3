# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module swap: from parameters to a request, and from areas to plain data."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import pathlib
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.oomguard.linux.plugins.module_utils._errors import OomguardError
from ansible_collections.oomguard.linux.plugins.module_utils._size import SizeError
from ansible_collections.oomguard.linux.plugins.module_utils._swap.plan import Plan
from ansible_collections.oomguard.linux.plugins.module_utils._swap.state import Area
from ansible_collections.oomguard.linux.plugins.module_utils._swap.unit import build_unit_name
from ansible_collections.oomguard.linux.plugins.module_utils._swap.wanted import Wanted
from ansible_collections.oomguard.linux.plugins.modules import swap
from ansible_collections.oomguard.linux.plugins.modules.swap import RETURN, build_result, describe_areas, resolve_wanted
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._swap.kernel import TITLE, Kernel
from ansible_collections.oomguard.linux.tests.unit.plugins.modules import hostile
from ansible_collections.oomguard.linux.tests.unit.plugins.modules.documented import documented, returned

RAM = 1024**3
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
    "fit": False,
    "options": [],
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
    assert resolve_wanted(PARAMS, ram_bytes=RAM) == WANTED


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"size": "1.5G"}, "size_bytes", 1536 * 1024**2),
        ({"size": "10GB"}, "size_bytes", 10 * 1000**3),
        ({"size": "200%"}, "size_bytes", 2 * RAM),
        ({"size": "200%"}, "slack_bytes", 2 * RAM // 32),
        ({"size": "2G"}, "slack_bytes", 1024**2),
        ({"fit": True}, "fit", True),
        ({"options": ["discard"]}, "options", ("discard",)),
        ({"state": "disabled", "size": None}, "disabled", True),
        ({"state": "disabled", "size": None}, "present", False),
        ({"state": "disabled", "size": None}, "count_zram", True),
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
    assert getattr(resolve_wanted({**PARAMS, **changes}, ram_bytes=RAM), field) == value


def test_invalid_size_is_refused() -> None:
    with pytest.raises(SizeError):
        resolve_wanted({**PARAMS, "size": "plenty"}, ram_bytes=RAM)


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
    fit = {"requested_bytes": 2, "fitted_bytes": 1, "disk_free_bytes": 3}
    found = build_result(Plan(steps=(), before=tuple(AREAS), fit=fit), AREAS, WANTED)
    assert returned(found, documented(RETURN)) == documented(RETURN)


@pytest.mark.parametrize(("state", "size"), [("present", 10 * 1024**3), ("absent", 0), ("disabled", 0)])
def test_size_is_returned_if_one_is_requested(state: str, size: int) -> None:
    wanted = resolve_wanted({**PARAMS, "state": state}, ram_bytes=RAM)
    assert build_result(Plan(steps=(), before=()), (), wanted)["size_bytes"] == size


def test_fit_is_null_if_everything_fits() -> None:
    assert build_result(Plan(steps=(), before=()), (), WANTED)["fit"] is None


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


def test_size_in_proportion_to_the_ram(kernel: Kernel, capfd: pytest.CaptureFixture[str]) -> None:
    kernel.write("proc/swaps", f"{TITLE}/dev/vda5 partition 4000000 0 -2\n")
    result = run_module(capfd, path=str(kernel.path), size="auto")
    assert result["size_bytes"] == 2 * 475312 * 1024 // 1024**2 * 1024**2


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=300)
SIZES = st.sampled_from(
    ["10G", "200%", "auto", "0", "-1", "1e9", "9" * 400 + "G", "1." + "0" * 500 + "1G", "nan", "9" * 9]
)
PATHS = st.sampled_from(
    ["/swapfile", "/", "//a", "/a/../b", "/a\0b", "/\udcff", "/" + "a" * 256, "/a" * 2100, "/-" * 99]
)
ARGUMENTS = st.fixed_dictionaries(
    {
        "size": SIZES | ANY_TEXT,
        "path": PATHS | ANY_TEXT,
        "mode": st.sampled_from(["at_least", "exact"]),
        "priority": st.none() | st.integers(),
        "persist": st.sampled_from(["fstab", "systemd", "none"]),
        "state": st.sampled_from(["present", "absent", "disabled"]),
        "reserve": SIZES | ANY_TEXT,
        "count_zram": st.booleans(),
        "force": st.booleans(),
        "fit": st.booleans(),
        "options": st.lists(st.sampled_from(["discard", "nofail", "x=1", "a,b", "noauto", ""]) | ANY_TEXT, max_size=3),
    }
)


@settings(deadline=None, database=None, print_blob=True, max_examples=500)
@given(ARGUMENTS)
def test_any_arguments_are_a_request_or_rejected_in_words(params: dict[str, t.Any]) -> None:
    with contextlib.suppress(OomguardError):
        wanted = resolve_wanted(params, ram_bytes=RAM)
        assert len(build_unit_name(wanted.path)) <= 255
        assert wanted.fstab_options.split() == [wanted.fstab_options]


@pytest.fixture(scope="module")
def _usual_host(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[None]:
    """Let the module find a fake host, in check mode."""
    fake = Kernel(tmp_path_factory.mktemp("host"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(swap, "Host", lambda: fake.host)
        patch.setattr(swap, "run", fake)
        yield


@pytest.mark.usefixtures("_usual_host")
@hostile.SETTINGS
@given(hostile.arguments(swap, usual={"size": ["10G", "200%", "auto"], "priority": [5], "options": [["discard"]]}))
def test_any_arguments_end_in_words(arguments: dict[str, t.Any]) -> None:
    hostile.run(swap, {**arguments, "_ansible_check_mode": True})
