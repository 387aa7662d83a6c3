# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command to run next, with the options of this run that it needs, too."""

from __future__ import annotations

import operator
import os
import typing as t

from ansible import constants, context
from ansible.parsing.splitter import parse_kv
from ansible.parsing.utils.yaml import from_yaml

from .._variables import load_options
from .recap import build_command

_OPTIONS = {
    "become": "--become",
    "become_user": "--become-user={}",
    "become_ask_pass": "--ask-become-pass",
    "remote_user": "--user={}",
    "private_key_file": "--private-key={}",
    "ask_pass": "--ask-pass",
}
_Parser = t.Callable[[str], t.Iterable[str]]
_PARSE_PAIRS: _Parser = parse_kv
_PARSERS: dict[str, _Parser] = {"{": from_yaml, "@": lambda _file: ()}


def build_next_command(playbook: str, *options: str, hosts: t.Sequence[str]) -> str:
    """Return a command to paste into a shell that runs a playbook on some hosts."""
    own = [*_list_options(), *_list_variables(), *options]
    subset = context.CLIARGS.get("subset")
    return build_command(playbook, *own, inventory=_list_inventory(), hosts=hosts, subset=subset)


def list_tags() -> list[str]:
    """Return the options with the tags of this run."""
    run = ",".join(context.CLIARGS.get("tags") or ())
    skipped = ",".join(context.CLIARGS.get("skip_tags") or ())
    options = {"--tags=all": "", "--tags=": "", "--skip-tags=": ""}
    given = [f"--tags={run}", f"--skip-tags={skipped}"]

    return list(filter(None, [options.get(option, option) for option in given]))


def _list_options() -> t.Iterator[str]:
    """Yield how this run logs in to the hosts, as far as options say it."""
    for name, option in _OPTIONS.items():
        value = context.CLIARGS.get(name)
        if value:
            yield option.format(value)


def _list_variables() -> t.Iterator[str]:
    """Return the extra variables of this collection, and the files with extra variables."""
    given = context.CLIARGS.get("extra_vars") or ()
    return map("--extra-vars={}".format, filter(_is_ours, given))


def _is_ours(given: str) -> bool:
    """Return whether extra variables have names of this collection, or are in a file."""
    parse = _PARSERS.get(given[:1], _PARSE_PAIRS)
    names = parse(given)
    # Other variables can be secrets, which do not belong into a log.
    prefixes = ("ansible_python_", *map("{}_".format, load_options()))
    return all(map(operator.methodcaller("startswith", prefixes), names))


def _list_inventory() -> list[str]:
    """Return the inventories that were named on the command line, relative to the current folder if they are in it."""
    sources = list(context.CLIARGS.get("inventory") or ())
    if sources == constants.config.get_config_value("DEFAULT_HOST_LIST"):
        return []

    return [source.removeprefix(f"{os.getcwd()}{os.sep}") for source in sources]
