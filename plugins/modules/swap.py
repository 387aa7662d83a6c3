#!/usr/bin/python
# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module swap: its documentation, its argument spec and the way through it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: swap
short_description: Bring the total swap of a host to a target, without ever having less
version_added: 1.0.0
description:
  - Brings the swap of a running host to a total, counting partitions and files that others have made.
  - To grow, it adds a swap file for the difference. Nothing is switched off, so nothing has to fit into memory, and the
    change takes as long as the filesystem needs to set the room aside, mostly milliseconds. Zeros are written where
    the kernel would not swap to anything less (ext2, ext3; xfs before Linux 4.18; ext4 of Linux 5.7 and 5.8).
  - To shrink, or to change a priority, the new area is in use before the old one is switched off. Only where the host
    is to have less, and the disk has no room for both, does the old one go first.
  - An area is switched off only if what it holds fits into the memory available and into the other areas; otherwise the
    module fails before it changes anything, and says the numbers.
  - Files of this module carry the swap label V(oomguard) in their header. No other area is ever switched off, changed
    or removed, and no other file is ever written to.
  - Each step leaves a host that works and boots. A run that was interrupted at any step is completed by the next one.
author:
  - oomguard contributors (@oomguard)
attributes:
  check_mode:
    description: Shows the plan with its numbers, and does nothing.
    support: full
  diff_mode:
    description: Shows the swap areas, fstab and units before and after.
    support: full
  idempotent:
    description: A second run changes nothing.
    support: full
  platform:
    description: Linux 3.14 and later, on a host or a virtual machine. In a container swap belongs to the host.
    support: full
    platforms: posix
options:
  size:
    description:
      - The swap that the host shall have in all, as the kernel counts it in C(SwapTotal). The files themselves are a
        page larger, for their headers. A difference of up to 1 MiB is none. The least is 2 MiB.
      - A number, and behind it a unit or a blank and a unit. V(K), V(M), V(G), V(T), V(P) and V(E), also as V(KiB) and
        so on, are powers of 1024; V(KB) and so on are powers of 1000; V(B) or none is bytes. Case does not matter. A
        fraction such as V(1.5G) is fine where it comes to whole bytes. There are no signs, exponents and percentages.
      - Rounded up to whole pages.
      - Required with O(state=present).
    type: str
  path:
    description:
      - The swap file, in full, without symbolic links.
      - Where it is taken by an area in use, or one file is not enough, the names that follow are V(/swapfile.1),
        V(/swapfile.2) and so on.
      - The folder has to exist, on ext2, ext3, ext4, xfs or btrfs, and none but root may be able to write to it or
        to one above it. The filesystem has to be on one device; a btrfs subvolume may not have snapshots, since no more
        could be taken of it.
      - Where SELinux is, the files get the type C(swapfile_t). For a path that the policy does not know, add a rule
        with C(semanage fcontext), so that a relabelling keeps it.
      - While zeros are written, the length of C(.swapfile.oomguard) beside it tells how far they are.
    type: str
    default: /swapfile
  mode:
    description:
      - With V(at_least), a host that has more keeps it.
      - With V(exact), the files of this module at O(path) are made smaller or removed to come down to O(size).
    type: str
    choices: [at_least, exact]
    default: at_least
  priority:
    description:
      - The priority of the files of this module at O(path), from 0 to 32767; the kernel fills areas with a higher one
        first.
      - Without it the kernel gives each area a lower priority than the one before, and any priority is accepted.
    type: int
  persist:
    description:
      - How the files are in use again after a boot. With V(fstab), by one line for each, with C(nofail), so that a lost
        file does not keep the host from booting. A line of such a file that says something else is written anew.
      - With V(systemd), by a swap unit for each, for hosts where fstab belongs to something else.
      - With V(none), they are not. Lines and units for files of this module that are not asked for are removed.
    type: str
    choices: [fstab, systemd, none]
    default: fstab
  state:
    description:
      - With V(absent), the files of this module at O(path) and the names that follow are switched off and removed, with
        their lines in fstab. Where the folder of O(path) is gone, the lines or a unit may still be there, and go.
    type: str
    choices: [present, absent]
    default: present
  reserve:
    description:
      - What has to stay free on the disk when a file is made, and of the memory available when an area is switched off.
        Written as O(size) is.
    type: str
    default: 256M
  count_zram:
    description:
      - Whether zram counts toward O(size). By default it does not, since it is compressed memory and not room beside.
    type: bool
    default: false
  force:
    description:
      - Use or remove a file even where it holds the image of a hibernated system, or where the host hibernates to it
        (C(resume=), C(resume_offset=)). What is hibernated there is lost, and after a removal these two have to be set
        anew.
    type: bool
    default: false
notes:
  - Needs mkswap, swapon, swapoff and findmnt of util-linux; for btrfs also chattr and btrfs.
  - What takes long is reading back a large area that is in use. With C(async) on the task it does not depend on the
    connection.
seealso:
  - name: swapon(8)
    description: Which files the kernel takes as swap.
    link: https://man7.org/linux/man-pages/man8/swapon.8.html
