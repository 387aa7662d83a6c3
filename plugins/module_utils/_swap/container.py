# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a host is a container, whose swap belongs to the kernel outside.

Source: systemd's Container Interface, https://systemd.io/CONTAINER_INTERFACE/.
"""

from __future__ import annotations

import pathlib

from .._files import FileError, read_file
from .host import read_optional
from .tables import parse_settings


def observe_container(root: pathlib.Path, proc: pathlib.Path) -> str:
    """Return the kind of container according to the marks of systemd, Docker and Podman, "" if there is none."""
    named = read_file(root / "run/systemd/container")
    if named is not None:
        return named.strip() or "unknown"

    if (root / ".dockerenv").exists():
        return "docker"

    if (root / "run/.containerenv").exists():
        return "podman"

    try:
        environment = read_optional(proc / "1/environ")
    except FileError:  # only root can read the environment of other users' processes
        return ""

    return parse_settings(environment.split("\0")).get("container", "")
