# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""mod_status's page, fetched from this host."""

from __future__ import annotations

import contextlib
import importlib
import re
import socket
import time
import typing as t

from .._size import format_size
from .status_page import parse_page
from .worker import Row, WorkerError

_LOCAL_URL = re.compile(r"(https?)://(127\.0\.0\.1|\[::1\]|localhost)(?::([0-9]{1,5}))?(/[!\"$-~]{0,2047})?")
_DEFAULT_PORTS = {"http": "80", "https": "443"}
# A row takes about 100 bytes for a worker, of which mod_fcgid has at most 1024, and 400 bytes for a request.
_LONGEST_PAGE = 2 << 20
_LARGEST_PORT = 65535
_PART = 1 << 16


class _Address(t.NamedTuple):
    """The parts of a URL. `target` is its path and query."""

    is_secure: bool
    host: str
    port: int
    target: str


class StatusPage(t.NamedTuple):
    """The outcome of reading mod_status's page: its rows by pid, or the problem, or neither if it was not wanted."""

    rows: t.Mapping[int, Row]
    is_read: bool = False
    problem: str | None = None


def read_status_page(url: str) -> StatusPage:
    """Return the outcome of reading the page at `url`. If that is empty, the page is not wanted.

    Raises WorkerError if `url` is not a page of this host.
    """
    if not url:
        return StatusPage({})

    check_status_url(url)
    try:
        rows = fetch_page(url)
    except WorkerError as error:
        return StatusPage({}, problem=error.problem)

    return StatusPage(rows, is_read=True)


def check_status_url(url: str) -> None:
    """Raise WorkerError if `url` is not a page of this host."""
    _parse_url(url)


def fetch_page(url: str, *, timeout: float = 2) -> dict[int, Row]:
    """Return the rows of mod_status's page at `url`, by pid.

    No proxy is used and no redirection followed. All of it takes at most `timeout` seconds, however slow the answer is.
    Raises WorkerError if the page cannot be read. The workers' sockets can be read all the same.
    """
    # Not with urllib.request: loading it takes a third of the time in which the recycler starts.
    address = _parse_url(url)
    deadline = time.monotonic() + timeout
    try:
        answer = _request(address, deadline)
    except OSError as error:
        raise WorkerError(f"Could not read mod_status's page {url}: {error}.") from error

    head, _blank_line, page = answer.partition("\r\n\r\n")
    status_line = head.partition("\r\n")[0]
    if status_line.split(" ")[1:2] != ["200"]:
        raise WorkerError(f"Could not read mod_status's page {url}: the answer is {status_line!r}.")

    return parse_page(page)


def _parse_url(url: str) -> _Address:
    """Return the parts of `url`. Raises WorkerError if it is not a page of this host."""
    match = _LOCAL_URL.fullmatch(url)
    if not match:
        raise WorkerError(
            f"{url!r} is not a page of this host.",
            hint="Use a URL that begins with http:// or https://, followed by 127.0.0.1, [::1] or localhost.",
        )

    scheme, host, port_text, target = match.groups()
    port = int(port_text or _DEFAULT_PORTS[scheme])
    if not 1 <= port <= _LARGEST_PORT:
        raise WorkerError(f"{url!r} has the port {port}.", hint=f"Use a port from 1 to {_LARGEST_PORT}.")

    return _Address(scheme == "https", host, port, target or "/")


def _request(address: _Address, deadline: float) -> str:
    """Return the whole answer, head and page. Raises OSError."""
    with _connect(address, deadline) as connection:
        connection.settimeout(_find_remaining(deadline))
        # HTTP 1.0 has no chunks, so the page ends with the connection.
        connection.sendall(f"GET {address.target} HTTP/1.0\r\nHost: {address.host}\r\n\r\n".encode())
        return _receive(connection, deadline).decode("utf-8", "replace")


def _connect(address: _Address, deadline: float) -> socket.socket:
    name = address.host.strip("[]")
    connection = _connect_plainly(name, address.port, deadline)
    if not address.is_secure:
        return connection

    # Loading ssl takes long, and a plain page does not need it.
    ssl = importlib.import_module("ssl")
    context = ssl.create_default_context()
    try:
        connection.settimeout(_find_remaining(deadline))
        return t.cast("socket.socket", context.wrap_socket(connection, server_hostname=name))
    except OSError:
        connection.close()
        raise


def _connect_plainly(name: str, port: int, deadline: float) -> socket.socket:
    # A resolver would keep to no deadline, and would try both addresses for as long.
    if name == "localhost":
        with contextlib.suppress(OSError):
            return socket.create_connection(("::1", port), timeout=_find_remaining(deadline))
        name = "127.0.0.1"

    return socket.create_connection((name, port), timeout=_find_remaining(deadline))


def _receive(connection: socket.socket, deadline: float) -> bytes:
    """Return the data up to the end of the connection. Raises OSError if that is more than any page has."""
    data = bytearray()
    while len(data) <= _LONGEST_PAGE:
        # A socket's timeout applies to each part, not to all of them together.
        connection.settimeout(_find_remaining(deadline))
        part = connection.recv(_PART)
        if not part:
            return bytes(data)

        data += part

    raise OSError(f"the page is longer than {format_size(_LONGEST_PAGE)}")


def _find_remaining(deadline: float) -> float:
    """Return the seconds until `deadline`. Raises TimeoutError, which is an OSError, if it has passed."""
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise TimeoutError("timed out")

    return remaining
