# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest
from lab.errors import LabError
from lab.host import GIB, Completed, cache, last_words, require, require_space, run, run_checked


def test_require_names_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.host.PATH", "/nowhere")
    with pytest.raises(LabError) as error:
        require("ssh-keygen", "ssh", "mke2fs")
    assert str(error.value) == (
        "ssh-keygen, ssh, mke2fs cannot be found on this host.\n"
        "Install e2fsprogs, openssh-client, on Debian and Ubuntu with: apt-get install e2fsprogs openssh-client"
    )


def test_require_space(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"^A machine needs 1048576\.0 GiB, and .* has \d+\.\d GiB free\.\nFree some"):
        require_space(tmp_path, GIB << 20, "A machine")


def test_run_returns_both_outputs() -> None:
    assert run(["sh", "-c", "echo out; echo err >&2; exit 3"]) == Completed(3, "out\nerr\n")


def test_run_ends_a_program_with_all_its_children() -> None:
    assert run(["sh", "-c", "sleep 600 & sleep 600"], seconds=0.1) == Completed(124, "")


def test_run_checked_ends_with_the_last_words() -> None:
    with pytest.raises(LabError) as error:
        run_checked(["sh", "-c", "echo no space left; exit 1"], "Building")
    assert str(error.value) == (
        "Building failed: sh ended with 1. Its last lines:\n    no space left\n"
        "Put right what these lines name, and run it again: nothing half-made was left."
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("", "    (nothing)", id="silent"),
        pytest.param("a\r\n\nb\n", "    a\n    b", id="console"),
        pytest.param("x\n" * 30, "\n".join(["    x"] * 20), id="long"),
    ],
)
def test_last_words(text: str, words: str) -> None:
    assert last_words(text) == words


def test_cache_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache() == tmp_path / "oomguard"
