#!/usr/bin/python
# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module oom_info: its documentation, its argument spec and the way through it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: oom_info
short_description: Find every OOM kill on a host, and explain it
version_added: 1.0.0
description:
  - Finds the OOM kills of the kernel, of systemd-oomd, earlyoom and nohang in the systemd journal of all boots.
  - Reads the whole report of each, ties it to the systemd unit it happened in and to what became of that unit, and says
    why it happened and what helps.
  - Kills are found through the journal's index, so that the size of the journal hardly matters. All that the kernel
    logged is read only in a journal whose records have no priority, or where systemd noticed a kill that is not among
    them.
  - Only records that the kernel itself and systemd itself wrote are believed. What poses as theirs is counted in
    RV(coverage.untrusted).
  - That there is no OOM kill is a success with empty RV(events). That the journal could not be looked at is a failure.
author:
  - oomguard contributors (@oomguard)
attributes:
  check_mode:
    description: Nothing is ever changed.
    support: full
  diff_mode:
    description: Nothing is ever changed.
    support: none
  idempotent:
    description: Nothing is ever changed.
    support: full
  platform:
    description: Linux with systemd's journal, or text logs.
    support: full
    platforms: posix
options:
  since:
    description:
      - The start of the time to look at, as C(journalctl --since) takes it, such as V(-7d), V(yesterday) or
        V(2026-11-23 06:00:00).
      - Mutually exclusive with O(after_cursor).
    type: str
  until:
    description:
      - The end of the time to look at, as C(journalctl --until) takes it.
    type: str
  boot:
    description:
      - The boot to look at, V(all) of them, V(0) for the current one, V(-1) for the one before, or a boot's identifier.
    type: str
    default: all
  after_cursor:
    description:
      - Look only at what the journal received after this cursor, the RV(coverage.cursor) of an earlier run.
    type: str
  journal_directory:
    description:
      - Read the journal files in this folder, such as what C(systemd-journal-remote) collects of other hosts, instead
        of the host's own journal.
    type: path
  journal_namespace:
    description:
      - Read the journal of this namespace.
    type: str
  log_files:
    description:
      - Read these text logs instead of the journal. The output of C(dmesg) and C(journalctl), C(kern.log) and the like;
        a name that ends in C(.gz), C(.bz2) or C(.xz) is decompressed, and one in C(.zst) by Python 3.14 and later.
      - What is not a regular file, such as C(/dev/kmsg), is refused, as reading it might never end.
      - An empty list is refused, too, since then nothing would have been looked at.
      - The events of all files are in the order of their times. Where a log tells no year or no time zone, they are in
        the order of the files, which then should be named the oldest first.
      - An event that several files tell of, at the same time and of the same host, is returned and counted once, which
        RV(coverage.notes) say.
      - Text does not prove who wrote it, so RV(events[].trusted) is V(false).
      - Mutually exclusive with O(since), O(until), O(after_cursor), O(journal_directory) and O(journal_namespace), and
        with another O(boot) than V(all).
    type: list
    elements: path
  tasks:
    description:
      - Which of the kernel's task table to return. The sums are of all tasks in any case.
    type: str
    choices: [top, all, none]
    default: top
  top:
    description:
      - How many tasks, and names of tasks, to return with O(tasks=top), the largest first. V(0) or more.
    type: int
    default: 10
  limit:
    description:
      - How many events to return, those that a service went down with first, then the newest; V(1) or more.
        RV(summary) counts all.
    type: int
    default: 100
  timeout:
    description:
      - Fail when the journal does not answer a query within that many seconds, V(1) or more. What hangs is killed.
    type: int
    default: 300
seealso:
  - module: oomguard.linux.systemd_dropin
  - module: oomguard.linux.swap
  - module: oomguard.linux.fcgid_config
"""

EXAMPLES = r"""
- name: Find and explain every OOM kill that the journal knows of
  oomguard.linux.oom_info:
  register: oom

- name: Show what happened
  ansible.builtin.debug:
    msg: "{{ oom.events | map(attribute='diagnosis.summary') }}"

