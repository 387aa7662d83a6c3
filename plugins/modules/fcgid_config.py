#!/usr/bin/python
# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module fcgid_config: its documentation, its argument spec and the way through it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fcgid_config
short_description: Set directives of Apache's mod_fcgid, and prove that they are in force
version_added: 1.0.0
description:
  - Writes directives of mod_fcgid into an additional file of its own, which Apache reads after those of the
    distribution. These stay as they are.
  - Apache tries the directives before anything is written. Afterwards the configuration as Apache has parsed it is
    compared with what was asked for, and only then is Apache told to read it, gracefully.
  - A module of Apache's may still end it as it reads that, whatever its test has said. Where it has ended within three
    seconds, the file is put back as it was, Apache is started again, and the task fails.
  - mod_fcgid reads nearly every number with C(atol), so that Apache's own test passes C(FcgidProcessLifeTime soon) and
    takes it for 0. This module knows the range of each directive, and of each option in C(FcgidCmdOptions), and refuses
    what would be misread.
author:
  - oomguard contributors (@oomguard)
attributes:
  check_mode:
    description: Shows what would be done, has Apache try the directives, and does nothing.
    support: full
  diff_mode:
    description: Shows what Apache reads from the file before and after.
    support: full
  idempotent:
    description: A second run changes nothing.
    support: full
  platform:
    description: Linux with the Apache of Debian, Ubuntu or Enterprise Linux.
    support: full
    platforms: posix
options:
  directives:
    description:
      - The directives for the server as a whole. The names that they had of old are known too, and written by those of
        today.
      - C(FcgidCmdOptions), C(FcgidInitialEnv),
        C(FcgidPassHeader) and C(FcgidWrapper) may have a list of values; a text is written as Apache is to read it,
        with its quotes.
      - With O(state=present) either this or O(workers) is required.
    type: dict
    default: {}
  workers:
    description:
      - Limits for single kinds of workers, as wrappers that really work. mod_fcgid gives a wrapper neither arguments
        nor the path of the script, and Apache's C(RLimitMEM) does not reach these processes at all.
      - Each needs O(workers[].script), or O(workers[].command) with O(workers[].suffix), and at least one limit.
    type: list
    elements: dict
    default: []
    suboptions:
      script:
        description:
          - A program that Apache serves with mod_fcgid, by the path at which Apache finds it, with its links. Its
            wrapper stands in a section for this file alone.
        type: path
      command:
        description:
          - An interpreter that has the script to run from the protocol, such as V(/usr/bin/php-cgi).
        type: path
      suffix:
        description:
          - The suffix of the files that O(workers[].command) runs, such as V(.php).
        type: str
      address_space:
        description:
          - The most that the process may map, as a size such as V(512M), of 1 MiB or more. Beyond it, memory is
            refused to the program.
        type: str
      oom_score_adjust:
        description:
          - What the kernel's OOM killer adds to the process, from 0 to 1000, so that it goes before others.
        type: int
  path:
    description:
      - The file to write. By default V(/etc/apache2/conf-available/zz-oomguard-fcgid.conf) with its link in
        V(/etc/apache2/conf-enabled), or V(/etc/httpd/conf.d/zz-oomguard-fcgid.conf).
      - A file of this name that this module has not written is never touched, and one that Apache reads inside of a
        section, such as a virtual host, is refused.
    type: path
  state:
    description:
      - With V(absent) the file and its link are removed.
    type: str
    choices: [present, absent]
    default: present
  allow_overrides:
    description:
      - Accept that others win over a directive, and only return them in RV(overridden_by).
    type: bool
    default: false
