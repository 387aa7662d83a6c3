# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes to the swap of a host: while the host depends on it, killed, and interrupted by a power cut."""

from __future__ import annotations

import functools
import json
import time
import typing as t

import pytest
from scenario.modules import try_module
from scenario.power import cut_power_and_boot
from scenario.trials import run_trial

testinfra_hosts = ["ansible://all"]

MIB = 1024**2
GIB = 1024**3


def set_swap(host: t.Any, *, check: bool = False, **arguments: t.Any) -> dict[str, t.Any]:
    """Run the module swap, and return its result, even if it fails."""
    return try_module(host, "swap", check=check, **arguments)


def clear_swap(host: t.Any, *paths: str) -> None:
    """Remove the swap files of the module at `paths`."""
    for path in paths:
        host.check_output("chattr -f -i %s || true", path)
        assert set_swap(host, path=path, state="absent").get("msg") is None


def read_report(host: t.Any, name: str) -> dict[str, t.Any]:
    """Return the last report of live.py: `hold` or `watch`."""
    return dict(json.loads(host.file(f"/run/{name}.json").content_string))


def read_new_watch_report(host: t.Any) -> dict[str, t.Any]:
    """Return a report of the watcher that it has begun after this call."""
    requests = count_requests(host)
    deadline = time.monotonic() + 600
    while count_requests(host) < requests + 2 and time.monotonic() < deadline:
        time.sleep(1)
    return read_report(host, "watch")


def count_requests(host: t.Any) -> int:
    """Return how many requests the watcher has made of the web server."""
    report = read_report(host, "watch")
    return int(report["answered"]) + int(report["failed"])


def read_total(host: t.Any) -> int:
    """Return the kernel's SwapTotal in bytes."""
    return int(host.check_output("sed -n 's/^SwapTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo")) * 1024


def test_role_sets_total_swap(host: t.Any) -> None:
    assert read_total(host) == 10 * GIB


@pytest.mark.parametrize(("setting", "value"), [("vm.swappiness", 50), ("vm.page-cluster", 1)])
def test_role_sets_sysctls(host: t.Any, setting: str, value: int) -> None:
    assert host.sysctl(setting) == value


def test_swap_in_use_is_shrunk(host: t.Any) -> None:
    result = set_swap(host, size="2G", mode="exact", reserve="64M")
    assert (result.get("msg"), read_total(host)) == (None, 2 * GIB)


@pytest.mark.parametrize(("before", "after"), [("/", "/srv/xfs/"), ("/srv/xfs/", "/srv/btrfs/")])
def test_swap_moves_to_other_filesystem(host: t.Any, before: str, after: str) -> None:
    results = [
        set_swap(host, path=f"{after}swapfile", size="12G", mode="exact", reserve="64M"),
        set_swap(host, path=f"{before}swapfile", state="absent"),
        set_swap(host, path=f"{after}swapfile", size="2G", mode="exact", reserve="64M"),
    ]
    messages = [result.get("msg") for result in results]
    assert (messages, read_total(host)) == ([None, None, None], 2 * GIB)


def test_total_swap_never_fell_below_start(host: t.Any) -> None:
    assert read_new_watch_report(host)["lowest_bytes"] == GIB


def test_used_swap_moves_to_smaller_area(host: t.Any) -> None:
    result = set_swap(host, path="/srv/btrfs/swapfile", size="600M", mode="exact", reserve="32M")
    assert (result.get("msg"), read_total(host)) == (None, 600 * MIB)


def test_total_swap_never_fell_below_target(host: t.Any) -> None:
    assert read_new_watch_report(host)["lowest_bytes"] == 600 * MIB


def test_web_server_answered_every_request(host: t.Any) -> None:
    report = read_new_watch_report(host)
    assert (report["failed"], report["answered"] > 0) == (0, True)


def test_memory_of_running_program_is_intact(host: t.Any) -> None:
    checked = read_report(host, "hold")["checked"]
    deadline = time.monotonic() + 600
    while read_report(host, "hold")["checked"] < checked + 400 and time.monotonic() < deadline:
        time.sleep(2)
    held = read_report(host, "hold")
    assert (held["broken"], held["checked"] >= checked + 400) == (0, True)


