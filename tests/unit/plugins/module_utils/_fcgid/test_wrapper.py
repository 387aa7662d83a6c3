# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wrappers that limit single workers: how they are written, and which are rejected."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._errors import OomguardError
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.config import (
    Setting,
    parse_dump,
    parse_settings,
    render_lines,
)
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.effect import Override, find_overrides
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.plan import Wanted
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.wrapper import (
    is_pass_through,
    list_programs,
    make_wrapper,
)

SCRIPT = {"script": "/srv/fcgi/hog.fcgi", "address_space": "128M", "oom_score_adjust": 500}
WRAPPER = 'FcgidWrapper "/usr/bin/choom -n 500 -- /usr/bin/prlimit --as=134217728 /srv/fcgi/hog.fcgi" .fcgi'
FILE = "/etc/httpd/conf.d/zz-oomguard-fcgid.conf"
PATH_HINT = " Use a full path without spaces or special characters."


def overriding(text: str, setting: Setting) -> list[Override]:
    return find_overrides(parse_dump(text).with_file(FILE, [setting]), FILE)


def test_wrapper_of_a_script_applies_only_to_it() -> None:
    assert render_lines([make_wrapper(SCRIPT)]) == [
        "<IfModule mod_fcgid.c>",
        '  <Directory "/srv/fcgi">',
        '    <Files "hog.fcgi">',
        f"      {WRAPPER}",
        "    </Files>",
        "  </Directory>",
        "</IfModule>",
    ]


@pytest.mark.parametrize(
    ("worker", "text"),
    [
        (
            {"command": "/usr/bin/php-cgi", "suffix": ".php", "oom_score_adjust": 300},
            '"/usr/bin/choom -n 300 -- /usr/bin/php-cgi" .php',
        ),
        (
            {"command": "/usr/bin/php-cgi", "suffix": ".php", "address_space": "1G"},
            '"/usr/bin/prlimit --as=1073741824 /usr/bin/php-cgi" .php',
        ),
        (
            {"script": "/srv/fcgi/report", "oom_score_adjust": 0},
            '"/usr/bin/choom -n 0 -- /srv/fcgi/report"',
        ),
    ],
    ids=["preferred", "limited", "no suffix"],
)
def test_limits_precede_the_program(worker: dict[str, t.Any], text: str) -> None:
    assert make_wrapper(worker).text == text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"script": "/srv/my app.fcgi"},
            "FcgidWrapper cannot use '/srv/my app.fcgi'." + PATH_HINT,
        ),
        (
            {"script": "hog.fcgi"},
            "FcgidWrapper cannot use 'hog.fcgi'." + PATH_HINT,
        ),
        (
            {"script": "/srv/*.fcgi"},
            "FcgidWrapper cannot use '/srv/*.fcgi'." + PATH_HINT,
        ),
        (
            {"script": '/srv/a".fcgi'},
            "FcgidWrapper cannot use '/srv/a\".fcgi'." + PATH_HINT,
        ),
        (
            {"script": "/srv/${X}.fcgi"},
            "FcgidWrapper cannot use '/srv/${X}.fcgi'." + PATH_HINT,
        ),
        (
            {"script": None, "command": "/usr/bin/php-cgi", "suffix": "php"},
            "'php' is not a file suffix. Use a suffix such as .php.",
        ),
        (
            {"oom_score_adjust": -500},
            "oom_score_adjust is -500. A worker can only raise its own score. Use a number from 0 to 1000.",
        ),
        (
            {"oom_score_adjust": 1001},
            "oom_score_adjust is 1001. A worker can only raise its own score. Use a number from 0 to 1000.",
        ),
        (
            {"address_space": "512"},
            (
                "address_space of /srv/fcgi/hog.fcgi is 512 bytes, but no process runs in so little memory."
                " Did you mean 512M?"
            ),
        ),
    ],
)
def test_worker_that_cannot_be_wrapped_is_rejected(changes: dict[str, t.Any], message: str) -> None:
    with pytest.raises(OomguardError) as error:
        make_wrapper({**SCRIPT, **changes})
    assert str(error.value) == message


def test_address_space_must_be_a_size() -> None:
    with pytest.raises(OomguardError, match=r"^'much' is not a size\. "):
        make_wrapper({**SCRIPT, "address_space": "much"})


def test_two_scripts_with_one_suffix_can_have_wrappers() -> None:
    Wanted(settings=(make_wrapper(SCRIPT), make_wrapper({**SCRIPT, "script": "/srv/fcgi/other.fcgi"})))


def test_one_script_cannot_have_two_wrappers() -> None:
    with pytest.raises(OomguardError) as error:
        Wanted(settings=(make_wrapper(SCRIPT), make_wrapper({**SCRIPT, "oom_score_adjust": 0})))
    assert (
        str(error.value)
        == "FcgidWrapper is set twice for '.fcgi'. Remove one of them: only the last one would take effect."
    )


