# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recognise lines in which other programs tell of OOM kills, without the facts that an event needs.

Most of them tell of a kill of the kernel, whose own report can be in the same log. Others are killers themselves.

Formats: kubelet, `kubectl get pods` and `describe`, containerd and `ctr events`, `docker events` and `inspect`, Slurm,
oomd, Android's lowmemorykiller and lmkd, nohang before 0.1.
"""

from __future__ import annotations

import re
import typing as t


class Told(t.NamedTuple):
    """One form of the lines in which a program tells of a kill. The process that was killed is `told_pid`."""

    program: str
    hint: str
    """What each of these lines contains. A search for it is much faster than for the pattern."""
    pattern: t.Pattern[str]


def _compile_told(program: str, hint: str, pattern: str) -> Told:
    return Told(program, hint, re.compile(pattern))


TOLD = (
    _compile_told(
        "kubelet",
        "System OOM",
        r"System OOM encountered(?:, victim process: .{0,60}?, pid: (?P<told_pid>\d{1,18}))?",
    ),
    _compile_told("Kubernetes", "OOMKilled", r"[Rr]eason\"?: {1,30}\"?OOMKilled|\d/\d {1,30}OOMKilled"),
    _compile_told("containerd", "TaskOOM", r"TaskOOM event"),
    _compile_told("containerd", "/tasks/oom", r"/tasks/oom "),
    _compile_told("Docker", "container oom", r"container oom [0-9a-f]{12}"),
    _compile_told("Docker", "OOMKilled", r"\"OOMKilled\": ?true"),
    _compile_told("Slurm", "kill event", r"Detected \d{1,9} oom[_-]kill event"),
    _compile_told("oomd", "oomd kill", r"oomd kill: \d"),
    _compile_told("lmkd", "lowmemorykiller", r"lowmemorykiller(?:\( *\d{1,18}\))?: Kill(?:ing)? '"),
    _compile_told("nohang", "Preventing OOM", r"Preventing OOM: trying to send"),
)

HINTS = ("OOM", "kill event", "oomd kill", "lowmemorykiller", "/tasks/oom", "container oom")
"""Each of these lines contains one of these."""
