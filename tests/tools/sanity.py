# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run ansible-test sanity on this checkout with each supported Python that is installed.

ansible-test accepts a collection only if its real path ends in ansible_collections/oomguard/linux. So it runs in a copy
of the files that git would commit. The copy is in a folder that is on no collection path, and keeps the environments of
ansible-test between runs. It is a git repository of its own, because the surrounding repository ignores it.
"""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig
import typing as t

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
    """Update the copy to the files that git would commit, and keep the earlier output of ansible-test."""
    remove_old_files()
    for name in list_files():
        source = CHECKOUT / name
        target = COPY / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target, follow_symlinks=False)
    subprocess.run(["git", "init", "--quiet"], cwd=COPY, check=True)


def remove_old_files() -> None:
    """Remove everything from the copy except its repository and the output of ansible-test."""
    kept = (COPY / ".git", COPY / "tests", COPY / OUTPUT)
    for entry in (*COPY.glob("*"), *COPY.glob("tests/*")):
        if entry not in kept:
            remove(entry)


def list_files() -> t.Iterator[str]:
    """Yield the files that git would commit and that exist."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listing = subprocess.run(command, cwd=CHECKOUT, check=True, stdout=subprocess.PIPE, text=True).stdout
    for name in listing.rstrip("\0").split("\0"):
        if (CHECKOUT / name).is_file():
            yield name


def remove(entry: pathlib.Path) -> None:
    """Remove a file or a folder."""
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink()


def provide_get_pip() -> None:
    """Write a pip bootstrap to the cache of ansible-test, so that it downloads from no host except PyPI."""
    source = ANSIBLE_TEST / "_internal" / "python_requirements.py"
    version = re.search(r"\bpip='([\d.]+)'", source.read_text())
    if version is None:
        sys.exit(f"sanity: could not find the version of pip in {source}. Update the pattern in {__file__}.")
    path = pathlib.Path.home() / ".ansible" / "test" / "cache" / f"get_pip_{version[1].replace('.', '_')}.py"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(GET_PIP)


def link_pythons() -> str:
    """Return a PATH that begins with links to the working interpreters, without folders that have a broken one.

    A folder of pyenv shims has a python3.x for each installed version, and those of inactive versions fail.
    """
    links = CACHE / "bin"
    shutil.rmtree(links, ignore_errors=True)
    links.mkdir(parents=True)

    programs = list_supported_pythons()
    folders = [folder for folder in list_path() if has_no_broken_program(folder, programs)]
    pyenv = sorted((pathlib.Path.home() / ".pyenv" / "versions").glob("*/bin"))
    for program in programs:
        found = find_program(program, [*folders, *pyenv])
        if found is not None:
            (links / program).symlink_to(found)

    return os.pathsep.join(map(str, [links, *folders]))


def list_supported_pythons() -> list[str]:
    """Return the names of the interpreters that ansible-test supports, such as `python3.13`."""
    constants = (ANSIBLE_TEST / "_util" / "target" / "common" / "constants.py").read_text()
    return [f"python{version}" for version in re.findall(r"'(3\.\d+)'", constants)]


def list_path() -> t.Iterator[pathlib.Path]:
    """Yield the folders of PATH."""
    for folder in os.environ["PATH"].split(os.pathsep):
        if folder:
            yield pathlib.Path(folder)


def find_program(program: str, folders: t.Iterable[pathlib.Path]) -> pathlib.Path | None:
    """Return the first of the folders' programs with this name, or None."""
    for folder in folders:
        if (folder / program).exists():
            return folder / program
    return None


def has_no_broken_program(folder: pathlib.Path, programs: t.Iterable[str]) -> bool:
    """Return whether each of the programs in the folder runs."""
    return all(is_absent_or_works(folder / program) for program in programs)


def is_absent_or_works(program: pathlib.Path) -> bool:
    """Return whether an interpreter does not exist, or exists and runs."""
    if not program.exists():
        return True
    return subprocess.run([program, "-c", "pass"], check=False, capture_output=True).returncode == 0


def main() -> None:
    """Run ansible-test in the copy and exit with its status."""
    copy_checkout()
    provide_get_pip()
    environment = {**os.environ, "PATH": link_pythons()}
    command = [str(pathlib.Path(sys.executable).parent / "ansible-test"), "sanity", "--venv", *sys.argv[1:]]
    sys.exit(subprocess.run(command, cwd=COPY, env=environment, check=False).returncode)


if __name__ == "__main__":
    main()
