# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying out the steps of a plan on the host."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import os
import pathlib
import tempfile

from ansible_collections.oomguard.linux.plugins.module_utils._command import Run
from ansible_collections.oomguard.linux.plugins.module_utils._files import (
    lock,
    read_file,
    remove_file,
    sync_folder,
    write_file,
)
from ansible_collections.oomguard.linux.plugins.module_utils._swap.observe import (
    Host,
    observe,
    observe_areas,
    observe_header,
    observe_memory_available,
)
from ansible_collections.oomguard.linux.plugins.module_utils._swap.plan import (
    Plan,
    Wanted,
    make_plan,
    require_room,
    verify,
)
from ansible_collections.oomguard.linux.plugins.module_utils._swap.state import LABEL, Area, SwapError
from ansible_collections.oomguard.linux.plugins.module_utils._swap.steps import (
    ClearLeftover,
    Create,
    Disable,
    Edit,
    Enable,
    Persist,
    Protect,
    Remove,
    RemoveUnit,
    WriteUnit,
)
from ansible_collections.oomguard.linux.plugins.module_utils._text import format_size

_CHUNK = bytes(1024**2)
# A host that swaps is slow; swapoff reads every page back from the disk, one by one.
_TIMEOUT = 600
_SWAPOFF_TIMEOUT = 6 * 3600


def bring(wanted: Wanted, host: Host, run: Run, *, pretend: bool = False) -> tuple[Plan, tuple[Area, ...]]:
    """Bring the host to what is wanted; return the plan, and the areas in use afterwards.

    To `pretend` is to change nothing and return the areas that would be. Raises OomguardError.
    """
    with contextlib.nullcontext() if pretend else lock("swap"):
        state = observe(wanted.path, host)
        plan = make_plan(state, wanted, fstab_path=str(host.fstab))
        if pretend or not plan.changed:
            return plan, plan.after
        applier = Applier(host=host, run=run, filesystem=state.filesystem, reserve_bytes=wanted.reserve_bytes)
        applier.apply(plan)
        state = observe(wanted.path, host)
        verify(state, wanted)
        return plan, state.areas


