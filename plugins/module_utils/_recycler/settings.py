# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of the recycler: checked, and written to its configuration file. Pure."""

from __future__ import annotations

import configparser
import dataclasses
import operator
import posixpath
import re
import typing as t

from .._errors import OomguardError
from .._mark import make_mark
from .._size import parse_limit

HEADER = f"{make_mark('fcgid_recycler')}\n"

# A path that needs no quotes in a unit, and a pattern that needs none in the name of a section.
_PATH = re.compile(r"/[A-Za-z0-9_./@+:,=-]*")
_PATTERN = re.compile(r"[/*][A-Za-z0-9_./@+:,=*?~ -]{0,4094}")
# What useradd(8) accepts, and the numbers of users without a name.
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}")
# The folders that PrivateTmp= replaces in the unit, and those that ProtectHome= hides.
_HIDDEN = re.compile(r"/+(?:tmp|var/tmp|home|root|(?:var/)?run/user)(?:/.*)?")
# A day in seconds. A recycler that waits for longer is none.
_LONGEST_TIME = 86_400
# The longest path and name of Linux.
_LONGEST_PATH = 4095
_LONGEST_NAME = 255
_FIRST_OF_PATTERN = ("/", "*")
_MAIN = "recycler"
_SCRIPT = "script "
_BINARY_UNITS = ((1024**3, "G"), (1024**2, "M"), (1024, "K"))


class RecyclerError(OomguardError):
    """The recycler cannot be set up as asked, or does not run as it was set up."""


@dataclasses.dataclass(frozen=True)
class Bounds:
    """Limits in bytes.

    A worker over `limit` is retired when it is idle, a worker over `hard_limit` after the grace time in any case.
    """

    limit: int | None = None
    hard_limit: int | None = None


class ScriptBounds(t.NamedTuple):
    """The bounds for workers whose script matches a pattern, and that run as `user` unless it is empty."""

    pattern: str
    bounds: Bounds
    user: str = ""

    @property
    def name(self) -> str:
        """The name of the entry. A pattern begins with a character that no name of a user has."""
        if self.user:
            return f"{self.user}:{self.pattern}"

        return self.pattern


@dataclasses.dataclass(frozen=True)
class Settings:
    """The settings of the recycler. Times are in seconds.

    `scripts` has the bounds for some workers. `bounds` applies to all others.
    """

    bounds: Bounds = Bounds()
    scripts: tuple[ScriptBounds, ...] = ()
    min_idle: int = 10
    interval: int = 10
    grace: int | None = None
    drain: bool = True
    dry_run: bool = False
    status_url: str = ""
    metrics_file: str = ""
    socket_directories: tuple[str, ...] = ()


def make_settings(values: t.Mapping[str, t.Any]) -> Settings:
    """Return the settings in `values`, which has the parameters of the module. Raises RecyclerError and SizeError."""
    settings = Settings(
        bounds=_make_bounds(values),
        scripts=tuple(map(_make_script_bounds, values["scripts"])),
        min_idle=values["min_idle"],
        interval=values["interval"],
        grace=values["grace"],
        drain=values["drain"],
        dry_run=values["dry_run"],
        status_url=values["status_url"],
        metrics_file=values["metrics_file"],
        socket_directories=tuple(map(_normalise, values["socket_directories"])),
    )
    _refuse_repetition(settings)
    _refuse_missing_bounds(settings)
    _refuse_times(settings)
    _refuse_paths(settings)

    return settings


def _make_script_bounds(entry: t.Mapping[str, t.Any]) -> ScriptBounds:
    user = entry.get("user") or ""
    if user and not _USER.fullmatch(user):
        raise RecyclerError(f"{user[:64]!r} is not the name of a user.", hint="Use a name such as www-data.")

    return ScriptBounds(_check_pattern(entry["script"]), _make_bounds(entry), user)


def _normalise(path: str) -> str:
    """Return a path as pathlib writes it. POSIX lets two slashes at the start differ from one."""
    return re.sub("^/+", "/", posixpath.normpath(path))


def _refuse_repetition(settings: Settings) -> None:
    seen = set()
    for entry in settings.scripts:
        if entry.name in seen:
            raise RecyclerError(
                f"{entry.name} is listed twice.", hint="Only the first entry that matches applies. Remove one of them."
            )

        seen.add(entry.name)


def _refuse_missing_bounds(settings: Settings) -> None:
    all_bounds = [settings.bounds, *map(operator.attrgetter("bounds"), settings.scripts)]
    if set(all_bounds) == {Bounds()}:
        raise RecyclerError("No limit is set.", hint="Set a limit for all workers, or for a script.")

    hard_limits = [bounds.hard_limit for bounds in all_bounds]
    if any(hard_limits) and settings.grace is None:
        raise RecyclerError(
            "A hard limit is set without a grace time.",
            hint="Set grace to the number of seconds for which a worker over the hard limit may continue its request.",
        )


def _refuse_times(settings: Settings) -> None:
    _refuse_time("min_idle", settings.min_idle, 0)
    _refuse_time("interval", settings.interval, 1)
    _refuse_time("grace", settings.grace or 0, 0)


def _refuse_time(name: str, seconds: int, least: int) -> None:
    if least <= seconds <= _LONGEST_TIME:
        return

    raise RecyclerError(f"{name} is {seconds}.", hint=f"Use a number of seconds from {least} to {_LONGEST_TIME}.")


