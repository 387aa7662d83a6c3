# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Apache on the host: its configuration as it parses it, our file in it, and the graceful reload."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import re
import time
import typing as t

from .._command import Run
from .._errors import OomguardError
from .._files import (
    FileError,
    read_file,
    remove_file,
    sync_folder,
    write_file,
)
from .._safe import neutralise
from .config import (
    Configuration,
    Setting,
    lines_of,
    parse_dump,
)
from .directives import FcgidError, words
from .layout import LAYOUTS, Layout, options_from
from .plan import Plan, State, Wanted, verify
from .wrapper import passes_on

_OURS = re.compile(r"line ([0-9]+) of -c/-C directives")
_LONGEST_SCRIPT = 64 * 1024
# How often, and how many seconds apart, Apache is looked at after a reload.
_LOOKS, _PAUSE = 15, 0.2
# What Apache says beside the point: that it guessed its own name, and apache2ctl's last words.
_NOISE = re.compile(r"AH0055[78]: .*|Action '.*' failed\.|The Apache error log may have more information\.")


def find_layout(layouts: t.Sequence[Layout] = LAYOUTS, *, must: bool) -> Layout | None:
    """Return the layout of this host, None where there is no Apache. Raises FcgidError where there `must` be one."""
    for layout in layouts:
        if layout.main.is_file():
            return layout
    if not must:
        return None
    known = " nor ".join(str(layout.main) for layout in layouts)
    raise FcgidError(
        f"There is no Apache on this host: neither {known} exists.", hint="Install it with mod_fcgid first."
    )


class Apache:
    """The Apache of one layout, and our file at `path` in its configuration."""

    def __init__(
        self,
        layout: Layout,
        *,
        run: Run,
        path: pathlib.Path | None = None,
        runtime: pathlib.Path = pathlib.Path("/run"),
        sleep: t.Callable[[float], None] = time.sleep,
    ) -> None:
        self._layout = layout
        self._run = run
        self._sleep = sleep
        self._path = path or layout.path
        self._link = layout.link_for(self._path)
        self._booted = runtime / "systemd/system"
        # What a run that was cut off still owes. A boot clears it, and Apache reads everything then anyway.
        self._owed = runtime / "oomguard-fcgid.reload"

    def observe(self, wanted: Wanted) -> State:
        """Return what the host holds, having Apache try the wanted settings after everything else it reads.

        Raises FcgidError where Apache refuses them, where its configuration is broken already, and where another's file
        or link has our name.
        """
        for path in wanted.programs:
            _refuse_program(path)
        for setting in wanted.settings:
            _refuse_place(setting)
        return self._state(self._configuration(wanted.settings))

    def apply(self, plan: Plan, wanted: Wanted) -> State:
        """Carry out `plan`, and return what the host holds then.

        Apache is told only after its configuration was tested and found to be as wanted; if it is not, the file is put
        back as it was. Whenever this is cut off, what is on the disk can be loaded, and the next run carries on. Where
        Apache ends all the same, the file is put back as well, and Apache is started again.
        """
        was_owed = self._owed.exists()
        if plan.reload:
            write_file(self._owed, "")
        try:
            self._install(plan.after, linked=plan.after is not None)
            state = self._state(self._configuration(()))
            verify(state, wanted)
        except OomguardError as error:
            self._install(plan.before, linked=plan.linked)
            if not was_owed:
                remove_file(self._owed)
            hint = f"{self._path} was put back as it was and Apache was not reloaded. {error.hint}".rstrip()
            raise FcgidError(error.problem, hint=hint) from error
        if plan.reload:
            self._reload(plan)
        return state

    def _state(self, configuration: Configuration) -> State:
        if self._path.is_symlink():
            raise FcgidError(f"{self._path} is a link.", hint="Give the path of the file itself.")
        text = read_file(self._path)
        running = self._is_running()
        return State(
            path=self._path,
            link=self._link,
            text=text,
            linked=self._is_linked() if self._link else text is not None,
            configuration=configuration,
            running=running,
            reload_owed=running and self._owed.exists(),
        )

    def _configuration(self, tried: t.Sequence[Setting]) -> Configuration:
        # mod_info is what prints the parsed configuration; it is loaded into this one run, and `tried` is read last.
        load = f"LoadModule info_module {self._layout.info_module}"
        dumps = [word for dump in ("CONFIG", "INCLUDES", "MODULES") for word in ("-D", f"DUMP_{dump}")]
        argv = [self._layout.control, "-t", *dumps, "-C", load, *self._options()]
        lines = lines_of(tried) if tried else []
        for line in lines:
            argv += ["-c", line]
        done = self._run(argv)
        if done.returncode != 0:
            said = neutralise(" ".join(_NOISE.sub("", done.stderr).split()))
            if f" of {self._link or self._path}:" in said:
                return Configuration(fault=said)
            raise _broken(said, lines)
        found = parse_dump(done.stdout)
        # What was tried was read last; without mod_fcgid nothing was.
        own = len(tried) if "fcgid_module" in found.modules else 0
        return dataclasses.replace(found, occurrences=found.occurrences[: len(found.occurrences) - own])

    def _options(self) -> list[str]:
        """Return what the unit gives to Apache besides: sections such as <IfDefine> depend on it."""
        if not self._layout.takes_options:
            return []
        show = ["systemctl", "show", "--property=Environment", "--value", self._layout.unit]
        return [*options_from(self._run(show).stdout if self._booted.is_dir() else ""), "-DFOREGROUND"]

    def _is_linked(self) -> bool:
        if self._link is None or not os.path.lexists(self._link):
            return False
        if self._link.is_symlink() and (self._link.parent / os.readlink(self._link)).resolve() == self._path.resolve():
            return True
        raise FcgidError(f"{self._link} is not a link to {self._path}.", hint="Move it away, or choose another path.")

    def _is_running(self) -> bool:
        if not self._booted.is_dir():
            return False
        done = self._run(["systemctl", "is-active", self._layout.unit])
        return done.stdout.strip() in ("active", "reloading")

    def _install(self, text: str | None, *, linked: bool) -> None:
        # The file comes first and goes last, so that Apache never meets a link without its file.
        if text is not None and text != read_file(self._path):
            write_file(self._path, text)
        if self._link and linked != os.path.lexists(self._link):
            if linked:
                _link(self._link, self._path)
            else:
                remove_file(self._link)
        if text is None:
            remove_file(self._path)

    def _reload(self, plan: Plan) -> None:
        done = self._run(["systemctl", "reload", self._layout.unit])
        if not self._stays_running():
            self._start_as_before(plan)
        if done.returncode != 0:
            raise done.failed(
                f"have {self._layout.unit} read its configuration again",
                hint="The new configuration passed Apache's test and stays on the disk; the next run tries again.",
            )
        remove_file(self._owed)

    def _stays_running(self) -> bool:
        """Tell whether Apache still runs some seconds later: what its modules do after its test may end it."""
        for _look in range(_LOOKS):
            self._sleep(_PAUSE)
            if not self._is_running():
                return False
        return True

    def _start_as_before(self, plan: Plan) -> t.NoReturn:
        unit = self._layout.unit
        ended = f"{unit} ended when it read its configuration again, though that had passed Apache's test."
        put_back = f"{self._path} was put back as it was"
        self._install(plan.before, linked=plan.linked)
        remove_file(self._owed)
        done = self._run(["systemctl", "start", unit])
        if done.returncode != 0:
            raise done.failed(f"start {unit} again", hint=f"{ended} {put_back}.")
        raise FcgidError(ended, hint=f"{put_back} and {unit} was started again. Apache's error log has the reason.")


