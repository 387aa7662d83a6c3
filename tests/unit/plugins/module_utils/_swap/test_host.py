# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a host."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._swap.host import read_optional
from ansible_collections.oomguard.linux.plugins.module_utils._swap.state import SwapError
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._swap.kernel import Kernel


@pytest.fixture
def kernel(tmp_path: pathlib.Path) -> Kernel:
    return Kernel(tmp_path)


def test_kernel_without_swap_is_an_error(kernel: Kernel) -> None:
    (kernel.proc / "swaps").unlink()
    with pytest.raises(SwapError) as error:
        kernel.host.read_proc("swaps")
    assert str(error.value) == (
        f"Could not read {kernel.proc}/swaps: there is no such file, so swap cannot be managed here. "
        "Check that the kernel supports swap (CONFIG_SWAP)."
    )


def test_missing_optional_file_is_empty(kernel: Kernel) -> None:
    assert read_optional(kernel.root / "etc/missing") == ""
