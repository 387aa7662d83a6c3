# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cut the power of a host of a scenario, and boot it again."""

from __future__ import annotations

import os
import pathlib
import typing as t

from lab import machine

if t.TYPE_CHECKING:
    from testinfra.host import Host


def cut_power_and_boot(host: Host) -> None:
    """Cut the power of a host, boot it again, and wait until it has booted. Raise LabError if it does not boot."""
    folder = find_machine(host)
    machine.power_cut(folder)
    machine.power_on(folder, say=print)


def find_machine(host: Host) -> pathlib.Path:
    """Return the folder of a host's machine, as molecule/create.yml names it."""
    return pathlib.Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "machines" / str(host.backend.get_hostname())
