# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find programs, or download their packages. Nothing is installed, so that the services of Debian's do not start."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

CACHE = pathlib.Path(__file__).parents[3] / ".cache" / "engines"
_PACKAGES = {
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "prometheus-node-exporter": "prometheus-node-exporter",
}
# It has the schemas that others publish. Its dependencies are not those of the other tools.
_PYTHON_PACKAGES = {"check-jsonschema": "check-jsonschema==0.39.0"}


def find_program(name: str) -> str:
    """Return the path of a program. Raises CalledProcessError if its package cannot be downloaded."""
    found = shutil.which(name)
    if found:
        return found

    folder = CACHE / _PACKAGES[name]
    if not folder.exists():
        _download(_PACKAGES[name], folder)

    return str(folder / "usr/bin" / name)


def find_python_program(name: str) -> str:
    """Return the path of a program in an environment of its own. Raises CalledProcessError if it cannot be made."""
    folder = CACHE / _PYTHON_PACKAGES[name]
    program = folder / "bin" / name
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(folder / "bin/pip"), "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", _PYTHON_PACKAGES[name]], check=True)

    return str(program)


def _download(package: str, folder: pathlib.Path) -> None:
    """Unpack a package into `folder`, which appears when it is complete."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as name:
        temporary = pathlib.Path(name)
        subprocess.run(["apt-get", "download", package], cwd=temporary, check=True, stdout=subprocess.DEVNULL)
        (archive,) = temporary.glob("*.deb")
        subprocess.run(["dpkg-deb", "--extract", str(archive), str(temporary / "root")], check=True)
        os.rename(temporary / "root", folder)
