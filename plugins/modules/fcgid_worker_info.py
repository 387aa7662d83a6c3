#!/usr/bin/python
# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module fcgid_worker_info: its documentation, its argument spec and its main function."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fcgid_worker_info
short_description: List the workers of Apache's mod_fcgid, with their memory and whether they are idle
version_added: 1.0.0
description:
  - Lists the FastCGI processes that mod_fcgid has started, in one pass over C(/proc). For each process, it returns the
    memory that it holds and its OOM score.
  - The module identifies a worker by the socket that mod_fcgid has created for it, whatever the process calls itself,
    and by its parent, which runs Apache's program. That program is C(apache2) or C(httpd) and belongs to root. A worker
    is busy while a request is connected to its socket.
  - A worker is the process that mod_fcgid has started together with all its descendants. With C(PHP_FCGI_CHILDREN),
    which mod_fcgid advises against, C(php-cgi) starts processes of its own, and these hold most of the memory. Sizes
    are sums over all these processes. A page that several of them share is counted for each, except in
    RV(workers[].pss_bytes).
  - If mod_status's page can be read, it shows when a worker's last request began, and how many requests it has had.
    Where a website can replace that page (C(AllowOverride)), anything can be in it. So a row counts only if it names
    the program that the worker's own command line shows, and RV(workers[].script) never depends on the page.
author:
  - oomguard contributors (@oomguard)
extends_documentation_fragment:
  - oomguard.linux.attributes.reading
attributes:
  platform:
    description: Linux 4.14 and later.
options:
  status_url:
    description:
      - The URL of mod_status's page on this host. The page is read without a proxy, for at most two seconds in all. If
        that fails, only the sockets show which workers are idle.
      - If empty, the page is not read.
    type: str
    default: http://127.0.0.1/server-status
  scripts:
    description:
      - The scripts whose workers are listed. C(*) stands for any text. By default, all workers are listed.
    type: list
    elements: str
  pss:
    description:
      - Whether to have the kernel compute the proportional set size of each worker, in which each shared page is
        divided among the processes that share it. For this, the kernel walks through all pages, so it takes longer the
        more memory the workers have.
    type: bool
    default: false
notes:
  - Requires the right to inspect the processes of other users, that is, C(become). Fails if C(/proc) hides them
    (C(hidepid)).
seealso:
  - module: oomguard.linux.fcgid_config
"""

EXAMPLES = r"""
- name: List all workers
  oomguard.linux.fcgid_worker_info:
  register: found

- name: Show the scripts whose workers have held more than 256 MiB
  ansible.builtin.debug:
    msg: "{{ found.workers | selectattr('vm_hwm_bytes', '>', 256 * 1024 * 1024) | map(attribute='script') }}"

- name: List the workers of one program, with their proportional set sizes
  oomguard.linux.fcgid_worker_info:
    scripts: [/srv/fcgi/report.fcgi]
    pss: true
"""

RETURN = r"""
workers:
  description: The workers, sorted by process ID. A worker that ends while the module runs is omitted.
  returned: always
  type: list
  elements: dict
  contains:
    pid:
      description: The process ID of the worker.
      type: int
      sample: 4232
    ppid:
      description: The process ID of mod_fcgid's process manager, which started the worker.
      type: int
      sample: 3972
    script:
      description:
        - The program that Apache serves, or the interpreter to which each request names a script. A wrapper that
          executes C(php-cgi), such as ISPConfig's, becomes that interpreter; RV(workers[].user) tells the websites
          apart.
        - It is taken from RV(workers[].command), skipping an interpreter such as C(perl).
      type: str
      sample: /srv/fcgi/report.fcgi
    command:
      description: The command line, as the process itself shows it.
      type: list
      elements: str
      sample: [/usr/bin/perl, /srv/fcgi/report.fcgi]
    process_count:
      description:
        - The number of processes of the worker. This is 1 unless the process that mod_fcgid has started has started
          others.
      type: int
      sample: 1
    class:
      description:
        - The command under which mod_fcgid counts the worker, V(null) without mod_status's page, or if it does not name
          the program in RV(workers[].command), for example because it is a script that starts C(php-cgi).
      type: str
      sample: /srv/fcgi/report.fcgi
    user:
      description: The user that the worker runs as.
      type: str
      sample: www-data
    state:
      description: V(idle), V(busy), or V(exiting) if mod_fcgid is about to end the worker.
      type: str
      sample: idle
    state_source:
      description: The source of RV(workers[].state), V(sockets) or V(status_page).
      type: str
      sample: status_page
    idle_seconds:
      description:
        - For an idle worker, the time since its last request began, which mod_status's page shows. V(null) if the
          worker is not idle, or without the page.
      type: int
      sample: 84
    age_seconds:
      description: The time since the worker was started.
      type: int
      sample: 166
    accesses:
      description: The number of requests that the worker has had, V(null) without mod_status's page.
      type: int
      sample: 2
    vm_hwm_bytes:
      description:
        - The most memory that the worker ever had resident (VmHWM), as the sum over its processes. Unlike
          RV(workers[].rss_bytes), the value of a process never falls.
      type: int
      sample: 128786432
    rss_bytes:
      description: The memory that the processes of the worker have resident now (RSS).
      type: int
      sample: 10960896
    pss_bytes:
      description: The proportional set size of the processes of the worker, V(null) unless O(pss=true).
      type: int
      sample: 7340032
    swap_bytes:
      description: The memory that the processes of the worker have in swap.
      type: int
      sample: 0
    limits:
      description:
        - The resource limits that are set for the process that mod_fcgid has started, by name, such as
          C(address_space_bytes), C(open_files) or C(cpu_time). Limits that are not listed are unlimited.
        - Each has the key C(soft), the limit in force, and the key C(hard), the value to which the process may raise
          it. Both are integers, or V(null) for no limit.
      type: dict
      sample: {address_space_bytes: {soft: 536870912, hard: null}}
    oom_score:
      description:
        - The kernel's score for the process that mod_fcgid has started. The OOM killer chooses the process with the
          highest score.
      type: int
      sample: 672
    oom_score_adj:
      description: The value that is added to the score.
      type: int
      sample: 0
    cgroup:
      description: The cgroup of the worker.
      type: str
      sample: /system.slice/apache2.service
    socket:
      description: The path of the socket through which Apache reaches the worker.
      type: str
      sample: /var/lib/apache2/fcgid/sock/3972.4
status_page:
  description: Whether mod_status's page was read.
  returned: always
  type: dict
  contains:
    read:
      description: Whether the page was read.
      type: bool
      sample: true
    problem:
      description: Why the page could not be read, V(null) if it was read or if O(status_url) is empty.
      type: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._errors import OomguardError
from ..module_utils._fcgid.result import describe_workers
from ..module_utils._fcgid.status_fetch import read_status_page
from ..module_utils._fcgid.workers import Workers
from ..module_utils._params import check_texts
from ..module_utils._safe import neutralise_all


def main() -> None:
    """List the workers of this host."""
    module = AnsibleModule(
        argument_spec={
            "status_url": {"type": "str", "default": "http://127.0.0.1/server-status"},
            "scripts": {"type": "list", "elements": "str"},
            "pss": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    try:
        check_texts(module.params, module.argument_spec)
        page = read_status_page(module.params["status_url"])
        workers = Workers().find_all(page.rows, pss=module.params["pss"])
    except OomguardError as error:
        module.fail_json(msg=str(error))

    result = describe_workers(workers, page, scripts=module.params["scripts"])
    module.exit_json(changed=False, **neutralise_all(result))


if __name__ == "__main__":
    main()
