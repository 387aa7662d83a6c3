#!/usr/bin/python
# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module oom_info: its documentation, its argument spec, and the search of the journal or of text logs."""

from __future__ import annotations

DOCUMENTATION = r"""
module: oom_info
short_description: Find and explain every OOM kill on a host
version_added: 1.0.0
description:
  - Finds the OOM kills of the kernel, systemd-oomd, earlyoom and nohang in the systemd journal, by default in all
    boots.
  - Parses the whole report of each kill, determines the systemd unit in which it happened and what happened to that
    unit, explains the cause, and recommends remedies.
  - Kills are found through the journal's index, so the size of the journal hardly matters. The module reads all kernel
    records only if the records in the journal have no priority, or if systemd noticed a kill that is not among the
    records found.
  - Units of the current boot are also looked up in systemd, which decides what the journal leaves open.
  - Only records that the kernel or systemd itself wrote are trusted. Records that other programs wrote in their name
    are counted in RV(coverage.untrusted).
  - Finding no OOM kill is a success with empty RV(events). Failing to read the journal is an error.
author:
  - oomguard contributors (@oomguard)
extends_documentation_fragment:
  - oomguard.linux.attributes.reading
attributes:
  platform:
    description: Linux with the systemd journal, or text logs.
    support: full
    platforms: posix
options:
  since:
    description:
      - The start of the period to search, in the syntax of C(journalctl --since), such as V(-7d), V(yesterday) or
        V(2026-11-23 06:00:00).
      - Mutually exclusive with O(after_cursor).
    type: str
  until:
    description:
      - The end of the period to search, in the syntax of C(journalctl --until).
    type: str
  boot:
    description:
      - The boot to search.
      - V(all) searches all boots, V(0) the current boot, and V(-1) the boot before it. The ID of a boot is also
        accepted.
    type: str
    default: all
  after_cursor:
    description:
      - Search only the entries that the journal received after this cursor, which is the RV(coverage.cursor) of an
        earlier run.
    type: str
  restart:
    description:
      - Whether to search the whole journal if it no longer contains the entry of O(after_cursor). Then
        RV(coverage.notes) say so, and RV(coverage.complete) is V(false). If V(false), this is an error.
    type: bool
    default: false
  journal_directory:
    description:
      - Read the journal files in this directory instead of the host's own journal, for example the journals of other
        hosts that C(systemd-journal-remote) collected.
      - Such files do not prove who wrote them, so RV(events[].trusted) and RV(remedies[].trusted) are V(false).
      - Mutually exclusive with O(journal_namespace).
    type: path
  journal_namespace:
    description:
      - Read the journal of this namespace.
      - Mutually exclusive with O(journal_directory).
    type: str
  log_files:
    description:
      - Read these text logs instead of the journal. They can be the output of C(dmesg) or C(journalctl), C(kern.log)
        and similar files.
      - Messages are also read from records. These are C(journalctl) with the output C(json), C(json-pretty),
        C(json-sse), C(export) or C(verbose), C(dmesg --json), logs of Docker's C(json-file) driver, JSON from log
        collectors, and comma-separated values. The newest record can be the first.
      - Escapes of HTML and of quoted-printable are undone if the lines about the OOM kill have them.
      - Files compressed with gzip, bzip2 or xz are decompressed, whatever their names. Files compressed with zstd
        require Python 3.14 or later on the host.
      - A log is read as UTF-8, or as UTF-16 or UTF-32 if its beginning shows that it is. NUL bytes are ignored.
      - Every line with words of an OOM kill that no event includes counts as RV(coverage.unparsed), and
        RV(coverage.notes) name the first of these lines. The words are C(Killed process) with a number,
        C(invoked oom-killer), C(oom-kill:constraint=), C(OOM killed process) and C(OOM victim) with a number.
        RV(coverage.notes) also name logs in which no line was recognised.
      - A line in which kubelet, containerd, Docker, Slurm, oomd or Android's low memory killer tells of a kill counts,
        too, unless the kernel's report of the kill is near it.
      - A binary journal is rejected. Name its folder in O(journal_directory).
      - Anything but a regular file, such as C(/dev/kmsg), and any file below C(/proc) or C(/sys) is rejected, because
        reading it might never end.
      - A record on one line is read up to 1 MiB, unless it is part of an array. RV(coverage.notes) name longer
        records.
      - A file is rejected if its text has more than 16 GiB, or more than 256 MiB and more than 100 times the size that
        the file has on the disk.
      - An empty list is rejected, because nothing would be searched.
      - The events of all files are sorted by time. If a log shows no year or no time zone, its events keep the order of
        the files, so name the oldest file first.
      - An event found in several files, with the same time and the same host, is returned and counted once, and
        RV(coverage.notes) says so.
      - A text log does not prove who wrote it, so RV(events[].trusted) and RV(remedies[].trusted) are V(false).
      - Mutually exclusive with O(since), O(until), O(after_cursor), O(journal_directory) and O(journal_namespace), and
        with any O(boot) other than V(all).
    type: list
    elements: path
  tasks:
    description:
      - Which rows of the kernel's task table to return. V(top) returns the O(top) largest rows, V(all) all rows, and
        V(none) no rows.
      - The sums in RV(events[].tasks) always include all tasks.
      - A result has at most 50000 rows. The rows of the newest events are returned first.
    type: str
    choices: [top, all, none]
    default: top
  top:
    description:
      - How many tasks, names and cgroups to return with O(tasks=top), the largest first.
      - The minimum is V(0), and the maximum is V(100000).
    type: int
    default: 10
  limit:
    description:
      - The maximum number of events to return. Events in units that went down are selected first, then other events
        near them, then the newest events.
      - RV(summary) counts all events.
      - If the events of O(log_files) have more than 150000 tasks and victims together, the oldest of them are only
        counted, and RV(coverage.notes) say so.
      - The minimum is V(1), and the maximum is V(10000).
    type: int
    default: 100
  timeout:
    description:
      - How many seconds to wait for the answer to one query of the journal. If there is none by then, the module kills
        the program that reads the journal, and fails.
      - The minimum is V(1), and the maximum is V(2147483).
    type: int
    default: 300
  history:
    description:
      - Whether to return RV(history), which tells why the memory grew, when the kills come, and whether changes helped.
      - It covers the kills in the requested period, so request as much as the journal holds. With O(after_cursor), it
        covers the whole journal if there are new kills.
      - On a host without kills, this takes no time.
    type: bool
    default: false
seealso:
  - module: oomguard.linux.oom_history_info
  - module: oomguard.linux.systemd_dropin
  - module: oomguard.linux.swap
  - module: oomguard.linux.fcgid_config
"""

