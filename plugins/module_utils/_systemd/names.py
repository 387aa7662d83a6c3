# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Units by name: templates, instances, prefixes and aliases, and unit files on a host that is not booted."""

from __future__ import annotations

import itertools
import os
import pathlib
import re
import typing as t

from .model import USER_MANAGER, DropinError

_INSTANCE = "oomguard"
# Names that stand for several units (systemd.unit(5)), and how one of these units is called.
_SEVERAL = (
    # `service.d` has drop-ins for all services.
    (re.compile(r"^([a-z]+)\.d$"), r"{}.\1"),
    # `user-.slice.d` has drop-ins for all slices whose names begin with `user-`. The root slice and the root mount are
    # called by a dash.
    (re.compile(r"^(.+-)(\.[a-z]+)$"), r"\1{}\2"),
    # A template.
    (re.compile(r"@\."), r"@{}."),
)
# For these, systemd cannot load a unit that has only what they share.
_GROUP = re.compile(rf"[a-z]+\.d|.+-\.[a-z]+|{re.escape(USER_MANAGER)}")
# A dash after which a prefix may end: not one at the beginning or the end of a name.
_DASH = re.compile("(?<=.)-(?=.)")

# systemd.unit(5), "Unit File Load Path", without the folders that only a running systemd has. True is for users.
_FOLDERS = {
    False: (
        "etc/systemd/system",
        "run/systemd/system",
        "usr/local/lib/systemd/system",
        "usr/lib/systemd/system",
        "lib/systemd/system",
    ),
    True: ("etc/systemd/user", "usr/local/lib/systemd/user", "usr/lib/systemd/user"),
}
# Units of these types exist without a file, and so does the manager's own configuration.
_IMPLICIT = ("slice", "scope", "mount", "swap", "device", "conf")


class FoundUnit(t.NamedTuple):
    """The real name of a unit, and the path of its file; an empty path if it has none."""

    name: str
    file: str = ""


def is_group(unit: str) -> bool:
    """Return whether the name stands for all units with a prefix or of a type, or for the systemd of all users."""
    return _GROUP.fullmatch(unit) is not None


def get_folder_name(unit: str) -> str:
    """Return the name of the directory that has the drop-ins of a unit."""
    stem = re.sub(r"^([a-z]+)\.d$", r"\1", unit)
    return f"{stem}.d"


def get_loadable_name(unit: str) -> str:
    """Return a name that systemd can load: a made-up one if the name stands for several units, else `unit` itself."""
    return _fill_in(unit, _INSTANCE)


def _fill_in(unit: str, word: str) -> str:
    """Put `word` where the units differ for which the name stands."""
    for pattern, replacement in _SEVERAL:
        unit = pattern.sub(replacement.format(word), unit)

    return unit


def get_asked_name(found: str, asked: str) -> str:
    """Return the template of the instance `found` if a template was `asked` for, otherwise `found` itself."""
    if "@." not in asked:
        return found

    return found.replace(f"@{_INSTANCE}.", "@.")


def get_pattern(unit: str) -> str:
    """Return the pattern (glob(7)) of the units that the name stands for, an empty text if it is that of one unit."""
    pattern = _fill_in(unit, "*")
    if pattern == unit:
        return ""

    return pattern.replace("\\", "\\\\")


def list_shared_folders(unit: str) -> list[str]:
    """Return the directories whose drop-ins the unit shares with others, the one with the fewest units first."""
    stem, _dot, kind = unit.rpartition(".")
    if kind == "d":
        return []

    prefix, _at, instance = stem.partition("@")
    ends = [dash.end() for dash in _DASH.finditer(prefix)]
    stems = [prefix[:end] for end in reversed(ends)]
    if instance:
        stems.insert(0, f"{prefix}@")

    folders = [f"{shared}.{kind}.d" for shared in stems]
    return [*folders, f"{kind}.d"]


