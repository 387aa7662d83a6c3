# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recycler's installation: what is there, what is to be done about it, and the adapter that does it."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import pathlib
import sys
import typing as t

from .._command import Completed, Run
from .._files import (
    read_file,
    remove_file,
    sync_folder,
    write_file,
)
from .._safe import make_diff, neutralise
from .files import (
    CODE_PATH,
    CONFIGURATION_PATH,
    UNIT,
    UNIT_PATH,
    archive,
    unit_text,
    version_of,
)
from .settings import RecyclerError, Settings, render

_WANTS = UNIT_PATH.parent / "multi-user.target.wants"
_PROPERTIES = ("ActiveState", "UnitFileState", "NeedDaemonReload", "StatusText", "Result")


@dataclasses.dataclass(frozen=True)
class Wanted:
    """The files by their paths, None for one that is to go, and what the running recycler is to call itself."""

    files: t.Mapping[pathlib.PurePosixPath, str | None]
    version: str | None

    @property
    def present(self) -> bool:
        """Return whether the recycler is to be there at all."""
        return self.version is not None


@dataclasses.dataclass(frozen=True)
class State:
    """What the host has; without a running systemd (an image build) there are no `properties`."""

    files: t.Mapping[pathlib.PurePosixPath, str | None]
    properties: t.Mapping[str, str]
    enabled: bool

    @property
    def booted(self) -> bool:
        """Return whether systemd runs."""
        return bool(self.properties)

    @property
    def active(self) -> bool:
        """Return whether the recycler runs, or tries to."""
        return self.properties.get("ActiveState", "inactive") not in ("inactive", "failed")


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is to be done, in the order of the fields."""

    stop: bool
    disable: bool
    writes: tuple[tuple[pathlib.PurePosixPath, str | None], ...]
    reload: bool
    enable: bool
    restart: bool
    diff: tuple[dict[str, str], ...]

    @property
    def changed(self) -> bool:
        """Return whether anything is to be done."""
        return bool(self.stop or self.disable or self.writes or self.reload or self.enable or self.restart)


def wanted_for(settings: Settings | None, *, python: str) -> Wanted:
    """Return what `settings` come to; None is for a host without the recycler."""
    if settings is None:
        return Wanted(dict.fromkeys((CODE_PATH, CONFIGURATION_PATH, UNIT_PATH)), None)
    code, configuration, unit = archive(), render(settings), unit_text(settings, python=python)
    files = {CODE_PATH: code.decode("utf-8", "surrogateescape"), CONFIGURATION_PATH: configuration, UNIT_PATH: unit}
    return Wanted(files, version_of(code, configuration, unit))


def make_plan(state: State, wanted: Wanted) -> Plan:
    """Return the steps from `state` to `wanted`. Pure."""
    writes = tuple((path, text) for path, text in wanted.files.items() if state.files[path] != text)
    unit_changes = any(path == UNIT_PATH for path, _text in writes)
    reload = state.booted and (unit_changes or state.properties.get("NeedDaemonReload") == "yes")
    runs = state.active and state.properties.get("StatusText", "").startswith(f"{wanted.version}:")
    return Plan(
        stop=state.active and not wanted.present,
        disable=state.enabled and not wanted.present,
        writes=writes,
        reload=reload,
        enable=wanted.present and not state.enabled,
        restart=state.booted and wanted.present and (bool(writes) or reload or not runs),
        diff=tuple(make_diff(str(path), _shown(path, state.files[path]), _shown(path, text)) for path, text in writes),
    )


@dataclasses.dataclass(frozen=True)
class Host:
    """The host below `root`, whose systemd is spoken to through `run`."""

    run: Run
    root: pathlib.Path = pathlib.Path("/")

    def observe(self) -> State:
        """Return what the host has of the recycler. Raises CommandError, FileError and RecyclerError."""
        properties = {}
        if (self.root / "run/systemd/system").is_dir():
            done = self.run(["systemctl", "show", "--no-pager", f"--property={','.join(_PROPERTIES)}", UNIT])
            if done.returncode:
                raise RecyclerError(str(done.failed(f"ask systemd about {UNIT}")))
            properties = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
        return State(
            files={path: read_file(self._path(path)) for path in (CODE_PATH, CONFIGURATION_PATH, UNIT_PATH)},
            properties=properties,
            enabled=os.path.lexists(str(self._path(_WANTS / UNIT))),
        )

    def apply(self, plan: Plan) -> None:
        """Carry out the plan. Raises CommandError, FileError and RecyclerError."""
        if plan.stop:
            self._systemctl("stop", UNIT)
        if plan.disable:
            self._systemctl("disable", UNIT)
        for path, text in plan.writes:
            if text is None:
                remove_file(self._path(path))
            else:
                write_file(self._path(path), text)
        if plan.reload:
            self._systemctl("daemon-reload")
        if plan.enable:
            self._systemctl("enable", UNIT)
            # Which leaves it to chance whether the link outlasts a power failure.
            for folder in (_WANTS, UNIT_PATH.parent):
                sync_folder(self._path(folder))
        if plan.restart:
            self._systemctl("restart", UNIT)

    def verify(self, wanted: Wanted) -> State:
        """Return the state after a change. Raises RecyclerError where it is not the wanted one."""
        state = self.observe()
        if make_plan(state, wanted).changed:
            said = ", ".join(f"{name}={neutralise(value)}" for name, value in state.properties.items())
            raise RecyclerError(
                f"{UNIT} is not in force as it was set up ({said}).", hint=f"Look at `journalctl --unit {UNIT}`."
            )
        return state

    def _systemctl(self, *words: str) -> Completed:
        done = self.run(["systemctl", "--no-pager", *words], timeout=180)
        if done.returncode:
            raise RecyclerError(str(done.failed(" ".join(words), hint=f"Look at `journalctl --unit {UNIT}`.")))
        return done

    def _path(self, path: pathlib.PurePosixPath) -> pathlib.Path:
        return self.root / path.relative_to("/")


def system_python() -> str:
    """Return the Python to run the recycler with: the distribution's own by the name that stays, if it is this one."""
    usual = "/usr/bin/python3"
    return usual if os.path.realpath(usual) == os.path.realpath(sys.executable) else sys.executable


def _shown(path: pathlib.PurePosixPath, text: str | None) -> str:
    if text is None or path != CODE_PATH:
        return text or ""
    return f"sha256 {hashlib.sha256(text.encode('utf-8', 'surrogateescape')).hexdigest()}\n"
