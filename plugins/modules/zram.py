#!/usr/bin/python
# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module zram: its documentation, its argument spec and its result."""

from __future__ import annotations

DOCUMENTATION = r"""
module: zram
short_description: Use compressed memory as swap with zram-generator
version_added: 1.0.0
description:
  - Brings the compressed swap area C(/dev/zram0) of a running host to a size, priority and compression algorithm. It
    configures systemd's zram-generator, so that the area is set up at each boot, and sets it up now.
  - A device in use cannot be changed. To change it, the module switches it off and sets it up anew. It does so only if
    its contents fit into the available memory and the other swap areas. Otherwise the module fails before it changes
    anything, and reports the numbers.
  - The module compares the device that is in use with the request, not only the configuration. If another file
    overrides the configuration, or if the kernel does not support the algorithm, the module puts the old configuration
    back and fails.
  - Zram holds more data in the same RAM, but it does not add room for memory that does not compress. Use
    M(oomguard.linux.swap) for room on the disk.
author:
  - oomguard contributors (@oomguard)
extends_documentation_fragment:
  - oomguard.linux.attributes.changing
attributes:
  diff_mode:
    description: Returns the device and its configuration before and after the change.
options:
  size:
    description:
      - The size of the device, that is the memory that fits into it before compression. Either a percentage of RAM from
        V(1%) to V(1000%), or a size as for O(oomguard.linux.swap#module:size).
      - zram-generator evaluates a percentage at each boot. A difference of up to 16 MiB is ignored.
    type: str
    default: 50%
  maximum:
    description:
      - The largest size of the device, whatever O(size) is.
    type: str
    default: 4G
  algorithm:
    description:
      - The compression algorithm, one of those that the kernel supports, such as V(zstd) or V(lz4). If omitted, a new
        device gets the kernel's default, and an existing device keeps its own.
    type: str
  priority:
    description:
      - The priority, from 0 to 32767. The kernel fills areas with a higher priority first, so it must be higher than
        that of swap on disks. Areas without an explicit priority have a negative one.
    type: int
    default: 100
  reserve:
    description:
      - The available memory that must remain when the device is switched off.
    type: str
    default: 64M
  state:
    description:
      - If V(present), the device is in use.
      - If V(absent), the device is switched off. If zram-generator is installed, it is configured accordingly, because
        the package sets up C(/dev/zram0) by default.
    type: str
    choices: [present, absent]
    default: present
notes:
  - Requires zram-generator. On Debian 12 and later, it is in the package C(systemd-zram-generator).
  - C(journalctl MESSAGE_ID=0510002222e14e24b9da90d44f33d03d) shows the changes that this module has made.
seealso:
  - module: oomguard.linux.swap
  - name: zram-generator.conf(5)
    description: The configuration of zram-generator.
    link: https://github.com/systemd/zram-generator
"""

EXAMPLES = r"""
- name: Use up to half of the RAM as compressed swap
  oomguard.linux.zram:

- name: Compress as much as the RAM holds, at most 2 GiB, with zstd
  oomguard.linux.zram:
    size: 100%
    maximum: 2G
    algorithm: zstd

- name: Switch zram off, now and at boot
  oomguard.linux.zram:
    state: absent
"""

RETURN = r"""
plan:
  description:
    - The steps that were taken, in order. In check mode, the steps that would be taken.
    - Each step has the keys C(step) (V(write_config), V(stop) or V(start)) and C(path).
  returned: always
  type: list
  elements: dict
  sample:
    - step: write_config
      path: /etc/systemd/zram-generator.conf.d/50-oomguard.conf
    - step: start
      path: /dev/zram0
before:
  description: The device before the change, V(null) if it was not in use as swap.
  returned: always
  type: dict
  contains: &contents
    size_bytes:
      description: The memory that fits into the device before compression.
      type: int
    used_bytes:
      description: The memory that the device holds, before compression.
      type: int
    memory_bytes:
      description: The RAM that the device occupies, its own overhead included.
      type: int
    priority:
      description: The priority.
      type: int
    algorithm:
      description: The compression algorithm. In check mode, V(null) for a new device with the kernel's default.
      type: str
after:
  description: The device after the change, V(null) if it is not in use as swap. In check mode, the expected device.
  returned: always
  type: dict
  contains: *contents
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._change import bring
from ..module_utils._command import run
from ..module_utils._errors import OomguardError
from ..module_utils._journald import Journald
from ..module_utils._safe import neutralise_all
from ..module_utils._size import parse_size
from ..module_utils._zram.change import ZramChange
from ..module_utils._zram.model import Device, Wanted, parse_share
from ..module_utils._zram.observe import Host


def main() -> None:
    """Bring the compressed swap area of the host to the requested state, and return what changed."""
    module = AnsibleModule(
        argument_spec={
            "size": {"type": "str", "default": "50%"},
            "maximum": {"type": "str", "default": "4G"},
            "algorithm": {"type": "str"},
            "priority": {"type": "int", "default": 100},
            "reserve": {"type": "str", "default": "64M"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        supports_check_mode=True,
    )
    try:
        change = ZramChange(wanted=build_wanted(module.params), host=Host(run=run))
        state, plan = bring(change, check_mode=module.check_mode, journal=Journald(silent=module.no_log))
    except OomguardError as error:
        module.fail_json(msg=str(error))

    after = state.device
    if module.check_mode:
        after = plan.after
    result = {"plan": plan.steps, "before": describe_device(plan.state.device), "after": describe_device(after)}
    module.exit_json(changed=plan.changed, diff=plan.diff, **neutralise_all(result))


def build_wanted(params: t.Mapping[str, t.Any]) -> Wanted:
    """Return what the parameters of the module ask for. Raises SizeError or ZramError."""
    return Wanted(
        present=params["state"] == "present",
        share=parse_share(params["size"]),
        maximum_bytes=parse_size(params["maximum"]),
        algorithm=params["algorithm"] or "",
        priority=params["priority"],
        reserve_bytes=parse_size(params["reserve"]),
    )


def describe_device(device: Device | None) -> dict[str, t.Any] | None:
    """Return `device` as plain data."""
    if device is None:
        return None

    return {
        "size_bytes": device.size_bytes,
        "used_bytes": device.used_bytes,
        "memory_bytes": device.memory_bytes,
        "priority": device.priority,
        "algorithm": device.algorithm or None,
    }


if __name__ == "__main__":
    main()
