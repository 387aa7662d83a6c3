# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of the recycler: its unit, and its code as one archive that Python runs.

Pure, except that it reads the source of its own modules.
"""

from __future__ import annotations

import io
import pathlib
import posixpath
import re
import typing as t
import zipfile

from .. import _errors, _files, _mark, _proc, _safe, _size
from .._fcgid import status_fetch, status_page, worker, workers
from . import messages, policy, service, settings
from .service import UNIT_DIGEST, compute_fingerprint
from .settings import HEADER, Settings

UNIT = "oomguard-fcgid-recycler.service"
UNIT_PATH = pathlib.PurePosixPath("/etc/systemd/system") / UNIT
CODE_PATH = pathlib.PurePosixPath("/usr/local/lib/oomguard/fcgid-recycler.pyz")
CONFIGURATION_PATH = pathlib.PurePosixPath("/etc/oomguard/fcgid-recycler.conf")

_MODULES = (
    _errors,
    _files,
    _mark,
    _proc,
    _safe,
    _size,
    status_fetch,
    status_page,
    worker,
    workers,
    messages,
    policy,
    service,
    settings,
)
_MAIN = f"import sys\n\nfrom {service.__name__} import main\n\nsys.exit(main(sys.argv[1:]))\n"

# CAP_KILL signals workers of any user. CAP_SYS_PTRACE reads which sockets they hold, and which program their parent
# runs. CAP_DAC_OVERRIDE removes a socket's name from a folder that belongs to Apache's user. An old systemd (247)
# ignores the directives that it does not know. A folder that does not exist at the start stays read-only until Restart=
# takes effect. RestartSec= is so long that StartLimitBurst= never stops the restarts.
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


def render_unit(wanted: Settings, *, python: str) -> str:
    """Return the unit. It contains its own digest, which the recycler reports together with that of its files."""
    settings = _UNIT.format(
        python=python,
        code=CODE_PATH,
        configuration=CONFIGURATION_PATH,
        writable=" ".join(_list_writable_folders(wanted)),
    )
    text = f"{HEADER}\n{settings}"
    digest = compute_fingerprint(text.encode())
    return text.replace("Type=notify\n", f"Type=notify\nEnvironment={UNIT_DIGEST}={digest}\n")


def _list_writable_folders(wanted: Settings) -> t.Iterator[str]:
    """Yield the folders to which the recycler writes. A leading dash means that systemd ignores a missing one."""
    if wanted.drain:
        for path in wanted.socket_directories:
            yield f"-{path}"
    if wanted.metrics_file:
        yield posixpath.dirname(wanted.metrics_file)


def compute_version(code: bytes, configuration: str, unit: str) -> str:
    """Return the version that the recycler reports when it runs with this code, configuration and unit."""
    return compute_fingerprint(code, configuration.encode("utf-8", "surrogateescape"), _find_digest(unit).encode())


def _find_digest(unit: str) -> str:
    match = re.search(rf"^Environment={UNIT_DIGEST}=(.*)$", unit, re.MULTILINE)
    if match is None:
        raise ValueError("The unit does not contain its digest.")

    return match.group(1)


def make_archive() -> bytes:
    """Return the code as a zip file with a `__main__.py`: these same modules, under their own names.

    The same modules always give the same bytes.
    """
    sources = _collect_sources()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name in sorted(sources):
            entry = zipfile.ZipInfo(name)
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            file.writestr(entry, sources[name])

    return buffer.getvalue()


def _collect_sources() -> dict[str, str]:
    """Return the text of each file in the archive. The packages are empty."""
    sources = {"__main__.py": _MAIN}
    for module in _MODULES:
        parts = module.__name__.split(".")
        for end in range(1, len(parts)):
            package = "/".join(parts[:end])
            sources[f"{package}/__init__.py"] = ""

        loader: t.Any = module.__loader__
        name = "/".join(parts)
        sources[f"{name}.py"] = loader.get_source(module.__name__)

    return sources
