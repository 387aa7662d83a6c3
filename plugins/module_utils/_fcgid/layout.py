# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the distributions keep Apache and its configuration. Pure."""

from __future__ import annotations

import dataclasses
import pathlib
import re

from .._safe import neutralise
from .directives import FcgidError, words

# What systemd takes apart itself, and what would have a test signal the running Apache.
_INTRACTABLE = re.compile(r"""['"\\]|(?:^|\s)-k""")
# What older versions of systemctl write for a variable with a blank.
_HIDDEN = "[unprintable]"


@dataclasses.dataclass(frozen=True)
class Layout:
    """One distribution's way.

    `main` is the file by which it is known, `control` the program that tests the configuration as the service has it.
    A file in `folder` is read there, or through its link in `enabled`; `name` sorts after what people commonly use.
    `takes_options` tells that the unit starts `control` itself, with $OPTIONS and -DFOREGROUND.
    """

    main: pathlib.Path
    control: str
    info_module: str
    unit: str
    folder: pathlib.Path
    enabled: pathlib.Path | None = None
    name: str = "zz-oomguard-fcgid.conf"
    takes_options: bool = False

    @property
    def path(self) -> pathlib.Path:
        """Return where our file goes unless the user says otherwise."""
        return self.folder / self.name

    def link_for(self, path: pathlib.Path) -> pathlib.Path | None:
        """Return the link through which Apache reads `path`, None where it needs none."""
        return self.enabled / path.name if self.enabled and path.parent == self.folder else None


LAYOUTS = (
    # Debian and Ubuntu, /usr/share/doc/apache2/README.Debian.gz.
    Layout(
        main=pathlib.Path("/etc/apache2/apache2.conf"),
        control="apache2ctl",
        info_module="/usr/lib/apache2/modules/mod_info.so",
        unit="apache2.service",
        folder=pathlib.Path("/etc/apache2/conf-available"),
        enabled=pathlib.Path("/etc/apache2/conf-enabled"),
    ),
    # Enterprise Linux and Fedora, httpd.conf(5). Their apachectl passes no arguments on.
    Layout(
        main=pathlib.Path("/etc/httpd/conf/httpd.conf"),
        control="httpd",
        info_module="modules/mod_info.so",
        unit="httpd.service",
        folder=pathlib.Path("/etc/httpd/conf.d"),
        takes_options=True,
    ),
)


def options_from(environment: str) -> list[str]:
    """Return the words of $OPTIONS in a unit's Environment, as `systemctl show` has it. Raises FcgidError."""
    options = [word[len("OPTIONS=") :] for word in words(environment) if word.startswith("OPTIONS=")]
    if any(map(_INTRACTABLE.search, options)) or (not options and _HIDDEN in environment):
        raise FcgidError(
            f"The OPTIONS that Apache's unit gives it cannot be followed: {neutralise(' '.join(options) or _HIDDEN)}.",
            hint="Set OPTIONS there without quotes, backslashes and -k; an old systemctl shows none with a blank.",
        )
    return " ".join(options).split()