@dataclasses.dataclass(frozen=True)
class Applier:
    """Carries out plans on files in a `filesystem` of that type; swapoff leaves `reserve_bytes` of memory."""

    host: Host
    run: Run
    filesystem: str
    reserve_bytes: int

    def apply(self, plan: Plan) -> None:
        """Carry out the steps of `plan` in order.

        Whatever fails leaves a working host, from which the next run goes on. Raises OomguardError.
        """
        created = {step.path for step in plan.steps if isinstance(step, Create)}
        for step in plan.steps:
            if isinstance(step, (ClearLeftover, Remove)):
                remove_file(pathlib.Path(step.path))
            elif isinstance(step, Protect):
                _protect(step)
            elif isinstance(step, Create):
                self._create(step)
            elif isinstance(step, Enable):
                self._enable(step, created=step.path in created)
            elif isinstance(step, Persist):
                self._check_table(step)
                _edit(step)
            elif isinstance(step, WriteUnit):
                self._write_unit(step)
            elif isinstance(step, RemoveUnit):
                self._remove_unit(step)
            elif isinstance(step, Disable):
                self._disable(step)

    def _create(self, step: Create) -> None:
        """Make the file under a name of its own, and give it the final one once it is whole and on disk."""
        made, target = step.made_as, step.path
        attempt = f"make the swap file {target} of {format_size(step.size_bytes)}"
        try:
            # Nobody else can ever read it, and nothing that is there already can be taken for it.
            descriptor = os.open(made, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise SwapError(f"Could not {attempt}: {error.strerror}.", hint="Is its filesystem writable?") from error
        try:
            if self.filesystem == "btrfs":
                self._forbid_copy_on_write(made)
            # The header takes the first page.
            _allocate(descriptor, step.size_bytes + self.host.page_size)
            self._format(made)
            os.fsync(descriptor)
            os.rename(made, target)
            sync_folder(pathlib.Path(target).parent)
        except OSError as error:
            hint = "Look at the free space, the quotas and the health of its filesystem."
            raise SwapError(f"Could not {attempt}: {error.strerror}.", hint=hint) from error
        finally:
            os.close(descriptor)
            if os.path.lexists(made):
                os.unlink(made)

    def _forbid_copy_on_write(self, path: str) -> None:
        """Let btrfs write in place, which it only promises for a file that is still empty."""
        done = self.run(["chattr", "+C", path])
        if done.returncode:
            raise done.failed(f"switch copy-on-write off for {path}")

    def _format(self, path: str) -> None:
        done = self.run(["mkswap", "-L", LABEL, path], timeout=_TIMEOUT)
        # mkswap ends with 0 over warnings that matter, so only the header counts.
        header = observe_header(pathlib.Path(path), self.host.page_size)
        if done.returncode or header is None or header.label != LABEL:
            raise done.failed(f"format {path} as swap")

    def _enable(self, step: Enable, *, created: bool) -> None:
        priority = [] if step.priority is None else ["-p", str(step.priority)]
        done = self.run(["swapon", *priority, step.path], timeout=_TIMEOUT)
        if done.returncode:
            if created:
                remove_file(pathlib.Path(step.path))
            raise done.failed(
                f"switch on the swap area {step.path}",
                hint="The kernel's reason is in its log: journalctl -k. Nothing was switched off.",
            )

    def _check_table(self, step: Persist) -> None:
        """Raise CommandError where findmnt(8) finds errors in the new fstab, and none in the old one."""
        with tempfile.NamedTemporaryFile() as candidate:
            candidate.write(step.after.encode("utf-8", "surrogateescape"))
            candidate.flush()
            checked = self.run(["findmnt", "--verify", "--tab-file", candidate.name])
        if checked.returncode and not self.run(["findmnt", "--verify", "--tab-file", step.path]).returncode:
            raise checked.failed(f"check the new {step.path}", hint="The old one is still in place.")

    def _write_unit(self, step: WriteUnit) -> None:
        _edit(step)
        # Has systemd read its files again as well.
        self._systemctl("enable", pathlib.Path(step.path).name)

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
        booted = (self.host.root / "run/systemd/system").is_dir()
        scope = ["systemd-run", "--scope", "--quiet", "--collect"] if booted else []
        done = self.run([*scope, "swapoff", step.path], timeout=_SWAPOFF_TIMEOUT)
        if done.returncode:
            raise done.failed(
                f"switch off the swap area {step.path}",
                hint="It is still in use and nothing is lost, but fstab no longer names it. Free memory and run again.",
            )


def _edit(step: Edit) -> None:
    # A linked fstab stays a link.
    path = pathlib.Path(os.path.realpath(step.path))
    if (read_file(path) or "") != step.before:
        raise SwapError(f"{path} was changed by somebody else at the same time.", hint="Run again.")
    write_file(path, step.after, mode=_mode(path))


def _allocate(descriptor: int, length: int) -> None:
    """Give the open, empty file `length` bytes on the disk, without holes: the kernel refuses to swap to those."""
    try:
        os.posix_fallocate(descriptor, 0, length)
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
            raise
    if not _is_whole(descriptor, length):
        for offset in range(0, length, len(_CHUNK)):
            _write(descriptor, _CHUNK[: length - offset], offset)
        os.fsync(descriptor)
    if not _is_whole(descriptor, length):
        raise SwapError(
            "The file has holes even after zeros were written to all of it.", hint="Name a path on another filesystem."
        )


def _is_whole(descriptor: int, length: int) -> bool:
    status = os.fstat(descriptor)
    return status.st_size == length and status.st_blocks * 512 >= length


def _write(descriptor: int, data: bytes, offset: int) -> None:
    written = 0
    while written < len(data):
        written += os.pwrite(descriptor, data[written:], offset + written)


def _mode(path: pathlib.Path) -> int:
    return path.stat().st_mode & 0o7777 if path.exists() else 0o644


def _protect(step: Protect) -> None:
    descriptor = os.open(step.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fchown(descriptor, 0, 0)
        os.fchmod(descriptor, 0o600)
    except OSError as error:
        raise SwapError(f"Could not give {step.path} to root alone: {error.strerror}.") from error
    finally:
        os.close(descriptor)
