# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits for single workers, in the forms of FcgidWrapper that really work. Pure.

mod_fcgid gives a wrapper neither arguments nor SCRIPT_FILENAME, so that one which passes on what it is given starts
nothing. What works: an interpreter that has the script from the protocol, such as php-cgi, and a script that is named
in the wrapper itself, which has to stand in a section for that script alone.
"""

from __future__ import annotations

import pathlib
import re
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.config import Setting
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.directives import DIRECTIVES, FcgidError
from ansible_collections.oomguard.linux.plugins.module_utils._text import neutralise, parse_size

# What needs no quotes in a wrapper's command, and is no pattern in a <Files>.
_PATH = re.compile(r"/[A-Za-z0-9_./@+:,=-]*[A-Za-z0-9_@+-]")
_SUFFIX = re.compile(r"\.[A-Za-z0-9_-]+")


def wrapper_for(worker: t.Mapping[str, t.Any]) -> Setting:
    """Return the FcgidWrapper that limits one kind of worker.

    `worker` has either `script`, a program that Apache serves, or `command` with the `suffix` of what it is to run; and
    `address_space` (a size), `oom_score_adjust` or both. Raises FcgidError and SizeError.
    """
    script, command = worker.get("script"), worker.get("command")
    program = str(script or command)
    if not _PATH.fullmatch(program):
        raise FcgidError(f"FcgidWrapper cannot name {neutralise(program)!r}.", hint="Give a full path without blanks.")
    suffix = pathlib.PurePosixPath(program).suffix if script else str(worker.get("suffix"))
    if suffix and not _SUFFIX.fullmatch(suffix):
        raise FcgidError(f"{neutralise(suffix)!r} is not the suffix of a file.", hint="Give one such as .php.")
    text = f'"{" ".join([*_limits(worker), program])}" {suffix}'.rstrip()
    return Setting(DIRECTIVES["FcgidWrapper"], text, _sections(program) if script else ())


def _limits(worker: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    adjustment, address_space = worker.get("oom_score_adjust"), worker.get("address_space")
    if adjustment is not None:
        # proc(5): to go below the value that Apache itself has takes CAP_SYS_RESOURCE.
        if not 0 <= adjustment <= 1000:
            raise FcgidError(
                f"oom_score_adjust is {adjustment}.",
                hint="A worker can only raise its own: give a number from 0 to 1000.",
            )
        yield from ("/usr/bin/choom", "-n", str(adjustment), "--")
    if address_space is not None:
        yield from ("/usr/bin/prlimit", f"--as={parse_size(address_space)}")


def _sections(script: str) -> tuple[str, str]:
    path = pathlib.PurePosixPath(script)
    return f'<Directory "{path.parent}">', f'<Files "{path.name}">'
