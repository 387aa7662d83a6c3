# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Handle Ctrl-C, SIGTERM and SIGHUP, and delay them during steps that must be complete."""

from __future__ import annotations

import contextlib
import signal
import threading
import typing as t

INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _end(number: int, _frame: object) -> t.NoReturn:
    raise SystemExit(128 + number)


def unwind_on_interrupts() -> None:
    """Let an interrupt raise SystemExit, so that all clean-up code runs."""
    for number in INTERRUPTS:
        signal.signal(number, _end)


@contextlib.contextmanager
def delay_interrupts() -> t.Iterator[None]:
    """Delay interrupts until the end of the block. Python delivers them only to the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []
    before = {number: signal.signal(number, lambda caught, _frame: received.append(caught)) for number in INTERRUPTS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if received:
            signal.raise_signal(received[0])
