# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The base class of every error that a user reads."""

from __future__ import annotations

import contextlib
import typing as t

from ._safe import neutralise

_LONGEST_TEXT = 4096


class OomguardError(Exception):
    """Say what failed, on what and why (`problem`), and what to do about it (`hint`).

    Both texts are made inert here, so code that raises an error can name files, units and processes as they are. Each
    topic has one subclass. Only a module's `main()` turns an error into `fail_json`.
    """

    def __init__(self, problem: str, *, hint: str = "") -> None:
        self.problem = neutralise(problem, limit=_LONGEST_TEXT)
        self.hint = neutralise(hint, limit=_LONGEST_TEXT)
        super().__init__(f"{self.problem} {self.hint}".rstrip())


@contextlib.contextmanager
def undoing(first: OomguardError) -> t.Iterator[None]:
    """Undo a change that failed with `first`.

    If that fails as well, raises an OomguardError that tells of `first`, and then of what could not be undone.
    """
    try:
        yield
    except OomguardError as second:
        raise OomguardError(f"{first} Restoring the old state failed as well: {second}") from first
