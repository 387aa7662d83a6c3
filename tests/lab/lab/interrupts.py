# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ctrl-C and SIGTERM: what they may break off, and what they may not."""

from __future__ import annotations

import contextlib
import signal
import threading
import typing as t

INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _end(number: int, _frame: object) -> t.NoReturn:
    raise SystemExit(128 + number)


def unwind_on_interrupts() -> None:
    """Let an interrupt end the program by way of everything that cleans up."""
    for number in INTERRUPTS:
        signal.signal(number, _end)


@contextlib.contextmanager
def held_back() -> t.Iterator[None]:
    """Hold interrupts back until the block is through. Python delivers them to the main thread alone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {number: signal.signal(number, lambda caught, _frame: came.append(caught)) for number in INTERRUPTS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for caught in came[:1]:
            signal.raise_signal(caught)
