# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""systemd as it runs on the host: the adapter that observes a unit's drop-in, carries out a plan and checks it."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
import pwd
import socket
import stat
import time
import typing as t

from .._command import Completed, Run
from .._errors import OomguardError
from .._files import (
    leftover_of,
    lock,
    read_file,
    remove_file,
    write_file,
)
from .cgroup import (
    read_host,
    read_limits,
    read_memory,
    write_limit,
)
from .dropin import (
    MANAGER,
    DropinError,
    Plan,
    State,
    Wanted,
    assignments,
    directives_in,
)
from .in_force import (
    LIMITS,
    stale_limits,
    verify,
    verify_limits,
)
from .names import (
    find_unit,
    instance_of,
    of_template,
    pattern_of,
    template_of,
)
from .values import properties_of, words_of

_OF_THE_UNIT = (
    "Id",
    "LoadState",
    "ActiveState",
    "Result",
    "FragmentPath",
    "DropInPaths",
    "NeedDaemonReload",
    "UnitFileState",
    "Transient",
    "Perpetual",
    "ControlGroup",
    "InactiveExitTimestampMonotonic",
    "ManagedOOMSwap",
    "ManagedOOMMemoryPressure",
)
_WATCHER = "systemd-oomd.service"
_SLICES = ("-.slice", "system.slice")
_HINTS = {
    "not-found": "Is the package that brings it installed, and its name right?",
    "masked": "A masked unit cannot be configured; unmask it first.",
}


