# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What journalctl says on standard error, and what is made of it."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._command import Completed
from ansible_collections.oomguard.linux.plugins.module_utils._journal.journalctl import Journalctl, JournalError

FILTER = "Journal filter: _TRANSPORT=kernel\n"


class Runs:
    """Answers one run after the other, and remembers how talkative each was to be."""

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


def notes(runs: Runs) -> list[str]:
    journalctl = Journalctl(runs, directory=None, namespace=None, timeout=60)
    list(journalctl.read([], pattern="Killed", talkative=True))
    return journalctl.notes


@pytest.mark.parametrize(
    ("said", "note"),
    [
        ("File /j/a.journal removed.", "The journal file /j/a.journal could not be read to its end."),
        (
            "Entry item 3 data object is bad, skipping over it: Bad message",
            "The journal is damaged: journalctl passed over entries that it could not read.",
        ),
        (
            "Skipping message we can't read: Bad message",
            "The journal is damaged: journalctl passed over entries that it could not read.",
        ),
        (
            "Failed to open journal file /j/a.journal: No data",
            "The journal file /j/a.journal was passed over: No data.",
        ),
    ],
)
def test_what_a_talkative_journalctl_could_not_read_is_noted(said: str, note: str) -> None:
    assert notes(Runs((0, f"{FILTER}{said}\nFile /j/b.journal added.\n"))) == [note]


@pytest.mark.parametrize("said", ["Found container virtualization none.\n", f"{FILTER}Failed to seek to cursor\n"])
def test_a_talkative_journalctl_that_did_not_begin_is_asked_again_for_the_cause(said: str) -> None:
    runs = Runs((1, said), (1, "No such time.\n"))
    with pytest.raises(JournalError, match=r"journalctl ended with status 1 \(No such time\.\)"):
        notes(runs)
    assert runs.levels == ["debug", "info"]


def test_a_talkative_journalctl_that_failed_at_a_file_alone_has_begun() -> None:
    runs = Runs((1, f"Failed to open journal file /j/a.journal: No data\n{FILTER}"))
    notes(runs)
    assert runs.levels == ["debug"]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("Specified path, but no persistent journal was found.", "there is none"),
        ("No journal files were opened due to insufficient permissions.", "it may not be read by this user"),
    ],
)
def test_a_journal_that_cannot_be_seen_is_an_error_whatever_the_status(said: str, message: str) -> None:
    with pytest.raises(JournalError, match=message):
        notes(Runs((0, said)))
