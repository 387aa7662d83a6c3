# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The remedies of a host as the page shows them: why they help, and their variables to paste. Pure.

A record can come from anywhere, and people paste what the page shows. So only this collection's roles are shown, and
only the variables that belong to each role.
"""

from __future__ import annotations

import operator
import re
import typing as t

from ...module_utils._oom.explanation import format_variables, merge_remedies
from .recap import build_command
from .record import Data, Record

ROLES = ("oom_policy", "zram", "swap", "fcgid", "fcgid_recycler", "systemd_oomd")
"""The roles that remedies can name."""

_REMEDIATE = "oomguard.linux.remediate"
# What records without these keys do not say.
_UNKNOWN: Record = {"why": "", "risk": "", "trusted": False, "automatic": True}
_NO_VARIABLES = ("# This role needs no variables.",)


class Remedy(t.NamedTuple):
    """A role that helps a host, and its variables as lines of YAML."""

    role: str
    why: str
    risk: str
    is_trusted: bool
    is_automatic: bool
    """Whether the playbook remediate runs the role without being told to."""
    variables: tuple[str, ...]


def list_remedies(record: Data) -> list[Remedy]:
    """Return the remedies of a host, first those that the playbook remediate applies by itself."""
    own = filter(_is_own, record["remedies"])
    merged = merge_remedies(map(_complete, own))
    remedies = list(map(_build_remedy, merged))
    remedies.sort(key=operator.attrgetter("is_automatic"), reverse=True)

    return remedies


def write_command(host: str) -> str:
    """Return the command that shows what the playbook remediate would change on a host."""
    return build_command(_REMEDIATE, "--check", "--diff", inventory=(), hosts=(host,))


def _is_own(remedy: Data) -> bool:
    return remedy["role"] in ROLES


def _complete(remedy: Data) -> Record:
    """Return a remedy with all its keys, and with the variables of its own role alone."""
    is_variable = re.compile(f"{remedy['role']}_[a-z_]+").fullmatch
    names = filter(is_variable, remedy["variables"])
    variables = {name: remedy["variables"][name] for name in names}

    return {**_UNKNOWN, **remedy, "variables": variables}


def _build_remedy(remedy: Data) -> Remedy:
    return Remedy(
        role=remedy["role"],
        why=remedy["why"],
        risk=remedy["risk"],
        is_trusted=remedy["trusted"] is True,
        is_automatic=remedy["automatic"] is True,
        variables=tuple(_write_variables(remedy)) or _NO_VARIABLES,
    )


def _write_variables(remedy: Data) -> list[str]:
    variables = remedy["variables"]
    if remedy["automatic"]:
        return format_variables(variables)

    return format_variables({"oomguard_roles": ["auto", remedy["role"]], **variables})