- name: Insist that no service went down in the last week
  oomguard.linux.oom_info:
    since: -7d
  register: week
  failed_when: week.summary.units_taken_down | length > 0 or not week.coverage.complete

- name: Explain a log that somebody sent
  oomguard.linux.oom_info:
    log_files:
      - /tmp/dmesg.txt
    tasks: all
"""

RETURN = r"""
events:
  description:
    - The OOM kills, oldest first. What the log does not say is V(null). All sizes are in bytes.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The same for the same event in each run over the same journal.
      type: str
    log:
      description: Where the event begins in one of O(log_files), V(null) for one of the journal.
      type: dict
      contains:
        path:
          description: The file.
          type: str
        line:
          description: The number of the event's first line in it, from 1.
          type: int
        stamp:
          description:
            - What stands before the message in that line, as it was printed. It tells when the event was where
              RV(events[].time) is V(null) since the log names no year or no time zone.
            - V(null) where nothing stands there.
          type: str
          sample: "Nov 23 06:48:46 web1 kernel: [ 4242.123456]"
    killer:
      description: Who killed, V(kernel), V(systemd-oomd), V(earlyoom) or V(nohang).
      type: str
      sample: kernel
    trusted:
      description: Whether the records were written by the kernel and systemd for certain.
      type: bool
    complete:
      description: Whether the report is whole; if not, RV(events[].notes) say what is missing.
      type: bool
    time:
      description: When the journal received the kill.
      type: str
      sample: "2026-11-23T06:48:46.787033Z"
    boot_id:
      description: The boot it happened in.
      type: str
    monotonic_us:
      description: Microseconds from the boot until the journal received the kill.
      type: int
    hostname:
      description: The host, as the journal has it.
      type: str
    kernel_release:
      description: The kernel.
      type: str
      sample: 5.10.0-30-cloud-amd64
    scope:
      description: What was out of memory. V(global) is the whole host, V(memcg) a cgroup with a limit.
      type: str
      sample: global
    manual:
      description: Whether somebody asked for the kill (SysRq).
      type: bool
    trigger:
      description: The process whose allocation could not be met, and the allocation.
      type: dict
      contains:
        name:
          description: The name of the process.
          type: str
        pid:
          description: Its process id.
          type: int
        gfp_mask:
          description: The flags of the allocation as a number.
          type: str
        gfp_flags:
          description: The flags of the allocation by name.
          type: list
          elements: str
        order:
          description: The request was for 2 to the power of this many pages.
          type: int
        oom_score_adj:
          description: The process's own adjustment.
          type: int
    victims:
      description: The killed processes.
      type: list
      elements: dict
      contains:
        name:
          description: The name of the process.
          type: str
        pid:
          description: Its process id.
          type: int
        uid:
          description: Its user.
          type: int
        total_vm_bytes:
          description: Its address space.
          type: int
        anon_rss_bytes:
          description: Its anonymous memory in RAM.
          type: int
        file_rss_bytes:
          description: Its mapped files in RAM.
          type: int
        shmem_rss_bytes:
          description: Its shared memory in RAM.
          type: int
        pgtables_bytes:
          description: Its page tables.
          type: int
        swap_bytes:
          description: Its memory in swap.
          type: int
        oom_score_adj:
          description: Its adjustment.
          type: int
        reaped:
          description: Whether the kernel freed its memory before it had ended.
          type: bool
    cgroup:
      description: The cgroup of the victim.
      type: str
      sample: /system.slice/apache2.service
    limit_cgroup:
      description: The cgroup whose limit was hit, with RV(events[].scope=memcg).
      type: str
    unit:
      description: The unit of the system's systemd in which the victim ran.
      type: str
      sample: apache2.service
    user_unit:
      description: The unit of a user's systemd in which the victim ran.
      type: str
    slice:
      description: The slice of the unit.
      type: str
      sample: system.slice
    container_id:
      description: The container in which the victim ran.
      type: str
    pod_uid:
      description: The Kubernetes pod in which the victim ran.
      type: str
    limit:
      description: Usage and limit of the cgroup in RV(events[].limit_cgroup).
      type: dict
      contains:
        usage_bytes:
          description: Its memory.
          type: int
        limit_bytes:
          description: Its limit.
          type: int
        failcnt:
          description: How often the limit was hit.
          type: int
        swap_usage_bytes:
          description: Its swap (with cgroup version 1, memory and swap together).
          type: int
        swap_limit_bytes:
          description: Its limit of swap (with cgroup version 1, of memory and swap together).
          type: int
        stat:
          description: The statistics that the kernel prints of it, sizes in bytes and events as numbers, by its names.
          type: dict
          sample:
            anon: 41713664
            file: 12288
    memory:
      description: The memory of the host at that moment.
      type: dict
      contains:
        page_size:
          description: The size of a page.
          type: int
        ram_bytes:
          description: The RAM.
          type: int
        reserved_bytes:
          description: The part of it that the kernel never hands out.
          type: int
        free_bytes:
          description: The free part.
          type: int
        page_cache_bytes:
          description: The page cache, with shared memory and the swap cache.
          type: int
        slab_bytes:
          description: The kernel's own objects.
          type: int
        swap_total_bytes:
          description: The swap.
          type: int
        swap_free_bytes:
          description: The free part of it.
          type: int
        swap_used_bytes:
          description: The used part of it.
          type: int
        swap_cache_bytes:
          description: What was in swap and in RAM at once.
          type: int
        breakdown:
          description:
            - What the RAM was used for, in parts that add up to RV(events[].memory.ram_bytes).
            - A part that the kernel does not print is V(null), and then in C(unaccounted_bytes).
          type: dict
          contains:
            anonymous_bytes:
              description: Memory of processes, what was in the swap cache included.
              type: int
            page_cache_bytes:
              description: Pages of files, without shared memory and the swap cache.
              type: int
            shmem_bytes:
              description: Shared memory, and files in tmpfs.
              type: int
            slab_reclaimable_bytes:
              description: The kernel's own objects that it can do without, such as names of files.
              type: int
            slab_unreclaimable_bytes:
              description: The kernel's other objects.
              type: int
            page_tables_bytes:
              description: The page tables of all processes.
              type: int
            kernel_stacks_bytes:
              description: The stacks of all threads in the kernel.
              type: int
            huge_pages_bytes:
              description: Pages of hugetlbfs, in use or not.
              type: int
            free_bytes:
              description: What was free, in the zones and on the lists of the CPUs.
              type: int
            reserved_bytes:
              description: What the kernel never hands out.
              type: int
            unaccounted_bytes:
              description:
                - The rest, such as drivers, vmalloc, network buffers, zram, and the balloon of a hypervisor.
                - The kernel does not read its counters at one moment, so that this can be a little below 0.
              type: int
    zones:
      description: The zones of the memory.
      type: list
      elements: dict
      contains:
        node:
          description: The NUMA node.
          type: int
        zone:
          description: The zone.
          type: str
          sample: DMA32
        free_bytes:
          description: Its free memory.
          type: int
        min_bytes:
          description: Below this only the kernel's most urgent requests are served.
          type: int
        low_bytes:
          description: Below this the kernel begins to reclaim memory.
          type: int
        high_bytes:
          description: Above this it stops to.
          type: int
        present_bytes:
          description: The memory in the zone.
          type: int
        managed_bytes:
          description: The part of it that the kernel hands out.
          type: int
        free_blocks:
          description: How many free blocks there are of each size in bytes.
          type: dict
          sample:
            "4096": 43
        largest_free_block_bytes:
          description: The largest request that the zone could have served in one piece.
          type: int
        usable:
          description: Whether the request that failed could use the zone, by its flags, cpuset and memory policy.
          type: bool
        reserve_bytes:
          description: What the zone kept back from this request, since it could have used a higher one.
          type: int
        margin_bytes:
          description:
            - What was free beyond RV(events[].zones[].min_bytes), RV(events[].zones[].reserve_bytes) and what is kept
              for other kinds of requests. Below 0 where it fell short.
            - V(null) in all zones where the watermarks that the kernel printed are impossible, which
              RV(events[].notes) say.
          type: int
        fitting_blocks:
          description: How many free blocks were large enough for the request.
          type: int
    tasks:
      description:
        - The task table. Memory that processes share is counted for each of them, but for C(rss_shared_once_bytes).
      type: dict
      contains:
        count:
          description: How many tasks the table has.
          type: int
        rss_bytes:
          description: Their memory in RAM.
          type: int
        rss_shared_once_bytes:
          description:
            - Their anonymous memory in RAM, and of mapped files and of shared memory what the largest of them has, so
              that what they share is not counted twice.
            - V(null) before Linux 6.8, whose table does not tell these apart.
          type: int
        swap_bytes:
          description: Their memory in swap.
          type: int
        pgtables_bytes:
          description: Their page tables.
          type: int
        by_name:
          description: The same sums by name, the largest first.
          type: list
          elements: dict
          contains:
            name:
              description: The name.
              type: str
            count:
              description: How many tasks bear it.
              type: int
            rss_bytes:
              description: Their memory in RAM.
              type: int
            rss_shared_once_bytes:
              description: The same with shared memory counted once, V(null) before Linux 6.8.
              type: int
            swap_bytes:
              description: Their memory in swap.
              type: int
            pgtables_bytes:
              description: Their page tables.
              type: int
        by_cgroup:
          description:
            - The same sums by cgroup, the largest first.
            - The kernel names the cgroup of the victim, and that of the limit, in or below which all tasks of a table
              are with RV(events[].scope=memcg).
            - Of other processes the cgroup is known where they still run on this host.
          type: list
          elements: dict
          contains:
            cgroup:
              description: The cgroup, V(null) for all tasks of whom it is not known.
              type: str
            unit:
              description: The unit that it belongs to, a user's unit where it is one.
              type: str
            count:
              description: How many tasks are known to have been in it.
              type: int
            rss_bytes:
              description: Their memory in RAM.
              type: int
            rss_shared_once_bytes:
              description: The same with shared memory counted once, V(null) before Linux 6.8.
              type: int
            swap_bytes:
              description: Their memory in swap.
              type: int
            pgtables_bytes:
              description: Their page tables.
              type: int
        rows:
          description: The tasks, the largest first.
          type: list
          elements: dict
          contains:
            name:
              description: The name of the process.
              type: str
            pid:
              description: Its process id.
              type: int
            uid:
              description: Its user.
              type: int
            tgid:
              description: Its thread group id.
              type: int
            total_vm_bytes:
              description: Its address space.
              type: int
            rss_bytes:
              description: Its memory in RAM.
              type: int
            rss_anon_bytes:
              description: The anonymous part of that, V(null) before Linux 6.8.
              type: int
            rss_file_bytes:
              description: The mapped files in that, V(null) before Linux 6.8.
              type: int
            rss_shmem_bytes:
              description: The shared memory in that, V(null) before Linux 6.8.
              type: int
            pgtables_bytes:
              description: Its page tables.
              type: int
            swap_bytes:
              description: Its memory in swap.
              type: int
            oom_score_adj:
              description: Its adjustment.
              type: int
    unit_effect:
      description: What became of RV(events[].unit).
      type: dict
      contains:
        unit:
          description: The unit.
          type: str
        result:
          description: The result with which systemd logged its failure, V(null) where it did not fail of this.
          type: str
          sample: oom-kill
        stopped:
          description:
            - Whether the unit went down.
            - V(null) where the journal does not tell, as while the unit is being stopped, when the host itself ended
              soon after the kill, or when the unit failed minutes later with a result of another kind.
          type: bool
        restarted:
          description: Whether systemd brought it back by itself.
          type: bool
        oom_policy:
          description: The unit's C(OOMPolicy) that is in force now, V(null) in another host's journal.
          type: str
          sample: stop
        down_seconds:
          description:
            - How long it was down, from the end of its main process, or else from its failure, until its next start.
            - V(null) as long as it has not come back, or where the host booted with a wrong time meanwhile.
          type: float
    diagnosis:
      description: Why it happened.
      type: dict
      contains:
        cause:
          description:
            - One of V(ram_and_swap_exhausted), V(ram_exhausted_no_swap), V(ram_exhausted_swap_free), V(cgroup_limit),
              V(fragmentation), V(low_zone), V(cpuset_or_mempolicy), V(manual), V(pressure) and V(unknown).
          type: str
          sample: ram_and_swap_exhausted
        kind:
          description: What events that are alike have in common, killer, victims, unit and cause, to group them by.
          type: str
          sample: "kernel: leak.fcgi of apache2.service: ram_and_swap_exhausted"
        summary:
          description: What happened, in one or two sentences.
          type: str
        evidence:
          description: What shows it, in whole sentences.
          type: list
          elements: str
        remedies:
          description: What helps.
          type: list
          elements: dict
          contains: &remedy
            role:
              description: A role of this collection.
              type: str
              sample: oom_policy
            variables:
              description: The variables to run it with.
              type: dict
              sample:
                oom_policy_units: [apache2.service]
            why:
              description: The reason.
              type: str
            risk:
              description: What it does not help against, and what it can do harm to.
              type: str
        advice:
          description: What helps beside, and is for people to decide.
          type: list
          elements: dict
          contains:
            what:
              description: What to do.
              type: str
            why:
              description: The reason.
              type: str
            risk:
              description: What it can do harm to.
              type: str
    notes:
      description: What is missing, or does not agree.
      type: list
      elements: str
