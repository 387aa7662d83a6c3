# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The requested state of a host's swap, and sizes in proportion to its RAM. Pure."""

from __future__ import annotations

import dataclasses
import posixpath
import re
import typing as t

from .._size import format_size, parse_percentage, parse_size
from .state import Area, SwapError
from .unit import build_unit_name

_MIB = 1024**2
_GIB = 1024**3
# Each area loses a page to its header. A difference of this size or less does not justify another file.
SLACK_BYTES = _MIB
# Another kernel sees some more or less RAM. A size in proportion to it may differ by this part.
_RELATIVE_SLACK = 32
_SMALLEST_BYTES = 2 * SLACK_BYTES
_LARGEST_BYTES = 1024**5
_HIGHEST_PRIORITY = 32767
# NAME_MAX of linux/limits.h and UNIT_NAME_MAX of systemd allow 255. A number (`.10`) and the affixes of a temporary
# file have to fit as well. The name of a unit is longer than its path.
_LONGEST_NAME = 255 - len(".10") - len("..oomguard")


# fstab(5), swapon(8) and systemd.swap(5): a word, or a word with a value.
_OPTION = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*(=[A-Za-z0-9_./:%+@-]+)?")
_REJECTED_OPTIONS = {
    "noauto": "The swap would not be in use after a boot. Use persist: none.",
    "pri": "Use the option priority.",
}


class Target(t.NamedTuple):
    """A size in bytes, and the difference from it that does not matter."""

    size_bytes: int
    slack_bytes: int


def parse_target(text: str, ram_bytes: int) -> Target:
    """Return the size that `text` stands for: a size, a percentage of the RAM such as `200%`, or `auto`.

    Raises SizeError.
    """
    word = text.strip()
    if word == "auto":
        return _make_relative_target(suggest_size(ram_bytes))

    percentage = parse_percentage(word)
    if percentage is None:
        return Target(size_bytes=parse_size(word), slack_bytes=SLACK_BYTES)

    return _make_relative_target(ram_bytes * percentage // 100)


def suggest_size(ram_bytes: int) -> int:
    """Return the size of swap that suits a host with this much RAM.

    Twice the RAM, up to 4 GiB. Beyond that as much as the RAM, up to 8 GiB: a leak fills any amount of swap, and a disk
    takes minutes to take in more than this, while the host is of no use.
    """
    doubled = min(2 * ram_bytes, 4 * _GIB)
    return min(max(doubled, ram_bytes), 8 * _GIB)


def _make_relative_target(size_bytes: int) -> Target:
    whole = max(size_bytes // _MIB * _MIB, _SMALLEST_BYTES)
    return Target(size_bytes=whole, slack_bytes=max(whole // _RELATIVE_SLACK, SLACK_BYTES))


@dataclasses.dataclass(frozen=True)
class Wanted:
    """The request: `size_bytes` of swap in total, or no file of this module at `path` if `present` is false.

    A difference of `slack_bytes` does not matter. If it is to `fit`, there may be less swap if the disk has no room. If
    swap is `disabled`, the host is to have none at all. Raises SwapError if the request makes no sense.
    """

    path: str
    present: bool
    size_bytes: int
    exact: bool
    priority: int | None
    persist: str
    reserve_bytes: int
    count_zram: bool = False
    force: bool = False
    slack_bytes: int = SLACK_BYTES
    fit: bool = False
    options: tuple[str, ...] = ()
    disabled: bool = False

    def __post_init__(self) -> None:
        self._check_path()
        self._check_numbers()
        for option in self.options:
            _check_option(option)

    def _check_path(self) -> None:
        if not _is_plain_path(self.path):
            raise SwapError(
                f"{self.path!r} is not a valid path for a swap file.",
                hint="Use an absolute, normalized path without control characters, such as /swapfile.",
            )

        unit_bytes = len(build_unit_name(self.path))
        if unit_bytes > _LONGEST_NAME:
            raise SwapError(
                f"{self.path[:64]}... is too long for the path of a swap file: the name of its systemd unit would have "
                f"{unit_bytes} characters, and only {_LONGEST_NAME} are supported.",
                hint="Use a shorter path, such as /swapfile. Characters other than letters, digits and slashes count "
                "four times.",
            )

    def _check_numbers(self) -> None:
        if max(self.size_bytes, self.reserve_bytes) > _LARGEST_BYTES:
            raise SwapError(
                "The size or the reserve is larger than the disk of any host.",
                hint=f"Use {format_size(_LARGEST_BYTES)} or less.",
            )

        if self.present and self.size_bytes < _SMALLEST_BYTES:
            raise SwapError(
                f"{format_size(self.size_bytes)} is too small for the swap of a host.",
                hint=f"Use {format_size(_SMALLEST_BYTES)} or more. "
                "To remove the files that this module created, use state: absent.",
            )

        if self.priority is not None and not 0 <= self.priority <= _HIGHEST_PRIORITY:
            raise SwapError(
                f"{self.priority} is not a valid priority.",
                hint=f"Use a number from 0 to {_HIGHEST_PRIORITY}, or omit it to let the kernel choose.",
            )

    @property
    def fstab_options(self) -> str:
        """Return the options of a line in fstab.

        Without `nofail`, a host whose swap file is missing boots into emergency mode and cannot be reached.
        """
        options = ["sw", "nofail"]
        if self.priority is not None:
            options.append(f"pri={self.priority}")
        options += self.options

        without_repetitions = dict.fromkeys(options)
        return ",".join(without_repetitions)

    def is_managed_name(self, path: str) -> bool:
        """Return whether `path` is one of the names of managed files."""
        return re.fullmatch(rf"{re.escape(self.path)}(\.[1-9][0-9]*)?", path) is not None

    def is_counted(self, area: Area) -> bool:
        """Return whether `area` counts toward the total. Zram is compressed RAM and counts only if requested."""
        return self.count_zram or not area.is_compressed

    def has_priority(self, area: Area) -> bool:
        """Return whether `area` has the requested priority. Without a request, every priority is right."""
        return self.priority is None or area.priority == self.priority

    def select_counted(self, areas: t.Iterable[Area]) -> t.Iterator[Area]:
        """Yield those of `areas` that count toward the total."""
        for area in areas:
            if self.is_counted(area):
                yield area

    def sum_size(self, areas: t.Iterable[Area]) -> int:
        """Return the bytes of swap in those of `areas` that count toward the total."""
        return sum(area.size_bytes for area in self.select_counted(areas))

    def sum_used(self, areas: t.Iterable[Area]) -> int:
        """Return the bytes in use in those of `areas` that count toward the total."""
        return sum(area.used_bytes for area in self.select_counted(areas))


def _check_option(option: str) -> None:
    name, _equals, _value = option.partition("=")
    if name in _REJECTED_OPTIONS:
        raise SwapError(f"The option {name} of a swap area is not supported here.", hint=_REJECTED_OPTIONS[name])

    if not _OPTION.fullmatch(option):
        raise SwapError(
            f"{option[:64]!r} is not a valid option of a swap area.",
            hint="Use one option for each item of the list, such as discard or discard=once. See swapon(8).",
        )


def _is_plain_path(path: str) -> bool:
    # normpath() keeps two slashes at the beginning, and the kernel does not.
    plain = "/" + posixpath.normpath(path).lstrip("/")
    if path != plain or plain == "/":
        return False

    return path.isprintable()
