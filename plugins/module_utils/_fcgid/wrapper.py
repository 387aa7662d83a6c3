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
import posixpath
import re
import typing as t

from .._safe import neutralise
from .._size import parse_limit
from .config import Setting
from .directives import DIRECTIVES, FcgidError, words
from .worker import INTERPRETER

# What needs no quotes in a wrapper's command, and is no pattern in a <Files>.
_PATH = re.compile(r"/[A-Za-z0-9_./@+:,=-]*[A-Za-z0-9_@+-]")
_SUFFIX = re.compile(r"\.[A-Za-z0-9_-]+")

# Programs that start another one. Interpreters cannot be told by the protocol which script to run.
_RUNNER = re.compile(r"choom|prlimit|env|nice|ionice|chrt|taskset|setpriv|setsid|timeout|systemd-run|sudo|su|unshare")
# The line of a shell script that starts what it is given, and nothing else.
_PASSES_ON = re.compile(
    rf"""^[ \t]*(?:exec[ \t]+)?(?:(?:\S*/)?(?:{_RUNNER.pattern})(?:[ \t]+(?:-\S*|[0-9]\S*))*[ \t]+)*"?\$[@*1]""",
    re.MULTILINE,
)


def wrapper_for(worker: t.Mapping[str, t.Any]) -> Setting:
    """Return the FcgidWrapper that limits one kind of worker.

    `worker` has either `script`, a program that Apache serves, or `command` with the `suffix` of what it is to run; and
    `address_space` (a size), `oom_score_adjust` or both. Raises FcgidError and SizeError.
    """
    script, command = worker.get("script"), worker.get("command")
    program = str(script or command)
    if not _PATH.fullmatch(program):
        raise FcgidError(f"FcgidWrapper cannot name {neutralise(program)!r}.", hint="Give a full path without blanks.")
    suffix = posixpath.splitext(program)[1] if script else str(worker.get("suffix"))
    if suffix and not _SUFFIX.fullmatch(suffix):
        raise FcgidError(f"{neutralise(suffix)!r} is not the suffix of a file.", hint="Give one such as .php.")
    text = f'"{" ".join([*_limits(worker, program), program])}" {suffix}'.rstrip()
    return Setting(DIRECTIVES["FcgidWrapper"], text, _sections(program) if script else ())


def _limits(worker: t.Mapping[str, t.Any], program: str) -> t.Iterator[str]:
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
        yield from ("/usr/bin/prlimit", f"--as={parse_limit(address_space, name=f'address_space of {program}')}")


def _sections(script: str) -> tuple[str, str]:
    path = pathlib.PurePosixPath(script)
    return f'<Directory "{path.parent}">', f'<Files "{path.name}">'


def command_of(setting: Setting) -> list[str]:
    """Return the words of the command of an FcgidWrapper; none for other directives."""
    return words(setting.text)[0].split() if setting.directive.name == "FcgidWrapper" else []


def programs_of(setting: Setting) -> list[str]:
    """Return the full paths of all that an FcgidWrapper starts: each is started by the one before."""
    paths = [word for word in command_of(setting) if word.startswith("/")]
    for count, path in enumerate(paths, start=1):
        name = posixpath.basename(path)
        if not _RUNNER.fullmatch(name) and (not INTERPRETER.fullmatch(name) or count == len(paths)):
            return paths[:count]
    return paths


def refuse_useless_wrapper(setting: Setting) -> None:
    """Raise FcgidError where an FcgidWrapper for the whole server does not do what it is for."""
    program, (_command, *options) = (programs_of(setting) or [""])[-1], words(setting.text)
    name, suffix = posixpath.basename(program), posixpath.splitext(program)[1]
    served = next((option for option in options if option.startswith(".")), "")
    problem = hint = ""
    if "virtual" in map(str.lower, options):
        problem, hint = "has every address answered, also of files that do not exist", "Leave out the word virtual."
    elif not program or _RUNNER.fullmatch(name):
        problem = "starts nothing, for mod_fcgid gives it neither arguments nor the path of the script"
        hint = "End the command with the full path of a program such as /usr/bin/php-cgi."
    elif INTERPRETER.fullmatch(name):
        problem = f"fails, for {name} does not speak FastCGI and is given no script to run"
        hint = "Use php-cgi for PHP, and list programs of your own by their paths under workers."
    elif suffix[1:].isalpha() and served in ("", suffix):
        problem = f"has every {'program' if not served else f'file with {served}'} answered by {program}"
        hint = "List it as a script under workers, which limits this file alone."
    if problem:
        raise FcgidError(f"FcgidWrapper {neutralise(setting.text)} {problem}.", hint=hint)


def passes_on(text: str) -> bool:
    """Tell whether `text` is a shell script that starts what it is given: mod_fcgid gives it nothing."""
    return text.startswith("#!") and "sh" in text.partition("\n")[0] and bool(_PASSES_ON.search(text))
