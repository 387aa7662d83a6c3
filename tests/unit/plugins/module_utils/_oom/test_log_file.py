# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of several kinds, by their content."""

from __future__ import annotations

import bz2
import collections
import gzip
import lzma
import os
import pathlib
import re
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom import log_file
from ansible_collections.oomguard.linux.plugins.module_utils._oom.log_file import LogError, open_log

MIXED = [
    ("utf-8", "utf-16-le"),
    ("utf-8", "utf-16-be"),
    ("utf-8", "utf-16"),
    ("utf-16", "utf-8"),
    ("utf-16", "utf-8", "utf-16-le"),
    ("utf-16-le", "utf-8"),
    ("utf-16-be", "utf-8"),
    ("utf-32", "utf-8"),
]


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("name", ["kern.log", "kern.gz"])
def test_compression_is_recognised_by_content(
    name: str, compress: t.Callable[[bytes], bytes], tmp_path: pathlib.Path
) -> None:
    path = tmp_path / name
    path.write_bytes(compress(b"a\n"))
    with open_log(str(path)) as file:
        assert file.read() == "a\n"


def test_streams_of_xz_are_read_one_after_another(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "kern.log.xz"
    long = b"a" * 300_000
    path.write_bytes(lzma.compress(long) + bytes(8) + lzma.compress(b"b\n") + b"\xff" * 20)
    with open_log(str(path)) as file:
        assert file.read() == f"{long.decode()}b\n"


def test_cut_xz_is_an_error(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "kern.log.xz"
    path.write_bytes(lzma.compress(b"a\n" * 1000)[:-20])
    with pytest.raises(LogError, match="it ends within compressed data"), open_log(str(path)) as file:
        file.read()


def test_xz_that_takes_much_memory_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setattr(log_file, "_MOST_XZ_BYTES", 1_000_000)
    path = tmp_path / "kern.log.xz"
    path.write_bytes(lzma.compress(b"a\n"))
    with pytest.raises(LogError, match="Memory usage limit exceeded"), open_log(str(path)) as file:
        file.read()


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_binary_journal_is_refused(compress: t.Callable[[bytes], bytes], tmp_path: pathlib.Path) -> None:
    path = tmp_path / "system.journal"
    path.write_bytes(compress(b"LPKSHHRH" + bytes(100)))
    message = (
        f"Could not read the log {path}: it is a binary journal of systemd, not text. Name its folder in "
        "journal_directory instead"
    )
    with pytest.raises(LogError, match=re.escape(message)), open_log(str(path)):
        pass


def test_archive_is_refused(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "logs.zip"
    path.write_bytes(b"PK\x03\x04" + bytes(100))
    message = f"Could not read the log {path}: it is a zip archive. Unpack it, and name the result in log_files."
    with pytest.raises(LogError, match=re.escape(message)), open_log(str(path)):
        pass


def test_decompressed_text_has_a_limit(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "_UNSUSPECTED_BYTES", 100_000)
    path = tmp_path / "kern.log.gz"
    path.write_bytes(gzip.compress(b"a b c\n" * 1_000_000))
    message = f"Could not read the log {path}: it decompresses to more than "
    with pytest.raises(LogError, match=re.escape(message)), open_log(str(path)) as file:
        collections.deque(file, maxlen=0)


def test_text_that_compresses_well_is_read(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "kern.log.gz"
    path.write_bytes(gzip.compress(b"a b c\n" * 1_000_000))
    with open_log(str(path)) as file:
        assert sum(1 for _line in file) == 1_000_000


def test_file_of_holes_is_refused(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "kern.log"
    with path.open("wb") as file:
        file.write(b"a\n" * 5000)
        file.truncate(1 << 40)
    with pytest.raises(LogError, match=f"Could not read the log {path}: it has more than "), open_log(str(path)):
        pass


@pytest.mark.parametrize("path", ["/proc/self/pagemap", "/proc/self/status", "/proc/version"])
def test_file_of_the_kernel_is_refused(path: str) -> None:
    message = f"Could not read the log {path}: it is not stored on a disk, and reading it might never end."
    with pytest.raises(LogError, match=re.escape(message)), open_log(path):
        pass


def test_text_written_after_the_opening_is_not_read(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "kern.log"
    path.write_bytes(b"a\n")
    with open_log(str(path)) as file, path.open("ab") as writer:
        writer.write(b"b\n")
        writer.flush()
        assert file.read() == "a\n"


def test_fifo_in_place_of_a_file_is_refused(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "kern.log"
    os.mkfifo(path)
    monkeypatch.setattr(os, "stat", lambda _path: os.lstat(__file__))
    with pytest.raises(LogError, match="it is a FIFO, not a regular file"), open_log(str(path)):
        pass


@pytest.mark.parametrize("data", [b"\0" * 5000 + b"a\n", b"\xff\n", b""], ids=["NULs", "no UTF-8", "empty"])
def test_other_bytes_are_kept(data: bytes, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "kern.log"
    path.write_bytes(data)
    with open_log(str(path)) as file:
        assert file.read() == data.decode("utf-8", "surrogateescape")


LINES = "Jul 15 14:44:32 b kernel: c\n" * 3 + "Jul 15 14:44:33 b kernel: Killed process 5 (d)\n"


@pytest.mark.parametrize("encodings", MIXED, ids=" ".join)
@pytest.mark.parametrize("count", [1, 200])
def test_text_whose_encoding_changes_is_read(encodings: tuple[str, ...], count: int, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "kern.log"
    path.write_bytes(b"".join([(LINES * count).encode(encoding) for encoding in encodings]))
    with open_log(str(path)) as file:
        text = file.read().replace("\0", "")
    assert text.count("\nJul 15 14:44:33 b kernel: Killed process 5 (d)\n") == count * len(encodings)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_characters_in_wide_text_are_kept(encoding: str, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "kern.log"
    text = LINES + "Jul 15 14:44:34 b c: \u4e0a\u00e4\n" + LINES * 2000
    path.write_bytes(text.encode(encoding))
    with open_log(str(path)) as file:
        assert file.read() == text
