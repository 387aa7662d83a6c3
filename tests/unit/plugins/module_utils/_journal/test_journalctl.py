# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The notes and errors that follow from the standard error of journalctl."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._command import Completed
from ansible_collections.oomguard.linux.plugins.module_utils._journal.complaints import JournalError
from ansible_collections.oomguard.linux.plugins.module_utils._journal.journalctl import Journalctl, Query

FILTER = "Journal filter: _TRANSPORT=kernel\n"


class Runs:
    """Answers one run after the other, and remembers the log level of each."""

    def __init__(self, *answers: tuple[int, str]) -> None:
        self.answers = list(answers)
        self.levels: list[str] = []

    def __call__(
        self,
        argv: t.Sequence[str],
        *,
        timeout: float = 60,
        stdin: str = "",
        environment: t.Mapping[str, str] | None = None,
    ) -> Completed:
        del timeout, stdin
        self.levels.append((environment or {})["SYSTEMD_LOG_LEVEL"])
        returncode, err = self.answers.pop(0)
        return Completed(tuple(argv), returncode, "", err)


def read_notes(runs: Runs) -> list[str]:
    journalctl = Journalctl(runs, timeout=60)
    list(journalctl.read(Query([], pattern="Killed", verbose=True)))
    return journalctl.notes


@pytest.mark.parametrize(
    ("line", "note"),
    [
        ("File /j/a.journal removed.", "The journal file /j/a.journal could not be read to its end."),
        (
            "Entry item 3 data object is bad, skipping over it: Bad message",
            "The journal is damaged: journalctl skipped entries that it could not read.",
        ),
        (
            "Skipping message we can't read: Bad message",
            "The journal is damaged: journalctl skipped entries that it could not read.",
        ),
        (
            "Failed to open journal file /j/a.journal: No data",
            "The journal file /j/a.journal was skipped: No data.",
        ),
    ],
)
def test_verbose_journalctl_names_what_it_cannot_read(line: str, note: str) -> None:
    assert read_notes(Runs((0, f"{FILTER}{line}\nFile /j/b.journal added.\n"))) == [note]


@pytest.mark.parametrize("stderr", ["Found container virtualization none.\n", f"{FILTER}Failed to seek to cursor\n"])
def test_verbose_journalctl_that_did_not_begin_runs_again_for_the_cause(stderr: str) -> None:
    runs = Runs((1, stderr), (1, "No such time.\n"))
    with pytest.raises(JournalError, match=r"journalctl ended with status 1 \(No such time\.\)"):
        read_notes(runs)
    assert runs.levels == ["debug", "info"]


def test_verbose_journalctl_that_only_skipped_a_file_does_not_run_again() -> None:
    runs = Runs((1, f"Failed to open journal file /j/a.journal: No data\n{FILTER}"))
    read_notes(runs)
    assert runs.levels == ["debug"]


@pytest.mark.parametrize(
    ("stderr", "message"),
    [
        ("Specified path, but no persistent journal was found.", "there is no journal"),
        ("No journal files were opened due to insufficient permissions.", "this user may not read all of it"),
    ],
)
def test_invisible_journal_is_an_error_whatever_the_status(stderr: str, message: str) -> None:
    with pytest.raises(JournalError, match=message):
        read_notes(Runs((0, stderr)))
