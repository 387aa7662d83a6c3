# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run ansible-test sanity on this checkout, with every supported Python that is installed.

ansible-test accepts a collection only where its real path ends in ansible_collections/oomguard/linux. So it gets a copy
of what git would commit, in a folder on no collection path; its own environments stay there between runs. The copy is a
repository of its own, or ansible-test would ask the one around it, which ignores the copy.
"""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
CACHE = CHECKOUT / ".cache" / "sanity"
COPY = CACHE / "ansible_collections" / "oomguard" / "linux"
OUTPUT = pathlib.Path("tests") / "output"
ANSIBLE_TEST = pathlib.Path(sysconfig.get_path("purelib")) / "ansible_test"

GET_PIP = """\
import subprocess
import sys

subprocess.check_call([sys.executable, "-m", "ensurepip"])
packages = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
sys.exit(subprocess.call([sys.executable, "-m", "pip", "install", *packages]))
"""


def copy_checkout() -> None:
    """Make the copy hold what git would commit, and ansible-test's own output from before."""
    for entry in COPY.glob("*"):
        if entry.name not in (".git", "tests"):
            remove(entry)
    for entry in COPY.glob("tests/*"):
        if entry != COPY / OUTPUT:
            remove(entry)
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listing = subprocess.run(command, cwd=CHECKOUT, check=True, stdout=subprocess.PIPE, text=True).stdout
    for name in listing.rstrip("\0").split("\0"):
        if (CHECKOUT / name).is_file():
            (COPY / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(CHECKOUT / name, COPY / name, follow_symlinks=False)
    subprocess.run(["git", "init", "--quiet"], cwd=COPY, check=True)


def remove(entry: pathlib.Path) -> None:
    """Remove a file or a folder."""
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink()


def provide_get_pip() -> None:
    """Put a pip bootstrap where ansible-test looks for its download, so that it needs no host beside PyPI."""
    source = ANSIBLE_TEST / "_internal" / "python_requirements.py"
    version = re.search(r"\bpip='([\d.]+)'", source.read_text())
    if version is None:
        sys.exit(f"sanity: {source} no longer says which pip it wants.")
    path = pathlib.Path.home() / ".ansible" / "test" / "cache" / f"get_pip_{version[1].replace('.', '_')}.py"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(GET_PIP)


def link_pythons() -> str:
    """Return a PATH that begins with links to the interpreters that run, and has no folder whose interpreters do not.

    A folder of shims has a python3.x for each version that was ever installed, also for those that are switched off.
    """
    constants = (ANSIBLE_TEST / "_util" / "target" / "common" / "constants.py").read_text()
    programs = [f"python{version}" for version in re.findall(r"'(3\.\d+)'", constants)]
    links = CACHE / "bin"
    shutil.rmtree(links, ignore_errors=True)
    links.mkdir(parents=True)
    folders = [pathlib.Path(folder) for folder in os.environ["PATH"].split(os.pathsep) if folder]
    pyenv = sorted((pathlib.Path.home() / ".pyenv" / "versions").glob("*/bin"))
    kept = [folder for folder in folders if all(runs(folder / program) for program in programs)]
    for program in programs:
        found = next((folder / program for folder in [*kept, *pyenv] if (folder / program).exists()), None)
        if found:
            (links / program).symlink_to(found)
    return os.pathsep.join(map(str, [links, *kept]))


def runs(program: pathlib.Path) -> bool:
    """Say whether an interpreter runs; one that is absent does no harm."""
    return (
        not program.exists()
        or subprocess.run([program, "-c", "pass"], check=False, capture_output=True).returncode == 0
    )


def main() -> None:
    """Run ansible-test in the copy and end with its exit status."""
    copy_checkout()
    provide_get_pip()
    environment = {**os.environ, "PATH": link_pythons()}
    command = [str(pathlib.Path(sys.executable).parent / "ansible-test"), "sanity", "--venv", *sys.argv[1:]]
    sys.exit(subprocess.run(command, cwd=COPY, env=environment, check=False).returncode)


if __name__ == "__main__":
    main()
