# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configurations of Apache for the tests beside this file, two of them as real ones have printed theirs."""

from __future__ import annotations

import dataclasses
import pathlib
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.config import (
    Configuration,
    Occurrence,
    parse_dump,
    parse_settings,
)
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.memory import Need
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.plan import State, Wanted
from ansible_collections.oomguard.linux.plugins.module_utils._mark import make_mark

FOLDER = pathlib.Path(__file__).parent
BULLSEYE = parse_dump((FOLDER / "bullseye.dump").read_text())
BOOKWORM = parse_dump((FOLDER / "bookworm.dump").read_text())
PATH = pathlib.Path("/etc/apache2/conf-available/zz-oomguard-fcgid.conf")
LINK = pathlib.Path("/etc/apache2/conf-enabled/zz-oomguard-fcgid.conf")
TEXT = f"""{make_mark("fcgid_config")}
<IfModule mod_fcgid.c>
  FcgidIdleScanInterval 120
  FcgidMinProcessesPerClass 0
  FcgidProcessLifeTime 600
</IfModule>
"""


def wanted(**directives: t.Any) -> Wanted:
    """Return what is wanted with `directives`."""
    return Wanted(settings=parse_settings(directives))


def configuration(text: str, module: str = "fcgid_module") -> Configuration:
    """Return what Apache has read with `text` in its dump."""
    return parse_dump(f"{text}Loaded Modules:\n core_module (static)\n {module} (shared)\n")


def state(read: Configuration = BULLSEYE, **changes: t.Any) -> State:
    """Return a host with our file, on which Apache has read `read`."""
    there = State(path=PATH, name=str(LINK), text=TEXT, linked=True, configuration=read, running=True)
    return dataclasses.replace(there, **changes)


def expected(read: Configuration, **directives: t.Any) -> tuple[Occurrence, ...]:
    """Return the settings of the host that has read `read` once our file holds `directives`."""
    return state(read).expect(wanted(**directives))


OURS = wanted(FcgidIdleScanInterval=120, FcgidMinProcessesPerClass=0, FcgidProcessLifeTime=600)
ABSENT = Wanted(present=False)
QUIET = configuration(
    f"# In file: {LINK}\n#   3:\nFcgidIdleScanInterval 120\n#   4:\nFcgidMinProcessesPerClass 0\n"
    "#   5:\nFcgidProcessLifeTime 600\n"
)
EMPTY = configuration("")

# A host with Enterprise Linux, on which a virtual host in a file with a hostile name overrides our lifetime.
HTTPD = State(
    path=pathlib.Path("/etc/httpd/conf.d/zz-oomguard-fcgid.conf"),
    name="/etc/httpd/conf.d/zz-oomguard-fcgid.conf",
    text=None,
    linked=False,
    configuration=parse_dump(
        "# In file: /etc/httpd/conf.d/{{ shop }}.conf\n#  1:\n<VirtualHost *:80>\n#  2:\nFcgidProcessLifeTime 60\n"
        "</VirtualHost>\nLoaded Modules:\n fcgid_module (shared)\n"
    ),
    running=True,
)
NEED = Need(workers=1, largest_worker_bytes=10, max_processes=50, ram_bytes=400, swap_bytes=0)
