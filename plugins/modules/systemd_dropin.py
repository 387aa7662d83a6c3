#!/usr/bin/python
# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module systemd_dropin: its documentation, its argument spec and its main function."""

from __future__ import annotations

DOCUMENTATION = r"""
module: systemd_dropin
short_description: Manage one drop-in of a systemd unit, and prove that it is in force
version_added: 1.0.0
description:
  - Writes one drop-in file of one unit, has systemd read it, and compares the values in force with the requested ones.
  - Before the file is installed, systemd checks it in a private directory, and the module fails if systemd complains.
    When systemd loads a unit, it only logs a directive that it does not understand, and ignores it.
  - Fails before it changes anything, also in check mode, if the file cannot be written, such as on a read-only
    filesystem, on a full one, or in an immutable directory.
  - Restores the old file if systemd cannot load the new one, or if a value in force is not the one that the file sets.
  - Also compares the limits of a running unit (such as C(MemoryMax), C(MemoryHigh), C(MemorySwapMax) and C(TasksMax))
    with those that the kernel has in the unit's cgroup. After a reload, systemd 257 shows the new limit, but leaves the
    old one in the kernel until the unit is started again. The module writes the new limit to the cgroup.
  - Refuses to lower C(MemoryMax) below the memory that the unit uses, because the kernel would at once kill processes
    that do not fit into swap. The memory in use is C(memory.current) of the unit's cgroup, without the page cache and
    the slab that the kernel can drop. With cgroup v1, this is not checked.
  - Changes and removes only the file that this module wrote. Does not restart units.
author:
  - oomguard contributors (@oomguard)
extends_documentation_fragment:
  - oomguard.linux.attributes.changing
attributes:
  diff_mode:
    description: Returns the drop-in file before and after the change.
options:
  unit:
    description:
      - The name of the unit, with its suffix. An alias is resolved.
      - A template such as V(getty@.service) stands for all its instances. Running instances get new limits, and count
        for RV(restart_required). Settings of a single instance are left alone.
      - A name that ends in a dash before its suffix stands for all units whose names begin with it. For example,
        V(user-.slice) stands for the slices of all users, and V(session-.scope) for their sessions.
      - V(service.d), V(slice.d) and so on stand for all units of that type.
      - If a name stands for several units, the settings are verified in one that systemd has loaded, and the module
        warns about each other unit that has another value in force. If none is loaded, nothing is verified.
      - V(system.conf) stands for the configuration of systemd itself, with the section C(Manager), and V(user.conf) for
        that of the systemd of each user, or with O(scope=user) of one user. See systemd-system.conf(5).
      - Generated units, such as those of init scripts, are accepted. Transient units require O(force).
      - Masked units are rejected.
    type: str
    required: true
  name:
    description:
      - The name of the drop-in file, without V(.conf). systemd reads drop-ins in the order of their names.
    type: str
    default: 50-oomguard
  settings:
    description:
      - The settings of the drop-in, as a mapping of sections to directives to values. A list assigns its values in
        order. An empty string resets the directive, as in a unit file. An empty list sets nothing.
      - A C(MemoryMax) or C(MemoryHigh) of less than 1 MiB is rejected. A number without a unit is in bytes.
      - systemd expands specifiers such as V(%n) in many values. Write V(%%) for a percent sign.
      - Required if O(state=present).
    type: dict
    default: {}
  state:
    description:
      - If V(absent), the file is removed. Its directory is also removed if it is empty.
    type: str
    choices: [present, absent]
    default: present
  scope:
    description:
      - If V(user), the drop-in belongs to a user unit of the user that the task runs as, and is written below
        C(~/.config/systemd/user). Use C(become_user) to choose the user.
    type: str
    choices: [system, user]
    default: system
  runtime:
    description:
      - Whether to write the drop-in below C(/run), where it lasts until the next boot.
      - A drop-in of the same name below C(/etc) overrides it.
    type: bool
    default: false
  force:
    description:
      - Whether to replace or remove a file of that name which this module did not write. A backup is kept in the same
        directory, with the same mode and owner, under a name that systemd does not read.
      - Whether to accept a transient unit.
      - Whether to accept a service without a process, while other services are part of it. For example, the processes
        of Debian's C(postgresql.service) belong to its instances, such as C(postgresql@15-main.service).
      - Whether to accept a C(MemoryMax) below the memory that the unit uses. The kernel may then kill processes at
        once.
    type: bool
    default: false
  pin:
    description:
      - Whether to write the drop-in even if all settings are in force without it, so that they stay in force when the
        unit's own file changes.
      - If V(false), an existing drop-in is still kept up to date.
    type: bool
    default: true
  reload:
    description:
      - When to have systemd read its files again.
      - If V(needed), systemd reads them when the file has changed, when systemd reports that it has not read the latest
        version, and when C(systemctl set-property) has changed a setting that no other file sets.
    type: str
    choices: [needed, never, always]
    default: needed
  verify:
    description:
      - Whether to fail if a setting is not in force afterwards. If a drop-in that systemd reads later would override a
        setting, the module fails before it changes anything.
      - If V(false), a limit that the kernel does not accept causes a warning.
    type: bool
    default: true
notes:
  - If the host was not booted with systemd (as in an image build), or if the user's systemd does not run, the module
    writes the file, returns RV(verified) as V(false), and issues a warning.
  - The module warns about a setting that does not have the intended effect on the host, such as C(MemoryHigh) without
    swap, or C(MemoryHigh) below the memory that the unit uses.
  - C(journalctl MESSAGE_ID=a3d35f601fdf4d7e9996f8abb424a45e) shows the changes that this module has made.
seealso:
  - name: systemd.unit(5)
    description: The directories in which systemd looks for drop-ins, and the order in which it reads them.
    link: https://www.freedesktop.org/software/systemd/man/latest/systemd.unit.html
"""

