# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pack a trial together with the collection's code, and run it on a host of a scenario.

A trial is a Python package that runs on a host and calls the code of the collection there. Its verbs print JSON.
"""

from __future__ import annotations

import json
import pathlib
import sys
import tarfile
import typing as t

if t.TYPE_CHECKING:
    from testinfra.host import Host

MODULE_UTILS = "plugins/module_utils"
PROJECT = pathlib.Path(__file__).resolve().parents[3]


def pack_trial(archive: t.BinaryIO, paths: t.Iterable[pathlib.Path]) -> None:
    """Write a gzipped tar archive of the given files and folders, and of the collection's code that they import.

    The files and folders lie at the top of the archive, next to the package `ansible_collections`.
    """
    with tarfile.open(fileobj=archive, mode="w:gz", dereference=True) as tar:
        target = f"ansible_collections/oomguard/linux/{MODULE_UTILS}"
        tar.add(PROJECT / MODULE_UTILS, target, filter=_omit_bytecode)
        for path in paths:
            tar.add(path, path.name, filter=_omit_bytecode)


def run_trial(host: Host, package: str, *arguments: str) -> dict[str, t.Any]:
    """Run a verb of a trial that install_trial.yml has installed, and return the JSON that it prints."""
    folder = f"/opt/{package}"
    printed = host.check_output(f"cd {folder} && /usr/bin/python3 -m {package} {' '.join(arguments)}")
    return dict(json.loads(printed))


def main(arguments: t.Sequence[str]) -> None:
    """Pack a trial: the first argument is the archive, the others are the files and folders to pack."""
    archive, *paths = map(pathlib.Path, arguments)
    with archive.open("wb") as file:
        pack_trial(file, paths)


def _omit_bytecode(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if member.name.endswith("/__pycache__"):
        return None

    return member


if __name__ == "__main__":
    main(sys.argv[1:])
