#!/usr/bin/python
# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module fcgid_config: its documentation, its argument spec and its main function."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fcgid_config
short_description: Set directives of Apache's mod_fcgid and prove that they are in force
version_added: 1.0.0
description:
  - Writes directives of mod_fcgid to a separate file, which Apache reads after the files of the distribution. The
    files of the distribution are not changed.
  - Apache tests the directives before anything is written. Afterwards, the module compares the configuration as Apache
    has parsed it with the requested one. Only then does it reload Apache, gracefully.
  - Even if the test passes, an Apache module can end Apache on the reload. If Apache ends within three seconds, the
    file is restored, Apache is started again, and the task fails.
  - mod_fcgid reads nearly every number with C(atol), so Apache's own test accepts C(FcgidProcessLifeTime soon), and
    mod_fcgid uses 0. This module knows the range of each directive, and of each option in C(FcgidCmdOptions). It
    rejects values that would be misread.
author:
  - oomguard contributors (@oomguard)
extends_documentation_fragment:
  - oomguard.linux.attributes.changing
attributes:
  check_mode:
    description:
      - Has Apache test the directives, returns what would be changed, and changes nothing.
      - Fails where the change would fail, for example if a directory is immutable, or if no C(Include) directive of
        Apache's configuration leads to the file.
  diff_mode:
    description: Returns what Apache reads from the file before and after the change.
  platform:
    description: Linux with the Apache of Debian, Ubuntu or Enterprise Linux.
