# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Boot a machine, show the main job on it, and remove the machine."""

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

from demo.text import State, format_elapsed, format_table

INCIDENT = Path(__file__).resolve().parents[2] / "incident"
HOST = "web1"


class DemoError(Exception):
    """Report that a step of the demo has failed."""


@dataclasses.dataclass(frozen=True)
class Demo:
    """The steps of the demo, on a machine that has booted. `say` prints a line with the elapsed time."""

    machine: Machine
    inventory: Path
    say: t.Callable[[str], None]

    def run(self) -> None:
        """Run all steps. Raise DemoError if a step fails."""
        before = self.show_incident()
        self.show_explanation()
        self.show_remediation()
        after, forced = self.show_proof(before)
        self.say("5. Before and after")
        print(f"\n{format_table(before=before, after=after, forced=forced)}\n")

    def show_incident(self) -> State:
        """Set up the incident, provoke it, and return the state afterwards."""
        self.say("1. The incident: Apache with mod_fcgid, and a worker that takes 40 MB more with each request")
        self.run_playbook(str(INCIDENT / "bring.yml"), quiet=True)
        self.say("   The machine is set up: 512 MiB of RAM, 64 MiB of swap, OOMPolicy=stop. Sending requests.")
        self.run_playbook(str(INCIDENT / "provoke.yml"), "-e", "incident_expected=failed", quiet=True)
        state = self.read_state()
        self.say(f"   Answers: {state.answers}. The state of Apache according to systemd:")
        status = self.run_command("systemctl", "status", "--no-pager", "--lines=4", "apache2.service")
        print(f"\n{status}\n")
        return state

    def show_explanation(self) -> None:
        """Let the collection explain the incident."""
        self.say("2. The explanation: ansible-playbook oomguard.linux.detect")
        self.run_playbook("oomguard.linux.detect")

    def show_remediation(self) -> None:
        """Remediate, and check that a second run changes nothing."""
        self.say("3. The fix: ansible-playbook oomguard.linux.remediate --diff -e swap_size=10G")
        self.run_playbook("oomguard.linux.remediate", "--diff", "-e", "swap_size=10G")
        self.say("   The same playbook again, which must not change anything")
        output = self.run_playbook("oomguard.linux.remediate", quiet=True)
        recap = output.strip().splitlines()[-1]
        if "changed=0 " not in recap:
            raise DemoError(f"The second run was not idempotent: {recap}")
        print(f"\n{recap}\n")

    def show_proof(self, before: State) -> tuple[State, State]:
        """Send the same requests again, then force a kill; return the states after each."""
        self.say("4. The proof: the same requests again")
        self.run_playbook(str(INCIDENT / "provoke.yml"), "-e", "incident_expected=active", quiet=True)
        after = self.read_state()
        self.say(f"   Answers: {after.answers} (before: {before.answers}). Apache is {after.apache}.")
        self.say("   A forced kill in Apache's cgroup, by a limit that one request exceeds")
        self.run_playbook(str(INCIDENT / "force_kill.yml"), quiet=True)
        forced = self.read_state()
        self.say(f"   Kills since boot: {forced.kills} (before: {after.kills}). Apache is {forced.apache}.")
        if forced.main_pid != after.main_pid:
            raise DemoError("Apache was restarted during the forced kill.")
        return after, forced

    def read_state(self) -> State:
        """Return the present state of the machine."""
        return State.parse(self.run_command("incident", "state"))

    def run_command(self, *command: str) -> str:
        """Run a command on the machine, and return its output."""
        ssh = machine.build_ssh_command(self.machine, shlex.join(command))
        return subprocess.run(ssh, check=False, capture_output=True, text=True).stdout

    def run_playbook(self, playbook: str, *arguments: str, quiet: bool = False) -> str:
        """Run a playbook on the machine, print its output unless `quiet`, and return it.

        Raise DemoError if the playbook fails.
        """
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
        if process.returncode == 0:
            return output

        if quiet:
            raise DemoError(f"{shlex.join(command)} failed:\n{output}")
        raise DemoError(f"{shlex.join(command)} failed.")


def main() -> int:
    """Run the demo, and return the exit status."""
    unwind_on_interrupts()
    try:
        boot_and_run(keep=bool(os.environ.get("KEEP")))
    except (DemoError, LabError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1

    return 0


def boot_and_run(*, keep: bool) -> None:
    """Boot a machine, run the demo on it, and remove the machine unless `keep`.

    Raise DemoError if a step fails, LabError if the machine does not boot. The machine is removed then, too.
    """
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"{format_elapsed(time.monotonic() - started)} {text}", flush=True)

    with tempfile.TemporaryDirectory(prefix="oomguard-demo-") as scratch, contextlib.ExitStack() as stack:
        folder = Path(scratch) / HOST
        if keep:
            folder = Path(tempfile.mkdtemp(prefix="oomguard-demo-")) / HOST
        say("The main job of oomguard.linux, on a virtual machine with Debian 11 (bullseye)")
        stack.callback(machine.down, folder)
        booted = machine.up(folder, release="bullseye", say=say)
        inventory = Path(scratch) / "inventory.yml"
        inventory.write_text(make_inventory(booted), encoding="utf-8")
        Demo(machine=booted, inventory=inventory, say=say).run()
        if keep:
            stack.pop_all()
            print(f"The machine keeps running. Log in with:\n\n    {shlex.join(machine.build_ssh_command(booted))}\n")
            print(f"and remove it with:\n\n    PYTHONPATH=tests/lab python3 -m lab down {folder}\n")
        say("Done.")


def make_inventory(booted: Machine) -> str:
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
