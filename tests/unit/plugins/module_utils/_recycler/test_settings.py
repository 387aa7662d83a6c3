# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recycler's settings, from parameters to the file and back."""

from __future__ import annotations

import posixpath
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._errors import OomguardError
from ansible_collections.oomguard.linux.plugins.module_utils._recycler.settings import (
    Bounds,
    make_settings,
    parse,
    render,
)
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._recycler.factories import FULL, VALUES


@pytest.mark.parametrize("values", [VALUES, FULL], ids=["few", "all"])
def test_file_contains_all_settings(values: dict[str, t.Any]) -> None:
    settings = make_settings(values)
    assert parse(render(settings)) == settings


def test_file_is_readable() -> None:
    assert render(make_settings({**VALUES, "scripts": [{"script": "/srv/a.fcgi", "limit": "1G"}]})) == (
        "# Managed by oomguard.linux.fcgid_recycler. Changes made by hand are lost.\n\n"
        "[recycler]\nlimit = 256M\nmin_idle = 10\ninterval = 10\ndrain = yes\ndry_run = no\n"
        "status_url = http://127.0.0.1/server-status\nsocket_directories = /run/mod_fcgid\n\n"
        "[script /srv/a.fcgi]\nlimit = 1G\n"
    )


@pytest.mark.parametrize("folder", ["/run/mod_fcgid/", "//run/mod_fcgid"])
def test_folder_can_have_more_slashes(folder: str) -> None:
    assert make_settings({**VALUES, "socket_directories": [folder]}).socket_directories == ("/run/mod_fcgid",)


@pytest.mark.parametrize(
    "below_root", ["tmp", "tmp/a", "/./tmp/a", "srv/../tmp", "var/tmp/a", "home/a/b", "root/a", "run/user/0/a"]
)
def test_folder_that_the_sandbox_hides_is_rejected(below_root: str) -> None:
    folder = f"/{below_root}"
    with pytest.raises(OomguardError) as caught:
        make_settings({**VALUES, "socket_directories": ["/run/mod_fcgid", folder]})
    assert str(caught.value) == (
        f"The recycler cannot see sockets in {posixpath.normpath(folder).replace('//', '/')}."
        " Set FcgidIPCDir to a directory that is not below /tmp, /var/tmp, /home, /root or /run/user."
    )


@pytest.mark.parametrize("below_root", ["tmpfs", "var/lib/tmp", "run/users", "srv/home"])
def test_folder_with_a_similar_name_is_accepted(below_root: str) -> None:
    folder = f"/{below_root}"
    assert make_settings({**VALUES, "socket_directories": [folder]}).socket_directories == (folder,)


def test_sizes_are_bytes() -> None:
    assert make_settings(FULL).bounds == Bounds(256 << 20, 3 << 29)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"limit": None}, "No limit is set. Set a limit for all workers, or for a script."),
        (
            {"hard_limit": "1G"},
            (
                "A hard limit is set without a grace time."
                " Set grace to the number of seconds for which a worker over the hard limit may continue its request."
            ),
        ),
        (
            {"hard_limit": "1M", "grace": 1},
            "The hard limit, 1048576 bytes, is below the limit, 268435456 bytes.",
        ),
        ({"interval": 0}, "interval is 0. Use a number of seconds from 1 to 86400."),
        ({"min_idle": -1}, "min_idle is -1. Use a number of seconds from 0 to 86400."),
        ({"hard_limit": "512M", "grace": -1}, "grace is -1. Use a number of seconds from 0 to 86400."),
        ({"interval": 86401}, "interval is 86401. Use a number of seconds from 1 to 86400."),
        ({"min_idle": 2**63}, f"min_idle is {2**63}. Use a number of seconds from 0 to 86400."),
        ({"limit": "2E"}, "limit is larger than the memory of any host. Set 1024.0 PiB or less."),
        (
            {"socket_directories": ["//"]},
            (
                "The recycler would have the right to write everywhere."
                " Set socket_directories to the directories in FcgidIPCDir."
            ),
        ),
        (
            {"metrics_file": f"/{'a' * 256}.prom"},
            f"{'/' + 'a' * 63!r}... is longer than a path can be. Use a shorter path.",
        ),
        (
            {"scripts": [{"script": "/" + "a" * 4096, "limit": "1G"}]},
            (
                f"{'/' + 'a' * 63!r} is not a script."
                " Use a full path, in which * stands for any text and ? for any character."
            ),
        ),
        (
            {"scripts": [{"script": "a.fcgi", "limit": "1G"}]},
            "'a.fcgi' is not a script. Use a full path, in which * stands for any text and ? for any character.",
        ),
        (
            {"scripts": [{"script": "/srv/a.fcgi", "limit": "1G"}, {"script": "/srv/a.fcgi", "limit": "2G"}]},
            "/srv/a.fcgi is listed twice. Only the first entry that matches applies. Remove one of them.",
        ),
        (
            {"scripts": [{"script": "*", "user": "web7", "limit": "1G"}, {"script": "*", "user": "web7"}]},
            "web7:* is listed twice. Only the first entry that matches applies. Remove one of them.",
        ),
        (
            {"scripts": [{"script": "*", "user": "web7]\n[", "limit": "1G"}]},
            "'web7]\\n[' is not the name of a user. Use a name such as www-data.",
        ),
        (
            {"socket_directories": ["/run/%i"]},
            "'/run/%i' cannot be used in a unit file. Use a full path without spaces or special characters.",
        ),
        (
            {"limit": "256"},
            "limit is 256 bytes, but no process runs in so little memory. Did you mean 256M?",
        ),
        (
            {"scripts": [{"script": "/srv/a.fcgi", "hard_limit": "1"}], "grace": 1},
            "hard_limit of /srv/a.fcgi is 1 bytes, but no process runs in so little memory. Did you mean 1M?",
        ),
        (
            {"limit": "much"},
            (
                "'much' is not a size. Use a number of bytes,"
                " or a number with a unit such as 512M, 10G, 10GiB (binary) or 10GB (decimal)."
            ),
        ),
    ],
)
def test_invalid_settings_are_rejected(changes: dict[str, t.Any], message: str) -> None:
    with pytest.raises(OomguardError) as caught:
        make_settings({**VALUES, **changes})
    assert str(caught.value) == message


@pytest.mark.parametrize("text", ["", "nonsense", "[recycler]\nmin_idle = soon\n", "[recycler]\nlimit = 1G\n"])
def test_broken_file_is_rejected(text: str) -> None:
    with pytest.raises(OomguardError, match="The configuration cannot be read"):
        parse(text)
