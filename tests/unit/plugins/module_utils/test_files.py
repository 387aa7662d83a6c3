# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Durable files and locks, on a real file system."""

from __future__ import annotations

import errno
import fcntl
import os
import pathlib
import socket
import stat
import struct
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._files import (
    FileError,
    _read_pieces,
    check_change,
    check_removable,
    check_writable,
    lock,
    read_file,
    read_start,
    remove_file,
    reporting,
    write_file,
)


def make_fifo(path: pathlib.Path) -> None:
    os.mkfifo(path)


def make_socket(path: pathlib.Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


@pytest.mark.parametrize("make", [make_fifo, make_socket, pathlib.Path.mkdir], ids=["FIFO", "socket", "folder"])
def test_only_a_regular_file_is_read(tmp_path: pathlib.Path, make: t.Callable[[pathlib.Path], None]) -> None:
    path = tmp_path / "a"
    make(path)
    with pytest.raises(FileError, match="it is not a regular file"):
        read_file(path)


def test_fifo_that_takes_the_place_of_a_file_is_not_read(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    os.mkfifo(path)
    monkeypatch.setattr(os, "stat", lambda _path: os.stat_result((0o100644, *[0] * 9)))
    with pytest.raises(FileError, match="it is not a regular file"):
        read_file(path)


def test_null_device_is_empty() -> None:
    assert read_file(pathlib.Path("/dev/null")) == ""


def test_other_devices_are_not_read() -> None:
    with pytest.raises(FileError, match="it is not a regular file"):
        read_file(pathlib.Path("/dev/zero"))


def test_file_without_end_is_not_read(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a"
    path.touch()
    os.truncate(path, 1 << 40)
    with pytest.raises(FileError, match="it is larger than 16777216 bytes"):
        read_file(path)


def test_file_is_read_in_small_pieces(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a"
    path.write_text("x" * 200_000)
    assert read_file(path) == "x" * 200_000
    with path.open("rb", buffering=0) as file:
        sizes: list[int] = []

        class Pieces:
            def read(self, size: int) -> bytes:
                sizes.append(size)
                return file.read(size)

        assert _read_pieces(t.cast("t.BinaryIO", Pieces()), 1 << 24) == b"x" * 200_000
    assert max(sizes) == 1 << 16


def test_start_of_a_file_is_read(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a").write_text("abc")
    assert (read_start(tmp_path / "a", size=2), read_start(tmp_path / "b", size=2)) == (b"ab", None)


def test_written_text_is_read_back(tmp_path: pathlib.Path) -> None:
    write_file(tmp_path / "new" / "file", "caf\udce9\n")
    assert read_file(tmp_path / "new" / "file") == "caf\udce9\n"


def test_file_has_the_given_mode(tmp_path: pathlib.Path) -> None:
    write_file(tmp_path / "file", "", mode=0o600)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600


def test_created_folders_are_readable_by_all(tmp_path: pathlib.Path) -> None:
    (tmp_path / "old").mkdir(mode=0o700)
    before = os.umask(0o077)
    try:
        write_file(tmp_path / "old" / "new" / "newer" / "file", "")
    finally:
        os.umask(before)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("old", "old/new", "old/new/newer")]
    assert modes == [0o700, 0o755, 0o755]


def test_nothing_is_left_beside_the_file(tmp_path: pathlib.Path) -> None:
    write_file(tmp_path / "file", "old")
    write_file(tmp_path / "file", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_leftover_of_a_killed_run_is_replaced(tmp_path: pathlib.Path) -> None:
    (tmp_path / ".file.oomguard").write_text("half")
    write_file(tmp_path / "file", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_leftover_that_is_a_link_is_not_followed(tmp_path: pathlib.Path) -> None:
    (tmp_path / "precious").write_text("precious")
    (tmp_path / ".file.oomguard").symlink_to("precious")
    write_file(tmp_path / "file", "new")
    assert (tmp_path / "precious").read_text() == "precious"


def test_failed_write_leaves_only_the_old_file(tmp_path: pathlib.Path) -> None:
    (tmp_path / "target").mkdir()
    with pytest.raises(FileError, match=r"^Could not write .*/target: Is a directory\. It was not changed\.$"):
        write_file(tmp_path / "target", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


def test_setting_of_the_kernel_is_read() -> None:
    text = read_file(pathlib.Path("/proc/sys/kernel/pid_max")) or ""
    assert text.strip().isdigit()


def test_missing_file_is_none(tmp_path: pathlib.Path) -> None:
    assert read_file(tmp_path / "absent") is None


def test_file_can_be_removed_twice(tmp_path: pathlib.Path) -> None:
    write_file(tmp_path / "file", "")
    remove_file(tmp_path / "file")
    remove_file(tmp_path / "file")
    assert not list(tmp_path.iterdir())


def test_lock_is_free_after_use(tmp_path: pathlib.Path) -> None:
    with lock("swap", folder=tmp_path):
        pass
    with lock("swap", folder=tmp_path, timeout=0):
        pass


def test_second_holder_has_an_error_with_the_lock(tmp_path: pathlib.Path) -> None:
    with lock("swap", folder=tmp_path), pytest.raises(FileError) as error, lock("swap", folder=tmp_path, timeout=0):
        pass
    assert str(error.value) == (
        f"Another run has held the lock {tmp_path}/oomguard-swap.lock for 0 s. Run the task again after it has ended."
    )


def test_lock_of_root_has_an_error_with_a_hint(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> t.NoReturn:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(FileError) as error, lock("swap", folder=tmp_path):
        pass
    assert str(error.value) == (
        f"Could not open the lock {tmp_path}/oomguard-swap.lock: Permission denied. Run the task with become: true."
    )


# Whether a file could be changed.


def fail_check(path: pathlib.Path, *, size: int = 0) -> str:
    """Return the reason for which `check_writable` refuses `path`."""
    with pytest.raises(FileError) as error:
        check_writable(path, size=size)
    problem = error.value.problem
    assert problem.startswith(f"Could not change {path}: ")
    assert problem.endswith(". Nothing was changed.")
    return problem[len(f"Could not change {path}: ") : -len(". Nothing was changed.")]


@pytest.mark.parametrize("name", ["file", "new", "new/newer/file", "link"])
def test_place_that_can_be_changed_is_accepted(name: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("nothing")
    check_writable(tmp_path / name)
    check_removable(tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "link"]


def test_file_in_place_of_a_folder_is_refused(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").touch()
    assert fail_check(tmp_path / "file" / "new") == f"{tmp_path}/file is not a directory"


def test_link_to_nothing_in_place_of_a_folder_is_refused(tmp_path: pathlib.Path) -> None:
    (tmp_path / "link").symlink_to("nothing")
    assert fail_check(tmp_path / "link" / "new") == f"{tmp_path}/link is not a directory"


def test_folder_in_place_of_the_file_is_refused(tmp_path: pathlib.Path) -> None:
    assert fail_check(tmp_path) == "it is a directory"


@pytest.mark.parametrize(
    "name",
    ["x" * 246, "\u00e4" * 123, "\0", "/".join("x" * 4096), "/".join(["x"] * 2100)],
    ids=["name", "bytes", "NUL", "path", "levels"],
)
def test_impossible_path_is_refused(name: str, tmp_path: pathlib.Path) -> None:
    with pytest.raises(FileError) as error:
        check_writable(tmp_path / name)
    assert error.value.problem.endswith(": the path is too long or contains a NUL character. Nothing was changed.")
    assert len(str(error.value)) < 400


@pytest.mark.parametrize("path", [pathlib.Path("/"), pathlib.Path("/srv/\ud800")])
def test_path_that_is_none_is_refused(path: pathlib.Path) -> None:
    with pytest.raises(FileError, match=r": it is not the path of a file\. Nothing was changed\. Correct the path\.$"):
        check_writable(path)


def test_file_below_many_folders_is_written(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "/".join(["x"] * 1500) / "file"
    check_writable(path)
    write_file(path, "new")
    assert read_file(path) == "new"
    while path != tmp_path:
        path.rmdir() if path.is_dir() else path.unlink()
        path = path.parent


def test_folder_that_may_not_be_written_is_refused(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str, mode: int, *, effective_ids: bool) -> bool:
        return not (path == str(tmp_path) and mode == os.W_OK | os.X_OK and effective_ids)

    monkeypatch.setattr(os, "access", refuse)
    assert fail_check(tmp_path / "new" / "file") == f"this user may not write to {tmp_path}"


@pytest.mark.parametrize("place", ["", "file"])
def test_read_only_filesystem_is_refused(place: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    find_status = os.statvfs

    def find_read_only_status(path: str) -> os.statvfs_result:
        fields = list(find_status(path))
        fields[8] = os.ST_RDONLY if path == str(tmp_path / place) else 0
        return os.statvfs_result(fields)

    monkeypatch.setattr(os, "statvfs", find_read_only_status)
    assert fail_check(tmp_path / "file") == f"{tmp_path / place} is on a read-only filesystem"


def set_room(patch: pytest.MonkeyPatch, *, blocks: tuple[int, int], files: tuple[int, int]) -> None:
    """Let all filesystems have these numbers of blocks of 4 KiB and of files, in total and free."""
    total, free = blocks
    total_files, free_files = files
    status = os.statvfs_result((4096, 4096, total, free, free, total_files, free_files, free_files, 0, 255))
    patch.setattr(os, "statvfs", lambda _path: status)


@pytest.mark.parametrize(
    ("blocks", "files", "size"),
    [((100, 0), (10, 5), 0), ((100, 1), (10, 5), 4096), ((100, 9), (10, 0), 0)],
    ids=["no block", "too few blocks", "no inode"],
)
def test_full_filesystem_is_refused(
    blocks: tuple[int, int], files: tuple[int, int], size: int, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_room(monkeypatch, blocks=blocks, files=files)
    assert fail_check(tmp_path / "new", size=size) == f"the filesystem of {tmp_path} is full"


@pytest.mark.parametrize(
    ("blocks", "files", "size"),
    [((100, 1), (10, 1), 0), ((100, 2), (10, 5), 4096), ((0, 0), (0, 0), 0)],
    ids=["one block", "just fits", "no limits"],
)
def test_filesystem_with_room_is_accepted(
    blocks: tuple[int, int], files: tuple[int, int], size: int, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_room(monkeypatch, blocks=blocks, files=files)
    check_writable(tmp_path / "new", size=size)


def test_file_on_a_full_filesystem_can_be_removed(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_room(monkeypatch, blocks=(100, 0), files=(10, 0))
    check_removable(tmp_path / "file")


@pytest.mark.parametrize(("flag", "reason"), [(0x10, "immutable"), (0x20, "append-only")])
@pytest.mark.parametrize("place", ["", "file"])
def test_attributes_are_refused(
    flag: int, reason: str, place: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    inode = (tmp_path / place).stat().st_ino

    def read_flags(descriptor: int, _request: int, buffer: bytearray) -> None:
        struct.pack_into("=I", buffer, 0, flag if os.fstat(descriptor).st_ino == inode else 0)

    monkeypatch.setattr(fcntl, "ioctl", read_flags)
    with pytest.raises(FileError) as error:
        check_removable(tmp_path / "file")
    assert str(error.value) == (
        f"Could not change {tmp_path}/file: {tmp_path / place} is {reason}. Nothing was changed."
        f" Remove that attribute with `chattr -{reason[0]} {tmp_path / place}`."
    )


def test_flags_of_a_filesystem_without_them_do_no_harm(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> t.NoReturn:
        raise OSError(errno.ENOTTY, os.strerror(errno.ENOTTY))

    monkeypatch.setattr(fcntl, "ioctl", refuse)
    check_writable(tmp_path / "file")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(errno.EIO, "Input/output error", "/x"), "Could not look: /x: Input/output error."),
        (OSError(errno.EIO, "Input/output error", b"/x"), "Could not look: /x: Input/output error."),
        (OSError(errno.EIO, "Input/output error"), "Could not look: Input/output error."),
    ],
)
def test_error_of_the_system_is_reported(error: OSError, text: str) -> None:
    with pytest.raises(FileError) as reported, reporting("look"):
        raise error
    assert str(reported.value) == text


@pytest.mark.parametrize("text", ["text", None])
def test_change_of_a_folder_is_refused(tmp_path: pathlib.Path, text: str | None) -> None:
    with pytest.raises(FileError, match="it is a directory"):
        check_change(tmp_path, text)


@pytest.mark.parametrize("text", ["text", None])
def test_possible_change_is_accepted(tmp_path: pathlib.Path, text: str | None) -> None:
    check_change(tmp_path / "a", text)
