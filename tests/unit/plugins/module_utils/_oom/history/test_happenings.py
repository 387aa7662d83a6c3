# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what else happened on a host."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._journal.record import Record
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.happenings import (
    SOURCES,
    Source,
    is_pressure,
    mark_timers,
    name_program,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.model import Happening

BY_KIND = dict(zip(("cron", "start", "login", "sudo", "ansible"), SOURCES, strict=True))
BY_KIND["restart"] = BY_KIND["start"]


def read(kind: str, **fields: str) -> list[tuple[str, str]]:
    found = BY_KIND[kind].read([Record("", 7, 0, "b1", fields)])
    return [(happening.what, happening.name) for happening in found]


@pytest.mark.parametrize(
    ("kind", "fields", "name"),
    [
        ("cron", {"MESSAGE": "(root) CMD (cd / && run-parts /etc/cron.hourly)"}, "cd / && run-parts /etc/cron.hourly"),
        ("cron", {"MESSAGE": "Job `cron.daily' started"}, "cron.daily"),
        ("cron", {"MESSAGE": f"(a) CMD ({'x' * 101})"}, "x" * 100 + "…"),
        ("start", {"UNIT": "backup.service", "JOB_TYPE": "start"}, "backup.service"),
        ("restart", {"UNIT": "backup.service", "JOB_TYPE": "restart"}, "backup.service"),
        ("login", {"USER_ID": "ada"}, "ada"),
        ("sudo", {"MESSAGE": "ada : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/dump --key x"}, "/usr/bin/dump"),
        ("ansible", {"SYSLOG_IDENTIFIER": "ansible-ansible.legacy.setup"}, "ansible.legacy.setup"),
    ],
)
def test_records_show_what_happened(kind: str, fields: dict[str, str], name: str) -> None:
    assert read(kind, _UID="0", **fields) == [(kind, name)]


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("cron", {"MESSAGE": "(root) CMD (true)", "_UID": "1000"}),
        ("cron", {"MESSAGE": "(root) CMD (true)"}),
        ("cron", {"MESSAGE": "pam_unix(cron:session): session opened", "_UID": "0"}),
        ("start", {"UNIT": "backup.timer"}),
        ("start", {"UNIT": "user@1000.service"}),
        ("start", {}),
        ("login", {}),
        ("sudo", {"MESSAGE": "ada : TTY=a ; COMMAND=/bin/a", "_UID": "1000"}),
        ("sudo", {"MESSAGE": "pam_unix(sudo:session): session opened", "_UID": "0"}),
        ("ansible", {"SYSLOG_IDENTIFIER": "ansible-setup", "_UID": "1000"}),
    ],
)
def test_other_records_and_those_of_users_show_nothing(kind: str, fields: dict[str, str]) -> None:
    assert read(kind, **fields) == []


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.key)
def test_only_what_root_or_systemd_wrote_counts(source: Source) -> None:
    by_systemd = {"_PID=1", "_SYSTEMD_UNIT=systemd-logind.service"}
    assert by_systemd.intersection(source.matches) or "_UID" in source.all_fields


def test_start_of_a_service_with_a_timer_is_of_its_timer() -> None:
    happenings = [
        Happening(1, "start", "backup.service"),
        Happening(2, "start", "other.service"),
        Happening(3, "cron", "backup.service"),
    ]
    marked = mark_timers(happenings, {"backup.timer"})
    assert [happening.what for happening in marked] == ["timer", "start", "cron"]


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("systemd-journald.service", True),
        ("systemd-journald@shop.service", True),
        ("systemd-resolved.service", True),
        ("my-systemd-resolved.service", False),
        ("shop.service", False),
        ("", False),
    ],
)
def test_only_services_of_systemd_say_that_memory_is_short(unit: str, *, expected: bool) -> None:
    assert is_pressure(Record("", 7, 0, "b1", {"_SYSTEMD_UNIT": unit})) is expected


def test_one_name_is_found_by_its_match() -> None:
    source = BY_KIND["ansible"]
    record = Record("", 7, 0, "b1", {"SYSLOG_IDENTIFIER": "ansible-setup", "_UID": "0"})
    assert source.list_matches([record, record._replace(fields={})]) == ["SYSLOG_IDENTIFIER=ansible-setup"]
    assert source.narrow("SYSLOG_IDENTIFIER=ansible-setup") == ["SYSLOG_IDENTIFIER=ansible-setup"]
    assert BY_KIND["start"].narrow("UNIT=a.service")[-2:] == ["_PID=1", "UNIT=a.service"]


@pytest.mark.parametrize(
    ("command", "program"),
    [
        ("/usr/local/bin/backup --password=x", "/usr/local/bin/backup"),
        ("PASSWORD=x /usr/local/bin/backup", "/usr/local/bin/backup"),
        ("PASSWORD='x y' KEY=\"x y\" ~/bin/backup", "~/bin/backup"),
        ("cd /srv/shop && KEY=x php artisan", "php"),
        ("cd / && run-parts --report /etc/cron.hourly", "run-parts /etc/cron.hourly"),
        ("test -x /usr/sbin/anacron || { cd / && run-parts --report /etc/cron.daily; }", "run-parts /etc/cron.daily"),
        ("[ -x /a ] && if true; then KEY=x b; fi", "if"),
        ("(date; KEY=x b)", "date"),
        ("cron.daily", "cron.daily"),
        ("PASSWORD=x", "(unnamed)"),
        ("PASSWORD=x\\ y b", "(unnamed)"),
        ("PASSWORD=$(cat x y) b", "(unnamed)"),
        ("PASSWORD='x", "(unnamed)"),
        ("PASSWORD+=x b", "(unnamed)"),
        ("'/opt/my program' x", "(unnamed)"),
        ("a" * 100 + "…", "(unnamed)"),
        ("", "(unnamed)"),
    ],
)
def test_cron_job_is_named_without_what_may_be_secret(command: str, program: str) -> None:
    assert name_program(command) == program
