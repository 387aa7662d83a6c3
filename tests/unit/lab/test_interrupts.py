# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import signal
import typing as t

import pytest
from lab.interrupts import delay_interrupts, unwind_on_interrupts


@pytest.fixture(autouse=True)
def handlers() -> t.Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupt_raises_system_exit(number: signal.Signals) -> None:
    unwind_on_interrupts()
    with pytest.raises(SystemExit, match=f"^{128 + number}$"):
        signal.raise_signal(number)


def interrupted(depth: int, ended: list[int]) -> None:
    with delay_interrupts():
        if depth > 1:
            interrupted(depth - 1, ended)
        else:
            signal.raise_signal(signal.SIGTERM)
        ended.append(depth)


@pytest.mark.parametrize("depth", [pytest.param(1, id="one block"), pytest.param(2, id="a block in a block")])
def test_delayed_interrupt_is_raised_after_the_block(depth: int) -> None:
    unwind_on_interrupts()
    ended: list[int] = []
    with pytest.raises(SystemExit):
        interrupted(depth, ended)
    assert len(ended) == depth


def test_handler_is_replaced_only_during_the_block() -> None:
    unwind_on_interrupts()
    with delay_interrupts():
        handler = signal.getsignal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) != handler
