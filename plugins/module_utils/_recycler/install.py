# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recycler's installation: what is wanted, the state of the host, the plan, and the adapter that carries it out."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import pathlib
import sys
import typing as t

from .._command import Run
from .._files import (
    check_change,
    check_removable,
    lock,
    read_file,
    remove_file,
    sync_folder,
    write_file,
)
from .._safe import make_diff
from .._systemctl import Systemctl, is_booted
from .files import (
    CODE_PATH,
    CONFIGURATION_PATH,
    UNIT,
    UNIT_PATH,
    compute_version,
    make_archive,
    render_unit,
)
from .settings import RecyclerError, Settings, render

_WANTS = UNIT_PATH.parent / "multi-user.target.wants"
_PATHS = (CODE_PATH, CONFIGURATION_PATH, UNIT_PATH)
_PROPERTIES = ("ActiveState", "UnitFileState", "NeedDaemonReload", "StatusText", "Result")
_USUAL_PYTHON = "/usr/bin/python3"
# Longer than TimeoutStartSec= in the unit.
_TIMEOUT = 180

LOOK_HINT = f"Run `journalctl --unit {UNIT}` for details."

Files = t.Mapping[pathlib.PurePosixPath, t.Optional[str]]


@dataclasses.dataclass(frozen=True)
class Wanted:
    """The text of each file, None for a file to remove, and the version that the running recycler must report."""

    files: Files
    version: str | None

    @property
    def present(self) -> bool:
        """Return whether the recycler is wanted at all."""
        return self.version is not None


@dataclasses.dataclass(frozen=True)
class State:
    """The state of the host. Without a running systemd (as in an image build), there are no `properties`."""

    files: Files
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

    @property
    def status(self) -> str:
        """Return what the recycler reports: its version, a colon and a line about the workers."""
        return self.properties.get("StatusText", "")

    def is_running(self, wanted: Wanted) -> bool:
        """Return whether the recycler runs, and reports the wanted version."""
        return self.active and self.status.startswith(f"{wanted.version}:")

    @property
    def needs_reload(self) -> bool:
        """Return whether the unit has changed on disk since systemd read it."""
        return self.properties.get("NeedDaemonReload") == "yes"


@dataclasses.dataclass(frozen=True)
class Plan:
    """The steps to take, in the order of the fields."""

    stop: bool
    disable: bool
    writes: tuple[tuple[pathlib.PurePosixPath, str | None], ...]
    reload: bool
    enable: bool
    restart: bool
    diff: tuple[dict[str, str], ...]

    @property
    def changed(self) -> bool:
        """Return whether there is any step to take."""
        return any((self.stop, self.disable, self.writes, self.reload, self.enable, self.restart))


def make_wanted(settings: Settings | None, *, python: str) -> Wanted:
    """Return what `settings` require of the host. None is for a host without the recycler."""
    if settings is None:
        return Wanted(dict.fromkeys(_PATHS), None)

    code = make_archive()
    configuration = render(settings)
    unit = render_unit(settings, python=python)
    files = {
        CODE_PATH: code.decode("utf-8", "surrogateescape"),
        CONFIGURATION_PATH: configuration,
        UNIT_PATH: unit,
    }
    return Wanted(files, compute_version(code, configuration, unit))


def make_plan(state: State, wanted: Wanted) -> Plan:
    """Return the steps from `state` to `wanted`. Pure."""
    if wanted.present:
        return _plan_installation(state, wanted)

    return _plan_removal(state, wanted)


def _plan_installation(state: State, wanted: Wanted) -> Plan:
    writes = dict(_find_writes(state, wanted))
    reload = _needs_reload(state, writes)
    is_current = state.is_running(wanted) and not writes and not reload
    return Plan(
        stop=False,
        disable=False,
        writes=tuple(writes.items()),
        reload=reload,
        enable=not state.enabled,
        restart=state.booted and not is_current,
        diff=_show_writes(state, writes),
    )


