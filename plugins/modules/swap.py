#!/usr/bin/python
# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module swap: its documentation, its argument spec and its result."""

from __future__ import annotations

DOCUMENTATION = r"""
module: swap
short_description: Bring the total swap of a running host to a target size
version_added: 1.0.0
description:
  - Brings the total swap of a running host to a target size. Swap areas that this module did not create count toward
    the total.
  - To grow, the module adds a swap file for the difference. Nothing is switched off, so nothing has to fit into memory.
    The change takes as long as the filesystem needs to allocate the space, usually milliseconds. Zeros are written only
    if the kernel cannot swap to blocks that were never written (ext2 and ext3, xfs before Linux 4.18, and ext4 on Linux
    5.7 and 5.8).
  - To shrink, or to change a priority, the module puts the new area into use before it switches off the old one. It
    switches off the old area first only if the total is to shrink and the disk has no room for both.
  - An area is switched off only if its contents fit into the available memory and into the other areas. Otherwise the
    module fails before it changes anything, and reports the numbers.
  - Files of this module have the swap label V(oomguard) in their header. The module never switches off, changes or
    removes any other area, and never overwrites any other file at O(path). Only O(state=disabled) switches off all
    areas.
  - The module fails before it changes anything, also in check mode, if C(/etc/fstab), a unit, a swap file or its
    directory is immutable, append-only or on a filesystem that is mounted read-only, or if a program is missing.
  - After each step, the host works and can boot. If a run is interrupted, the next run completes it.
author:
  - oomguard contributors (@oomguard)
extends_documentation_fragment:
  - oomguard.linux.attributes.changing
attributes:
  diff_mode:
    description: Returns the swap areas, fstab and units before and after the change.
  platform:
    description: Linux 3.14 and later, on physical and virtual machines. In a container, swap belongs to the host.
options:
  size:
    description:
      - The total swap of the host, as the kernel counts it in C(SwapTotal). Each file is one page larger, for its
        header. A difference of up to 1 MiB is ignored. The minimum is 2 MiB.
      - A number, optionally followed by a unit, with or without a space between them. V(K), V(M), V(G), V(T), V(P) and
        V(E), also written V(KiB) and so on, are powers of 1024. V(KB) and so on are powers of 1000. V(B), or no unit,
        means bytes. Units are not case-sensitive. A fraction such as V(1.5G) is valid if it is a whole number of bytes.
        Signs and exponents are not supported.
      - A percentage of the RAM, such as V(200%), from V(1%) to V(1000%). The RAM is C(MemTotal) of C(/proc/meminfo).
      - If V(auto), twice the RAM, but no more than 4 GiB. With more than 4 GiB of RAM, as much as the RAM, but no more
        than 8 GiB. A leak fills any amount of swap, and a disk takes minutes to take in more than that, while the host
        is of no use.
      - For V(auto) and percentages, a difference of up to a 32nd is ignored, because another kernel sees some more or
        less RAM.
      - The size is rounded up to whole pages.
      - Required if O(state=present).
    type: str
  fit:
    description:
      - Whether to add less swap than O(size) requires if the disk has no room for it. The new file then takes what is
        free except for O(reserve). The module warns of the difference, and returns it in RV(fit).
      - A file is added only if it provides at least 64 MiB and a quarter of the swap that the host has, because the
        kernel supports only some 30 areas. A later run adds another file once there is more room.
      - Files that have to be replaced, because of another O(priority) or with O(mode=exact), are never replaced by
        smaller ones than requested.
    type: bool
    default: false
  path:
    description:
      - The absolute path of the swap file, without symbolic links.
      - If this name is taken by an area in use, or if one file is not enough, the module also uses V(/swapfile.1),
        V(/swapfile.2) and so on.
      - The name of its systemd unit, as C(systemd-escape --path) builds it, may have up to 242 characters.
      - The directory must exist, on ext2, ext3, ext4, xfs or btrfs. Only root may have write permission for it and for
        the directories above it. The filesystem must be on one device. A btrfs subvolume must not have snapshots, since
        no more could be taken while a swap file is in use.
      - On a host with SELinux, the files get the type C(swapfile_t). If the policy does not know the path, add a rule
        with C(semanage fcontext) so that relabelling keeps the type.
      - While zeros are written, the length of C(.swapfile.oomguard) in the same directory shows the progress.
    type: str
    default: /swapfile
  mode:
    description:
      - If V(at_least), a host that has more swap keeps it.
      - If V(exact), the files of this module at O(path) are replaced by smaller ones or removed to reduce the total to
        O(size).
    type: str
    choices: [at_least, exact]
    default: at_least
  priority:
    description:
      - The priority of the files of this module at O(path), from 0 to 32767. The kernel fills areas with a higher
        priority first.
      - If omitted, the kernel gives each new area a lower priority than the one before, and the module accepts any
        priority.
    type: int
  options:
    description:
      - More options of the files of this module at O(path), such as V(discard), V(discard=once) or
        V(x-systemd.device-timeout=5). See C(swapon(8)) and C(systemd.swap(5)). They are used when a file is switched
        on, and written to the line in C(/etc/fstab) or to the unit.
      - V(nofail) is always set. V(noauto) and V(pri) are not supported. Use O(persist=none) and O(priority) instead.
      - A file in use keeps the options that it was switched on with until the next boot. The module warns of that.
      - The module warns if the kernel's log shows that it does not discard free blocks although V(discard) is set.
    type: list
    elements: str
    default: []
  persist:
    description:
      - How the swap files are put into use at boot.
      - If V(fstab), with one line in C(/etc/fstab) for each file, with C(nofail), so that the host boots even if a file
        is missing. A line for such a file that has other options is rewritten.
      - If V(systemd), with one swap unit for each file. This is for hosts on which other tools manage fstab.
      - If V(none), not at all.
      - Lines and units for files of this module that do not match this option are removed.
      - Unless this is V(none), the module fails before it changes anything if systemd would not put the files into use
        at boot. That is the case if C(swap.target) or the unit of a file is masked, or if the kernel's command line
        or a masked generator keeps systemd from reading C(/etc/fstab).
      - The module warns if another area counts toward O(size) now, but neither C(/etc/fstab) nor a unit names it.
    type: str
    choices: [fstab, systemd, none]
    default: fstab
  state:
    description:
      - If V(present), the host has the requested swap.
      - If V(absent), the files of this module at O(path), and at the numbered names that follow it, are switched off
        and removed with their lines in fstab and their units. If the directory of O(path) no longer exists, the
        remaining lines and units are removed. If a file has lost its label, for example because somebody ran C(mkswap)
        on it, it stays in use, and the module warns of it.
      - If V(disabled), the host has no swap at all, now and after the next boot, as nodes of Kubernetes require. The
        files of this module at O(path) are removed. All other areas, including zram, are switched off but not removed.
        Their lines in C(/etc/fstab) become comments that begin with V(# Disabled by oomguard.linux.swap:), and
        C(swap.target) is masked. The module fails before it changes anything if the contents of the areas do not fit
        into the available memory minus O(reserve). It warns of areas that a service may switch on again.
      - To leave V(disabled), remove that text in C(/etc/fstab), and run C(systemctl unmask swap.target). While
        C(swap.target) is masked, O(state=present) fails.
    type: str
    choices: [present, absent, disabled]
    default: present
  reserve:
    description:
      - The space that must stay free on the disk when a file is created, and the available memory that must remain when
        an area is switched off. The format is that of O(size).
    type: str
    default: 256M
  count_zram:
    description:
      - Whether zram counts toward O(size). By default it does not, because it is compressed memory and not additional
        space. All other areas in C(/proc/swaps) count, whoever created them. Zram is recognised by its path, which
        begins with V(/dev/zram).
    type: bool
    default: false
  force:
    description:
      - Whether to use or remove a file even if it holds the image of a hibernated system, or if the host hibernates to
        it (C(resume=), C(resume_offset=)). A system that is hibernated there is lost. After a removal, change both
        settings.
    type: bool
    default: false
notes:
  - Requires mkswap, swapon, swapoff and findmnt of util-linux. On btrfs, chattr and btrfs are also required.
  - Switching off a large area in use takes long, because the kernel reads it back. Use C(async) on the task so that it
    does not depend on the connection.
  - C(journalctl MESSAGE_ID=b79d262c985347b88d24b705bf34d6f3) shows the changes that this module has made.
seealso:
  - name: swapon(8)
    description: The files that the kernel accepts as swap.
    link: https://man7.org/linux/man-pages/man8/swapon.8.html
"""

