# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps from one state to another."""

from __future__ import annotations

import dataclasses
import typing as t

import hypothesis
import pytest
from hypothesis import strategies as st

from ansible_collections.oomguard.linux.plugins.module_utils._swap.plan import make_plan, verify_state
from ansible_collections.oomguard.linux.plugins.module_utils._swap.state import Area, Boot, State, SwapError, Unit
from ansible_collections.oomguard.linux.plugins.module_utils._swap.steps import (
    Create,
    Disable,
    Enable,
    Persist,
    RemoveUnit,
    Step,
    WriteUnit,
)
from ansible_collections.oomguard.linux.plugins.module_utils._swap.unit import build_unit_text
from ansible_collections.oomguard.linux.plugins.module_utils._swap.wanted import SLACK_BYTES, Wanted
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._swap.factories import (
    ABSENT,
    EXACT,
    GIB,
    MIB,
    ROOT_LINE,
    SYSTEMD,
    WANTED,
    area,
    entry,
    fstab_text,
    managed,
    state,
    step_names,
    unit,
    unit_path,
)
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._swap.kernel import PAGE

DISABLED = dataclasses.replace(ABSENT, disabled=True)
MASKED = Unit("/etc/systemd/system/swap.target", "", "a link to /dev/null", enabled=False, masked=True)
GROWN = ["create /swapfile", "enable /swapfile", "persist /etc/fstab"]


GROWN_1 = ["create /swapfile.1", "enable /swapfile.1", "persist /etc/fstab"]


class Case(t.NamedTuple):
    host: State
    wanted: Wanted
    expected: list[str]


