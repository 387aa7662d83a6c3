#!/usr/bin/python
# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module systemd_dropin: its documentation, its argument spec and the way through it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: systemd_dropin
short_description: Manage one drop-in of a systemd unit, and prove that it is in force
version_added: 1.0.0
description:
  - Writes one drop-in file of one unit, has systemd read it, and compares what is in force with what was asked for.
  - Before the file is installed, systemd reads it from a private folder, and what it complains about fails the module.
    Systemd itself ignores a directive that it does not understand with no more than a line in the journal.
  - If systemd cannot load the new file, or has another value in force than the file gives, the old one is put back.
  - Limits of a running unit (C(MemoryMax), C(MemoryHigh), C(MemorySwapMax), C(TasksMax) and such) are compared with
    what the kernel has in the unit's cgroup as well. Systemd 257 shows the new limit after it has read the file, and
    leaves the old one in the kernel until the unit is started again; the module hands it over.
  - A C(MemoryMax) that would come down below what the unit uses now is refused, since the kernel would kill at once
    what does not fit into swap. What it uses is C(memory.current) of its cgroup, without the page cache and the slab
    that the kernel can drop. On a host with cgroups of version 1 it is not looked at.
  - Only the file that this module wrote is ever changed or removed. Nothing is restarted.
author:
  - oomguard contributors (@oomguard)
attributes:
  check_mode:
    description: Shows what would be done, and does nothing.
    support: full
  diff_mode:
    description: Shows the drop-in file before and after.
    support: full
  idempotent:
    description: A second run changes nothing.
    support: full
  platform:
    description: Linux with systemd.
    support: full
    platforms: posix
options:
  unit:
    description:
      - The unit, with its suffix. An alias is resolved.
      - A template such as V(getty@.service) stands for all its instances. Those that run are handed new limits, and
        count for RV(restart_required); settings that an instance has of its own are left alone.
      - V(system.conf) stands for the configuration of systemd itself, with the section C(Manager); see
        systemd-system.conf(5).
      - Masked units are refused; generated and transient ones need O(force).
    type: str
    required: true
  name:
    description:
      - The name of the drop-in file, without V(.conf). Systemd reads drop-ins in the order of their names.
    type: str
    default: 50-oomguard
  settings:
    description:
      - What the drop-in sets, as sections of directives. A list assigns its values in order; an empty string resets the
        directive, as systemd has it. A list of none sets nothing.
      - A C(MemoryMax) or C(MemoryHigh) of less than 1 MiB is refused; without a unit it is of bytes.
      - Systemd expands specifiers such as V(%n) in many values; a percent sign itself is written V(%%).
      - Required with O(state=present).
    type: dict
    default: {}
  state:
    description:
      - With V(absent) the file is removed, and its folder if nothing else is in it.
    type: str
    choices: [present, absent]
    default: present
  scope:
    description:
      - With V(user), the drop-in is for units of the systemd of the user who the task runs as, and lies below
        C(~/.config/systemd/user). Use C(become_user) to choose one.
    type: str
    choices: [system, user]
    default: system
  runtime:
    description:
      - Write below C(/run), where the drop-in lasts until the next boot.
      - A drop-in of the same name below C(/etc) wins over it.
    type: bool
    default: false
  force:
    description:
      - Replace or remove a file of that name which this module did not write.
      - A backup is kept beside it with its mode and owner, under a name that systemd does not read.
      - Accept a generated or transient unit.
      - Accept a C(MemoryMax) below what the unit uses now, with which the kernel may kill at once.
    type: bool
    default: false
  pin:
    description:
      - Write the drop-in even if all settings are in force without it, so that they stay when the unit's file changes.
      - With V(false), a drop-in that is there already is still kept up to date.
    type: bool
    default: true
  reload:
    description:
      - When to have systemd read its files again.
      - With V(needed), when the file has changed, when systemd says that it has not read the newest one, and when
        C(systemctl set-property) has changed a setting that no file changes.
    type: str
    choices: [needed, never, always]
    default: needed
  verify:
    description:
      - Fail where a setting is not in force afterwards, and before anything is changed if a drop-in that systemd
        reads later would win.
      - With V(false), a limit that the kernel does not take is told by a warning.
    type: bool
    default: true
notes:
  - On a host that was not booted with systemd, such as an image being built, and for a user whose systemd does not run,
    the file is written, RV(verified) is V(false) and a warning says so.
  - Warns where a setting does not do what it is set for, as C(MemoryHigh) on a host without swap, or below what the
    unit uses now.
seealso:
  - name: systemd.unit(5)
    description: Where systemd looks for drop-ins, and in which order it reads them.
    link: https://www.freedesktop.org/software/systemd/man/latest/systemd.unit.html
"""

EXAMPLES = r"""
- name: Let Apache survive the kill of one of its workers
  oomguard.linux.systemd_dropin:
    unit: apache2.service
    settings:
      Service:
        OOMPolicy: continue

- name: Keep a service within bounds, under a name of its own
  oomguard.linux.systemd_dropin:
    unit: worker@.service
    name: 60-memory
    settings:
      Service:
        MemoryMax: 2G
        Restart: on-failure

- name: Have every service of a user survive the kill of one of its processes
  oomguard.linux.systemd_dropin:
    unit: podman.service
    scope: user
    settings:
      Service:
        OOMPolicy: continue
  become: true
  become_user: alice

- name: Have it so for all units that say nothing themselves
  oomguard.linux.systemd_dropin:
    unit: system.conf
    settings:
      Manager:
        DefaultOOMPolicy: continue

