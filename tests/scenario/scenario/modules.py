# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a module of the collection on a host of a scenario."""

from __future__ import annotations

import json
import typing as t

if t.TYPE_CHECKING:
    from testinfra.host import Host


# The result that ansible-core 2.19 stores of a module that failed has no `failed`, and none of the module's own keys.
_KEYS_OF_A_FAILURE = {"changed", "deprecations", "failed", "msg", "warnings"}


def run_module(host: Host, module: str, /, *, check: bool = False, **arguments: t.Any) -> dict[str, t.Any]:
    """Run the module oomguard.linux.MODULE, and return its result. Raise AssertionError if the module fails."""
    result = try_module(host, module, check=check, **arguments)
    if result.keys() <= _KEYS_OF_A_FAILURE:
        raise AssertionError(f"{module}: {result.get('msg')}")

    return result


def try_module(host: Host, module: str, /, *, check: bool = False, **arguments: t.Any) -> dict[str, t.Any]:
    """Run the module oomguard.linux.MODULE, and return its result, even if the module fails."""
    # Ansible reads an empty object as the text of a command.
    text = json.dumps(arguments) if arguments else ""
    return dict(host.ansible(f"oomguard.linux.{module}", text, check=check))
