# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files that the lab adds to a Debian root file system."""

from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

from lab.releases import ENABLED_UNITS, MASKED_UNITS

GUEST = Path(__file__).resolve().parent.parent / "guest"


@dataclass(frozen=True, kw_only=True)
class File:
    """Describe a file of root's, or a symbolic link when it has a target."""

    path: str
    mode: int = 0o644
    content: str = ""
    target: str = ""


def guest_files(guest: Path = GUEST) -> tuple[File, ...]:
    """Read the files of a folder that stands for the root folder, and add the links that mask and enable units."""
    units = "etc/systemd/system"
    return (
        *(
            File(
                path=str(path.relative_to(guest)),
                mode=0o755 if path.stat().st_mode & 0o100 else 0o644,
                content=path.read_text(encoding="utf-8"),
            )
            for path in sorted(guest.rglob("*"))
            if path.is_file()
        ),
        *(File(path=f"{units}/{unit}", target="/dev/null") for unit in MASKED_UNITS),
        *(
            File(path=f"{units}/multi-user.target.wants/{unit}", target=f"/lib/systemd/system/{unit}")
            for unit in ENABLED_UNITS
        ),
    )


def access(public_key: str) -> File:
    """Let the holder of a key in as root."""
    return File(path="root/.ssh/authorized_keys", mode=0o600, content=public_key)


def write_layer(path: Path, files: tuple[File, ...]) -> None:
    """Write files as a tar archive, with the folders that Debian would not make by itself."""
    with tarfile.open(path, "w") as archive:
        for folder, mode in (("root/.ssh", 0o700), ("var/log/journal", 0o755)):
            member = tarfile.TarInfo(folder)
            member.type, member.mode = tarfile.DIRTYPE, mode
            archive.addfile(member)
        for file in files:
            member = tarfile.TarInfo(file.path)
            content = file.content.encode()
            member.mode, member.size = file.mode, len(content)
            if file.target:
                member.type, member.linkname = tarfile.SYMTYPE, file.target
            archive.addfile(member, io.BytesIO(content))