- name: Take the drop-in away again
  oomguard.linux.systemd_dropin:
    unit: apache2.service
    state: absent
"""

RETURN = r"""
path:
  description: The drop-in file.
  returned: always
  type: str
  sample: /etc/systemd/system/apache2.service.d/50-oomguard.conf
effective:
  description:
    - The value in force of each directive in O(settings), as C(systemctl show) prints it; V(null) where it prints none.
    - In check mode, and where nothing had to be changed, the values are those found.
    - Empty with O(state=absent), and where no systemd runs.
  returned: always
  type: dict
  sample:
    Service:
      OOMPolicy: continue
overridden_by:
  description:
    - Each directive that is not in force as asked for, or will not be, with the value that is, and the drop-in that
      sets it.
  returned: always
  type: list
  elements: dict
  contains:
    section:
      description: The section of the directive.
      type: str
    directive:
      description: The directive.
      type: str
    value:
      description: The value in force.
      type: str
    path:
      description: The drop-in that wins, V(null) where none was found.
      type: str
verified:
  description: Whether every setting was found to be in force.
  returned: always
  type: bool
unverified:
  description: The directives of which it could not be told whether they are in force.
  returned: always
  type: list
  elements: str
  sample: []
limits:
  description:
    - What the kernel has in the cgroup of the running unit for each limit in O(settings); empty for a template.
  returned: always
  type: dict
  sample:
    MemoryMax:
      value: 536870912
      tightest_value: 268435456
      tightest_cgroup: /system.slice
active_state:
  description:
    - The state of the unit, V(null) where no systemd runs; for a template, that of an instance that runs, if one does.
  returned: always
  type: str
  sample: active
unit_result:
  description: How the unit last ended, such as V(oom-kill); V(null) where systemd does not say.
  returned: always
  type: str
  sample: success
reload_required:
  description: Whether systemd has yet to read what is on the disk.
  returned: always
  type: bool
restart_required:
  description:
    - Whether the unit, or an instance of it, runs without a setting of the drop-in that it gets only when it is started
      again.
  returned: always
  type: bool
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._command import run
from ..module_utils._errors import OomguardError
from ..module_utils._safe import neutralise
from ..module_utils._systemd.bring import bring
from ..module_utils._systemd.dropin import MANAGER, DropinError, Wanted
from ..module_utils._systemd.manager import Systemd
from ..module_utils._systemd.result import result
from ..module_utils._systemd.traps import warnings


def main() -> None:
    """Observe, plan, apply, verify."""
    module = AnsibleModule(
        argument_spec={
            "unit": {"type": "str", "required": True},
            "name": {"type": "str", "default": "50-oomguard"},
            "settings": {"type": "dict", "default": {}},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "scope": {"type": "str", "choices": ["system", "user"], "default": "system"},
            "runtime": {"type": "bool", "default": False},
            "force": {"type": "bool", "default": False},
            "pin": {"type": "bool", "default": True},
            "reload": {"type": "str", "choices": ["needed", "never", "always"], "default": "needed"},
            "verify": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    try:
        wanted = wanted_from(module.params)
        systemd = Systemd(run=run, user=module.params["scope"] == "user")
        state, plan = bring(wanted, systemd, check=module.params["verify"], dry=module.check_mode)
    except OomguardError as error:
        module.fail_json(msg=str(error))
    for warning in warnings(state, wanted):
        module.warn(neutralise(warning))
    module.exit_json(changed=plan.changed, diff=plan.diff, **result(state, plan, wanted))


def wanted_from(params: t.Mapping[str, t.Any]) -> Wanted:
    """Return what the module's parameters ask for. Raises DropinError."""
    if params["unit"] == MANAGER and params["scope"] == "user":
        raise DropinError(f"{MANAGER} is not a unit of a user.", hint="Leave scope away.")
    return Wanted(
        unit=params["unit"],
        name=params["name"],
        settings={
            section: {
                directive: values_of(value, of=f"{directive}= in [{section}]")
                for directive, value in directives.items()
                if value != []
            }
            for section, directives in sections_of(params["settings"])
        },
        present=params["state"] == "present",
        runtime=params["runtime"],
        force=params["force"],
        pin=params["pin"],
        reload=params["reload"],
    )


def sections_of(settings: t.Mapping[str, t.Any]) -> t.Iterator[tuple[str, t.Mapping[str, t.Any]]]:
    """Yield each section with its directives. Raises DropinError for anything but a mapping of mappings."""
    for section, directives in settings.items():
        if not isinstance(directives, dict):
            raise DropinError(
                f"settings.{section} is not a mapping of directives to values.",
                hint="Write settings as {Service: {OOMPolicy: continue}}.",
            )
        yield section, directives


def values_of(value: t.Any, *, of: str) -> tuple[str, ...]:
    """Return the values of one directive as unit files write them: booleans as yes and no, numbers in digits.

    Raises DropinError, which says whose value it is, for mappings, lists in lists, and null.
    """
    values = value if isinstance(value, list) else [value]
    if any(item is None or isinstance(item, (dict, list)) for item in values):
        raise DropinError(
            f"The value of {neutralise(of)} is neither text nor a number nor a boolean.",
            hint="Write an empty string to reset a directive, and leave away what shall not be set.",
        )
    return tuple({True: "yes", False: "no"}[item] if isinstance(item, bool) else str(item) for item in values)


if __name__ == "__main__":
    main()
