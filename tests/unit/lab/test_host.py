# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest
from lab.errors import LabError
from lab.host import GIB, Completed, format_last_lines, make_cache, require, require_space, run, run_checked


def test_require_names_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.host.PATH", "/nowhere")
    with pytest.raises(LabError) as error:
        require("ssh-keygen", "ssh", "mke2fs")
    assert str(error.value) == (
        "These programs are not installed: ssh-keygen, ssh, mke2fs.\n"
        "Install e2fsprogs, openssh-client. On Debian and Ubuntu, run: apt-get install e2fsprogs openssh-client"
    )


def test_require_space_raises_if_space_is_short(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"^A machine needs 1048576\.0 GiB, and .* has \d+\.\d GiB free\.\nFree some"):
        require_space(tmp_path, GIB << 20, "A machine")


def test_run_returns_both_outputs() -> None:
    assert run(["sh", "-c", "echo out; echo err >&2; exit 3"]) == Completed(3, "out\nerr\n")


def test_run_ends_program_and_its_children_after_timeout() -> None:
    assert run(["sh", "-c", "sleep 600 & sleep 600"], seconds=0.1) == Completed(124, "")


def test_run_checked_raises_with_last_lines() -> None:
    with pytest.raises(LabError) as error:
        run_checked(["sh", "-c", "echo no space left; exit 1"], "Building")
    assert str(error.value) == (
        "Building failed: sh exited with 1. Its last lines:\n    no space left\n"
        "Fix the problem that these lines report, and try again. Nothing incomplete was left."
    )


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param("", "    (nothing)", id="silent"),
        pytest.param("a\r\n\nb\n", "    a\n    b", id="console"),
        pytest.param("x\n" * 30, "\n".join(["    x"] * 20), id="long"),
    ],
)
def test_last_lines(text: str, lines: str) -> None:
    assert format_last_lines(text) == lines


def test_cache_depends_on_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert make_cache() == tmp_path / "oomguard"
