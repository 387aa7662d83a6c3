#!/usr/bin/python
# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module fcgid_worker_info: its documentation, its argument spec and the way through it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fcgid_worker_info
short_description: List the workers of Apache's mod_fcgid, with their memory and whether they are idle
version_added: 1.0.0
description:
  - Lists the FastCGI processes that mod_fcgid has started, in one pass over C(/proc), with what each holds of memory
    and what the OOM killer thinks of it.
  - A worker is known by the socket that mod_fcgid has made for it, whatever it is called, and by its parent, which runs
    Apache's program (C(apache2) or C(httpd), and root's). It is busy while a request is connected to that socket.
  - Where mod_status's page can be read, it tells when the last request of a worker began, and how many it had.
author:
  - oomguard contributors (@oomguard)
attributes:
  check_mode:
    description: It changes nothing anyway.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
  idempotent:
    description: It changes nothing.
    support: full
  platform:
    description: Linux 4.14 and later.
    support: full
    platforms: posix
options:
  status_url:
    description:
      - The page of mod_status on this host. It is read without a proxy, for at most two seconds in all; where that
        fails, the sockets alone tell which worker is idle.
      - Give an empty text to leave it alone.
    type: str
    default: http://127.0.0.1/server-status
  scripts:
    description:
      - List only the workers of these scripts; C(*) stands for anything. By default, all of them.
    type: list
    elements: str
  pss:
    description:
      - Have the kernel add up the memory of each worker with every shared page counted in parts. It walks through all
        pages for that, so it takes longer the more memory the workers have.
    type: bool
    default: false
notes:
  - Takes the right to look at other users' processes, that is, C(become).
  - With C(PHP_FCGI_CHILDREN), which mod_fcgid advises against, the processes that php-cgi starts by itself are not
    listed.
seealso:
  - module: oomguard.linux.fcgid_config
"""

EXAMPLES = r"""
- name: Look at all workers
  oomguard.linux.fcgid_worker_info:
  register: found

- name: Name those that have been larger than 256 MiB
  ansible.builtin.debug:
    msg: "{{ found.workers | selectattr('vm_hwm_bytes', '>', 256 * 1024 * 1024) | map(attribute='script') }}"

- name: Look at one program, with what its workers share counted in parts
  oomguard.linux.fcgid_worker_info:
    scripts: [/srv/fcgi/report.fcgi]
    pss: true
"""

RETURN = r"""
workers:
  description: The workers, by pid. One that ends while it is looked at is left out.
  returned: always
  type: list
  elements: dict
  contains:
    pid:
      description: The process.
      type: int
      sample: 4232
    ppid:
      description: mod_fcgid's process manager, which has started it.
      type: int
      sample: 3972
    script:
      description:
        - The program that Apache serves, or the interpreter that is told a script by each request.
        - It is RV(workers[].class) if that is a path alone. Else, and without mod_status's page, it is taken from
          RV(workers[].command), of which an interpreter such as C(perl) is passed over.
      type: str
      sample: /srv/fcgi/report.fcgi
    command:
      description: The command line, as the process itself has it.
      type: list
      elements: str
      sample: [/usr/bin/perl, /srv/fcgi/report.fcgi]
    class:
      description:
        - The command by which mod_fcgid counts its workers, V(null) without mod_status's page.
      type: str
      sample: /srv/fcgi/report.fcgi
    user:
      description: The user that it runs as.
      type: str
      sample: www-data
    state:
      description: V(idle), V(busy), or V(exiting) where mod_fcgid is about to end it.
      type: str
      sample: idle
    state_source:
      description: Who says so, V(sockets) or V(status_page).
      type: str
      sample: status_page
    idle_seconds:
      description:
        - For an idle worker, the time since its last request began, for that is what mod_status's page tells; V(null)
          where it is not idle, or without the page.
      type: int
      sample: 84
    age_seconds:
      description: How long ago it was started.
      type: int
      sample: 166
    accesses:
      description: How many requests it has had, V(null) without mod_status's page.
      type: int
      sample: 2
    vm_hwm_bytes:
      description: The most memory that it ever had resident (VmHWM). It never falls, as RV(workers[].rss_bytes) does.
      type: int
      sample: 128786432
    rss_bytes:
      description: The memory that it has resident now.
      type: int
      sample: 10960896
    pss_bytes:
      description: The same with each shared page counted in parts, V(null) unless O(pss) asks for it.
      type: int
      sample: 7340032
    swap_bytes:
      description: What it has in swap.
      type: int
      sample: 0
    limits:
      description:
        - Its resource limits that are set, by name, such as C(address_space_bytes), C(open_files) or C(cpu_time).
          Those not named are unlimited.
        - Each has the key C(soft), the limit in force, and the key C(hard), the highest value that the process can
          give it. Both are integers, and V(null) for no limit.
      type: dict
      sample: {address_space_bytes: {soft: 536870912, hard: null}}
    oom_score:
      description: The kernel's own score; the OOM killer takes the highest.
      type: int
      sample: 672
    oom_score_adj:
      description: What is added to that score.
      type: int
      sample: 0
    cgroup:
      description: Its cgroup.
      type: str
      sample: /system.slice/apache2.service
    socket:
      description: The socket through which Apache reaches it.
      type: str
      sample: /var/lib/apache2/fcgid/sock/3972.4