def test_kernel_killed_nothing(host: t.Any) -> None:
    assert host.run("journalctl --dmesg --quiet --grep='Killed process'").stdout == ""


def test_swapoff_that_does_not_fit_into_memory_is_refused(host: t.Any) -> None:
    result = set_swap(host, path="/srv/btrfs/swapfile", state="absent", reserve="400M")
    assert result["msg"].startswith("Refused to switch off /srv/btrfs/swapfile: ")


def test_naive_order_lets_total_swap_fall(host: t.Any) -> None:
    # This is the control: the watcher notices the usual order. If the running program still held its memory, the kernel
    # would kill swapoff on the older releases, and the newest would thrash until nobody can reach the host.
    host.check_output("systemctl stop hold.service && swapoff --all")
    assert read_new_watch_report(host)["lowest_bytes"] < 600 * MIB


def test_swap_is_removed_after_the_load(host: t.Any) -> None:
    host.check_output("systemctl stop watch.service")
    assert set_swap(host, path="/srv/btrfs/swapfile", state="absent").get("msg") is None


def test_subvolume_with_snapshot_is_refused(host: t.Any) -> None:
    host.check_output("btrfs subvolume snapshot -r /srv/btrfs /srv/btrfs/snapshot")
    result = set_swap(host, path="/srv/btrfs/swapfile", size="64M")
    host.check_output("btrfs subvolume delete /srv/btrfs/snapshot")
    assert result["msg"].startswith("Refused to create a swap file below /srv/btrfs: its btrfs subvolume has snapshots")


def test_tmpfs_is_refused(host: t.Any) -> None:
    result = set_swap(host, path="/run/swapfile", size="64M")
    assert result["msg"].startswith("Refused to create a swap file on tmpfs: it is in memory itself.")


def test_old_file_is_removed_first_without_room_for_both(host: t.Any) -> None:
    set_swap(host, path="/srv/xfs/swapfile", size="160M", mode="exact")
    host.check_output("fallocate -l $(( $(stat -f -c '%a * %S' /srv/xfs) - 100 * 1024 * 1024 )) /srv/xfs/filler")
    result = set_swap(host, path="/srv/xfs/swapfile", size="64M", mode="exact", reserve="64M")
    host.check_output("rm /srv/xfs/filler")
    size = read_total(host)
    set_swap(host, path="/srv/xfs/swapfile", state="absent")
    steps = [step["step"] for step in result["plan"]]
    assert (steps, size) == (["persist", "disable", "remove", "create", "enable", "persist"], 64 * MIB)


def test_zeros_are_written_if_filesystem_cannot_preallocate(host: t.Any) -> None:
    host.check_output("mkdir -p /srv/ext3 && truncate -s 200M /var/ext3.img && mkfs.ext3 -q -b 4096 /var/ext3.img")
    host.check_output("mount -o loop /var/ext3.img /srv/ext3")
    result = set_swap(host, path="/srv/ext3/swapfile", size="64M", mode="exact", reserve="16M")
    size = read_total(host)
    set_swap(host, path="/srv/ext3/swapfile", state="absent")
    host.check_output("umount /srv/ext3")
    assert (result["plan"][0]["zeros_bytes"], size) == (64 * MIB + 4096, 64 * MIB)


@pytest.mark.parametrize(("count_zram", "changed"), [(False, True), (True, False)])
def test_zram_counts_if_requested(host: t.Any, *, count_zram: bool, changed: bool) -> None:
    host.check_output(
        "modprobe zram && echo 128M >/sys/block/zram0/disksize && mkswap /dev/zram0 && swapon --priority 100 /dev/zram0"
    )
    result = set_swap(host, path="/trial-zram", size="100M", count_zram=count_zram)
    set_swap(host, path="/trial-zram", state="absent")
    host.check_output("swapoff /dev/zram0 && udevadm settle && echo 1 >/sys/block/zram0/reset")
    counted = [area["counted"] for area in result["before"]["areas"] if area["path"] == "/dev/zram0"]
    assert (result["changed"], counted) == (changed, [count_zram])


