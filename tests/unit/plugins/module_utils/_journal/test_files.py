# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files a journal has, and whether they outlive a reboot."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._journal.files import (
    Place,
    are_persistent,
    find_journal_files,
    measure_size,
)

MACHINE = "8f5d3c1e9a7b4d26b0c2e4f6a8091b3d"
OTHER = "0" * 32


@pytest.fixture
def root(tmp_path: pathlib.Path) -> pathlib.Path:
    for name in (
        *(f"var/log/journal/{folder}/system.journal" for folder in (MACHINE, OTHER, f"{MACHINE}.web", "remote")),
        f"var/log/journal/{MACHINE}/broken.journal~",
        f"var/log/journal/{MACHINE}/note.txt",
        f"run/log/journal/{MACHINE}/system.journal",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(bytes(10))
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/machine-id").write_text(f"{MACHINE}\n")
    return tmp_path


def find_names(root: pathlib.Path, namespace: str | None = None) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in find_journal_files(Place(namespace=namespace), root=root))


def test_host_has_only_its_own_files(root: pathlib.Path) -> None:
    assert find_names(root) == [
        f"run/log/journal/{MACHINE}/system.journal",
        f"var/log/journal/{MACHINE}/broken.journal~",
        f"var/log/journal/{MACHINE}/system.journal",
    ]


def test_namespace_has_only_its_own_files(root: pathlib.Path) -> None:
    assert find_names(root, "web") == [f"var/log/journal/{MACHINE}.web/system.journal"]


@pytest.mark.parametrize("namespace", ["*", "+web"])
def test_namespaces_with_the_default_one_have_the_files_of_the_host_too(root: pathlib.Path, namespace: str) -> None:
    assert find_names(root, namespace) == sorted([*find_names(root), *find_names(root, "web")])


@pytest.mark.parametrize("namespace", ["**", "w*", "[a-", "../.."])
def test_namespace_is_no_pattern(root: pathlib.Path, namespace: str) -> None:
    assert find_names(root, namespace) == []


def test_directory_has_the_files_of_all_machines_in_it(root: pathlib.Path) -> None:
    folder = root / "var/log/journal"
    assert len(find_journal_files(Place(str(folder)))) == 4


def test_machine_without_an_id_has_no_files(root: pathlib.Path) -> None:
    (root / "etc/machine-id").unlink()
    assert find_names(root) == []


def test_machine_with_an_empty_id_has_no_files(root: pathlib.Path) -> None:
    (root / "etc/machine-id").write_text("")
    assert find_names(root) == []


def test_size_of_the_files_that_still_exist(root: pathlib.Path) -> None:
    assert measure_size([*find_journal_files(Place(), root=root), root / "gone.journal"]) == 30


@pytest.mark.parametrize(
    ("files", "persistent"),
    [
        (["/var/log/journal/1/system.journal", "/run/log/journal/1/system.journal"], True),
        (["/run/log/journal/1/system.journal"], False),
        (["/var/log/journal/1/system.journal~"], False),
        ([], False),
    ],
    ids=["on disk", "in memory", "set aside", "none"],
)
def test_whether_a_journal_outlives_a_reboot(files: list[str], persistent: bool) -> None:
    assert are_persistent(map(pathlib.Path, files)) is persistent
