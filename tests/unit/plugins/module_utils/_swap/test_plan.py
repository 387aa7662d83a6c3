# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps from what is to what shall be, and what is refused."""

from __future__ import annotations

import dataclasses
import typing as t

import hypothesis
import pytest
from hypothesis import strategies as st

from ansible_collections.oomguard.linux.plugins.module_utils._swap.plan import Plan, make_plan, verify
from ansible_collections.oomguard.linux.plugins.module_utils._swap.state import (
    Area,
    Entry,
    Folder,
    Header,
    State,
    SwapError,
    Unit,
)
from ansible_collections.oomguard.linux.plugins.module_utils._swap.steps import (
    Create,
    Disable,
    Enable,
    Persist,
    RemoveUnit,
    Step,
    WriteUnit,
)
from ansible_collections.oomguard.linux.plugins.module_utils._swap.unit import unit_name, unit_text
from ansible_collections.oomguard.linux.plugins.module_utils._swap.wanted import SLACK_BYTES, Wanted

MIB = 1024**2
GIB = 1024**3
PAGE = 4096
ROOT_LINE = "LABEL=root / ext4 defaults 0 1\n"

WANTED = Wanted(
    path="/swapfile",
    present=True,
    size_bytes=10 * GIB,
    exact=False,
    priority=None,
    persist="fstab",
    reserve_bytes=256 * MIB,
)
EXACT = dataclasses.replace(WANTED, exact=True)
SYSTEMD = dataclasses.replace(WANTED, persist="systemd")
ABSENT = dataclasses.replace(WANTED, present=False, size_bytes=0)


def area(path: str, size: int, *, used: int = 0, kind: str = "file", priority: int = -2) -> Area:
    return Area(path=path, type=kind, size_bytes=size, used_bytes=used, priority=priority)


def entry(path: str, size: int, *, label: str = "oomguard", suspended: bool = False, **changes: t.Any) -> Entry:
    header = Header(label=label, size_bytes=size, suspended=suspended)
    made = Entry(path=path, kind="file", header=header, file_bytes=size + PAGE, mode=0o600, uid=0, links=1)
    return dataclasses.replace(made, **changes)


def fstab(*paths: str) -> str:
    return ROOT_LINE + "".join(f"{path} none swap sw,nofail 0 0\n" for path in paths)


def state(*areas: Area, entries: t.Iterable[Entry] = (), **changes: t.Any) -> State:
    made = State(
        areas=areas,
        entries=tuple(entries),
        leftover=None,
        folders=(Folder("/", "folder", 0o755, 0),),
        filesystem="ext4",
        devices=1,
        snapshots=(),
        kernel=(6, 1),
        free_bytes=20 * GIB,
        memory_available_bytes=300 * MIB,
        page_size=PAGE,
        fstab=fstab(*(each.path for each in entries)),
        units=(),
        unit_folder="/etc/systemd/system",
        booted=True,
        hibernates_to=(),
        container="",
        privileged=True,
    )
    return dataclasses.replace(made, **changes)


def managed(*sizes: int, used: int = 0, **changes: t.Any) -> State:
    """Return a host with files of ours of these sizes in use, the first one under the plain name."""
    files = {"/swapfile" if number == 0 else f"/swapfile.{number}": size for number, size in enumerate(sizes)}
    return state(
        *(area(path, size, used=used) for path, size in files.items()),
        entries=[entry(path, size) for path, size in files.items()],
        **changes,
    )


def steps(plan: Plan) -> list[str]:
    return [f"{step.name} {step.path}" for step in plan.steps]


GROWN = ["create /swapfile", "enable /swapfile", "persist /etc/fstab"]
GROWN_1 = ["create /swapfile.1", "enable /swapfile.1", "persist /etc/fstab"]


def unit_path(path: str) -> str:
    return f"/etc/systemd/system/{unit_name(path)}"


def unit(path: str, *, text: str | None = None, enabled: bool = True) -> Unit:
    return Unit(path=unit_path(path), area=path, text=unit_text(path, None) if text is None else text, enabled=enabled)


class Case(t.NamedTuple):
    host: State
    wanted: Wanted
    expected: list[str]