@dataclasses.dataclass(frozen=True)
class Systemd:
    """The systemd of the host below `root`, or that of the user who runs this, spoken to through `run`."""

    run: Run
    root: pathlib.Path = pathlib.Path("/")
    user: bool = False
    uid: int = dataclasses.field(default_factory=os.getuid)
    home: pathlib.Path = dataclasses.field(default_factory=lambda: pathlib.Path(pwd.getpwuid(os.getuid()).pw_dir))

    @property
    def runtime(self) -> pathlib.Path:
        """Return the folder of what lasts until the next boot.

        The variables of this process do not count: they may be those of the user who became another one for this task.
        """
        return self.root / (f"run/user/{self.uid}" if self.user else "run")

    @property
    def booted(self) -> bool:
        """Tell whether this systemd runs (sd_booted(3)); that of a user does so while somebody answers at its socket.

        The socket itself stays when that systemd has stopped.
        """
        if not self.user:
            return (self.runtime / "systemd/system").exists()
        with socket.socket(socket.AF_UNIX) as connection:
            return connection.connect_ex(str(self.runtime / "systemd/private")) == 0

    def folder(self, wanted: Wanted) -> pathlib.Path:
        """Return the folder below which the wanted drop-in belongs (systemd.unit(5))."""
        if wanted.unit == MANAGER:
            return (self.runtime if wanted.runtime else self.root / "etc") / "systemd"
        if wanted.runtime:
            return self.runtime / "systemd" / ("user" if self.user else "system")
        if self.user:
            return self.home / ".config/systemd/user"
        return self.root / "etc/systemd/system"

    @contextlib.contextmanager
    def alone(self) -> t.Iterator[None]:
        """Keep other runs from changing drop-ins; without a folder for the lock, each change is still a whole one."""
        with lock("systemd", folder=self.runtime) if self.runtime.is_dir() else contextlib.nullcontext():
            yield

    def observe(self, wanted: Wanted) -> State:
        """Return what the disk, systemd and the kernel hold about the wanted drop-in.

        Where this systemd does not run (an image build) only files are looked at.
        Raises DropinError for a unit that does not exist or cannot be configured, CommandError and FileError.
        """
        booted = self.booted
        if wanted.runtime and wanted.present and not booted:
            # Its folder is what tells sd_booted(3) that systemd runs.
            raise DropinError(
                f"No systemd runs here, and a drop-in of {wanted.unit} below {self.runtime} would not stay.",
                hint="Leave runtime away.",
            )
        shown = self.show(wanted) if booted else {}
        properties = shown.get(instance_of(wanted.unit), {})
        if booted:
            unit, fragment = of_template(properties.get("Id", wanted.unit), wanted.unit), properties.get("FragmentPath")
        else:
            unit, fragment = find_unit(wanted.unit, self.root, self.folder(wanted), user=self.user, must=wanted.present)
        path = self.folder(wanted) / f"{unit}.d" / f"{wanted.name}.conf"
        if path.is_symlink() or path.parent.is_symlink():
            raise DropinError(
                f"{path} or its folder is a symbolic link.", hint="Replace the link by what it points at."
            )
        text = read_file(path)
        if wanted.present:
            _refuse(properties, wanted, has_file=text is not None)
        hidden = str(self.folder(wanted) / f"{template_of(unit)}.d" / path.name) if template_of(unit) else ""
        folder_is_empty = path.parent.is_dir() and not any(path.parent.iterdir())
        state = State(
            path=path,
            text=text,
            leftover=leftover_of(path).exists() or (not wanted.present and folder_is_empty),
            dropins=tuple((name, read_file(pathlib.Path(name)) or "") for name in self.loaded(wanted, properties)),
            killers=_killers(shown),
            fragment=fragment or "",
            hides=hidden if hidden and os.path.exists(hidden) else None,
            host=read_host(self.root),
            booted=booted,
        )
        pattern = pattern_of(unit) if booted else ""
        instances = self.properties([pattern], wanted) if pattern else []
        return dataclasses.replace(
            self.with_properties(state, properties),
            instances=tuple(self.with_properties(state, found) for found in instances if found),
        )

    def with_properties(self, state: State, properties: t.Mapping[str, str]) -> State:
        """Return the state with the properties of a unit, and with what the kernel and the clock say about it."""
        cgroup = properties.get("ControlGroup", "")
        return dataclasses.replace(
            state,
            properties=properties,
            limits=read_limits(cgroup, LIMITS, self.root),
            memory_bytes=read_memory(cgroup, self.root),
            newer_than_unit=state.text is not None and state.path.stat().st_mtime > _started(properties),
        )

    def show(self, wanted: Wanted) -> dict[str, dict[str, str]]:
        """Return the properties of the unit, and of those that tell about systemd-oomd, by unit, with one call.

        Raises DropinError and CommandError.
        """
        units = [] if wanted.unit == MANAGER else [instance_of(wanted.unit)]
        units += [] if self.user or not units else [_WATCHER, *_SLICES]
        return dict(zip(units or [MANAGER], self.properties(units, wanted)))

    def properties(self, units: t.Sequence[str], wanted: Wanted) -> list[dict[str, str]]:
        """Return the properties of each unit that is named, or matches a pattern, in order; of none, the manager's.

        Raises DropinError and CommandError.
        """
        directives = [
            name
            for _section, directive, value in assignments(wanted.settings)
            for name in properties_of(directive, value)
        ]
        names = ",".join(dict.fromkeys([*_OF_THE_UNIT, *LIMITS, *directives]))
        done = self.call("systemctl", "show", "--no-pager", f"--property={names}", *(["--", *units] if units else []))
        if done.returncode:
            raise DropinError(str(done.failed(f"ask systemd about {wanted.unit}")))
        return [_properties(block) for block in done.stdout.split("\n\n")]

    def loaded(self, wanted: Wanted, properties: t.Mapping[str, str]) -> list[str]:
        """Return the drop-ins that systemd has loaded, in its order."""
        if wanted.unit != MANAGER or not self.booted:
            return words_of(properties.get("DropInPaths", ""))
        folders = [
            self.root / folder / "systemd/system.conf.d" for folder in ("usr/lib", "usr/local/lib", "run", "etc")
        ]
        by_name = {path.name: path for folder in folders for path in folder.glob("*.conf")}
        return [str(by_name[name]) for name in sorted(by_name)]

    def carry_out(self, plan: Plan, wanted: Wanted, *, check: bool) -> State:
        """Carry out the plan, and return what came of it; with `check`, see that all of it is in force.

        Where it is not, or systemd cannot load what is new, the old file is put back.
        Raises DropinError, CommandError and FileError.
        """
        old = plan.path.stat() if plan.before is not None else None
        if plan.backup and plan.before is not None:
            backup = plan.path.with_name(f"{plan.path.name}.{time.strftime('%Y-%m-%dT%H:%M:%S')}~")
            try:
                # The old file itself, with its mode, owner and label: what is new takes its name as another file.
                os.link(str(plan.path), str(backup))
            except OSError:
                _put(backup, plan.before, old)
        if plan.writes:
            _put(plan.path, plan.after)
        elif plan.tidy:
            _put(plan.path, None) if plan.after is None else leftover_of(plan.path).unlink()
        before = {directive for _section, directive, _value in directives_in(plan.before or "")}
        wanted = dataclasses.replace(wanted, formerly=before)
        try:
            if plan.reload:
                self.reload()
            state = self.observe(wanted)
            current = not state.reload_required
            if check and current:
                verify(state, wanted)
            return self.settle(state, wanted, check=check) if current else state
        except OomguardError as error:
            self.take_back(plan, old, error)

    def settle(self, state: State, wanted: Wanted, *, check: bool) -> State:
        """Hand the limits that systemd has read to the cgroup of the running unit, as its next start would.

        systemd 252 does so itself as it reads its files, 257 does not. Raises CommandError and FileError, and with
        `check` DropinError where the kernel has another limit afterwards.
        """
        stale = stale_limits(state, wanted)
        for _directive, file, text in stale:
            write_limit(file, text, must=check)
        if stale:
            # The unit may have ended meanwhile.
            state = self.observe(wanted)
            if check:
                verify_limits(state, wanted)
        return state

    def take_back(self, plan: Plan, old: os.stat_result | None, error: OomguardError) -> t.NoReturn:
        """Put the old file back with the mode and owner of `old`, and raise DropinError with all that went wrong."""
        if not plan.writes:
            raise error
        try:
            _put(plan.path, plan.before, old)
            if plan.reload:
                self.reload()
        except OomguardError as second:
            raise DropinError(f"{error} To go back failed as well: {second}") from error
        raise DropinError(f"{error} {plan.path} is as it was before.") from error

    def reload(self) -> None:
        """Have systemd read its files. Raises CommandError."""
        done = self.call("systemctl", "daemon-reload", timeout=120)
        if done.returncode:
            raise done.failed("have systemd read its files again")

    def call(
        self, program: str, *arguments: str, timeout: float = 60, private: pathlib.Path | None = None
    ) -> Completed:
        """Run a program of this systemd, with units of the folder `private` before all others. Raises CommandError."""
        environment = {"SYSTEMD_COLORS": "0", "SYSTEMD_LOG_COLOR": "0"}
        if self.user:
            # Of a user's runtime folder, systemd-analyze 247 takes the socket at which the user's systemd answers.
            environment["XDG_RUNTIME_DIR"] = str(private or self.runtime)
        if private:
            environment["SYSTEMD_UNIT_PATH"] = f"{private}:"
        return self.run(
            [program, *(["--user"] if self.user else []), *arguments],
            timeout=timeout,
            environment=environment,
        )


