# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build objects for the tests of the lab."""

from __future__ import annotations

from pathlib import Path

from lab.image import Image
from lab.qemu import Machine


def make_machine(folder: Path) -> Machine:
    """Return a machine in a folder that need not exist."""
    return Machine(
        folder=folder,
        release="bullseye",
        image=Image(Path("/cache/bullseye")),
        memory=512,
        cpus=2,
        disk_bytes=24 << 30,
        accel="tcg",
        port=20022,
    )
