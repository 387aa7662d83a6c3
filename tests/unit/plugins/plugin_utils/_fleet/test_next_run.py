# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a run that the next one needs, too."""

from __future__ import annotations

import shlex
import typing as t

import pytest
from ansible import context
from ansible.module_utils.common.collections import ImmutableDict

from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.next_run import build_next_command, list_tags


def give(monkeypatch: pytest.MonkeyPatch, **options: t.Any) -> None:
    """Make these the options of the command line."""
    monkeypatch.setattr(context, "CLIARGS", ImmutableDict(options))


@pytest.mark.parametrize(
    ("options", "added"),
    [
        ({}, []),
        ({"become": True, "remote_user": "me"}, ["--become", "--user=me"]),
        ({"inventory": ("hosts",)}, ["-i", "hosts"]),
        ({"extra_vars": ("swap_size=4G detect_since=-7d",)}, ["--extra-vars=swap_size=4G detect_since=-7d"]),
        ({"extra_vars": ('{"oomguard_roles": ["swap"]}',)}, ['--extra-vars={"oomguard_roles": ["swap"]}']),
        (
            {"extra_vars": ("report_path=page fcgid_recycler_limit=64M",)},
            ["--extra-vars=report_path=page fcgid_recycler_limit=64M"],
        ),
        ({"extra_vars": ("@vars.yml",)}, ["--extra-vars=@vars.yml"]),
        ({"extra_vars": ("ansible_become_password=x", "swap_size=4G")}, ["--extra-vars=swap_size=4G"]),
        ({"extra_vars": ('{"swap_size": "4G", "token": "x"}',)}, []),
    ],
    ids=["none", "login", "inventory", "ours", "ours as JSON", "other roles", "file", "secret", "secret in JSON"],
)
def test_next_command_has_the_options_that_it_needs(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, t.Any], added: list[str]
) -> None:
    give(monkeypatch, **options)
    command = shlex.split(build_next_command("play", hosts=["web1"]))
    assert [word for word in command if word not in {"ansible-playbook", "play", "--limit", "web1"}] == added


@pytest.mark.parametrize(
    ("options", "listed"),
    [
        ({"tags": ("all",), "skip_tags": ()}, []),
        ({"tags": ("swap", "fcgid"), "skip_tags": ("detect",)}, ["--tags=swap,fcgid", "--skip-tags=detect"]),
        ({}, []),
    ],
)
def test_tags_are_those_of_the_run(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, t.Any], listed: list[str]
) -> None:
    give(monkeypatch, **options)
    assert list_tags() == listed
