# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the host has now, according to a directory with its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.host_now import HostNow, observe_host


@pytest.mark.parametrize(
    "module", ["usr/lib/apache2/modules/mod_fcgid.so", "etc/httpd/modules/mod_fcgid.so", "usr/lib/mod_php.so"]
)
def test_swap_and_mod_fcgid_are_observed(tmp_path: Path, module: str) -> None:
    for name, text in (("proc/meminfo", "MemTotal:  1000 kB\nSwapTotal:  65532 kB\nSwapFree:  4 kB\n"), (module, "")):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    assert observe_host(tmp_path) == HostNow(swap_total_bytes=65532 * 1024, has_fcgid="mod_fcgid" in module)


def test_swap_is_unknown_without_proc(tmp_path: Path) -> None:
    assert observe_host(tmp_path).swap_total_bytes is None
