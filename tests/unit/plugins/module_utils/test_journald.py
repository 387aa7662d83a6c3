# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records for the journal, through a socket."""

from __future__ import annotations

import pathlib
import socket
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._journald import SILENT, Journald


@pytest.fixture
def path(tmp_path: pathlib.Path) -> str:
    return str(tmp_path / "socket")


@pytest.fixture
def server(path: str) -> t.Iterator[socket.socket]:
    """Listen as journald does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(path)
        listening.settimeout(5)
        yield listening


def test_each_record_is_a_datagram(path: str, server: socket.socket) -> None:
    Journald(path).send([b"MESSAGE=a\n", b"MESSAGE=b\n"])
    assert (server.recv(99), server.recv(99)) == (b"MESSAGE=a\n", b"MESSAGE=b\n")


def test_host_without_journald_is_no_error(path: str) -> None:
    Journald(path).send([b"MESSAGE=a\n"])


def test_socket_without_reader_is_no_error(path: str, server: socket.socket) -> None:
    server.close()
    Journald(path).send([b"MESSAGE=a\n"])


def test_full_queue_does_not_block(path: str, server: socket.socket) -> None:
    Journald(path).send([b"MESSAGE=a\n"] * 100_000)
    assert server.recv(99) == b"MESSAGE=a\n"


def test_silent_journal_gets_nothing(path: str, server: socket.socket) -> None:
    Journald(path, silent=True).send([b"MESSAGE=a\n"])
    SILENT.send([b"MESSAGE=a\n"])
    server.setblocking(False)
    with pytest.raises(BlockingIOError):
        server.recv(99)