status_page:
  description: What became of reading mod_status's page.
  returned: always
  type: dict
  contains:
    read:
      description: Whether it was read.
      type: bool
      sample: true
    problem:
      description: Why it was not, V(null) where it was or was not to be.
      type: str
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._errors import OomguardError
from ..module_utils._fcgid.worker import Row, Worker, WorkerError, matches
from ..module_utils._fcgid.workers import Workers, check_status_url, fetch_page
from ..module_utils._safe import neutralise


def main() -> None:
    """Observe."""
    module = AnsibleModule(
        argument_spec={
            "status_url": {"type": "str", "default": "http://127.0.0.1/server-status"},
            "scripts": {"type": "list", "elements": "str"},
            "pss": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    url, scripts = module.params["status_url"], module.params["scripts"]
    try:
        if url:
            check_status_url(url)
        page, problem = read_page(url)
        workers = Workers().all(page, pss=module.params["pss"])
    except OomguardError as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        workers=[result(worker) for worker in workers if scripts is None or matches(worker, scripts)],
        status_page={"read": bool(url) and problem is None, "problem": problem},
    )


def read_page(url: str) -> tuple[dict[int, Row], str | None]:
    """Return the rows of the page at `url` by pid, and what was in the way."""
    try:
        return (fetch_page(url) if url else {}), None
    except WorkerError as error:
        return {}, error.problem


def result(worker: Worker) -> dict[str, t.Any]:
    """Return one entry of `workers`, with what others may have chosen made inert."""
    return {
        "pid": worker.pid,
        "ppid": worker.ppid,
        "script": neutralise(worker.script),
        "command": [neutralise(word) for word in worker.command],
        "class": neutralise(worker.row.command) if worker.row else None,
        "user": neutralise(worker.user),
        "state": worker.state,
        "state_source": worker.state_source,
        "idle_seconds": worker.idle_seconds,
        "age_seconds": worker.age_seconds,
        "accesses": worker.row.accesses if worker.row else None,
        "vm_hwm_bytes": worker.memory.vm_hwm_bytes,
        "rss_bytes": worker.memory.rss_bytes,
        "pss_bytes": worker.pss_bytes,
        "swap_bytes": worker.memory.swap_bytes,
        "limits": {name: {"soft": limit.soft, "hard": limit.hard} for name, limit in worker.limits.items()},
        "oom_score": worker.oom_score,
        "oom_score_adj": worker.oom_score_adj,
        "cgroup": worker.cgroup and neutralise(worker.cgroup),
        "socket": neutralise(worker.socket),
    }


if __name__ == "__main__":
    main()
