#!/usr/bin/python
# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module fcgid_recycler: its documentation, its argument spec and the way through it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fcgid_recycler
short_description: Retire workers of Apache's mod_fcgid that have outgrown a limit
version_added: 1.0.0
description:
  - Sets up a small service on the host, the recycler, which ends workers whose memory has passed a limit, so that new
    ones take their place. mod_fcgid itself has no such limit, and Apache's C(RLimitMEM) does not reach its workers.
  - What counts is VmHWM, the most memory that a worker ever had resident. It never falls, not even where the worker is
    swapped out.
  - A worker beyond its limit is first drained. Its socket is taken away from mod_fcgid, which sends it no other request
    from then on, while the one in hand is finished. Once it has been idle for O(min_idle) seconds it is sent SIGTERM.
    So no request is lost, whatever the program does on that signal.
  - Of the workers of one program, one for each three seconds of O(interval) goes at a look, and one at least, the
    largest first. mod_fcgid starts new ones no faster, so that requests would find none.
  - The recycler is the code of M(oomguard.linux.fcgid_worker_info), which this module packs into one file, with one
    configuration file and one sandboxed unit. It needs Python 3.8 and nothing else.
author:
  - oomguard contributors (@oomguard)
attributes:
  check_mode:
    description: Shows what would be written and whether the service would be restarted, and does nothing.
    support: full
  diff_mode:
    description: Shows the configuration and the unit before and after, and of the code its checksum.
    support: full
  idempotent:
    description: A second run changes nothing.
    support: full
  platform:
    description: Linux with systemd.
    support: full
    platforms: posix
options:
  limit:
    description:
      - The VmHWM beyond which a worker is retired when it is idle, as a size such as V(256M), of 1 MiB or
        more.
      - Without it, only the scripts in O(scripts) have limits.
    type: str
  hard_limit:
    description:
      - The VmHWM beyond which a worker is sent SIGTERM even while it is busy, once O(grace) has passed.
      - Without it a busy worker is never signalled.
    type: str
  grace:
    description:
      - For how many seconds a worker beyond its hard limit may go on with the request in hand. Required with one.
    type: int
  scripts:
    description:
      - Limits of their own for some workers. The first entry that fits holds, in place of O(limit) and O(hard_limit).
    type: list
    elements: dict
    default: []
    suboptions:
      script:
        description:
          - The script as M(oomguard.linux.fcgid_worker_info) names it; C(*) and C(?) stand for anything.
        type: str
        required: true
      limit:
        description: As O(limit); without it, these workers are not retired for their size.
        type: str
      hard_limit:
        description: As O(hard_limit).
        type: str
  min_idle:
    description:
      - For how many seconds a worker has to have been idle before it is signalled.
    type: int
    default: 10
  interval:
    description:
      - How many seconds lie between two looks at the workers. A worker can grow beyond its limit for as long.
    type: int
    default: 10
  drain:
    description:
      - Take a worker beyond its limit out of service at once. Without this, a worker that is never idle for O(min_idle)
        seconds is never retired, and a program that does not finish its request on SIGTERM can lose one that comes in
        at that very moment.
    type: bool
    default: true
  socket_directories:
    description:
      - Where mod_fcgid makes its sockets (C(FcgidIPCDir)); workers elsewhere are not drained. The recycler may remove
        sockets there, and can write nowhere else but to the folder of O(metrics_file).
      - Those below C(/tmp), C(/var/tmp), C(/home), C(/root) and C(/run/user) are refused, for its sandbox hides them.
      - Where one is made only after the recycler was started, that ends when it is to drain the first worker there, and
        is started anew half a minute later.
    type: list
    elements: str
    default: [/var/lib/apache2/fcgid/sock, /run/mod_fcgid]
  status_url:
    description:
      - The page of mod_status on this host. A worker is known to have been idle where the kernel has not run it between
        two looks. Of a program that wakes up now and then by itself only the requests which this page counts tell that.
      - Give an empty text to leave it alone.
    type: str
    default: http://127.0.0.1/server-status
  metrics_file:
    description:
      - A file for the textfile collector of node_exporter, whose name has to end in V(.prom). Its folder has to exist.
        The recycler removes the file when it is stopped.
    type: str
    default: ""
  dry_run:
    description:
      - Only log what would be retired.
    type: bool
    default: false
  state:
    description:
      - With V(absent) the service is stopped and all its files are removed.
    type: str
    choices: [present, absent]
    default: present
