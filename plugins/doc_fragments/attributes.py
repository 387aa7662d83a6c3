# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The attributes that several modules document."""

from __future__ import annotations


class ModuleDocFragment:
    """What modules that change a host, and modules that only read it, have in common."""

    CHANGING = r"""
options: {}
notes:
  - Each change is also written to the journal of the host, if it has one, as one record for each setting that has
    another value, with the fields C(OOMGUARD_MODULE), C(OOMGUARD_WHAT), C(OOMGUARD_OBJECT), C(OOMGUARD_BEFORE) and
    C(OOMGUARD_AFTER). Check mode, a run that changes nothing or fails, and a task with C(no_log) write no record.
attributes:
  check_mode:
    description: Returns what would be changed, and changes nothing.
    support: full
  diff_mode:
    description: Returns the state before and after the change.
    support: full
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
  platform:
    description: Linux with systemd.
    support: full
    platforms: posix
"""

    READING = r"""
options: {}
attributes:
  check_mode:
    description: This module changes nothing.
    support: full
  diff_mode:
    description: This module changes nothing.
    support: none
  idempotent:
    description: This module changes nothing.
    support: full
  platform:
    description: Linux with systemd.
    support: full
    platforms: posix
"""
