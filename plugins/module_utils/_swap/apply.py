# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying out the steps of a plan on the host."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
import typing as t

from .._command import Completed, Run
from .._errors import OomguardError
from .._files import (
    lock,
    read_file,
    remove_file,
    sync_folder,
    write_file,
)
from .._safe import neutralise
from .checks import require_room
from .observe import (
    Host,
    observe,
    observe_areas,
    observe_memory_available,
)
from .plan import Plan, make_plan, verify
from .state import Area, SwapError
from .steps import (
    ClearLeftover,
    Create,
    Disable,
    Edit,
    Enable,
    Persist,
    Protect,
    Remove,
    RemoveUnit,
    Step,
    WriteUnit,
)
from .swapfile import make
from .wanted import Wanted

# A host that swaps is slow; swapoff reads every page back from the disk, one by one.
_TIMEOUT = 600
_SWAPOFF_TIMEOUT = 6 * 3600


def bring(wanted: Wanted, host: Host, run: Run, *, pretend: bool = False) -> tuple[Plan, tuple[Area, ...]]:
    """Bring the host to what is wanted; return the plan as it was carried out, and the areas in use afterwards.

    To `pretend` is to change nothing and return the areas that would be. Raises OomguardError.
    """
    with contextlib.nullcontext() if pretend else lock("swap"):
        state = observe(wanted.path, host, run, must=wanted.present)
        plan = make_plan(state, wanted, fstab_path=str(host.fstab))
        if pretend or not plan.changed:
            return plan, plan.after
        applier = Applier(host=host, run=run, filesystem=state.filesystem, reserve_bytes=wanted.reserve_bytes)
        done = applier.apply(plan)
        state = observe(wanted.path, host, run, must=wanted.present)
        verify(state, wanted)
        return done, state.areas


