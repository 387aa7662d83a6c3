# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build and find images: a root filesystem, its kernel, its initrd and its ssh key. An image never changes."""

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
from lab.host import GIB, hold_lock, make_cache, require, require_space, run_checked
from lab.interrupts import delay_interrupts
from lab.layer import File, authorized_keys, read_guest_files, write_layer
from lab.releases import PACKAGES, Release

# Raise this when a change of this code changes the images.
FORMAT = 1

DISK_BYTES = 24 * GIB
_BUILD_BYTES = 3 * GIB

# The features that the kernels and the e2fsck of all releases support. The defaults of the host may be newer.
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

# The hook runs outside the new root, which has no name servers, with the apt configuration of the new root. It also
# downloads what the package needs.
_DOWNLOAD = (
    'mkdir --parents "$1/opt/{package}/partial"; APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get install --yes '
    '--download-only --no-install-recommends --option "Dir::Cache::Archives=$1/opt/{package}" {package}'
)

Say = t.Callable[[str], None]


@dataclass(frozen=True)
class Image:
    """The folder of an image."""

    folder: Path

    @property
    def disk(self) -> Path:
        """The root filesystem: raw, sparse and never written to."""
        return self.folder / "disk.raw"

    @property
    def kernel(self) -> Path:
        """The kernel of the release."""
        return self.folder / "vmlinuz"

    @property
    def initrd(self) -> Path:
        """The initrd of that kernel."""
        return self.folder / "initrd"

    @property
    def identity_file(self) -> Path:
        """The private key that gives root access through ssh."""
        return self.folder / "id_ed25519"


def make_image_key(release: Release, files: tuple[File, ...]) -> str:
    """Return the name of an image, which depends on everything that goes into it."""
    ingredients = [
        FORMAT,
        dataclasses.asdict(release),
        PACKAGES,
        DISK_BYTES,
        _EXT4_FEATURES,
        [dataclasses.asdict(file) for file in files],
    ]
    return f"{release.name}-{hashlib.sha256(json.dumps(ingredients).encode()).hexdigest()[:12]}"


def build_mmdebstrap_argv(release: Release, *, layer: Path, archive: Path) -> list[str]:
    """Return the command that builds the root filesystem of a release as a tar archive.

    It unpacks the layer before it installs the packages, because the layer configures the initrd.
    """
    return [
        "mmdebstrap",
        "--variant=important",
        f"--include={','.join(PACKAGES)}",
        "--format=tar",
        # The lists of a mirror may be older than they should be, which matters for suites that change.
        '--aptopt=Acquire::Check-Valid-Until "false"',
        *(f"--setup-hook=sed -i '/ {suite} /d' \"$1/etc/apt/sources.list\"" for suite in release.without_suites),
        f"--essential-hook=tar-in {shlex.quote(str(layer))} /",
        *(f"--customize-hook={_DOWNLOAD.format(package=package)}" for package in release.downloads),
        release.name,
        str(archive),
    ]


def find_or_build(release: Release, say: Say) -> Image:
    """Return the image of a release from the cache. Build it there if it does not exist.

    Raise LabError if it cannot be built.
    """
    images = make_cache() / "images"
    files = read_guest_files()
    key = make_image_key(release, files)
    image = Image(images / key)
    if image.folder.is_dir():
        return image

    require("fakeroot", "mke2fs", "mmdebstrap", "ssh-keygen")
    images.mkdir(exist_ok=True)
    lock = images / f"{key}.lock"
    lock.touch()
    with hold_lock(lock):
        if not image.folder.is_dir():
            for folder in (images, Path(tempfile.gettempdir())):
                require_space(folder, _BUILD_BYTES, f"Building the image of {release.name}")
            say(f"building the image of {release.name}, which takes a minute or two")
            with _make_workshop(images, key) as workshop:
                _build(release, files, workshop, image)
    return image


@contextlib.contextmanager
def _make_workshop(images: Path, key: str) -> t.Iterator[Path]:
    """Make a folder for building an image, and remove it at the end. Remove those of earlier builds, too."""
    for leftover in images.glob(f"{key}.*.partial"):
        shutil.rmtree(leftover)
    workshop = Path(tempfile.mkdtemp(dir=images, prefix=f"{key}.", suffix=".partial"))
    try:
        yield workshop
    finally:
        with delay_interrupts():
            shutil.rmtree(workshop)


def _build(release: Release, files: tuple[File, ...], workshop: Path, image: Image) -> None:
    layer = workshop / "layer.tar"
    archive = workshop / "root.tar"
    tree = workshop / "root"
    draft = Image(workshop / "image")
    draft.folder.mkdir()
    purpose = f"Building the image of {release.name}"
    write_layer(layer, (*files, authorized_keys(_make_key(draft, purpose))))
    run_checked(build_mmdebstrap_argv(release, layer=layer, archive=archive), purpose)
    paths = (str(archive), str(tree), str(draft.disk))
    run_checked(["fakeroot", "--", "sh", "-ec", _FILL_DISK, "fill", *paths, str(DISK_BYTES), _EXT4_FEATURES], purpose)
    shutil.copyfile(_find_only(tree / "boot", "vmlinuz-*"), draft.kernel)
    shutil.copyfile(_find_only(tree / "boot", "initrd.img-*"), draft.initrd)
    for path in draft.folder.iterdir():
        _sync(path)
    draft.folder.rename(image.folder)
    _sync(image.folder.parent)


def _make_key(image: Image, purpose: str) -> str:
    """Make the ssh key of an image, and return its public key."""
    options = ["-q", "-t", "ed25519", "-N", "", "-C", "oomguard lab"]
    run_checked(["ssh-keygen", *options, "-f", str(image.identity_file)], purpose)
    return image.identity_file.with_suffix(".pub").read_text(encoding="utf-8")


def _find_only(folder: Path, pattern: str) -> Path:
    found = list(folder.glob(pattern))
    if len(found) != 1:
        raise LabError(
            f"The root filesystem has {len(found)} files that match {pattern}, but must have one.",
            "Check the kernel packages of the release.",
        )

    return found[0]


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
