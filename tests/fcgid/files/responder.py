# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A FastCGI responder in plain Python. If its name contains `term`, it finishes its work on SIGTERM.

It answers with its pid. `keep=N` in the query makes it take N MB first and keep them; `hold=N` makes it wait N seconds.
The header of a record is that of the FastCGI specification, version 1: version, type, request, length of the content,
length of the padding, a reserved byte.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import struct
import sys
import time
import typing as t
import urllib.parse

_HEADER = struct.Struct(">BBHHBx")
_END, _PARAMS, _STDIN, _STDOUT = 3, 4, 5, 6

kept: list[bytes] = []


def read_records(file: t.BinaryIO) -> t.Iterator[tuple[int, int, bytes]]:
    """Yield the type, the request id and the content of each record."""
    while len(header := file.read(_HEADER.size)) == _HEADER.size:
        _version, kind, request, length, padding = _HEADER.unpack(header)
        yield kind, request, file.read(length + padding)[:length]


def parse_params(data: bytes) -> t.Iterator[tuple[str, str]]:
    """Yield the names and values of FCGI_PARAMS: both lengths, then the name and the value."""
    at = 0
    while at < len(data):
        name_size, at = parse_length(data, at)
        value_size, at = parse_length(data, at)
        value_at = at + name_size
        end = value_at + value_size
        yield data[at:value_at].decode(), data[value_at:end].decode()
        at = end


def parse_length(data: bytes, at: int) -> tuple[int, int]:
    """Return the length at a position, and the next position. A length with the highest bit set has four bytes."""
    if data[at] >> 7:
        return int.from_bytes(data[at : at + 4], "big") & 0x7FFFFFFF, at + 4

    return data[at], at + 1


def answer(query: str) -> bytes:
    """Take memory and time as the query requests, and return what a CGI program would print."""
    options = dict(urllib.parse.parse_qsl(query))
    kept.append(b"x" * (int(options.get("keep", 0)) << 20))
    time.sleep(float(options.get("hold", 0)))
    return f"Content-Type: text/plain\r\n\r\n{os.getpid()}".encode()


def serve(connection: socket.socket) -> None:
    """Answer the one request that mod_fcgid sends on each connection."""
    params = b""
    with connection, connection.makefile("rb") as file:
        for kind, request, content in read_records(file):
            if kind == _PARAMS:
                params += content
            elif kind == _STDIN and not content:
                send_answer(connection, request, answer(dict(parse_params(params)).get("QUERY_STRING", "")))
                return


def send_answer(connection: socket.socket, request: int, body: bytes) -> None:
    """Send the body, the end of the output, and the end of the request."""
    for kind, content in ((_STDOUT, body), (_STDOUT, b""), (_END, bytes(8))):
        connection.sendall(_HEADER.pack(1, kind, request, len(content), 0) + content)


def main() -> None:
    """Serve the socket that mod_fcgid passes as standard input, until SIGTERM."""
    listener = socket.socket(fileno=0)
    listener.setblocking(False)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    leaving = False
    if "term" in os.path.basename(sys.argv[0]):
        # The signal only wakes the loop, which then answers the pending requests and ends.
        wake, waker = socket.socketpair()
        waker.setblocking(False)
        signal.set_wakeup_fd(waker.fileno())
        signal.signal(signal.SIGTERM, lambda *_: None)
        selector.register(wake, selectors.EVENT_READ)
    while not leaving:
        leaving = any(key.fileobj is not listener for key, _events in selector.select())
        try:
            while True:
                serve(listener.accept()[0])
        except BlockingIOError:
            continue


if __name__ == "__main__":
    main()
