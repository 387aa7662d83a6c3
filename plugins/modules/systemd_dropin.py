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
      - A template such as V(getty@.service) stands for all its instances.
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
        directive, as systemd has it.
      - Required with O(state=present).
    type: dict
    default: {}
  state:
    description:
      - With V(absent) the file is removed, and its folder if nothing else is in it.
    type: str
    choices: [present, absent]
    default: present
  runtime:
    description:
      - Write below C(/run), where the drop-in lasts until the next boot.
    type: bool
    default: false
  force:
    description:
      - Replace or remove a file of that name which this module did not write.
      - A backup is kept beside it, under a name that systemd does not read.
    type: bool
    default: false
  reload:
    description:
      - When to have systemd read its files again. With V(needed), when the file has changed, or systemd says that it
        has not read the newest one.
    type: str
    choices: [needed, never, always]
    default: needed
  verify:
    description:
      - Fail where a setting is not in force afterwards.
    type: bool
    default: true
notes:
  - On a host that was not booted with systemd, such as an image being built, the file is written and RV(effective)
    is empty.
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
  returned: when O(state=present) and systemd runs
  type: dict
  sample:
    Service:
      OOMPolicy: continue
overridden_by:
  description:
    - Each directive that is not in force as asked for, with the value that is, and the drop-in that sets it.
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
active_state:
  description: The state of the unit, V(null) where no systemd runs.
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
  description: Whether the change holds a setting that running processes get only when they are started again.
  returned: always
  type: bool
"""

import contextlib
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.oomguard.linux.plugins.module_utils._command import run
from ansible_collections.oomguard.linux.plugins.module_utils._errors import OomguardError
from ansible_collections.oomguard.linux.plugins.module_utils._files import lock
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.dropin import (
    DropinError,
    Plan,
    State,
    Wanted,
    effective,
    make_plan,
    not_in_force,
    overriding_file,
    restart_required,
    verify,
)
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.unit import Systemd
from ansible_collections.oomguard.linux.plugins.module_utils._text import neutralise_all


def main() -> None:
    """Observe, plan, apply, verify."""
    module = AnsibleModule(
        argument_spec={
            "unit": {"type": "str", "required": True},
            "name": {"type": "str", "default": "50-oomguard"},
            "settings": {"type": "dict", "default": {}},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "runtime": {"type": "bool", "default": False},
            "force": {"type": "bool", "default": False},
            "reload": {"type": "str", "choices": ["needed", "never", "always"], "default": "needed"},
            "verify": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    try:
        wanted = wanted_from(module.params)
        systemd = Systemd(run=run)
        with contextlib.nullcontext() if module.check_mode else lock("systemd"):
            state = systemd.observe(wanted)
            plan = make_plan(state, wanted)
            systemd.validate(plan, state, wanted)
            pending = plan.changed and module.check_mode
            if plan.changed and not pending:
                systemd.apply(plan)
                state = systemd.observe(wanted)
            if module.params["verify"] and not pending and not state.reload_required:
                verify(state, wanted)
    except OomguardError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=plan.changed, diff=plan.diff, **neutralise_all(result(state, plan, wanted)))


def wanted_from(params: t.Mapping[str, t.Any]) -> Wanted:
    """Return what the module's parameters ask for. Raises DropinError."""
    return Wanted(
        unit=params["unit"],
        name=params["name"],
        settings={
            section: {directive: values_of(value) for directive, value in directives.items()}
            for section, directives in sections_of(params["settings"])
        },
        present=params["state"] == "present",
        runtime=params["runtime"],
        force=params["force"],
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


def values_of(value: t.Any) -> tuple[str, ...]:
    """Return the values of one directive as unit files write them: booleans as yes and no, numbers in digits."""
    values = value if isinstance(value, list) else [value]
    return tuple({True: "yes", False: "no"}[item] if isinstance(item, bool) else str(item) for item in values)


def result(state: State, plan: Plan, wanted: Wanted) -> dict[str, t.Any]:
    """Return the module's result beside `changed` and `diff`."""
    return {
        "path": str(state.path),
        "effective": effective(state, wanted.settings) if state.booted and wanted.present else {},
        "overridden_by": [
            {
                "section": section,
                "directive": directive,
                "value": value,
                "path": overriding_file(state, section, directive),
            }
            for section, directive, value in not_in_force(state, wanted)
        ],
        "active_state": state.properties.get("ActiveState"),
        "unit_result": state.properties.get("Result"),
        "reload_required": state.reload_required,
        "restart_required": restart_required(state, plan),
    }


if __name__ == "__main__":
    main()