CASES = {
    "no swap": Case(state(), WANTED, GROWN),
    "a partition is added to": Case(state(area("/dev/vda5", 4 * GIB, kind="partition")), WANTED, GROWN),
    "zram counts where asked for": Case(
        state(area("/dev/zram0", 16 * GIB, kind="partition")), dataclasses.replace(WANTED, count_zram=True), []
    ),
    "zram does not count": Case(state(area("/dev/zram0", 16 * GIB, kind="partition")), WANTED, GROWN),
    "partition of exactly the target, less its header": Case(state(area("/dev/vda5", 10 * GIB - PAGE)), WANTED, []),
    "a foreign swap file in use keeps its name": Case(
        state(area("/swapfile", 2 * GIB), entries=[entry("/swapfile", 2 * GIB, label="")], fstab=ROOT_LINE),
        WANTED,
        GROWN_1,
    ),
    "ours is added to": Case(managed(GIB), WANTED, GROWN_1),
    "ours is enough": Case(managed(10 * GIB), WANTED, []),
    "more is fine": Case(managed(12 * GIB), WANTED, []),
    "more is fine, and a file of ours that is off goes on": Case(
        state(area("/dev/vda5", 12 * GIB), entries=[entry("/swapfile", 2 * GIB)]), WANTED, ["enable /swapfile"]
    ),
    "exact keeps what is in use": Case(
        state(
            area("/swapfile.1", 2 * GIB),
            entries=[entry("/swapfile", 2 * GIB), entry("/swapfile.1", 2 * GIB)],
        ),
        dataclasses.replace(EXACT, size_bytes=2 * GIB),
        ["persist /etc/fstab", "remove /swapfile"],
    ),
    "exact comes down": Case(
        managed(10 * GIB),
        dataclasses.replace(EXACT, size_bytes=2 * GIB),
        [*GROWN_1, "disable /swapfile", "remove /swapfile"],
    ),
    "exact keeps what fits": Case(
        managed(2 * GIB, 8 * GIB),
        dataclasses.replace(EXACT, size_bytes=8 * GIB),
        ["persist /etc/fstab", "disable /swapfile", "remove /swapfile"],
    ),
    "exact is reached": Case(managed(2 * GIB, 8 * GIB), EXACT, []),
    "exact goes without files of ours": Case(
        state(area("/dev/vda5", 10 * GIB), area("/swapfile", GIB), entries=[entry("/swapfile", GIB)]),
        EXACT,
        ["persist /etc/fstab", "disable /swapfile", "remove /swapfile"],
    ),
    "without room for both the old one goes first": Case(
        managed(10 * GIB, free_bytes=GIB),
        dataclasses.replace(EXACT, size_bytes=2 * GIB),
        [
            "persist /etc/fstab",
            "disable /swapfile",
            "remove /swapfile",
            "create /swapfile.1",
            "enable /swapfile.1",
            "persist /etc/fstab",
        ],
    ),
    "interrupted while making": Case(
        state(leftover=entry("/.swapfile.oomguard", 10 * GIB), free_bytes=GIB),
        WANTED,
        ["clear_leftover /.swapfile.oomguard", *GROWN],
    ),
    "interrupted before swapon": Case(
        state(entries=[entry("/swapfile", 10 * GIB)], fstab=ROOT_LINE),
        WANTED,
        ["enable /swapfile", "persist /etc/fstab"],
    ),
    "interrupted before fstab": Case(managed(10 * GIB, fstab=ROOT_LINE), WANTED, ["persist /etc/fstab"]),
    "interrupted before swapoff": Case(
        managed(10 * GIB, 2 * GIB, fstab=fstab("/swapfile.1")),
        dataclasses.replace(EXACT, size_bytes=2 * GIB),
        ["disable /swapfile", "remove /swapfile"],
    ),
    "interrupted before removal": Case(
        state(
            area("/swapfile.1", 2 * GIB),
            entries=[entry("/swapfile", 10 * GIB), entry("/swapfile.1", 2 * GIB)],
            fstab=fstab("/swapfile.1"),
        ),
        dataclasses.replace(EXACT, size_bytes=2 * GIB),
        ["remove /swapfile"],
    ),
    "readable by others": Case(
        state(area("/swapfile", 10 * GIB), entries=[entry("/swapfile", 10 * GIB, mode=0o644)]),
        WANTED,
        ["protect /swapfile"],
    ),
    "owned by another": Case(
        state(area("/swapfile", 10 * GIB), entries=[entry("/swapfile", 10 * GIB, uid=1000)]),
        WANTED,
        ["protect /swapfile"],
    ),
    "interrupted in a change of priority": Case(
        state(
            area("/swapfile", 10 * GIB),
            area("/swapfile.1", 10 * GIB, priority=5),
            entries=[entry("/swapfile", 10 * GIB), entry("/swapfile.1", 10 * GIB)],
            fstab=fstab("/swapfile"),
        ),
        dataclasses.replace(WANTED, priority=5),
        ["persist /etc/fstab", "disable /swapfile", "remove /swapfile"],
    ),
    "interrupted in a change of priority, at the last step": Case(
        state(
            area("/swapfile.1", 10 * GIB),
            entries=[entry("/swapfile", 10 * GIB), entry("/swapfile.1", 10 * GIB)],
            fstab=fstab("/swapfile.1"),
        ),
        WANTED,
        ["remove /swapfile"],
    ),
    "interrupted without room for both": Case(
        state(entries=[entry("/swapfile", 10 * GIB)], fstab=ROOT_LINE, free_bytes=GIB),
        dataclasses.replace(EXACT, size_bytes=2 * GIB),
        ["remove /swapfile", "create /swapfile.1", "enable /swapfile.1", "persist /etc/fstab"],
    ),
    "another priority takes a file of its own": Case(
        managed(10 * GIB),
        dataclasses.replace(WANTED, priority=5),
        [*GROWN_1, "disable /swapfile", "remove /swapfile"],
    ),
    "not persistent": Case(managed(10 * GIB), dataclasses.replace(WANTED, persist="none"), ["persist /etc/fstab"]),
    "through systemd": Case(
        state(fstab=ROOT_LINE),
        SYSTEMD,
        ["create /swapfile", "enable /swapfile", f"write_unit {unit_path('/swapfile')}"],
    ),
    "through systemd already": Case(managed(10 * GIB, fstab=ROOT_LINE, units=(unit("/swapfile"),)), SYSTEMD, []),
    "from fstab to systemd": Case(
        managed(10 * GIB), SYSTEMD, [f"write_unit {unit_path('/swapfile')}", "persist /etc/fstab"]
    ),
    "from systemd to fstab": Case(
        managed(10 * GIB, fstab=ROOT_LINE, units=(unit("/swapfile"),)),
        WANTED,
        ["persist /etc/fstab", f"remove_unit {unit_path('/swapfile')}"],
    ),
    "a unit that is not enabled": Case(
        managed(10 * GIB, fstab=ROOT_LINE, units=(unit("/swapfile", enabled=False),)),
        SYSTEMD,
        [f"write_unit {unit_path('/swapfile')}"],
    ),
    "a foreign unit is left alone": Case(
        managed(10 * GIB, units=(unit("/swapfile", text="[Swap]\nWhat=/swapfile\n"),)), WANTED, []
    ),
    "absent with a unit": Case(
        managed(10 * GIB, fstab=ROOT_LINE, units=(unit("/swapfile"),)),
        ABSENT,
        [f"remove_unit {unit_path('/swapfile')}", "disable /swapfile", "remove /swapfile"],
    ),
    "through systemd without room for both": Case(
        managed(10 * GIB, free_bytes=GIB, fstab=ROOT_LINE, units=(unit("/swapfile"),)),
        dataclasses.replace(SYSTEMD, size_bytes=2 * GIB, exact=True),
        [
            f"remove_unit {unit_path('/swapfile')}",
            "disable /swapfile",
            "remove /swapfile",
            "create /swapfile.1",
            "enable /swapfile.1",
            f"write_unit {unit_path('/swapfile.1')}",
        ],
    ),
    "absent": Case(managed(10 * GIB), ABSENT, ["persist /etc/fstab", "disable /swapfile", "remove /swapfile"]),
    "absent where somebody has removed the file": Case(
        state(fstab=fstab("/swapfile.2"), units=(unit("/swapfile"),)),
        ABSENT,
        ["persist /etc/fstab", f"remove_unit {unit_path('/swapfile')}"],
    ),
    "absent leaves a line that was not written here": Case(
        state(fstab=f"{ROOT_LINE}/swapfile none swap defaults 0 0\n"), ABSENT, []
    ),
    "absent where it is so": Case(state(area("/dev/vda5", GIB)), ABSENT, []),
    "absent leaves a foreign file": Case(
        state(area("/swapfile", GIB), entries=[entry("/swapfile", GIB, label="")]), ABSENT, []
    ),
    "absent in a container without files of ours": Case(state(container="docker"), ABSENT, []),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_steps(case: Case) -> None:
    assert steps(make_plan(case.host, case.wanted)) == case.expected


@pytest.mark.parametrize(
    ("host", "size"),
    [(state(), 10 * GIB), (managed(GIB), 9 * GIB), (state(area("/dev/vda5", 4 * GIB - PAGE)), 6 * GIB + PAGE)],
    ids=["none", "ours", "a partition without its header"],
)
def test_the_new_file_is_the_difference(host: State, size: int) -> None:
    assert make_plan(host, WANTED).steps[0].as_dict()["size_bytes"] == size


@pytest.mark.parametrize("host", [state(), managed(GIB)], ids=["first", "second"])
def test_a_file_is_made_where_the_next_run_looks_for_leftovers(host: State) -> None:
    step = make_plan(host, WANTED).steps[0]
    assert isinstance(step, Create)
    assert step.made_as == "/.swapfile.oomguard"


def test_diff_of_a_unit() -> None:
    assert make_plan(state(), SYSTEMD).diff[1]["after"] == unit_text("/swapfile", None)


def test_the_new_file_is_whole_pages() -> None:
    wanted = dataclasses.replace(WANTED, size_bytes=10 * 1000**3)
    assert make_plan(state(), wanted).steps[0].as_dict()["size_bytes"] == 10 * 1000**3 // PAGE * PAGE + PAGE


def test_a_changed_priority_replaces_all_that_was_there() -> None:
    wanted = dataclasses.replace(WANTED, size_bytes=GIB, priority=5)
    assert make_plan(managed(12 * GIB), wanted).steps[0].as_dict()["size_bytes"] == 12 * GIB


@pytest.mark.parametrize(("priority", "options"), [(None, "sw,nofail"), (0, "sw,nofail,pri=0"), (7, "sw,nofail,pri=7")])
def test_fstab_gets_the_priority(priority: int | None, options: str) -> None:
    plan = make_plan(state(), dataclasses.replace(WANTED, priority=priority))
    assert plan.diff[1]["after"] == f"{ROOT_LINE}/swapfile none swap {options} 0 0\n"


def test_diff_of_the_areas() -> None:
    assert make_plan(managed(GIB), WANTED).diff[0] == {
        "before_header": "swap areas",
        "after_header": "swap areas",
        "before": "/swapfile (file): 1073741824 bytes\n",
        "after": "/swapfile (file): 1073741824 bytes\n/swapfile.1 (file): 9663676416 bytes\n",
    }


def test_diff_of_an_fstab_that_is_not_utf_8() -> None:
    assert make_plan(state(fstab="# caf\udce9\n"), WANTED).diff[1]["before"] == "# caf\\xe9\n"


def test_a_plan_without_steps_has_no_change() -> None:
    assert not make_plan(managed(10 * GIB), WANTED).changed


def test_a_step_as_plain_data() -> None:
    assert make_plan(managed(GIB), WANTED).steps[1].as_dict() == {
        "step": "enable",
        "path": "/swapfile.1",
        "size_bytes": 9 * GIB,
        "priority": None,
    }


def test_a_step_keeps_the_texts_of_files_to_itself() -> None:
    assert make_plan(managed(GIB), WANTED).steps[2].as_dict() == {"step": "persist", "path": "/etc/fstab"}


LINK = Entry(path="/swapfile", kind="symbolic link", header=None, file_bytes=9, mode=0o777, uid=0, links=1)


class Refusal(t.NamedTuple):
    host: State
    wanted: Wanted
    message: str


REFUSALS = {
    "foreign file": Refusal(
        state(entries=[dataclasses.replace(LINK, kind="file", mode=0o644)]),
        WANTED,
        "Refused to touch /swapfile: it is a file that was not made here, and not in use as swap. "
        "Move it away, or name another path.",
    ),
    "symbolic link": Refusal(
        state(entries=[LINK]),
        WANTED,
        "Refused to touch /swapfile: it is a symbolic link, and not in use as swap. "
        "Move it away, or name another path.",
    ),
    "folder": Refusal(
        state(entries=[dataclasses.replace(LINK, kind="folder")]),
        WANTED,
        "Refused to touch /swapfile: it is a folder, and not in use as swap. Move it away, or name another path.",
    ),
    "hard link": Refusal(
        state(entries=[entry("/swapfile", GIB, links=2)]),
        WANTED,
        "Refused to touch /swapfile: the file has 2 names. Remove the other hard links.",
    ),
    "suspended": Refusal(
        state(entries=[entry("/swapfile", GIB, suspended=True)]),
        WANTED,
        "Refused to touch /swapfile: it holds the image of a hibernated system. "
        "Resume that system first, or give it up with force: true.",
    ),
    "hibernation": Refusal(
        managed(GIB, hibernates_to=("/swapfile",)),
        ABSENT,
        "Refused to remove /swapfile: this host hibernates to it (resume= or resume_offset=). "
        "Have it resume from elsewhere first, or use force: true.",
    ),
    "a foreign unit": Refusal(
        managed(GIB, units=(unit("/swapfile", text="[Swap]\nWhat=/swapfile\n"),)),
        SYSTEMD,
        "Refused to replace /etc/systemd/system/swapfile.swap: it was not made here. "
        "Move it away, or use another persist.",
    ),
    "no systemd": Refusal(state(booted=False), SYSTEMD, "This host was not booted with systemd. Use persist: fstab."),
    "container": Refusal(
        state(container="lxc"),
        WANTED,
        "Swap cannot be managed in a container (lxc): it belongs to the host's kernel. Manage it on the host.",
    ),
    "a container without room": Refusal(
        state(container="lxc", free_bytes=0),
        WANTED,
        "Swap cannot be managed in a container (lxc): it belongs to the host's kernel. Manage it on the host.",
    ),
    "overlay without room": Refusal(
        state(filesystem="overlay", free_bytes=0),
        WANTED,
        "Refused to make a swap file on overlay: the kernel refuses swap files there. "
        "Name a path on one of ext2, ext3, ext4, xfs, btrfs.",
    ),
    "no privilege": Refusal(
        state(privileged=False),
        WANTED,
        "Switching swap on and off needs the capability CAP_SYS_ADMIN. Use become: true.",
    ),
    "overlay": Refusal(
        state(filesystem="overlay"),
        WANTED,
        "Refused to make a swap file on overlay: the kernel refuses swap files there. "
        "Name a path on one of ext2, ext3, ext4, xfs, btrfs.",
    ),
    "fuse": Refusal(
        state(filesystem="fuse.sshfs"),
        WANTED,
        "Refused to make a swap file on fuse.sshfs: a program that may be swapped out itself serves it. "
        "Name a path on one of ext2, ext3, ext4, xfs, btrfs.",
    ),
    "unknown filesystem": Refusal(
        state(filesystem="f2fs"),
        WANTED,
        "Refused to make a swap file on f2fs: it is not known to carry one. "
        "Name a path on one of ext2, ext3, ext4, xfs, btrfs.",
    ),
    "fuseblk": Refusal(
        state(filesystem="fuseblk"),
        WANTED,
        "Refused to make a swap file on fuseblk: a program that may be swapped out itself serves it. "
        "Name a path on one of ext2, ext3, ext4, xfs, btrfs.",
    ),
    "vfat": Refusal(
        state(filesystem="vfat"),
        WANTED,
        "Refused to make a swap file on vfat: it cannot keep a file to root alone, nor one of 4 GiB. "
        "Name a path on one of ext2, ext3, ext4, xfs, btrfs.",
    ),
    "btrfs of an old kernel": Refusal(
        state(filesystem="btrfs", kernel=(4, 19)),
        WANTED,
        "Refused to make a swap file on btrfs: Linux before 5.0 takes none there. Name a path on another filesystem.",
    ),
    "snapshots": Refusal(
        state(filesystem="btrfs", snapshots=("@/.snapshots/1", "@/.snapshots/2")),
        WANTED,
        "Refused to make a swap file below /: its btrfs subvolume has snapshots (@/.snapshots/1, @/.snapshots/2), and "
        "no more could be taken with one in use. "
        "Make a subvolume for it, such as with: btrfs subvolume create /swap.",
    ),
    "several devices": Refusal(
        state(filesystem="btrfs", devices=2),
        WANTED,
        "Refused to make a swap file on btrfs over 2 devices: the kernel takes one only. "
        "Name a path on another filesystem.",
    ),
    "writable folder": Refusal(
        state(folders=(Folder("/", "folder", 0o755, 0), Folder("/pub", "folder", 0o1777, 0))),
        WANTED,
        "Refused to manage a swap file below /pub: users other than root can write there (owner 0, mode 1777). "
        "Name a path in a folder that belongs to root alone.",
    ),
    "linked folder": Refusal(
        state(folders=(Folder("/", "folder", 0o755, 0), Folder("/srv", "symbolic link", 0o777, 0))),
        WANTED,
        "Refused to manage a swap file below /srv: it is a symbolic link. Name the path without links.",
    ),
    "disk too small": Refusal(
        state(free_bytes=10 * GIB),
        WANTED,
        "There is not enough room on the disk for 10.0 GiB more of swap below /: 10.0 GiB are free, and 256.0 MiB of "
        "them are to stay so. Free some, name a path on another filesystem, ask for less, or lower the reserve.",
    ),
    "exact below what others have": Refusal(
        state(area("/dev/vda5", 12 * GIB)),
        EXACT,
        "Cannot bring the swap of this host to exactly 10.0 GiB: areas other than the files made here for /swapfile "
        "come to 12.0 GiB already. Switch them off (files of this module with state: absent and their path), ask for "
        "more, or use mode at_least.",
    ),
    "another priority without room for both": Refusal(
        managed(10 * GIB, free_bytes=5 * GIB),
        dataclasses.replace(WANTED, priority=5),
        "There is not enough room on the disk for 10.0 GiB more of swap below /: 5.0 GiB are free, and 256.0 MiB of "
        "them are to stay so. Free some, name a path on another filesystem, ask for less, or lower the reserve.",
    ),
    "a masked unit": Refusal(
        managed(10 * GIB, units=(unit("/swapfile", text="a link to /dev/null"),)),
        SYSTEMD,
        "Refused to replace /etc/systemd/system/swapfile.swap: it was not made here. Move it away, or use another "
        "persist.",
    ),
    "in use and no room": Refusal(
        managed(GIB, used=300 * MIB),
        ABSENT,
        "Refused to switch off /swapfile: 300.0 MiB of swap in use would have to move, but there is room for 44.0 MiB "
        "(300.0 MiB of memory available less a reserve of 256.0 MiB, and 0 B free in other areas). "
        "Free memory, make room on the disk so that a new area can come first, or lower the reserve.",
    ),
    "in use and no room on the disk": Refusal(
        managed(10 * GIB, used=300 * MIB, free_bytes=GIB),
        dataclasses.replace(EXACT, size_bytes=2 * GIB),
        "Refused to switch off /swapfile: 300.0 MiB of swap in use would have to move, but there is room for 44.0 MiB "
        "(300.0 MiB of memory available less a reserve of 256.0 MiB, and 0 B free in other areas). "
        "Free memory, make room on the disk so that a new area can come first, or lower the reserve.",
    ),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS.keys())
def test_refusals(refusal: Refusal) -> None:
    with pytest.raises(SwapError) as error:
        make_plan(refusal.host, refusal.wanted)
    assert str(error.value) == refusal.message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"path": "swapfile"},
            "'swapfile' is not the path of a swap file. Write it in full and plain, such as /swapfile.",
        ),
        (
            {"path": "/a/../b"},
            "'/a/../b' is not the path of a swap file. Write it in full and plain, such as /swapfile.",
        ),
        (
            {"path": "//swapfile"},
            "'//swapfile' is not the path of a swap file. Write it in full and plain, such as /swapfile.",
        ),
        (
            {"path": "/"},
            "'/' is not the path of a swap file. Write it in full and plain, such as /swapfile.",
        ),
        (
            {"path": "/a\nb"},
            "'/a\\\\x0ab' is not the path of a swap file. Write it in full and plain, such as /swapfile.",
        ),
        (
            {"size_bytes": 0},
            "0 B is too small for the swap of a host. Give 2.0 MiB or more; state: absent removes what was made here.",
        ),
        ({"priority": -1}, "-1 is not a priority. Give a number from 0 to 32767, or none to leave it to the kernel."),
    ],
)
def test_what_makes_no_sense_is_refused(changes: dict[str, t.Any], message: str) -> None:
    with pytest.raises(SwapError) as error:
        dataclasses.replace(WANTED, **changes)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("hibernates_to", "wanted"),
    [("/swapfile", dataclasses.replace(ABSENT, force=True)), ("/swapfile", WANTED), ("/swapfile.1", ABSENT)],
    ids=["with consent", "growing", "to another file"],
)
def test_hibernation_is_not_in_the_way(hibernates_to: str, wanted: Wanted) -> None:
    assert make_plan(managed(GIB, hibernates_to=(hibernates_to,)), wanted).changed


