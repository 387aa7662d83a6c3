# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Open a text log: check what kind of file it is, decompress it, and decode it.

Sources of the magic numbers: RFC 1952 (gzip), bzip2's manual, The .xz File Format 1.2, RFC 8878 (Zstandard), systemd's
JOURNAL_FILE_FORMAT.
"""

from __future__ import annotations

import bz2
import codecs
import contextlib
import gzip
import importlib
import io
import lzma
import os
import stat
import typing as t
import zlib

from .._errors import OomguardError
from .._size import format_size
from .report.mentions import list_mentions

_SAMPLE_BYTES = 4096
_BLOCK_BYTES = 65536
# What xz -9 writes takes 65 MiB. The format allows 4 GiB.
_MOST_XZ_BYTES = 128 * 1024**2

_zstd: t.Any = None
with contextlib.suppress(ImportError):
    _zstd = importlib.import_module("compression.zstd")


class LogError(OomguardError):
    """A text log could not be read."""


def _open_zst(path: str, file: t.Any) -> t.Any:
    if _zstd is None:
        raise LogError(
            f"Could not read the log {path}: decompressing .zst requires Python 3.14 on the host.",
            hint="Decompress it with zstd -d, and name the result in log_files.",
        )

    return _zstd.open(file, "rb")


def _open_gz(_path: str, file: t.Any) -> t.Any:
    return gzip.open(file, "rb")


def _open_bz2(_path: str, file: t.Any) -> t.Any:
    return bz2.open(file, "rb")


def _open_xz(_path: str, file: t.Any) -> t.Any:
    return io.BufferedReader(_Xz(file), _BLOCK_BYTES)


_Open = t.Callable[[str, t.Any], t.Any]
_BY_MAGIC: t.Mapping[bytes, _Open] = {
    b"\x1f\x8b": _open_gz,
    b"BZh": _open_bz2,
    b"\xfd7zXZ\0": _open_xz,
    b"\x28\xb5\x2f\xfd": _open_zst,
}
_BY_SUFFIX: t.Mapping[str, _Open] = {
    ".bz2": _open_bz2,
    ".gz": _open_gz,
    ".xz": _open_xz,
    ".zst": _open_zst,
}
_UNSUPPORTED: t.Mapping[bytes, str] = {
    b"PK\x03\x04": "a zip archive",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"\x04\x22\x4d\x18": "compressed with lz4",
    b"\x1f\x9d": "compressed with compress",
}
_JOURNAL = b"LPKSHHRH"

# The mark of UTF-32 in little endian begins with that of UTF-16.
_BY_MARK: t.Mapping[bytes, str] = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_LONGEST_LINE = 1_048_576

# Logs compress to a tenth or a thirtieth. What is many times as large as stored is no log, but costs time.
_LARGEST_RATIO = 100
_UNSUSPECTED_BYTES = 256 * 1024**2
_LARGEST_BYTES = 16 * 1024**3
# Of the blocks that stat(2) counts.
_DISK_BLOCK_BYTES = 512

_KINDS = {stat.S_IFDIR: "a directory", stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket"}
_AS_ROOT = "Run the task with become, or as a user who may read it."
# Its mode is that of a regular file without content, but reading it waits for the kernel's next message.
_ENDLESS = "/proc/kmsg"
_DAMAGED: tuple[type[Exception], ...] = (EOFError, lzma.LZMAError, zlib.error)
if _zstd:
    _DAMAGED += (_zstd.ZstdError,)


@contextlib.contextmanager
def open_log(path: str, stored: str | None = None) -> t.Iterator[t.TextIO]:
    """Open a log as text, decompressed and decoded; its content decides, and then its suffix.

    `stored` is where the log is if `path` is only its name. Bytes that are not UTF-8 become surrogates. Raises
    LogError, also for errors while the log is read.
    """
    try:
        with contextlib.ExitStack() as stack:
            yield _open_text(path, stored or path, stack)
    except PermissionError as error:
        raise LogError(f"Could not read the log {path}: {error.strerror}.", hint=_AS_ROOT) from error
    except OSError as error:
        raise LogError(f"Could not read the log {path}: {error.strerror or error}.", hint="Check log_files.") from error
    except _DAMAGED as error:
        raise LogError(f"Could not read the log {path}: {error}.", hint="Check log_files.") from error


def _open_text(path: str, stored: str, stack: contextlib.ExitStack) -> t.TextIO:
    # Without the first check, opening a device could have an effect.
    _check_kind(path, os.stat(stored))
    descriptor = _open_descriptor(stored)
    unlimited = stack.enter_context(os.fdopen(descriptor, "rb", buffering=0))
    status = os.fstat(descriptor)
    _check_kind(path, status)
    _check_size(path, status)
    file = io.BufferedReader(_Limited(unlimited, status.st_size or _BLOCK_BYTES), _BLOCK_BYTES)
    _check_end(path, file, status)

    binary = _limit(path, file, _decompress(path, file), status)
    stack.callback(binary.close)
    sample = binary.peek(_SAMPLE_BYTES)[:_SAMPLE_BYTES]
    _check_content(path, sample)

    return _decode(binary, sample)


def _open_descriptor(path: str) -> int:
    """Open a file for reading, without waiting for a writer if somebody has put a FIFO into its place."""
    return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)


def _check_kind(path: str, status: os.stat_result) -> None:
    """Refuse anything but a regular file, since reading it might never end. Raises LogError."""
    kind = stat.S_IFMT(status.st_mode)
    is_regular = kind == stat.S_IFREG
    if is_regular and (status.st_size or os.path.realpath(path) != _ENDLESS):
        return

    raise LogError(
        f"Could not read the log {path}: it is {_KINDS.get(kind, 'a device')}, not a regular file.",
        hint="Write the output of dmesg to a file and name that file in log_files, or omit log_files to read the "
        "journal.",
    )


def _check_size(path: str, status: os.stat_result) -> None:
    """Refuse a file that is too large, or whose holes are. Raises LogError."""
    if status.st_size > _find_largest(status):
        raise _make_size_error(path, status, "has")


def _check_end(path: str, file: t.Any, status: os.stat_result) -> None:
    """Refuse a file that has content but no size, as those of the kernel: it might never end. Raises LogError."""
    if status.st_size or not file.peek(1):
        return

    raise LogError(
        f"Could not read the log {path}: it is not stored on a disk, and reading it might never end.",
        hint="Copy what you need to a file, and name that file in log_files.",
    )


def _find_largest(status: os.stat_result) -> int:
    """Return how many bytes of text a file can have that is stored like this one."""
    stored = status.st_size
    # Some file systems count no blocks.
    if status.st_blocks:
        stored = min(stored, status.st_blocks * _DISK_BLOCK_BYTES)

    return min(max(stored * _LARGEST_RATIO, _UNSUSPECTED_BYTES), _LARGEST_BYTES)


def _make_size_error(path: str, status: os.stat_result, verb: str) -> LogError:
    largest = format_size(_find_largest(status))
    return LogError(
        f"Could not read the log {path}: it {verb} more than {largest}, which is too much for a log of this size on "
        "the disk.",
        hint="Copy the lines that matter to a file, and name that file in log_files.",
    )


def _limit(path: str, file: t.Any, binary: t.Any, status: os.stat_result) -> t.Any:
    """Return decompressed content with a limit. The file itself has one."""
    if binary is file:
        return file

    error = _make_size_error(path, status, "decompresses to")
    return io.BufferedReader(_Limited(binary, _find_largest(status), error), _BLOCK_BYTES)


class _Limited(io.RawIOBase):
    """The first bytes of a file. After them, the file ends, or an error is raised."""

    def __init__(self, binary: t.Any, limit: int, error: LogError | None = None) -> None:
        super().__init__()
        self._binary = binary
        self._left = limit
        self._error = error

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: t.Any) -> int:
        """Put the next bytes into a buffer, and return their number. Raises LogError after the last one."""
        if not self._left and self._error:
            raise self._error

        # A file of the kernel can have nothing now, and something later.
        count: int = self._binary.readinto(memoryview(buffer)[: self._left]) or 0
        self._left -= count

        return count

    def close(self) -> None:
        """Close the file."""
        self._binary.close()
        super().close()


class _Xz(io.RawIOBase):
    """A file in the format of xz, decompressed with limited memory. It can have several streams one after another."""

    def __init__(self, binary: t.Any) -> None:
        super().__init__()
        self._binary = binary
        self._stream = self._begin_stream()

    def _begin_stream(self) -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(memlimit=_MOST_XZ_BYTES)

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: t.Any) -> int:
        """Put the next bytes into a buffer, and return their number."""
        part: bytes | None = b""
        while part == b"":
            part = self._read_part(len(buffer))
        if part is None:
            return 0

        buffer[: len(part)] = part

        return len(part)

    def _read_part(self, size: int) -> bytes | None:
        """Return the next bytes, which can be none yet, or None at the end."""
        if not self._stream.eof:
            return self._stream.decompress(self._read_input(), size)

        return self._read_next_stream(size)

    def _read_input(self) -> bytes:
        """Return more compressed data if the stream needs it. Raises EOFError at the end of the file."""
        if not self._stream.needs_input:
            return b""

        data: bytes = self._binary.read(_BLOCK_BYTES)
        if not data:
            raise EOFError("it ends within compressed data")

        return data

    def _read_next_stream(self, size: int) -> bytes | None:
        """Return the first bytes of another stream, or None if what follows is none. NULs can be between two."""
        rest = self._stream.unused_data.lstrip(b"\0") or self._binary.read(_BLOCK_BYTES).lstrip(b"\0")
        if not rest:
            return None

        stream = self._begin_stream()
        try:
            part = stream.decompress(rest, size)
        except lzma.LZMAError:
            return None

        self._stream = stream

        return part


def _decompress(path: str, file: t.Any) -> t.Any:
    """Return the decompressed content of a file, or the file if it is not compressed."""
    sample = file.peek(_SAMPLE_BYTES)
    for magic, open_compressed in _BY_MAGIC.items():
        if sample.startswith(magic):
            return open_compressed(path, file)

    _root, suffix = os.path.splitext(path)
    open_by_suffix = _BY_SUFFIX.get(suffix)
    if open_by_suffix is not None:
        return open_by_suffix(path, file)

    return file


def _check_content(path: str, sample: bytes) -> None:
    """Refuse content that is known not to be text. Raises LogError."""
    if sample.startswith(_JOURNAL):
        raise LogError(
            f"Could not read the log {path}: it is a binary journal of systemd, not text.",
            hint="Name its folder in journal_directory instead, or write the output of journalctl --file to a file and "
            "name that file in log_files.",
        )

    for magic, kind in _UNSUPPORTED.items():
        if sample.startswith(magic):
            raise LogError(
                f"Could not read the log {path}: it is {kind}.",
                hint="Unpack it, and name the result in log_files.",
            )


def _decode(binary: t.Any, sample: bytes) -> t.TextIO:
    encoding = _find_encoding(sample)
    if not encoding.startswith("utf-8"):
        binary = io.BufferedReader(_WideText(binary, encoding), _BLOCK_BYTES)
        encoding = "utf-8"

    return io.TextIOWrapper(binary, encoding=encoding, errors="surrogateescape")


class _WideText(io.RawIOBase):
    """A text in UTF-16 or UTF-32 as UTF-8.

    A program can append to a log in another encoding. From the first block on in which decoding hides a mention of an
    OOM kill, the bytes stay as they are. Without its NULs, ASCII in UTF-16 is UTF-8, too.
    """

    def __init__(self, binary: t.Any, encoding: str) -> None:
        super().__init__()
        self._binary = binary
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._is_mixed = False
        self._rest = b""

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: t.Any) -> int:
        """Put the next bytes into a buffer, and return their number."""
        if not self._rest:
            self._rest = self._read_block()
        part = self._rest[: len(buffer)]
        buffer[: len(part)] = part
        self._rest = self._rest[len(part) :]

        return len(part)

    def _read_block(self) -> bytes:
        """Return the next bytes up to the end of a line, so that no mention is cut."""
        block: bytes = self._binary.read(_BLOCK_BYTES) + self._binary.readline(_LONGEST_LINE)
        if self._is_mixed:
            return block

        # In little endian, a block ends within a newline.
        begun = self._decoder.getstate()[0]
        text = self._decoder.decode(block, not block)
        plain = block.replace(b"\0", b"").decode("latin-1")
        self._is_mixed = len(list_mentions(plain)) > len(list_mentions(text))
        if not self._is_mixed:
            return text.encode()

        return begun + block.replace(codecs.BOM_UTF16_LE, b"").replace(codecs.BOM_UTF16_BE, b"")


def _find_encoding(sample: bytes) -> str:
    """Return the encoding of a text from its byte-order mark, or from the NULs that ASCII has in UTF-16."""
    for mark, encoding in _BY_MARK.items():
        if sample.startswith(mark):
            return encoding

    # Most logs have none, and finding one takes no time.
    if b"\0" not in sample:
        return "utf-8"

    high = sample[1::2]
    low = sample[::2]
    if _is_high_half(high, low):
        return "utf-16-le"

    if _is_high_half(low, high):
        return "utf-16-be"

    return "utf-8"


def _is_high_half(half: bytes, other: bytes) -> bool:
    """Return whether one half of the bytes is nearly all NUL from the first one on, and the other half never is."""
    begins_with_nul = half.startswith(b"\0")
    if b"\0" in other or not begins_with_nul:
        return False

    nul_count = half.count(b"\0")
    return nul_count * 10 > len(half) * 9
