# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the distributions keep Apache and its configuration."""

from __future__ import annotations

import dataclasses
import pathlib
import re
import typing as t

from .directives import FcgidError, split_words

# Quoting that systemd resolves itself, and the option that would make a test signal the running Apache.
_UNUSABLE = re.compile(r"""['"\\]|(?:^|\s)-k""")
# Older versions of systemctl print this in place of a variable that contains a space.
_HIDDEN = "[unprintable]"
_OPTIONS = "OPTIONS="
DEFAULT = "default"


@dataclasses.dataclass(frozen=True)
class Layout:
    """The paths and names that one family of distributions uses.

    `main` is the file that identifies the family. `control` is the program that tests the configuration as the service
    uses it. Apache reads the files in `folder` directly, or through their links in `enabled`. `name` sorts after the
    names that people commonly use. `takes_options` means that the unit starts `control` itself, with $OPTIONS and
    -DFOREGROUND. `server_root` is the folder to which relative paths in the configuration refer.

    `instances` matches the main files of other instances of Apache, and `instance_unit` gives their units.
    `environment` has the variables with which `control` finds the files of an instance.
    """

    main: pathlib.Path
    control: str
    info_module: str
    unit: str
    folder: pathlib.Path
    enabled: pathlib.Path | None = None
    name: str = "zz-oomguard-fcgid.conf"
    takes_options: bool = False
    server_root: str = ""
    instances: str = ""
    instance_unit: str = ""
    instance: str = DEFAULT
    environment: t.Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def path(self) -> pathlib.Path:
        """Return the default path of our file."""
        return self.folder / self.name

    def find_link(self, path: pathlib.Path) -> pathlib.Path | None:
        """Return the link through which Apache reads `path`, None if it needs none."""
        if self.enabled is None or path.parent != self.folder:
            return None

        return self.enabled / path.name

    def for_instance(self, main: pathlib.Path) -> Layout:
        """Return the layout of the instance with this main file, which `instances` matches.

        Only the instances that Debian's setup-instance creates have all their files in a folder of their own.
        """
        start, _star, end = self.instances.partition("*")
        name = str(main)[len(start) : -len(end)]
        unit = self.instance_unit.format(name)
        other = dataclasses.replace(self, main=main, unit=unit, instance=name)
        if self.enabled is None:
            return other

        home = main.parent
        return dataclasses.replace(
            other,
            folder=home / self.folder.name,
            enabled=home / self.enabled.name,
            server_root=str(home),
            environment={"APACHE_CONFDIR": str(home)},
        )


LAYOUTS = (
    # Debian and Ubuntu, /usr/share/doc/apache2/README.Debian.gz.
    Layout(
        main=pathlib.Path("/etc/apache2/apache2.conf"),
        control="apache2ctl",
        info_module="/usr/lib/apache2/modules/mod_info.so",
        unit="apache2.service",
        folder=pathlib.Path("/etc/apache2/conf-available"),
        enabled=pathlib.Path("/etc/apache2/conf-enabled"),
        server_root="/etc/apache2",
        # /usr/share/doc/apache2/examples/setup-instance and apache2@.service.
        instances="/etc/apache2-*/apache2.conf",
        instance_unit="apache2@{}.service",
    ),
    # Enterprise Linux and Fedora, httpd.conf(5). Their apachectl does not pass on arguments.
    Layout(
        main=pathlib.Path("/etc/httpd/conf/httpd.conf"),
        control="httpd",
        info_module="modules/mod_info.so",
        unit="httpd.service",
        folder=pathlib.Path("/etc/httpd/conf.d"),
        takes_options=True,
        server_root="/etc/httpd",
        # httpd@.service(8).
        instances="/etc/httpd/conf/*.conf",
        instance_unit="httpd@{}.service",
    ),
)


def find_layout(layouts: t.Sequence[Layout] = LAYOUTS, *, required: bool) -> Layout | None:
    """Return the layout of this host, None if it has no Apache. Raises FcgidError if Apache is `required`."""
    for layout in layouts:
        if layout.main.is_file():
            return layout
    if not required:
        return None

    known = " nor ".join(str(layout.main) for layout in layouts)
    raise FcgidError(
        f"There is no Apache on this host: neither {known} exists.", hint="Install Apache and mod_fcgid first."
    )


def parse_options(environment: str) -> list[str]:
    """Return the words of $OPTIONS in a unit's Environment, as `systemctl show` prints it. Raises FcgidError."""
    options = list(_find_options(environment))
    if not options and _HIDDEN in environment:
        raise _unusable(_HIDDEN)

    words = " ".join(options)
    if _UNUSABLE.search(words):
        raise _unusable(words)

    return words.split()


def _find_options(environment: str) -> t.Iterator[str]:
    for word in split_words(environment):
        if word.startswith(_OPTIONS):
            yield word[len(_OPTIONS) :]


def _unusable(options: str) -> FcgidError:
    return FcgidError(
        f"The OPTIONS in the environment of Apache's unit cannot be used: {options}.",
        hint="Set OPTIONS without quotes, backslashes and -k. An old systemctl hides values that contain a space.",
    )
