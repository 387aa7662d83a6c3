# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo: boots a machine, tells the story on it, and ends the machine again."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shlex
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

from lab import machine
from lab.errors import LabError
from lab.interrupts import unwind_on_interrupts
from lab.qemu import Machine

from demo.text import Look, elapsed, table

INCIDENT = Path(__file__).resolve().parents[2] / "incident"
HOST = "web1"


class DemoError(Exception):
    """A part of the story did not go as told."""


@dataclasses.dataclass(frozen=True)
class Story:
    """The machine on which the story happens, and the clock of the telling."""

    machine: Machine
    inventory: Path
    say: t.Callable[[str], None]

    def tell(self) -> None:
        """Tell the whole story. Raises DemoError."""
        before = self.incident()
        self.explanation()
        self.remediation()
        after, forced = self.proof(before)
        self.say("5. Before and after")
        print(f"\n{table(before=before, after=after, forced=forced)}\n")

    def incident(self) -> Look:
        """Bring the machine to the incident, and let it happen."""
        self.say("1. The incident: Apache with mod_fcgid, and a worker that takes 40 MB more with each request")
        self.play(str(INCIDENT / "bring.yml"), quiet=True)
        self.say("   The machine is set up: 512 MiB of RAM, 64 MiB of swap, OOMPolicy=stop. Now the requests come.")
        self.play(str(INCIDENT / "provoke.yml"), "-e", "incident_expected=failed", quiet=True)
        look = self.look()
        self.say(f"   Answers: {look.answers}. Then systemd has this to say of Apache:")
        print(f"\n{self.run('systemctl', 'status', '--no-pager', '--lines=4', 'apache2.service')}\n")
        return look

    def explanation(self) -> None:
        """Have the collection explain what happened."""
        self.say("2. What happened: ansible-playbook oomguard.linux.detect")
        self.play("oomguard.linux.detect")

    def remediation(self) -> None:
        """Fix it, and see that a second run changes nothing."""
        self.say("3. The fix: ansible-playbook oomguard.linux.remediate --diff -e swap_size=10G")
        self.play("oomguard.linux.remediate", "--diff", "-e", "swap_size=10G detect_summary=false")
        self.say("   The same again, which must not change anything")
        recap = self.play("oomguard.linux.remediate", "-e", "detect_summary=false", quiet=True).strip().splitlines()[-1]
        if "changed=0 " not in recap:
            raise DemoError(f"The second run was not idempotent: {recap}")
        print(f"\n{recap}\n")

    def proof(self, before: Look) -> tuple[Look, Look]:
        """Put the same load on the machine again, and force a kill."""
        self.say("4. The proof: the same requests again")
        self.play(str(INCIDENT / "provoke.yml"), "-e", "incident_expected=active", quiet=True)
        after = self.look()
        self.say(f"   Answers: {after.answers} (before: {before.answers}). Apache is {after.apache}.")
        self.say("   And a kill forced inside Apache's cgroup, by a limit that one request exceeds")
        self.play(str(INCIDENT / "force_kill.yml"), quiet=True)
        forced = self.look()
        self.say(f"   Kills since boot: {forced.kills} (before: {after.kills}). Apache is {forced.apache}.")
        if forced.main_pid != after.main_pid:
            raise DemoError("Apache was started anew meanwhile.")
        return after, forced

    def look(self) -> Look:
        """Look at the machine as it is now."""
        return Look.parse(self.run("incident", "state"))

    def run(self, *command: str) -> str:
        """Run a command on the machine and return what it prints."""
        return subprocess.run(
            machine.ssh_command(self.machine, shlex.join(command)), check=False, capture_output=True, text=True
        ).stdout

    def play(self, playbook: str, *arguments: str, quiet: bool = False) -> str:
        """Run a playbook on the machine, its output shown unless `quiet`, and return that. Raises DemoError."""
        command = ["ansible-playbook", "-i", str(self.inventory), playbook, *arguments]
        environment = {**os.environ, "ANSIBLE_PIPELINING": "true", "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml"}
        lines = []
        with subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                for line in t.cast("t.IO[str]", process.stdout):
                    lines.append(line)
                    if not quiet:
                        print(line, end="", flush=True)
            except BaseException:
                process.terminate()
                raise
        output = "".join(lines)
        if process.returncode:
            raise DemoError(f"{shlex.join(command)} failed{f':{output}' if quiet else '.'}")
        return output


def main() -> int:
    """Boot a machine, tell the story, and end the machine unless KEEP is set. Returns the exit status."""
    unwind_on_interrupts()
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"{elapsed(time.monotonic() - started)} {text}", flush=True)

    keep = bool(os.environ.get("KEEP"))
    try:
        with tempfile.TemporaryDirectory(prefix="oomguard-demo-") as scratch, contextlib.ExitStack() as stack:
            folder = Path(tempfile.mkdtemp(prefix="oomguard-demo-")) / HOST if keep else Path(scratch) / HOST
            say("The main job of oomguard.linux, on a virtual machine with Debian 11 (bullseye)")
            stack.callback(machine.down, folder)
            booted = machine.up(folder, release="bullseye", say=say)
            inventory = Path(scratch) / "inventory.yml"
            inventory.write_text(inventory_of(booted), encoding="utf-8")
            Story(machine=booted, inventory=inventory, say=say).tell()
            if keep:
                stack.pop_all()
                print(f"The machine goes on. Look around with:\n\n    {shlex.join(machine.ssh_command(booted))}\n")
                print(f"and end it with:\n\n    PYTHONPATH=tests/lab python3 -m lab down {folder}\n")
            say("Done.")
    except (DemoError, LabError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    return 0


def inventory_of(booted: Machine) -> str:
    """Return an Ansible inventory with the machine as its only host."""
    found = machine.describe(booted)
    options = " ".join(f"-o {option}" for option in found["ssh_options"])
    return f"""\
all:
  hosts:
    {HOST}:
      ansible_host: {found["host"]}
      ansible_port: {found["port"]}
      ansible_user: {found["user"]}
      ansible_ssh_private_key_file: {found["identity_file"]}
      ansible_ssh_common_args: {options}
      ansible_python_interpreter: /usr/bin/python3
"""


if __name__ == "__main__":
    sys.exit(main())