def test_file_for_hibernation_is_removed_only_with_force(host: t.Any) -> None:
    set_swap(host, size="64M", mode="exact")
    host.check_output("filefrag -b4096 -v /swapfile | awk '$1 == \"0:\" {print $4 + 0}' >/sys/power/resume_offset")
    refused = set_swap(host, state="absent")
    allowed = set_swap(host, state="absent", force=True)
    host.check_output("echo 0 >/sys/power/resume_offset")
    assert refused["msg"].startswith("Refused to remove /swapfile: this host hibernates to it")
    assert (allowed["changed"], read_total(host)) == (True, 0)


def test_image_of_hibernated_system_is_overwritten_only_with_force(host: t.Any) -> None:
    set_swap(host, size="64M", mode="exact")
    host.check_output("swapoff /swapfile && printf 'S1SUSPEND\\0' | dd of=/swapfile bs=1 seek=4086 conv=notrunc")
    refused = set_swap(host, size="64M", mode="exact")
    allowed = set_swap(host, size="64M", mode="exact", force=True)
    size = read_total(host)
    set_swap(host, state="absent")
    assert refused["msg"].startswith("Refused to change /swapfile: it holds the image of a hibernated system.")
    assert (allowed["changed"], size) == (True, 64 * MIB)


KILLED = [(name, "/trial") for name in ("grow", "shrink", "priority", "units", "absent")]
KILLED += [("shrink", "/srv/xfs/trial"), ("shrink", "/srv/btrfs/trial")]


@pytest.mark.parametrize(("name", "folder"), KILLED)
def test_next_run_completes_killed_run(host: t.Any, name: str, folder: str) -> None:
    result = run_trial(host, "swap_trial", "kill", f"{folder}/swapfile", name)
    assert (result["problems"], result["failed"]) == ([], result["changes"])


FILLED = [("shrink", "/trial"), ("units", "/trial"), ("grow", "/srv/xfs/trial"), ("grow", "/srv/btrfs/trial")]


@pytest.mark.parametrize(("name", "folder"), FILLED)
def test_next_run_completes_change_after_full_disk(host: t.Any, name: str, folder: str) -> None:
    result = run_trial(host, "swap_trial", "fill", f"{folder}/swapfile", name)
    assert (result["problems"], result["failed"] > 0) == ([], True)


@pytest.mark.parametrize("name", ["grow", "shrink"])
def test_simultaneous_runs_all_succeed(host: t.Any, name: str) -> None:
    assert run_trial(host, "swap_trial", "twice", "/trial/swapfile", name) == {"ends": [0, 0], "problems": []}


@pytest.mark.parametrize("name", ["shrink", "units"])
def test_check_mode_and_second_run_change_nothing(host: t.Any, name: str) -> None:
    result = run_trial(host, "swap_trial", "still", "/trial/swapfile", name)
    assert (result["problems"], result["lines"] > 1000) == ([], True)


def test_fstab_keeps_every_other_byte(host: t.Any) -> None:
    result = run_trial(host, "swap_trial", "tables", "/trial/swapfile")
    assert (result["problems"], result["tables"] > 10) == ([], True)


def test_foreign_file_at_path_is_left_alone(host: t.Any) -> None:
    result = run_trial(host, "swap_trial", "foreign", "/trial/swapfile")
    assert (result["problems"], result["kinds"] > 5) == ([], True)


OBSTACLES = {
    "immutable fstab": ("chattr +i /etc/fstab", "chattr -i /etc/fstab", "/etc/fstab is immutable"),
    "append-only fstab": ("chattr +a /etc/fstab", "chattr -a /etc/fstab", "/etc/fstab is append-only"),
    "read-only /etc": (
        "mount --bind /etc /etc && mount -o remount,bind,ro /etc",
        "umount --lazy /etc",
        "/etc is on a read-only filesystem",
    ),
}


@pytest.mark.parametrize("name", OBSTACLES)
def test_obstacle_is_found_before_anything_changes(host: t.Any, name: str) -> None:
    obstruct, clear, reason = OBSTACLES[name]
    host.check_output(obstruct)
    checked = set_swap(host, size="64M", check=True)
    result = set_swap(host, size="64M")
    size = read_total(host)
    host.check_output(clear)
    assert (checked["msg"], size, host.file("/swapfile").exists) == (result["msg"], 0, False)
    assert result["msg"].startswith(f"Could not change /etc/fstab: {reason}. Nothing was changed.")


