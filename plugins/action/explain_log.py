# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Explain text logs that are on the control node."""

from __future__ import annotations

import os
import pathlib
import sys
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..module_utils._oom.explanation import explain_result
from ..module_utils._oom.log_file import LogError
from ..module_utils._oom.standalone import STANDARD_INPUT, read_logs
from ..plugin_utils._arguments import validate_arguments
from ..plugin_utils._terminal import Line, print_lines

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "paths": {"type": "list", "elements": "path", "required": True},
    "details": {"type": "bool", "default": False},
}


class ActionModule(ActionBase):
    """Explain text logs."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Print what is in the logs, and return the number of events."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        arguments = validate_arguments(self, ARGUMENT_SPEC)
        paths = arguments["paths"]
        if not paths:
            raise AnsibleActionFail("Could not explain a log: none is named. Name one, such as -e log=dmesg.txt.")

        try:
            found = read_logs(paths, standard_input=_find_standard_input(paths))
        except LogError as error:
            raise AnsibleActionFail(error.problem) from None

        lines = ["", *explain_result(found, details=arguments["details"])]
        printed = print_lines(self._display, map(Line, lines))

        return {**result, "changed": False, "count": found["summary"]["count"], **printed}


def _find_standard_input(paths: t.Collection[str]) -> str:
    """Return the standard input of ansible-playbook; that of the process that runs a task is empty.

    Raises AnsibleActionFail if the logs include the standard input, and it cannot be read.
    """
    given = pathlib.Path(f"/proc/{os.getppid()}/fd/0")
    if STANDARD_INPUT not in paths:
        return str(given)

    # Python knows whether there was one when Ansible started.
    if sys.__stdin__ is None:
        raise AnsibleActionFail("Could not read the standard input: it is closed.")

    if not given.exists():
        raise AnsibleActionFail(
            "Could not read the standard input: Ansible hides it from its tasks, and this system has no /proc to find "
            "it. Write the log to a file, and name that file."
        )

    if is_terminal(given):
        raise AnsibleActionFail(
            "Could not read the standard input: it is a terminal. Pipe a log into it, such as: "
            "dmesg | ansible-playbook oomguard.linux.explain -e log=-"
        )

    return str(given)


def is_terminal(path: pathlib.Path) -> bool:
    """Return whether a file is a terminal, without waiting for what can be read from it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        return os.isatty(descriptor)
    finally:
        os.close(descriptor)