remedies:
  description:
    - What helps this host, the remedies of all RV(events) together, each once, the newest event's first.
    - Of the sizes of swap it is the largest.
    - Those that the host has by now are left out, as where its swap has that size, or where mod_fcgid is not installed.
      Of another host's journal, and of logs, that is not known.
  returned: success
  type: list
  elements: dict
  contains: *remedy
summary:
  description:
    - All events in numbers, those beyond O(limit) too.
    - Of the latter no more than the kill line is read, so that the cause of some is V(unknown), each process of a
      killed group counts, and a unit that went down since its main process was killed may be missing.
  returned: success
  type: dict
  contains:
    count:
      description: How many events there are.
      type: int
    by_killer:
      description: Events by killer.
      type: dict
    by_unit:
      description: Events by unit.
      type: dict
      sample:
        apache2.service: 2
    by_victim:
      description: Killed processes by name.
      type: dict
    by_cause:
      description: Events by cause.
      type: dict
    first:
      description: When the first one was.
      type: str
    last:
      description: When the last one was.
      type: str
    units_taken_down:
      description: The units that went down with a killed process.
      type: list
      elements: str
      sample: [apache2.service]
coverage:
  description: What was looked at, and what could not be.
  returned: success
  type: dict
  contains:
    from:
      description: The beginning of what was looked at.
      type: str
    to:
      description: The end of what was looked at.
      type: str
    boots:
      description: How many boots it holds.
      type: int
    persistent:
      description: Whether the journal outlives a reboot.
      type: bool
    complete:
      description:
        - Whether nothing was missed in the time that was asked for; if not, RV(coverage.notes) say why.
        - It is V(false) where the journal begins later than O(since), where it missed messages of the kernel, and where
          a journal file is damaged or could not be opened, which the notes name.
        - What is kept of users alone, whose files may go back further than the system's, does not count.
        - So it is where the journal holds no record of the kernel from the last boot that was looked at, as in a
          container, and where systemd noticed an OOM kill of which there is no other record within a minute.
        - So it is where journald dropped messages of systemd, or of a killer outside the kernel, that came too fast.
        - And so it is where the first entry of the O(boot) that was asked for came more than 10 minutes after the boot,
          and where the newest entry is more than 24 hours old, unless O(until), O(journal_directory) or an earlier
          O(boot) was asked for.
        - Where the clock was set back, it is V(false) with an O(until) that it passed twice, and with a O(since) or
          O(until) that is not written as in V(-7d), V(2 hours ago), V(@1795000000), V(2026-11-23),
          V(2026-11-23 06:00:00), V(today) or V(yesterday).
      type: bool
    missed_records:
      description: How many of the kernel's messages the journal came too late for.
      type: int
    unparsed:
      description: How many records could not be read.
      type: int
    untrusted:
      description:
        - How many records pose as the kernel's or systemd's and are not.
        - What poses as a kill by the kernel is counted when it has the priority V(3) of one, or a more urgent one.
      type: int
    cursor:
      description: Where a later run can go on, with O(after_cursor).
      type: str
    notes:
      description: What could not be looked at, what was not believed, and what several logs tell.
      type: list
      elements: str
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._command import Run, run
from ..module_utils._errors import OomguardError
from ..module_utils._oom.in_journal import Query, find_in_journal, open_reader
from ..module_utils._safe import neutralise_all

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "since": {"type": "str"},
    "until": {"type": "str"},
    "boot": {"type": "str", "default": "all"},
    "after_cursor": {"type": "str"},
    "journal_directory": {"type": "path"},
    "journal_namespace": {"type": "str"},
    "log_files": {"type": "list", "elements": "path"},
    "tasks": {"type": "str", "choices": ["top", "all", "none"], "default": "top"},
    "top": {"type": "int", "default": 10},
    "limit": {"type": "int", "default": 100},
    "timeout": {"type": "int", "default": 300},
}
_MINIMA = {"top": 0, "limit": 1, "timeout": 1}
_JOURNAL_OPTIONS = ("since", "until", "after_cursor", "journal_directory", "journal_namespace")


