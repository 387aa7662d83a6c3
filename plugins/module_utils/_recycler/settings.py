# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the recycler is told: checked, and written to its one file. Pure."""

from __future__ import annotations

import configparser
import dataclasses
import posixpath
import re
import typing as t

from .._errors import OomguardError
from .._safe import neutralise
from .._size import parse_limit

HEADER = "# Managed by oomguard.linux.fcgid_recycler; what is changed here by hand is lost.\n"

# What needs no quotes in a unit and none in a section's name.
_PATH = re.compile(r"/[A-Za-z0-9_./@+:,=-]*")
_PATTERN = re.compile(r"[/*][A-Za-z0-9_./@+:,=*?~ -]*")
# Where PrivateTmp= and ProtectHome= have the unit see others, or none.
_HIDDEN = re.compile(r"/+(?:tmp|var/tmp|home|root|(?:var/)?run/user)(?:/.*)?")
_MAIN, _SCRIPT = "recycler", "script "


class RecyclerError(OomguardError):
    """The recycler cannot be set up as asked, or is not in force."""


@dataclasses.dataclass(frozen=True)
class Bounds:
    """In bytes: a worker beyond `limit` is retired when idle, one beyond `hard_limit` after the grace time anyway."""

    limit: int | None = None
    hard_limit: int | None = None


@dataclasses.dataclass(frozen=True)
class Settings:
    """Times are in seconds. `scripts` has bounds of their own for some; `bounds` is for all others."""

    bounds: Bounds = Bounds()
    scripts: tuple[tuple[str, Bounds], ...] = ()
    min_idle: int = 10
    interval: int = 10
    grace: int | None = None
    drain: bool = True
    dry_run: bool = False
    status_url: str = ""
    metrics_file: str = ""
    socket_directories: tuple[str, ...] = ()


def settings_from(values: t.Mapping[str, t.Any]) -> Settings:
    """Return the settings in `values`, as the module's parameters have them. Raises RecyclerError and SizeError."""
    settings = Settings(
        bounds=_bounds(values),
        scripts=tuple((_pattern(entry["script"]), _bounds(entry)) for entry in values["scripts"]),
        min_idle=values["min_idle"],
        interval=values["interval"],
        grace=values["grace"],
        drain=values["drain"],
        dry_run=values["dry_run"],
        status_url=values["status_url"],
        metrics_file=values["metrics_file"],
        socket_directories=tuple(map(posixpath.normpath, values["socket_directories"])),
    )
    patterns = [pattern for pattern, _bounds in settings.scripts]
    for pattern in patterns:
        if patterns.count(pattern) > 1:
            raise RecyclerError(f"{pattern} is given twice.", hint="The first entry that fits holds; leave one out.")
    every = [settings.bounds, *(bounds for _pattern, bounds in settings.scripts)]
    if all(bounds == Bounds() for bounds in every):
        raise RecyclerError("There is no limit to watch.", hint="Set one for all workers, or for a script.")
    if any(bounds.hard_limit for bounds in every) and settings.grace is None:
        raise RecyclerError(
            "There is a hard limit without a grace time.",
            hint="Say for how long a worker beyond it may go on with the request in hand.",
        )
    grace = settings.grace or 0
    seconds = {"min_idle": (settings.min_idle, 0), "interval": (settings.interval, 1), "grace": (grace, 0)}
    for name, (value, least) in seconds.items():
        if value < least:
            raise RecyclerError(f"{name} is {value}.", hint=f"Give a number of seconds from {least}.")
    for path in (*settings.socket_directories, settings.metrics_file):
        if path and not _PATH.fullmatch(path):
            raise RecyclerError(
                f"{neutralise(path)!r} cannot stand in a unit.", hint="Give a full path without blanks."
            )
    for path in filter(_HIDDEN.fullmatch, settings.socket_directories):
        raise RecyclerError(
            f"The recycler cannot see sockets in {path}.",
            hint="Set FcgidIPCDir to a folder that is not below /tmp, /var/tmp, /home, /root or /run/user.",
        )
    return settings


def parse(text: str) -> Settings:
    """Return the settings that `render` has written. Raises RecyclerError and SizeError."""
    parser = _parser()
    try:
        parser.read_string(text)
        main = parser[_MAIN]
        values: dict[str, t.Any] = {
            **{name: main.get(name) for name in ("limit", "hard_limit")},
            **{name: main.getint(name) for name in ("min_idle", "interval", "grace")},
            **{name: main.getboolean(name) for name in ("drain", "dry_run")},
            **{name: main.get(name, "") for name in ("status_url", "metrics_file")},
            "socket_directories": main.get("socket_directories", "").split(),
            "scripts": [
                {"script": name[len(_SCRIPT) :], **parser[name]}
                for name in parser.sections()
                if name.startswith(_SCRIPT)
            ],
        }
        return settings_from(values)
    except (configparser.Error, KeyError, TypeError, ValueError) as error:
        raise RecyclerError(f"The configuration cannot be read: {neutralise(str(error))}.") from error


def render(settings: Settings) -> str:
    """Return the configuration as a file."""
    main: dict[str, object] = {
        **_sizes(settings.bounds),
        **({} if settings.grace is None else {"grace": settings.grace}),
        "min_idle": settings.min_idle,
        "interval": settings.interval,
        "drain": _word(settings.drain),
        "dry_run": _word(settings.dry_run),
        "status_url": settings.status_url,
        "metrics_file": settings.metrics_file,
        "socket_directories": " ".join(settings.socket_directories),
    }
    sections = [(_MAIN, main), *((_SCRIPT + pattern, _sizes(bounds)) for pattern, bounds in settings.scripts)]
    text = "\n".join(
        f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in values.items() if value != "")
        for name, values in sections
    )
    return f"{HEADER}\n{text}"


def _parser() -> configparser.ConfigParser:
    return configparser.ConfigParser(delimiters=("=",), comment_prefixes=("#",), interpolation=None, default_section="")


def _bounds(values: t.Mapping[str, t.Any]) -> Bounds:
    of = f" of {values['script']}" if "script" in values else ""
    limit, hard_limit = (
        parse_limit(values[name], name=f"{name}{of}") if values.get(name) not in (None, "") else None
        for name in ("limit", "hard_limit")
    )
    if hard_limit is not None and limit is not None and hard_limit < limit:
        raise RecyclerError(f"The hard limit, {hard_limit} bytes, is below the limit, {limit} bytes.")
    return Bounds(limit, hard_limit)


def _pattern(text: str) -> str:
    if not _PATTERN.fullmatch(text):
        raise RecyclerError(
            f"{neutralise(text)!r} is not a script.", hint="Give a full path, in which * and ? stand for anything."
        )
    return text


def _sizes(bounds: Bounds) -> dict[str, object]:
    return {name: _size(value) for name, value in dataclasses.asdict(bounds).items() if value is not None}


def _size(size: int) -> str:
    """Return `size` with the largest binary unit that says it exactly."""
    for power, unit in ((3, "G"), (2, "M"), (1, "K")):
        if size and size % 1024**power == 0:
            return f"{size // 1024**power}{unit}"
    return str(size)


def _word(flag: bool) -> str:
    return "yes" if flag else "no"