CASES = {
    "no swap": Case(state(), WANTED, GROWN),
    "file beside a partition": Case(state(area("/dev/vda5", 4 * GIB, kind="partition")), WANTED, GROWN),
    "zram counts if requested": Case(
        state(area("/dev/zram0", 16 * GIB, kind="partition")), dataclasses.replace(WANTED, count_zram=True), []
    ),
    "zram does not count by default": Case(state(area("/dev/zram0", 16 * GIB, kind="partition")), WANTED, GROWN),
    "partition of the target size less its header": Case(state(area("/dev/vda5", 10 * GIB - PAGE)), WANTED, []),
    "foreign swap file in use keeps its name": Case(
        state(area("/swapfile", 2 * GIB), entries=[entry("/swapfile", 2 * GIB, label="")], fstab=ROOT_LINE),
        WANTED,
        GROWN_1,
    ),
    "file beside an own file": Case(managed(GIB), WANTED, GROWN_1),
    "part of the file fits": Case(
        state(area("/dev/vda5", GIB), free_bytes=3 * GIB), dataclasses.replace(WANTED, fit=True), GROWN
    ),
    "nothing fits": Case(state(free_bytes=GIB // 4), dataclasses.replace(WANTED, fit=True), []),
    "no swap at all": Case(
        state(
            area("/dev/vda5", GIB),
            area("/dev/zram0", GIB),
            area("/swapfile.1", GIB),
            entries=[entry("/swapfile", GIB), entry("/swapfile.1", GIB)],
        ),
        DISABLED,
        [
            "persist /etc/fstab",
            "mask /etc/systemd/system/swap.target",
            "remove /swapfile",
            "disable /swapfile.1",
            "remove /swapfile.1",
            "disable /dev/vda5",
            "disable /dev/zram0",
        ],
    ),
    "no swap at all, without systemd": Case(
        state(area("/dev/vda5", GIB), booted=False), DISABLED, ["disable /dev/vda5"]
    ),
    "no swap at all, already": Case(state(boot=Boot(target=MASKED)), DISABLED, []),
    "no swap at all, but fstab names some": Case(
        state(boot=Boot(target=MASKED), fstab="/dev/vda5 none swap sw\n"), DISABLED, ["persist /etc/fstab"]
    ),
    "own file is enough": Case(managed(10 * GIB), WANTED, []),
    "more than requested": Case(managed(12 * GIB), WANTED, []),
    "more than requested, with a persistent own file that is off": Case(
        state(area("/dev/vda5", 12 * GIB), entries=[entry("/swapfile", 2 * GIB)]), WANTED, ["enable /swapfile"]
    ),
    "exact keeps the file in use": Case(
        state(
            area("/swapfile.1", 2 * GIB),
            entries=[entry("/swapfile", 2 * GIB), entry("/swapfile.1", 2 * GIB)],
        ),
        dataclasses.replace(EXACT, size_bytes=2 * GIB),
        ["persist /etc/fstab", "remove /swapfile"],
    ),
    "exact shrinks": Case(
        managed(10 * GIB),
        dataclasses.replace(EXACT, size_bytes=2 * GIB),
        [*GROWN_1, "disable /swapfile", "remove /swapfile"],
    ),
    "exact keeps the file that fits": Case(
        managed(2 * GIB, 8 * GIB),
        dataclasses.replace(EXACT, size_bytes=8 * GIB),
        ["persist /etc/fstab", "disable /swapfile", "remove /swapfile"],
    ),
    "exact size already": Case(managed(2 * GIB, 8 * GIB), EXACT, []),
    "exact size without own files": Case(
        state(area("/dev/vda5", 10 * GIB), area("/swapfile", GIB), entries=[entry("/swapfile", GIB)]),
        EXACT,
        ["persist /etc/fstab", "disable /swapfile", "remove /swapfile"],
    ),
    "without room for both, the old file goes first": Case(
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
    "interrupted while creating": Case(
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
        managed(10 * GIB, 2 * GIB, fstab=fstab_text("/swapfile.1")),
        dataclasses.replace(EXACT, size_bytes=2 * GIB),
        ["disable /swapfile", "remove /swapfile"],
    ),
    "interrupted before removal": Case(
        state(
            area("/swapfile.1", 2 * GIB),
            entries=[entry("/swapfile", 10 * GIB), entry("/swapfile.1", 2 * GIB)],
            fstab=fstab_text("/swapfile.1"),
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
    "interrupted during a change of priority": Case(
        state(
            area("/swapfile", 10 * GIB),
            area("/swapfile.1", 10 * GIB, priority=5),
            entries=[entry("/swapfile", 10 * GIB), entry("/swapfile.1", 10 * GIB)],
            fstab=fstab_text("/swapfile"),
        ),
        dataclasses.replace(WANTED, priority=5),
        ["persist /etc/fstab", "disable /swapfile", "remove /swapfile"],
    ),
    "interrupted before the last step of a change of priority": Case(
        state(
            area("/swapfile.1", 10 * GIB),
            entries=[entry("/swapfile", 10 * GIB), entry("/swapfile.1", 10 * GIB)],
            fstab=fstab_text("/swapfile.1"),
        ),
        WANTED,
        ["remove /swapfile"],
    ),
    "interrupted without room for both": Case(
        state(entries=[entry("/swapfile", 10 * GIB)], fstab=ROOT_LINE, free_bytes=GIB),
        dataclasses.replace(EXACT, size_bytes=2 * GIB),
        ["remove /swapfile", "create /swapfile.1", "enable /swapfile.1", "persist /etc/fstab"],
    ),
    "another priority needs another file": Case(
        managed(10 * GIB),
        dataclasses.replace(WANTED, priority=5),
        [*GROWN_1, "disable /swapfile", "remove /swapfile"],
    ),
    "not persistent": Case(managed(10 * GIB), dataclasses.replace(WANTED, persist="none"), ["persist /etc/fstab"]),
    "systemd": Case(
        state(fstab=ROOT_LINE),
        SYSTEMD,
        ["create /swapfile", "enable /swapfile", f"write_unit {unit_path('/swapfile')}"],
    ),
    "systemd already": Case(managed(10 * GIB, fstab=ROOT_LINE, units=(unit("/swapfile"),)), SYSTEMD, []),
    "from fstab to systemd": Case(
        managed(10 * GIB), SYSTEMD, [f"write_unit {unit_path('/swapfile')}", "persist /etc/fstab"]
    ),
    "from systemd to fstab": Case(
        managed(10 * GIB, fstab=ROOT_LINE, units=(unit("/swapfile"),)),
        WANTED,
        ["persist /etc/fstab", f"remove_unit {unit_path('/swapfile')}"],
    ),
    "unit that is not enabled": Case(
        managed(10 * GIB, fstab=ROOT_LINE, units=(unit("/swapfile", enabled=False),)),
        SYSTEMD,
        [f"write_unit {unit_path('/swapfile')}"],
    ),
    "foreign unit is left alone": Case(
        managed(10 * GIB, units=(unit("/swapfile", text="[Swap]\nWhat=/swapfile\n"),)), WANTED, []
    ),
    "absent with a unit": Case(
        managed(10 * GIB, fstab=ROOT_LINE, units=(unit("/swapfile"),)),
        ABSENT,
        [f"remove_unit {unit_path('/swapfile')}", "disable /swapfile", "remove /swapfile"],
    ),
    "systemd without room for both": Case(
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
    "absent after somebody else removed the file": Case(
        state(fstab=fstab_text("/swapfile.2"), units=(unit("/swapfile"),)),
        ABSENT,
        ["persist /etc/fstab", f"remove_unit {unit_path('/swapfile')}"],
    ),
    "absent leaves a foreign line": Case(state(fstab=f"{ROOT_LINE}/swapfile none swap defaults 0 0\n"), ABSENT, []),
    "absent already": Case(state(area("/dev/vda5", GIB)), ABSENT, []),
    "absent leaves a foreign file": Case(
        state(area("/swapfile", GIB), entries=[entry("/swapfile", GIB, label="")]), ABSENT, []
    ),
    "absent in a container without own files": Case(state(container="docker"), ABSENT, []),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_steps(case: Case) -> None:
    assert step_names(make_plan(case.host, case.wanted)) == case.expected


@pytest.mark.parametrize(
    ("host", "size"),
    [(state(), 10 * GIB), (managed(GIB), 9 * GIB), (state(area("/dev/vda5", 4 * GIB - PAGE)), 6 * GIB + PAGE)],
    ids=["no swap", "own file", "partition without its header"],
)
def test_new_file_provides_the_difference(host: State, size: int) -> None:
    assert make_plan(host, WANTED).steps[0].as_dict()["size_bytes"] == size


@pytest.mark.parametrize("host", [state(), managed(GIB)], ids=["first", "second"])
def test_temporary_name_is_where_the_next_run_looks_for_leftovers(host: State) -> None:
    step = make_plan(host, WANTED).steps[0]
    assert isinstance(step, Create)
    assert step.temporary_path == "/.swapfile.oomguard"


def test_diff_of_unit() -> None:
    assert make_plan(state(), SYSTEMD).diff[1]["after"] == build_unit_text("/swapfile", None)


def test_new_file_has_whole_pages() -> None:
    wanted = dataclasses.replace(WANTED, size_bytes=10 * 1000**3)
    assert make_plan(state(), wanted).steps[0].as_dict()["size_bytes"] == 10 * 1000**3 // PAGE * PAGE + PAGE


def test_change_of_priority_replaces_all_own_swap() -> None:
    wanted = dataclasses.replace(WANTED, size_bytes=GIB, priority=5)
    assert make_plan(managed(12 * GIB), wanted).steps[0].as_dict()["size_bytes"] == 12 * GIB


@pytest.mark.parametrize(("priority", "options"), [(None, "sw,nofail"), (0, "sw,nofail,pri=0"), (7, "sw,nofail,pri=7")])
def test_fstab_names_the_priority(priority: int | None, options: str) -> None:
    plan = make_plan(state(), dataclasses.replace(WANTED, priority=priority))
    assert plan.diff[1]["after"] == f"{ROOT_LINE}/swapfile none swap {options} 0 0\n"


def test_diff_of_areas() -> None:
    assert make_plan(managed(GIB), WANTED).diff[0] == {
        "before_header": "swap areas",
        "after_header": "swap areas",
        "before": "/swapfile (file): 1073741824 bytes\n",
        "after": "/swapfile (file): 1073741824 bytes\n/swapfile.1 (file): 9663676416 bytes\n",
    }


def test_diff_of_fstab_that_is_not_utf_8() -> None:
    assert make_plan(state(fstab="# caf\udce9\n"), WANTED).diff[1]["before"] == "# caf\\xe9\n"


def test_plan_without_steps_changes_nothing() -> None:
    assert not make_plan(managed(10 * GIB), WANTED).changed


def test_removal_of_resume_file_is_warned_about() -> None:
    host = managed(GIB, hibernates_to=("/swapfile",))
    assert make_plan(host, dataclasses.replace(ABSENT, force=True)).warnings == (
        "This host hibernates to /swapfile, which is removed. Set resume= and resume_offset= to another swap area.",
    )


def test_growth_beside_resume_file_is_not_warned_about() -> None:
    assert make_plan(managed(GIB, hibernates_to=("/swapfile",)), WANTED).warnings == ()


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
def test_zeros_are_planned_if_kernel_cannot_swap_to_unwritten_blocks(
    filesystem: str, kernel: tuple[int, int], *, zeros: bool
) -> None:
    step = make_plan(state(filesystem=filesystem, kernel=kernel), WANTED).steps[0]
    assert step.as_dict()["zeros_bytes"] == (10 * GIB + PAGE if zeros else 0)


def test_verify_accepts_the_requested_state() -> None:
    verify_state(managed(10 * GIB), WANTED)


def test_verify_names_the_remaining_steps() -> None:
    with pytest.raises(SwapError) as error:
        verify_state(state(entries=[entry("/swapfile", 10 * GIB)]), WANTED)
    assert str(error.value) == (
        "The swap of this host is not in the requested state: it is 0 B now, and these steps remain: enable /swapfile. "
        "If something else changed it at the same time, run the task again."
    )


# The host after each step, for the properties below.


def simulate(host: State, step: Step) -> State:
    """Return `host` after `step`, as the kernel and the disk would be."""
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
    # An area in use that fstab does not name looks like the work of an interrupted run.
    named = [each.path for each in areas if each.path in names]
    lines = {*named, *draw(st.lists(st.sampled_from(names)))}
    leftover = entry("/.swapfile.oomguard", GIB) if draw(st.booleans()) else None
    return state(*areas, entries=entries, fstab=fstab_text(*lines), free_bytes=100 * GIB, leftover=leftover)


requests = st.builds(
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
    """Return the states of the host before, between and after the steps of its plan."""
    try:
        plan = make_plan(host, wanted)
    except SwapError:
        hypothesis.reject()
    states = [host]
    for step in plan.steps:
        states.append(simulate(states[-1], step))
    return states


@hypothesis.settings(deadline=None)
@hypothesis.given(hosts(), requests)
def test_swap_is_never_below_both_the_start_and_the_target(host: State, wanted: Wanted) -> None:
    floor = wanted.sum_size(host.areas)
    if wanted.exact or not wanted.present:
        foreign = sum(
            each.size_bytes for each in host.areas if not any(e.is_ours and e.path == each.path for e in host.entries)
        )
        floor = min(floor, wanted.size_bytes if wanted.present else foreign)
    assert all(wanted.sum_size(each.areas) >= floor - SLACK_BYTES for each in walk(host, wanted))


@hypothesis.settings(deadline=None)
@hypothesis.given(hosts(), requests)
def test_host_ends_in_the_requested_state(host: State, wanted: Wanted) -> None:
    assert make_plan(walk(host, wanted)[-1], wanted).steps == ()


@hypothesis.settings(deadline=None)
@hypothesis.given(hosts(), requests)
def test_interrupted_run_is_completed_by_the_next(host: State, wanted: Wanted) -> None:
    states = walk(host, wanted)
    ends = [walk(each, wanted)[-1] for each in states]
    assert all(make_plan(end, wanted).steps == () for end in ends)
    # A file that is off but still named in fstab adds to the total, because nobody knows who switched it off.
    hypothesis.assume(all(host.find_area(each.path) or not host.find_persistence(each.path) for each in host.entries))
    expected = wanted.sum_size(states[-1].areas)
    assert all(abs(wanted.sum_size(end.areas) - expected) <= SLACK_BYTES for end in ends)


@hypothesis.settings(deadline=None)
@hypothesis.given(hosts(), requests)
def test_foreign_areas_are_left_alone(host: State, wanted: Wanted) -> None:
    def foreign(each: State) -> list[Area]:
        return [one for one in each.areas if not any(e.is_ours and e.path == one.path for e in each.entries)]

    assert foreign(walk(host, wanted)[-1]) == foreign(host)


@hypothesis.settings(deadline=None)
@hypothesis.given(hosts(), requests)
def test_fstab_never_newly_names_a_missing_file(host: State, wanted: Wanted) -> None:
    states = walk(host, wanted)
    lines_before = set(host.fstab.splitlines())
    dangling = [
        line
        for each in states
        for line in each.fstab.splitlines()
        if line not in lines_before and "swap" in line and line.split()[0] not in {e.path for e in each.entries}
    ]
    assert dangling == []


def test_fit_is_described() -> None:
    plan = make_plan(state(area("/dev/vda5", GIB), free_bytes=3 * GIB), dataclasses.replace(WANTED, fit=True))
    fitted = 4 * GIB - 256 * MIB - PAGE
    assert plan.fit == {"requested_bytes": 10 * GIB, "fitted_bytes": fitted, "disk_free_bytes": 3 * GIB}


def test_fit_is_reported() -> None:
    plan = make_plan(state(free_bytes=GIB // 4), dataclasses.replace(WANTED, fit=True))
    assert " ".join(plan.warnings) == (
        "This host has 0 B of swap instead of the requested 10.0 GiB, because only 256.0 MiB were free below /, and "
        "256.0 MiB of it must stay free."
    )


def test_size_that_fits_is_not_reported() -> None:
    plan = make_plan(state(), dataclasses.replace(WANTED, fit=True))
    assert (plan.fit, plan.warnings) == (None, ())


def test_lines_of_others_become_comments_if_swap_is_disabled() -> None:
    (persist, *_rest) = make_plan(
        managed(GIB, fstab=f"/dev/vda5 none swap sw\n{fstab_text('/swapfile')}"), DISABLED
    ).steps
    assert isinstance(persist, Persist)
    assert persist.after == f"# Disabled by oomguard.linux.swap: /dev/vda5 none swap sw\n{ROOT_LINE}"


def test_unit_file_of_the_target_prevents_that_it_is_masked() -> None:
    target = dataclasses.replace(MASKED, text="[Unit]\n", masked=False)
    with pytest.raises(SwapError) as error:
        make_plan(state(boot=Boot(target=target)), DISABLED)
    assert str(error.value) == (
        "Cannot mask swap.target: there is a unit file /etc/systemd/system/swap.target. "
        "Move it away, and run the task again."
    )


def test_contents_of_all_areas_have_to_fit_into_memory_if_swap_is_disabled() -> None:
    host = state(area("/dev/vda5", GIB, used=30 * MIB), area("/dev/vda6", GIB, used=15 * MIB))
    with pytest.raises(SwapError, match=r"^Refused to switch off /dev/vda5, /dev/vda6: 45\.0 MiB of swap in use"):
        make_plan(host, DISABLED)
