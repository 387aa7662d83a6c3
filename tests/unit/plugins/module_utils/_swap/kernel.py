# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fake host in a folder: the tables of its kernel, and the programs that change its swap."""

from __future__ import annotations

import pathlib
import struct
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._command import Completed
from ansible_collections.oomguard.linux.plugins.module_utils._swap.host import Host

PAGE = 4096
PROGRAMS = {"mkswap", "swapon", "swapoff", "chattr", "systemctl", "findmnt", "btrfs", "dmesg"}
TITLE = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"


class Kernel:
    """Acts as the programs of a host in `folder`. Those in `failing` fail, and those in `deaf` do nothing."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.root = folder
        self.proc = folder / "proc"
        self.calls: list[list[str]] = []
        self.answers: dict[str, str] = {}
        self.errors: dict[str, str] = {}
        self.failing: set[str] = set()
        self.failing_once: set[str] = set()
        self.deaf: set[str] = set()
        self.missing: set[str] = set()
        for name in ("proc/self", "proc/1", "proc/sys/kernel", "etc", "data", "units"):
            (folder / name).mkdir(parents=True)
        self.path = folder / "data/swapfile"
        self.write("proc/swaps", TITLE)
        self.write("proc/meminfo", "MemTotal: 475312 kB\nMemAvailable: 300000 kB\n")
        self.write("proc/self/mountinfo", "22 1 254:1 / / rw - ext4 /dev/vda1 rw\n")
        self.write("proc/self/status", "CapEff:\t000001ffffffffff\n")
        self.write("proc/sys/kernel/osrelease", "6.1.0-37-amd64\n")
        self.write("proc/1/environ", "PATH=/bin\0HOME=/\0")
        self.write("etc/fstab", "LABEL=root / ext4 defaults 0 1\n")

    @property
    def host(self) -> Host:
        return Host(
            proc=self.proc,
            fstab=self.root / "etc/fstab",
            units=self.root / "units",
            root=self.root,
            page_size=PAGE,
            is_installed=lambda program: program not in self.missing,
        )

    def write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text)

    def read(self, name: str) -> str:
        return (self.root / name).read_text()

    def files(self) -> list[str]:
        return sorted(path.name for path in self.path.parent.iterdir())

    def __call__(
        self,
        argv: t.Sequence[str],
        *,
        timeout: float = 60,
        stdin: str = "",
        environment: t.Mapping[str, str] | None = None,
    ) -> Completed:
        """Run a program as the port `Run` does."""
        assert (timeout > 0, stdin, dict(environment or {})) == (True, "", {})
        self.calls.append(list(argv))
        program = next(word for word in argv if word in PROGRAMS)
        path = argv[-1]
        if program in self.failing | self.failing_once:
            self.failing_once.discard(program)
            reason = self.errors.get(program, f"{path}: Invalid argument")
            return Completed(argv=tuple(argv), returncode=255, stdout="", stderr=f"{program}: {reason}\n")
        if program in self.deaf:
            pass
        elif program == "mkswap":
            make_swap(pathlib.Path(path))
        elif program == "swapon":
            priority = argv[argv.index("-p") + 1] if "-p" in argv else "-2"
            size = pathlib.Path(path).stat().st_size - PAGE
            self.write("proc/swaps", self.read("proc/swaps") + f"{path} file {size // 1024} 0 {priority}\n")
        elif program == "swapoff":
            lines = self.read("proc/swaps").splitlines(keepends=True)
            self.write("proc/swaps", "".join(line for line in lines if line.split()[0] != path))
        elif program == "systemctl" and "show" in argv:
            units = [word for word in argv if word.endswith(".swap") and "*" not in word]
            shown = [f"Id={unit}\nLoadState=loaded\nWantedBy=swap.target\n" for unit in units]
            return Completed(tuple(argv), 0, self.answers.get("systemctl", "\n".join(shown)), "")
        elif program == "systemctl" and "enable" in argv:
            (self.root / "units/swap.target.wants").mkdir(exist_ok=True)
        return Completed(argv=tuple(argv), returncode=0, stdout=self.answers.get(program, ""), stderr="")


def make_swap(path: pathlib.Path, *, label: bytes = b"oomguard", signature: bytes = b"SWAPSPACE2") -> None:
    """Write the header of a swap area to the first page of the file."""
    with path.open("r+b") as file:
        size = file.seek(0, 2)
        file.seek(1024)
        file.write(struct.pack("=III16s16s", 1, size // PAGE - 1, 0, b"\1" * 16, label))
        file.seek(PAGE - len(signature))
        file.write(signature)
