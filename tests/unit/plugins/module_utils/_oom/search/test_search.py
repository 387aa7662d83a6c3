# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The coverage of a search of the journal, and the records that it does not trust."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._journal.journal import Journal
from ansible_collections.oomguard.linux.plugins.module_utils._journal.request import Request
from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.coverage import Coverage
from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.records import FORGERIES, JOURNALD_STARTED
from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.search import coverage_of, search
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import (
    BOOT,
    ZERO,
    Entry,
    Host,
    captured,
    done,
    entry,
    set_back,
)

KERNEL = {"_TRANSPORT": "kernel", "SYSLOG_FACILITY": "0", "SYSLOG_IDENTIFIER": "kernel"}
OOM_KILL = (
    "Out of memory: Killed process 7 (hog) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB, UID:0 "
    "pgtables:8kB oom_score_adj:0"
)

NOTICED = {"MESSAGE_ID": "fe6faa94e7774663a0da52717891d8ef", "_PID": "1", "UNIT": "apache2.service"}
UNEXPLAINED = "systemd noticed an OOM kill for which the journal holds no other record: apache2.service."


def find_coverage(host: Host, **request: t.Any) -> Coverage:
    journal = Journal(host)
    return coverage_of(journal, search(journal, Request(**request)), persistent=True)


def test_forged_records_are_counted_and_yield_nothing() -> None:
    coverage = find_coverage(Host(captured("trixie")))
    assert (coverage.untrusted, coverage.notes, coverage.complete) == (
        3,
        (
            "Untrusted records: 2 written by another program in the name of the kernel or systemd.",
            "Untrusted records: 1 written to /dev/kmsg by a program, not by the kernel.",
        ),
        True,
    )


def test_time_without_records_is_not_complete() -> None:
    coverage = find_coverage(Host(captured("bullseye")), since="@2000000000")
    assert (coverage.complete, coverage.gaps) == (
        False,
        ("The journal holds no entries from the requested period.",),
    )


def test_skipped_files_are_gaps_even_if_nothing_was_found() -> None:
    host = Host(captured("bullseye"))
    host.answers["--reverse"] = done(err="Journal file /j/a.journal corrupted, ignoring file.\n")
    assert find_coverage(host).gaps == (
        "The journal holds no entries from the requested period.",
        "Journal file /j/a.journal corrupted, ignoring file.",
    )


LINES = [entry("usb 1-1: new device", at=at, PRIORITY="6", **KERNEL) for at in (7200, 8000)]


@pytest.mark.parametrize(
    ("request_", "gap"),
    [
        ({"since": "@1"}, "The journal begins later than"),
        ({"boot": BOOT}, "The journal begins 120 minutes after the start of the requested boot"),
        ({"now": ZERO / 1_000_000 + 500_000}, "The newest journal entry is 137 hours old"),
    ],
    ids=["since", "boot", "now"],
)
def test_missing_part_of_the_requested_time_makes_the_search_incomplete(request_: dict[str, t.Any], gap: str) -> None:
    coverage = find_coverage(Host(LINES), **request_)
    assert (coverage.complete, [each.startswith(gap) for each in coverage.gaps]) == (False, [True])


