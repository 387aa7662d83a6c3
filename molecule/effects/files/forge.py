# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write records that look like those of an OOM kill into the journal, in every way that a program can."""

import socket
import subprocess

KILL = "Out of memory: Killed process 1 (init) total-vm:1kB, anon-rss:1kB, file-rss:1kB, shmem-rss:0kB, UID:0"
NATIVE = {"MESSAGE": KILL, "PRIORITY": "3", "SYSLOG_IDENTIFIER": "kernel", "SYSLOG_FACILITY": "0"}
FAILURE = "ssh.service: Failed with result 'oom-kill'."
NOTICE = {"MESSAGE": "ssh.service: killed by the OOM killer", "MESSAGE_ID": "fe6faa94e7774663a0da52717891d8ef"}


def send_to_journald(**fields: str) -> None:
    """Send a record in journald's native protocol, which cannot set fields that begin with an underscore."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        text = "".join(f"{name}={value}\n" for name, value in fields.items())
        journal.sendto(text.encode(), "/run/systemd/journal/socket")


subprocess.run(["logger", "--priority", "kern.err", "--tag", "kernel", KILL], check=True)
subprocess.run(["systemd-cat", "--identifier=kernel", "--priority=err", "echo", KILL], check=True)
send_to_journald(_TRANSPORT="kernel", **NATIVE)
send_to_journald(_PID="1", UNIT="ssh.service", **NOTICE)
with open("/dev/kmsg", "w") as kmsg:
    kmsg.write(f"<3>{KILL}\n")
# With the facility of daemons, as systemd writes there while journald does not take its messages.
with open("/dev/kmsg", "w") as kmsg:
    kmsg.write(f"<28>systemd[1]: {FAILURE}\n")
# journald forwards this to the kernel's log for any user, if the sixth line is 1. It adds the process id of the client
# after the name, which is the first line.
with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as output:
    output.connect("/run/systemd/journal/stdout")
    output.sendall(f"systemd[1]: {FAILURE}\n\n28\n0\n0\n1\n0\n{FAILURE}\n".encode())
