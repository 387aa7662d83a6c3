#!/usr/bin/python
# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module fcgid_recycler: its documentation, its argument spec and its main function."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fcgid_recycler
short_description: Retire workers of Apache's mod_fcgid that have outgrown a limit
version_added: 1.0.0
description:
  - Installs a small service on the host, the recycler. It ends workers whose memory has exceeded a limit, so that new
    workers take their place. mod_fcgid itself has no such limit, and Apache's C(RLimitMEM) does not apply to its
    workers.
  - The limit applies to VmHWM, the most memory that a worker ever had resident. It never falls, even if the worker is
    swapped out.
  - A worker is the process that mod_fcgid has started together with all its descendants, such as the processes of
    C(PHP_FCGI_CHILDREN). The limit applies to the sum of their VmHWM. The worker is idle only if all of them are.
    Only the process that mod_fcgid has started receives SIGTERM. C(php-cgi) passes it on. If other processes outlive
    it, as with a wrapper script that does not C(exec) its program, the recycler logs that.
  - The recycler first drains a worker that is over its limit. It removes the worker's socket, so that mod_fcgid sends
    the worker no further requests while it finishes the current one. When the worker has been idle for O(min_idle)
    seconds, the recycler sends it SIGTERM. No request is lost, whatever the program does when it receives that signal.
  - In each check, the recycler begins to drain or end at most one worker of each program for every three seconds of
    O(interval), but at least one, beginning with the largest. mod_fcgid starts new workers no faster, so requests would
    otherwise find no worker.
  - The recycler is the code of M(oomguard.linux.fcgid_worker_info), packed into one file, with one configuration file
    and one sandboxed unit. It needs only Python 3.8 or later.
author:
  - oomguard contributors (@oomguard)
extends_documentation_fragment:
  - oomguard.linux.attributes.changing
attributes:
  diff_mode:
    description: Returns the configuration and the unit before and after the change, and the checksum of the code.
options:
  limit:
    description:
      - The VmHWM above which a worker is retired when it is idle, as a size such as V(256M). It must be 1 MiB or more.
      - If omitted, only the scripts in O(scripts) have limits.
    type: str
  hard_limit:
    description:
      - The VmHWM above which a worker receives SIGTERM even while it is busy, after O(grace) seconds.
      - If omitted, a busy worker is never signalled.
    type: str
  grace:
    description:
      - The number of seconds for which a worker over its hard limit may continue its current request. Required if there
        is a hard limit.
    type: int
  scripts:
    description:
      - Limits for the workers of individual scripts. Only the first entry that matches a worker applies. It replaces
        O(limit) and O(hard_limit).
    type: list
    elements: dict
    default: []
    suboptions:
      script:
        description:
          - The script as M(oomguard.linux.fcgid_worker_info) returns it. C(*) stands for any text and C(?) for any
            character.
          - A wrapper that executes C(php-cgi), such as ISPConfig's, becomes V(/usr/bin/php-cgi). Use O(scripts[].user)
            to tell the workers of websites apart.
        type: str
        required: true
      user:
        description:
          - The user that the worker runs as. With suexec, the workers of each website have a user of their own.
          - If omitted, the entry applies to all users.
        type: str
      limit:
        description: The same as O(limit). If omitted, these workers have no such limit.
        type: str
      hard_limit:
        description: The same as O(hard_limit).
        type: str
  min_idle:
    description:
      - The number of seconds for which a worker must have been idle before it is signalled.
    type: int
    default: 10
  interval:
    description:
      - The number of seconds between two checks of the workers. A worker can exceed its limit for that long.
    type: int
    default: 10
  drain:
    description:
      - Whether to take a worker out of service as soon as it is over its limit. If V(false), a worker that is never
        idle for O(min_idle) seconds is never retired. A program that does not finish its request on SIGTERM can also
        lose a request that arrives at that moment.
    type: bool
    default: true
  socket_directories:
    description:
      - The directories in which mod_fcgid creates its sockets (C(FcgidIPCDir)). Workers with sockets elsewhere are not
        drained. The recycler can remove sockets in these directories. Otherwise, it can write only to the directory of
        O(metrics_file).
      - Directories below C(/tmp), C(/var/tmp), C(/home), C(/root) and C(/run/user) are rejected, since the sandbox of
        the service hides them.
      - If a directory is created after the recycler was started, the recycler cannot write to it. The recycler then
        ends when it has to drain the first worker there, and systemd restarts it 30 seconds later.
    type: list
    elements: str
    default: [/var/lib/apache2/fcgid/sock, /run/mod_fcgid]
  status_url:
    description:
      - The URL of mod_status's page on this host. The recycler knows that a worker was idle if the kernel has not run
        it between two checks. If a program wakes up by itself now and then, only the number of its requests, which this
        page shows, proves that it was idle.
      - The recycler takes nothing else from this page, because a website may be able to replace it. In particular,
        limits depend on the command line of the process alone.
      - If empty, the page is not read.
    type: str
    default: http://127.0.0.1/server-status
  metrics_file:
    description:
      - A file for the textfile collector of node_exporter. Its name must end in V(.prom), and its directory must exist.
        The recycler removes the file when it is stopped.
      - If empty, no metrics are written.
    type: str
    default: ""
  dry_run:
    description:
      - Whether to only log which workers would be retired.
    type: bool
    default: false
  state:
    description:
      - If V(present), the service is installed, enabled and running with these settings.
      - If V(absent), the service is stopped and all its files are removed.
    type: str
    choices: [present, absent]
    default: present
