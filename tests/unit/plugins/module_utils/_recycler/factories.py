# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings and workers for the tests in this folder."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.worker import Memory, Process, Worker

VALUES: dict[str, t.Any] = {
    "limit": "256M",
    "hard_limit": None,
    "grace": None,
    "scripts": [],
    "min_idle": 10,
    "interval": 10,
    "drain": True,
    "dry_run": False,
    "status_url": "http://127.0.0.1/server-status",
    "metrics_file": "",
    "socket_directories": ["/run/mod_fcgid"],
}
FULL = {
    **VALUES,
    "hard_limit": "1.5G",
    "grace": 60,
    "scripts": [
        {"script": "/srv/a b/*.fcgi", "limit": "1048577"},
        {"script": "/srv/=.fcgi", "limit": None},
        {"script": "*", "user": "web7", "limit": "512M"},
        {"script": "*", "user": "web8.example", "limit": "1G"},
        {"script": "*:*", "limit": "1G"},
    ],
    "drain": False,
    "dry_run": True,
    "status_url": "",
    "metrics_file": "/var/lib/node_exporter/oomguard.prom",
    "socket_directories": [],
}

# In bytes; workers are one byte over it.
LIMIT = 100


def make_worker(**changes: t.Any) -> Worker:
    """Return an idle worker of one process over its limit; `hwm` and `switches` are those of its memory."""
    memory = Memory(33, changes.pop("hwm", LIMIT + 1), rss_bytes=1, swap_bytes=0, switches=changes.pop("switches", 40))
    pid, started = changes.pop("pid", 1000), changes.pop("started", 7)
    worker = Worker(
        pid=pid,
        ppid=460,
        started=started,
        command=("/srv/a.fcgi",),
        user="www-data",
        state="idle",
        state_source="sockets",
        idle_seconds=None,
        age_seconds=60,
        processes=(Process(pid, started, memory),),
        pss_bytes=None,
        limits={},
        oom_score=1,
        oom_score_adj=0,
        cgroup=None,
        socket="/run/mod_fcgid/460.0",
    )
    return dataclasses.replace(worker, **changes)
