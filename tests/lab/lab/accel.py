# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Choose KVM if it works, and emulation otherwise."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
import typing as t
from pathlib import Path

from lab.errors import LabError
from lab.host import hold_lock, make_cache, run_checked
from lab.image import Image, Say
from lab.interrupts import delay_interrupts
from lab.qemu import PROGRAM, Accel, build_base_argv

_KVM = Path("/dev/kvm")
_TRIAL_SECONDS = 60
_POLL_SECONDS = 0.2

# The first line of the initrd: the kernel has booted and run a program.
_BOOTED = "Loading, please wait"
_FAILED = "KVM internal error"

Trial = t.Callable[[], bool]


def choose(*, wanted: str | None, usable: bool, remembered: Accel | None, trial: Trial) -> Accel:
    """Return the accelerator that is wanted, or else the remembered one, or else the result of a trial of KVM.

    Raise LabError if the wanted accelerator is unknown.
    """
    if wanted == "kvm":
        return "kvm"
    if wanted == "tcg":
        return "tcg"
    if wanted:
        raise LabError(f"OOMGUARD_ACCEL is {wanted!r}.", "Set it to kvm or tcg, or unset it.")

    if not usable:
        return "tcg"
    if remembered:
        return remembered
    if trial():
        return "kvm"

    return "tcg"


def choose_for_host(image: Image, say: Say) -> Accel:
    """Choose for this host, and remember the result until the host boots again or gets another QEMU.

    Raise LabError if OOMGUARD_ACCEL is invalid or QEMU does not run.
    """
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    version = run_checked([PROGRAM, "--version"], "Reading the version of QEMU").splitlines()[0]
    host = f"{boot}, {version}"
    memory = make_cache() / "accel.json"

    def trial() -> bool:
        say(f"trying KVM, once for this host, for up to {_TRIAL_SECONDS} s")
        return can_boot_with_kvm(image)

    with hold_lock(make_cache()):
        remembered = recall(memory, host)
        accel = choose(
            wanted=os.environ.get("OOMGUARD_ACCEL"),
            usable=os.access(_KVM, os.R_OK | os.W_OK),
            remembered=remembered,
            trial=trial,
        )
        if accel != remembered and not os.environ.get("OOMGUARD_ACCEL"):
            memory.write_text(json.dumps({"host": host, "accel": accel}), encoding="utf-8")
    return accel


def recall(memory: Path, host: str) -> Accel | None:
    """Return the accelerator that was chosen for this host, None if none was."""
    try:
        known = json.loads(memory.read_text(encoding="utf-8"))
        if known["host"] == host:
            accel: Accel = known["accel"]
            return accel
    except (FileNotFoundError, ValueError, KeyError):
        return None

    return None


def can_boot_with_kvm(image: Image) -> bool:
    """Return whether the kernel of an image boots with KVM, without a disk, and runs its initrd in time."""
    with tempfile.TemporaryDirectory(prefix="oomguard-kvm-") as folder:
        serial_log = Path(folder) / "serial.log"
        messages = Path(folder) / "messages"
        argv = build_base_argv(
            image=image,
            accel="kvm",
            memory=512,
            cpus=1,
            serial_log=serial_log,
            kernel_arguments=("console=ttyS0",),
        )
        with messages.open("wb") as file, delay_interrupts():
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True)
        try:
            end = time.monotonic() + _TRIAL_SECONDS
            while time.monotonic() < end and process.poll() is None:
                if _has_words(messages, _FAILED):
                    return False
                if _has_words(serial_log, _BOOTED):
                    return True
                time.sleep(_POLL_SECONDS)
            return False
        finally:
            with delay_interrupts():
                process.kill()
                process.wait()


def _has_words(log: Path, words: str) -> bool:
    return log.exists() and words in log.read_text(encoding="utf-8", errors="replace")
