# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A FastCGI responder in plain Python; under a name with `term` in it, one that finishes its work on SIGTERM.

It answers with its pid. `keep=N` first takes N MB and keeps them, `hold=N` takes N seconds. Records are those of the
FastCGI specification, version 1: version, type, request, length of the content, length of the padding, a spare byte.
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


def records(file: t.BinaryIO) -> t.Iterator[tuple[int, int, bytes]]:
    """Yield the type, the request and the content of each record."""
    while len(header := file.read(_HEADER.size)) == _HEADER.size:
        _version, kind, request, length, padding = _HEADER.unpack(header)
        yield kind, request, file.read(length + padding)[:length]


def pairs(data: bytes) -> t.Iterator[tuple[str, str]]:
    """Yield the names and values of FCGI_PARAMS, each with a length of one byte or of four."""
    at = 0
    while at < len(data):
        sizes = []
        for _name_then_value in range(2):
            long = data[at] >> 7
            sizes.append(int.from_bytes(data[at : at + 4], "big") & 0x7FFFFFFF if long else data[at])
            at += 4 if long else 1
        yield data[at : at + sizes[0]].decode(), data[at + sizes[0] : at + sum(sizes)].decode()
        at += sum(sizes)


def answer(query: str) -> bytes:
    """Do what the query asks for, and return what a CGI program would print."""
    wishes = dict(urllib.parse.parse_qsl(query))
    kept.append(b"x" * (int(wishes.get("keep", 0)) << 20))
    time.sleep(float(wishes.get("hold", 0)))
    return f"Content-Type: text/plain\r\n\r\n{os.getpid()}".encode()


def serve(connection: socket.socket) -> None:
    """Answer the one request that mod_fcgid sends on each connection."""
    params = b""
    with connection, connection.makefile("rb") as file:
        for kind, request, content in records(file):
            if kind == _PARAMS:
                params += content
            elif kind == _STDIN and not content:
                body = answer(dict(pairs(params)).get("QUERY_STRING", ""))
                for kind_out, part in ((_STDOUT, body), (_STDOUT, b""), (_END, bytes(8))):
                    connection.sendall(_HEADER.pack(1, kind_out, request, len(part), 0) + part)
                return


def main() -> None:
    """Serve the socket that mod_fcgid hands over as standard input, until SIGTERM."""
    listener = socket.socket(fileno=0)
    listener.setblocking(False)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    leaving = False
    if "term" in os.path.basename(sys.argv[0]):
        # The signal only wakes the loop, which then takes what has already come in, and leaves.
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
