# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from lab.errors import LabError
from lab.machine import build_ssh_command, describe, down, load, up
from lab.qemu import Machine

from ansible_collections.oomguard.linux.tests.unit.lab.factories import make_machine


def ignore(text: str) -> None:
    """Drop a message."""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    made = make_machine(tmp_path / "web1")
    made.folder.mkdir()
    (made.folder / "machine.json").write_text(json.dumps(describe(made)), encoding="utf-8")
    return made


def test_load_reads_description(machine: Machine) -> None:
    assert load(machine.folder) == machine


def test_load_accepts_moved_folder(machine: Machine, tmp_path: Path) -> None:
    moved = machine.folder.rename(tmp_path / "web2")
    assert load(moved) == dataclasses.replace(machine, folder=moved)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "web1"),
        ("host", "127.0.0.1"),
        ("port", 20022),
        ("user", "root"),
        ("identity_file", "/cache/bullseye/id_ed25519"),
        ("accel", "tcg"),
        ("pid", None),
    ],
)
def test_describe(machine: Machine, key: str, value: object) -> None:
    assert describe(machine)[key] == value


def test_ssh_command_ends_with_the_command(machine: Machine) -> None:
    assert build_ssh_command(machine, "uname", "-r")[-3:] == ["root@127.0.0.1", "uname", "-r"]


def test_ssh_command_has_key_and_port(machine: Machine) -> None:
    assert build_ssh_command(machine)[:7] == ["ssh", "-F", "none", "-i", "/cache/bullseye/id_ed25519", "-p", "20022"]


def test_load_rejects_other_folder(tmp_path: Path) -> None:
    with pytest.raises(LabError) as error:
        load(tmp_path)
    assert str(error.value) == f"{tmp_path} is not a machine: it has no machine.json.\nCreate one there with: lab up"


def test_down_removes_a_machine(machine: Machine) -> None:
    down(machine.folder)
    assert not machine.folder.exists()


def test_down_of_missing_machine_does_nothing(tmp_path: Path) -> None:
    down(tmp_path / "web1")
    assert list(tmp_path.iterdir()) == []


def test_down_rejects_folder_with_other_files(machine: Machine) -> None:
    (machine.folder / "thesis.tex").touch()
    with pytest.raises(LabError) as error:
        down(machine.folder)
    assert str(error.value) == (
        f"{machine.folder} has files that do not belong to a machine: thesis.tex.\n"
        "Nothing was removed. Check the path, or move these files elsewhere."
    )


def test_rejected_down_removes_nothing(machine: Machine) -> None:
    (machine.folder / "thesis.tex").touch()
    with pytest.raises(LabError):
        down(machine.folder)
    assert load(machine.folder) == machine


def test_up_rejects_disk_that_is_too_small(tmp_path: Path) -> None:
    with pytest.raises(LabError) as error:
        up(tmp_path / "web1", release="bullseye", disk_bytes=1 << 30, say=ignore)
    assert str(error.value) == (
        "A disk of 1.0 GiB cannot hold the filesystem of the image.\n"
        "Set the disk size to 24G or more. Disks are sparse."
    )


def test_up_rejects_machine_with_other_properties(machine: Machine) -> None:
    with pytest.raises(LabError) as error:
        up(machine.folder, release="trixie", say=ignore)
    assert str(error.value) == (
        f"{machine.folder} is a machine with another release, memory, number of CPUs or disk size.\n"
        "Choose another folder, or remove this machine with: lab down"
    )