notes:
  - The recycler logs each retirement to the journal, with the fields C(OOMGUARD_PID), C(OOMGUARD_SCRIPT),
    C(OOMGUARD_USER), C(OOMGUARD_PROCESSES), C(OOMGUARD_VM_HWM_BYTES), C(OOMGUARD_LIMIT_BYTES), C(OOMGUARD_AGE_SECONDS),
    C(OOMGUARD_IDLE_SECONDS), C(OOMGUARD_STATE), C(OOMGUARD_REASON) and C(OOMGUARD_DRY_RUN). C(journalctl
    MESSAGE_ID=5d0f8c1e2a7b4c6f9e31b7a4d2586c90) shows them.
  - After a worker has been retired, the next request waits until mod_fcgid has started another one, as it does whenever
    a worker has ended.
  - C(journalctl MESSAGE_ID=ecf650a1052e497b86303eb43f40b7c0) shows the changes that this module has made.
seealso:
  - module: oomguard.linux.fcgid_worker_info
  - module: oomguard.linux.fcgid_config
"""

EXAMPLES = r"""
- name: Retire workers that have held more than 256 MiB
  oomguard.linux.fcgid_recycler:
    limit: 256M

- name: Only log which workers that limit would retire
  oomguard.linux.fcgid_recycler:
    limit: 256M
    dry_run: true

- name: Set higher limits for one program and for one user, and end workers over the hard limit after one minute
  oomguard.linux.fcgid_recycler:
    limit: 256M
    hard_limit: 1G
    grace: 60
    scripts:
      - script: /srv/fcgi/report.fcgi
        limit: 1G
      - script: /usr/bin/php-cgi
        user: web7
        limit: 512M

- name: Remove the recycler
  oomguard.linux.fcgid_recycler:
    state: absent
"""

RETURN = r"""
unit:
  description: The name of the service's unit.
  returned: always
  type: str
  sample: oomguard-fcgid-recycler.service
active:
  description: Whether the service runs.
  returned: always
  type: bool
  sample: true
status:
  description:
    - The status that the service reports, which begins with the fingerprint of its code, configuration and unit.
      V(null) if the service does not run.
  returned: always
  type: str
  sample: "1f0c5e8a93b2d647: 4 workers, 0 over their limit, 2 retired so far"
restarted:
  description: Whether the service was started or restarted. In check mode, whether it would be.
  returned: always
  type: bool
  sample: false
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._change import bring
from ..module_utils._command import run
from ..module_utils._errors import OomguardError
from ..module_utils._journald import Journald
from ..module_utils._params import check_texts
from ..module_utils._recycler.change import RecyclerChange
from ..module_utils._recycler.checks import check_host
from ..module_utils._recycler.install import (
    Host,
    Wanted,
    find_python,
    make_wanted,
)
from ..module_utils._recycler.result import build_result
from ..module_utils._recycler.settings import make_settings
from ..module_utils._safe import neutralise_all

SIZE = {"type": "str"}


def main() -> None:
    """Install or remove the recycler according to the parameters."""
    module = AnsibleModule(
        argument_spec={
            "limit": SIZE,
            "hard_limit": SIZE,
            "grace": {"type": "int"},
            "scripts": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "script": {"type": "str", "required": True},
                    "user": {"type": "str"},
                    "limit": SIZE,
                    "hard_limit": SIZE,
                },
            },
            "min_idle": {"type": "int", "default": 10},
            "interval": {"type": "int", "default": 10},
            "drain": {"type": "bool", "default": True},
            "socket_directories": {
                "type": "list",
                "elements": "str",
                "default": ["/var/lib/apache2/fcgid/sock", "/run/mod_fcgid"],
            },
            "status_url": {"type": "str", "default": "http://127.0.0.1/server-status"},
            "metrics_file": {"type": "str", "default": ""},
            "dry_run": {"type": "bool", "default": False},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        supports_check_mode=True,
    )
    try:
        check_texts(module.params, module.argument_spec)
        wanted = build_wanted(module.params)
        state, plan = bring(
            RecyclerChange(Host(run), wanted), check_mode=module.check_mode, journal=Journald(silent=module.no_log)
        )
    except OomguardError as error:
        module.fail_json(msg=str(error))

    result = build_result(state, plan)
    module.exit_json(changed=plan.changed, diff=list(plan.diff), **neutralise_all(result))


def build_wanted(params: t.Mapping[str, t.Any]) -> Wanted:
    """Return the requested state according to the parameters. Raises RecyclerError, SizeError and WorkerError."""
    if params["state"] == "absent":
        return make_wanted(None, python=find_python())

    settings = make_settings(params)
    check_host(settings)
    return make_wanted(settings, python=find_python())


if __name__ == "__main__":
    main()
