# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""systemd on the host: the adapter that observes units and drop-ins, and runs systemd's programs."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import pathlib
import pwd
import re
import socket
import time
import typing as t

from .._command import Completed, Run
from .._files import lock, name_leftover, read_file
from .._systemctl import Systemctl, is_booted
from .cgroup import read_host, read_limits, read_memory
from .directives import get_properties
from .dropin import iterate_assignments
from .limits import LIMITS
from .model import MANAGERS, USER_MANAGER, DropinError, State, Wanted
from .names import (
    FoundUnit,
    find_hidden,
    find_unit,
    get_asked_name,
    get_folder_name,
    get_loadable_name,
    get_pattern,
    is_group,
)
from .syntax import split_words

_UNIT_PROPERTIES = (
    "Id",
    "LoadState",
    "ActiveState",
    "SubState",
    "Result",
    "ConsistsOf",
    "FragmentPath",
    "DropInPaths",
    "NeedDaemonReload",
    "Transient",
    "Perpetual",
    "ControlGroup",
    "InactiveExitTimestampMonotonic",
    "ManagedOOMSwap",
    "ManagedOOMMemoryPressure",
)
# True is for the systemd of a user.
_UNIT_FOLDERS = {False: "system", True: "user"}
_OPTIONS: dict[bool, tuple[str, ...]] = {False: (), True: ("--user",)}
_CONNECT_SECONDS = 5
_OOMD = "systemd-oomd.service"
# The units that concern others, by name.
_NEIGHBOURS: dict[bool, dict[str, str]] = {
    False: {unit: unit for unit in (_OOMD, "-.slice", "system.slice")},
    True: {},
}
# systemd-system.conf(5); a file in a later folder replaces one of the same name.
_MANAGER_FOLDERS = ("usr/lib", "usr/local/lib", "run", "etc")
# The version is the second word, as in `systemd 257 (257.9-1)`.
_VERSION = re.compile(r"\S+ ([0-9]+)(?!\S)")
# Microseconds; 0 stands for never.
_TIMESTAMP = re.compile("[1-9][0-9]*")
_PLAIN_OUTPUT = {"SYSTEMD_COLORS": "0", "SYSTEMD_LOG_COLOR": "0"}
_HINTS = {
    "not-found": "Check the name of the unit, and that the package that provides it is installed.",
    "masked": "A masked unit cannot be configured; unmask it first.",
}


