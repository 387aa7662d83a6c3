# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start a program that serves HTTP on a port of its own, on this machine alone, and end it."""

from __future__ import annotations

import contextlib
import http.client
import pathlib
import socket
import subprocess
import time
import typing as t

_HOST = "127.0.0.1"
_START_SECONDS = 60
_RETRY_SECONDS = 0.1
_REQUEST_SECONDS = 30


def find_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind((_HOST, 0))
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def run_server(argv: t.Sequence[str], *, port: int, ready: str, log: pathlib.Path) -> t.Iterator[None]:
    """Run a program until the caller is done; begin when its path `ready` answers. Raises RuntimeError."""
    with log.open("wb") as output, subprocess.Popen(argv, stdout=output, stderr=output) as process:
        try:
            _wait(process, port, ready, log)
            yield
        finally:
            process.terminate()


def get(port: int, path: str) -> str:
    """Return what a server on this machine answers. Raises RuntimeError if it refuses, OSError if it is not there."""
    connection = http.client.HTTPConnection(_HOST, port, timeout=_REQUEST_SECONDS)
    with contextlib.closing(connection):
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read().decode()

    if answer.status != http.client.OK:
        raise RuntimeError(f"{path}: {answer.status} {text}")

    return text


def _wait(process: subprocess.Popen[bytes], port: int, ready: str, log: pathlib.Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError, RuntimeError):
            get(port, ready)
            return

        time.sleep(_RETRY_SECONDS)

    raise RuntimeError(f"{process.args!r} did not start:\n{log.read_text('utf-8')}")
