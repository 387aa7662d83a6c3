# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images: a root file system, its kernel, its initrd and the key to it, built once and never changed."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import shlex
import shutil
import tempfile
import typing as t
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError
from lab.host import GIB, cache, locked, require, require_space, run_checked
from lab.interrupts import held_back
from lab.layer import File, access, guest_files, write_layer
from lab.releases import PACKAGES, Release

# Raise it when the way of building changes what comes out.
FORMAT = 1

DISK_BYTES = 24 * GIB
_BUILD_BYTES = 3 * GIB

# What all the releases' kernels and their e2fsck know; the builder's own defaults may be newer.
_EXT4_FEATURES = (
    "none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,sparse_super,large_file,huge_file,"
    "dir_nlink,extra_isize,metadata_csum"
)

_FILL_DISK = """
mkdir "$2"
tar --extract --file "$1" --directory "$2" --preserve-permissions --numeric-owner
truncate --size "$4" "$3"
mke2fs -q -t ext4 -O "$5" -E lazy_itable_init=0,lazy_journal_init=0 -d "$2" "$3"
"""

Say = t.Callable[[str], None]


@dataclass(frozen=True)
class Image:
    """The folder of an image."""

    folder: Path

    @property
    def disk(self) -> Path:
        """The root file system: raw, sparse, and never written to."""
        return self.folder / "disk.raw"

    @property
    def kernel(self) -> Path:
        """The release's own kernel."""
        return self.folder / "vmlinuz"

    @property
    def initrd(self) -> Path:
        """The initrd of that kernel."""
        return self.folder / "initrd"

    @property
    def identity_file(self) -> Path:
        """The private key that ssh lets in as root."""
        return self.folder / "id_ed25519"


def image_key(release: Release, files: tuple[File, ...]) -> str:
    """Name an image after everything that goes into it."""
    ingredients = [
        FORMAT,
        dataclasses.asdict(release),
        PACKAGES,
        DISK_BYTES,
        _EXT4_FEATURES,
        [dataclasses.asdict(file) for file in files],
    ]
    return f"{release.name}-{hashlib.sha256(json.dumps(ingredients).encode()).hexdigest()[:12]}"


def mmdebstrap_argv(release: Release, *, layer: Path, archive: Path) -> list[str]:
    """Say how a release's root file system is put together as a tar archive.

    The layer comes before the packages, so that the initrd is made by it.
    """
    return [
        "mmdebstrap",
        "--variant=important",
        f"--include={','.join(PACKAGES)}",
        "--format=tar",
        *(f"--setup-hook=sed -i '/ {suite} /d' \"$1/etc/apt/sources.list\"" for suite in release.without_suites),
        f"--essential-hook=tar-in {shlex.quote(str(layer))} /",
        release.name,
        str(archive),
    ]


def find_or_build(release: Release, say: Say) -> Image:
    """Return the image of a release from the cache, where it is built when it is not there.

    Raises LabError.
    """
    images = cache() / "images"
    files = guest_files()
    key = image_key(release, files)
    image = Image(images / key)
    if image.folder.is_dir():
        return image
    require("fakeroot", "mke2fs", "mmdebstrap", "ssh-keygen")
    images.mkdir(exist_ok=True)
    lock = images / f"{key}.lock"
    lock.touch()
    with locked(lock):
        if not image.folder.is_dir():
            for folder in (images, Path(tempfile.gettempdir())):
                require_space(folder, _BUILD_BYTES, f"Building the image of {release.name}")
            say(f"building the image of {release.name}, which takes a minute or two")
            with _workshop(images, key) as workshop:
                _build(release, files, workshop, image)
    return image


@contextlib.contextmanager
def _workshop(images: Path, key: str) -> t.Iterator[Path]:
    for leftover in images.glob(f"{key}.*.partial"):
        shutil.rmtree(leftover)
    workshop = Path(tempfile.mkdtemp(dir=images, prefix=f"{key}.", suffix=".partial"))
    try:
        yield workshop
    finally:
        with held_back():
            shutil.rmtree(workshop)


def _build(release: Release, files: tuple[File, ...], workshop: Path, image: Image) -> None:
    draft, layer, archive, tree = (workshop / name for name in ("image", "layer.tar", "root.tar", "root"))
    made = Image(draft)
    draft.mkdir()
    purpose = f"Building the image of {release.name}"
    run_checked(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "oomguard lab", "-f", str(made.identity_file)], purpose
    )
    public_key = made.identity_file.with_suffix(".pub").read_text(encoding="utf-8")
    write_layer(layer, (*files, access(public_key)))
    run_checked(mmdebstrap_argv(release, layer=layer, archive=archive), purpose)
    paths = (str(archive), str(tree), str(made.disk))
    run_checked(["fakeroot", "--", "sh", "-ec", _FILL_DISK, "fill", *paths, str(DISK_BYTES), _EXT4_FEATURES], purpose)
    for pattern, target in (("vmlinuz-*", made.kernel), ("initrd.img-*", made.initrd)):
        shutil.copyfile(_only(tree / "boot", pattern), target)
    for path in draft.iterdir():
        _sync(path)
    draft.rename(image.folder)
    _sync(image.folder.parent)


def _only(folder: Path, pattern: str) -> Path:
    found = list(folder.glob(pattern))
    if len(found) != 1:
        raise LabError(
            f"The root file system has {len(found)} files that match {pattern}, not one.",
            "Look at the kernel packages among those of the release.",
        )
    return found[0]


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
