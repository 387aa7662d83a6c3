# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""mod_fcgid, Apache's module that starts FastCGI programs as workers: its configuration, and its workers.

The configuration, in the order in which a change goes through it:

    directives.py    the directives: contexts, ranges, defaults and old names
    wrapper.py       wrappers that limit single workers
    config.py        settings, the text of our file, and Apache's configuration as Apache has parsed it
    plan.py          what is wanted, the state of the host, and the plan between them
    effect.py        which settings win over ours, which values apply, which contradict
    layout.py        where each distribution keeps Apache
    instances.py     the instances of Apache on the host
    includes.py      whether Apache reads a file that does not exist yet
    checks.py        what makes mod_fcgid fail, although it passes Apache's own test
    apache.py        Apache on the host: observe its configuration, install our file, reload
    change.py        the change, in the steps of `_change.bring`
    result.py        the result and the warnings of the module

The workers:

    worker.py        what the kernel and mod_fcgid report about a worker
    workers.py       the workers of the host, found in /proc
    status_page.py   mod_status's page, parsed
    status_fetch.py  mod_status's page, fetched
    memory.py        how much memory the workers may need, and how much the host has

Only checks.py, apache.py, change.py, instances.py, workers.py, status_fetch.py and memory.py touch the host. The
recycler (`_recycler`) packs worker.py, workers.py, status_page.py and status_fetch.py into its archive.
"""
