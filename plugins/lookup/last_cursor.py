# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the last search of a host ended."""

from __future__ import annotations

DOCUMENTATION = r"""
name: last_cursor
short_description: The journal cursor of a host's last record
version_added: 1.0.0
description:
  - Returns the cursor of the last search of a host, from its record. M(oomguard.linux.oom_info) can go on there.
  - Returns an empty string if the host has no record, or none with a cursor.
author:
  - oomguard contributors (@oomguard)
options:
  _terms:
    description: The names of hosts in the inventory.
    type: list
    elements: str
    required: true
  records_path:
    description: The folder with the records on the control node.
    type: path
    required: true
seealso:
  - module: oomguard.linux.oom_info
"""

EXAMPLES = r"""
- name: Find the OOM kills since the last search
  oomguard.linux.oom_info:
    after_cursor: "{{ lookup('oomguard.linux.last_cursor', inventory_hostname, records_path='records') or omit }}"
"""

RETURN = r"""
_raw:
  description: The cursors.
  type: list
  elements: str
"""

import pathlib
import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

from ..plugin_utils._fleet.store import find_record


class LookupModule(LookupBase):
    """Read the records of hosts."""

    def run(self, terms: t.Sequence[str], variables: t.Any = None, **options: t.Any) -> list[str]:
        """Return the cursors of the last records of hosts."""
        del variables
        path = options.get("records_path")
        if not path:
            raise AnsibleError("Could not go on from the last search: name the folder of records, detect_records_path.")

        folder = pathlib.Path(path).expanduser()
        return [_find_cursor(folder, host) for host in terms]


def _find_cursor(folder: pathlib.Path, host: str) -> str:
    """Return the cursor of a host's last record, "" if there is none or if the record is damaged."""
    record = find_record(folder, host) or {}
    coverage = record.get("coverage") or {}
    cursor: str = coverage.get("cursor") or ""

    return cursor
