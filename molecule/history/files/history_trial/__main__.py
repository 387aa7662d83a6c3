# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run one verb, and print its result as JSON.

`run SEED` lets all waves happen, `records NUMBER` shows one of them, and `enough` finds how much memory jobs need.
"""

from __future__ import annotations

import json
import sys
import typing as t

from history_trial.drive import WAVES, run_waves
from history_trial.enough import try_jobs
from history_trial.records import list_records


def main() -> None:
    verb, *numbers = sys.argv[1:]
    print(json.dumps(VERBS[verb](*map(int, numbers))))


def show_records(number: int) -> dict[str, t.Any]:
    """Return a wave with what the journal says of it."""
    wave = json.loads(WAVES.read_text())[number]
    return {"wave": wave, "records": list_records(wave)}


VERBS: dict[str, t.Callable[..., t.Any]] = {"run": run_waves, "records": show_records, "enough": try_jobs}


if __name__ == "__main__":
    main()
