# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import signal
import typing as t

import pytest
from lab.interrupts import held_back, unwind_on_interrupts


@pytest.fixture(autouse=True)
def handlers() -> t.Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_unwinds(number: signal.Signals) -> None:
    unwind_on_interrupts()
    with pytest.raises(SystemExit, match=f"^{128 + number}$"):
        signal.raise_signal(number)


def interrupted(depth: int, ended: list[int]) -> None:
    with held_back():
        if depth > 1:
            interrupted(depth - 1, ended)
        else:
            signal.raise_signal(signal.SIGTERM)
        ended.append(depth)


@pytest.mark.parametrize("depth", [pytest.param(1, id="one block"), pytest.param(2, id="a block in a block")])
def test_an_interrupt_that_is_held_back_comes_after_the_block(depth: int) -> None:
    unwind_on_interrupts()
    ended: list[int] = []
    with pytest.raises(SystemExit):
        interrupted(depth, ended)
    assert len(ended) == depth


def test_nothing_happens_without_an_interrupt() -> None:
    unwind_on_interrupts()
    with held_back():
        handler = signal.getsignal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) != handler