@dataclasses.dataclass(frozen=True)
class Applier:
    """Carries out plans on files in a `filesystem` of that type; swapoff leaves `reserve_bytes` of memory."""

    host: Host
    run: Run
    filesystem: str
    reserve_bytes: int

    def apply(self, plan: Plan) -> Plan:
        """Carry out the steps of `plan` in order; return it with what they came to.

        Whatever fails leaves a working host, from which the next run goes on. Raises OomguardError.
        """
        created = {step.path for step in plan.steps if isinstance(step, Create)}
        done: list[Step] = []
        try:
            for step in plan.steps:
                came_to = self._carry_out(step, created)
                done.append(came_to)
        except OomguardError as error:
            if not done:
                raise
            before = ", ".join(f"{each.name} {neutralise(each.path)}" for each in done)
            raise SwapError(f"{error.problem} Done before that: {before}.", hint=error.hint) from error
        return dataclasses.replace(plan, steps=tuple(done))

    def _carry_out(self, step: Step, created: t.Collection[str]) -> Step:
        if isinstance(step, Create):
            return make(step, self.filesystem, self.host, self.run)
        if isinstance(step, ClearLeftover):
            remove_file(pathlib.Path(step.path))
        elif isinstance(step, Remove):
            self._remove(step)
        elif isinstance(step, Protect):
            _protect(step)
        elif isinstance(step, Enable):
            self._enable(step, created=step.path in created)
        elif isinstance(step, Persist):
            self._persist(step)
        elif isinstance(step, WriteUnit):
            self._write_unit(step)
        elif isinstance(step, RemoveUnit):
            self._remove_unit(step)
        elif isinstance(step, Disable):
            self._disable(step)
        return step

    def _enable(self, step: Enable, *, created: bool) -> None:
        priority = [] if step.priority is None else ["-p", str(step.priority)]
        done = self.run(["swapon", *priority, step.path], timeout=_TIMEOUT)
        if done.returncode:
            hint = "The kernel's reason is in its log: journalctl -k."
            if created:
                remove_file(pathlib.Path(step.path))
                hint = f"The new file was removed again. {hint}"
            raise done.failed(f"switch on the swap area {step.path}", hint=hint)

    def _persist(self, step: Persist) -> None:
        self._check_table(step)
        _edit(step)
        # To systemd an area is to be on for as long as it remembers its line, and it would switch it on when it can.
        if self._booted:
            self._systemctl("daemon-reload")

    def _check_table(self, step: Persist) -> None:
        """Raise CommandError where findmnt(8) finds errors in the new fstab, and none in the old one."""
        candidate = self.host.root / "run/oomguard-fstab"
        try:
            write_file(candidate, step.after, mode=0o600)
            checked = self._verified(str(candidate))
        finally:
            remove_file(candidate)
        if checked.returncode and not self._verified(step.path).returncode:
            raise checked.failed(f"check the new {step.path}", hint="The old one is still in place.")

    def _verified(self, table: str) -> Completed:
        return self.run(["findmnt", "--verify", "--tab-file", table])

    def _write_unit(self, step: WriteUnit) -> None:
        _edit(step)
        # Has systemd read its files again as well.
        self._systemctl("enable", pathlib.Path(step.path).name)
        # Which leaves it to chance whether the link outlasts a power failure.
        for folder in (self.host.units / "swap.target.wants", self.host.units):
            sync_folder(folder)

    def _remove_unit(self, step: RemoveUnit) -> None:
        # The area stays on: without --now nothing is stopped.
        self._systemctl("--no-reload", "disable", pathlib.Path(step.path).name)
        remove_file(pathlib.Path(step.path))
        self._systemctl("daemon-reload")

    def _systemctl(self, *arguments: str) -> None:
        done = self.run(["systemctl", "--quiet", *arguments], timeout=_TIMEOUT)
        if done.returncode:
            raise done.failed(f"have systemd {' '.join(arguments)}")

    def _disable(self, step: Disable) -> None:
        # Memory has moved on since the plan was made.
        require_room(observe_areas(self.host), [step.path], observe_memory_available(self.host), self.reserve_bytes)
        # The kernel kills swapoff before all others, whatever its score, and systemd then ends the unit that it ran in:
        # in a scope of its own it does not take the ssh service along.
        scope = ["systemd-run", "--scope", "--quiet", "--collect"] if self._booted else []
        done = self.run([*scope, "swapoff", step.path], timeout=_SWAPOFF_TIMEOUT)
        if self._is_on(step.path):
            raise done.failed(
                f"switch off the swap area {step.path}",
                hint="It is still in use and nothing is lost. Free memory and run again, which goes on from here.",
            )

    def _remove(self, step: Remove) -> None:
        # Old kernels let go of a file that is in use.
        if self._is_on(step.path):
            raise SwapError(f"{step.path} was switched on again by somebody else.", hint="Run again.")
        remove_file(pathlib.Path(step.path))

    def _is_on(self, path: str) -> bool:
        return any(area.path == path for area in observe_areas(self.host))

    @property
    def _booted(self) -> bool:
        return (self.host.root / "run/systemd/system").is_dir()


def _edit(step: Edit) -> None:
    # A linked fstab stays a link.
    path = pathlib.Path(os.path.realpath(step.path) if isinstance(step, Persist) else step.path)
    if path.exists() and not path.is_file():
        raise SwapError(f"{path} is no regular file.", hint="Make it one, or use another persist.")
    if (read_file(path) or "") != step.before:
        raise SwapError(f"{path} was changed by somebody else at the same time.", hint="Run again.")
    write_file(path, step.after, mode=_mode(path))


def _mode(path: pathlib.Path) -> int:
    return path.stat().st_mode & 0o7777 if path.exists() else 0o644


def _protect(step: Protect) -> None:
    try:
        descriptor = os.open(step.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb"):
            os.fchown(descriptor, 0, 0)
            os.fchmod(descriptor, 0o600)
    except OSError as error:
        raise SwapError(f"Could not give {step.path} to root alone: {error.strerror}.") from error
