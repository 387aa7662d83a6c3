# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carry out one verb, and print what came of it as JSON."""

from __future__ import annotations

import argparse
import json

from swap_trial.compare import allocate, compare
from swap_trial.host import TRIALS
from swap_trial.interruptions import INTERRUPTIONS
from swap_trial.shapes import foreign, still, tables

OF_A_TRIAL = {**INTERRUPTIONS, "still": still}
OF_A_PATH = {"tables": tables, "foreign": foreign, "compare": compare, "allocate": allocate}


def main() -> None:
    """Carry out the verb that the command line names."""
    parser = argparse.ArgumentParser(prog="swap_trial", description=__doc__)
    parser.add_argument("verb", choices=[*OF_A_TRIAL, *OF_A_PATH])
    parser.add_argument("path", help="a swap file, or for stop and complete the folder of many")
    parser.add_argument("trial", choices=TRIALS, nargs="?", default="grow")
    arguments = parser.parse_args()
    if arguments.verb in OF_A_TRIAL:
        found = OF_A_TRIAL[arguments.verb](arguments.path, TRIALS[arguments.trial])
    else:
        found = OF_A_PATH[arguments.verb](arguments.path)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