def test_a_file_that_the_host_hibernates_to_goes_with_a_warning() -> None:
    host = managed(GIB, hibernates_to=("/swapfile",))
    assert make_plan(host, dataclasses.replace(ABSENT, force=True)).warnings == (
        "This host hibernates to /swapfile, which is given up: set resume= and resume_offset= anew.",
    )


def test_nothing_is_warned_of_otherwise() -> None:
    assert make_plan(managed(GIB, hibernates_to=("/swapfile",)), WANTED).warnings == ()


def test_the_image_of_a_hibernated_system_is_given_up_with_consent() -> None:
    host = state(entries=[entry("/swapfile", 10 * GIB, suspended=True)])
    assert steps(make_plan(host, dataclasses.replace(WANTED, force=True))) == ["enable /swapfile"]


@pytest.mark.parametrize(
    ("filesystem", "kernel", "zeros"),
    [
        ("ext4", (4, 19), False),
        ("ext4", (5, 7), True),
        ("ext4", (5, 8), True),
        ("ext4", (5, 9), False),
        ("xfs", (4, 17), True),
        ("xfs", (4, 18), False),
        ("btrfs", (5, 0), False),
        ("ext3", (6, 12), True),
        ("ext2", (6, 12), True),
    ],
)
def test_zeros_are_written_where_the_kernel_swaps_to_nothing_less(
    filesystem: str, kernel: tuple[int, int], *, zeros: bool
) -> None:
    step = make_plan(state(filesystem=filesystem, kernel=kernel), WANTED).steps[0]
    assert step.as_dict()["zeros_bytes"] == (10 * GIB + PAGE if zeros else 0)