notes:
  - Without Apache there is nothing to take away with O(state=absent), and nothing but C(changed) is returned.
  - Warns where a lifetime is in force and C(FcgidMinProcessesPerClass) is not 0, for mod_fcgid keeps that many workers
    of each class for ever; where C(php-cgi) ends itself before mod_fcgid ends it; where a wrapper hides a command from
    C(FcgidCmdOptions); and where as many workers as may run, as large as the largest one, do not fit into RAM and swap.
  - Refuses a wrapper that starts nothing, or has everything answered by one program, values that contradict, and
    a C(FcgidProcessTableFile) or C(FcgidIPCDir) for which there is no folder, at which mod_fcgid would end Apache.
  - On Enterprise Linux Apache is tested with C(-DFOREGROUND) and with the C(OPTIONS) in the C(Environment=) of
    C(httpd.service), as that unit starts it; an C(EnvironmentFile=) is not read.
  - A stopped Apache stays stopped.
  - Files named C(.htaccess) are not looked into.
  - A graceful reload ends mod_fcgid's workers, with SIGTERM after some seconds and with SIGKILL about eight seconds
    later. Programs that finish their request on SIGTERM, as Perl's C(FCGI.pm) and C(php-cgi) do, lose none that is done
    by then.
seealso:
  - name: mod_fcgid
    description: The directives and their contexts.
    link: https://httpd.apache.org/mod_fcgid/mod/mod_fcgid.html
"""

EXAMPLES = r"""
- name: Let idle workers go, and with them the memory that they have piled up
  oomguard.linux.fcgid_config:
    directives:
      FcgidMinProcessesPerClass: 0
      FcgidProcessLifeTime: 600
      FcgidIdleScanInterval: 120

- name: Accept that some virtual host has its own idea
  oomguard.linux.fcgid_config:
    directives:
      FcgidProcessLifeTime: 600
    allow_overrides: true

- name: Limit one program, and have the kernel take php-cgi before anything else
  oomguard.linux.fcgid_config:
    workers:
      - script: /srv/fcgi/report.fcgi
        address_space: 512M
        oom_score_adjust: 300
      - command: /usr/bin/php-cgi
        suffix: .php
        oom_score_adjust: 500

- name: Go back to what the distribution configures
  oomguard.linux.fcgid_config:
    state: absent
"""

RETURN = r"""
path:
  description: The file.
  returned: when the host has Apache
  type: str
  sample: /etc/apache2/conf-available/zz-oomguard-fcgid.conf
effective:
  description:
    - The value that the server as a whole has of each directive in O(directives), from the configuration on the disk as
      Apache has parsed it; mod_fcgid's default where none is configured.
    - In check mode, the values that it would have.
  returned: when O(state=present)
  type: dict
  sample:
    FcgidIdleScanInterval: 120
    FcgidMinProcessesPerClass: 0
    FcgidProcessLifeTime: 600
overridden_by:
  description:
    - Each setting that applies in place of one of ours, somewhere or everywhere; in check mode, that would apply.
  returned: when the host has Apache
  type: list
  elements: dict
  contains:
    directive:
      description: The directive.
      type: str
      sample: FcgidProcessLifeTime
    wanted:
      description: The value asked for.
      type: raw
      sample: 600
    value:
      description: The value that applies there, V(null) for a variable that is not set.
      type: raw
      sample: 3600
    file:
      description: The file that sets it, as Apache names it.
      type: str
      sample: /etc/apache2/sites-enabled/shop.conf
    line:
      description: The line in it.
      type: int
      sample: 12
    context:
      description:
        - Where it applies, V(server config), the sections around it, or V(FcgidCmdOptions) with the command. For a
          command that this names, mod_fcgid's defaults apply to whatever is not named there.
      type: str
      sample: <VirtualHost *:80>
memory:
  description:
    - What the workers may come to need, from those that run now, beside what the host has. A warning tells when it is
      too little.
  returned: when the host has Apache
  type: dict
  contains:
    workers:
      description: How many workers run.
      type: int
      sample: 3
    largest_worker_bytes:
      description: The most that one of them has held, in RAM and swap; V(null) where none runs.
      type: int
      sample: 47185920
    max_processes:
      description: The value of C(FcgidMaxProcesses), how many may run.
      type: int
      sample: 1000
    needed_bytes:
      description: What so many of that size need, V(null) where none runs.
      type: int
      sample: 47185920000
    ram_bytes:
      description: The host's RAM.
      type: int
      sample: 1033392128
    swap_bytes:
      description: The host's swap.
      type: int
      sample: 3972841472
