# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of the recycler: its unit, and its code as one archive that Python runs. Pure but for reading this code."""

from __future__ import annotations

import io
import pathlib
import posixpath
import typing as t
import zipfile

from .. import _errors, _files, _safe, _size
from .._fcgid import status_page, worker, workers
from . import messages, policy, service, settings
from .service import UNIT_DIGEST, fingerprint
from .settings import HEADER, Settings

UNIT = "oomguard-fcgid-recycler.service"
UNIT_PATH = pathlib.PurePosixPath("/etc/systemd/system") / UNIT
CODE_PATH = pathlib.PurePosixPath("/usr/local/lib/oomguard/fcgid-recycler.pyz")
CONFIGURATION_PATH = pathlib.PurePosixPath("/etc/oomguard/fcgid-recycler.conf")

_MODULES = (_errors, _files, _safe, _size, status_page, worker, workers, messages, policy, service, settings)
_MAIN = f"import sys\n\nfrom {service.__name__} import main\n\nsys.exit(main(sys.argv[1:]))\n"

# CAP_KILL signals workers of any user, CAP_SYS_PTRACE reads which sockets they hold and what program their parent
# runs, CAP_DAC_OVERRIDE takes a socket's name out of a folder that belongs to Apache's user. What a part of systemd is
# too old for, it passes over (247). A folder that is not there at the start stays read-only, which Restart= mends;
# RestartSec= is long enough for StartLimitBurst= never to end that.
_UNIT = """\
[Unit]
Description=Retire workers of mod_fcgid that have outgrown their limit
After=apache2.service httpd.service

[Service]
Type=notify
ExecStart={python} -I {code} {configuration}
TimeoutStartSec=170
Restart=on-failure
RestartSec=30
OOMScoreAdjust=-500
MemoryMax=64M
TasksMax=8
UMask=0077
CapabilityBoundingSet=CAP_KILL CAP_SYS_PTRACE CAP_DAC_OVERRIDE
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths={writable}
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
IPAddressDeny=any
IPAddressAllow=localhost
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
"""


def unit_text(wanted: Settings, *, python: str) -> str:
    """Return the unit; it holds its own fingerprint, which the recycler tells with that of what it has read."""
    writable = [f"-{path}" for path in wanted.socket_directories if wanted.drain]
    if wanted.metrics_file:
        writable.append(posixpath.dirname(wanted.metrics_file))
    text = (
        HEADER
        + "\n"
        + _UNIT.format(python=python, code=CODE_PATH, configuration=CONFIGURATION_PATH, writable=" ".join(writable))
    )
    return text.replace("Type=notify\n", f"Type=notify\nEnvironment={UNIT_DIGEST}={fingerprint(text.encode())}\n")


def version_of(code: bytes, configuration: str, unit: str) -> str:
    """Return what the recycler says of itself once it runs with these."""
    digest = next(line.rpartition("=")[2] for line in unit.splitlines() if line.startswith("Environment="))
    return fingerprint(code, configuration.encode("utf-8", "surrogateescape"), digest.encode())


def archive() -> bytes:
    """Return the code as a zip file with a `__main__.py`: these very modules, under their own names.

    The same modules always give the same bytes.
    """
    sources = {"__main__.py": _MAIN}
    for module in _MODULES:
        parts = module.__name__.split(".")
        for end in range(1, len(parts)):
            sources["/".join([*parts[:end], "__init__.py"])] = ""
        loader: t.Any = module.__loader__
        sources["/".join(parts) + ".py"] = loader.get_source(module.__name__)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name in sorted(sources):
            entry = zipfile.ZipInfo(name)
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            file.writestr(entry, sources[name])
    return buffer.getvalue()