@pytest.mark.parametrize("filesystem", ["zfs", "tmpfs"])
def test_a_file_of_ours_goes_wherever_it_is(filesystem: str) -> None:
    assert make_plan(managed(GIB, filesystem=filesystem), ABSENT).changed


def test_what_is_in_use_fits_into_the_new_area() -> None:
    host = managed(10 * GIB, used=300 * MIB, memory_available_bytes=0)
    assert make_plan(host, dataclasses.replace(EXACT, size_bytes=GIB)).changed


def test_verify_is_content_with_what_was_wanted() -> None:
    verify(managed(10 * GIB), WANTED)


def test_verify_names_what_is_left_to_do() -> None:
    with pytest.raises(SwapError) as error:
        verify(state(entries=[entry("/swapfile", 10 * GIB)]), WANTED)
    assert str(error.value) == (
        "The swap of this host, 0 B now, is not what was asked for. Left: enable /swapfile. "
        "Did something else change it at the same time? Run again."
    )


# A host after each step: what the property below is about.


def simulate(host: State, step: Step) -> State:
    """Return `host` after `step`, as the kernel and the disk would have it."""
    entries, areas = {each.path: each for each in host.entries}, {each.path: each for each in host.areas}
    changes: dict[str, t.Any] = {}
    if step.name == "clear_leftover":
        changes["leftover"] = None
    elif step.name == "create":
        entries[step.path] = entry(step.path, step.as_dict()["size_bytes"])
    elif step.name == "protect":
        entries[step.path] = dataclasses.replace(entries[step.path], mode=0o600, uid=0)
    elif isinstance(step, Enable):
        priority = -2 if step.priority is None else step.priority
        areas[step.path] = area(step.path, entries[step.path].size_bytes, priority=priority)
    elif isinstance(step, Disable):
        del areas[step.path]
    elif step.name == "remove":
        assert step.path not in areas
        del entries[step.path]
    elif isinstance(step, Persist):
        changes["fstab"] = step.after
    else:
        assert isinstance(step, (WriteUnit, RemoveUnit))
        units = {each.path: each for each in host.units}
        area_path = next(path for path in entries if unit_path(path) == step.path)
        units[step.path] = Unit(path=step.path, area=area_path, text=step.after, enabled=bool(step.after))
        changes["units"] = tuple(units.values())
    return dataclasses.replace(host, entries=tuple(entries.values()), areas=tuple(areas.values()), **changes)


