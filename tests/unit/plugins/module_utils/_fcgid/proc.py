# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder that looks like /proc with workers of mod_fcgid in it. The texts are from a bookworm machine."""

from __future__ import annotations

import pathlib
import typing as t

SOCKETS = "/var/lib/apache2/fcgid/sock"
MANAGER = 460

_STATUS = """\
Name:\tperl.fcgi
Umask:\t0022
State:\tS (sleeping)
Tgid:\t{pid}
Pid:\t{pid}
PPid:\t460
Uid:\t{uid}\t{uid}\t{uid}\t{uid}
Gid:\t33\t33\t33\t33
VmPeak:\t  112996 kB
VmHWM:\t  {hwm} kB
VmRSS:\t    5452 kB
VmSwap:\t      12 kB
voluntary_ctxt_switches:\t{switches}
nonvoluntary_ctxt_switches:\t7
"""
_LIMITS = """\
Limit                     Soft Limit           Hard Limit           Units     \x20
Max cpu time              unlimited            unlimited            seconds   \x20
Max open files            8192                 524288               files     \x20
Max address space         268435456            unlimited            bytes     \x20
Max nice priority         0                    0                   \x20
"""
_HEADINGS = "Num       RefCount Protocol Flags    Type St Inode Path\n"


class FakeProc:
    """A folder like /proc, whose entries are created on demand."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self._unix = _HEADINGS
        self.write("self/net/unix", self._unix)
        self.write("1/stat", "1 (systemd) S 0\n")
        self.process(MANAGER, parent=458, link="/dev/null")

    def write(self, name: str, text: str) -> None:
        """Write one file below the folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def socket(self, inode: int, path: str, *, flags: int = 0x10000, state: int = 1) -> None:
        """Add a socket to those that the kernel lists."""
        self._unix += f"000000007a06be57: 00000002 00000000 {flags:08X} 0001 {state:02d} {inode:5d} {path}\n"
        self.write("self/net/unix", self._unix)

    def connect(self, number: int) -> None:
        """Give the worker with this number a request."""
        self.socket(50_000 + number, f"{SOCKETS}/{MANAGER}.{number}", flags=0, state=3)

    def process(self, pid: int, *, parent: int, link: str, command: t.Sequence[str] = (), **values: int) -> None:
        """Add a process whose standard input is `link`."""
        self.write(f"{pid}/stat", f"{pid} (a) (b) S {parent} {'0 ' * 17}{values.get('started', 100)} 0 0\n")
        shown = {"uid": 0, "hwm": 110473, "switches": 40, **values}
        self.write(f"{pid}/status", _STATUS.format(pid=pid, **shown))
        self.write(f"{pid}/cmdline", "".join(f"{word}\0" for word in command))
        self.write(f"{pid}/limits", _LIMITS)
        self.write(f"{pid}/oom_score", "674\n")
        self.write(f"{pid}/oom_score_adj", "0\n")
        self.write(f"{pid}/cgroup", "0::/system.slice/apache2.service\n")
        self.write(f"{pid}/smaps_rollup", "Rss:  5452 kB\nPss:  3804 kB\nPss_Dirty: 1 kB\n")
        link_path = self.folder / str(pid) / "fd" / "0"
        link_path.parent.mkdir(exist_ok=True)
        if not link_path.is_symlink():
            link_path.symlink_to(link)

    def child(self, pid: int, *, parent: int, **values: int) -> int:
        """Add a process that a worker has started, such as one of PHP_FCGI_CHILDREN, and return its pid."""
        self.process(pid, parent=parent, link="/dev/null", command=["/usr/bin/php-cgi"], **values)
        return pid

    def worker(self, number: int, *, pid: int = 0, script: str = "/srv/fcgi/perl.fcgi", **values: int) -> int:
        """Add a worker of mod_fcgid, and return its pid."""
        pid = pid or 1000 + number
        self.socket(10_000 + number, f"{SOCKETS}/{MANAGER}.{number}")
        link = f"socket:[{10_000 + number}]"
        self.process(pid, parent=MANAGER, link=link, command=["/usr/bin/perl", script], **values)
        return pid