@pytest.mark.parametrize(
    ("text", "programs"),
    [
        (
            '"/usr/bin/choom -n 5 -- /usr/bin/prlimit --as=9 /srv/a.fcgi" .fcgi',
            ["/usr/bin/choom", "/usr/bin/prlimit", "/srv/a.fcgi"],
        ),
        ('"/usr/bin/php-cgi -c /etc/php/php.ini" .php', ["/usr/bin/php-cgi"]),
        ('"/usr/bin/perl -T /srv/a.pl" .pl', ["/usr/bin/perl", "/srv/a.pl"]),
        ("/usr/bin/env", ["/usr/bin/env"]),
    ],
    ids=["runners", "arguments", "interpreter", "no program"],
)
def test_programs_of_a_wrapper_are_listed(text: str, programs: list[str]) -> None:
    assert list_programs(*parse_settings({"FcgidWrapper": text})) == programs


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "/usr/bin/php-cgi .php virtual",
            "answers every URL, even those of files that do not exist. Omit the word virtual.",
        ),
        (
            '"/usr/bin/prlimit --as=9" .fcgi',
            (
                "starts nothing, since mod_fcgid passes it neither arguments nor the path of the script."
                " End the command with the full path of a program such as /usr/bin/php-cgi."
            ),
        ),
        (
            '"/usr/bin/choom -n 5 -- php-cgi" .php',
            (
                "starts nothing, since mod_fcgid passes it neither arguments nor the path of the script."
                " End the command with the full path of a program such as /usr/bin/php-cgi."
            ),
        ),
        (
            '"/usr/bin/nice /usr/bin/python3.11" .py',
            (
                "fails, since python3.11 does not speak FastCGI and is not given a script to run."
                " For PHP, use php-cgi. List your own programs by their paths in the option workers."
            ),
        ),
        (
            "/usr/bin/php .php",
            (
                "fails, since php does not speak FastCGI and is not given a script to run."
                " For PHP, use php-cgi. List your own programs by their paths in the option workers."
            ),
        ),
        (
            '"/usr/bin/nice /srv/a.fcgi" .fcgi',
            (
                "uses /srv/a.fcgi to answer requests for every file with the suffix .fcgi."
                " List it as a script in the option workers, which limits only this file."
            ),
        ),
        (
            "/srv/a.fcgi",
            (
                "uses /srv/a.fcgi to answer requests for every program."
                " List it as a script in the option workers, which limits only this file."
            ),
        ),
    ],
    ids=["virtual", "no program", "no path", "interpreter", "php", "script for all", "script for everything"],
)
def test_useless_wrapper_is_rejected(text: str, problem: str) -> None:
    with pytest.raises(OomguardError) as error:
        Wanted(settings=parse_settings({"FcgidWrapper": text}))
    assert str(error.value) == f"FcgidWrapper {text} {problem}"


def test_worker_with_a_useless_command_is_rejected() -> None:
    with pytest.raises(OomguardError, match="perl does not speak FastCGI"):
        Wanted(settings=(make_wrapper({"command": "/usr/bin/perl", "suffix": ".pl", "oom_score_adjust": 5}),))


@pytest.mark.parametrize(
    "text",
    [
        "/usr/bin/php-cgi .php",
        '"/usr/bin/php-cgi -c /etc/php.ini" .php',
        "/usr/local/bin/php.fcgi .php",
        "/srv/serve",
        "/usr/bin/php8.2-cgi",
    ],
)
def test_working_wrapper_is_accepted(text: str) -> None:
    Wanted(settings=parse_settings({"FcgidWrapper": text}))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('#!/bin/sh\n# limit it\nexec /usr/bin/prlimit --as=134217728 -- "$@"\n', True),
        ('#!/bin/sh\nulimit -v 131072\nexec "$@"\n', True),
        ("#!/bin/bash\nchoom -n 500 -- $1\n", True),
        ("#!/bin/sh\nnice -n 5 prlimit --as=9 $*\n", True),
        ('#!/bin/sh\nPHP_FCGI_MAX_REQUESTS=0\nexec /usr/bin/php-cgi "$@"\n', False),
        ("#!/bin/sh\nulimit -v 131072\nexec /srv/fcgi/hog.fcgi\n", False),
        ('#!/usr/bin/perl\nexec "$@"\n', False),
        ('\x7fELF sh exec "$@"', False),
    ],
    ids=["prlimit", "ulimit", "choom", "two", "interpreter", "program", "not a shell", "not a script"],
)
def test_script_that_starts_its_arguments_is_recognised(text: str, *, expected: bool) -> None:
    assert is_pass_through(text) is expected


@pytest.mark.parametrize(
    ("sections", "count"),
    [
        (["<VirtualHost *:80>", "<Directory /srv/fcgi>", "<Files hog.fcgi>"], 1),
        (["<Directory /srv/fcgi>", "<Files other.fcgi>"], 0),
        (["<Directory /srv/fcgi>"], 0),
        (["<Directory /srv/fcgi>", '<Files "hog.fcgi">'], 0),
        ([], 0),
    ],
    ids=["virtual host", "another script", "folder", "earlier", "whole server"],
)
def test_only_a_wrapper_of_the_same_script_wins(sections: list[str], count: int) -> None:
    opened = "".join(f"{'  ' * depth}{section}\n" for depth, section in enumerate(sections))
    inner = "  " * len(sections)
    text = (
        f"# In file: /etc/httpd/conf.d/site.conf\n{opened}{inner}#   9:\n{inner}FcgidWrapper /srv/fcgi/hog.fcgi .fcgi\n"
    )
    assert len(overriding(text, make_wrapper(SCRIPT))) == count


def test_later_wrapper_of_the_same_script_wins() -> None:
    ours = [f"# In file: {FILE}", *render_lines([make_wrapper(SCRIPT)])[1:-1]]
    site = [
        "# In file: /etc/httpd/conf.d/zzz.conf",
        "# 3:",
        "<Files hog.fcgi>",
        "FcgidWrapper /bin/x .fcgi",
        "</Files>",
    ]
    found = overriding("\n".join([*ours, *site]), make_wrapper(SCRIPT))
    assert [dataclasses.astuple(override)[3:6] for override in found] == [
        ("/etc/httpd/conf.d/zzz.conf", 3, "<Files hog.fcgi>")
    ]
