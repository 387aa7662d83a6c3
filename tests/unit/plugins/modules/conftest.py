# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tests of modules never act on the host that runs them."""

from __future__ import annotations

import sys
import typing as t

import pytest

from ansible_collections.oomguard.linux.tests.unit.plugins.modules.host_guard import HostGuard

# Python cannot remove an audit hook, so there is one for all tests.
GUARD = HostGuard()
sys.addaudithook(GUARD)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> t.Generator[None, object, object]:
    """Run each test in this directory with the guard on."""
    with GUARD.keep_on():
        return (yield)
