# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why the memory of a unit grew: a leak, a spike, too many processes, or a limit that is too low."""

from __future__ import annotations

import typing as t

from .model import Kill, Past


class Growth(t.NamedTuple):
    """Why the memory grew; `evidence` are whole sentences."""

    verdict: str
    """`leak`, `spike`, `too_many`, `limit_too_low` or `cannot_tell`."""
    evidence: tuple[str, ...] = ()


def judge_growth(kills: t.Sequence[Kill], past: Past) -> Growth:
    """Return why the memory grew before kills of one kind."""
    del kills, past
    return Growth("cannot_tell")
