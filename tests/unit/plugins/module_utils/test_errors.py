# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The texts of errors."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._errors import OomguardError, undoing


@pytest.mark.parametrize(
    ("hint", "text"), [("Do that.", "It failed. Do that."), ("", "It failed.")], ids=["hint", "no hint"]
)
def test_error_has_problem_and_hint(hint: str, text: str) -> None:
    assert str(OomguardError("It failed.", hint=hint)) == text


def test_texts_of_an_error_are_inert() -> None:
    error = OomguardError("No unit \x1b[2J{{ x }}.", hint="Name\none.")
    assert (error.problem, error.hint) == ("No unit \\x1b[2J\\x7b{ x }}.", "Name\\x0aone.")


def test_long_texts_of_an_error_are_cut() -> None:
    assert OomguardError("x" * 5000).problem == "x" * 4096 + "... (904 more)"


def test_failure_to_undo_is_told_after_the_first_error() -> None:
    with pytest.raises(OomguardError) as error, undoing(OomguardError("It failed.", hint="Do that.")):
        raise OomguardError("The disk is full.", hint="Free some space.")
    assert str(error.value) == (
        "It failed. Do that. Restoring the old state failed as well: The disk is full. Free some space."
    )