unit:
  description: The unit of Apache.
  returned: when the host has Apache
  type: str
  sample: apache2.service
running:
  description: Whether Apache runs.
  returned: when the host has Apache
  type: bool
reloaded:
  description: Whether Apache was told to read its configuration, or would be in check mode.
  returned: when the host has Apache
  type: bool
"""

import contextlib
import dataclasses
import pathlib
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._command import run
from ..module_utils._errors import OomguardError
from ..module_utils._fcgid.apache import Apache, find_layout
from ..module_utils._fcgid.config import settings_from
from ..module_utils._fcgid.directives import renamed
from ..module_utils._fcgid.effect import doubts, effective, overrides
from ..module_utils._fcgid.memory import Need, need_of
from ..module_utils._fcgid.plan import Plan, State, Wanted, make_plan
from ..module_utils._fcgid.workers import Workers
from ..module_utils._fcgid.wrapper import wrapper_for
from ..module_utils._files import lock, read_file
from ..module_utils._safe import neutralise_all


def main() -> None:
    """Observe, plan, apply, verify."""
    module = AnsibleModule(
        argument_spec={
            "directives": {"type": "dict", "default": {}},
            "workers": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "script": {"type": "path"},
                    "command": {"type": "path"},
                    "suffix": {"type": "str"},
                    "address_space": {"type": "str"},
                    "oom_score_adjust": {"type": "int"},
                },
                "required_one_of": [("script", "command"), ("address_space", "oom_score_adjust")],
                "mutually_exclusive": [("script", "command")],
                "required_together": [("command", "suffix")],
            },
            "path": {"type": "path"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "allow_overrides": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    try:
        wanted = wanted_from(module.params)
        path = module.params["path"] and pathlib.Path(module.params["path"])
        layout = find_layout(must=wanted.present)
        if layout is None:
            module.exit_json(changed=False)
        apache = Apache(layout, run=run, path=path)
        with contextlib.nullcontext() if module.check_mode else lock("fcgid"):
            state = apache.observe(wanted)
            plan = make_plan(state, wanted)
            if plan.changed and not module.check_mode:
                state = apache.apply(plan, wanted)
        need = need_of(
            [worker.memory for worker in Workers().all()],
            max_processes=effective(state.expected(wanted), ["FcgidMaxProcesses"])["FcgidMaxProcesses"],
            meminfo=read_file(pathlib.Path("/proc/meminfo")) or "",
        )
    except OomguardError as error:
        module.fail_json(msg=str(error))
    warnings = [*renamed(module.params["directives"]), *doubts(state.expected(wanted), state.name), need.warning]
    for warning in filter(None, warnings):
        module.warn(warning)
    module.exit_json(changed=plan.changed, diff=plan.diff, unit=layout.unit, **result(state, plan, wanted, need))


def wanted_from(params: t.Mapping[str, t.Any]) -> Wanted:
    """Return what the module's parameters ask for. Raises FcgidError."""
    present = params["state"] == "present"
    return Wanted(
        settings=(*settings_from(params["directives"]), *map(wrapper_for, params["workers"])) if present else (),
        present=present,
        allow_overrides=params["allow_overrides"],
    )


def result(state: State, plan: Plan, wanted: Wanted, need: Need) -> dict[str, t.Any]:
    """Return the module's result beside `changed` and `diff`."""
    expected = state.expected(wanted)
    outcome: dict[str, t.Any] = {
        "path": str(state.path),
        "overridden_by": [dataclasses.asdict(override) for override in overrides(expected, state.name)],
        "memory": {**dataclasses.asdict(need), "needed_bytes": need.needed_bytes},
        "running": state.running,
        "reloaded": plan.reload,
    }
    if wanted.present:
        outcome["effective"] = effective(expected, wanted.names)
    return t.cast("dict[str, t.Any]", neutralise_all(outcome))


if __name__ == "__main__":
    main()