@st.composite
def hosts(draw: st.DrawFn) -> State:
    names = ["/swapfile", *(f"/swapfile.{number}" for number in range(1, draw(st.integers(1, 4))))]
    entries, areas = [], []
    for name in names:
        size = draw(st.integers(1, 40)) * 256 * MIB
        ours = draw(st.booleans())
        entries.append(
            entry(name, size, label="oomguard" if ours else "other", mode=draw(st.sampled_from([0o600, 0o644])))
        )
        if not ours or draw(st.booleans()):
            areas.append(area(name, size, priority=draw(st.sampled_from([-2, 5]))))
    if draw(st.booleans()):
        areas.append(area("/dev/vda5", draw(st.integers(1, 40)) * 256 * MIB - PAGE))
    # What is in use and not settled looks like the work of an interrupted run.
    settled = [each.path for each in areas if each.path in names]
    lines = {*settled, *draw(st.lists(st.sampled_from(names)))}
    leftover = entry("/.swapfile.oomguard", GIB) if draw(st.booleans()) else None
    return state(*areas, entries=entries, fstab=fstab(*lines), free_bytes=100 * GIB, leftover=leftover)


wishes = st.builds(
    Wanted,
    path=st.just("/swapfile"),
    present=st.booleans(),
    size_bytes=st.integers(1, 80).map(lambda number: number * 256 * MIB),
    exact=st.booleans(),
    priority=st.sampled_from([None, 5, 7]),
    persist=st.sampled_from(["fstab", "systemd", "none"]),
    reserve_bytes=st.just(0),
)