def _refuse_paths(settings: Settings) -> None:
    for path in filter(None, (*settings.socket_directories, settings.metrics_file)):
        _refuse_long(path)
        if not _PATH.fullmatch(path):
            raise RecyclerError(
                f"{path!r} cannot be used in a unit file.", hint="Use a full path without spaces or special characters."
            )

    for path in settings.socket_directories:
        if path == "/":
            raise RecyclerError(
                "The recycler would have the right to write everywhere.",
                hint="Set socket_directories to the directories in FcgidIPCDir.",
            )

        if _HIDDEN.fullmatch(path):
            raise RecyclerError(
                f"The recycler cannot see sockets in {path}.",
                hint="Set FcgidIPCDir to a directory that is not below /tmp, /var/tmp, /home, /root or /run/user.",
            )


def _refuse_long(path: str) -> None:
    longest_name = max(map(len, path.split("/")))
    is_name_too_long = longest_name > _LONGEST_NAME
    if is_name_too_long or len(path) > _LONGEST_PATH:
        raise RecyclerError(f"{path[:64]!r}... is longer than a path can be.", hint="Use a shorter path.")


def parse(text: str) -> Settings:
    """Return the settings in a file that `render` has written. Raises RecyclerError and SizeError."""
    parser = _make_parser()
    try:
        parser.read_string(text)
        return make_settings(_parse_values(parser))
    except (configparser.Error, KeyError, TypeError, ValueError) as error:
        raise RecyclerError(f"The configuration cannot be read: {error}.") from error


def _parse_values(parser: configparser.ConfigParser) -> dict[str, t.Any]:
    main = parser[_MAIN]
    return {
        "limit": main.get("limit"),
        "hard_limit": main.get("hard_limit"),
        "min_idle": main.getint("min_idle"),
        "interval": main.getint("interval"),
        "grace": main.getint("grace"),
        "drain": main.getboolean("drain"),
        "dry_run": main.getboolean("dry_run"),
        "status_url": main.get("status_url", ""),
        "metrics_file": main.get("metrics_file", ""),
        "socket_directories": main.get("socket_directories", "").split(),
        "scripts": list(_parse_scripts(parser)),
    }


def _parse_scripts(parser: configparser.ConfigParser) -> t.Iterator[dict[str, str]]:
    for name in parser.sections():
        if not name.startswith(_SCRIPT):
            continue

        script = name[len(_SCRIPT) :]
        user = ""
        if script[:1] not in _FIRST_OF_PATTERN:
            user, _colon, script = script.partition(":")
        yield {"script": script, "user": user, **parser[name]}


def render(settings: Settings) -> str:
    """Return the text of the configuration file."""
    values = {
        **_render_bounds(settings.bounds),
        "grace": _render_optional(settings.grace),
        "min_idle": str(settings.min_idle),
        "interval": str(settings.interval),
        "drain": _render_flag(settings.drain),
        "dry_run": _render_flag(settings.dry_run),
        "status_url": settings.status_url,
        "metrics_file": settings.metrics_file,
        "socket_directories": " ".join(settings.socket_directories),
    }
    scripts = map(_render_script, settings.scripts)
    return "\n".join([HEADER, _render_section(_MAIN, values), *scripts])


def _render_script(entry: ScriptBounds) -> str:
    return _render_section(_SCRIPT + entry.name, _render_bounds(entry.bounds))


def _render_section(name: str, values: t.Mapping[str, str]) -> str:
    text = f"[{name}]\n"
    for key, value in values.items():
        if value:
            text += f"{key} = {value}\n"

    return text


def _render_bounds(bounds: Bounds) -> dict[str, str]:
    return {"limit": _render_size(bounds.limit), "hard_limit": _render_size(bounds.hard_limit)}


def _render_size(size: int | None) -> str:
    """Return `size` in the largest binary unit that is exact."""
    if not size:
        return _render_optional(size)

    for factor, unit in _BINARY_UNITS:
        if size % factor == 0:
            return f"{size // factor}{unit}"

    return str(size)


def _render_optional(number: int | None) -> str:
    if number is None:
        return ""

    return str(number)


def _render_flag(flag: bool) -> str:
    return "yes" if flag else "no"


def _make_parser() -> configparser.ConfigParser:
    return configparser.ConfigParser(delimiters=("=",), comment_prefixes=("#",), interpolation=None, default_section="")


def _make_bounds(values: t.Mapping[str, t.Any]) -> Bounds:
    limit = _parse_bound(values, "limit")
    hard_limit = _parse_bound(values, "hard_limit")
    if hard_limit is not None and limit is not None and hard_limit < limit:
        raise RecyclerError(f"The hard limit, {hard_limit} bytes, is below the limit, {limit} bytes.")

    return Bounds(limit, hard_limit)


def _parse_bound(values: t.Mapping[str, t.Any], name: str) -> int | None:
    text = values.get(name)
    if text is None or text == "":
        return None
    if "script" in values:
        return parse_limit(text, name=f"{name} of {values['script']}")

    return parse_limit(text, name=name)


def _check_pattern(text: str) -> str:
    """Return `text` if it is a pattern for scripts. Raises RecyclerError otherwise."""
    if not _PATTERN.fullmatch(text):
        raise RecyclerError(
            f"{text[:64]!r} is not a script.",
            hint="Use a full path, in which * stands for any text and ? for any character.",
        )

    return text
