# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No test of a module can act on the host that runs it, even if the module reaches a real adapter."""

from __future__ import annotations

import os
import pathlib
import sys
import tempfile
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._command import run
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.apache import Apache
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.layout import LAYOUTS
from ansible_collections.oomguard.linux.plugins.module_utils._files import write_file
from ansible_collections.oomguard.linux.plugins.module_utils._recycler.install import Host
from ansible_collections.oomguard.linux.plugins.module_utils._systemctl import Systemctl
from ansible_collections.oomguard.linux.tests.unit.plugins.modules.host_guard import RealHostError, find_act


def test_real_programs_are_refused() -> None:
    with pytest.raises(RealHostError, match="tried to run true"):
        run(["true"])


def test_real_systemctl_is_refused() -> None:
    with pytest.raises(RealHostError, match="tried to run systemctl"):
        Systemctl(run)("--version")


@pytest.mark.parametrize("adapter", [Host(run), Apache(LAYOUTS[0], run=run)], ids=["fcgid_recycler", "fcgid_config"])
def test_real_locks_are_refused(adapter: Host | Apache) -> None:
    with pytest.raises(RealHostError, match="tried to change /run/oomguard-fcgid"), adapter.lock():
        pass


def test_temporary_files_can_be_written(tmp_path: pathlib.Path) -> None:
    write_file(tmp_path / "etc/fstab", "# new\n")
    assert (tmp_path / "etc/fstab").read_text() == "# new\n"


@pytest.mark.parametrize(
    ("event", "arguments", "act"),
    [
        ("open", ("/etc/fstab", "w", os.O_WRONLY | os.O_CREAT), "change /etc/fstab"),
        ("open", (b"/etc/fstab", None, os.O_RDWR), "change /etc/fstab"),
        ("open", ("/etc/fstab", "r", os.O_RDONLY), None),
        ("open", (3, "w", os.O_WRONLY), None),
        ("os.rename", (f"{tempfile.gettempdir()}/fstab", "/etc/fstab", -1, -1), "change /etc/fstab"),
        ("os.remove", (pathlib.Path("/swapfile"), -1), "change /swapfile"),
        ("os.symlink", ("/etc/fstab", "/etc/link", -1), "change /etc/link"),
        ("os.listdir", ("/etc",), None),
        ("subprocess.Popen", ("swapoff", ["swapoff", "/swapfile"], None, None), "run swapoff"),
        ("subprocess.Popen", (sys.executable, [sys.executable], None, None), None),
    ],
)
def test_acts_on_the_host_are_found(event: str, arguments: tuple[t.Any, ...], act: str | None) -> None:
    assert find_act(event, arguments) == act
