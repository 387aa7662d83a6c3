# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the host has now, according to a directory with its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.host_now import observe_host


@pytest.mark.parametrize(
    "module", ["usr/lib/apache2/modules/mod_fcgid.so", "etc/httpd/modules/mod_fcgid.so", "usr/lib/mod_php.so"]
)
def test_swap_and_mod_fcgid_are_observed(tmp_path: Path, module: str) -> None:
    for name, text in (("proc/meminfo", "MemTotal:  1000 kB\nSwapTotal:  65532 kB\nSwapFree:  4 kB\n"), (module, "")):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    found = observe_host(tmp_path)
    assert (found.swap_total_bytes, found.has_fcgid) == (65532 * 1024, "mod_fcgid" in module)


def test_swap_is_unknown_without_proc(tmp_path: Path) -> None:
    assert observe_host(tmp_path).swap_total_bytes is None


SWAPS = """\
Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority
/dev/zram0                              partition\t1024\t\t0\t\t100
/swapfile                               file\t\t4096\t\t0\t\t-2
/dev/zram1                              partition\t512\t\t0\t\t100
"""


@pytest.mark.parametrize(("swaps", "size"), [(SWAPS, 1536 * 1024), (SWAPS.splitlines()[0], 0), (None, 0)])
def test_zram_is_observed(tmp_path: Path, swaps: str | None, size: int) -> None:
    (tmp_path / "proc").mkdir()
    if swaps is not None:
        (tmp_path / "proc/swaps").write_text(swaps)
    assert observe_host(tmp_path).zram_bytes == size


def test_free_space_is_observed(tmp_path: Path) -> None:
    free = observe_host(tmp_path).disk_free_bytes
    assert free is not None
    assert free > 0


@pytest.mark.parametrize(
    ("program", "has_oomd"),
    [("usr/lib/systemd/systemd-oomd", True), ("lib/systemd/systemd-oomd", True), ("usr/sbin/earlyoom", False)],
)
def test_systemd_oomd_is_observed(tmp_path: Path, program: str, *, has_oomd: bool) -> None:
    (tmp_path / program).parent.mkdir(parents=True)
    (tmp_path / program).touch()
    assert observe_host(tmp_path).has_oomd is has_oomd