def test_area_that_cannot_be_named_in_fstab_fails(host: t.Any) -> None:
    set_swap(host, size="64M", persist="none")
    host.check_output("chattr +i /etc/fstab")
    result = set_swap(host, size="64M")
    host.check_output("chattr -i /etc/fstab")
    clear_swap(host, "/swapfile")
    assert result["msg"].startswith("Could not change /etc/fstab: /etc/fstab is immutable.")


def test_immutable_swap_file_is_found_before_anything_changes(host: t.Any) -> None:
    set_swap(host, size="64M")
    host.check_output("chattr +i /swapfile")
    checked = set_swap(host, state="absent", check=True)
    result = set_swap(host, state="absent")
    is_named = host.file("/etc/fstab").contains("^/swapfile ")
    clear_swap(host, "/swapfile")
    assert (checked["msg"], is_named) == (result["msg"], True)
    assert result["msg"].startswith("Could not change /swapfile: /swapfile is immutable. Nothing was changed.")


def test_file_that_was_formatted_again_is_reported(host: t.Any) -> None:
    set_swap(host, size="64M")
    host.check_output("swapoff /swapfile && mkswap /swapfile && swapon /swapfile")
    result = set_swap(host, state="absent")
    size = read_total(host)
    host.check_output("swapoff /swapfile && swaplabel --label oomguard /swapfile")
    clear_swap(host, "/swapfile")
    assert (result["changed"], size, host.file("/swapfile").exists) == (False, 64 * MIB, False)
    assert result["warnings"][0].startswith("/swapfile stays in use as swap, now or after the next boot: ")


@pytest.mark.parametrize(
    ("unit", "reason"), [("swap.target", "swap.target"), ("swapfile.swap", "its unit swapfile.swap")]
)
def test_swap_that_a_boot_would_not_switch_on_is_refused(host: t.Any, unit: str, reason: str) -> None:
    host.check_output("systemctl mask %s", unit)
    checked = set_swap(host, size="64M", check=True)
    result = set_swap(host, size="64M")
    exists = host.file("/swapfile").exists
    allowed = set_swap(host, size="64M", persist="none")
    host.check_output("systemctl unmask %s", unit)
    clear_swap(host, "/swapfile")
    assert (checked["msg"], exists, allowed.get("msg")) == (result["msg"], False, None)
    assert result["msg"].startswith(
        f"The swap of this host would not be in use after the next boot: {reason} is masked"
    )


UNIT = r"[Swap]\nWhat=/other\n[Install]\nWantedBy=swap.target\n"
LOOP = "([ -e /dev/loop9 ] || mknod /dev/loop9 b 7 9) && losetup /dev/loop9 /other && udevadm settle"
NAMED = {
    "not at all": ("/other", "true", True),
    "by fstab": ("/other", "echo '/other none swap sw 0 0' >>/etc/fstab", False),
    "by a tag in fstab": (
        "/dev/loop9",
        f'{LOOP} && echo "UUID=$(blkid -p -s UUID -o value /dev/loop9) none swap sw 0 0" >>/etc/fstab',
        False,
    ),
    "by a unit": ("/other", f"printf '{UNIT}' >/etc/systemd/system/other.swap && systemctl enable other.swap", False),
}


@pytest.mark.parametrize("name", NAMED)
def test_other_area_that_nothing_names_is_reported(host: t.Any, name: str) -> None:
    area, command, is_reported = NAMED[name]
    host.check_output("cp -p /etc/fstab /run/fstab && fallocate -l 64M /other && chmod 600 /other && mkswap /other")
    host.check_output(f"{command} && systemctl daemon-reload && swapon {area}")
    result = set_swap(host, path="/trial-swap", size="64M", mode="exact")
    host.check_output("swapoff %s && cp -p /run/fstab /etc/fstab", area)
    host.run("losetup -d /dev/loop9; systemctl disable other.swap; rm /other /etc/systemd/system/other.swap")
    host.check_output("systemctl daemon-reload")
    clear_swap(host, "/trial-swap")
    warnings = [text for text in result.get("warnings", ()) if text.startswith(f"{area} may not be in use")]
    assert (result.get("msg"), len(warnings)) == (None, int(is_reported))


