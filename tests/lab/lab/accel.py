# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""KVM where it truly works, emulation elsewhere."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
import typing as t
from pathlib import Path

from lab.errors import LabError
from lab.host import cache, locked, run_checked
from lab.image import Image, Say
from lab.interrupts import held_back
from lab.qemu import PROGRAM, Accel, base_argv

_KVM = Path("/dev/kvm")
_TRIAL_SECONDS = 60
_POLL_SECONDS = 0.2

# The initrd's first line: the kernel has come up, and run a program.
_SIGN_OF_LIFE = "Loading, please wait"
_SIGN_OF_DEATH = "KVM internal error"

Trial = t.Callable[[], bool]


def choose(*, wanted: str | None, usable: bool, remembered: Accel | None, trial: Trial) -> Accel:
    """Decide: what is asked for, else what is known, else what a trial of KVM shows.

    Raises LabError.
    """
    if wanted:
        if wanted == "kvm":
            return "kvm"
        if wanted == "tcg":
            return "tcg"
        raise LabError(f"OOMGUARD_ACCEL is {wanted!r}.", "Set it to kvm or tcg, or leave it out.")
    if not usable:
        return "tcg"
    return remembered or ("kvm" if trial() else "tcg")


def accel_of_host(image: Image, say: Say) -> Accel:
    """Choose for this host, and remember the answer for as long as it stays up with the same QEMU.

    Raises LabError.
    """
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    host = f"{boot}, {run_checked([PROGRAM, '--version'], 'Asking QEMU for its version').splitlines()[0]}"
    memory = cache() / "accel.json"

    def trial() -> bool:
        say(f"trying KVM, which is done once and takes up to {_TRIAL_SECONDS} s")
        return kvm_boots(image)

    with locked(cache()):
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
    """Return what was found on this very host."""
    try:
        known = json.loads(memory.read_text(encoding="utf-8"))
        return known["accel"] if known["host"] == host else None
    except (FileNotFoundError, ValueError, KeyError):
        return None


def kvm_boots(image: Image) -> bool:
    """Boot an image's kernel with KVM, without a disk, until its initrd speaks, QEMU gives up or the time is over."""
    with tempfile.TemporaryDirectory(prefix="oomguard-kvm-") as folder:
        serial_log, messages = Path(folder) / "serial.log", Path(folder) / "messages"
        argv = base_argv(
            image=image,
            accel="kvm",
            memory=512,
            cpus=1,
            serial_log=serial_log,
            kernel_arguments=("console=ttyS0",),
        )
        with messages.open("wb") as file, held_back():
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True)
        try:
            end = time.monotonic() + _TRIAL_SECONDS
            while time.monotonic() < end and process.poll() is None:
                if _says(messages, _SIGN_OF_DEATH):
                    return False
                if _says(serial_log, _SIGN_OF_LIFE):
                    return True
                time.sleep(_POLL_SECONDS)
            return False
        finally:
            with held_back():
                process.kill()
                process.wait()


def _says(log: Path, words: str) -> bool:
    return log.exists() and words in log.read_text(encoding="utf-8", errors="replace")
