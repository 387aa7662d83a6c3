# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wanted of mod_fcgid, the state of the host, and the plan from one to the other. Pure."""

from __future__ import annotations

import dataclasses
import itertools
import operator
import pathlib
import typing as t

from .._mark import has_mark
from .._safe import make_diff
from .config import (
    MODULE,
    Configuration,
    Occurrence,
    Setting,
    refuse_repetition,
    render,
)
from .directives import WRAPPER, FcgidError
from .effect import Override, find_overrides, refuse_contradictions
from .includes import READ, Reach
from .wrapper import list_programs, refuse_useless_wrapper

# How many settings an error names.
_MOST_PLACES = 3


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What the user asks for. Raises FcgidError if that cannot work on any host."""

    settings: tuple[Setting, ...] = ()
    present: bool = True
    allow_overrides: bool = False

    def __post_init__(self) -> None:
        if self.present and not self.settings:
            raise FcgidError("No directives are set.", hint="Set directives, workers, or state: absent.")

        refuse_repetition(self.settings)
        for setting in self._server_settings:
            if setting.directive.name == WRAPPER:
                refuse_useless_wrapper(setting)

    @property
    def text(self) -> str | None:
        """Return the text that our file must have, None if it must not exist."""
        if not self.present:
            return None

        return render(self.settings)

    @property
    def programs(self) -> list[str]:
        """Return the programs that the wrappers start. Apache itself checks only the first program of each."""
        programs: list[str] = []
        for setting in self.settings:
            programs += list_programs(setting)

        return programs

    @property
    def names(self) -> list[str]:
        """Return the names of the directives for the whole server, each once."""
        names = {setting.directive.name for setting in self._server_settings}
        return sorted(names)

    @property
    def _server_settings(self) -> list[Setting]:
        return [setting for setting in self.settings if not setting.sections]


@dataclasses.dataclass(frozen=True)
class State:
    """The state of the host.

    `path` is our file, and `text` its text, None if it does not exist. `name` is the name under which Apache reads it,
    and `linked` whether it does. `reach` is whether Apache reads that name, or will. `reload_owed` means that an
    earlier run was interrupted before it reloaded Apache.
    """

    path: pathlib.Path
    name: str
    text: str | None
    linked: bool
    configuration: Configuration
    running: bool
    reload_owed: bool = False
    reach: Reach = READ

    @property
    def read_text(self) -> str | None:
        """Return the text that Apache reads from our file, None if it does not read the file."""
        if not self.linked:
            return None

        return self.text

    def expect(self, wanted: Wanted) -> tuple[Occurrence, ...]:
        """Return mod_fcgid's settings as Apache will read them when our file is as `wanted`."""
        return self.configuration.with_file(self.name, wanted.settings)


@dataclasses.dataclass(frozen=True)
class Plan:
    """The way from the state of the host to what is wanted. Check mode shows it, and nothing else is ever done.

    `before` and `after` are the text of our file, None if there is none. `diff` is what Apache reads of it, as Ansible
    shows it.
    """

    path: pathlib.Path
    before: str | None
    was_linked: bool
    after: str | None
    linked: bool
    reload: bool
    diff: dict[str, str]

    @property
    def changed(self) -> bool:
        """Return whether there is anything to do."""
        is_different = (self.before, self.was_linked) != (self.after, self.linked)
        return self.reload or is_different


def make_plan(state: State, wanted: Wanted) -> Plan:
    """Return what to do. Raise FcgidError if that would have no effect, or would overwrite another's file."""
    if state.text is not None and not has_mark(state.text, MODULE):
        raise FcgidError(f"{state.path} was not written by this module.", hint="Move it away, or choose another path.")

    if wanted.settings:
        _refuse_unread(state, wanted.settings[0])

    after = wanted.text
    is_read = state.read_text == after

    # A fault of our own file hides the other settings, and the change removes it. They are checked afterwards.
    if is_read or not state.configuration.fault:
        refuse_configuration(state, wanted)

    return Plan(
        path=state.path,
        before=state.text,
        was_linked=state.linked,
        after=after,
        linked=wanted.present,
        reload=state.running and (state.reload_owed or not is_read),
        diff=make_diff(state.name, state.read_text, after),
    )


def verify(state: State, wanted: Wanted) -> None:
    """Raise FcgidError if Apache does not read our file as it was written, or if other settings win over it."""
    refuse_configuration(state, wanted)
    read = list(state.configuration.select_file(state.name))
    for setting in wanted.settings:
        _refuse_wrong_place(setting, read, state.name)


def _refuse_wrong_place(wanted: Setting, read: t.Iterable[Setting], name: str) -> None:
    places = list(_find_places(wanted, read))
    if not places:
        raise _unread(wanted.directive.name, name)
    if wanted.sections not in places:
        raise _limited(name, places[0][0])


def _refuse_unread(state: State, setting: Setting) -> None:
    """Raise FcgidError if Apache would not read our file with this setting, or not for the whole server."""
    if not state.reach.is_read:
        raise _unread(setting.directive.name, state.name)
    if state.reach.section:
        raise _limited(state.name, state.reach.section)


def _unread(directive: str, name: str) -> FcgidError:
    return FcgidError(
        f"Apache does not read {directive} from {name}.",
        hint="Choose a path that Apache's configuration includes after the place where it loads mod_fcgid.",
    )


def _limited(name: str, section: str) -> FcgidError:
    return FcgidError(
        f"Apache reads {name} inside {section}, so it would not apply to the whole server.",
        hint="Choose a path that Apache's configuration includes outside of any section.",
    )


def _find_places(wanted: Setting, read: t.Iterable[Setting]) -> t.Iterator[tuple[str, ...]]:
    """Yield the sections around each setting of the same directive, if the innermost ones are those wanted."""
    for setting in read:
        outer = len(setting.sections) - len(wanted.sections)
        inner_sections = setting.sections[outer:]
        if setting.directive == wanted.directive and inner_sections == wanted.sections:
            yield setting.sections


def refuse_configuration(state: State, wanted: Wanted) -> None:
    """Raise FcgidError if our settings, in the configuration as it is, would not be in force or make no sense."""
    configuration = state.configuration
    if configuration.fault:
        raise FcgidError(
            f"Apache rejects {state.name}: {configuration.fault}.", hint="Change the settings in the task."
        )

    if wanted.present and "fcgid_module" not in configuration.modules:
        raise FcgidError(
            "Apache does not load mod_fcgid.",
            hint="Install and enable it first: libapache2-mod-fcgid on Debian, mod_fcgid on Enterprise Linux.",
        )

    expected = state.expect(wanted)
    refuse_contradictions(expected, state.name)
    if wanted.allow_overrides:
        return

    overrides = find_overrides(expected, state.name)
    harmful = list(itertools.filterfalse(operator.attrgetter("harmless"), overrides))
    if harmful:
        raise OverriddenError(overrides, harmful)


class OverriddenError(FcgidError):
    """Some directives would not be in force. `overrides` are all settings that win, including the harmless ones."""

    def __init__(self, overrides: t.Sequence[Override], harmful: t.Sequence[Override]) -> None:
        self.overrides = overrides
        places = "; ".join(map(str, harmful[:_MOST_PLACES]))
        more = len(harmful) - _MOST_PLACES
        if more > 0:
            places = f"{places}; and {more} more, which overridden_by lists"

        super().__init__(
            f"Some directives would not be in force: {places}.",
            hint="Change these settings there, or set allow_overrides if they are meant to differ.",
        )