@pytest.mark.parametrize(("size", "share"), [("50%", 0.5), ("auto", 2)])
def test_size_is_in_proportion_to_the_ram(host: t.Any, size: str, share: float) -> None:
    ram = int(host.check_output("sed -n 's/^MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo")) * 1024
    result = set_swap(host, size=size)
    total = read_total(host)
    again = set_swap(host, size=size)
    clear_swap(host, "/swapfile")
    assert (result["size_bytes"], again["changed"]) == (total, False)
    assert 0 <= ram * share - total < MIB


def test_size_fits_on_the_disk(host: t.Any) -> None:
    result = set_swap(host, path="/srv/xfs/swapfile", size="100G", fit=True, reserve="1G")
    total = read_total(host)
    again = set_swap(host, path="/srv/xfs/swapfile", size="100G", fit=True, reserve="1G")
    clear_swap(host, "/srv/xfs/swapfile")
    fit = result["fit"]
    assert (again["changed"], fit["fitted_bytes"], fit["requested_bytes"]) == (False, total, 100 * GIB)
    assert 0 <= fit["disk_free_bytes"] - GIB - total < MIB


@pytest.mark.parametrize("persist", ["fstab", "systemd"])
def test_options_are_in_force(host: t.Any, persist: str) -> None:
    set_swap(host, size="64M", persist=persist, options=["discard=once", "x-systemd.device-timeout=9"])
    result = set_swap(host, size="64M", persist=persist, options=["discard=once", "x-systemd.device-timeout=9"])
    flags = host.check_output("dmesg | sed -n 's/.*swap on .swapfile[.] .*across:[0-9]*k *//p' | tail -n 1")
    host.check_output("swapoff /swapfile && systemctl daemon-reload && systemctl start swapfile.swap")
    flags_of_unit = host.check_output("dmesg | sed -n 's/.*swap on .swapfile[.] .*across:[0-9]*k *//p' | tail -n 1")
    clear_swap(host, "/swapfile")
    assert (result["changed"], "Ds" in flags, flags_of_unit) == (False, True, flags)


def test_path_that_is_too_long_is_refused(host: t.Any) -> None:
    for path in ("/" + "a" * 250, "/a" * 2100):
        assert "is too long for the path of a swap file" in set_swap(host, path=path, size="64M")["msg"]


CUT = [("shrink", "/cut"), ("units", "/cut"), ("shrink", "/srv/xfs/cut"), ("shrink", "/srv/btrfs/cut")]


@pytest.mark.parametrize(("name", "folder"), CUT)
def test_next_run_completes_change_after_power_cut_at_every_step(host: t.Any, name: str, folder: str) -> None:
    command = f"/usr/bin/python3 -m swap_trial stop {folder} {name}"
    stopped = json.loads(
        host.check_output(
            f"systemd-run --quiet --unit=cut --working-directory=/opt/swap_trial {command} && "
            "until [ -e /run/swap_trial.json ]; do systemctl --quiet is-active cut && sleep 1 || exit; done; "
            "cat /run/swap_trial.json"
        )
    )
    fail_power(host)
    result = run_trial(host, "swap_trial", "complete", folder, name)
    assert stopped["stopped"] == stopped["changes"] > 5
    assert (result["problems"], result["total_bytes"] >= stopped["stopped"] * 64 * MIB) == ([], True)


# The total of all areas up to each one, in the order in which they are made.
LASTING: dict[str, dict[str, t.Any]] = {
    "/by-fstab": {"size": "64M", "persist": "fstab", "priority": 7, "options": ["discard=once"]},
    "/by-unit": {"size": "128M", "persist": "systemd", "priority": 9},
    "/srv/xfs/by-fstab": {"size": "192M", "persist": "fstab"},
    "/srv/btrfs/by-unit": {"size": "256M", "persist": "systemd"},
    "/masked": {"size": "320M", "persist": "fstab"},
}


