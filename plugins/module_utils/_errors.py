# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The base of every error that a user is meant to read."""

from __future__ import annotations


class OomguardError(Exception):
    """Tell what was attempted, on what and why it failed (`problem`), and what to do about it (`hint`).

    Each topic has one subclass. Nothing but a module's `main()` turns it into `fail_json`.
    """

    def __init__(self, problem: str, *, hint: str = "") -> None:
        super().__init__(f"{problem} {hint}".rstrip())
        self.problem = problem
        self.hint = hint
