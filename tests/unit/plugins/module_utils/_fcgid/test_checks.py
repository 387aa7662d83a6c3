# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that pass Apache's own test but do not work."""

from __future__ import annotations

import os
import pathlib

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.checks import check_host
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.config import parse_settings
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.directives import FcgidError
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.plan import Wanted
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.wrapper import make_wrapper
from ansible_collections.oomguard.linux.plugins.module_utils._files import FileError


def test_missing_program_is_rejected(tmp_path: pathlib.Path) -> None:
    wrapper = f'"/usr/bin/env -S {tmp_path}/php-cgi" .php'
    with pytest.raises(FcgidError) as error:
        check_host(Wanted(settings=parse_settings({"FcgidWrapper": wrapper})))
    assert str(error.value) == f"FcgidWrapper names {tmp_path}/php-cgi, which does not exist. Install it first."


@pytest.mark.parametrize(
    ("text", "mode", "problem"),
    [
        ("", 0o644, "which is not an executable file. Make it executable."),
        (
            '#!/bin/sh\nexec prlimit --as=9 "$@"\n',
            0o755,
            (
                "which starts its arguments, but mod_fcgid passes it none."
                " Name the limits and the program in the wrapper itself."
                " The option workers writes a form that works."
            ),
        ),
    ],
    ids=["not executable", "starts its arguments"],
)
def test_program_that_would_not_start_is_rejected(tmp_path: pathlib.Path, text: str, mode: int, problem: str) -> None:
    program = tmp_path / "wrap"
    program.write_text(text)
    program.chmod(mode)
    with pytest.raises(FcgidError) as error:
        check_host(Wanted(settings=parse_settings({"FcgidWrapper": f"{program} .php"})))
    assert str(error.value) == f"FcgidWrapper names {program}, {problem}"


def test_fifo_in_place_of_a_script_is_rejected_at_once(tmp_path: pathlib.Path) -> None:
    program = tmp_path / "site.fcgi"
    os.mkfifo(program, 0o755)
    with pytest.raises(FileError) as error:
        check_host(Wanted(settings=(make_wrapper({"script": str(program), "oom_score_adjust": 9}),)))
    assert str(error.value) == (
        f"Could not read {program}: it is not a regular file. Move it away, or choose another path."
    )


@pytest.mark.parametrize(
    ("directive", "path", "folder"),
    [
        ("FcgidProcessTableFile", "{tmp}/nosuch/table", "{tmp}/nosuch"),
        ("FcgidProcessTableFile", '"{tmp}/no such/table"', "{tmp}/no such"),
        ("FcgidProcessTableFile", "{tmp}/apache2.conf/table", "{tmp}/apache2.conf"),
        ("FcgidIPCDir", "{tmp}/apache2.conf", "{tmp}/apache2.conf"),
        ("FcgidIPCDir", "{tmp}/apache2.conf/a/b", "{tmp}/apache2.conf"),
    ],
)
def test_place_in_a_missing_folder_is_rejected(tmp_path: pathlib.Path, directive: str, path: str, folder: str) -> None:
    (tmp_path / "apache2.conf").touch()
    place, missing = (text.format(tmp=tmp_path) for text in (path, folder))
    with pytest.raises(FcgidError) as error:
        check_host(Wanted(settings=parse_settings({directive: place})))
    unquoted = place.strip('"')
    message = f"{directive} is {unquoted}, but {missing} is not a directory."
    assert str(error.value) == f"{message} mod_fcgid would end Apache. Create the directory first, or name another one."


@pytest.mark.parametrize(
    ("directive", "path"),
    [
        ("FcgidProcessTableFile", "{tmp}/run/table"),
        ("FcgidProcessTableFile", "nosuch/table"),
        ("FcgidProcessTableFile", "/nosuch/${{APACHE_RUN_DIR}}/table"),
        ("FcgidProcessTableFile", "${{APACHE_RUN_DIR}}/table"),
        ("FcgidIPCDir", "{tmp}/run"),
        ("FcgidIPCDir", "{tmp}/run/a/b"),
        ("FcgidIPCDir", "nosuch"),
    ],
)
def test_place_in_an_existing_folder_or_relative_to_apache_is_accepted(
    tmp_path: pathlib.Path, directive: str, path: str
) -> None:
    (tmp_path / "run").mkdir()
    check_host(Wanted(settings=parse_settings({directive: path.format(tmp=tmp_path)})))
