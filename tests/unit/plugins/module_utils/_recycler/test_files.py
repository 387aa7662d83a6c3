# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recycler's files: its code as one make_archive that runs by itself, and its unit."""

from __future__ import annotations

import pathlib
import signal
import socket
import subprocess
import sys
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._recycler.files import (
    compute_version,
    make_archive,
    render_unit,
)
from ansible_collections.oomguard.linux.plugins.module_utils._recycler.settings import Settings, make_settings, render
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._recycler.factories import FULL, VALUES


def unit(**changes: t.Any) -> str:
    return render_unit(make_settings({**VALUES, **changes}), python="/usr/bin/python3")


def test_archive_is_the_same_each_time() -> None:
    assert make_archive() == make_archive()


def test_archive_runs_by_itself_and_reports_its_version(tmp_path: pathlib.Path) -> None:
    code, configuration, notify = tmp_path / "code.pyz", tmp_path / "conf", tmp_path / "notify"
    code.write_bytes(make_archive())
    configuration.write_text(render(make_settings({**FULL, "metrics_file": ""})))
    environment = {"NOTIFY_SOCKET": str(notify), "OOMGUARD_UNIT": "0123456789abcdef"}
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(notify))
        listener.settimeout(60)
        command = [sys.executable, "-I", str(code), str(configuration)]
        with subprocess.Popen(command, env=environment) as process:
            ready, line = listener.recv(4096).decode().split("\n")
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
    version = compute_version(
        code.read_bytes(), configuration.read_text(), "Environment=OOMGUARD_UNIT=0123456789abcdef\n"
    )
    assert (ready, line.partition(":")[0]) == ("READY=1", f"STATUS={version}")


def test_metrics_are_removed_at_the_end(tmp_path: pathlib.Path) -> None:
    code, configuration, notify, metrics = (tmp_path / name for name in ("code.pyz", "conf", "notify", "a.prom"))
    code.write_bytes(make_archive())
    configuration.write_text(render(make_settings({**VALUES, "status_url": "", "metrics_file": str(metrics)})))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(notify))
        listener.settimeout(60)
        command = [sys.executable, "-I", str(code), str(configuration)]
        with subprocess.Popen(command, env={"NOTIFY_SOCKET": str(notify)}) as process:
            listener.recv(4096)
            written = metrics.exists()
            process.send_signal(signal.SIGTERM)
            process.wait(60)
    assert (written, metrics.exists()) == (True, False)


def test_broken_configuration_is_an_error(tmp_path: pathlib.Path) -> None:
    code, configuration = tmp_path / "code.pyz", tmp_path / "conf"
    code.write_bytes(make_archive())
    configuration.write_text("[recycler]\nmin_idle = soon\n")
    done = subprocess.run(
        [sys.executable, "-I", str(code), str(configuration)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.startswith(f"{configuration}: The configuration cannot be read")) == (2, True)


def test_unit_can_write_to_sockets_and_metrics() -> None:
    assert "ReadWritePaths=-/run/mod_fcgid /var/lib/node_exporter\n" in unit(
        metrics_file="/var/lib/node_exporter/oomguard.prom"
    )


def test_unit_can_write_nowhere_without_draining() -> None:
    assert "ReadWritePaths=\n" in unit(drain=False)


def test_version_depends_on_each_part() -> None:
    text = render(Settings())
    versions = {
        compute_version(b"code", text, unit()),
        compute_version(b"other", text, unit()),
        compute_version(b"code", text + "\n", unit()),
        compute_version(b"code", text, unit(drain=False)),
    }
    assert len(versions) == 4