def _plan_removal(state: State, wanted: Wanted) -> Plan:
    writes = dict(_find_writes(state, wanted))
    return Plan(
        stop=state.active,
        disable=state.enabled,
        writes=tuple(writes.items()),
        reload=_needs_reload(state, writes),
        enable=False,
        restart=False,
        diff=_show_writes(state, writes),
    )


def _find_writes(state: State, wanted: Wanted) -> t.Iterator[tuple[pathlib.PurePosixPath, str | None]]:
    """Yield the path and the wanted text of each file that differs."""
    for path, text in wanted.files.items():
        if state.files[path] != text:
            yield path, text


def _needs_reload(state: State, writes: Files) -> bool:
    if not state.booted:
        return False

    is_unit_written = UNIT_PATH in writes
    return is_unit_written or state.needs_reload


def _show_writes(state: State, writes: Files) -> tuple[dict[str, str], ...]:
    diff = []
    for path, text in writes.items():
        before = _show_text(path, state.files[path])
        after = _show_text(path, text)
        diff.append(make_diff(str(path), before, after))

    return tuple(diff)


def _show_text(path: pathlib.PurePosixPath, text: str | None) -> str | None:
    """Return the text of a file for the diff. The code is shown as its checksum."""
    if text is None or path != CODE_PATH:
        return text

    checksum = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
    return f"sha256 {checksum}\n"


class Host:
    """The host below `root`, with its systemctl called through `run`."""

    def __init__(self, run: Run, root: pathlib.Path = pathlib.Path("/")) -> None:
        self._systemctl = Systemctl(run)
        self._root = root

    def lock(self) -> t.ContextManager[None]:
        """Return the lock that a change of the installation holds."""
        return lock("fcgid-recycler", folder=self._root / "run")

    def observe(self) -> State:
        """Return the state of the recycler on the host. Raises CommandError and FileError."""
        properties = self._observe_unit()
        return State(
            files={path: read_file(self._locate(path)) for path in _PATHS},
            properties=properties,
            enabled=os.path.lexists(str(self._locate(_WANTS / UNIT))),
        )

    def check_places(self, plan: Plan) -> None:
        """Raise FileError if the plan could not be carried out, because a file or a link cannot be changed."""
        for path, text in plan.writes:
            check_change(self._locate(path), text)

        if plan.enable or plan.disable:
            check_removable(self._locate(_WANTS / UNIT))

    def apply(self, plan: Plan) -> None:
        """Carry out the plan. Raises CommandError, FileError and RecyclerError."""
        if plan.stop:
            self._control("stop")
        if plan.disable:
            self._control("disable")
        for path, text in plan.writes:
            self._write(path, text)
        if plan.reload:
            self._systemctl.reload()
        if plan.enable:
            self._enable()
        if plan.restart:
            self._control("restart")

    def _observe_unit(self) -> dict[str, str]:
        if not is_booted(self._root):
            return {}

        shown = self._systemctl.show([UNIT], _PROPERTIES, attempt=f"ask systemd about {UNIT}")
        return shown[0]

    def _write(self, path: pathlib.PurePosixPath, text: str | None) -> None:
        if text is None:
            remove_file(self._locate(path))
        else:
            write_file(self._locate(path), text)

    def _enable(self) -> None:
        self._control("enable")
        # systemctl does not sync the link, so a power failure could remove it.
        for folder in (_WANTS, UNIT_PATH.parent):
            sync_folder(self._locate(folder))

    def _control(self, verb: str) -> None:
        done = self._systemctl(verb, UNIT, timeout=_TIMEOUT)
        if done.returncode:
            failure = done.failed(f"{verb} {UNIT}")
            raise RecyclerError(failure.problem, hint=LOOK_HINT)

    def _locate(self, path: pathlib.PurePosixPath) -> pathlib.Path:
        return self._root / path.relative_to("/")


def find_python() -> str:
    """Return the Python that runs the recycler: the distribution's own by its lasting name, if it is this one."""
    if os.path.realpath(_USUAL_PYTHON) == os.path.realpath(sys.executable):
        return _USUAL_PYTHON

    return sys.executable
