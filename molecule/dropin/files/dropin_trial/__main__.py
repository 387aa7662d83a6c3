# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run one verb, and print its outcome as JSON."""

from __future__ import annotations

import argparse
import json
import sys
import time

from dropin_trial import directives, groups, in_force, interruptions, lasting, policies, refused, units
from dropin_trial.host import Outcome, clean_up, set_up

CASES = {
    **units.CASES,
    **groups.CASES,
    **directives.CASES,
    **in_force.CASES,
    **refused.CASES,
    **interruptions.CASES,
    **policies.CASES,
}

# Verbs that neither set up nor clean up, because they are parts of a case.
PRINTED = {
    "in-chroot": refused.apply_in_chroot,
    "complete": interruptions.complete_after_cut,
    "set-before-boot": lasting.set_before_boot,
    "check-after-boot": lasting.check_after_boot,
}


def main() -> None:
    """Run the verb that the command line names."""
    parser = argparse.ArgumentParser(prog="dropin_trial", description=__doc__)
    parser.add_argument("verb", choices=["start", "run", *interruptions.CUTS, *PRINTED])
    parser.add_argument("cases", nargs="*", metavar="case")
    arguments = parser.parse_args()
    if arguments.verb in PRINTED:
        print(json.dumps(PRINTED[arguments.verb]()))
    elif arguments.verb in interruptions.CUTS:
        interruptions.stop_before_cut(arguments.verb)
    else:
        set_up()
        if arguments.verb == "start":
            units.kill_dead_unit()
        for name in arguments.cases:
            print(json.dumps({name: run_case(name)}), flush=True)


def run_case(name: str) -> Outcome:
    """Run a case, clean up after it, and report on standard error how long it took."""
    began = time.monotonic()
    try:
        return CASES[name]()
    finally:
        clean_up()
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
