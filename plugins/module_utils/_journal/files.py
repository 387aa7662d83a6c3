# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a journal: where they are, what their names say, and their size."""

from __future__ import annotations

import contextlib
import glob
import pathlib
import re
import typing as t

_STORES = ("var/log/journal", "run/log/journal")
_MACHINE_FOLDER = re.compile(r"[0-9a-f]{32}(\..+)?")


class Place(t.NamedTuple):
    """Which journal is meant: the one in a `directory`, one `namespace` of this host, or the host's own."""

    directory: str | None = None
    namespace: str | None = None


THIS_HOST = Place()


def find_journal_files(place: Place, *, root: pathlib.Path = pathlib.Path("/")) -> list[pathlib.Path]:
    """Return the files that journalctl reads for a place (journalctl(1), --directory and --namespace)."""
    if place.directory:
        store = pathlib.Path(place.directory)
        folders = [store, *_find_machine_folders(store, "*")]
    else:
        folders = _list_host_folders(place.namespace, root)

    files: list[pathlib.Path] = []
    for folder in folders:
        files += folder.glob("*.journal")
        # journald sets a file aside under this name if it was not closed cleanly.
        files += folder.glob("*.journal~")

    return files


def _list_host_folders(namespace: str | None, root: pathlib.Path) -> list[pathlib.Path]:
    """Return the folders of this host's journal, or of a namespace; none if the host has no machine id."""
    machine = _read_machine_id(root)
    if not machine:
        return []

    folders: list[pathlib.Path] = []
    for name in _STORES:
        store = root / name
        if namespace:
            folders += _find_machine_folders(store, f"{machine}.{_make_pattern(namespace)}")
        if _includes_default(namespace):
            folders += [store, *_find_machine_folders(store, machine)]

    return folders


def _includes_default(namespace: str | None) -> bool:
    """Return whether journalctl also reads what is in no namespace: it does so for all namespaces and for `+NAME`."""
    if not namespace:
        return True

    return namespace == "*" or namespace.startswith("+")


def _make_pattern(namespace: str) -> str:
    """Return the pattern of the names that a namespace stands for; only `*` stands for several."""
    if namespace == "*":
        return namespace

    return glob.escape(namespace.lstrip("+"))


def _read_machine_id(root: pathlib.Path) -> str:
    """Return the machine id, or an empty text if there is none (machine-id(5))."""
    try:
        return (root / "etc/machine-id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def _find_machine_folders(store: pathlib.Path, pattern: str) -> t.Iterator[pathlib.Path]:
    """Yield the folders in `store` that match `pattern` and are named after a machine, or after its namespace."""
    for folder in store.glob(pattern):
        is_named_after_machine = _MACHINE_FOLDER.fullmatch(folder.name) is not None
        if is_named_after_machine and folder.is_dir():
            yield folder


def is_user_file(file: pathlib.PurePath) -> bool:
    """Return whether it is the file of one user, which holds no records of the kernel."""
    return file.name.startswith("user-")


def are_persistent(files: t.Iterable[pathlib.Path]) -> bool:
    """Return whether a journal of these files outlives a reboot."""
    return any(map(_is_persistent, files))


def _is_persistent(file: pathlib.PurePath) -> bool:
    if file.suffix != ".journal":
        return False

    top_folder = file.parts[1:2]
    return top_folder != ("run",)


def measure_size(files: t.Iterable[pathlib.Path]) -> int:
    """Return the size in bytes of the files that still exist."""
    size = 0
    for file in files:
        with contextlib.suppress(OSError):
            size += file.stat().st_size

    return size
