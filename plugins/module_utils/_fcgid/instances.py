# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instances of Apache on the host: which there are, which run, and which have our file."""

from __future__ import annotations

import glob
import itertools
import operator
import os
import pathlib
import typing as t

from .._command import Run
from .._systemctl import Systemctl, is_booted
from .directives import FcgidError
from .layout import DEFAULT, Layout

_PROPERTIES = ("LoadState", "ActiveState", "UnitFileState")
_RUNNING = ("active", "reloading")


class Instance(t.NamedTuple):
    """An instance of Apache.

    `running` and `masked` are None without systemd. `managed` is whether a file of ours is in its configuration.
    """

    name: str
    unit: str
    running: bool | None
    masked: bool | None
    managed: bool

    @property
    def is_unmanaged(self) -> bool:
        """Return whether it runs without a file of ours."""
        return bool(self.running) and not self.managed


def find_instance(layout: Layout, name: str) -> Layout:
    """Return the layout of the instance with this name. Raises FcgidError if there is none."""
    if name == DEFAULT:
        return layout

    layouts = {other.instance: other for other in _find_layouts(layout)}
    found = layouts.get(name)
    if found and found.enabled:
        return found

    known = ", ".join([DEFAULT, *layouts])
    raise FcgidError(
        f"Apache has no instance {name!r} that can be configured.",
        hint=f"The instances are {known}. Besides the default one, only those of Debian's setup-instance can be.",
    )


def observe_instances(layout: Layout, *, run: Run, root: pathlib.Path = pathlib.Path("/")) -> list[Instance]:
    """Return the instances of Apache, the default one first. Raises CommandError.

    A folder whose unit neither runs nor is enabled may be a copy of Apache's configuration, so it is left out.
    """
    layouts = [layout, *_find_layouts(layout)]
    units = [candidate.unit for candidate in layouts]
    states: list[dict[str, str]] = [{}] * len(units)
    if is_booted(root):
        states = Systemctl(run).show(units, _PROPERTIES, attempt="ask systemd about the instances of Apache")

    default, *others = map(_make_instance, layouts, states)
    used = map(_is_used, states[1:])
    return [default, *itertools.compress(others, used)]


def _is_used(state: t.Mapping[str, str]) -> bool:
    is_running = state.get("ActiveState") in _RUNNING
    # Without systemd, nothing is known.
    return is_running or state.get("UnitFileState", "enabled") == "enabled"


def _make_instance(layout: Layout, state: t.Mapping[str, str]) -> Instance:
    is_running = None
    is_masked = None
    if state:
        is_running = state.get("ActiveState") in _RUNNING
        is_masked = state.get("LoadState") == "masked"

    ours = layout.find_link(layout.path) or layout.path
    return Instance(layout.instance, layout.unit, is_running, is_masked, os.path.lexists(str(ours)))


def _find_layouts(layout: Layout) -> list[Layout]:
    """Return the layouts of all instances but the default one, by name."""
    paths = set(glob.glob(layout.instances)) - {str(layout.main)}
    mains = map(pathlib.Path, sorted(paths))
    return list(map(layout.for_instance, mains))


def describe_unmanaged(instances: t.Iterable[Instance], here: Layout) -> t.Iterator[str]:
    """Yield a warning for each running instance without a file of ours, other than that of the layout `here`."""
    for instance in filter(operator.attrgetter("is_unmanaged"), instances):
        if instance.unit == here.unit:
            continue

        advice = f"To manage it as well, run this task with instance: {instance.name}."
        if here.enabled is None:
            advice = "This module cannot manage it."

        yield f"{instance.unit} is another instance of Apache that runs, and it has none of these settings. {advice}"
