# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Collect the tests of the corpus only if OOMGUARD_CORPUS names its folder."""

from __future__ import annotations

import os
import typing as t

if t.TYPE_CHECKING:
    import pytest

collect_ignore = [] if os.environ.get("OOMGUARD_CORPUS") else ["test_corpus.py", "test_lines.py"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many facts agree, and each fact that does not."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, text in report.user_properties:
            if name == "corpus":
                terminalreporter.write_line(str(text))
