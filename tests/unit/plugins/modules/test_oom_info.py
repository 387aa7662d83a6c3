# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module oom_info: its parameters, and what it returns against what it documents."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args
from hypothesis import given

from ansible_collections.oomguard.linux.plugins.module_utils._change_record import MESSAGE_IDS
from ansible_collections.oomguard.linux.plugins.module_utils._command import Completed
from ansible_collections.oomguard.linux.plugins.module_utils._errors import OomguardError
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.enough import Enough
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.recurrence import build_recurrence
from ansible_collections.oomguard.linux.plugins.module_utils._oom.in_journal import Query, find_in_journal
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import Candidate
from ansible_collections.oomguard.linux.plugins.module_utils._safe import neutralise_all
from ansible_collections.oomguard.linux.plugins.modules import oom_info
from ansible_collections.oomguard.linux.plugins.modules.oom_info import ARGUMENT_SPEC, RETURN, find, main, query_from
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.history.histories import build_nights
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import Entry, Host, captured, done
from ansible_collections.oomguard.linux.tests.unit.plugins.modules import hostile
from ansible_collections.oomguard.linux.tests.unit.plugins.modules.documented import documented, returned

MODULE = "ansible_collections.oomguard.linux.plugins.modules.oom_info"
JOURNALD = "ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald"
DEFAULTS = {name: option.get("default") for name, option in ARGUMENT_SPEC.items()}
PARAMS: dict[str, t.Any] = {**DEFAULTS, "top": 1}


def test_a_query_has_the_defaults_of_the_module() -> None:
    assert query_from(DEFAULTS) == Query()


def test_a_query_has_the_parameters() -> None:
    params = {
        **DEFAULTS,
        "since": "-1d",
        "until": "now",
        "boot": "0",
        "after_cursor": "s=1",
        "restart": True,
        "journal_directory": "/srv/journal",
        "journal_namespace": "shop",
        "timeout": 7,
        "limit": 8,
        "tasks": "all",
        "top": 9,
        "history": True,
    }
    assert query_from(params) == Query(
        since="-1d",
        until="now",
        boot="0",
        after_cursor="s=1",
        restart=True,
        directory="/srv/journal",
        namespace="shop",
        timeout=7,
        limit=8,
        tasks="all",
        top=9,
        history=True,
    )


def test_log_files_are_read_instead_of_the_journal() -> None:
    with pytest.raises(OomguardError, match="Could not read the log /nonexistent/dmesg"):
        find({**PARAMS, "log_files": ["/nonexistent/dmesg"]}, Host([]))


def test_an_empty_list_of_log_files_is_refused() -> None:
    with pytest.raises(OomguardError, match="log_files is empty"):
        find({**PARAMS, "log_files": []}, Host(captured("bullseye")))


