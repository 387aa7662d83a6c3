# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Apache on the host: its configuration as Apache parses it, our file in it, and the reload."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
import re
import time
import typing as t

from .._command import Completed, Run
from .._files import (
    FileError,
    check_change,
    lock,
    read_file,
    remove_file,
    sync_folder,
    write_file,
)
from .._systemctl import Systemctl, is_booted
from .config import (
    Configuration,
    Setting,
    parse_dump,
    render_lines,
)
from .directives import FcgidError
from .includes import (
    READ,
    Include,
    Reach,
    find_includes,
    find_reach,
)
from .layout import Layout, parse_options
from .plan import Plan, State

_DUMPS = ("-D", "DUMP_CONFIG", "-D", "DUMP_INCLUDES", "-D", "DUMP_MODULES")
_TRIED_LINE = re.compile(r"line ([0-9]+) of -c/-C directives")
# Output of Apache that is beside the point: that it guessed its own name, and the last words of apache2ctl.
_NOISE = re.compile(r"AH0055[78]: .*|Action '.*' failed\.|The Apache error log may have more information\.")
# How often, and how many seconds apart, Apache's state is checked after a reload.
_CHECKS = 15
_PAUSE = 0.2


class Apache:
    """The Apache of one layout, with our file at `path` in its configuration. The folder `run` is below `root`."""

    def __init__(
        self,
        layout: Layout,
        *,
        run: Run,
        path: str | pathlib.Path | None = None,
        root: pathlib.Path = pathlib.Path("/"),
        sleep: t.Callable[[float], None] = time.sleep,
    ) -> None:
        self._layout = layout
        self._run = run
        self._systemctl = Systemctl(run)
        self._sleep = sleep
        self._root = root
        self._path = pathlib.Path(path or layout.path)
        self._link = layout.find_link(self._path)
        self._name = str(self._link or self._path)
        # Marks a reload that an interrupted run still owes. A boot removes it, but then Apache reads everything anyway.
        self._owed_reload = root / f"run/oomguard-fcgid@{layout.instance}.reload"

    @property
    def unit(self) -> str:
        """Return the name of Apache's unit."""
        return self._layout.unit

    def lock(self) -> t.ContextManager[None]:
        """Return the lock that a change of our file holds."""
        return lock("fcgid", folder=self._root / "run")

    def observe(self, *, trying: t.Sequence[Setting] = ()) -> State:
        """Return the state of the host.

        Apache tests the settings in `trying` as if it read them last. Raises FcgidError if Apache refuses them, if its
        configuration is already broken, or if something else has the name of our file or link.
        """
        configuration = self._read_configuration(trying)
        if self._path.is_symlink():
            raise FcgidError(f"{self._path} is a symbolic link.", hint="Use the path of the file itself.")

        text = read_file(self._path)
        is_running = self.is_running()
        return State(
            path=self._path,
            name=self._name,
            text=text,
            linked=self._is_read(text),
            configuration=configuration,
            running=is_running,
            reload_owed=is_running and self.is_reload_owed(),
            reach=self._find_reach(configuration),
        )

    def check_place(self, plan: Plan) -> None:
        """Raise FileError if the plan could not be carried out, because a file or a link cannot be changed."""
        places = [self._path, *filter(None, [self._link])]
        for place in places:
            check_change(place, plan.after)

    def install(self, text: str | None, *, linked: bool) -> None:
        """Give our file this text and a link, or remove them. Raises FileError.

        Apache never finds a link without its file: the file is written before the link and removed after it.
        """
        if text is not None:
            self._write(text)
        if self._link:
            self._set_link(self._link, linked=linked)
        if text is None:
            remove_file(self._path)

    def is_reload_owed(self) -> bool:
        """Return whether Apache still has to read a change from disk."""
        return self._owed_reload.exists()

    def note_owed_reload(self) -> None:
        """Note that Apache has to read a change, for the next run if this one is interrupted. Raises FileError."""
        write_file(self._owed_reload, "")

    def forget_owed_reload(self) -> None:
        """Note that Apache has read all changes. Raises FileError."""
        remove_file(self._owed_reload)

    def reload(self) -> Completed:
        """Have Apache read its configuration again, gracefully. Raises CommandError."""
        return self._systemctl("reload", self.unit)

    def start(self) -> Completed:
        """Start Apache. Raises CommandError."""
        return self._systemctl("start", self.unit)

    def is_running(self) -> bool:
        """Return whether Apache runs. Raises CommandError."""
        if not is_booted(self._root):
            return False

        done = self._systemctl("is-active", self.unit)
        return done.stdout.strip() in ("active", "reloading")

    def is_staying_up(self) -> bool:
        """Return whether Apache still runs some seconds later: its modules may end it after its own test passed."""
        for _check in range(_CHECKS):
            self._sleep(_PAUSE)
            if not self.is_running():
                return False

        return True

    def _read_configuration(self, tried: t.Sequence[Setting]) -> Configuration:
        lines: list[str] = []
        if tried:
            lines = render_lines(tried)

        done = self._run(self._make_test_command(lines), environment=self._layout.environment)
        if done.returncode != 0:
            return self._explain_failure(done.stderr, lines)

        found = parse_dump(done.stdout)
        if "fcgid_module" not in found.modules:
            return found

        # Apache has read the tried settings last. They are not part of its configuration yet.
        count = len(found.occurrences) - len(tried)
        return dataclasses.replace(found, occurrences=found.occurrences[:count])

    def _find_reach(self, configuration: Configuration) -> Reach:
        """Return whether Apache reads our file, or will read it once it exists."""
        if configuration.fault or self._name in configuration.files:
            return READ

        includes: list[Include] = []
        for path in configuration.files:
            # Apache may include what is no regular file.
            with contextlib.suppress(FileError):
                text = read_file(pathlib.Path(path)) or ""
                includes += find_includes(text, server_root=self._layout.server_root)

        neighbours = map(str, pathlib.Path(self._name).parent.glob("*.conf"))
        return find_reach(self._name, includes, read=configuration.files, neighbours=neighbours)

    def _make_test_command(self, tried: t.Iterable[str]) -> list[str]:
        """Return the command that tests the configuration and prints it, with these lines after all others."""
        # Only mod_info prints the parsed configuration. It is loaded for this one run.
        load = f"LoadModule info_module {self._layout.info_module}"
        argv = [self._layout.control, "-t", *_DUMPS, "-C", load, *self._find_options()]
        for line in tried:
            argv += ["-c", line]

        return argv

    def _find_options(self) -> list[str]:
        """Return the options with which the unit starts Apache: sections such as <IfDefine> depend on them."""
        if not self._layout.takes_options:
            return []
        if not is_booted(self._root):
            return ["-DFOREGROUND"]

        # Apache can be tested even if systemd does not answer, so the exit status does not matter.
        shown = self._systemctl("show", "--property=Environment", "--value", self.unit)
        return [*parse_options(shown.stdout), "-DFOREGROUND"]

    def _explain_failure(self, stderr: str, tried: t.Sequence[str]) -> Configuration:
        """Return a configuration with a fault if our file has failed Apache's test. Raises FcgidError otherwise."""
        complaint = " ".join(_NOISE.sub("", stderr).split())
        if f" of {self._name}:" in complaint:
            return Configuration(fault=complaint)

        match = _TRIED_LINE.search(complaint)
        if match is None:
            raise FcgidError(
                f"Apache's configuration does not pass Apache's own test: {complaint}.",
                hint="Repair it, then run the task again.",
            )

        refused = _find_line(tried, int(match.group(1)))
        raise FcgidError(f"Apache rejects {refused}: {complaint}.", hint="Nothing was changed.")

    def _write(self, text: str) -> None:
        if text == read_file(self._path):
            return

        write_file(self._path, text)

    def _set_link(self, link: pathlib.Path, *, linked: bool) -> None:
        if linked == os.path.lexists(link):
            return

        if linked:
            _create_link(link, self._path)
        else:
            remove_file(link)

    def _is_read(self, text: str | None) -> bool:
        """Return whether Apache reads our file, which has this text."""
        if self._link is None:
            return text is not None
        if not os.path.lexists(self._link):
            return False

        if not self._link.is_symlink() or _resolve(self._link) != self._path.resolve():
            raise FcgidError(
                f"{self._link} is not a link to {self._path}.",
                hint="Move it away, or choose another path.",
            )

        return True


def _find_line(lines: t.Sequence[str], number: int) -> str:
    """Return the line with this number, counted from 1."""
    if not 1 <= number <= len(lines):
        return "the tested settings"

    return lines[number - 1].strip()


def _create_link(link: pathlib.Path, path: pathlib.Path) -> None:
    try:
        link.symlink_to(os.path.relpath(path, link.parent))
        sync_folder(link.parent)
    except OSError as error:
        raise FileError(f"Could not link {link} to {path}: {error.strerror}.") from error


def _resolve(link: pathlib.Path) -> pathlib.Path:
    """Return the file to which `link` leads, whether or not it exists."""
    return (link.parent / os.readlink(link)).resolve()
