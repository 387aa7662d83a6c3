# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host's swap changed while it is lived on, while it is killed, and while its power is cut."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import time
import typing as t

import pytest

testinfra_hosts = ["ansible://all"]

MIB = 1024**2
GIB = 1024**3


def swap(host: t.Any, **arguments: t.Any) -> dict[str, t.Any]:
    """Run the module, and return its result, failed or not."""
    try:
        result: dict[str, t.Any] = host.ansible("oomguard.linux.swap", json.dumps(arguments), check=False)
    except host.ansible.AnsibleException as error:
        return t.cast("dict[str, t.Any]", error.result)
    return result


def seen(host: t.Any, what: str) -> dict[str, t.Any]:
    """Return what the holder or the watcher has last reported."""
    return t.cast("dict[str, t.Any]", json.loads(host.file(f"/run/{what}.json").content_string))


def watched(host: t.Any) -> dict[str, t.Any]:
    """Return what the watcher has seen up to now: a report that it began after this call."""
    answers = answered(host)
    deadline = time.monotonic() + 600
    while answered(host) < answers + 2 and time.monotonic() < deadline:
        time.sleep(1)
    return seen(host, "watch")


def answered(host: t.Any) -> int:
    """Return how often the web server has answered the watcher, or failed to."""
    report = seen(host, "watch")
    return int(report["answered"]) + int(report["failed"])


def total(host: t.Any) -> int:
    """Return the kernel's SwapTotal in bytes."""
    return int(host.check_output("sed -n 's/^SwapTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo")) * 1024


def trial(host: t.Any, *arguments: str) -> dict[str, t.Any]:
    """Run a verb of swap_trial.py on the host."""
    said = host.check_output("/usr/bin/python3 /opt/swap-trial/swap_trial.py " + " ".join(arguments))
    return t.cast("dict[str, t.Any]", json.loads(said))


def test_the_host_has_what_was_asked_for(host: t.Any) -> None:
    assert total(host) == 10 * GIB


def test_swap_is_shrunk_while_it_is_in_use(host: t.Any) -> None:
    result = swap(host, size="2G", mode="exact", reserve="64M")
    assert (result.get("msg"), total(host)) == (None, 2 * GIB)


def test_no_moment_had_less_swap_than_the_start(host: t.Any) -> None:
    assert watched(host)["lowest_bytes"] == GIB


def test_what_is_in_use_moves_to_a_smaller_area(host: t.Any) -> None:
    result = swap(host, size="600M", mode="exact", reserve="32M")
    assert (result.get("msg"), total(host)) == (None, 600 * MIB)


def test_no_moment_had_less_swap_than_the_target(host: t.Any) -> None:
    assert watched(host)["lowest_bytes"] == 600 * MIB


def test_the_web_server_answered_all_along(host: t.Any) -> None:
    report = watched(host)
    assert (report["failed"], report["answered"] > 0) == (0, True)


def test_the_memory_of_the_live_program_is_whole(host: t.Any) -> None:
    checked = seen(host, "hold")["checked"]
    deadline = time.monotonic() + 600
    while seen(host, "hold")["checked"] < checked + 400 and time.monotonic() < deadline:
        time.sleep(2)
    held = seen(host, "hold")
    assert (held["broken"], held["checked"] >= checked + 400) == (0, True)


def test_the_kernel_killed_nothing(host: t.Any) -> None:
    assert host.run("journalctl --dmesg --quiet --grep='Killed process'").stdout == ""


def test_a_swapoff_that_would_not_fit_is_refused(host: t.Any) -> None:
    result = swap(host, state="absent", reserve="400M")
    assert result["msg"].startswith("Refused to switch off /swapfile.")


def test_the_naive_order_leaves_the_host_short_of_swap(host: t.Any) -> None:
    # The control: what others do is seen by the watcher, however it ends; mostly the kernel kills swapoff.
    host.check_output("timeout 300 systemd-run --quiet --scope swapoff --all; echo it ended with $?")
    assert watched(host)["lowest_bytes"] < 600 * MIB


def test_the_stage_is_cleared(host: t.Any) -> None:
    # The control may have had the holder killed.
    host.run("systemctl stop hold.service watch.service")
    assert swap(host, state="absent").get("msg") is None


@pytest.mark.parametrize("name", ["grow", "shrink", "priority", "units", "absent"])
def test_a_killed_run_is_completed_by_the_next(host: t.Any, name: str) -> None:
    result = trial(host, "kill", name)
    assert (result["problems"], result["killed"] > 5) == ([], True)


@pytest.mark.parametrize("name", ["grow", "shrink"])
def test_two_runs_at_once_end_as_one(host: t.Any, name: str) -> None:
    assert trial(host, "twice", name) == {"ends": [0, 0], "problems": []}


@pytest.mark.parametrize("folder", ["/srv/xfs", "/srv/btrfs"])
def test_a_killed_run_is_completed_on_other_filesystems(host: t.Any, folder: str) -> None:
    result = trial(host, "kill", "shrink", "--path", f"{folder}/swapfile")
    assert (result["problems"], result["killed"] > 5) == ([], True)


@pytest.mark.parametrize("before", ["mkswap", "rename", "swapon", "fstab", "swapoff", "unlink"])
def test_a_host_boots_after_a_power_cut_in_the_middle(host: t.Any, before: str) -> None:
    if host.backend.get_hostname() != "oomguard-swap-bullseye":
        return
    host.check_output("/usr/bin/python3 /opt/swap-trial/swap_trial.py start shrink")
    host.check_output(
        "systemd-run --quiet --unit=cut"
        f" /usr/bin/python3 /opt/swap-trial/swap_trial.py stop shrink --before {before} && "
        "while systemctl --quiet is-active cut"
        " && ! grep --quiet 'State:.*T' /proc/$(systemctl show --property=MainPID --value cut)/status; "
        "do sleep 0.2; done; systemctl --quiet is-active cut"
    )
    for verb in ("power-cut", "power-on"):
        lab(verb, host.backend.get_hostname())
    result = trial(host, "complete", "shrink")
    assert (result["found"], result["left"], result["total_bytes"] >= 64 * MIB) == ([], [], True)


@pytest.mark.parametrize("persist", ["systemd", "fstab"])
def test_swap_is_in_use_after_a_boot(host: t.Any, persist: str) -> None:
    swap(host, size="64M", mode="exact", persist=persist)
    for verb in ("power-cut", "power-on"):
        lab(verb, host.backend.get_hostname())
    assert total(host) == 64 * MIB


def lab(verb: str, name: str) -> None:
    """Cut or restore the power of a machine."""
    project = pathlib.Path(os.environ["MOLECULE_PROJECT_DIRECTORY"])
    folder = pathlib.Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "machines" / name
    environment = {**os.environ, "PYTHONPATH": str(project / "tests/lab")}
    subprocess.run(
        [sys.executable, "-m", "lab", verb, str(folder)], check=True, env=environment, stdout=subprocess.DEVNULL
    )
