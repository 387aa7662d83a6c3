#!/usr/bin/python
# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of explain_log, which runs on the control node: the code is in the action plugin."""

from __future__ import annotations

DOCUMENTATION = r"""
module: explain_log
short_description: Explain the OOM kills in a text log on the control node
version_added: 1.0.0
description:
  - Reads text logs on the control node, as M(oomguard.linux.oom_info) does on a host, and prints the explanation as
    plain text.
  - The playbook C(oomguard.linux.explain) runs it.
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
  paths:
    description:
      - The logs, see O(oomguard.linux.oom_info#module:log_files). Relative paths begin at the folder in which Ansible
        was started.
      - V(-) stands for the standard input of Ansible, which can be read if the control node has C(/proc).
    type: list
    elements: path
    required: true
  details:
    description:
      - Whether to print the evidence for each kind of event.
    type: bool
    default: false
seealso:
  - module: oomguard.linux.oom_info
"""

EXAMPLES = r"""
- name: Explain a log that somebody sent
  oomguard.linux.explain_log:
    paths:
      - dmesg.txt
"""

RETURN = r"""
count:
  description: The number of OOM kills.
  returned: success
  type: int
  sample: 1
msg:
  description: The lines of the explanation.
  returned: if the callback for C(stdout) is not V(ansible.builtin.default)
  type: list
  elements: str
"""