EXAMPLES = r"""
- name: Have at least 10 GiB of swap
  oomguard.linux.swap:
    size: 10G

- name: Have exactly 4 GiB of swap, with the file on a filesystem that has more room
  oomguard.linux.swap:
    size: 4G
    mode: exact
    path: /srv/swapfile

- name: Have at least 2 GiB of swap until the next boot
  oomguard.linux.swap:
    size: 2G
    persist: none

- name: Grow on a slow disk that needs zeros, independently of the connection
  oomguard.linux.swap:
    size: 10G
    path: /srv/ext3/swapfile
  async: 3600
  poll: 15

- name: Have as much swap as suits the RAM, or less if the disk has no room for it
  oomguard.linux.swap:
    size: auto
    fit: true

- name: Have twice as much swap as RAM, and tell the solid-state disk which blocks are free
  oomguard.linux.swap:
    size: 200%
    options: [discard]

- name: Have no swap at all, as a node of Kubernetes
  oomguard.linux.swap:
    state: disabled

- name: Remove the swap files that this module created
  oomguard.linux.swap:
    state: absent
"""

RETURN = r"""
plan:
  description:
    - The steps that were taken, in order. In check mode, the steps that would be taken.
    - Each step has the keys C(step) (V(clear_leftover), V(protect), V(create), V(enable), V(write_unit), V(persist),
      V(remove_unit), V(mask), V(disable) or V(remove)) and C(path), and the figures of the step, such as C(size_bytes).
    - In a V(create) step, C(zeros_bytes) is the number of zeros that had to be written. It is V(0) if the filesystem
      could allocate the space.
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
      description: The size of all areas that count toward O(size).
      type: int
    used_bytes:
      description: The part of RV(ignore:total_bytes) that is in use.
      type: int
    areas:
      description: All areas in use, including zram.
      type: list
      elements: dict
      contains:
        path:
          description: The path of the file or device.
          type: str
        type:
          description: V(file) or V(partition).
          type: str
        size_bytes:
          description: The swap that the area provides, without its header.
          type: int
        used_bytes:
          description: The part of the area that is in use.
          type: int
        priority:
          description: The priority. In check mode, V(null) for a new area if the kernel will choose it.
          type: int
        counted:
          description: Whether the area counts toward O(size).
          type: bool
after:
  description: The swap of the host after the change. In check mode, the expected swap.
  returned: always
  type: dict
  contains: *contents
size_bytes:
  description: The total swap that O(size) stands for on this host, V(0) unless O(state=present).
  returned: always
  type: int
  sample: 10737418240
fit:
  description: To what O(size) was reduced because of O(fit), V(null) if it was not.
  returned: always
  type: dict
  contains:
    requested_bytes:
      description: The total swap that was requested.
      type: int
    fitted_bytes:
      description: The total swap that the host has instead. In check mode, that it would have.
      type: int
    disk_free_bytes:
      description: The free space on the disk before the change.
      type: int
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._change import bring
from ..module_utils._command import run
from ..module_utils._errors import OomguardError
from ..module_utils._journald import Journald
from ..module_utils._params import check_texts
from ..module_utils._safe import neutralise, neutralise_all
from ..module_utils._size import parse_size
from ..module_utils._swap.change import SwapChange
from ..module_utils._swap.host import Host
from ..module_utils._swap.observe import observe_ram
from ..module_utils._swap.plan import Plan
from ..module_utils._swap.state import Area
from ..module_utils._swap.wanted import SLACK_BYTES, Target, Wanted, parse_target


def main() -> None:
    """Bring the swap of the host to the requested state, and return what changed."""
    module = AnsibleModule(
        argument_spec={
            "size": {"type": "str"},
            "path": {"type": "str", "default": "/swapfile"},
            "mode": {"type": "str", "choices": ["at_least", "exact"], "default": "at_least"},
            "priority": {"type": "int"},
            "persist": {"type": "str", "choices": ["fstab", "systemd", "none"], "default": "fstab"},
            "options": {"type": "list", "elements": "str", "default": []},
            "state": {"type": "str", "choices": ["present", "absent", "disabled"], "default": "present"},
            "fit": {"type": "bool", "default": False},
            "reserve": {"type": "str", "default": "256M"},
            "count_zram": {"type": "bool", "default": False},
            "force": {"type": "bool", "default": False},
        },
        required_if=[("state", "present", ["size"])],
        supports_check_mode=True,
    )
    try:
        check_texts(module.params, module.argument_spec)
        wanted = build_wanted(module.params)
        change = SwapChange(wanted=wanted, host=Host(), run=run)
        state, plan = bring(change, check_mode=module.check_mode, journal=Journald(silent=module.no_log))
    except OomguardError as error:
        module.fail_json(msg=str(error))

    after = state.areas
    if module.check_mode:
        after = plan.after
    for warning in plan.warnings:
        module.warn(neutralise(warning))

    result = neutralise_all(build_result(plan, after, wanted))
    module.exit_json(changed=plan.changed, diff=plan.diff, **result)


def build_wanted(params: t.Mapping[str, t.Any]) -> Wanted:
    """Return what the parameters of the module ask for on this host. Raises SizeError or SwapError."""
    return resolve_wanted(params, ram_bytes=observe_ram(Host()))


def resolve_wanted(params: t.Mapping[str, t.Any], *, ram_bytes: int) -> Wanted:
    """Return what the parameters of the module ask for on a host with this much RAM. Raises SizeError or SwapError."""
    present = params["state"] == "present"
    target = Target(size_bytes=0, slack_bytes=SLACK_BYTES)
    if present:
        target = parse_target(params["size"], ram_bytes)

    return Wanted(
        path=params["path"],
        present=present,
        size_bytes=target.size_bytes,
        slack_bytes=target.slack_bytes,
        exact=params["mode"] == "exact",
        priority=params["priority"],
        persist=params["persist"],
        reserve_bytes=parse_size(params["reserve"]),
        # To a host that is to have no swap, zram is swap like any other.
        count_zram=params["count_zram"] or params["state"] == "disabled",
        force=params["force"],
        fit=params["fit"],
        options=tuple(params["options"]),
        disabled=params["state"] == "disabled",
    )


def build_result(plan: Plan, after: t.Sequence[Area], wanted: Wanted) -> dict[str, t.Any]:
    """Return the module's result, except `changed` and `diff`."""
    return {
        "plan": [step.as_dict() for step in plan.steps],
        "before": describe_areas(plan.before, wanted),
        "after": describe_areas(after, wanted),
        "size_bytes": wanted.size_bytes,
        "fit": plan.fit,
    }


def describe_areas(areas: t.Sequence[Area], wanted: Wanted) -> dict[str, t.Any]:
    """Return `areas`, and the sums of those that count toward the total, as plain data."""
    return {
        "total_bytes": wanted.sum_size(areas),
        "used_bytes": wanted.sum_used(areas),
        "areas": [describe_area(area, wanted) for area in areas],
    }


def describe_area(area: Area, wanted: Wanted) -> dict[str, t.Any]:
    """Return `area` as plain data."""
    return {
        "path": area.path,
        "type": area.type,
        "size_bytes": area.size_bytes,
        "used_bytes": area.used_bytes,
        "priority": area.priority,
        "counted": wanted.is_counted(area),
    }


if __name__ == "__main__":
    main()
