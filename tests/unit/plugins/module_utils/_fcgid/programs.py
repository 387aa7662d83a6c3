# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fake for Apache's programs and systemctl, which reads the folder as Apache does, and a host with it."""

from __future__ import annotations

import dataclasses
import itertools
import pathlib
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._change import bring
from ansible_collections.oomguard.linux.plugins.module_utils._command import Completed
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.apache import Apache
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.change import FcgidChange
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.config import parse_settings
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.plan import State, Wanted
from ansible_collections.oomguard.linux.plugins.module_utils._mark import make_mark

WANTED = Wanted(settings=parse_settings({"FcgidProcessLifeTime": 600}))
OTHER = Wanted(settings=parse_settings({"FcgidProcessLifeTime": 60}))
ABSENT = Wanted(present=False)
TEXT = f"{make_mark('fcgid_config')}\n<IfModule mod_fcgid.c>\n  FcgidProcessLifeTime 600\n</IfModule>\n"
NAME = "zz-oomguard-fcgid.conf"
# The file that includes all files of the folder.
MAIN = "main.conf"


@dataclasses.dataclass
class Programs:
    """Apache, which reads every file in a folder in order, and systemctl."""

    folder: pathlib.Path
    main: str = MAIN
    active: str = "active"
    complaints: dict[str, str] = dataclasses.field(default_factory=dict)
    reload_status: int = 0
    # Apache's state at each check after a reload, and the exit status of a start.
    fate: list[str] = dataclasses.field(default_factory=list)
    start_status: int = 0
    environment: str = "LANG=C"
    arguments: list[str] = dataclasses.field(default_factory=list)
    ran: list[str] = dataclasses.field(default_factory=list)

    def __call__(self, argv: t.Sequence[str], **_options: t.Any) -> Completed:
        self.ran.append(" ".join(argv[:2]))
        done = Completed(argv=tuple(argv), returncode=0, stdout="", stderr="")
        if argv[0] == "systemctl":
            if argv[1] == "is-active" and "systemctl reload" in self.ran and self.fate:
                self.active = self.fate.pop(0)
            status = {"reload": self.reload_status, "start": self.start_status}.get(argv[1], 0)
            said = self.environment if argv[1] == "show" else self.active
            return done._replace(returncode=status, stdout=f"{said}\n", stderr="Job failed.")
        self.arguments = [word for word in argv[2:] if word.startswith("-D") and word != "-D"]
        tried = [line for flag, line in itertools.pairwise(argv) if flag == "-c"]
        paths = [path for path in sorted(self.folder.glob("*.conf")) if path.exists()]
        files = {str(path): path.read_text().splitlines() for path in paths}
        files["-c/-C directives"] = tried
        for file, lines in files.items():
            for number, line in enumerate(lines, start=1):
                complaint = self.complaints.get(line.strip())
                if complaint:
                    where = f"line {number} of {file}"
                    said = (
                        "AH00558: apache2: Could not determine the server's name, using 127.0.0.1\n"
                        f"AH00526: Syntax error on {where}:\n{complaint}\n"
                        "Action '-t' failed.\nThe Apache error log may have more information.\n"
                    )
                    return done._replace(returncode=1, stderr=said)
        dump = [
            text
            for file, lines in files.items()
            for number, line in enumerate(lines, start=1)
            if line.strip().startswith("Fcgid")
            for text in (f"# In file: {file}", f"#  {number}:", line.strip())
        ]
        read = [f"  (*) {path}" for path in (self.folder.parent / self.main, *paths)]
        return done._replace(stdout="\n".join([*read, *dump, "Loaded Modules:", " fcgid_module (shared)", ""]))


def sleepless(_seconds: float) -> None:
    """Let no time pass."""


def converge(apache: Apache, wanted: Wanted) -> State:
    """Bring the host to what is wanted, as the module does, and return its state."""
    state, _plan = bring(FcgidChange(apache, wanted), check_mode=False)
    return state


def is_converged(apache: Apache, wanted: Wanted) -> bool:
    """Return whether the module would have nothing to do."""
    _state, plan = bring(FcgidChange(apache, wanted), check_mode=True)
    return not plan.changed


def files(root: pathlib.Path) -> dict[str, str]:
    """Return the text of all files below `root`, by path."""
    paths = [path for path in root.rglob("*.*") if path.is_file()]
    ours = [path for path in paths if path.suffix != ".lock" and path.name != MAIN]
    return {str(path.relative_to(root)): path.read_text() for path in ours}