def walk(host: State, wanted: Wanted) -> list[State]:
    """Return the host before, between and after all the steps of its plan."""
    try:
        plan = make_plan(host, wanted)
    except SwapError:
        hypothesis.reject()
    stations = [host]
    for step in plan.steps:
        stations.append(simulate(stations[-1], step))
    return stations


@hypothesis.settings(deadline=None)
@hypothesis.given(hosts(), wishes)
def test_swap_is_never_less_than_before_and_than_the_target(host: State, wanted: Wanted) -> None:
    floor = wanted.total_bytes(host.areas)
    if wanted.exact or not wanted.present:
        foreign = sum(
            each.size_bytes for each in host.areas if not any(e.ours and e.path == each.path for e in host.entries)
        )
        floor = min(floor, wanted.size_bytes if wanted.present else foreign)
    assert all(wanted.total_bytes(station.areas) >= floor - SLACK_BYTES for station in walk(host, wanted))


@hypothesis.settings(deadline=None)
@hypothesis.given(hosts(), wishes)
def test_the_host_ends_up_as_wanted(host: State, wanted: Wanted) -> None:
    assert make_plan(walk(host, wanted)[-1], wanted).steps == ()


@hypothesis.settings(deadline=None)
@hypothesis.given(hosts(), wishes)
def test_an_interrupted_run_is_completed_by_the_next(host: State, wanted: Wanted) -> None:
    stations = walk(host, wanted)
    ends = [walk(station, wanted)[-1] for station in stations]
    assert all(make_plan(end, wanted).steps == () for end in ends)
    # A file that is off and still named in fstab is one more to come: nobody can tell who has switched it on.
    hypothesis.assume(all(host.area(each.path) or not host.settled_by(each.path) for each in host.entries))
    expected = wanted.total_bytes(stations[-1].areas)
    assert all(abs(wanted.total_bytes(end.areas) - expected) <= SLACK_BYTES for end in ends)


@hypothesis.settings(deadline=None)
@hypothesis.given(hosts(), wishes)
def test_foreign_areas_are_left_alone(host: State, wanted: Wanted) -> None:
    def foreign(each: State) -> list[Area]:
        return [one for one in each.areas if not any(e.ours and e.path == one.path for e in each.entries)]

    assert foreign(walk(host, wanted)[-1]) == foreign(host)


@hypothesis.settings(deadline=None)
@hypothesis.given(hosts(), wishes)
def test_fstab_never_newly_names_a_file_that_is_not_there(host: State, wanted: Wanted) -> None:
    stations = walk(host, wanted)
    lines_before = set(host.fstab.splitlines())
    dangling = [
        line
        for station in stations
        for line in station.fstab.splitlines()
        if line not in lines_before and "swap" in line and line.split()[0] not in {e.path for e in station.entries}
    ]
    assert dangling == []