options:
  directives:
    description:
      - The directives for the whole server. Old names of directives are accepted and replaced with the current ones.
      - C(FcgidCmdOptions), C(FcgidInitialEnv), C(FcgidPassHeader) and C(FcgidWrapper) accept a list of values. A string
        is written as Apache reads it, including its quotes.
      - If O(state=present), this option or O(workers) is required.
    type: dict
    default: {}
  workers:
    description:
      - Limits for individual kinds of workers, written as wrappers in a form that works. mod_fcgid passes a wrapper
        neither arguments nor the path of the script, and Apache's C(RLimitMEM) does not apply to workers of mod_fcgid
        at all.
      - Each entry needs O(workers[].script), or O(workers[].command) and O(workers[].suffix). It also needs at least
        one limit.
    type: list
    elements: dict
    default: []
    suboptions:
      script:
        description:
          - The path of a program that Apache serves with mod_fcgid. Use the path at which Apache finds the program,
            without resolving symbolic links. The wrapper applies only to this file.
        type: path
      command:
        description:
          - The path of an interpreter that receives the script to run through the FastCGI protocol, such as
            V(/usr/bin/php-cgi).
        type: path
      suffix:
        description:
          - The suffix of the files that O(workers[].command) runs, such as V(.php).
        type: str
      address_space:
        description:
          - The maximum address space that each process of the worker can map, as a size such as V(512M). It must be
            1 MiB or more. The program's requests for more memory fail. With C(PHP_FCGI_CHILDREN), a worker has several
            processes.
        type: str
      oom_score_adjust:
        description:
          - The value that the kernel's OOM killer adds to the score of the process, from 0 to 1000. The OOM killer
            chooses the process with the highest score.
        type: int
  path:
    description:
      - The path of the file to write. The default is V(/etc/apache2/conf-available/zz-oomguard-fcgid.conf) with a link
        in V(/etc/apache2/conf-enabled), or V(/etc/httpd/conf.d/zz-oomguard-fcgid.conf).
      - An existing file that this module did not write is never changed. A file that Apache reads inside a section,
        such as a virtual host, is rejected.
    type: path
  instance:
    description:
      - The name of the instance of Apache, V(foo) for C(apache2@foo.service) with its files in V(/etc/apache2-foo), as
        Debian's C(setup-instance) creates it. V(default) stands for C(apache2.service) or C(httpd.service).
      - RV(instances) lists the instances. A warning names each one that runs without a file of this module.
      - By default, all instances use the same process table of mod_fcgid, and one that reloads its configuration can
        end with C(Can't create shared memory) in its error log. Give each instance its own C(FcgidProcessTableFile).
    type: str
    default: default
  state:
    description:
      - If V(present), the file contains the directives and the limits.
      - If V(absent), the file and its link are removed. The directives are checked all the same, but not used.
    type: str
    choices: [present, absent]
    default: present
  allow_overrides:
    description:
      - Whether to accept that other settings override a directive. They are returned in RV(overridden_by). If V(false),
        the task fails, unless all of them are RV(overridden_by[].harmless).
    type: bool
    default: false
notes:
  - On a host without Apache, O(state=absent) does nothing and returns only C(changed).
  - Warns if a lifetime is in force and C(FcgidMinProcessesPerClass) is not 0, since mod_fcgid always keeps that many
    workers of each class.
  - Warns if C(php-cgi) ends itself before mod_fcgid ends it.
  - Warns if a wrapper hides a command from C(FcgidCmdOptions).
  - Warns if C(FcgidMaxProcesses) workers, each as large as the largest one that runs now, do not fit into RAM and swap.
  - Rejects a wrapper that starts nothing, or that uses one program to answer all requests.
  - Rejects values that contradict each other.
  - Rejects a C(FcgidProcessTableFile) or C(FcgidIPCDir) without an existing directory, since mod_fcgid would end
    Apache.
  - On Enterprise Linux, Apache is tested with C(-DFOREGROUND) and with the C(OPTIONS) in the C(Environment=) of
    C(httpd.service), as that unit starts it. An C(EnvironmentFile=) is not read.
  - If Apache is stopped, it stays stopped.
  - Files named C(.htaccess) are not read.
  - A graceful reload ends mod_fcgid's workers. They receive SIGTERM after some seconds and SIGKILL about eight seconds
    later. A program that finishes its request on SIGTERM, as Perl's C(FCGI.pm) and C(php-cgi) do, loses no request that
    is finished by then.
  - C(journalctl MESSAGE_ID=e97d3b1a9c4644789de104f46f7d77e0) shows the changes that this module has made.
seealso:
  - name: mod_fcgid
    description: The directives and their contexts.
    link: https://httpd.apache.org/mod_fcgid/mod/mod_fcgid.html
"""

EXAMPLES = r"""
- name: End idle workers, and free the memory that they have accumulated
  oomguard.linux.fcgid_config:
    directives:
      FcgidMinProcessesPerClass: 0
      FcgidProcessLifeTime: 600
      FcgidIdleScanInterval: 120

- name: Allow virtual hosts to use other values
  oomguard.linux.fcgid_config:
    directives:
      FcgidProcessLifeTime: 600
    allow_overrides: true

- name: Limit one program, and have the OOM killer choose php-cgi before other processes
  oomguard.linux.fcgid_config:
    workers:
      - script: /srv/fcgi/report.fcgi
        address_space: 512M
        oom_score_adjust: 300
      - command: /usr/bin/php-cgi
        suffix: .php
        oom_score_adjust: 500

- name: Return to the configuration of the distribution
  oomguard.linux.fcgid_config:
    state: absent
"""

RETURN = r"""
path:
  description: The path of the file.
  returned: when the host has Apache
  type: str
  sample: /etc/apache2/conf-available/zz-oomguard-fcgid.conf
effective:
  description:
    - The value of each directive in O(directives) for the whole server, according to the configuration on disk as
      Apache has parsed it. If a directive is not configured, this is mod_fcgid's default.
    - In check mode, the values that the server would have.
  returned: when O(state=present)
  type: dict
  sample:
    FcgidIdleScanInterval: 120
    FcgidMinProcessesPerClass: 0
    FcgidProcessLifeTime: 600
overridden_by:
  description:
    - The settings that apply instead of a requested one, for a part of the server or for all of it. In check mode, the
      settings that would apply.
  returned: when the host has Apache, also if the task fails because of them
  type: list
  elements: dict
  contains:
    directive:
      description: The name of the directive.
      type: str
      sample: FcgidProcessLifeTime
    wanted:
      description: The requested value.
      type: raw
      sample: 600
    value:
      description: The value that applies there, V(null) for a variable that is not set.
      type: raw
      sample: 3600
    file:
      description: The file that contains the setting, as Apache names it.
      type: str
      sample: /etc/apache2/sites-enabled/shop.conf
    line:
      description: The line number in that file.
      type: int
      sample: 12
    context:
      description:
        - Where the value applies. This is V(server config), the sections around the setting, or V(FcgidCmdOptions) with
          a command. For such a command, mod_fcgid uses its defaults for every option that is not listed there.
      type: str
      sample: <VirtualHost *:80>
    harmless:
      description:
        - Whether the setting replaces only C(FcgidIdleTimeout) or C(FcgidProcessLifeTime), and idle workers end there
          no later than requested, because the other one of these values is in force there, and
          C(FcgidMinProcessesPerClass) is 0. The virtual hosts of control panels often have such values.
      type: bool
      sample: false
memory:
  description:
    - How much memory the workers may need, computed from the workers that run now, and how much the host has. If it has
      too little, the module warns.
  returned: when the host has Apache
  type: dict
  contains:
    workers:
      description: The number of running workers.
      type: int
      sample: 3
    largest_worker_bytes:
      description:
        - The most RAM and swap that one of them has held, as the sum over its processes, V(null) if none runs.
      type: int
      sample: 47185920
    max_processes:
      description: The value of C(FcgidMaxProcesses), the number of workers that may run.
      type: int
      sample: 1000
    needed_bytes:
      description: The memory that RV(memory.max_processes) workers of that size need, V(null) if none runs.
      type: int
      sample: 47185920000
    ram_bytes:
      description: The size of the host's RAM.
      type: int
      sample: 1033392128
    swap_bytes:
      description: The size of the host's swap.
      type: int
      sample: 3972841472
instances:
  description: The instances of Apache on the host that are enabled or run, after the default one.
  returned: when the host has Apache
  type: list
  elements: dict
  contains:
    name:
      description: The name, as in O(instance).
      type: str
      sample: default
    unit:
      description: The name of its unit.
      type: str
      sample: apache2.service
    running:
      description: Whether it runs, V(null) if systemd does not.
      type: bool
      sample: true
    masked:
      description: Whether its unit is masked, so that it cannot be started, V(null) if systemd does not run.
      type: bool
      sample: false
    managed:
      description: Whether there is a file of this module in its configuration, under the default name.
      type: bool
      sample: true
masked:
  description: Whether Apache's unit is masked, so that it cannot be started, V(null) if systemd does not run.
  returned: when the host has Apache
  type: bool
  sample: false
unit:
  description: The name of Apache's unit.
  returned: when the host has Apache
  type: str
  sample: apache2.service
running:
  description: Whether Apache runs.
  returned: when the host has Apache
  type: bool
reloaded:
  description: Whether Apache was reloaded. In check mode, whether it would be.
  returned: when the host has Apache
  type: bool
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._change import bring
from ..module_utils._command import run
from ..module_utils._errors import OomguardError
from ..module_utils._fcgid.apache import Apache
from ..module_utils._fcgid.change import FcgidChange
from ..module_utils._fcgid.config import parse_settings
from ..module_utils._fcgid.instances import describe_unmanaged, find_instance, observe_instances
from ..module_utils._fcgid.layout import find_layout
from ..module_utils._fcgid.memory import compute_need, observe_usage
from ..module_utils._fcgid.plan import OverriddenError, Wanted
from ..module_utils._fcgid.result import (
    build_result,
    describe_instances,
    describe_overrides,
    find_max_processes,
    find_warnings,
)
from ..module_utils._fcgid.wrapper import make_wrapper
from ..module_utils._journald import Journald
from ..module_utils._params import check_texts
from ..module_utils._safe import neutralise, neutralise_all


def main() -> None:
    """Configure mod_fcgid according to the parameters."""
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
            "instance": {"type": "str", "default": "default"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "allow_overrides": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    try:
        check_texts(module.params, module.argument_spec)
        wanted = build_wanted(module.params)
        layout = find_layout(required=wanted.present)
        if layout is None:
            module.exit_json(changed=False)

        layout_here = find_instance(layout, module.params["instance"])
        apache = Apache(layout_here, run=run, path=module.params["path"])
        usage = observe_usage()
        state, plan = bring(
            FcgidChange(apache, wanted), check_mode=module.check_mode, journal=Journald(silent=module.no_log)
        )
        instances = observe_instances(layout, run=run)
    except OverriddenError as error:
        overrides = describe_overrides(error.overrides)
        module.fail_json(msg=str(error), overridden_by=neutralise_all(overrides))
    except OomguardError as error:
        module.fail_json(msg=str(error))

    need = compute_need(usage, max_processes=find_max_processes(state, wanted))
    warnings = list(find_warnings(state, wanted, need, given_names=module.params["directives"]))
    if wanted.present:
        warnings += describe_unmanaged(instances, layout_here)
    for warning in warnings:
        module.warn(neutralise(warning))

    result = {**build_result(state, plan, wanted, need), **describe_instances(instances, apache.unit)}
    module.exit_json(changed=plan.changed, diff=plan.diff, unit=apache.unit, **neutralise_all(result))


def build_wanted(params: t.Mapping[str, t.Any]) -> Wanted:
    """Return the requested state according to the parameters. Raises FcgidError and SizeError."""
    directives = parse_settings(params["directives"])
    wrappers = [make_wrapper(worker) for worker in params["workers"]]
    if params["state"] == "absent":
        return Wanted(present=False, allow_overrides=params["allow_overrides"])

    return Wanted(settings=(*directives, *wrappers), allow_overrides=params["allow_overrides"])


if __name__ == "__main__":
    main()
