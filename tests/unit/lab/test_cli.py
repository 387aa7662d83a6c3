# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from lab.cli import main, parse_size


@pytest.mark.parametrize(("text", "bytes_"), [("4096", 4096), ("2K", 2048), ("1M", 1 << 20), ("24G", 24 << 30)])
def test_parse_size(text: str, bytes_: int) -> None:
    assert parse_size(text) == bytes_


@pytest.mark.parametrize("text", ["", "G", "1.5G", "-1G", "24GB"])
def test_parse_size_rejects(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"^.* is not a size\. Write 25769803776 or 24G$"):
        parse_size(text)


def test_error_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["power-cut", str(tmp_path)])
    assert capsys.readouterr().err == (
        f"lab: {tmp_path} is not a machine: it has no machine.json.\nCreate one there with: lab up\n"
    )


def test_error_exits_with_1(tmp_path: Path) -> None:
    assert main(["power-cut", str(tmp_path)]) == 1


def test_down_of_missing_machine_exits_with_0(tmp_path: Path) -> None:
    assert main(["down", str(tmp_path / "web1")]) == 0
