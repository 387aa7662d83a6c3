# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables that begin like those of a role, and that the role does not have."""

from __future__ import annotations

import difflib
import functools
import pathlib
import re
import typing as t

import yaml

from ..module_utils._safe import neutralise

_COLLECTION = pathlib.Path(__file__).parents[2]
# What the playbooks read, as if they were one more role.
_PLAYBOOKS = "oomguard"
_OPTIONS_OF_PLAYBOOKS = ("oomguard_hosts", "oomguard_other_tags", "oomguard_roles", "oomguard_start")
# Other people have variables that begin like these, too.
_COMMON = frozenset(("detect", "oomguard", "swap", "zram"))
_CLOSE = 0.7


def find_misspelt(names: t.Iterable[str]) -> list[str]:
    """Return a sentence for each variable that is probably meant for a role and that the role does not have."""
    options = load_options()
    unknown = sorted(set(names) - read_internal_names())
    sentences = map(functools.partial(_judge, options=options), unknown)

    return list(filter(None, sentences))


@functools.cache
def load_options() -> t.Mapping[str, t.Collection[str]]:
    """Return the variables of each role, and those of the playbooks."""
    options: dict[str, t.Collection[str]] = {_PLAYBOOKS: _OPTIONS_OF_PLAYBOOKS}
    for path in _COLLECTION.glob("roles/*/meta/argument_specs.yml"):
        specification = yaml.safe_load(path.read_text("utf-8"))["argument_specs"]["main"]
        options[path.parts[-3]] = frozenset(specification["options"])

    return options


@functools.cache
def read_internal_names() -> frozenset[str]:
    """Return all words in the tasks of the roles and playbooks, among them the variables that these set themselves."""
    words: set[str] = set()
    for pattern in ("roles/*/tasks/*.yml", "playbooks/**/*.yml"):
        for path in _COLLECTION.glob(pattern):
            words.update(re.findall(r"\w+", path.read_text("utf-8")))

    return frozenset(words)


def _judge(name: str, *, options: t.Mapping[str, t.Collection[str]]) -> str:
    """Return what is wrong with the name of a variable, "" if it is right or not for a role."""
    # fcgid_recycler_limit is a variable of fcgid_recycler, not of fcgid.
    roles = filter(lambda role: name.startswith(f"{role}_"), options)
    role = max(roles, key=len, default="")
    if not role or name in options[role]:
        return ""

    # The beginning, which all variables of the role have, would make any two of them similar.
    beginning = f"{role}_"
    rests = [option.removeprefix(beginning) for option in options[role]]
    close = difflib.get_close_matches(name.removeprefix(beginning), sorted(rests), n=1, cutoff=_CLOSE)
    owner = {_PLAYBOOKS: "The playbooks have"}.get(role, f"The role {role} has")
    problem = f"{owner} no variable {neutralise(name, limit=100)}"
    if close:
        return f"{problem}. Did you mean {beginning}{close[0]}?"

    if role in _COMMON:
        return ""

    return f"{problem}, so it is ignored."