@pytest.mark.parametrize("name", ["since", "until", "after_cursor", "journal_directory", "journal_namespace"])
def test_journal_options_are_refused_with_log_files(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    with patch_module_args({name: "x", "log_files": ["/nonexistent/dmesg"]}), pytest.raises(SystemExit):
        main()
    assert json.loads(capfd.readouterr().out)["msg"] == f"parameters are mutually exclusive: log_files|{name}"


@pytest.mark.parametrize(
    ("boot", "message"),
    [
        ("all", "Could not read the log /nonexistent/dmesg"),
        (
            "-1",
            "Could not search only the boot -1: log_files are read whole. Omit boot, and name the logs of that boot.",
        ),
    ],
)
def test_a_boot_is_refused_with_log_files(boot: str, message: str) -> None:
    with pytest.raises(OomguardError, match=re.escape(message)):
        find({**PARAMS, "boot": boot, "log_files": ["/nonexistent/dmesg"]}, Host([]))


@pytest.mark.parametrize(
    ("name", "number", "least", "greatest"),
    [
        ("top", -3, 0, 100_000),
        ("top", 100_001, 0, 100_000),
        ("limit", 0, 1, 10_000),
        ("limit", 2**63, 1, 10_000),
        ("timeout", -5, 1, 2_147_483),
        ("timeout", 2_147_484, 1, 2_147_483),
    ],
)
def test_numbers_out_of_range_are_refused_before_anything_is_read(
    name: str, number: int, least: int, greatest: int, capfd: pytest.CaptureFixture[str]
) -> None:
    with patch_module_args({name: number, "log_files": ["/nonexistent/dmesg"]}), pytest.raises(SystemExit):
        main()
    assert json.loads(capfd.readouterr().out)["msg"] == (
        f"{name} is {number}, but it must be between {least} and {greatest}. "
        f"Set {name} to a number in this range, or omit it."
    )


@pytest.mark.parametrize(("name", "number"), [("top", 0), ("limit", 1), ("timeout", 1), ("timeout", 2_147_483)])
def test_ends_of_ranges_are_accepted(name: str, number: int, capfd: pytest.CaptureFixture[str]) -> None:
    with patch_module_args({name: number, "log_files": ["/nonexistent/dmesg"]}), pytest.raises(SystemExit):
        main()
    assert json.loads(capfd.readouterr().out)["msg"].startswith("Could not read the log /nonexistent/dmesg")


@pytest.mark.parametrize(
    ("name", "value"), [("since", "-1d\0"), ("journal_directory", "/srv\0"), ("log_files", ["a", "b\0"])]
)
def test_nul_is_rejected_by_parameter_name(name: str, value: object, capfd: pytest.CaptureFixture[str]) -> None:
    # From Python 3.12 on, syslog rejects a NUL before the module runs.
    without_syslog = {"_ansible_no_log": True}
    with patch_module_args({name: value, **without_syslog}), pytest.raises(SystemExit):
        main()
    message = json.loads(capfd.readouterr().out)["msg"]
    assert message.startswith(f"The value of {name} contains a NUL character")


def test_nul_that_syslog_rejects_is_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    with patch_module_args({"since": "-1d\0"}), pytest.raises(SystemExit):
        main()
    result = json.loads(capfd.readouterr().out)
    assert result["failed"]
    assert re.search("NUL character|embedded null character", result["msg"])


KERNEL_MEMORY = (
    "hog invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
    "Memory allocations:",
    "     1048576      256 fs/demo/inode.c:82 [demo] func:demo_inode_alloc",
    "Unreclaimable slab info:",
    "demo_inode              1024KB       2048KB",
    "Out of memory: Killed process 7 (hog) total-vm:8kB, anon-rss:4kB, file-rss:0kB",
)


def test_text_logs_have_no_history(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "dmesg.txt"
    path.write_text("".join(f"[ 12.500000] {line}\n" for line in KERNEL_MEMORY))
    params = {**PARAMS, "log_files": [str(path)]}
    assert find({**params, "history": True}, Host([]))["history"] is None
    assert "history" not in find(params, Host([]))


def make_change(newest: Entry) -> Entry:
    """Return the record of a change right after the newest record."""
    later = {name: str(int(newest[name]) + 1) for name in ("__REALTIME_TIMESTAMP", "__MONOTONIC_TIMESTAMP")}
    return {
        **newest,
        **later,
        "__CURSOR": "later",
        "MESSAGE_ID": MESSAGE_IDS["swap"],
        "_UID": "0",
        "_TRANSPORT": "journal",
        "OOMGUARD_WHAT": "swap",
        "OOMGUARD_BEFORE": "0",
        "OOMGUARD_AFTER": "4294967296",
    }


def test_returned_history_is_documented() -> None:
    contents = documented(RETURN)["history"]
    records = captured("bullseye")
    host = Host([*records, make_change(records[-1])], {"apache2.service": "stop"})
    history = neutralise_all(find_in_journal(query_from({**PARAMS, "history": True}), host))["history"]
    past = build_nights()
    history["kinds"][0]["enough"] = Enough("")._asdict()
    history["kinds"][0].update(build_recurrence(past.kills, past, past.last_us))
    assert returned(history, contents) == contents


@pytest.mark.parametrize("part", ["events", "summary", "coverage"])
def test_returned_keys_are_documented(part: str, tmp_path: pathlib.Path) -> None:
    contents = documented(RETURN)[part]
    result = neutralise_all(
        find_in_journal(query_from(PARAMS), Host(captured("bullseye"), {"apache2.service": "stop"}))
    )
    newest_first = result[part][::-1] if part == "events" else result[part]
    if part == "events":
        # An event of the journal has no place in a log.
        path = tmp_path / "dmesg.txt"
        path.write_text("".join(f"[ 12.500000] {line}\n" for line in KERNEL_MEMORY))
        (event,) = find({**PARAMS, "log_files": [str(path)]}, Host([]))["events"]
        newest_first[0]["log"] = event["log"]
        # Only systemd-oomd logs candidates.
        newest_first[0]["candidates"] = [Candidate("/a")._asdict()]
        # The kernel prints these only if it itself took most of the memory.
        newest_first[0]["memory"].update(slabs=event["memory"]["slabs"], allocations=event["memory"]["allocations"])
        # A kill for the whole host has no limit, and a kill for a limit no zones; one has a remedy, the other advice.
        newest_first[0]["limit"] = newest_first[1]["limit"]
        newest_first[0]["diagnosis"]["advice"] = newest_first[1]["diagnosis"]["advice"]
    assert returned(newest_first, contents) == contents


def list_loaded(message: str) -> list[str]:
    """Return the files of `_oom` that a search loads if the kernel has logged a message."""
    script = "; ".join(
        (
            "import sys",
            f"from {MODULE} import find_in_journal, query_from",
            f"from {JOURNALD} import Host, entry",
            f"host = Host([entry({message!r}, at=1, _TRANSPORT='kernel', PRIORITY='3')])",
            f"find_in_journal(query_from({PARAMS!r}), host)",
            "print(sorted(name.rpartition('.')[2] for name in sys.modules if '._oom.' in name))",
        )
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, env=environment, stdout=subprocess.PIPE, text=True
    )
    loaded: list[str] = ast.literal_eval(done.stdout)
    return loaded


def test_a_host_without_kills_does_not_load_the_code_that_explains_them() -> None:
    assert list_loaded("usb 1-1: new device") == [
        *("coverage", "in_journal", "journald_gaps", "kmsg", "present", "records", "search", "search", "summary"),
        *("systemd", "units"),
    ]


def test_a_host_with_kills_of_the_kernel_does_not_load_the_code_for_other_logs() -> None:
    loaded = list_loaded("Out of memory: Killed process 7 (hog)")
    assert "reader" in loaded
    assert {"history", "log_lines", "prefixes", "userspace_killers"}.isdisjoint(loaded)


class RealisticHost(Host):
    """A host whose programs refuse what real ones refuse."""

    def __call__(self, argv: t.Sequence[str], **options: t.Any) -> Completed:
        """Return the answer of a program. Raises ValueError for arguments that no program can have."""
        encoded = [argument.encode("utf-8", "surrogateescape") for argument in argv]
        if b"\0" in b"".join(encoded):
            raise ValueError("embedded null byte")

        try:
            return super().__call__(argv, **options)
        except ValueError:
            return done("", "Failed to parse timestamp", returncode=1)


@pytest.fixture(scope="module")
def _captured_journal() -> t.Iterator[None]:
    """Let the module read a captured journal."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(oom_info, "run", RealisticHost(captured("bullseye")))
        patch.setattr(oom_info, "open_reader", lambda _query: contextlib.nullcontext())
        yield


@pytest.mark.usefixtures("_captured_journal")
@hostile.SETTINGS
@given(hostile.arguments(oom_info, usual={"boot": ["-1"], "since": ["-1d"], "limit": [5], "top": [2], "timeout": [60]}))
def test_any_arguments_end_in_words(arguments: dict[str, t.Any]) -> None:
    hostile.run(oom_info, arguments)


@hostile.SETTINGS
@given(hostile.arguments(oom_info).map(lambda arguments: {name: arguments.get(name, []) for name in ["log_files"]}))
def test_any_names_of_log_files_end_in_words(arguments: dict[str, t.Any]) -> None:
    assert hostile.run(oom_info, arguments)["failed"]
