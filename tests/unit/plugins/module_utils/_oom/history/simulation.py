# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Try many made histories as a program, and print how many get a wrong result."""

from __future__ import annotations

import argparse
import secrets
import time
import typing as t

ListWrong = t.Callable[[int, int], list[str]]
"""Tries histories with a seed, up to a number of cases, and returns a line for each wrong result."""


def try_all(description: str | None, trials: t.Mapping[str, ListWrong]) -> None:
    """Run the trials, which have names, with the number of cases and the seed that the command line says."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=1000, help="number of each (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32), help="default: a random one")
    arguments = parser.parse_args()
    for name, list_wrong in trials.items():
        begun = time.monotonic()
        wrong = list_wrong(arguments.seed, arguments.cases)
        print(*wrong, sep="\n")
        seconds = time.monotonic() - begun
        print(f"{name}: {len(wrong)} of {arguments.cases} are wrong, in {seconds:.0f} s")
