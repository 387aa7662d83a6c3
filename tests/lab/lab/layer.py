# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files that the lab adds to a Debian root filesystem."""

from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

from lab.releases import ENABLED_UNITS, MASKED_UNITS

GUEST = Path(__file__).resolve().parent.parent / "guest"


@dataclass(frozen=True, kw_only=True)
class File:
    """A file that root owns, or a symbolic link if it has a target."""

    path: str
    mode: int = 0o644
    content: str = ""
    target: str = ""


def read_guest_files(guest: Path = GUEST) -> tuple[File, ...]:
    """Return the files below a folder that stands for the root folder, and the links that mask and enable units."""
    files = [_read_file(path, guest) for path in sorted(guest.rglob("*")) if path.is_file()]
    units = "etc/systemd/system"
    masked = [File(path=f"{units}/{unit}", target="/dev/null") for unit in MASKED_UNITS]
    enabled = [
        File(path=f"{units}/multi-user.target.wants/{unit}", target=f"/lib/systemd/system/{unit}")
        for unit in ENABLED_UNITS
    ]
    return (*files, *masked, *enabled)


def _read_file(path: Path, guest: Path) -> File:
    """Return a file of a checkout, whose umask must not influence the mode."""
    mode = 0o644
    if path.stat().st_mode & 0o100:
        mode = 0o755
    return File(path=str(path.relative_to(guest)), mode=mode, content=path.read_text(encoding="utf-8"))


def authorized_keys(public_key: str) -> File:
    """Return the file that gives the holder of a key root access through ssh."""
    return File(path="root/.ssh/authorized_keys", mode=0o600, content=public_key)


def write_layer(path: Path, files: tuple[File, ...]) -> None:
    """Write files as a tar archive, with the folders that Debian does not create."""
    with tarfile.open(path, "w") as archive:
        for folder, mode in (("root/.ssh", 0o700), ("var/log/journal", 0o755)):
            member = tarfile.TarInfo(folder)
            member.type = tarfile.DIRTYPE
            member.mode = mode
            archive.addfile(member)
        for file in files:
            member = tarfile.TarInfo(file.path)
            content = file.content.encode()
            member.mode = file.mode
            member.size = len(content)
            if file.target:
                member.type = tarfile.SYMTYPE
                member.linkname = file.target
            archive.addfile(member, io.BytesIO(content))