def main() -> None:
    """Search, explain, return."""
    module = AnsibleModule(
        argument_spec=ARGUMENT_SPEC,
        mutually_exclusive=[
            ("since", "after_cursor"),
            ("journal_directory", "journal_namespace"),
            *(("log_files", name) for name in _JOURNAL_OPTIONS),
        ],
        supports_check_mode=True,
    )
    try:
        check(module.params)
        result = find(module.params, run)
    except OomguardError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **neutralise_all(result))


def check(params: t.Mapping[str, t.Any]) -> None:
    """Refuse numbers and texts that make no sense. Raises OomguardError."""
    for name, minimum in _MINIMA.items():
        if params[name] < minimum:
            raise OomguardError(
                f"Could not search for OOM kills with {name}={params[name]}: the minimum is {minimum}.",
                hint=f"Set {name} to {minimum} or more, or omit it.",
            )

    for name in ("boot", *_JOURNAL_OPTIONS, "log_files"):
        if "\0" in "".join(params[name] or ()):
            raise OomguardError(
                f"Could not search for OOM kills with {name}={params[name]}: it contains a NUL character.",
                hint=f"Remove it from {name}.",
            )


def find(params: t.Mapping[str, t.Any], run: Run) -> dict[str, t.Any]:
    """Return the OOM kills in the journal or in the text logs that the parameters name. Raises OomguardError."""
    if params["log_files"] is None:
        query = query_from(params)
        with open_reader(query) as reader:
            return find_in_journal(query, run, reader)

    # Hosts without kills do without the code that explains them: imported here, it costs them no time.
    from ..module_utils._oom.in_logs import find_in_logs

    return find_in_logs(
        params["log_files"],
        boot=params["boot"],
        limit=params["limit"],
        tasks=params["tasks"],
        top=params["top"],
    )


def query_from(params: t.Mapping[str, t.Any]) -> Query:
    """Return the part of the journal that the module's parameters ask for."""
    return Query(
        since=params["since"],
        until=params["until"],
        boot=params["boot"],
        after_cursor=params["after_cursor"],
        directory=params["journal_directory"],
        namespace=params["journal_namespace"],
        timeout=params["timeout"],
        limit=params["limit"],
        tasks=params["tasks"],
        top=params["top"],
    )


if __name__ == "__main__":
    main()