def get_template(unit: str) -> str:
    """Return the template of an instance, an empty text for any other unit."""
    stem, _at, rest = unit.partition("@")
    instance, _dot, kind = rest.rpartition(".")
    if not instance:
        return ""

    return f"{stem}@.{kind}"


def find_unit(unit: str, root: pathlib.Path, own: pathlib.Path, *, user: bool, required: bool) -> FoundUnit:
    """Return the real name and the file of a unit, from the files below `root` alone.

    The folder `own` comes first. If the unit is `required`, raises DropinError if it is masked, or has no file although
    its type needs one.
    """
    if is_group(unit):
        return FoundUnit(unit)

    folders = _list_folders(own, root, user=user)
    try:
        return _locate(unit, root, folders)
    except DropinError:
        if required:
            raise

    return FoundUnit(unit)


def find_hidden(path: pathlib.Path, unit: str, root: pathlib.Path, *, user: bool) -> str | None:
    """Return the first drop-in with the name of `path` that the unit shares with others; None if there is none."""
    folders = _list_folders(path.parent.parent, root, user=user)
    places = itertools.product(list_shared_folders(unit), folders)
    candidates = [str(folder / name / path.name) for name, folder in places]
    return next(filter(os.path.exists, candidates), None)


def _list_folders(own: pathlib.Path, root: pathlib.Path, *, user: bool) -> list[pathlib.Path]:
    return [own, *map(root.joinpath, _FOLDERS[user])]


def _locate(unit: str, root: pathlib.Path, folders: t.Collection[pathlib.Path]) -> FoundUnit:
    path = _find_file(unit, folders)
    if path is None:
        _refuse_missing(unit, root)
        return FoundUnit(unit)

    target = path
    if path.is_symlink():
        target = pathlib.Path(os.readlink(str(path)))
    _refuse_masked(unit, path, target)

    file = _resolve(path, target, root)
    folder = pathlib.Path(os.path.normpath(str(file.parent)))
    name = unit
    if target != path and folder in folders:
        # A link to another folder is a unit of its own (`systemctl link`).
        name = _get_target_name(unit, path, target)

    return FoundUnit(name, str(file))


def _find_file(unit: str, folders: t.Iterable[pathlib.Path]) -> pathlib.Path | None:
    """Return the first file of the unit, or else of its template."""
    names = filter(None, (unit, get_template(unit)))
    for name, folder in itertools.product(names, folders):
        path = folder / name
        if os.path.lexists(str(path)):
            return path

    return None


def _refuse_missing(unit: str, root: pathlib.Path) -> None:
    kind = unit.rpartition(".")[2]
    if kind in _IMPLICIT:
        return

    raise DropinError(
        f"There is no unit file of {unit} below {root}, where systemd does not run.",
        hint="Check the name of the unit, and that the package that provides it is installed.",
    )


def _refuse_masked(unit: str, path: pathlib.Path, target: pathlib.Path) -> None:
    is_empty = path.is_file() and path.stat().st_size == 0
    is_null = str(target) == "/dev/null"
    if is_empty or is_null:
        raise DropinError(f"{unit} is masked.", hint="A masked unit cannot be configured; unmask it first.")


def _get_target_name(unit: str, path: pathlib.Path, target: pathlib.Path) -> str:
    """Return the name that the alias `unit` stands for: its file `path` is a link to `target`."""
    if path.name == unit:
        return target.name

    # The link is a template's, and the unit an instance of it.
    _stem, _at, rest = unit.partition("@")
    instance, _dot, _kind = rest.rpartition(".")
    return target.name.replace("@.", f"@{instance}.")


def _resolve(link: pathlib.Path, target: pathlib.Path, root: pathlib.Path) -> pathlib.Path:
    """Return the target of a link on the host below `root`."""
    is_below_root = root in target.parents
    if target.is_absolute() and not is_below_root:
        name = str(target).lstrip("/")
        return root / name

    return link.parent / target
