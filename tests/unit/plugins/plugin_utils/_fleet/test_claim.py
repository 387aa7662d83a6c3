# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One of several tasks does what is to be done once."""

from __future__ import annotations

import pathlib

import pytest
from ansible import constants

from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.claim import claim


@pytest.fixture(autouse=True)
def _folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))


def test_first_task_has_the_claim() -> None:
    assert [claim("task", ["web1", "web2"]) for _attempt in range(3)] == [True, False, False]


def test_other_tasks_and_hosts_have_claims_of_their_own() -> None:
    claims = [("task", ["web1"]), ("task", ["web2"]), ("task", []), ("another task", ["web1"]), ("task", ["\udce9"])]
    assert all(claim(task, hosts) for task, hosts in claims)
