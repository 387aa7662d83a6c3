# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run one verb, and print its result as JSON."""

from __future__ import annotations

import argparse
import json

from swap_trial.compare import measure_allocation, measure_growth
from swap_trial.host import TRIALS
from swap_trial.interruptions import INTERRUPTIONS
from swap_trial.shapes import try_foreign, try_still, try_tables

TRIAL_VERBS = {**INTERRUPTIONS, "still": try_still}
PATH_VERBS = {
    "tables": try_tables,
    "foreign": try_foreign,
    "compare": measure_growth,
    "allocate": measure_allocation,
}


def main() -> None:
    """Run the verb that the command line names."""
    parser = argparse.ArgumentParser(prog="swap_trial", description=__doc__)
    parser.add_argument("verb", choices=[*TRIAL_VERBS, *PATH_VERBS])
    parser.add_argument("path", help="a swap file; for stop and complete, a folder for many swap files")
    parser.add_argument("trial", choices=TRIALS, nargs="?", default="grow")
    arguments = parser.parse_args()
    if arguments.verb in TRIAL_VERBS:
        result = TRIAL_VERBS[arguments.verb](arguments.path, TRIALS[arguments.trial])
    else:
        result = PATH_VERBS[arguments.verb](arguments.path)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