def _put(path: pathlib.Path, text: str | None, old: os.stat_result | None = None) -> None:
    """Write the file, with the mode and owner of `old`, or remove it; its folder does not stay if nothing is in it."""
    try:
        if text is None:
            remove_file(path)
        elif old is None:
            write_file(path, text)
        else:
            write_file(path, text, mode=stat.S_IMODE(old.st_mode))
            # Whoever may not give files away owned the old one.
            with contextlib.suppress(PermissionError):
                os.chown(str(path), old.st_uid, old.st_gid)
    finally:
        with contextlib.suppress(OSError):
            path.parent.rmdir()


def _refuse(properties: t.Mapping[str, str], wanted: Wanted, *, has_file: bool) -> None:
    """Raise DropinError for a unit that no drop-in belongs to."""
    load_state = properties.get("LoadState", "loaded")
    # What is there may be a bad drop-in of ours, about to be replaced.
    if load_state != "loaded" and not (load_state == "bad-setting" and has_file):
        raise DropinError(
            f"{wanted.unit} has the load state {load_state}.",
            hint=_HINTS.get(load_state, "Run `systemctl status` on it."),
        )
    transient = properties.get("Transient") == "yes" and properties.get("Perpetual") != "yes"
    if (transient or properties.get("UnitFileState") == "generated") and not wanted.force:
        raise DropinError(
            f"{wanted.unit} is {'transient' if transient else 'generated'}: no file of its own describes it.",
            hint="Set it where it is made, or use force if its name is sure to stay.",
        )


def _properties(text: str) -> dict[str, str]:
    """Return the properties of one unit; those that are printed more than once hold several lines."""
    properties: dict[str, str] = {}
    for line in text.splitlines():
        name, _equals, value = line.partition("=")
        properties[name] = f"{properties[name]}\n{value}" if name in properties else value
    return properties


def _killers(shown: t.Mapping[str, t.Mapping[str, str]]) -> tuple[str, ...]:
    if shown.get(_WATCHER, {}).get("ActiveState") != "active":
        return ()
    watched = [unit for unit, properties in shown.items() if "kill" in _managed(properties)]
    return tuple(watched)


def _managed(properties: t.Mapping[str, str]) -> tuple[str | None, ...]:
    return (properties.get("ManagedOOMSwap"), properties.get("ManagedOOMMemoryPressure"))


def _started(properties: t.Mapping[str, str]) -> float:
    """Return when the unit was started, in seconds since the epoch; infinity where it was not."""
    monotonic = properties.get("InactiveExitTimestampMonotonic", "0")
    if not monotonic.isdigit() or monotonic == "0":
        return float("inf")
    return time.time() - time.clock_gettime(time.CLOCK_MONOTONIC) + int(monotonic) / 1_000_000
