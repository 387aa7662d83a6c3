# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carry out one verb, and print what came of it as JSON."""

from __future__ import annotations

import argparse
import json
import sys
import time

from dropin_trial import directives, in_force, interruptions, policies, refused, units
from dropin_trial.host import clean, set_up

CASES = {
    case.__name__: case
    for module in (units, directives, in_force, refused, interruptions, policies)
    for case in module.CASES
}


def main() -> None:
    """Carry out the verb that the command line names."""
    parser = argparse.ArgumentParser(prog="dropin_trial", description=__doc__)
    parser.add_argument("verb", choices=["start", "run", "in-chroot", *interruptions.CUTS, "complete"])
    parser.add_argument("cases", nargs="*", metavar="case")
    arguments = parser.parse_args()
    if arguments.verb == "in-chroot":
        print(json.dumps(refused.in_chroot()))
    elif arguments.verb in interruptions.CUTS:
        interruptions.stop(arguments.verb)
    elif arguments.verb == "complete":
        print(json.dumps(interruptions.complete()))
    else:
        set_up()
        for name in arguments.cases:
            began = time.monotonic()
            try:
                outcome = CASES[name]()
            finally:
                clean()
            print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
            print(json.dumps({name: outcome}), flush=True)


if __name__ == "__main__":
    main()
