# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the host must have for the settings of the recycler."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._errors import OomguardError
from ansible_collections.oomguard.linux.plugins.module_utils._recycler.checks import check_host
from ansible_collections.oomguard.linux.plugins.module_utils._recycler.settings import Settings


def test_metrics_file_in_an_existing_folder_is_accepted(tmp_path: pathlib.Path) -> None:
    check_host(Settings(metrics_file=str(tmp_path / "oomguard.prom"), status_url="http://localhost/server-status"))


def test_settings_without_metrics_and_page_are_accepted() -> None:
    check_host(Settings())


@pytest.mark.parametrize("name", ["oomguard.txt", "missing/oomguard.prom"], ids=["suffix", "folder"])
def test_metrics_file_that_node_exporter_would_not_read_is_rejected(tmp_path: pathlib.Path, name: str) -> None:
    path = tmp_path / name
    with pytest.raises(OomguardError) as error:
        check_host(Settings(metrics_file=str(path)))
    assert str(error.value) == (
        f"Metrics cannot be written to {path}. Use a name that ends in .prom, in a directory that exists."
    )


def test_page_of_another_host_is_rejected() -> None:
    with pytest.raises(OomguardError, match=r"^'http://example\.org/' is not a page of this host\. "):
        check_host(Settings(status_url="http://example.org/"))
