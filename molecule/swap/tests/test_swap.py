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
    """Run a verb of swap_trial on the host."""
    said = host.check_output(f"cd /opt/swap-trial && /usr/bin/python3 -m swap_trial {' '.join(arguments)}")
    return t.cast("dict[str, t.Any]", json.loads(said))


def test_the_host_has_what_was_asked_for(host: t.Any) -> None:
    assert total(host) == 10 * GIB


@pytest.mark.parametrize(("setting", "value"), [("vm.swappiness", 50), ("vm.page-cluster", 1)])
def test_the_kernel_swaps_as_was_asked_for(host: t.Any, setting: str, value: int) -> None:
    assert host.sysctl(setting) == value


def test_swap_is_shrunk_while_it_is_in_use(host: t.Any) -> None:
    result = swap(host, size="2G", mode="exact", reserve="64M")
    assert (result.get("msg"), total(host)) == (None, 2 * GIB)


@pytest.mark.parametrize(("before", "after"), [("/", "/srv/xfs/"), ("/srv/xfs/", "/srv/btrfs/")])
def test_the_same_on_other_filesystems(host: t.Any, before: str, after: str) -> None:
    results = [
        swap(host, path=f"{after}swapfile", size="12G", mode="exact", reserve="64M"),
        swap(host, path=f"{before}swapfile", state="absent"),
        swap(host, path=f"{after}swapfile", size="2G", mode="exact", reserve="64M"),
    ]
    messages = [result.get("msg") for result in results]
    assert (messages, total(host)) == ([None, None, None], 2 * GIB)


def test_no_moment_had_less_swap_than_the_start(host: t.Any) -> None:
    assert watched(host)["lowest_bytes"] == GIB


def test_what_is_in_use_moves_to_a_smaller_area(host: t.Any) -> None:
    result = swap(host, path="/srv/btrfs/swapfile", size="600M", mode="exact", reserve="32M")
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
    result = swap(host, path="/srv/btrfs/swapfile", state="absent", reserve="400M")
    assert result["msg"].startswith("Refused to switch off /srv/btrfs/swapfile: ")


def test_the_naive_order_leaves_the_host_short_of_swap(host: t.Any) -> None:
    # The control: what others do is seen by the watcher. With the live program still there the kernel kills swapoff on
    # the older releases, and a new one thrashes until nobody can reach the host any more.
    host.check_output("systemctl stop hold.service && swapoff --all")
    assert watched(host)["lowest_bytes"] < 600 * MIB


def test_the_stage_is_cleared(host: t.Any) -> None:
    host.check_output("systemctl stop watch.service")
    assert swap(host, path="/srv/btrfs/swapfile", state="absent").get("msg") is None


def test_a_snapshotted_subvolume_is_refused(host: t.Any) -> None:
    host.check_output("btrfs subvolume snapshot -r /srv/btrfs /srv/btrfs/snapshot")
    result = swap(host, path="/srv/btrfs/swapfile", size="64M")
    host.check_output("btrfs subvolume delete /srv/btrfs/snapshot")
    assert result["msg"].startswith("Refused to create a swap file below /srv/btrfs: its btrfs subvolume has snapshots")


def test_a_tmpfs_is_refused(host: t.Any) -> None:
    result = swap(host, path="/run/swapfile", size="64M")
    assert result["msg"].startswith("Refused to create a swap file on tmpfs: it is in memory itself.")


def test_without_room_for_both_the_old_file_goes_first(host: t.Any) -> None:
    swap(host, path="/srv/xfs/swapfile", size="160M", mode="exact")
    host.check_output("fallocate -l $(( $(stat -f -c '%a * %S' /srv/xfs) - 100 * 1024 * 1024 )) /srv/xfs/filler")
    result = swap(host, path="/srv/xfs/swapfile", size="64M", mode="exact", reserve="64M")
    host.check_output("rm /srv/xfs/filler")
    size = total(host)
    swap(host, path="/srv/xfs/swapfile", state="absent")
    steps = [step["step"] for step in result["plan"]]
    assert (steps, size) == (["persist", "disable", "remove", "create", "enable", "persist"], 64 * MIB)


def test_zeros_are_written_where_blocks_cannot_be_set_aside(host: t.Any) -> None:
    host.check_output("mkdir -p /srv/ext3 && truncate -s 200M /var/ext3.img && mkfs.ext3 -q -b 4096 /var/ext3.img")
    host.check_output("mount -o loop /var/ext3.img /srv/ext3")
    result = swap(host, path="/srv/ext3/swapfile", size="64M", mode="exact", reserve="16M")
    size = total(host)
    swap(host, path="/srv/ext3/swapfile", state="absent")
    host.check_output("umount /srv/ext3")
    assert (result["plan"][0]["zeros_bytes"], size) == (64 * MIB + 4096, 64 * MIB)


@pytest.mark.parametrize(("count_zram", "changed"), [(False, True), (True, False)])
def test_zram_counts_where_it_is_asked_to(host: t.Any, *, count_zram: bool, changed: bool) -> None:
    host.check_output(
        "modprobe zram && echo 128M >/sys/block/zram0/disksize && mkswap /dev/zram0 && swapon --priority 100 /dev/zram0"
    )
    result = swap(host, path="/trial-zram", size="100M", count_zram=count_zram)
    swap(host, path="/trial-zram", state="absent")
    host.check_output("swapoff /dev/zram0 && udevadm settle && echo 1 >/sys/block/zram0/reset")
    counted = [area["counted"] for area in result["before"]["areas"] if area["path"] == "/dev/zram0"]
    assert (result["changed"], counted) == (changed, [count_zram])