EXAMPLES = r"""
- name: Find and explain every OOM kill in the journal
  oomguard.linux.oom_info:
  register: oom

- name: Show what happened
  ansible.builtin.debug:
    msg: "{{ oom.events | map(attribute='diagnosis.summary') }}"

- name: Fail if a service went down in the last week, or if the search was incomplete
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
msg:
  description: What was found, as one sentence.
  returned: success
  type: str
  sample: "1 OOM event; services taken down: apache2.service."
events:
  description:
    - The OOM kills, oldest first.
    - Values that the log does not show are V(null). All sizes are in bytes.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: An ID that the event has in every run over the same journal.
      type: str
    log:
      description: Where the event begins in one of O(log_files), V(null) for an event from the journal.
      type: dict
      contains:
        path:
          description: The file.
          type: str
        line:
          description: The number of the event's first line in that file, starting at 1.
          type: int
        stamp:
          description:
            - The text before the message in that line, as printed. If RV(events[].time) is V(null) because the log
              shows no year or no time zone, this still shows the time.
            - V(null) if the line has no text before the message.
          type: str
          sample: "Nov 23 06:48:46 web1 kernel: [ 4242.123456]"
    killer:
      description:
        - The OOM killer, which is V(kernel), V(systemd-oomd), V(earlyoom) or V(nohang).
        - V(unknown) if one of O(log_files) has only systemd's notice of the kill. Then RV(events[].unit) is the unit
          that systemd names, and RV(events[].complete) is V(false).
      type: str
      sample: kernel
    trusted:
      description:
        - Whether it is certain that the kernel and systemd of this host wrote the records.
        - V(false) for events from O(log_files) and O(journal_directory), since whoever wrote the files determines
          everything in them.
      type: bool
    complete:
      description: Whether the report is complete. If not, RV(events[].notes) says what is missing.
      type: bool
    time:
      description: When the journal received the kill.
      type: str
      sample: "2026-11-23T06:48:46.787033Z"
    boot_id:
      description: The ID of the boot in which the kill happened.
      type: str
    monotonic_us:
      description: The number of microseconds from the boot until the journal received the kill.
      type: int
    hostname:
      description: The name of the host, as recorded in the journal.
      type: str
    kernel_release:
      description: The release of the kernel.
      type: str
      sample: 5.10.0-30-cloud-amd64
    scope:
      description:
        - What ran out of memory. V(global) is the whole host, V(memcg) a cgroup that reached its limit, V(cpuset) and
          V(mempolicy) the nodes that the request was bound to.
        - V(unknown) if the log does not show it.
      type: str
      sample: global
    manual:
      description:
        - Whether somebody requested the kill (SysRq). If earlyoom or psi-monitor did, RV(events[].notes) says so.
      type: bool
    trigger:
      description: The process whose allocation invoked the OOM killer, and the allocation.
      type: dict
      contains:
        name:
          description: The name of the process.
          type: str
        pid:
          description: The process ID.
          type: int
        gfp_mask:
          description: The flags of the allocation as a number.
          type: str
        gfp_flags:
          description: The names of the flags of the allocation.
          type: list
          elements: str
        order:
          description: The order of the allocation. The request was for 2 to the power of this number of pages.
          type: int
        oom_score_adj:
          description: The C(oom_score_adj) of the process.
          type: int
    victims_count:
      description: The number of killed processes.
      type: int
    victims:
      description: The killed processes, at most the first 1000.
      type: list
      elements: dict
      contains:
        name:
          description: The name of the process.
          type: str
        pid:
          description: The process ID.
          type: int
        uid:
          description: The user ID of the process.
          type: int
        total_vm_bytes:
          description: The size of its address space.
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
          description: The C(oom_score_adj) of the process.
          type: int
        reaped:
          description: Whether the kernel freed the memory of the process before the process had ended.
          type: bool
    cgroup:
      description: The cgroup of the victim.
      type: str
      sample: /system.slice/apache2.service
    limit_cgroup:
      description: The cgroup that reached its limit, if RV(events[].scope) is V(memcg).
      type: str
    unit:
      description:
        - The system unit in which the victim ran.
        - If the report names no cgroup, it is a unit in which systemd noticed a kill at that time. If there are
          several, a unit that went down is preferred, then the nearest notice, and RV(events[].notes) name all of them.
      type: str
      sample: apache2.service
    user_unit:
      description: The user unit in which the victim ran.
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
    candidates:
      description:
        - The cgroups that systemd-oomd considered before it killed one of them, in its order.
        - systemd-oomd rounds the sizes. Which of the values it prints depends on whether it acted on memory pressure or
          on the use of swap.
      type: list
      elements: dict
      contains:
        cgroup:
          description: The cgroup.
          type: str
          sample: /user.slice/user-1000.slice/user@1000.service/app.slice
        memory_bytes:
          description: Its memory in RAM.
          type: int
        swap_bytes:
          description: Its memory in swap.
          type: int
        pressure_percent:
          description: The share of the last 10 seconds in which all its processes waited for memory.
          type: float
        scanned_pages:
          description: The number of pages that the kernel has scanned to reclaim memory of the cgroup.
          type: int
    limit:
      description: The usage and the limits of the cgroup in RV(events[].limit_cgroup).
      type: dict
      contains:
        usage_bytes:
          description: The memory that the cgroup used.
          type: int
        limit_bytes:
          description: Its memory limit.
          type: int
        failcnt:
          description: How often the cgroup reached its limit.
          type: int
        swap_usage_bytes:
          description: The swap that the cgroup used. With cgroup v1, memory and swap together, V(null) if the host does
            not count swap.
          type: int
        swap_limit_bytes:
          description: Its swap limit. With cgroup v1, the limit of memory and swap together.
          type: int
        kmem_usage_bytes:
          description:
            - The memory that the kernel itself used for the cgroup, as part of RV(events[].limit.usage_bytes). With
              cgroup v1 only. With cgroup v2, see C(kernel) in RV(events[].limit.stat).
          type: int
        kmem_limit_bytes:
          description: The limit of that memory, V(null) if it has none.
          type: int
        kmem_failcnt:
          description: How often the cgroup reached that limit.
          type: int
        stat:
          description:
            - The statistics that the kernel prints for the cgroup, under the kernel's names. Sizes are in bytes, and
              events are counts.
          type: dict
          sample:
            anon: 41713664
            file: 12288
    memory:
      description: The memory of the host at the time of the kill.
      type: dict
      contains:
        page_size:
          description: The size of a page.
          type: int
        ram_bytes:
          description: The size of the RAM.
          type: int
        reserved_bytes:
          description: The part of the RAM that the kernel never hands out.
          type: int
        free_bytes:
          description: The free part of the RAM.
          type: int
        page_cache_bytes:
          description: The page cache, including shared memory and the swap cache.
          type: int
        slab_bytes:
          description: The kernel's own objects.
          type: int
        swap_total_bytes:
          description: The size of the swap.
          type: int
        swap_free_bytes:
          description: The free part of the swap.
          type: int
        swap_used_bytes:
          description: The used part of the swap.
          type: int
        swap_cache_bytes:
          description: The memory that was both in swap and in RAM.
          type: int
        hwpoisoned_bytes:
          description:
            - The part of the RAM that the kernel no longer uses, because the hardware reported errors in it.
            - V(null) if the kernel does not print it.
          type: int
        slabs:
          description:
            - The caches of unreclaimable kernel objects, the largest first.
            - The kernel prints them only if these objects took more memory than processes and files together.
            - O(tasks) and O(top) limit their number, too.
          type: list
          elements: dict
          contains:
            name:
              description: The name of the cache. With cgroup v1, it can include the name of a cgroup.
              type: str
              sample: filp
            used_bytes:
              description: The size of the objects in use.
              type: int
            total_bytes:
              description: The size of the cache, including places that are free.
              type: int
        allocations:
          description:
            - The memory that the kernel has allocated and not freed, by the place in its code, the largest first.
            - The kernel prints it since Linux 6.10, if memory allocation profiling is on.
            - O(tasks) and O(top) limit their number, too.
          type: list
          elements: dict
          contains:
            function:
              description: The function.
              type: str
              sample: alloc_empty_file
            module:
              description: The kernel module, V(null) for code outside modules.
              type: str
            source:
              description: The file and the line.
              type: str
              sample: fs/file_table.c:202
            size_bytes:
              description: The size of all its allocations.
              type: int
            calls:
              description: The number of its allocations.
              type: int
        breakdown:
          description:
            - What the RAM was used for, in parts that add up to RV(events[].memory.ram_bytes).
            - A part that the kernel does not print is V(null), and is then included in C(unaccounted_bytes).
          type: dict
          contains:
            anonymous_bytes:
              description: Memory of processes, including the part in the swap cache.
              type: int
            page_cache_bytes:
              description: Pages of files, without shared memory and the swap cache.
              type: int
            shmem_bytes:
              description: Shared memory, and files in tmpfs.
              type: int
            slab_reclaimable_bytes:
              description: The kernel's own objects that it can discard, such as cached file names.
              type: int
            slab_unreclaimable_bytes:
              description: The kernel's other objects.
              type: int
            page_tables_bytes:
              description: The page tables of all processes.
              type: int
            kernel_stacks_bytes:
              description: The kernel stacks of all threads.
              type: int
            huge_pages_bytes:
              description: Pages of hugetlbfs, whether in use or not.
              type: int
            free_bytes:
              description: Free memory, in the zones and on the lists of the CPUs.
              type: int
            reserved_bytes:
              description: Memory that the kernel never hands out.
              type: int
            unaccounted_bytes:
              description:
                - The rest, such as drivers, vmalloc, network buffers, zram, and the balloon of a hypervisor.
                - The kernel does not read all its counters at the same moment, so this can be slightly below 0.
              type: int
    zones:
      description: The memory zones.
      type: list
      elements: dict
      contains:
        node:
          description: The NUMA node.
          type: int
        zone:
          description: The name of the zone.
          type: str
          sample: DMA32
        free_bytes:
          description: The free memory of the zone.
          type: int
        min_bytes:
          description: The minimum watermark. Below it, only the kernel's most urgent requests are served.
          type: int
        low_bytes:
          description: The low watermark. Below it, the kernel begins to reclaim memory.
          type: int
        high_bytes:
          description: The high watermark. Above it, the kernel stops reclaiming memory.
          type: int
        present_bytes:
          description: The memory in the zone.
          type: int
        managed_bytes:
          description: The part of that memory that the kernel hands out.
          type: int
        free_blocks:
          description: The number of free blocks of each size in bytes.
          type: dict
          sample:
            "4096": 43
        largest_free_block_bytes:
          description:
            - The size of the largest free block, which is the largest request that the zone could have served in one
              piece.
          type: int
        usable:
          description: Whether the flags, the cpuset and the memory policy of the failed request let it use the zone.
          type: bool
        reserve_bytes:
          description: The memory that the zone kept back from this request, because it could have used a higher zone.
          type: int
        margin_bytes:
          description:
            - The free memory beyond RV(events[].zones[].min_bytes), RV(events[].zones[].reserve_bytes) and the memory
              kept for other kinds of requests. Negative if the zone had less than that.
            - V(null) in all zones if the watermarks that the kernel printed are impossible. In this case,
              RV(events[].notes) says so.
          type: int
        fitting_blocks:
          description: How many free blocks were large enough for the request and not kept for others.
          type: int
    tasks:
      description:
        - The task table.
        - Memory that several processes share is counted for each of them, except in C(rss_shared_once_bytes).
      type: dict
      contains:
        count:
          description: The number of tasks in the table.
          type: int
        rss_bytes:
          description: Their memory in RAM.
          type: int
        rss_shared_once_bytes:
          description:
            - Their memory in RAM with shared memory counted only once. It is the sum of their anonymous memory, plus
              the mapped files and the shared memory of the task that has most of each.
            - V(null) before Linux 6.8, whose table does not list these separately.
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
              description: The number of tasks with this name.
              type: int
            rss_bytes:
              description: Their memory in RAM.
              type: int
            rss_shared_once_bytes:
              description: Their memory in RAM with shared memory counted only once, V(null) before Linux 6.8.
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
            - The kernel shows the cgroup of the victim. If RV(events[].scope) is V(memcg), it also shows the cgroup of
              the limit, and all tasks of the table are in or below that cgroup.
            - The cgroups of other processes are known only if these processes still run on this host.
          type: list
          elements: dict
          contains:
            cgroup:
              description: The cgroup, V(null) for all tasks whose cgroup is unknown.
              type: str
            unit:
              description: The unit that the cgroup belongs to. For the cgroup of a user unit, this is the user unit.
              type: str
            count:
              description: The number of tasks that are known to have been in the cgroup.
              type: int
            rss_bytes:
              description: Their memory in RAM.
              type: int
            rss_shared_once_bytes:
              description: Their memory in RAM with shared memory counted only once, V(null) before Linux 6.8.
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
              description: The process ID.
              type: int
            uid:
              description: The user ID of the process.
              type: int
            tgid:
              description: The thread group ID of the process.
              type: int
            total_vm_bytes:
              description: The size of its address space.
              type: int
            rss_bytes:
              description: Its memory in RAM.
              type: int
            rss_anon_bytes:
              description: The anonymous part of RV(events[].tasks.rows[].rss_bytes), V(null) before Linux 6.8.
              type: int
            rss_file_bytes:
              description: The mapped files in RV(events[].tasks.rows[].rss_bytes), V(null) before Linux 6.8.
              type: int
            rss_shmem_bytes:
              description: The shared memory in RV(events[].tasks.rows[].rss_bytes), V(null) before Linux 6.8.
              type: int
            pgtables_bytes:
              description: Its page tables.
              type: int
            swap_bytes:
              description: Its memory in swap.
              type: int
            oom_score_adj:
              description: The C(oom_score_adj) of the process.
              type: int
    unit_effect:
      description: What happened to RV(events[].unit).
      type: dict
      contains:
        unit:
          description: The unit.
          type: str
        result:
          description:
            - The result that systemd logged when the unit failed, V(null) if the unit did not fail because of this
              kill.
          type: str
          sample: oom-kill
        stopped:
          description:
            - Whether the unit went down.
            - V(null) if it is unknown. This is the case while the unit is being stopped, if the host itself went down
              soon after the kill, or if the unit failed minutes later with another result.
            - What the journal leaves open, systemd decides if the kill happened in the current boot of this host.
          type: bool
        restarted:
          description: Whether systemd restarted the unit automatically, V(null) if it is unknown.
          type: bool
        oom_policy:
          description: The C(OOMPolicy) of the unit that is in force now, V(null) for another host's journal.
          type: str
          sample: stop
        down_seconds:
          description:
            - How long the unit was down, from the end of its main process, or else from its failure, until its next
              start.
            - V(null) if no start is found since, or if the host booted with a wrong time in between.
          type: float
        confirmed:
          description:
            - Whether systemd certainly wrote the records that show what happened to the unit, or says so now.
            - V(false) if they came through C(/dev/kmsg), to which other programs can also write. No remedy follows from
              them.
          type: bool
    diagnosis:
      description: Why the kill happened.
      type: dict
      contains:
        cause:
          description:
            - The cause. One of V(ram_and_swap_exhausted), V(ram_exhausted_no_swap), V(ram_exhausted_swap_free),
              V(kernel_memory), V(cgroup_limit), V(fragmentation), V(low_zone), V(cpuset_or_mempolicy), V(manual),
              V(pressure) and V(unknown).
          type: str
          sample: ram_and_swap_exhausted
        kind:
          description: A key by which to group similar events. It consists of the killer, the victims, the unit and the
            cause.
          type: str
          sample: "kernel: leak.fcgi of apache2.service: ram_and_swap_exhausted"
        summary:
          description: What happened, in one or two sentences.
          type: str
        evidence:
          description: The evidence for the cause, in whole sentences.
          type: list
          elements: str
        remedies:
          description: The roles of this collection that help.
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
              description: What the role does not prevent, and what harm it can do.
              type: str
            automatic:
              description:
                - Whether the playbook C(oomguard.linux.remediate) applies the remedy by itself.
                - V(false) for remedies that fit some hosts only, so that an administrator has to decide. These are the
                  roles V(fcgid_recycler), V(zram) and V(systemd_oomd), and ceilings for each user, which are drop-ins
                  for C(user-.slice) or the C(FcgidMaxProcessesPerClass) of mod_fcgid.
              type: bool
        advice:
          description: Other measures that help, for an administrator to decide on.
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
              description: What harm it can do.
              type: str
    notes:
      description: What is missing, contradictory or not understood in the report.
      type: list
      elements: str
remedies:
  description:
    - The remedies for this host, collected from all RV(events) and RV(summary.taken_down). Each remedy is listed once.
      Those of the newest event come first.
    - If the events call for different swap sizes, the largest one is returned. It is at most 10 GiB and ten times the
      RAM, and leaves at least half of the free disk space.
    - If kills found the swap exhausted both before and after it was raised, no further raise is returned, since a leak
      fills any amount of swap. In this case, RV(events[].diagnosis.advice) recommends a limit.
    - Remedies that the host does not need are omitted, for example if its swap already has that size, or if mod_fcgid
      is not installed. For another host's journal and for text logs, this is unknown, so no remedy is omitted.
  returned: success
  type: list
  elements: dict
  contains: &host_remedy
    <<: *remedy
    trusted:
      description:
        - Whether the remedy follows from records of which it is certain that the kernel and systemd of this host wrote
          them. Do not apply any other remedy without having checked it.
        - V(false) for remedies from O(log_files) and O(journal_directory).
      type: bool
summary:
  description:
    - Totals over all events, including those beyond O(limit).
    - For events beyond the limit, only the kill line is read. Therefore the cause of some of them is V(unknown), and
      each process of a killed group is counted as an event.
  returned: success
  type: dict
  contains:
    count:
      description: The number of events.
      type: int
    by_killer:
      description: The number of events by killer.
      type: dict
    by_unit:
      description: The number of events by unit.
      type: dict
      sample:
        apache2.service: 2
    other_units:
      description: The number of events in further units, if RV(summary.by_unit) has 1000 units already.
      type: int
    by_victim:
      description: The number of killed processes by name.
      type: dict
    other_victims:
      description: The number of killed processes with further names, if RV(summary.by_victim) has 1000 names already.
      type: int
    by_cause:
      description: The number of events by cause.
      type: dict
    first:
      description: The time of the first event.
      type: str
    last:
      description: The time of the last event.
      type: str
    units_taken_down:
      description:
        - The units that went down because of an OOM kill.
        - They include the units that systemd says are down because of an OOM kill, even if no kill was found.
        - An empty list means that no unit went down only if RV(summary.units_taken_down_complete) is V(true).
          Otherwise, it is not known whether a unit went down.
      type: list
      elements: str
      sample: [apache2.service]
    units_taken_down_complete:
      description:
        - Whether RV(summary.units_taken_down) certainly lists all units that went down.
        - V(false) if RV(coverage.complete) is V(false), or if it is unknown what became of the unit of an event, as it
          always is for text logs.
      type: bool
    taken_down:
      description: What is known about each unit in RV(summary.units_taken_down), in the same order.
      type: list
      elements: dict
      contains:
        unit:
          description: The unit.
          type: str
          sample: apache2.service
        result:
          description: The result with which the unit failed.
          type: str
          sample: oom-kill
        time:
          description: When it went down the last time.
          type: str
          sample: "2026-11-23T06:48:47.012345Z"
        confirmed:
          description:
            - Whether systemd certainly says that the unit went down.
            - V(false) if all records that say so came through C(/dev/kmsg), to which other programs can also write, and
              systemd cannot be asked.
          type: bool
        last_event_id:
          description:
            - The RV(events[].id) of the last kill that took the unit down.
            - V(null) if no such kill was found. RV(coverage.notes) then say so.
          type: str
        main_process_killed:
          description: Whether the unit's main process was killed, V(null) if it is unknown.
          type: bool
        active_state:
          description: The C(ActiveState) of the unit now, V(null) if systemd cannot be asked.
          type: str
          sample: failed
        oom_policy:
          description: The C(OOMPolicy) that is in force now, V(null) if systemd cannot be asked.
          type: str
          sample: stop
        restart:
          description: The C(Restart) that is in force now, V(null) if systemd cannot be asked.
          type: str
          sample: on-failure
        depends_on_restart:
          description:
            - Whether only C(Restart) brings the unit back after such a kill, whatever its C(OOMPolicy) is, because its
              main process, all its processes or an unknown process was killed.
          type: bool
        is_down:
          description:
            - Whether the unit is down now because of an OOM kill, and systemd is not starting it. Its result may be
              C(oom-kill), or C(signal) if the kill of its main process ended it.
            - V(null) if systemd cannot be asked.
          type: bool
        start_refusal:
          description:
            - Why the playbook C(oomguard.linux.remediate) does not start the unit if it is down. For example, it is a
              job, a transient unit, or the manager of a user's units.
            - V(null) if the playbook starts it.
          type: str
        remedies:
          description:
            - The remedies for this unit that the host needs. RV(remedies) include them.
            - If no event was found, they follow from the state of the unit.
          type: list
          elements: dict
          contains: *host_remedy
history:
  description:
    - What the kills of the host have in common, from what its journal says of the time around them. For the journal of
      this host, the log of dpkg, the files of units and the processes that run now are read as well.
    - Its rules are in the guide to histories, C(docs/history.md).
    - V(null) for O(log_files), and with O(after_cursor) if there are no new kills.
  returned: when O(history=true)
  type: dict
  contains:
    from:
      description: The start of the period that the history covers.
      type: str
    to:
      description: The end of the period that the history covers.
      type: str
    other_kinds:
      description: The number of further kinds, if there are more than 100.
      type: int
    kinds:
      description: Each kind of kill, the one with most kills first.
      type: list
      elements: dict
      contains:
        unit:
          description:
            - The unit of the victim, or else its cgroup. V(null) if both are unknown.
            - With too many kills to read all reports, those without one count in the unit of the others of their
              victim, if these have one unit.
            - The units of sessions, and other units with a number, are one unit, such as V(session-*.scope).
          type: str
          sample: apache2.service
        victim:
          description: The name of the killed process, V(null) if it is unknown.
          type: str
        cause:
          description: The cause, as in RV(events[].diagnosis.cause).
          type: str
          sample: cgroup_limit
        count:
          description: The number of kills.
          type: int
        first:
          description: The time of the first kill.
          type: str
        last:
          description: The time of the last kill.
          type: str
        growth:
          description: Why the memory grew.
          type: dict
          contains:
            verdict:
              description:
                - V(leak) if the memory grew with time, V(spike) if it grew suddenly, V(too_many) if there were more
                  processes than usual, or V(limit_too_low) if the unit ordinarily needs about as much as its limit.
                - V(cannot_tell) if the journal does not show enough for any of these.
              type: str
              sample: leak
            evidence:
              description: The figures that the verdict follows from, or what is missing for one, in sentences.
              type: list
              elements: str
            bytes_per_hour:
              description: How fast the memory grows with a leak, V(null) otherwise.
              type: int
            fit:
              description:
                - The share of the differences between the runs that a straight line explains, from 0 to 1, with a leak.
                - V(null) otherwise.
              type: float
            runs:
              description: The number of runs without a kill that were compared.
              type: int
            sentence:
              description: The verdict as a sentence.
              type: str
              sample: "There is a memory leak of 10.0 MiB an hour."
        rhythm:
          description:
            - When the kills come again and again, V(null) if they show no rhythm.
            - A rhythm has at least four of the kills and half of them, and less than 1% chance at random. Kills in
              quick succession count as one.
          type: dict
          contains:
            kind:
              description:
                - V(daily) for a time of the day, V(weekly) for a time on some days of the week, V(interval) for every
                  few minutes or hours, or V(after_start) for a time after each start of the unit.
              type: str
              sample: daily
            time:
              description: The first time of the day, in the local time of the host. V(null) with V(after_start).
              type: str
              sample: "03:00"
            days:
              description: The days of the week. Empty with V(after_start).
              type: list
              elements: str
              sample: [Sat, Sun]
            every_seconds:
              description: The time from one to the next, a day with V(weekly). V(null) with V(after_start).
              type: int
              sample: 86400
            after_seconds:
              description: The shortest time from a start to its kill. V(null) without V(after_start).
              type: int
            within_seconds:
              description: How long after these times a kill came at the latest.
              type: int
            jitter_seconds:
              description: The difference between the earliest and the latest kill, each after such a time.
              type: int
            matched:
              description: The number of kills in the rhythm.
              type: int
            kills:
              description: The number of kills.
              type: int
            hits:
              description: The number of such times with a kill, since the first kill in the rhythm.
              type: int
            occasions:
              description: The number of such times while the host was up, with a kill or without.
              type: int
            chance:
              description: The chance of such a rhythm at random, from 0 to 1, corrected for all that were tried.
              type: float
            sentence:
              description: The rhythm as a sentence.
              type: str
              sample: "9 of 10 kills came within 4 min after 03:00, on 9 of 12 days (chance at random: 0.002%)."
        preceded_by:
          description:
            - What came in the last minute, 10 minutes or 30 minutes before at least four of the kills and half of
              them, with less than 1% chance at random. The most telling comes first.
            - What comes in the 10 minutes after a kill may be its consequence, and is left out.
          type: list
          elements: dict
          contains:
            what:
              description:
                - V(cron), V(timer), V(start), V(restart), V(package), V(kernel), V(login), V(sudo) or V(ansible).
              type: str
              sample: cron
            name:
              description:
                - The program, unit, package, kernel, user or module. Arguments are left out, as they may be secret.
                - C((unnamed\)) for a cron job whose command does not start with the name of a program.
              type: str
              sample: /usr/local/bin/backup
            together:
              description: What always comes at about the same time, with the keys C(what) and C(name).
              type: list
              elements: dict
            window_seconds:
              description: How long before a kill it counts.
              type: int
            before:
              description: The number of kills that it preceded.
              type: int
            kills:
              description: The number of kills. Those in quick succession count as one.
              type: int
            otherwise:
              description: The share of all other times that it preceded, from 0 to 1.
              type: float
            lag_seconds:
              description: The median time from it to the kill.
              type: int
            shortest_seconds:
              description: The shortest time from it to a kill.
              type: int
            longest_seconds:
              description: The longest time from it to a kill.
              type: int
            chance:
              description: The chance at random, from 0 to 1, corrected for everything that was tried.
              type: float
            has_clock:
              description: Whether it follows the clock, as the kills do, so that this can be a coincidence.
              type: bool
            sentence:
              description: The same as a sentence.
              type: str
        forecast:
          description:
            - When the next kill is expected, from the rhythm, or else because the kills come a regular time
              after one another. V(null) if there is neither, or if the kills have stopped.
          type: dict
          contains:
            expected:
              description: The time at which it is expected.
              type: str
            earliest:
              description: The earliest time, judging by the kills so far.
              type: str
            latest:
              description: The latest time, judging by the kills so far.
              type: str
            share:
              description: The share of such times so far that had a kill, V(null) without a rhythm.
              type: float
            basis:
              description: What this follows from, as a sentence.
              type: str
            sentence:
              description: The forecast as a sentence.
              type: str
        enough:
          description: How much would have been enough, V(null) if nothing shows that.
          type: dict
          contains:
            sentence:
              description: What would have been enough, and how that is known. For a leak, that nothing is.
              type: str
            memory_max_bytes:
              description: The size for C(MemoryMax=) of the unit, V(null) if nothing shows it.
              type: int
            swap_total_bytes:
              description: The total swap of the host, V(null) if nothing shows it.
              type: int
            workers:
              description: The number of processes with the name of the victim, V(null) if nothing shows it.
              type: int
            is_lower_bound:
              description: Whether all that is known is that more than this is needed.
              type: bool
        since:
          description:
            - What the kills say of each change of the host that may have prevented them, oldest first. These are the
              changes that the modules of this collection have written to the journal. For the journal of this host,
              they include the last changes of C(/etc/fstab) and of the unit's files in C(/etc/systemd/system), and the
              upgrades of its packages in dpkg's log.
            - Changes are judged together if they follow one another within a day, or if there was no kill and not
              enough time between them to tell them apart.
            - A change without a kill before it or after it, up to the other changes, is left out.
          type: list
          elements: dict
          contains:
            changes:
              description: The change, or the changes that are judged together.
              type: list
              elements: dict
              contains:
                time:
                  description: The time of the change.
                  type: str
                what:
                  description: The setting, file or package that was changed.
                  type: str
                  sample: OOMScoreAdjust of apache2.service
                before:
                  description: The value before, sizes in bytes. V(null) if there was none, or if it is not known.
                  type: str
                after:
                  description: The value after, sizes in bytes. V(null) if there is none, or if it is not known.
                  type: str
                by:
                  description: V(oomguard) for a change by a module of this collection, or else V(unknown).
                  type: str
                unit:
                  description: The unit that the change concerns, V(null) if it concerns the whole host.
                  type: str
            verdict:
              description:
                - V(fewer) if so few kills after the change had a chance of less than 4 percent at the old rate, divided
                  by the number of changes that are judged.
                - V(more) if so many had a chance of less than 1 percent, divided in the same way.
                - V(cannot_tell) otherwise.
              type: str
            sentence:
              description: The verdict, and the figures that it follows from.
              type: str
              sample: >-
                0 kills in 27 days since swap went from 3.7 GiB to 10.0 GiB, after 9 kills in 30 days; at the old rate,
                the chance of so few was 0.3%.
            chance:
              description: That chance, V(null) if there is no time before or after the change.
              type: float
            before:
              description: The time before the change, from the beginning of the journal or from the change before it.
              type: dict
              contains:
                kills:
                  description: The number of kills.
                  type: int
                occasions:
                  description:
                    - The number of occasions, which are compared. Kills within three hours of one another are one
                      occasion, which lasts for a day at most.
                  type: int
                up_seconds:
                  description: How long the host was up.
                  type: int
            after:
              description: The time after the change, to the end of the journal or to the next change.
              type: dict
              contains:
                kills:
                  description: The number of kills.
                  type: int
                occasions:
                  description: The number of occasions.
                  type: int
                up_seconds:
                  description: How long the host was up.
                  type: int
coverage:
  description: Which part of the journal was searched, and why the search may have missed something.
  returned: success
  type: dict
  contains:
    from:
      description: The start of the period that was searched.
      type: str
    to:
      description: The end of the period that was searched.
      type: str
    boots:
      description: The number of boots in that period; V(null) with O(log_files), which do not name their boots.
      type: int
    persistent:
      description: Whether the journal survives a reboot.
      type: bool
    complete:
      description:
        - Whether the search missed nothing in the requested period. If not, RV(coverage.notes) says why.
        - V(false) if the journal begins later than O(since), if journald missed kernel messages, or if a journal file
          is damaged or cannot be opened. The notes name such files.
        - If only the users' own journals go back to O(since), the journal counts as beginning later.
        - Also V(false) if the journal holds no kernel record from the last boot that was searched, as in a container,
          or if systemd noticed an OOM kill that has no other record within two minutes.
        - Also V(false) if systemd says that a unit is down because of an OOM kill, and no event shows that kill.
        - Also V(false) if journald died, was restarted near an OOM kill, or received the kernel's message about an OOM
          kill more than 30 seconds late.
        - Also V(false) if journald does not run or does not store what it receives, or if the kernel has killed more
          processes since the host was booted than a journal shows that begins with that boot. This is checked if the
          request includes the present of this host.
        - Also V(false) if messages about a unit that went down came through C(/dev/kmsg) and neither a kill in that
          unit nor systemd confirms them. systemd writes there while journald does not take its messages, but other
          programs can write there, too.
        - Also V(false) if journald dropped messages of systemd, or of a killer outside the kernel, because they came
          too fast.
        - Also V(false) if the first entry of the requested O(boot) came more than 10 minutes after the boot, or if the
          newest entry is more than 24 hours old and neither O(until), O(journal_directory) nor an earlier O(boot) was
          requested.
        - Also V(false) if the clock was set back and passed O(until) twice, or if it was set back and O(since) or
          O(until) is not written like V(-7d), V(2 hours ago), V(@1795000000), V(2026-11-23), V(2026-11-23 06:00:00),
          V(today) or V(yesterday).
      type: bool
    missed_records:
      description: The number of kernel messages that were lost before journald read them.
      type: int
    unparsed:
      description: The number of unreadable records.
      type: int
    untrusted:
      description:
        - The number of records that other programs wrote in the name of the kernel or of systemd.
        - A record in the name of the kernel counts if it looks like an OOM kill and has the priority of one, V(3), or a
          more urgent priority.
      type: int
    cursor:
      description: The cursor from which a later run can continue, with O(after_cursor).
      type: str
    notes:
      description:
        - What could not be searched, which records were not trusted, and which events were found in several logs.
      type: list
      elements: str
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._command import LONGEST_TIMEOUT, Run, run
from ..module_utils._errors import OomguardError
from ..module_utils._oom.in_journal import Query, find_in_journal, open_reader
from ..module_utils._oom.summary import write_message
from ..module_utils._params import LONGEST_NAMESPACE, check_name, check_ranges, check_texts
from ..module_utils._safe import neutralise_all

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "since": {"type": "str"},
    "until": {"type": "str"},
    "boot": {"type": "str", "default": "all"},
    "after_cursor": {"type": "str"},
    "restart": {"type": "bool", "default": False},
    "journal_directory": {"type": "path"},
    "journal_namespace": {"type": "str"},
    "log_files": {"type": "list", "elements": "path"},
    "tasks": {"type": "str", "choices": ["top", "all", "none"], "default": "top"},
    "top": {"type": "int", "default": 10},
    "limit": {"type": "int", "default": 100},
    "timeout": {"type": "int", "default": 300},
    "history": {"type": "bool", "default": False},
}
_RANGES = {"top": (0, 100_000), "limit": (1, 10_000), "timeout": (1, LONGEST_TIMEOUT)}
_JOURNAL_OPTIONS = ("since", "until", "after_cursor", "journal_directory", "journal_namespace")


def main() -> None:
    """Find and explain OOM kills, and return the result."""
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
    module.exit_json(changed=False, **neutralise_all({"msg": write_message(result), **result}))


def check(params: t.Mapping[str, t.Any]) -> None:
    """Reject numbers and texts that make no sense. Raises ParameterError."""
    check_texts(params, ARGUMENT_SPEC)
    check_ranges(params, _RANGES)
    check_name("journal_namespace", params["journal_namespace"] or "", longest=LONGEST_NAMESPACE)


def find(params: t.Mapping[str, t.Any], run: Run) -> dict[str, t.Any]:
    """Return the OOM kills in the journal or in the text logs that the parameters name. Raises OomguardError."""
    if params["log_files"] is None:
        query = query_from(params)
        with open_reader(query) as reader:
            return find_in_journal(query, run, reader)

    # Hosts without kills do without the code that explains them: imported here, it costs them no time.
    from ..module_utils._oom.in_logs import find_in_logs

    result = find_in_logs(
        params["log_files"],
        boot=params["boot"],
        limit=params["limit"],
        tasks=params["tasks"],
        top=params["top"],
    )
    if params["history"]:
        result["history"] = None

    return result


def query_from(params: t.Mapping[str, t.Any]) -> Query:
    """Return the part of the journal that the parameters select."""
    return Query(
        since=params["since"],
        until=params["until"],
        boot=params["boot"],
        after_cursor=params["after_cursor"],
        restart=params["restart"],
        directory=params["journal_directory"],
        namespace=params["journal_namespace"],
        timeout=params["timeout"],
        limit=params["limit"],
        tasks=params["tasks"],
        top=params["top"],
        history=params["history"],
    )


if __name__ == "__main__":
    main()