def test_kills_are_sorted_by_the_time_since_their_boot() -> None:
    kills = [entry(OOM_KILL, at=at, PRIORITY="3", **KERNEL) for at in (7000, 7010)]
    earlier = entry(OOM_KILL, at=1, boot="e" * 32, PRIORITY="3", **KERNEL)
    traces = search(Journal(Host([earlier, set_back(kills[1], 3600), kills[0]])))
    assert traces
    assert [kill.monotonic_us // 1_000_000 for kill in traces.kills] == [7010, 7000, 1]


def test_missed_messages_make_the_search_incomplete() -> None:
    missed = {"_TRANSPORT": "driver", "MESSAGE_ID": "e9bf28e6e834481bb6f48f548ad13606"}
    coverage = find_coverage(Host([entry("Missed 12 kernel messages", at=1, **missed)]))
    assert (coverage.missed_records, coverage.complete) == (12, False)


@pytest.mark.parametrize(("starts", "is_starved"), [([1, 500], True), ([1], False)])
def test_journald_that_died_is_known(starts: list[int], *, is_starved: bool) -> None:
    started = {"_TRANSPORT": "driver", "MESSAGE_ID": JOURNALD_STARTED}
    host = Host([entry("Journal started", at=at, **started) for at in starts])
    assert find_coverage(host).is_journald_starved is is_starved


@pytest.mark.parametrize(
    ("unit", "is_gap"), [("init.scope", True), ("systemd-oomd.service", True), ("apache2.service", False)]
)
def test_dropped_messages_make_the_search_incomplete_if_they_matter(unit: str, *, is_gap: bool) -> None:
    dropped = {"_TRANSPORT": "driver", "MESSAGE_ID": "a596d6fe7bfa4994828e72309e95d61e"}
    boot = entry("Linux version 6.1", at=0, PRIORITY="5", **KERNEL)
    coverage = find_coverage(Host([boot, entry(f"Suppressed 1234 messages from {unit}", at=1, **dropped)]))
    assert any(f"journald dropped messages of {unit}" in gap for gap in coverage.gaps) is is_gap
    assert coverage.complete is not is_gap


def test_skipped_files_make_the_search_incomplete() -> None:
    host = Host(captured("bullseye"))
    host.answers["--list-boots"] = done(
        f"0 {'b' * 32} Mon 2026-11-23 16:00:00 UTC Mon 2026-11-23 17:00:00 UTC\n",
        "Journal file /var/log/journal/a.journal corrupted, ignoring file.\n",
    )
    coverage = find_coverage(host)
    assert (coverage.complete, coverage.gaps) == (
        False,
        ("Journal file /var/log/journal/a.journal corrupted, ignoring file.",),
    )


@pytest.mark.parametrize("transport", ["syslog", "stdout", "journal"])
@pytest.mark.parametrize(("priority", "count"), [("0", 1), ("3", 1), ("4", 0)])
def test_program_that_calls_itself_kernel_is_counted(transport: str, priority: str, count: int) -> None:
    forged = {**KERNEL, "_TRANSPORT": transport, "PRIORITY": priority}
    assert find_coverage(Host([entry(OOM_KILL, at=1, **forged)])).untrusted == count


@pytest.mark.parametrize(("priority", "count"), [("0", 1), ("2", 1), ("3", 1), ("4", 0)])
def test_program_that_writes_to_kmsg_is_counted(priority: str, count: int) -> None:
    forged = {"_TRANSPORT": "kernel", "SYSLOG_FACILITY": "1", "PRIORITY": priority}
    assert find_coverage(Host([entry(OOM_KILL, at=1, **forged)])).untrusted == count


LONG = OOM_KILL + "a" * 4096


def test_long_records_in_the_name_of_the_kernel_are_not_read_whole() -> None:
    host = Host([entry(LONG, at=at, **{**KERNEL, "_TRANSPORT": "syslog", "PRIORITY": "3"}) for at in (1, 2)])
    assert find_coverage(host).untrusted == 2
    assert not any("--all" in call for call in host.calls)


def test_no_field_that_any_program_may_write_is_read() -> None:
    assert all(name.startswith("_") for name in FORGERIES.fields)


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        ({"_PID": "900", "UNIT": "a.service"}, 1),
        ({"_PID": "900", "USER_UNIT": "a.service", "_SYSTEMD_USER_UNIT": "init.scope"}, 0),
        ({"_PID": "1", "UNIT": "a.service"}, 0),
    ],
    ids=["a program", "a user's systemd", "systemd"],
)
def test_program_that_pretends_to_be_systemd_is_counted(fields: dict[str, str], count: int) -> None:
    notice = {"_TRANSPORT": "journal", "MESSAGE_ID": NOTICED["MESSAGE_ID"], **fields}
    assert find_coverage(Host([entry("a.service: killed by the OOM killer", at=1, **notice)])).untrusted == count


def test_overlong_message_of_a_userspace_oom_killer_is_counted() -> None:
    coverage = find_coverage(Host([entry(LONG, at=1, _TRANSPORT="journal", _SYSTEMD_UNIT="systemd-oomd.service")]))
    assert (coverage.unparsed, coverage.complete) == (1, False)


def test_overlong_message_of_the_kernel_is_no_kill() -> None:
    traces = search(Journal(Host([entry(LONG, at=1, PRIORITY="3", **KERNEL)])))
    assert traces
    assert (traces.kills, traces.forged, traces.overlong) == ((), {}, 0)


def test_forgery_that_two_searches_find_is_counted_once() -> None:
    forged = {"_TRANSPORT": "kernel", "SYSLOG_FACILITY": "1", "PRIORITY": "3"}
    host = Host([entry("Out of memory and no killable processes...", at=1, **forged)])
    assert find_coverage(host).untrusted == 1


def test_forgery_is_counted_once_if_priorities_are_not_the_kernels() -> None:
    forged = {"_TRANSPORT": "kernel", "SYSLOG_FACILITY": "1", "PRIORITY": "3"}
    imported = entry("usb 1-1: new device", at=2, _TRANSPORT="kernel")
    assert find_coverage(Host([entry(OOM_KILL, at=1, **forged), imported])).untrusted == 1


@pytest.mark.parametrize(
    "before",
    [[], [entry("usb 1-1: new device", at=0, boot="e" * 32, PRIORITY="6", **KERNEL)]],
    ids=["ever", "any more"],
)
def test_journal_without_kernel_messages_is_not_complete(before: list[Entry]) -> None:
    coverage = find_coverage(Host([*before, entry("hello", at=1, _TRANSPORT="syslog", PRIORITY="6")]))
    assert (coverage.complete, coverage.gaps) == (
        False,
        (
            (
                "The journal holds no kernel messages from the last boot of the requested period, so it shows no OOM "
                "kills by the kernel. This is normal in a container, in a journal namespace and with ReadKMsg=no. "
                "Otherwise, the messages were deleted."
            ),
        ),
    )