EXAMPLES = r"""
- name: Keep Apache running when the kernel kills one of its workers
  oomguard.linux.systemd_dropin:
    unit: apache2.service
    settings:
      Service:
        OOMPolicy: continue

- name: Limit the memory of a service, in a drop-in with its own name
  oomguard.linux.systemd_dropin:
    unit: worker@.service
    name: 60-memory
    settings:
      Service:
        MemoryMax: 2G
        Restart: on-failure

- name: Keep a user's service running when the kernel kills one of its processes
  oomguard.linux.systemd_dropin:
    unit: podman.service
    scope: user
    settings:
      Service:
        OOMPolicy: continue
  become: true
  become_user: alice

- name: Set the default for all units that do not set OOMPolicy themselves
  oomguard.linux.systemd_dropin:
    unit: system.conf
    settings:
      Manager:
        DefaultOOMPolicy: continue

- name: Limit the memory of each user
  oomguard.linux.systemd_dropin:
    unit: user-.slice
    settings:
      Slice:
        MemoryMax: 2G

- name: Remove the drop-in
  oomguard.linux.systemd_dropin:
    unit: apache2.service
    state: absent
"""

RETURN = r"""
path:
  description: The path of the drop-in file.
  returned: always
  type: str
  sample: /etc/systemd/system/apache2.service.d/50-oomguard.conf
effective:
  description:
    - The value in force of each directive in O(settings), as C(systemctl show) prints it, or V(null) if it prints none.
    - In check mode, these are the values that would be in force. A value that would be new is shown as it was written.
    - Empty if O(state=absent) or if systemd does not run.
  returned: always
  type: dict
  sample:
    Service:
      OOMPolicy: continue
overridden_by:
  description:
    - The directives whose value in force differs, or would differ, from the requested one.
  returned: always
  type: list
  elements: dict
  contains:
    section:
      description: The section of the directive.
      type: str
    directive:
      description: The name of the directive.
      type: str
    value:
      description: The value in force.
      type: str
    path:
      description: The drop-in that sets this value, or V(null) if none was found.
      type: str
exceptions:
  description:
    - If O(unit) stands for several units, those that have another value in force, because another drop-in overrides
      this one or hides it. Empty in check mode if something would be changed.
  returned: always
  type: list
  elements: str
  sample: []
verified:
  description: Whether every setting was found to be in force.
  returned: always
  type: bool
unverified:
  description: The directives for which it is unknown whether they are in force.
  returned: always
  type: list
  elements: str
  sample: []
limits:
  description:
    - The value that the kernel has in the cgroup of the running unit for each limit in O(settings). Empty for a
      template.
  returned: always
  type: dict
  sample:
    MemoryMax:
      value: 536870912
      tightest_value: 268435456
      tightest_cgroup: /system.slice
active_state:
  description:
    - The state of the unit, or V(null) if systemd does not run. For a template, the state of a running instance, if
      there is one.
  returned: always
  type: str
  sample: active
unit_result:
  description: How the unit last ended, such as V(oom-kill), or V(null) if systemd does not report it.
  returned: always
  type: str
  sample: success
oom_killed_units:
  description:
    - The unit, and for a template its instances, that failed with the result C(oom-kill) since the host was booted and
      that have not been started since.
  returned: always
  type: list
  elements: str
  sample: [mariadb.service]
reload_required:
  description: Whether files have changed since systemd read them.
  returned: always
  type: bool
restart_required:
  description:
    - Whether the unit, or an instance of it, runs without a setting of the drop-in that takes effect only when the unit
      is started again.
  returned: always
  type: bool
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._change import bring
from ..module_utils._command import run
from ..module_utils._errors import OomguardError
from ..module_utils._journald import Journald
from ..module_utils._params import check_texts
from ..module_utils._safe import neutralise, neutralise_all
from ..module_utils._systemd.change import DropinChange
from ..module_utils._systemd.manager import Systemd
from ..module_utils._systemd.result import build_result
from ..module_utils._systemd.traps import list_warnings
from ..module_utils._systemd.wanted import parse_wanted


def main() -> None:
    """Bring about the drop-in that the parameters ask for, and return the result."""
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
        check_texts(module.params, module.argument_spec)
        wanted = parse_wanted(module.params)
        systemd = Systemd(run=run, user=module.params["scope"] == "user")
        change = DropinChange(wanted, systemd, verify=module.params["verify"])
        state, plan = bring(change, check_mode=module.check_mode, journal=Journald(silent=module.no_log))
    except OomguardError as error:
        module.fail_json(msg=str(error))

    is_pending = module.check_mode and plan.changed
    for warning in list_warnings(state, wanted, is_pending=is_pending):
        module.warn(neutralise(warning))

    result = build_result(state, plan, wanted, check_mode=module.check_mode)
    module.exit_json(changed=plan.changed, diff=plan.diff, **neutralise_all(result))


if __name__ == "__main__":
    main()
