# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts of /proc, and what they mean for workers."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.worker import (
    Limit,
    Memory,
    Row,
    add_memory,
    find_cgroup,
    find_script,
    find_state,
    is_row_of,
    parse_limits,
    parse_pss,
    parse_sockets,
    parse_status,
)

# From /proc/net/unix of a bookworm machine: an idle worker, a busy one, and one with a request that waits.
UNIX = """\
Num       RefCount Protocol Flags    Type St Inode Path
000000007a06be57: 00000002 00000000 00010000 0001 01 13734 /var/lib/apache2/fcgid/sock/460.0
000000004f6d9d2f: 00000003 00000000 00000000 0001 03 14062 /var/lib/apache2/fcgid/sock/460.4
0000000009cc3829: 00000002 00000000 00010000 0001 01 14047 /var/lib/apache2/fcgid/sock/460.4
0000000009cc3830: 00000002 00000000 00010000 0001 01 14048 /var/lib/apache2/fcgid/sock/460.5
00000000762e69a3: 00000002 00000000 00000000 0001 02     0 /var/lib/apache2/fcgid/sock/460.5
00000000d43504a2: 00000002 00000000 00010000 0001 01 13746 /run/php/php8.2-fpm.sock
0000000098393713: 00000003 00000000 00000000 0001 03 13759
"""


def test_listening_sockets_are_found_by_inode() -> None:
    folder = "/var/lib/apache2/fcgid/sock"
    assert parse_sockets(UNIX).listening == {
        13734: (460, f"{folder}/460.0"),
        14047: (460, f"{folder}/460.4"),
        14048: (460, f"{folder}/460.5"),
    }


def test_accepted_and_waiting_requests_are_connections() -> None:
    assert sorted(path[-5:] for path in parse_sockets(UNIX).connected) == ["460.4", "460.5"]


def test_managers_are_found_by_their_sockets() -> None:
    assert parse_sockets(UNIX).managers == {460}


@pytest.mark.parametrize("inode", [14047, 13759, 13746], ids=["path of a worker", "no path", "path of another"])
def test_inode_with_two_different_lines_is_left_out(inode: int) -> None:
    forged = f"0000000000000000: 00000002 00000000 00010000 0001 01 {inode} /tmp/460.99\n"
    assert inode not in parse_sockets(UNIX + forged).listening


def test_repeated_line_counts_once() -> None:
    twice = UNIX + UNIX.splitlines(keepends=True)[1]
    assert parse_sockets(twice) == parse_sockets(UNIX)


@pytest.mark.parametrize("line", ["0: 2 0 ZZ 1 1 1 /1.5", "0: 2 0 10000 1 1 x /1.5", "0: 2 0", ""])
def test_line_that_is_no_socket_is_skipped(line: str) -> None:
    assert parse_sockets(f"{UNIX}{line}\n") == parse_sockets(UNIX)


def test_memory_is_in_bytes() -> None:
    text = "Name:\tperl\n"
    text += (
        "Uid:\t33\t33\t33\t33\nVmHWM:\t  5452 kB\nVmRSS:\t  5400 kB\nVmSwap:\t  12 kB\nvoluntary_ctxt_switches:\t9\n"
    )
    memory = parse_status(text)
    assert (memory.vm_hwm_bytes, memory.rss_bytes, memory.swap_bytes) == (5582848, 5529600, 12288)


def test_ending_process_has_unknown_memory() -> None:
    assert parse_status("Name:\tperl\nUid:\t33\t33\t33\t33\n").vm_hwm_bytes is None


def test_limits_that_are_set_are_returned() -> None:
    text = (
        "Limit                     Soft Limit           Hard Limit           Units     \n"
        "Max cpu time              unlimited            unlimited            seconds   \n"
        "Max core file size        0                    unlimited            bytes     \n"
        "Max nice priority         0                    0                    \n"
    )
    assert parse_limits(text) == {"core_file_size_bytes": Limit(0, None), "nice_priority": Limit(0, 0)}