notes:
  - The recycler logs each retirement to the journal, with C(OOMGUARD_PID), C(OOMGUARD_SCRIPT),
    C(OOMGUARD_VM_HWM_BYTES), C(OOMGUARD_AGE_SECONDS) and C(OOMGUARD_REASON); C(journalctl
    MESSAGE_ID=5d0f8c1e2a7b4c6f9e31b7a4d2586c90) shows them.
  - A worker that was drained and ends costs the next request what it takes to start another one, as every worker does
    that ends.
seealso:
  - module: oomguard.linux.fcgid_worker_info
  - module: oomguard.linux.fcgid_config
"""

EXAMPLES = r"""
- name: Retire what has been larger than 256 MiB
  oomguard.linux.fcgid_recycler:
    limit: 256M

- name: See first what that would come to
  oomguard.linux.fcgid_recycler:
    limit: 256M
    dry_run: true

- name: Give one program more, and end what will not stop growing after a minute
  oomguard.linux.fcgid_recycler:
    limit: 256M
    hard_limit: 1G
    grace: 60
    scripts:
      - script: /srv/fcgi/report.fcgi
        limit: 1G

- name: Do without it again
  oomguard.linux.fcgid_recycler:
    state: absent
"""

RETURN = r"""
unit:
  description: The service.
  returned: always
  type: str
  sample: oomguard-fcgid-recycler.service
active:
  description: Whether it runs.
  returned: always
  type: bool
  sample: true
status:
  description: What it says of itself, with the fingerprint of what it runs with; V(null) where it does not run.
  returned: always
  type: str
  sample: "1f0c5e8a93b2d647: 4 workers, 0 beyond their limit, 2 retired so far"
restarted:
  description: Whether it was started or restarted, or would be in check mode.
  returned: always
  type: bool
  sample: false
"""

import contextlib
import pathlib

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._command import run
from ..module_utils._errors import OomguardError
from ..module_utils._fcgid.workers import check_status_url
from ..module_utils._files import lock
from ..module_utils._recycler.files import UNIT
from ..module_utils._recycler.install import (
    Host,
    make_plan,
    system_python,
    wanted_for,
)
from ..module_utils._recycler.settings import (
    RecyclerError,
    Settings,
    settings_from,
)
from ..module_utils._safe import neutralise


def main() -> None:
    """Observe, plan, apply, verify."""
    size = {"type": "str"}
    module = AnsibleModule(
        argument_spec={
            "limit": size,
            "hard_limit": size,
            "grace": {"type": "int"},
            "scripts": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {"script": {"type": "str", "required": True}, "limit": size, "hard_limit": size},
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
        present = module.params["state"] == "present"
        settings = settings_from(module.params) if present else None
        if settings:
            check(settings)
        wanted, host = wanted_for(settings, python=system_python()), Host(run)
        with contextlib.nullcontext() if module.check_mode else lock("fcgid-recycler"):
            state = host.observe()
            plan = make_plan(state, wanted)
            if plan.changed and not module.check_mode:
                host.apply(plan)
                state = host.verify(wanted)
    except OomguardError as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        changed=plan.changed,
        diff=list(plan.diff),
        unit=UNIT,
        active=state.active,
        status=neutralise(state.properties.get("StatusText", "")) if state.active else None,
        restarted=plan.restart,
    )


def check(settings: Settings) -> None:
    """Raise OomguardError for what the host itself stands in the way of."""
    if settings.status_url:
        check_status_url(settings.status_url)
    if settings.metrics_file:
        path = pathlib.Path(settings.metrics_file)
        if path.suffix != ".prom" or not path.parent.is_dir():
            raise RecyclerError(
                f"{path} is no place for metrics.", hint="Give a name that ends in .prom, in a folder that exists."
            )


if __name__ == "__main__":
    main()
