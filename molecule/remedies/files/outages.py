# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take services down with OOM kills (`kill`), make the same kills again (`kill-again`), or forge a report (`forge`).

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
WORKER = f"({HOG}) & sleep 3"
LIMIT = "MemoryMax=24M\nMemorySwapMax=0"
UNIT = """\
[Service]
{settings}
{limit}
ExecStart=/bin/sh {script}
[Install]
WantedBy=multi-user.target
"""
INIT_SCRIPT = """\
#!/bin/sh
### BEGIN INIT INFO
# Provides: legacyd
# Required-Start: $local_fs
# Required-Stop: $local_fs
# Default-Start: 2 3 4 5
# Default-Stop: 0 1 6
# Short-Description: A daemon with an init script
### END INIT INFO
case "$1" in
start) /bin/sh {script} & sleep 4 ;;
stop) pkill -f {script} ;;
esac
"""
# The unit of each service without its ending, its settings, and what its script runs on its first start.
SERVICES = {
    "database": ("Restart=on-abort", HOG),
    "shop": ("OOMPolicy=stop", WORKER),
    # systemd gives it the result signal, as for any other SIGKILL.
    "queue": ("OOMPolicy=continue", HOG),
    "pool@main": ("OOMPolicy=stop", WORKER),
    # The unit of an init script is generated.
    "legacyd": (None, WORKER),
    "job": ("Type=oneshot", HOG),
}
# How often systemd restarts each service after another kill: only if its main process is killed.
RESTARTS = {"database": 1, "shop": 0, "queue": 1, "pool@main": 0, "legacyd": 0}
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
        if settings is None:
            install_init_script(name, script)
        else:
            template = name.replace("main", "")
            (UNITS / f"{template}.service").write_text(UNIT.format(settings=settings, limit=LIMIT, script=script))

    call("daemon-reload")
    call("enable", *RESTARTS)
    for name in SERVICES:
        call("start", name)
        wait_for(name, "failed")


def install_init_script(name: str, script: pathlib.Path) -> None:
    path = pathlib.Path("/etc/init.d") / name
    path.write_text(INIT_SCRIPT.format(script=script))
    path.chmod(0o755)
    folder = UNITS / f"{name}.service.d"
    folder.mkdir()
    (folder / "limit.conf").write_text(f"[Service]\n{LIMIT}\n")


def kill_again() -> None:
    """Have the kernel make the same kills once more, and wait until each service is up, or up again."""
    for name, restarts in RESTARTS.items():
        (STATE / name).unlink()
        call("restart", name)
        if not restarts:
            wait_for_kill(name)
        wait_for(name, "active", restarts=str(restarts))


def call(*arguments: str) -> None:
    """Run systemctl. It fails for a service whose main process is killed."""
    subprocess.run(["systemctl", *arguments], check=False)


def wait_for_kill(name: str) -> None:
    """Wait until the kernel has killed a process of a service that was just started, and systemd has noticed it."""
    command = ["systemctl", "show", "--property=ControlGroup", "--value", f"{name}.service"]
    group = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    events = pathlib.Path(f"/sys/fs/cgroup{group}/memory.events")
    for _attempt in range(60):
        if "oom_kill 0" not in events.read_text():
            time.sleep(3)
            return
        time.sleep(1)
    raise SystemExit(f"The kernel killed no process of {name}.service")


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