@dataclasses.dataclass(frozen=True)
class Systemd:
    """The systemd of the host below `root`, or that of the user who runs this; `run` runs its programs."""

    run: Run
    root: pathlib.Path = pathlib.Path("/")
    user: bool = False
    uid: int = dataclasses.field(default_factory=os.getuid)
    home: pathlib.Path = dataclasses.field(default_factory=lambda: _find_home(os.getuid()))

    @property
    def runtime(self) -> pathlib.Path:
        """Return the folder of the files that last until the next boot.

        XDG_RUNTIME_DIR does not count: after become, it may be that of the user who logged in.
        """
        folders = {False: "run", True: f"run/user/{self.uid}"}
        return self.root / folders[self.user]

    @property
    def booted(self) -> bool:
        """Return whether this systemd runs: for the host sd_booted(3), for a user whether its socket answers.

        The socket file of a user remains after that systemd has stopped.
        """
        if not self.user:
            return is_booted(self.root)

        with socket.socket(socket.AF_UNIX) as connection:
            # A user may listen there and accept nothing.
            connection.settimeout(_CONNECT_SECONDS)
            status = connection.connect_ex(str(self.runtime / "systemd/private"))

        return status == 0

    @property
    def systemctl(self) -> Systemctl:
        """Return the systemctl of this systemd."""
        return Systemctl(self.run, options=_OPTIONS[self.user], environment=self._get_environment(self.runtime))

    def _get_environment(self, runtime: pathlib.Path) -> dict[str, str]:
        if not self.user:
            return _PLAIN_OUTPUT

        return {**_PLAIN_OUTPUT, "XDG_RUNTIME_DIR": str(runtime)}

    def analyze(self, *arguments: str, folder: pathlib.Path) -> Completed:
        """Run systemd-analyze with the units in `folder` before all others. Raises CommandError."""
        # systemd-analyze 247 takes over the socket in the runtime folder, at which the user's systemd answers.
        environment = self._get_environment(folder)
        environment = {**environment, "SYSTEMD_UNIT_PATH": f"{folder}:"}
        return self.run(["systemd-analyze", *_OPTIONS[self.user], *arguments], environment=environment)

    def read_version(self) -> int | None:
        """Return the version of systemd, None if it does not say. Raises CommandError."""
        done = self.systemctl("--version")
        version = _VERSION.match(done.stdout)
        if version is None:
            return None

        return int(version.group(1))

    def lock_changes(self) -> t.ContextManager[object]:
        """Return a lock that keeps other runs from changing drop-ins.

        If the folder for the lock is missing, nothing is locked. Each change is atomic in any case.
        """
        if not self.runtime.is_dir():
            return contextlib.nullcontext()

        return lock("systemd", folder=self.runtime)

    def find_folder(self, wanted: Wanted) -> pathlib.Path:
        """Return the folder that holds the folder of the wanted drop-in (systemd.unit(5))."""
        lasting = {False: self.root / "etc/systemd", True: self.home / ".config/systemd"}
        systemd = lasting[self.user]
        if wanted.runtime:
            systemd = self.runtime / "systemd"

        if wanted.unit in MANAGERS:
            return systemd

        return systemd / _UNIT_FOLDERS[self.user]

    def observe(self, wanted: Wanted) -> State:
        """Return the state of the unit and of the wanted drop-in on disk, in systemd and in the kernel.

        If this systemd does not run, as in an image build, only files are examined.
        Raises DropinError for a unit that does not exist or cannot be configured, CommandError and FileError.
        """
        if not self.booted:
            return self._observe_offline(wanted)

        shown = self._show_units(wanted)
        state = self._observe_loaded(wanted, shown.get(wanted.unit))
        return dataclasses.replace(state, oomd_units=_find_oomd_units(shown))

    def _observe_loaded(self, wanted: Wanted, properties: t.Mapping[str, str] | None) -> State:
        """Return the state of a unit with these properties, or of a group of units, which has none."""
        if properties is None:
            return self._observe_group(wanted)

        name = get_asked_name(properties.get("Id", wanted.unit), wanted.unit)
        state = self._observe_files(wanted, FoundUnit(name, properties.get("FragmentPath", "")))
        if wanted.present:
            _refuse_load_state(properties, wanted, has_file=state.text is not None)
            _refuse_transient(properties, wanted)

        state = dataclasses.replace(state, booted=True, dropins=self._read_dropins(wanted, properties))
        state = self._add_properties(state, properties)
        instances = [self._add_properties(state, instance) for instance in self._show_members(name, wanted)]
        return dataclasses.replace(state, instances=tuple(instances))

    def _observe_group(self, wanted: Wanted) -> State:
        """Return the state of several units that share the drop-in. One that has few other drop-ins stands for all."""
        state = self._observe_files(wanted, FoundUnit(wanted.unit))
        members = self._show_members(wanted.unit, wanted)
        rank = functools.partial(_rank_member, path=str(state.path))
        first: t.Mapping[str, str] = min(members, key=rank, default={})
        dropins = self._read_dropins(wanted, first)
        state = dataclasses.replace(state, booted=True, dropins=dropins, properties=first)
        instances = [self._add_properties(state, member) for member in members]
        return dataclasses.replace(state, instances=tuple(instances))

    def _is_group(self, wanted: Wanted) -> bool:
        is_own_manager = self.user and wanted.unit == USER_MANAGER
        return is_group(wanted.unit) and not is_own_manager

    def _observe_offline(self, wanted: Wanted) -> State:
        if wanted.runtime and wanted.present:
            # The folder of such a drop-in would make sd_booted(3) report that systemd runs.
            raise DropinError(
                f"The systemd instance of {wanted.unit} does not run,"
                f" so a drop-in below {self.runtime} would not last.",
                hint="Omit runtime.",
            )

        folder = self.find_folder(wanted)
        unit = find_unit(wanted.unit, self.root, folder, user=self.user, required=wanted.present)
        return self._observe_files(wanted, unit)

    def _observe_files(self, wanted: Wanted, unit: FoundUnit) -> State:
        """Return the state of the drop-in on disk and of the host, without what only a running systemd knows."""
        folder = self.find_folder(wanted)
        path = folder / get_folder_name(unit.name) / f"{wanted.name}.conf"
        _refuse_links(path)

        return State(
            path=path,
            text=read_file(path),
            has_leftover=_has_leftover(path, wanted),
            fragment=unit.file,
            hidden=find_hidden(path, unit.name, self.root, user=self.user),
            host=read_host(self.root),
            booted=False,
        )

    def _show_members(self, unit: str, wanted: Wanted) -> list[dict[str, str]]:
        """Return the properties of each loaded unit that the name stands for, none if it stands for one unit."""
        if unit == USER_MANAGER and not self.user:
            return self._show_user_managers(wanted)

        pattern = get_pattern(unit)
        if not pattern:
            return []

        # Without a loaded instance, systemctl prints an empty text.
        found = self._show([pattern], wanted)
        return list(filter(_is_loaded, found))

    def _show_user_managers(self, wanted: Wanted) -> list[dict[str, str]]:
        """Return the properties of the systemd of each user for whom one runs, under the name of its service."""
        managers = []
        for manager in self._list_user_managers():
            (properties,) = manager._show([], wanted)
            managers.append({**properties, "Id": f"user@{manager.uid}.service"})

        return managers

    def _list_user_managers(self) -> list[Systemd]:
        managers = []
        for folder in (self.root / "run/user").glob("[0-9]*"):
            # The systemd of a user refuses root.
            run = _run_as(folder.stat(), self.run)
            manager = dataclasses.replace(self, run=run, user=True, uid=int(folder.name))
            if manager.booted:
                managers.append(manager)

        return managers

    def reload(self, wanted: Wanted) -> None:
        """Have systemd, or the systemd of each user whom the drop-in concerns, read its files. Raises CommandError."""
        managers = [self]
        if wanted.unit == USER_MANAGER and not self.user:
            managers = self._list_user_managers()

        for manager in managers:
            manager.systemctl.reload()

    def _add_properties(self, state: State, properties: t.Mapping[str, str]) -> State:
        """Return the state with the properties of a unit, its limits and memory in the kernel, and its age."""
        cgroup = properties.get("ControlGroup", "")
        is_newer = False
        if state.text is not None:
            written = state.path.stat().st_mtime
            is_newer = written > _find_start(properties)

        return dataclasses.replace(
            state,
            properties=properties,
            limits=read_limits(cgroup, LIMITS, self.root),
            memory_bytes=read_memory(cgroup, self.root),
            newer_than_unit=is_newer,
        )

    def _show_units(self, wanted: Wanted) -> dict[str, dict[str, str]]:
        """Return the properties of the unit and of those that concern systemd-oomd, by unit, with one call."""
        if wanted.unit in MANAGERS and not self._is_group(wanted):
            return {wanted.unit: self._show([], wanted)[0]}

        names = dict(_NEIGHBOURS[self.user])
        if not is_group(wanted.unit):
            names = {wanted.unit: get_loadable_name(wanted.unit), **names}

        return dict(zip(names, self._show(list(names.values()), wanted)))

    def _show(self, units: t.Sequence[str], wanted: Wanted) -> list[dict[str, str]]:
        """Return the properties of each unit that is named, or matches a pattern, in order; of none, the manager's."""
        names = [*_UNIT_PROPERTIES, *LIMITS]
        for _section, directive, value in iterate_assignments(wanted.settings):
            names.extend(get_properties(directive, value))

        unique = dict.fromkeys(names)
        return self.systemctl.show(units, unique, attempt=f"ask systemd about {wanted.unit}")

    def _read_dropins(self, wanted: Wanted, properties: t.Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """Return path and text of each drop-in that systemd has loaded, in its order."""
        paths = split_words(properties.get("DropInPaths", ""))
        if wanted.unit in MANAGERS:
            paths = self._list_manager_dropins(wanted.unit)

        dropins = []
        for path in paths:
            text = read_file(pathlib.Path(path)) or ""
            dropins.append((path, text))

        return tuple(dropins)

    def _list_manager_dropins(self, unit: str) -> list[str]:
        folders = [self.root / folder / "systemd" for folder in _MANAGER_FOLDERS]
        if self.user:
            folders.append(self.home / ".config/systemd")

        by_name = {}
        for folder in folders:
            for path in (folder / get_folder_name(unit)).glob("*.conf"):
                by_name[path.name] = str(path)

        return sorted(by_name.values(), key=os.path.basename)


def _find_home(uid: int) -> pathlib.Path:
    """Return the home directory of a user, or the one in the environment if the user has no entry in passwd(5)."""
    try:
        return pathlib.Path(pwd.getpwuid(uid).pw_dir)
    except KeyError:
        return pathlib.Path(os.environ.get("HOME", "/"))


def _run_as(owner: os.stat_result, run: Run) -> Run:
    """Return a port that runs programs as the owner of a file, with setpriv(1)."""
    prefix = ("setpriv", f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups", "--")

    def run_as(
        argv: t.Sequence[str], *, timeout: float = 60, stdin: str = "", environment: t.Mapping[str, str] | None = None
    ) -> Completed:
        return run([*prefix, *argv], timeout=timeout, stdin=stdin, environment=environment)

    return run_as


def _is_loaded(properties: t.Mapping[str, str]) -> bool:
    return properties.get("LoadState") == "loaded"


def _refuse_links(path: pathlib.Path) -> None:
    if path.is_symlink() or path.parent.is_symlink():
        raise DropinError(f"{path} or its directory is a symbolic link.", hint="Replace the link with its target.")


def _refuse_load_state(properties: t.Mapping[str, str], wanted: Wanted, *, has_file: bool) -> None:
    """Raise DropinError for a unit that systemd has not loaded."""
    load_state = properties.get("LoadState", "loaded")
    if load_state == "loaded":
        return

    if load_state == "bad-setting" and has_file:
        # The bad drop-in may be ours, and is about to be replaced.
        return

    raise DropinError(
        f"{wanted.unit} has the load state {load_state}.",
        hint=_HINTS.get(load_state, f"Run `systemctl status {wanted.unit}` for details."),
    )


def _refuse_transient(properties: t.Mapping[str, str], wanted: Wanted) -> None:
    """Raise DropinError for a unit that ends with the program that created it, unless `force` is given.

    Generated units, such as those of init scripts and of fstab, come back at each boot under the same name.
    """
    is_transient = properties.get("Transient") == "yes"
    is_perpetual = properties.get("Perpetual") == "yes"
    if wanted.force or is_perpetual or not is_transient:
        return

    raise DropinError(
        f"{wanted.unit} is transient: it has no unit file of its own.",
        hint=(
            "Set the properties where the unit is created, such as with `systemd-run --property=`."
            " If a later unit has the same name, use force."
        ),
    )


def _has_leftover(path: pathlib.Path, wanted: Wanted) -> bool:
    """Return whether a killed run left its temporary file, or a folder that should have gone with the drop-in."""
    if name_leftover(path).exists():
        return True

    folder = path.parent
    if wanted.present or not folder.is_dir():
        return False

    files = list(folder.iterdir())
    return not files


def _rank_member(properties: t.Mapping[str, str], path: str) -> tuple[bool, bool, bool, int, str]:
    """Return the key that sorts the units that share a drop-in, so that one to which it applies comes first.

    The root slice has no limits. A drop-in of the unit itself hides a shared one of the same name.
    """
    name = properties.get("Id", "")
    is_inactive = properties.get("ActiveState") != "active"
    dropins = split_words(properties.get("DropInPaths", ""))
    return (name == "-.slice", path not in dropins, is_inactive, len(dropins), name)


def _find_oomd_units(shown: t.Mapping[str, t.Mapping[str, str]]) -> tuple[str, ...]:
    """Return the units that systemd-oomd watches, none if it does not run."""
    oomd = shown.get(_OOMD, {})
    if oomd.get("ActiveState") != "active":
        return ()

    watched = []
    for unit, properties in shown.items():
        modes = (properties.get("ManagedOOMSwap"), properties.get("ManagedOOMMemoryPressure"))
        if "kill" in modes:
            watched.append(unit)

    return tuple(watched)


def _find_start(properties: t.Mapping[str, str]) -> float:
    """Return when the unit was started, in seconds since the epoch; infinity if it was not."""
    monotonic = properties.get("InactiveExitTimestampMonotonic", "")
    if not _TIMESTAMP.fullmatch(monotonic):
        return float("inf")

    boot = time.time() - time.clock_gettime(time.CLOCK_MONOTONIC)
    return boot + int(monotonic) / 1_000_000
