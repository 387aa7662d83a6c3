# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recognise lines in which other programs tell of OOM kills, without the facts that an event needs.

Most of them tell of a kill of the kernel, whose own report can be in the same log. Others are killers themselves.

Formats: kubelet, `kubectl get pods` and `describe`, containerd and `ctr events`, `docker events` and `inspect`, Slurm,
oomd, Android's lowmemorykiller and lmkd, nohang before 0.1.
"""

from __future__ import annotations

PROGRAMS = {
    "kubelet": r"System OOM encountered(?:, victim process: .{0,60}?, pid: (?P<told_pid>\d{1,18}))?",
    "Kubernetes": r"[Rr]eason\"?: {1,30}\"?OOMKilled|\d/\d {1,30}OOMKilled",
    "containerd": r"TaskOOM event|/tasks/oom ",
    "Docker": r"container oom [0-9a-f]{12}|\"OOMKilled\": ?true",
    "Slurm": r"Detected \d{1,9} oom[_-]kill event",
    "oomd": r"oomd kill: \d",
    "lmkd": r"lowmemorykiller(?:\( *\d{1,18}\))?: Kill(?:ing)? '",
    "nohang": r"Preventing OOM: trying to send",
}
"""The patterns of their lines, by the name of the program. The process that was killed is `told_pid`."""

HINTS = ("OOM", "oom_kill event", "oom-kill event", "oomd kill", "lowmemorykiller", "/tasks/oom", "container oom")
"""Each of these lines contains one of these."""