def test_a_file_that_the_host_hibernates_to_goes_with_consent_only(host: t.Any) -> None:
    swap(host, size="64M", mode="exact")
    host.check_output("filefrag -b4096 -v /swapfile | awk '$1 == \"0:\" {print $4 + 0}' >/sys/power/resume_offset")
    refused = swap(host, state="absent")
    allowed = swap(host, state="absent", force=True)
    host.check_output("echo 0 >/sys/power/resume_offset")
    assert refused["msg"].startswith("Refused to remove /swapfile: this host hibernates to it")
    assert (allowed["changed"], total(host)) == (True, 0)


def test_the_image_of_a_hibernated_system_is_given_up_with_consent_only(host: t.Any) -> None:
    swap(host, size="64M", mode="exact")
    host.check_output("swapoff /swapfile && printf 'S1SUSPEND\\0' | dd of=/swapfile bs=1 seek=4086 conv=notrunc")
    refused = swap(host, size="64M", mode="exact")
    allowed = swap(host, size="64M", mode="exact", force=True)
    size = total(host)
    swap(host, state="absent")
    assert refused["msg"].startswith("Refused to touch /swapfile: it holds the image of a hibernated system.")
    assert (allowed["changed"], size) == (True, 64 * MIB)


KILLED = [(name, "/trial") for name in ("grow", "shrink", "priority", "units", "absent")]
KILLED += [("shrink", "/srv/xfs/trial"), ("shrink", "/srv/btrfs/trial")]


@pytest.mark.parametrize(("name", "folder"), KILLED)
def test_a_killed_run_is_completed_by_the_next(host: t.Any, name: str, folder: str) -> None:
    result = trial(host, "kill", f"{folder}/swapfile", name)
    assert (result["problems"], result["failed"]) == ([], result["changes"])


FILLED = [("shrink", "/trial"), ("units", "/trial"), ("grow", "/srv/xfs/trial"), ("grow", "/srv/btrfs/trial")]


@pytest.mark.parametrize(("name", "folder"), FILLED)
def test_a_full_disk_is_survived(host: t.Any, name: str, folder: str) -> None:
    result = trial(host, "fill", f"{folder}/swapfile", name)
    assert (result["problems"], result["failed"] > 0) == ([], True)


@pytest.mark.parametrize("name", ["grow", "shrink"])
def test_two_runs_at_once_end_as_one(host: t.Any, name: str) -> None:
    assert trial(host, "twice", "/trial/swapfile", name) == {"ends": [0, 0], "problems": []}


@pytest.mark.parametrize("name", ["shrink", "units"])
def test_check_mode_and_a_second_run_change_nothing_at_all(host: t.Any, name: str) -> None:
    result = trial(host, "still", "/trial/swapfile", name)
    assert (result["problems"], result["lines"] > 1000) == ([], True)


def test_fstab_keeps_every_other_byte(host: t.Any) -> None:
    result = trial(host, "tables", "/trial/swapfile")
    assert (result["problems"], result["tables"] > 10) == ([], True)


def test_what_others_have_put_at_the_path_is_left_alone(host: t.Any) -> None:
    result = trial(host, "foreign", "/trial/swapfile")
    assert (result["problems"], result["kinds"] > 5) == ([], True)


CUT = [("shrink", "/cut"), ("units", "/cut"), ("shrink", "/srv/xfs/cut"), ("shrink", "/srv/btrfs/cut")]


@pytest.mark.parametrize(("name", "folder"), CUT)
def test_a_power_cut_at_every_step_is_survived(host: t.Any, name: str, folder: str) -> None:
    command = f"/usr/bin/python3 -m swap_trial stop {folder} {name}"
    stopped = json.loads(
        host.check_output(
            f"systemd-run --quiet --unit=cut --working-directory=/opt/swap-trial {command} && "
            "until [ -e /run/swap-trial.json ]; do systemctl --quiet is-active cut && sleep 1 || exit; done; "
            "cat /run/swap-trial.json"
        )
    )
    power_failure(host)
    result = trial(host, "complete", folder, name)
    assert stopped["stopped"] == stopped["changes"] > 5
    assert (result["problems"], result["total_bytes"] >= stopped["stopped"] * 64 * MIB) == ([], True)


def test_swap_is_in_use_after_a_boot(host: t.Any) -> None:
    swap(host, path="/by-fstab", size="64M", mode="exact", persist="fstab")
    swap(host, path="/by-unit", size="128M", mode="exact", persist="systemd")
    power_failure(host)
    assert total(host) == 128 * MIB


@pytest.mark.parametrize(("setting", "value"), [("vm.swappiness", 50), ("vm.page-cluster", 1)])
def test_the_kernel_swaps_as_was_asked_for_after_a_boot(host: t.Any, setting: str, value: int) -> None:
    assert host.sysctl(setting) == value


def power_failure(host: t.Any) -> None:
    """Cut the power of the machine, and let it boot."""
    for verb in ("power-cut", "power-on"):
        lab(verb, host.backend.get_hostname())
    # It answers before all is mounted; whether anything failed is the test's to tell.
    host.run("systemctl is-system-running --wait")


def lab(verb: str, name: str) -> None:
    """Cut or restore the power of a machine."""
    project = pathlib.Path(os.environ["MOLECULE_PROJECT_DIRECTORY"])
    folder = pathlib.Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "machines" / name
    environment = {**os.environ, "PYTHONPATH": str(project / "tests/lab")}
    subprocess.run(
        [sys.executable, "-m", "lab", verb, str(folder)], check=True, env=environment, stdout=subprocess.DEVNULL
    )
