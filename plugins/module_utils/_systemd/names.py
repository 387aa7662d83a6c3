# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Units by name: templates and their instances, aliases, and where their files are on a host that is not booted."""

from __future__ import annotations

import os
import pathlib

from .dropin import MANAGER, DropinError

_INSTANCE = "oomguard"

# systemd.unit(5), "Unit File Load Path", without what only a running systemd has.
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
# Units of these types come to be without a file.
_IMPLICIT = ("slice", "scope", "mount", "swap", "device")


def instance_of(unit: str) -> str:
    """Return a unit name that systemd can load: for a template, an instance of it."""
    return unit.replace("@.", f"@{_INSTANCE}.")


def pattern_of(unit: str) -> str:
    """Return the pattern (glob(7)) of the instances of a template, an empty text for any other unit."""
    return unit.replace("\\", "\\\\").replace("@.", "@*.") if "@." in unit else ""


def of_template(found: str, asked: str) -> str:
    """Return the template of the instance `found`, if a template was `asked` for."""
    return found.replace(f"@{_INSTANCE}.", "@.") if "@." in asked else found


def template_of(unit: str) -> str:
    """Return the template of an instance, an empty text for any other unit."""
    stem, _at, rest = unit.partition("@")
    instance, _dot, kind = rest.rpartition(".")
    return f"{stem}@.{kind}" if instance else ""


def find_unit(unit: str, root: pathlib.Path, own: pathlib.Path, *, user: bool, must: bool) -> tuple[str, str]:
    """Return the real name of a unit and the path of its file, from the disk alone.

    `own` is looked at first. Raises DropinError for a masked unit, and for one without a file unless it may have none.
    """
    instance = unit.partition("@")[2].rpartition(".")[0]
    folders = [own, *(root / folder for folder in _FOLDERS[user])]
    for path in (folder / name for name in (unit, template_of(unit)) if name for folder in folders):
        if not os.path.lexists(str(path)):
            continue
        target = pathlib.Path(os.readlink(str(path))) if path.is_symlink() else path
        if str(target) == "/dev/null" or (path.is_file() and path.stat().st_size == 0):
            if must:
                raise DropinError(f"{unit} is masked.", hint="A masked unit cannot be configured; unmask it first.")
            return unit, ""
        alias = target.name if path.name == unit else target.name.replace("@.", f"@{instance}.")
        file = _below(root, path, target)
        # A link that leads elsewhere is a unit of its own (`systemctl link`).
        is_alias = target != path and os.path.normpath(str(file.parent)) in [str(folder) for folder in folders]
        return (alias if is_alias else unit), str(file)
    if must and unit != MANAGER and unit.rpartition(".")[2] not in _IMPLICIT:
        raise DropinError(
            f"No file of {unit} was found below {root}, where no systemd runs.",
            hint="Is the package that brings it installed, and its name right?",
        )
    return unit, ""


def _below(root: pathlib.Path, link: pathlib.Path, target: pathlib.Path) -> pathlib.Path:
    """Return where a link leads that belongs to the host below `root`."""
    return (
        root / str(target).lstrip("/") if target.is_absolute() and root not in target.parents else link.parent / target
    )
