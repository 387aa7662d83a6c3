# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
from lab.layer import File, authorized_keys, read_guest_files, write_layer


@pytest.fixture
def guest(tmp_path: Path) -> Path:
    hook = tmp_path / "etc" / "hook"
    hook.parent.mkdir()
    hook.write_text("#!/bin/sh\n", encoding="utf-8")
    hook.chmod(0o700)
    (tmp_path / "etc" / "hosts").write_text("127.0.0.1 localhost\n", encoding="utf-8")
    (tmp_path / "etc" / "hosts").chmod(0o600)
    return tmp_path


@pytest.fixture
def archive(tmp_path: Path) -> tarfile.TarFile:
    path = tmp_path / "layer.tar"
    write_layer(
        path, (File(path="etc/hosts", content="ü\n"), File(path="etc/a", target="/dev/null"), authorized_keys("key"))
    )
    return tarfile.open(path)


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(File(path="etc/hook", mode=0o755, content="#!/bin/sh\n"), id="program"),
        pytest.param(File(path="etc/hosts", mode=0o644, content="127.0.0.1 localhost\n"), id="text"),
        pytest.param(File(path="etc/systemd/system/apt-daily.timer", target="/dev/null"), id="masked unit"),
        pytest.param(
            File(
                path="etc/systemd/system/multi-user.target.wants/systemd-networkd.service",
                target="/lib/systemd/system/systemd-networkd.service",
            ),
            id="enabled unit",
        ),
    ],
)
def test_guest_files_do_not_depend_on_umask_of_checkout(guest: Path, file: File) -> None:
    assert file in read_guest_files(guest)


@pytest.mark.parametrize(
    ("path", "mode"),
    [("root/.ssh", 0o700), ("root/.ssh/authorized_keys", 0o600), ("var/log/journal", 0o755), ("etc/hosts", 0o644)],
)
def test_layer_keeps_modes(archive: tarfile.TarFile, path: str, mode: int) -> None:
    with archive:
        assert archive.getmember(path).mode == mode


def test_layer_belongs_to_root(archive: tarfile.TarFile) -> None:
    with archive:
        assert {(member.uid, member.gid) for member in archive} == {(0, 0)}


def test_layer_keeps_content(archive: tarfile.TarFile) -> None:
    with archive:
        content = archive.extractfile("etc/hosts")
        assert content is not None
        assert content.read() == "ü\n".encode()


def test_layer_keeps_links(archive: tarfile.TarFile) -> None:
    with archive:
        assert archive.getmember("etc/a").linkname == "/dev/null"
