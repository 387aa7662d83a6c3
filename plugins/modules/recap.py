#!/usr/bin/python
# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of recap, which runs on the control node: the code is in the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: recap
short_description: Print one table for all hosts of a play
version_added: 1.0.0
description:
  - Prints what M(oomguard.linux.oom_info) found on all hosts of the play, the worst first, in 80 columns. Clean hosts
    are counted. Hosts that could not be looked at are rows of the table.
  - The results are those that the role C(oomguard.linux.detect) has registered as C(detect_result).
  - Prints the whole explanation if the play has only one host, except with O(remediation).
  - Warns about misspelt variables, as M(oomguard.linux.check_variables) does.
  - Run it with C(run_once). With C(serial), each batch prints the hosts that were searched until then. With the
    strategies C(free) and C(host_pinned), which run it on each host, one of the last hosts prints the table.
  - If the callback for C(stdout) is not V(ansible.builtin.default), the lines are returned in RV(msg) instead.
author:
  - oomguard contributors (@oomguard)
extends_documentation_fragment:
  - oomguard.linux.attributes.reading
attributes:
  platform:
    description: Runs on the control node.
    support: full
    platforms: posix
options:
  display:
    description:
      - Whether to print anything.
    type: bool
    default: true
  explain:
    description:
      - The hosts whose findings to explain above the table, or V(all).
    type: list
    elements: str
    default: []
  details:
    description:
      - Whether an explanation has the evidence for each kind of event.
    type: bool
    default: false
  records_path:
    description:
      - Write a record of each host to this folder on the control node. It is created if it does not exist. Records
        follow the JSON schema in C(roles/detect/files/record.schema.json).
      - A record replaces the last one of the host, and keeps its list of changes. If a host was not searched, only the
        changes in its last record are updated.
      - In check mode, nothing is written.
    type: path
  continued:
    description:
      - Whether the search has gone on where the last one of each host ended. Then what was found is added to the last
        record of the host in O(records_path), and the table shows both.
    type: bool
    default: false
  remediation:
    description:
      - Whether to print what the playbook C(oomguard.linux.remediate) has done on each host and what is left to do, or
        in check mode, what it would do. Records have what was changed and what is in force, too.
    type: bool
    default: false
seealso:
  - module: oomguard.linux.oom_info
"""

EXAMPLES = r"""
- name: Find every OOM kill
  oomguard.linux.oom_info:
  register: detect_result
  failed_when: false
  ignore_unreachable: true

- name: Show what was found on all hosts
  oomguard.linux.recap:
  run_once: true
"""

RETURN = r"""
states:
  description:
    - The state of each host. The worst that applies of V(down), if a service is down now because of an OOM kill,
      V(taken_down), if one was, V(killed), if there were other OOM kills, V(unknown), if the host could not be looked
      at, V(incomplete), if nothing was found but not everything could be searched, and V(clean).
  returned: always
  type: dict
  sample:
    web1: taken_down
    web2: clean
msg:
  description: The lines of the recap.
  returned: if the callback for C(stdout) is not V(ansible.builtin.default)
  type: list
  elements: str
"""
