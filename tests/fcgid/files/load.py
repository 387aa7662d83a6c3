# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Request paths of 127.0.0.1 without a break until SIGTERM, then write the counts of the answers.

Usage: load.py CLIENTS FILE PATH...

Each path has CLIENTS clients of its own. FILE gets JSON: {path: {status or name of an error: count}}.
"""

from __future__ import annotations

import collections
import http.client
import json
import pathlib
import signal
import sys
import threading


def request_repeatedly(path: str, counts: collections.Counter[str], stop: threading.Event) -> None:
    """Request `path` until `stop` is set, on a new connection each time, and count the answers."""
    while not stop.is_set():
        connection = http.client.HTTPConnection("127.0.0.1", timeout=600)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            counts[str(answer.status)] += 1
        except (OSError, http.client.HTTPException) as error:
            counts[type(error).__name__] += 1
        finally:
            connection.close()


def main(clients: int, file: pathlib.Path, paths: list[str]) -> None:
    """Run the clients until SIGTERM, and write the counts once all clients have their last answers."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    counts: dict[str, collections.Counter[str]] = {path: collections.Counter() for path in paths}
    threads = [threading.Thread(target=request_repeatedly, args=(path, counts[path], stop)) for path in paths * clients]
    for thread in threads:
        thread.start()
    while not stop.wait(1):
        pass
    for thread in threads:
        thread.join()
    file.write_text(json.dumps(counts))


if __name__ == "__main__":
    main(int(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:])
