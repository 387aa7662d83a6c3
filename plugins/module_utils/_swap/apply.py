# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carry out the steps of a plan on the host."""

from __future__ import annotations

import dataclasses
import errno
import os
import pathlib
import typing as t

from .._command import Completed, Run
from .._errors import OomguardError, undoing
from .._files import find_hint, remove_file, sync_folder, write_file
from .._systemctl import Systemctl, is_booted
from .checks import require_swapoff_room
from .host import Host, read_optional
from .observe import observe_areas, observe_memory_available
from .plan import Plan, format_steps
from .state import SwapError
from .steps import (
    ClearLeftover,
    Create,
    Disable,
    Edit,
    Enable,
    Mask,
    Persist,
    Protect,
    Remove,
    RemoveUnit,
    Step,
    WriteUnit,
)
from .swapfile import create_swap_file
from .tables import find_discard

# A host that swaps is slow; swapoff reads every page back from the disk, one by one.
_TIMEOUT = 600
_SWAPOFF_TIMEOUT = 6 * 3600


@dataclasses.dataclass(frozen=True)
class Applier:
    """Carries out plans. Before each swapoff, `reserve_bytes` of the available memory must remain."""

    host: Host
    run: Run
    reserve_bytes: int

    def apply(self, plan: Plan) -> Plan:
        """Carry out the steps of `plan` in order. Return the plan with the outcome of its steps.

        A failure leaves a working host, and the next run continues from there. Raises OomguardError.
        """
        done: list[Step] = []
        try:
            for step in plan.steps:
                outcome = self._apply_step(step)
                done.append(outcome)
        except OomguardError as error:
            if not done:
                raise

            raise SwapError(
                f"{error.problem} Steps completed before: {format_steps(done)}.", hint=error.hint
            ) from error

        warnings = (*plan.warnings, *self._warn_of_discard(done))
        return dataclasses.replace(plan, steps=tuple(done), warnings=warnings)

    def _warn_of_discard(self, done: t.Iterable[Step]) -> t.Iterator[str]:
        """Warn of areas whose free blocks the kernel does not discard, although that was requested."""
        for step in done:
            if step.is_discarding:
                yield from self._check_discard(step.path)

    def _check_discard(self, path: str) -> t.Iterator[str]:
        log = self.run(["dmesg"])
        if find_discard(log.stdout, path) is False:
            yield f"The kernel does not discard free blocks of {path}, because its disk does not support that."

    def _apply_step(self, step: Step) -> Step:
        if isinstance(step, Create):
            return create_swap_file(step, self.host, self.run)

        methods: dict[type[Step], t.Callable[[t.Any], None]] = {
            ClearLeftover: self._clear_leftover,
            Protect: self._protect,
            Enable: self._enable,
            Persist: self._persist,
            WriteUnit: self._write_unit,
            RemoveUnit: self._remove_unit,
            Mask: self._mask,
            Disable: self._disable,
            Remove: self._remove,
        }
        method = methods[type(step)]
        method(step)
        return step

    def _clear_leftover(self, step: ClearLeftover) -> None:
        remove_file(pathlib.Path(step.path))

    def _protect(self, step: Protect) -> None:
        try:
            descriptor = os.open(step.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb"):
                os.fchown(descriptor, 0, 0)
                os.fchmod(descriptor, 0o600)
        except OSError as error:
            raise SwapError(
                f"Could not restrict {step.path} to root: {error.strerror}.", hint=find_hint(error)
            ) from error

    def _enable(self, step: Enable) -> None:
        options = []
        if step.priority is not None:
            options += ["-p", str(step.priority)]
        if step.options:
            options += ["-o", ",".join(step.options)]
        done = self.run(["swapon", *options, step.path], timeout=_TIMEOUT)
        if done.returncode == 0:
            return

        attempt = f"switch on the swap area {step.path}"
        hint = "The kernel logs the reason: run journalctl -k to see it."
        if step.created:
            with undoing(done.failed(attempt, hint=hint)):
                remove_file(pathlib.Path(step.path))
            hint = f"The new file was removed again. {hint}"
        raise done.failed(attempt, hint=hint)

    def _persist(self, step: Persist) -> None:
        self._check_table(step)
        _edit_file(step, pathlib.Path(os.path.realpath(step.path)))  # a symbolic link stays one
        # As long as systemd remembers the line of an area, it wants the area to be on and may switch it on.
        if self._is_booted():
            self._systemctl.reload()

    def _check_table(self, step: Persist) -> None:
        """Raise CommandError if findmnt(8) finds errors in the new fstab but none in the old one."""
        candidate = self.host.root / "run/oomguard-fstab"
        try:
            write_file(candidate, step.after, mode=0o600)
            checked = self._verify_table(str(candidate))
        except OomguardError as error:
            with undoing(error):
                remove_file(candidate)
            raise

        remove_file(candidate)
        if checked.returncode and self._verify_table(step.path).returncode == 0:
            raise checked.failed(f"check the new {step.path}", hint="The old one is still in place.")

    def _verify_table(self, path: str) -> Completed:
        return self.run(["findmnt", "--verify", "--tab-file", path])

    def _write_unit(self, step: WriteUnit) -> None:
        path = pathlib.Path(step.path)
        _edit_file(step, path)
        # This makes systemd read its unit files again, too.
        self._call_systemctl("enable", path.name)
        # systemctl does not flush the link that it creates, so a power failure could undo it.
        for folder in (self.host.units / "swap.target.wants", self.host.units):
            sync_folder(folder)

    def _remove_unit(self, step: RemoveUnit) -> None:
        path = pathlib.Path(step.path)
        # Without --now the area stays on.
        self._call_systemctl("--no-reload", "disable", path.name)
        remove_file(path)
        self._systemctl.reload()

    def _mask(self, step: Mask) -> None:
        path = pathlib.Path(step.path)
        self._call_systemctl("mask", path.name)
        # systemctl does not flush the link that it creates.
        sync_folder(path.parent)

    def _call_systemctl(self, *arguments: str) -> None:
        done = self._systemctl(*arguments, timeout=_TIMEOUT)
        if done.returncode:
            raise done.failed(f"run systemctl {' '.join(arguments)}")

    @property
    def _systemctl(self) -> Systemctl:
        return Systemctl(run=self.run, options=("--quiet",))

    def _disable(self, step: Disable) -> None:
        # The use of memory has changed since the plan was made.
        memory_available_bytes = observe_memory_available(self.host)
        require_swapoff_room(observe_areas(self.host), [step.path], memory_available_bytes, self.reserve_bytes)
        done = self.run([*self._build_scope(), "swapoff", step.path], timeout=_SWAPOFF_TIMEOUT)
        if self._is_on(step.path):
            raise done.failed(f"switch off the swap area {step.path}", hint=_find_swapoff_hint(done))

    def _build_scope(self) -> list[str]:
        """Return the command that runs swapoff in a scope of its own.

        If memory runs out, the kernel kills swapoff first, whatever its score, and systemd then stops the unit that it
        ran in. Without a scope that would be the ssh service.
        """
        if not self._is_booted():
            return []

        return ["systemd-run", "--scope", "--quiet", "--collect"]

    def _remove(self, step: Remove) -> None:
        # Old kernels allow the removal of a file that is in use as swap.
        if self._is_on(step.path):
            raise SwapError(
                f"Could not remove {step.path}: it was switched on again by something else.",
                hint="Run the task again.",
            )

        remove_file(pathlib.Path(step.path))

    def _is_on(self, path: str) -> bool:
        return any(area.path == path for area in observe_areas(self.host))

    def _is_booted(self) -> bool:
        return is_booted(self.host.root)


def _find_swapoff_hint(done: Completed) -> str:
    """Return what to do about a swapoff that failed: swapoff(8) prints the text of ENOMEM if memory ran out."""
    cause = ""
    if os.strerror(errno.ENOMEM) in done.stderr:
        cause = "Free memory first. "

    return f"The area is still in use and nothing is lost. {cause}The next run of the task continues from here."


def _edit_file(step: Edit, path: pathlib.Path) -> None:
    """Write the text of `step` to `path`, which keeps its mode. Raises SwapError or FileError."""
    mode = 0o644
    if path.exists():
        if not path.is_file():
            raise SwapError(
                f"Could not change {path}: it is not a regular file.",
                hint="Replace it with a regular file, or choose another value for persist.",
            )

        mode = path.stat().st_mode & 0o7777

    if read_optional(path) != step.before:
        raise SwapError(
            f"Could not change {path}: something else changed it at the same time.", hint="Run the task again."
        )

    write_file(path, step.after, mode=mode)
