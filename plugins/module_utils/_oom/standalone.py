# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Explain text logs where they are: those that somebody names, or pipes into the program.

This is what the program oomguard-explain runs, and the action plugin explain_log.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import typing as t

from .._errors import OomguardError
from .._safe import neutralise_all
from .explanation import explain_result
from .in_logs import find_in_logs
from .log_file import LogError, open_log
from .summary import write_message

STANDARD_INPUT = "-"
_NAME_OF_INPUT = "standard input"
_NO_KILL, _KILLS, _UNREADABLE = 0, 1, 2
_DESCRIPTION = "Find and explain every OOM kill in text logs, such as the output of dmesg or journalctl."
_EPILOG = "The status is 0 without an OOM kill, 1 with OOM kills, and 2 if something could not be read."


def read_logs(names: t.Sequence[str], *, standard_input: int | str = 0) -> dict[str, t.Any]:
    """Return the OOM kills in text logs as the module `oom_info` does.

    The name - stands for the standard input, which is a descriptor or a path. Raises LogError.
    """
    if STANDARD_INPUT not in names:
        return _read(names, {})

    shown = [{STANDARD_INPUT: _NAME_OF_INPUT}.get(name, name) for name in names]
    try:
        with open(standard_input, "rb") as given, tempfile.NamedTemporaryFile() as file:
            shutil.copyfileobj(given, file)
            file.flush()
            return _read(shown, {_NAME_OF_INPUT: file.name})
    except OSError as error:
        raise LogError(f"Could not read the standard input: {error.strerror}.") from error


def main() -> int:
    """Explain the logs on the command line, and return the exit status."""
    arguments = _parse_arguments()
    # A name in a log can have characters that the terminal does not know.
    t.cast("t.Any", sys.stdout).reconfigure(errors="backslashreplace")
    try:
        result = read_logs(arguments.log)
    except OomguardError as error:
        sys.stderr.write(f"{error.problem}\n")
        return _UNREADABLE

    try:
        _write(result, arguments)
    except BrokenPipeError:
        # Nobody reads the rest, and Python would complain about it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    return _find_status(result)


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="oomguard-explain", description=_DESCRIPTION, epilog=_EPILOG)
    parser.add_argument("log", nargs="+", help="a file, or - for the standard input")
    parser.add_argument("--details", action="store_true", help="show the evidence for each kind of event")
    parser.add_argument("--json", action="store_true", help="print the result of the module oom_info as JSON")
    return parser.parse_args()


def _read(names: t.Sequence[str], paths: t.Mapping[str, str]) -> dict[str, t.Any]:
    """Return the OOM kills in logs, some of which are not where their names say. Raises LogError."""

    def open_named(name: str) -> t.ContextManager[t.TextIO]:
        return open_log(name, paths.get(name))

    result = find_in_logs(names, boot="all", limit=100, tasks="top", top=10, open_log=open_named)
    inert: dict[str, t.Any] = neutralise_all({"msg": write_message(result), **result})

    return inert


def _write(result: dict[str, t.Any], arguments: argparse.Namespace) -> None:
    lines = [json.dumps(result, indent=2)]
    if not arguments.json:
        lines = explain_result(result, details=arguments.details)

    for line in lines:
        sys.stdout.write(f"{line}\n")

    sys.stdout.flush()


def _find_status(result: dict[str, t.Any]) -> int:
    if result["summary"]["count"]:
        return _KILLS

    if result["coverage"]["unparsed"]:
        return _UNREADABLE

    return _NO_KILL