@functools.cache
def boot(host: t.Any) -> dict[str, dict[str, t.Any]]:
    """Make swap areas, mask the unit of the last one, boot, and return what the next run of each area returns."""
    for path, arguments in LASTING.items():
        assert set_swap(host, path=path, mode="exact", **arguments).get("msg") is None
    host.check_output("systemctl mask masked.swap")
    fail_power(host)
    return {path: set_swap(host, path=path, **arguments) for path, arguments in LASTING.items()}


def test_swap_is_in_use_after_boot(host: t.Any) -> None:
    areas = {area["path"]: area for area in boot(host)["/by-unit"]["before"]["areas"]}
    sizes = {path: area["size_bytes"] for path, area in areas.items()}
    assert sizes == dict.fromkeys([*LASTING][:-1], 64 * MIB)
    assert (areas["/by-fstab"]["priority"], areas["/by-unit"]["priority"]) == (7, 9)


@pytest.mark.parametrize("path", [*LASTING][:-1])
def test_nothing_is_left_to_do_after_boot(host: t.Any, path: str) -> None:
    result = boot(host)[path]
    assert (result.get("msg"), result["changed"], result.get("warnings")) == (None, False, None)


def test_option_is_in_force_after_boot(host: t.Any) -> None:
    boot(host)
    flags = host.check_output("dmesg | sed -n 's/.*swap on .by-fstab[.] .*across:[0-9]*k *//p'")
    assert "Ds" in flags


def test_swap_with_masked_unit_is_refused_after_boot(host: t.Any) -> None:
    message = boot(host)["/masked"]["msg"]
    host.check_output("systemctl unmask masked.swap")
    clear_swap(host, *LASTING)
    assert message.startswith(
        "The swap of this host would not be in use after the next boot: its unit masked.swap is masked"
    )


@pytest.mark.parametrize(("setting", "value"), [("vm.swappiness", 50), ("vm.page-cluster", 1)])
def test_sysctls_are_in_force_after_boot(host: t.Any, setting: str, value: int) -> None:
    assert host.sysctl(setting) == value


def test_swap_is_not_in_use_after_boot_with_masked_target(host: t.Any) -> None:
    set_swap(host, size="64M", mode="exact")
    host.check_output("systemctl mask swap.target")
    fail_power(host)
    size = read_total(host)
    result = set_swap(host, size="64M", mode="exact")
    host.check_output("systemctl unmask swap.target")
    clear_swap(host, "/swapfile")
    assert size == 0
    assert result["msg"].startswith(
        "The swap of this host would not be in use after the next boot: swap.target is masked"
    )


def test_disabled_swap_stays_off_after_boot(host: t.Any) -> None:
    set_swap(host, size="64M", mode="exact")
    host.check_output("fallocate -l 64M /other && chmod 600 /other && mkswap /other && swapon /other")
    host.check_output("echo '/other none swap sw 0 0' >>/etc/fstab")
    host.check_output("modprobe zram && echo 64M >/sys/block/zram0/disksize && mkswap /dev/zram0 && swapon /dev/zram0")
    checked = set_swap(host, state="disabled", check=True)
    result = set_swap(host, state="disabled")
    again = set_swap(host, state="disabled")
    fail_power(host)
    after_boot = set_swap(host, state="disabled")
    lines = host.check_output("grep ' swap ' /etc/fstab")
    host.check_output("systemctl unmask swap.target")
    steps, checked_steps = ([(step["step"], step["path"]) for step in run["plan"]] for run in (result, checked))
    assert (steps, read_total(host)) == (checked_steps, 0)
    assert (again["changed"], after_boot["changed"]) == (False, False)
    assert lines == "# Disabled by oomguard.linux.swap: /other none swap sw 0 0"


def test_host_has_swap_again_after_it_was_disabled(host: t.Any) -> None:
    host.check_output("sed -i 's/^# Disabled by oomguard.linux.swap: //' /etc/fstab")
    host.check_output("systemctl daemon-reload && swapon --all")
    result = set_swap(host, size="128M")
    fail_power(host)
    assert (result.get("msg"), read_total(host)) == (None, 128 * MIB)


def fail_power(host: t.Any) -> None:
    """Cut the power of the host, boot it again, and wait until it has mounted everything."""
    cut_power_and_boot(host)
    # Whether a unit has failed is for the test to check.
    host.run("systemctl is-system-running --wait")
