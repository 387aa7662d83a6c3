# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to mod_status's page, on real sockets."""

from __future__ import annotations

import contextlib
import http.server
import pathlib
import socket
import subprocess
import sys
import threading
import time
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.status_fetch import (
    StatusPage,
    check_status_url,
    fetch_page,
    read_status_page,
)
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.worker import WorkerError

PAGE = pathlib.Path(__file__).with_name("bookworm-status.txt").read_bytes()


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/server-status",
        "file:///etc/passwd",
        "http://127.0.0.1.example.org/",
        "http://[",
        "localhost",
        "http://127.0.0.1:port/",
        "http://127.0.0.1/ HTTP/1.0\r\nX: ",
        "http://127.0.0.1/" + "a" * 2048,
    ],
)
def test_url_of_another_host_is_rejected(url: str) -> None:
    with pytest.raises(WorkerError, match="is not a page of this host"):
        check_status_url(url)


@contextlib.contextmanager
def served(status: int, body: bytes, *, headers: t.Mapping[str, str]) -> t.Iterator[tuple[str, list[str]]]:
    """Serve one answer for all requests, and yield the URL and the requested paths."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/server-status", asked
        server.shutdown()
        thread.join()


def test_page_is_read_without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with served(200, PAGE, headers={}) as (url, _asked):
        assert sorted(fetch_page(url, timeout=60)) == [521, 602, 616, 829]


@contextlib.contextmanager
def dripping(head: bytes) -> t.Iterator[str]:
    """Answer with `head` and then with a byte each 50 ms, for 10 s or as long as somebody reads. Yield the URL."""

    def serve(listener: socket.socket) -> None:
        connection, _address = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.sendall(head)
            for _byte in range(200):
                connection.sendall(b".")
                time.sleep(0.05)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/server-status"
        thread.join()


@pytest.mark.parametrize("head", [b"", b"HTTP/1.0 200 OK\r\n\r\n"], ids=["in the head", "in the page"])
def test_slow_page_times_out(head: bytes) -> None:
    with dripping(head) as url, pytest.raises(WorkerError, match=r": timed out\.$"):
        fetch_page(url, timeout=0.5)


def test_page_is_read_from_localhost() -> None:
    with served(200, PAGE, headers={}) as (url, _asked):
        assert sorted(fetch_page(url.replace("127.0.0.1", "localhost"), timeout=60)) == [521, 602, 616, 829]


def test_slow_modules_are_not_loaded() -> None:
    code = f"import sys, {fetch_page.__module__}; print(sorted({{'email', 'http', 'ssl'}} & set(sys.modules)))"
    loaded = subprocess.check_output([sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)})
    assert loaded == b"[]\n"


def test_redirection_is_not_followed() -> None:
    with served(302, b"", headers={"Location": "/elsewhere"}) as (url, asked):
        with pytest.raises(WorkerError, match=r": the answer is 'HTTP/1.0 302 Found'\.$"):
            fetch_page(url, timeout=60)
        assert asked == ["/server-status"]


def test_https_is_not_sent_in_the_clear() -> None:
    with served(200, PAGE, headers={}) as (url, asked):
        with pytest.raises(WorkerError, match=r"\[SSL: "):
            fetch_page(url.replace("http:", "https:"), timeout=60)
        assert asked == []


def test_refused_connection_is_an_error() -> None:
    with served(200, b"", headers={}) as (url, _asked):
        pass
    with pytest.raises(WorkerError, match="Connection refused"):
        fetch_page(url)


def test_page_without_end_is_an_error() -> None:
    too_long = pytest.raises(WorkerError, match=r": the page is longer than 2\.0 MiB\.$")
    with served(200, b"x" * (3 << 20), headers={}) as (url, _asked), too_long:
        fetch_page(url, timeout=60)


@pytest.mark.parametrize("port", [0, 65536, 99999])
def test_port_that_cannot_be_is_rejected(port: int) -> None:
    with pytest.raises(WorkerError, match=f"has the port {port}. Use a port from 1 to 65535."):
        check_status_url(f"http://127.0.0.1:{port}/")


def test_page_that_is_not_wanted_is_not_read() -> None:
    assert read_status_page("") == StatusPage({}, is_read=False, problem=None)


def test_page_that_is_read_has_no_problem() -> None:
    with served(200, PAGE, headers={}) as (url, _asked):
        page = read_status_page(url)
    assert (sorted(page.rows), page.is_read, page.problem) == ([521, 602, 616, 829], True, None)


def test_page_that_cannot_be_read_has_the_problem() -> None:
    with served(404, b"", headers={}) as (url, _asked):
        page = read_status_page(url)
    assert page == StatusPage(
        {}, problem=f"Could not read mod_status's page {url}: the answer is 'HTTP/1.0 404 Not Found'."
    )