def _broken(said: str, tried: t.Sequence[str]) -> FcgidError:
    """Return the error for what a failed test `said`: about the lines that it was to try, or about the rest."""
    ours = _OURS.search(said)
    if ours is None:
        return FcgidError(
            f"Apache's configuration does not pass its own test: {said}.",
            hint="Repair it, then run this again.",
        )
    what = "".join(tried[int(ours.group(1)) - 1 :][:1]).strip() or "what it was given to try"
    return FcgidError(f"Apache refuses {neutralise(what)}: {said}.", hint="Nothing was changed.")


def _refuse_program(path: str) -> None:
    """Raise FcgidError where mod_fcgid could not start `path` for a wrapper; Apache's own test does not look."""
    if not os.path.lexists(path):
        raise FcgidError(f"FcgidWrapper names {path}, which does not exist.", hint="Install it first.")
    if not os.access(path, os.X_OK) or os.path.isdir(path):
        raise FcgidError(f"FcgidWrapper names {path}, which cannot be executed.", hint="Give it the mode of a program.")
    with open(path, "rb") as file:
        text = file.read(_LONGEST_SCRIPT).decode("utf-8", "surrogateescape")
    if passes_on(text):
        raise FcgidError(
            f"FcgidWrapper names {path}, which starts what it is given, and mod_fcgid gives it nothing.",
            hint="Name the limits and the program themselves: workers writes the form that works.",
        )


def _refuse_place(setting: Setting) -> None:
    """Raise FcgidError where mod_fcgid could not make its table or sockets, and would end Apache on the reload.

    Apache's own test does not look. What is relative lies below a folder of Apache's, which knows it alone.
    """
    name, path = setting.directive.name, pathlib.PurePosixPath(words(setting.text)[0])
    if name == "FcgidProcessTableFile":
        folder = path.parent
    elif name == "FcgidIPCDir":
        folder = next(filter(os.path.lexists, (path, *path.parents)))
    else:
        return
    if path.is_absolute() and "${" not in str(path) and not os.path.isdir(folder):
        raise FcgidError(
            f"{name} is {neutralise(str(path))}, and {neutralise(str(folder))} is not a folder.",
            hint="mod_fcgid would end Apache. Make the folder first, or name another.",
        )


def _link(link: pathlib.Path, path: pathlib.Path) -> None:
    try:
        link.symlink_to(os.path.relpath(path, link.parent))
        sync_folder(link.parent)
    except OSError as error:
        raise FileError(f"Could not link {link} to {path}: {error.strerror}.") from error
