# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let one of several tasks do what is to be done once: with some strategies, each host runs a task with run_once."""

from __future__ import annotations

import hashlib
import pathlib
import typing as t

from ansible import constants


def claim(task: str, hosts: t.Iterable[str]) -> bool:
    """Return whether no other task with this UUID has claimed these hosts in this run.

    The claim is an empty file, which Ansible removes when it ends.
    """
    key = "\n".join([task, *hosts])
    name = hashlib.sha256(key.encode("utf-8", "backslashreplace")).hexdigest()
    try:
        pathlib.Path(vars(constants)["DEFAULT_LOCAL_TMP"], f"oomguard-{name}").touch(exist_ok=False)
    except FileExistsError:
        return False

    return True
