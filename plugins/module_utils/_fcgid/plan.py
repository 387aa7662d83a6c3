# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what a host holds to what is wanted of mod_fcgid, and what stands in the way. Pure."""

from __future__ import annotations

import dataclasses
import pathlib

from .._safe import make_diff, neutralise
from .config import (
    MARK,
    Configuration,
    Occurrence,
    Setting,
    refuse_repetition,
    render,
)
from .directives import FcgidError
from .effect import overrides, refuse_contradictions
from .wrapper import programs_of, refuse_useless_wrapper


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What the user asks for."""

    settings: tuple[Setting, ...] = ()
    present: bool = True
    allow_overrides: bool = False

    def __post_init__(self) -> None:
        if self.present and not self.settings:
            raise FcgidError("No directives were given.", hint="Give directives, or state: absent.")
        refuse_repetition(self.settings)
        for setting in self.settings:
            if setting.directive.name == "FcgidWrapper" and not setting.sections:
                refuse_useless_wrapper(setting)

    @property
    def programs(self) -> list[str]:
        """Return what the settings of FcgidWrapper start, of which Apache itself looks at the first alone."""
        return [program for ours in self.settings for program in programs_of(ours)]

    @property
    def names(self) -> list[str]:
        """Return the names of the directives for the whole server, each once."""
        return sorted({setting.directive.name for setting in self.settings if not setting.sections})


@dataclasses.dataclass(frozen=True)
class State:
    """What the host holds.

    `text` is that of our file, None where it is absent. `link` is what has Apache read a file that lies elsewhere, None
    where the file needs none. `reload_owed` tells that an earlier run was cut off before it had Apache read its change.
    """

    path: pathlib.Path
    link: pathlib.Path | None
    text: str | None
    linked: bool
    configuration: Configuration
    running: bool
    reload_owed: bool = False

    @property
    def name(self) -> str:
        """Return the name under which Apache reads our file."""
        return str(self.link or self.path)

    def expected(self, wanted: Wanted) -> tuple[Occurrence, ...]:
        """Return mod_fcgid's settings as Apache will read them once our file is as `wanted`."""
        return self.configuration.with_file(self.name, wanted.settings)


@dataclasses.dataclass(frozen=True)
class Plan:
    """The way from a state to what is wanted: what check mode shows, and all that is ever done."""

    path: pathlib.Path
    link: pathlib.Path | None
    before: str | None
    after: str | None
    linked: bool
    reload: bool

    @property
    def writes(self) -> bool:
        """Tell whether the file or its link changes."""
        return self.before != self.after or self.linked != (self.after is not None)

    @property
    def changed(self) -> bool:
        """Tell whether there is anything to do."""
        return self.writes or self.reload

    @property
    def diff(self) -> dict[str, str]:
        """Return what Apache reads of ours before and after, as Ansible shows it."""
        before = self.before if self.linked else None
        return make_diff(str(self.link or self.path), before or "", self.after or "")


def make_plan(state: State, wanted: Wanted) -> Plan:
    """Return what has to be done. Raises FcgidError where that would be of no use or at another's cost."""
    if state.text is not None and not state.text.startswith(MARK):
        raise FcgidError(f"{state.path} was not written by this module.", hint="Move it away, or choose another path.")
    after = render(wanted.settings) if wanted.present else None
    read = state.text if state.linked else None
    # A fault of our own file hides the rest, and goes with the file: what else there is shows afterwards.
    if read == after or not state.configuration.fault:
        refuse_configuration(state, wanted)
    return Plan(
        path=state.path,
        link=state.link,
        before=state.text,
        after=after,
        linked=state.linked,
        reload=state.running and (state.reload_owed or read != after),
    )


def verify(state: State, wanted: Wanted) -> None:
    """Raise FcgidError where Apache does not read our file as it was written, or where others win over it."""
    refuse_configuration(state, wanted)
    read = [found.setting for found in state.configuration.occurrences if found.file == state.name]
    for ours in wanted.settings:
        places = [setting.sections for setting in read if setting.directive == ours.directive]
        within = [place for place in places if place[len(place) - len(ours.sections) :] == ours.sections]
        if not within:
            raise FcgidError(
                f"Apache does not read {ours.directive.name} from {state.name}.",
                hint="Choose a path that its configuration includes, after the place where it loads mod_fcgid.",
            )
        if ours.sections not in within:
            raise FcgidError(
                f"{state.name} is read inside {neutralise(within[0][0])}, and would not count for the whole server.",
                hint="Choose a path that Apache's configuration includes outside of all sections.",
            )


def refuse_configuration(state: State, wanted: Wanted) -> None:
    """Raise FcgidError where our settings, in the configuration as it is, are not in force or make no sense."""
    configuration = state.configuration
    if configuration.fault:
        raise FcgidError(f"Apache refuses {state.name}: {configuration.fault}.", hint="Change what it is to hold.")
    if wanted.present and "fcgid_module" not in configuration.modules:
        raise FcgidError(
            "Apache does not load mod_fcgid.",
            hint="Install and enable it first: libapache2-mod-fcgid on Debian, mod_fcgid on Enterprise Linux.",
        )
    expected = state.expected(wanted)
    refuse_contradictions(expected, state.name)
    found = [] if wanted.allow_overrides else overrides(expected, state.name)
    if found:
        raise FcgidError(
            "Not every directive would be in force: " + "; ".join(map(str, found)) + ".",
            hint="Change that there, or set allow_overrides where it is meant to differ.",
        )
