# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest
from lab.process import find_qemu, is_qemu_of

PID_FILE = Path("/lab/web1/pid")
OURS = b"qemu-system-x86_64\0-m\x00512\0-pidfile\0/lab/web1/pid\0-daemonize\0"
OF_ANOTHER = b"qemu-system-x86_64\0-m\x00512\0-pidfile\0/lab/web11/pid\0-daemonize\0"


@pytest.mark.parametrize(
    ("cmdline", "ours"),
    [
        pytest.param(OURS, True, id="ours"),
        pytest.param(OF_ANOTHER, False, id="another machine's"),
        pytest.param(b"less\0/lab/web1/pid\0", False, id="another program"),
        pytest.param(b"", False, id="a zombie"),
    ],
)
def test_is_qemu_of(*, cmdline: bytes, ours: bool) -> None:
    assert is_qemu_of(PID_FILE, cmdline) == ours


@pytest.mark.parametrize(
    ("files", "pid"),
    [
        pytest.param({"/lab/web1/pid": b"42\n", "/proc/42/cmdline": OURS}, 42, id="runs"),
        pytest.param({"/lab/web1/pid": b"42\n", "/proc/42/cmdline": OF_ANOTHER}, None, id="another process"),
        pytest.param({"/lab/web1/pid": b"42\n"}, None, id="ended"),
        pytest.param({"/lab/web1/pid": b""}, None, id="not written yet"),
        pytest.param({}, None, id="never started"),
    ],
)
def test_find_qemu(files: dict[str, bytes], pid: int | None) -> None:
    def read(path: Path) -> bytes:
        try:
            return files[str(path)]
        except KeyError:
            raise FileNotFoundError(path) from None

    assert find_qemu(PID_FILE, read) == pid
