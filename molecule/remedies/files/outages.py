# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take services down with OOM kills (`kill`), kill the database again (`kill-again`), or forge a report (`forge`).

Each service takes more memory than its limit allows on its first start, and works after that.
"""

import pathlib
import socket
import subprocess
import sys
import time

UNITS = pathlib.Path("/etc/systemd/system")
STATE = pathlib.Path("/var/lib/outages")
HOG = "exec dd if=/dev/zero of=/dev/null count=1 bs=64M"
FIRST = "test -e {started} || {{ touch {started}; {hog}; }}; exec sleep 100000"
UNIT = """\
[Service]
{settings}
MemoryMax=24M
MemorySwapMax=0
ExecStart=/bin/sh {script}
"""
# The settings of each service, and what its script runs on its first start.
SERVICES = {
    "database": ("Restart=on-abort", HOG),
    "shop": ("OOMPolicy=stop", f"({HOG}) & sleep 3"),
    # systemd gives it the result signal, as for any other SIGKILL.
    "queue": ("OOMPolicy=continue", HOG),
    "job": ("Type=oneshot", HOG),
}
HEADER = "{identifier}\n\n6\n0\n0\n1\n0\n"


def main() -> None:
    """Do what the first argument says."""
    {"kill": kill_all, "kill-again": kill_again, "forge": forge_report}[sys.argv[1]]()


def kill_all() -> None:
    """Install the services, and start each of them once."""
    STATE.mkdir()
    for name, (settings, hog) in SERVICES.items():
        script = STATE / f"{name}.sh"
        script.write_text(FIRST.format(started=STATE / name, hog=hog) + "\n")
        (UNITS / f"{name}.service").write_text(UNIT.format(settings=settings, script=script))
    subprocess.run(["systemctl", "daemon-reload"], check=True)
    for name in SERVICES:
        subprocess.run(["systemctl", "start", f"{name}.service"], check=False)
        wait_for(name, "failed")


def kill_again() -> None:
    """Have the kernel kill the main process of the database once more, and wait until the service has come back."""
    (STATE / "database").unlink()
    subprocess.run(["systemctl", "restart", "database.service"], check=False)
    wait_for("database", "active", restarts="1")


def wait_for(name: str, state: str, *, restarts: str = "0") -> None:
    """Wait until a service is in a state after that number of restarts."""
    wanted = f"ActiveState={state}\nNRestarts={restarts}\n"
    for _attempt in range(60):
        command = ["systemctl", "show", "--property=ActiveState,NRestarts", f"{name}.service"]
        shown = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        if sorted(shown.splitlines()) == sorted(wanted.splitlines()):
            return
        time.sleep(1)
    raise SystemExit(f"{name}.service is not {state}: {shown}")


def forge_report() -> None:
    """Have journald copy a report into the log of the kernel, as it does for every program that asks it to.

    In that log, each line begins with the identifier of the program, which is the line of the report here.
    """
    for line in pathlib.Path("/srv/report.log").read_text().splitlines():
        text = line.partition("] ")[2]
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as journal:
            journal.connect("/run/systemd/journal/stdout")
            journal.sendall(f"{HEADER.format(identifier=text)}x\n".encode())


if __name__ == "__main__":
    main()
