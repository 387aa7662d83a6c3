# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compressed memory and systemd-oomd: in force, under load, and after a boot."""

from __future__ import annotations

import time
import typing as t

import pytest
from scenario.modules import run_module, try_module
from scenario.power import cut_power_and_boot

testinfra_hosts = ["ansible://all"]

MIB = 1024**2

# A process that holds pages of which three quarters are zeros, and that says when it has them.
HOLD = """
import os, time
held = [os.urandom(1024) + bytes(3072) for _page in range({mib} * 256)]
open('/run/held', 'w').close()
time.sleep(600)
"""
# A process that writes to its memory again and again, so that it always needs all of it.
THRASH = """
held = bytearray(200 << 20)
while True:
    for position in range(0, len(held), 4096):
        held[position] = 1
"""


def wait_for(host: t.Any, command: str, *, seconds: int = 180) -> bool:
    """Return whether a command succeeds in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if host.run(command).succeeded:
            return True
        time.sleep(2)
    return False


def start_unit(host: t.Any, program: str, *options: str) -> None:
    """Start a Python program as the unit hog.service."""
    host.run_expect([0], f'systemd-run --unit=hog {" ".join(options)} python3 -c "{program}"')


def read_row(host: t.Any) -> list[str]:
    """Return the name, priority and size of zram0 as swapon(8) shows them, nothing if it is not in use."""
    rows = host.check_output("swapon --show=NAME,PRIO,SIZE --bytes --noheadings").splitlines()
    return next((row.split() for row in rows if row.startswith("/dev/zram0")), [])


def has_right_zram(host: t.Any) -> bool:
    """Return whether zram0 has half of the RAM, the priority 100 and the algorithm zstd, according to the kernel."""
    row = read_row(host)
    if not row:
        return False

    ram = int(host.check_output("sed -n 's/^MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo")) * 1024
    is_half = abs(int(row[2]) - ram // 2) < 16 * MIB
    return is_half and row[1] == "100" and "[zstd]" in host.check_output("cat /sys/block/zram0/comp_algorithm")


def has_right_limits(host: t.Any) -> bool:
    """Return whether systemd-oomd runs with the limits of converge.yml."""
    shown = host.check_output("oomctl").splitlines()
    wanted = [
        "Default Memory Pressure Limit: 20.00%",
        "Default Memory Pressure Duration: 5s",
        "Swap Used Limit: 90.00%",
    ]
    return all(line in shown for line in wanted)


def test_zram_is_in_force(host: t.Any) -> None:
    assert has_right_zram(host)


def test_limits_are_in_force(host: t.Any) -> None:
    assert has_right_limits(host)


def test_both_are_in_force_after_a_boot(host: t.Any) -> None:
    cut_power_and_boot(host)
    assert wait_for(host, "grep -q zram0 /proc/swaps && systemctl is-active systemd-oomd")
    assert (has_right_zram(host), has_right_limits(host)) == (True, True)


def test_unknown_algorithm_leaves_the_device_as_it_was(host: t.Any) -> None:
    result = try_module(host, "zram", check=False, algorithm="nosuch")
    assert ("The old configuration was put back" in result["msg"], has_right_zram(host)) == (True, True)


def test_data_in_zram_takes_less_memory(host: t.Any) -> None:
    start_unit(host, HOLD.format(mib=360))
    assert wait_for(host, "test -e /run/held", seconds=300)
    device = run_module(host, "zram", check=True, algorithm="zstd")["before"]
    assert device["used_bytes"] > 20 * MIB
    assert device["memory_bytes"] < device["used_bytes"] / 2


def test_device_whose_contents_fit_nowhere_stays(host: t.Any) -> None:
    result = try_module(host, "zram", state="absent", reserve="400M")
    host.run_expect([0], "systemctl stop hog && rm /run/held")
    assert ("Refused to switch off /dev/zram0" in result["msg"], has_right_zram(host)) == (True, True)


def test_pressure_is_relieved_by_systemd_oomd(host: t.Any) -> None:
    start_unit(host, THRASH, "--slice=hog.slice", "-p MemoryHigh=40M", "-p MemorySwapMax=60M")
    assert wait_for(host, "! systemctl is-active --quiet hog", seconds=300)
    found = run_module(host, "oom_info", boot="0", tasks="none")
    kills = [event for event in found["events"] if event["unit"] == "hog.service"]
    assert [event["killer"] for event in kills] == ["systemd-oomd"]


@pytest.mark.parametrize("run", [1, 2])
def test_zram_is_switched_off_once(host: t.Any, run: int) -> None:
    result = run_module(host, "zram", state="absent")
    assert (result["changed"], result["after"]) == (run == 1, None)


def test_zram_stays_off_after_a_boot(host: t.Any) -> None:
    cut_power_and_boot(host)
    assert wait_for(host, "systemctl is-system-running | grep -qE 'running|degraded'")
    assert read_row(host) == []