def test_requested_boot_before_the_last_may_have_kernel_messages() -> None:
    host = Host(
        [
            entry("usb 1-1: new device", at=1, boot="e" * 32, PRIORITY="6", **KERNEL),
            entry("hello", at=2, _TRANSPORT="syslog"),
        ]
    )
    assert find_coverage(host, boot="e" * 32).complete is True


def test_time_without_kernel_messages_is_complete_if_its_boot_has_some() -> None:
    host = Host(
        [entry("usb 1-1: new device", at=1, PRIORITY="6", **KERNEL), entry("hello", at=500, _TRANSPORT="syslog")]
    )
    cursor = host.entries[0]["__CURSOR"]
    assert find_coverage(host, after_cursor=cursor).complete is True


@pytest.mark.parametrize(
    ("noticed_at", "others", "gaps"),
    [
        (500, [], (UNEXPLAINED,)),
        (500, [entry(OOM_KILL, at=499, PRIORITY="3", **KERNEL)], ()),
        (500, [entry(OOM_KILL, at=499, PRIORITY="4", **KERNEL)], ()),
        (500, [entry(OOM_KILL, at=300, PRIORITY="3", **KERNEL)], (UNEXPLAINED,)),
        (500, [entry("Killed /system.slice/apache2.service", at=499, _SYSTEMD_UNIT="systemd-oomd.service")], ()),
        (30, [], ()),
    ],
    ids=["alone", "its kill", "at another level", "an earlier kill", "systemd-oomd's", "killed before the beginning"],
)
def test_kill_that_only_systemd_noticed_is_a_gap(noticed_at: float, others: list[Entry], gaps: tuple[str, ...]) -> None:
    begin = entry("usb 1-1: new device", at=1, PRIORITY="6", **KERNEL)
    host = Host([begin, *others, entry("apache2.service: killed by the OOM killer", at=noticed_at, **NOTICED)])
    assert find_coverage(host).gaps == gaps


@pytest.mark.parametrize("is_logged", [True, False])
def test_kill_by_systemd_oomd_that_only_systemd_noticed_is_a_gap(*, is_logged: bool) -> None:
    notice = {**NOTICED, "MESSAGE_ID": "d989611b15e44c9dbf31e3c81256e4ed"}
    killed = entry("Killed /system.slice/apache2.service", at=499, _SYSTEMD_UNIT="systemd-oomd.service")
    begin = entry("usb 1-1: new device", at=1, PRIORITY="6", **KERNEL)
    noticed = entry("systemd-oomd killed 2 process(es) in this unit.", at=500, **notice)
    host = Host([begin, *([killed] if is_logged else []), noticed])
    assert find_coverage(host).gaps == (() if is_logged else (UNEXPLAINED,))


def test_slice_may_be_notified_late_of_a_kill_below_it() -> None:
    notice = entry(
        "A process of this unit has been killed by the OOM killer.", at=900, **{**NOTICED, "UNIT": "a.slice"}
    )
    assert find_coverage(Host([entry(OOM_KILL, at=499, PRIORITY="3", **KERNEL), notice])).gaps == ()


KMSG = {"_TRANSPORT": "kernel", "SYSLOG_FACILITY": "3", "SYSLOG_IDENTIFIER": "systemd", "SYSLOG_PID": "1"}


def test_record_of_systemd_that_came_through_kmsg_is_found() -> None:
    failed = entry("shop.service: Failed with result 'oom-kill'.", at=9000, PRIORITY="4", **KMSG)
    traces = search(Journal(Host([*LINES, failed])))
    assert traces
    assert [(record.unit, record.trusted) for record in traces.units] == [("shop.service", False)]
    assert traces.has_kills


def test_units_that_failed_for_other_reasons_are_no_traces_of_kills() -> None:
    failed = entry("shop.service: Failed with result 'exit-code'.", at=9000, PRIORITY="4", **KMSG)
    traces = search(Journal(Host([*LINES, failed])))
    assert traces
    assert not traces.has_kills


def test_journald_that_died_makes_the_search_incomplete() -> None:
    driver = {"_TRANSPORT": "driver", "MESSAGE_ID": "f77379a8490b408bbe5f6940505a777b"}
    starts = [entry("Journal started", at=at, **driver) for at in (7201, 7900)]
    coverage = find_coverage(Host([LINES[0], *starts, LINES[1]]))
    assert coverage.complete is False
    assert coverage.gaps[0].startswith("journald died")


def test_notice_that_any_program_may_have_written_causes_no_search_of_all_records() -> None:
    notice = entry(
        "shop.service: A process of this unit has been killed by the OOM killer.", at=7900, PRIORITY="5", **KMSG
    )
    host = Host([*LINES, notice])
    assert find_coverage(host).gaps[0].startswith("systemd noticed an OOM kill")
    assert not any(call[-1] == "_TRANSPORT=kernel" for call in host.calls)


def test_flood_of_records_that_came_through_kmsg_is_counted_and_not_kept() -> None:
    text = "shop.service: Failed with result 'oom-kill'."
    host = Host([*LINES, *(entry(text, at=9000 + number / 1000, PRIORITY="4", **KMSG) for number in range(5007))])
    traces = search(Journal(host))
    assert traces
    assert (len(traces.units), sum(traces.forged.values())) == (5000, 7)
