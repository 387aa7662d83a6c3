#!/usr/bin/python
# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of check_variables, which runs on the control node: the code is in the action plugin."""

from __future__ import annotations

DOCUMENTATION = r"""
module: check_variables
short_description: Warn about misspelt variables of this collection
version_added: 1.0.0
description:
  - Warns about variables of the hosts of a play that begin with the name of a role of this collection, and that the
    role does not have. If a variable of the role has a similar name, the warning suggests it.
  - Variables that begin with C(detect_), C(oomguard_), C(swap_) or C(zram_) are also those of others, so only names
    that are similar to one of this collection cause a warning.
  - The roles and playbooks of this collection run it.
author:
  - oomguard contributors (@oomguard)
extends_documentation_fragment:
  - oomguard.linux.attributes.reading
attributes:
  platform:
    description: Runs on the control node.
    support: full
    platforms: posix
options: {}
"""

EXAMPLES = r"""
- name: Warn about misspelt variables
  oomguard.linux.check_variables:
  run_once: true
"""

RETURN = r"""
misspelt:
  description: The warnings.
  returned: always
  type: list
  elements: str
  sample:
    - The role swap has no variable swap_sise. Did you mean swap_size?
"""
