# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What systemd switches on at boot: masks, the kernel's command line, fstab and swap units.

Sources: systemd.unit(5), systemd-fstab-generator(8), kernel-command-line(7).
"""

from __future__ import annotations

import os
import pathlib
import typing as t

from .._command import Run
from .._systemctl import Systemctl, is_booted
from .fstab import parse_swap_lines
from .host import Host, read_optional
from .state import Area, Boot, Obstacle, SwapError, Unit
from .unit import build_unit_name

_TARGET = "swap.target"
_GENERATOR = "etc/systemd/system-generators/systemd-fstab-generator"
_MASKING_WORDS = frozenset([f"systemd.mask={_TARGET}"])
_NO = ("0", "no", "n", "false", "f", "off")
_TABLE_WORDS = frozenset(f"{name}={no}" for name in ("fstab", "systemd.swap") for no in _NO)
# What the first field of a line of fstab may say instead of a path: fstab(5).
_TAGS = {
    "UUID": "dev/disk/by-uuid",
    "LABEL": "dev/disk/by-label",
    "PARTUUID": "dev/disk/by-partuuid",
    "PARTLABEL": "dev/disk/by-partlabel",
}


def observe_boot(areas: t.Iterable[Area], fstab: str, host: Host, run: Run) -> Boot:
    """Return what decides which swap is in use after the next boot. Raises CommandError."""
    named = _find_table_areas(fstab, host)
    path = host.units / _TARGET
    target = Unit(path=str(path), area="", text=read_unit(path), enabled=False, masked=is_masked(path))
    if not is_booted(host.root):
        return Boot(target=target, named=named)

    paths = frozenset(area.path for area in areas)
    if paths - named:
        named |= frozenset(_list_unit_areas(host, run))

    # systemd reads these values in either case.
    words = read_optional(host.proc / "cmdline").lower().split()
    return Boot(
        target=target,
        obstacles=tuple(_find_obstacles(words, target)),
        table_obstacles=tuple(_find_table_obstacles(words, host)),
        named=named,
    )


def read_unit(path: pathlib.Path) -> str:
    """Return the text of the unit file at `path`, empty if there is none, or where it leads if it is a link."""
    if path.is_symlink():
        return f"a link to {os.readlink(str(path))}"

    return read_optional(path)


def is_masked(path: pathlib.Path) -> bool:
    """Return whether the unit file or generator at `path` is masked: an empty file, or a link to /dev/null."""
    try:
        # The size of /dev/null is 0, too.
        return os.stat(str(path)).st_size == 0
    except OSError:
        return False


def verify_boot(paths: t.Iterable[str], run: Run) -> None:
    """Raise SwapError if systemd will not start the units of the swap files at `paths` at the next boot."""
    names = [build_unit_name(path) for path in paths]
    properties = ("Id", "LoadState", "WantedBy", "RequiredBy")
    attempt = "ask systemd about the units of the swap files"
    for unit in _make_systemctl(run).show(names, properties, attempt=attempt):
        if not _is_wanted(unit):
            name = unit.get("Id")
            raise SwapError(
                "The swap is in use, but systemd will not switch it on at the next boot: nothing wants its unit "
                f"{name}, whose load state is {unit.get('LoadState')}.",
                hint=f"Run systemctl status {name} and systemctl cat {name} to see why.",
            )


def _is_wanted(unit: t.Mapping[str, str]) -> bool:
    return bool(unit.get("WantedBy") or unit.get("RequiredBy"))


def _make_systemctl(run: Run) -> Systemctl:
    return Systemctl(run=run)


def _find_obstacles(words: t.Collection[str], target: Unit) -> list[Obstacle]:
    """Return what keeps all swap units from being started at boot."""
    obstacles = _find_kernel_obstacles(words, _MASKING_WORDS)
    if target.masked:
        obstacles.append(
            Obstacle(
                f"{_TARGET} is masked, as on hosts that must have no swap",
                f"If this host is to have swap, run: systemctl unmask {_TARGET}.",
            )
        )

    return obstacles


def _find_table_obstacles(words: t.Collection[str], host: Host) -> list[Obstacle]:
    """Return what keeps systemd from making swap units from the lines of fstab."""
    obstacles = _find_kernel_obstacles(words, _TABLE_WORDS)
    generator = host.root / _GENERATOR
    if is_masked(generator):
        masked = Obstacle(f"{generator} masks the program that reads fstab", f"Remove {generator}.")
        obstacles.append(masked)

    return obstacles


def _find_kernel_obstacles(words: t.Collection[str], obstructive: frozenset[str]) -> list[Obstacle]:
    """Return an obstacle for each of the `obstructive` words on the kernel's command line."""
    found = obstructive.intersection(words)
    hint = "Remove the word from the configuration of the boot loader."
    return [Obstacle(f"the kernel's command line says {word}", hint) for word in sorted(found)]


def _find_table_areas(fstab: str, host: Host) -> frozenset[str]:
    """Return the paths, as /proc/swaps shows them, of the areas that fstab has switched on at boot."""
    paths = set()
    for line in parse_swap_lines(fstab):
        if "noauto" not in line.options.split(","):
            paths.add(_resolve(line.path, host))

    return frozenset(paths)


def _resolve(source: str, host: Host) -> str:
    tag, _equals, value = source.partition("=")
    if tag in _TAGS:
        source = str(host.root / _TAGS[tag] / _escape_tag(value.strip('"')))

    return os.path.realpath(source)


def _escape_tag(value: str) -> str:
    r"""Return the name of the link that udev makes for a tag: characters that are not safe become `\xNN`."""
    return value.replace("\\", "\\x5c").replace("/", "\\x2f").replace(" ", "\\x20")


def _list_unit_areas(host: Host, run: Run) -> t.Iterator[str]:
    """Yield the paths of the areas that a swap unit switches on at boot, except those from fstab."""
    properties = ("What", "SourcePath", "WantedBy", "RequiredBy")
    units = _make_systemctl(run).show(["*.swap"], properties, attempt="list the swap units of systemd")
    for unit in units:
        # The table itself says more than what systemd remembers of it.
        is_from_table = unit.get("SourcePath") == str(host.fstab)
        if _is_wanted(unit) and not is_from_table:
            yield os.path.realpath(unit.get("What", ""))