"""

EXAMPLES = r"""
- name: Have 10 GiB of swap at least, whatever there is already
  oomguard.linux.swap:
    size: 10G

- name: Have exactly 4 GiB, on a filesystem with more room
  oomguard.linux.swap:
    size: 4G
    mode: exact
    path: /srv/swapfile

- name: Have swap for this boot only
  oomguard.linux.swap:
    size: 2G
    persist: none

- name: Grow by zeros on a slow disk, whatever becomes of the connection
  oomguard.linux.swap:
    size: 10G
    path: /srv/ext3/swapfile
  async: 3600
  poll: 15

- name: Remove the swap files that this module has made
  oomguard.linux.swap:
    state: absent
"""

RETURN = r"""
plan:
  description:
    - The steps taken, in order; in check mode, those that would be taken.
    - Each has the keys C(step) (V(clear_leftover), V(protect), V(create), V(enable), V(write_unit), V(persist),
      V(remove_unit), V(disable) or V(remove)) and C(path), and the numbers that belong to it, such as C(size_bytes).
    - In V(create), C(zeros_bytes) is what had to be written, V(0) where the filesystem could set the room aside.
  returned: always
  type: list
  elements: dict
  sample:
    - step: create
      path: /swapfile.1
      size_bytes: 9663676416
      zeros_bytes: 0
    - step: enable
      path: /swapfile.1
      size_bytes: 9663676416
      priority: null
    - step: persist
      path: /etc/fstab
before:
  description: The swap of the host before the change.
  returned: always
  type: dict
  contains: &contents
    total_bytes:
      description: The swap that counts toward O(size).
      type: int
    used_bytes:
      description: What of it is in use.
      type: int
    areas:
      description: All areas in use, zram too.
      type: list
      elements: dict
      contains:
        path:
          description: The file or the device.
          type: str
        type:
          description: V(file) or V(partition).
          type: str
        size_bytes:
          description: What the area offers, without its header.
          type: int
        used_bytes:
          description: What of it is in use.
          type: int
        priority:
          description: The priority, V(null) in check mode for an area that the kernel has yet to give one.
          type: int
        counted:
          description: Whether it counts toward O(size).
          type: bool
after:
  description: The swap of the host after the change; in check mode, what it would be.
  returned: always
  type: dict
  contains: *contents
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._command import run
from ..module_utils._errors import OomguardError
from ..module_utils._safe import neutralise
from ..module_utils._size import parse_size
from ..module_utils._swap.apply import bring
from ..module_utils._swap.observe import Host
from ..module_utils._swap.plan import Plan
from ..module_utils._swap.state import Area
from ..module_utils._swap.wanted import Wanted


def main() -> None:
    """Observe, plan, apply, verify."""
    module = AnsibleModule(
        argument_spec={
            "size": {"type": "str"},
            "path": {"type": "str", "default": "/swapfile"},
            "mode": {"type": "str", "choices": ["at_least", "exact"], "default": "at_least"},
            "priority": {"type": "int"},
            "persist": {"type": "str", "choices": ["fstab", "systemd", "none"], "default": "fstab"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "reserve": {"type": "str", "default": "256M"},
            "count_zram": {"type": "bool", "default": False},
            "force": {"type": "bool", "default": False},
        },
        required_if=[("state", "present", ["size"])],
        supports_check_mode=True,
    )
    try:
        wanted = wanted_from(module.params)
        plan, after = bring(wanted, Host(), run, pretend=module.check_mode)
    except OomguardError as error:
        module.fail_json(msg=str(error))
    for warning in plan.warnings:
        module.warn(warning)
    module.exit_json(changed=plan.changed, diff=plan.diff, **result(plan, after, wanted))


def wanted_from(params: t.Mapping[str, t.Any]) -> Wanted:
    """Return what the module's parameters ask for. Raises SizeError or SwapError."""
    present = params["state"] == "present"
    return Wanted(
        path=params["path"],
        present=present,
        size_bytes=parse_size(params["size"]) if present else 0,
        exact=params["mode"] == "exact",
        priority=params["priority"],
        persist=params["persist"],
        reserve_bytes=parse_size(params["reserve"]),
        count_zram=params["count_zram"],
        force=params["force"],
    )


def result(plan: Plan, after: t.Sequence[Area], wanted: Wanted) -> dict[str, t.Any]:
    """Return the module's result beside `changed` and `diff`."""
    return {
        "plan": [step.as_dict() for step in plan.steps],
        "before": described(plan.before, wanted),
        "after": described(after, wanted),
    }


def described(areas: t.Sequence[Area], wanted: Wanted) -> dict[str, t.Any]:
    """Return `areas`, and the sums of those that count, as plain data."""
    return {
        "total_bytes": wanted.total_bytes(areas),
        "used_bytes": sum(area.used_bytes for area in areas if wanted.counts(area)),
        "areas": [
            {
                "path": neutralise(area.path),
                "type": area.type,
                "size_bytes": area.size_bytes,
                "used_bytes": area.used_bytes,
                "priority": area.priority,
                "counted": wanted.counts(area),
            }
            for area in areas
        ],
    }


if __name__ == "__main__":
    main()
