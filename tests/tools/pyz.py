# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build oomguard-explain.pyz, which explains text logs without Ansible.

It has the reader of the module oom_info, and of module_utils only the files that the reader imports. The same sources
always give the same bytes.
"""

from __future__ import annotations

import ast
import pathlib
import sys
import typing as t
import zipfile

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = CHECKOUT / "plugins" / "module_utils"
ENTRY = SOURCES / "_oom" / "standalone.py"
LICENCE = CHECKOUT / "LICENSES" / "GPL-3.0-or-later.txt"
PACKAGE = "oomguard"
# Python ends with status 1 because of an error, which would look like an OOM kill.
MAIN = """\
import os
import sys


def fail(*error):
    sys.__excepthook__(*error)
    sys.stderr.flush()
    os._exit(2)


sys.excepthook = fail
if sys.version_info < (3, 8):
    sys.stderr.write("oomguard-explain needs Python 3.8 or later.\\n")
    sys.exit(2)

from oomguard._oom.standalone import main

sys.exit(main())
"""
SHEBANG = b"#!/usr/bin/env python3\n"
OLDEST_TIME = (1980, 1, 1, 0, 0, 0)


def find_sources(entry: pathlib.Path) -> set[pathlib.Path]:
    """Return a file of module_utils and all that it imports, with their packages."""
    found: set[pathlib.Path] = set()
    waiting = [entry]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue

        found.add(path)
        waiting += list_imports(path)
        waiting += [folder / "__init__.py" for folder in path.parents if SOURCES in folder.parents]

    return found


def list_imports(path: pathlib.Path) -> t.Iterator[pathlib.Path]:
    """Yield the files of module_utils that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue

        folder = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
        candidates = [folder, *[folder / alias.name for alias in node.names]]
        yield from filter(pathlib.Path.is_file, [candidate.with_suffix(".py") for candidate in candidates])
        yield from filter(pathlib.Path.is_file, [folder / "__init__.py"])


def build(target: pathlib.Path) -> None:
    """Write the program."""
    files = {"__main__.py": MAIN, "LICENCE.txt": LICENCE.read_text("utf-8"), f"{PACKAGE}/__init__.py": ""}
    for path in find_sources(ENTRY):
        files[f"{PACKAGE}/{path.relative_to(SOURCES)}"] = path.read_text("utf-8")

    with target.open("wb") as file:
        file.write(SHEBANG)
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in sorted(files):
                archive.writestr(make_entry(name), files[name])

    target.chmod(0o755)


def make_entry(name: str) -> zipfile.ZipInfo:
    """Return an entry of an archive that does not depend on when and where it is made."""
    entry = zipfile.ZipInfo(name, OLDEST_TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3
    entry.external_attr = 0o644 << 16

    return entry


if __name__ == "__main__":
    build(pathlib.Path(sys.argv[1]))
