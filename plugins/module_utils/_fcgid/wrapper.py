# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits for single workers, in the forms of FcgidWrapper that work. Pure.

mod_fcgid passes a wrapper neither arguments nor SCRIPT_FILENAME, so a wrapper that starts its arguments starts nothing.
Two forms work: an interpreter that learns the script from the protocol, such as php-cgi, and a script that the wrapper
itself names. The latter must be in a section for that script alone.
"""

from __future__ import annotations

import pathlib
import posixpath
import re
import typing as t

from .._size import parse_limit
from .config import Setting
from .directives import DIRECTIVES, WRAPPER, FcgidError, split_words
from .worker import INTERPRETER

# A path that needs no quotes in a wrapper's command and is not a pattern in <Files>.
_PATH = re.compile(r"/[A-Za-z0-9_./@+:,=-]*[A-Za-z0-9_@+-]")
# A program may have no suffix.
_SUFFIX = re.compile(r"(?:\.[A-Za-z0-9_-]+)?")

# Programs that start another program.
_RUNNER = re.compile(r"choom|prlimit|env|nice|ionice|chrt|taskset|setpriv|setsid|timeout|systemd-run|sudo|su|unshare")
# The first line of a shell script.
_SHELL = re.compile("#!.*sh")
# The line of a shell script that starts its arguments and nothing else.
_STARTS_ARGUMENTS = re.compile(
    rf"""^[ \t]*(?:exec[ \t]+)?(?:(?:\S*/)?(?:{_RUNNER.pattern})(?:[ \t]+(?:-\S*|[0-9]\S*))*[ \t]+)*"?\$[@*1]""",
    re.MULTILINE,
)


def make_wrapper(worker: t.Mapping[str, t.Any]) -> Setting:
    """Return the FcgidWrapper that limits one kind of worker.

    `worker` has either `script`, a program that Apache serves, or `command` with the `suffix` of the files that it
    runs. It also has `address_space` (a size), `oom_score_adjust` or both. Raises FcgidError and SizeError.
    """
    script = worker.get("script")
    if script:
        return _wrap_script(str(script), worker)

    return _wrap_command(str(worker.get("command")), str(worker.get("suffix")), worker)


def _wrap_script(script: str, worker: t.Mapping[str, t.Any]) -> Setting:
    _refuse_path(script)
    path = pathlib.PurePosixPath(script)
    sections = (f'<Directory "{path.parent}">', f'<Files "{path.name}">')
    suffix = posixpath.splitext(script)[1]
    return _make_setting(script, suffix, worker, sections)


def _wrap_command(command: str, suffix: str, worker: t.Mapping[str, t.Any]) -> Setting:
    _refuse_path(command)
    return _make_setting(command, suffix, worker, ())


def _make_setting(program: str, suffix: str, worker: t.Mapping[str, t.Any], sections: tuple[str, ...]) -> Setting:
    if not _SUFFIX.fullmatch(suffix):
        raise FcgidError(f"{suffix!r} is not a file suffix.", hint="Use a suffix such as .php.")

    command = " ".join([*_make_limits(worker, program), program])
    text = f'"{command}" {suffix}'.rstrip()
    return Setting(DIRECTIVES[WRAPPER], text, sections)


def _refuse_path(path: str) -> None:
    if not _PATH.fullmatch(path):
        raise FcgidError(
            f"FcgidWrapper cannot use {path!r}.", hint="Use a full path without spaces or special characters."
        )


def _make_limits(worker: t.Mapping[str, t.Any], program: str) -> t.Iterator[str]:
    """Yield the words of the commands that set the limits of a worker and then start the rest of the command."""
    adjustment = worker.get("oom_score_adjust")
    if adjustment is not None:
        # proc(5): a value below Apache's own requires CAP_SYS_RESOURCE.
        if not 0 <= adjustment <= 1000:
            raise FcgidError(
                f"oom_score_adjust is {adjustment}.",
                hint="A worker can only raise its own score. Use a number from 0 to 1000.",
            )

        yield from ("/usr/bin/choom", "-n", str(adjustment), "--")

    address_space = worker.get("address_space")
    if address_space is not None:
        limit = parse_limit(address_space, name=f"address_space of {program}")
        yield from ("/usr/bin/prlimit", f"--as={limit}")


def split_command(setting: Setting) -> list[str]:
    """Return the words of the command of an FcgidWrapper, none for other directives."""
    if setting.directive.name != WRAPPER:
        return []

    return split_words(setting.text)[0].split()


def list_programs(setting: Setting) -> list[str]:
    """Return the full paths of the programs that an FcgidWrapper starts. Each one starts the next."""
    programs: list[str] = []
    for word in split_command(setting):
        if not word.startswith("/"):
            continue
        if programs and not _can_start_next(programs[-1]):
            break

        programs.append(word)

    return programs


def _can_start_next(program: str) -> bool:
    name = posixpath.basename(program)
    return bool(_RUNNER.fullmatch(name) or INTERPRETER.fullmatch(name))


def refuse_useless_wrapper(setting: Setting) -> None:
    """Raise FcgidError if an FcgidWrapper for the whole server does not work as intended."""
    _command, *options = split_words(setting.text)
    if "virtual" in map(str.lower, options):
        raise _useless(
            setting, "answers every URL, even those of files that do not exist.", hint="Omit the word virtual."
        )

    programs = list_programs(setting)
    if not programs or _RUNNER.fullmatch(posixpath.basename(programs[-1])):
        raise _useless(
            setting,
            "starts nothing, since mod_fcgid passes it neither arguments nor the path of the script.",
            hint="End the command with the full path of a program such as /usr/bin/php-cgi.",
        )

    program = programs[-1]
    name = posixpath.basename(program)
    if INTERPRETER.fullmatch(name):
        raise _useless(
            setting,
            f"fails, since {name} does not speak FastCGI and is not given a script to run.",
            hint="For PHP, use php-cgi. List your own programs by their paths in the option workers.",
        )

    served_suffix = _find_suffix(options)
    if _is_script(program, served_suffix):
        raise _useless(
            setting,
            f"uses {program} to answer requests for every {_describe_served(served_suffix)}.",
            hint="List it as a script in the option workers, which limits only this file.",
        )


def _is_script(program: str, served_suffix: str) -> bool:
    """Return whether the program is itself one of the files that the wrapper serves."""
    suffix = posixpath.splitext(program)[1]
    if not suffix[1:].isalpha():
        return False

    return served_suffix in ("", suffix)


def _find_suffix(options: t.Iterable[str]) -> str:
    for option in options:
        if option.startswith("."):
            return option

    return ""


def _describe_served(suffix: str) -> str:
    if not suffix:
        return "program"

    return f"file with the suffix {suffix}"


def _useless(setting: Setting, problem: str, *, hint: str) -> FcgidError:
    return FcgidError(f"FcgidWrapper {setting.text} {problem}", hint=hint)


def is_pass_through(text: str) -> bool:
    """Return whether `text` is a shell script that starts its arguments. mod_fcgid passes it none."""
    if not _SHELL.match(text):
        return False

    return bool(_STARTS_ARGUMENTS.search(text))
