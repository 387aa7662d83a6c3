# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a host's zram0, observed and requested, as frozen data."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from .._errors import OomguardError
from .._size import format_size, parse_percentage, parse_size
from .._swap.state import Area

DEVICE = "/dev/zram0"

_MIB = 1024**2
# The generator rounds to MiB, and the kernel's MemTotal changes a little from version to version.
_SLACK_BYTES = 16 * _MIB
_HIGHEST_PRIORITY = 32767
_ALGORITHM = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


class ZramError(OomguardError):
    """The compressed swap area of this host cannot be, or was not, brought to the requested state."""


@dataclasses.dataclass(frozen=True)
class Device:
    """The device zram0 in use as swap.

    `memory_bytes` is the RAM that it occupies, its own overhead included. `generated` is whether the unit of
    zram-generator set it up. `algorithm` is "" if it is not known, as before a new device is set up.
    """

    size_bytes: int
    used_bytes: int
    memory_bytes: int
    priority: int | None
    algorithm: str
    generated: bool


@dataclasses.dataclass(frozen=True)
class State:
    """What matters of a host. `config` is the text of this module's file, "" if there is none."""

    device: Device | None
    config: str
    areas: tuple[Area, ...]
    ram_bytes: int
    memory_available_bytes: int
    has_generator: bool
    container: str


class Share(t.NamedTuple):
    """A size: a percentage of RAM, or a number of bytes if `percentage` is None."""

    percentage: int | None
    size_bytes: int

    def find_size(self, ram_bytes: int) -> int:
        """Return the bytes on a host with `ram_bytes` of RAM."""
        if self.percentage is None:
            return self.size_bytes

        return ram_bytes * self.percentage // 100


def parse_share(text: str) -> Share:
    """Return the size that `text` stands for, such as `50%` or `2G`. Raises SizeError."""
    percentage = parse_percentage(text)
    if percentage is None:
        return Share(percentage=None, size_bytes=parse_size(text))

    return Share(percentage=percentage, size_bytes=0)


@dataclasses.dataclass(frozen=True)
class Wanted:
    """The request. An empty `algorithm` accepts any. Raises ZramError if the request makes no sense."""

    present: bool
    share: Share
    maximum_bytes: int
    algorithm: str
    priority: int
    reserve_bytes: int

    def __post_init__(self) -> None:
        if not 0 <= self.priority <= _HIGHEST_PRIORITY:
            raise ZramError(
                f"{self.priority} is not a valid priority.", hint=f"Use a number from 0 to {_HIGHEST_PRIORITY}."
            )

        if self.algorithm and not _ALGORITHM.fullmatch(self.algorithm):
            raise ZramError(
                f"{self.algorithm[:64]!r} is not a compression algorithm.",
                hint="Use one that /sys/block/zram0/comp_algorithm lists, such as zstd or lz4.",
            )

        largest = self.maximum_bytes
        if self.share.percentage is None:
            largest = min(largest, self.share.size_bytes)
        if largest < _SLACK_BYTES:
            raise ZramError(
                f"{format_size(largest)} is too small for a compressed swap area.",
                hint=f"Use {format_size(_SLACK_BYTES)} or more. To switch zram off, use state: absent.",
            )

    def find_size(self, ram_bytes: int) -> int:
        """Return the size of the device in bytes on a host with `ram_bytes` of RAM."""
        return min(self.share.find_size(ram_bytes), self.maximum_bytes)

    def is_met_by(self, device: Device, ram_bytes: int) -> bool:
        """Return whether `device` is what is requested on a host with `ram_bytes` of RAM."""
        difference = abs(device.size_bytes - self.find_size(ram_bytes))
        if difference > _SLACK_BYTES or device.priority != self.priority:
            return False

        return self.algorithm in ("", device.algorithm)


def to_mib(size_bytes: int) -> int:
    """Return whole MiB, the unit of zram-generator."""
    return size_bytes // _MIB