def test_proportional_set_size_is_in_bytes() -> None:
    assert parse_pss("Rss:  9 kB\nPss:  3 kB\nPss_Anon:  1 kB\n") == 3072


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("0::/system.slice/apache2.service\n", "/system.slice/apache2.service"),
        ("9:memory:/m\n1:name=systemd:/system.slice/httpd.service\n", "/system.slice/httpd.service"),
        ("0::/a\u2028b:c:d\n", "/a\u2028b:c:d"),
        ("", None),
    ],
    ids=["v2", "v1", "line separator", "none"],
)
def test_cgroup_is_the_one_of_the_unit(text: str, path: str | None) -> None:
    assert find_cgroup(text) == path


@pytest.mark.parametrize(
    ("command", "script"),
    [
        (["/usr/bin/perl", "/srv/a.fcgi"], "/srv/a.fcgi"),
        (["/usr/bin/perl", "-T", "/srv/a.fcgi"], "/srv/a.fcgi"),
        (["/srv/compiled.fcgi"], "/srv/compiled.fcgi"),
        (["/usr/bin/python3.11", "/srv/a.fcgi", "/etc/app.conf"], "/srv/a.fcgi"),
        (["/usr/local/bin/app", "--config", "/etc/app.conf"], "/usr/local/bin/app"),
        (["/usr/bin/php-cgi", "-c", "/etc/php.ini"], "/usr/bin/php-cgi"),
        (["renamed by itself"], "renamed by itself"),
        ([], ""),
    ],
)
def test_script_is_the_program_that_apache_serves(command: list[str], script: str) -> None:
    assert find_script(command) == script


@pytest.mark.parametrize(
    ("connected", "state", "found"),
    [
        (False, None, ("idle", "sockets")),
        (True, None, ("busy", "sockets")),
        (False, "Ready", ("idle", "status_page")),
        (False, "Working", ("busy", "status_page")),
        (True, "Ready", ("busy", "sockets")),
        (False, "Exiting(lifetime expired)", ("exiting", "status_page")),
        (False, "", ("idle", "sockets")),
        (False, "Sleeping", ("idle", "sockets")),
    ],
)
def test_state_combines_sockets_and_page(connected: bool, state: str | None, found: tuple[str, str]) -> None:
    row = None
    if state is not None:
        row = Row("/srv/a.fcgi", 9, 1, state)
    assert find_state(connected=connected, row=row) == found


@pytest.mark.parametrize(
    ("shown", "command", "found"),
    [
        ("/srv/a.fcgi", ["/usr/bin/perl", "/srv/a.fcgi"], True),
        ("/srv/a b.fcgi", ["/usr/bin/perl", "/srv/a b.fcgi"], True),
        ("/usr/bin/php-cgi -c /etc/php.ini", ["/usr/bin/php-cgi", "-c", "/etc/php.ini"], True),
        ("/srv/a.fcgi", ["/usr/bin/perl", "-T", "a.fcgi"], True),
        ("/srv/a.fcgi", ["/srv/b.fcgi"], False),
        ("/srv/a.fcgi", ["app: served 7"], False),
        ("", [""], False),
        ("/", [""], False),
    ],
    ids=["script", "space", "wrapper", "suexec", "another", "renamed", "nothing", "no name"],
)
def test_row_belongs_to_the_process_whose_program_it_names(shown: str, command: list[str], found: bool) -> None:
    assert is_row_of(Row(shown, 9, 1, "Ready"), command) is found


def test_sum_of_unknown_sizes_is_unknown() -> None:
    memories = [Memory(33, peak, rss_bytes=None, swap_bytes=0, switches=2) for peak in (None, 5)]
    assert add_memory(memories) == Memory(33, 5, rss_bytes=None, swap_bytes=0, switches=4)
