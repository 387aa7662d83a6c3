# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wrappers that limit single workers: how they are written, and which are refused."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._errors import OomguardError
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.config import (
    Setting,
    lines_of,
    parse_dump,
    settings_from,
)
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.effect import Override, overrides
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.plan import Wanted
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.wrapper import passes_on, programs_of, wrapper_for

SCRIPT = {"script": "/srv/fcgi/hog.fcgi", "address_space": "128M", "oom_score_adjust": 500}
WRAPPER = 'FcgidWrapper "/usr/bin/choom -n 500 -- /usr/bin/prlimit --as=134217728 /srv/fcgi/hog.fcgi" .fcgi'
FILE = "/etc/httpd/conf.d/zz-oomguard-fcgid.conf"


def overriding(text: str, setting: Setting) -> list[Override]:
    return overrides(parse_dump(text).with_file(FILE, [setting]), FILE)


def test_a_script_is_wrapped_for_itself_alone() -> None:
    assert lines_of([wrapper_for(SCRIPT)]) == [
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
def test_limits_are_put_before_the_program(worker: dict[str, t.Any], text: str) -> None:
    assert wrapper_for(worker).text == text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"script": "/srv/my app.fcgi"},
            "FcgidWrapper cannot name '/srv/my app.fcgi'. Give a full path without blanks.",
        ),
        ({"script": "hog.fcgi"}, "FcgidWrapper cannot name 'hog.fcgi'. Give a full path without blanks."),
        ({"script": "/srv/*.fcgi"}, "FcgidWrapper cannot name '/srv/*.fcgi'. Give a full path without blanks."),
        ({"script": '/srv/a".fcgi'}, "FcgidWrapper cannot name '/srv/a\".fcgi'. Give a full path without blanks."),
        ({"script": "/srv/${X}.fcgi"}, "FcgidWrapper cannot name '/srv/${X}.fcgi'. Give a full path without blanks."),
        (
            {"script": None, "command": "/usr/bin/php-cgi", "suffix": "php"},
            "'php' is not the suffix of a file. Give one such as .php.",
        ),
        (
            {"oom_score_adjust": -500},
            "oom_score_adjust is -500. A worker can only raise its own: give a number from 0 to 1000.",
        ),
        (
            {"oom_score_adjust": 1001},
            "oom_score_adjust is 1001. A worker can only raise its own: give a number from 0 to 1000.",
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
def test_forms_that_do_not_work_are_refused(changes: dict[str, t.Any], message: str) -> None:
    with pytest.raises(OomguardError) as error:
        wrapper_for({**SCRIPT, **changes})
    assert str(error.value) == message


def test_a_limit_is_a_size() -> None:
    with pytest.raises(OomguardError, match=r"^'much' is not a size\. "):
        wrapper_for({**SCRIPT, "address_space": "much"})


def test_two_scripts_of_one_suffix_have_their_own_wrappers() -> None:
    Wanted(settings=(wrapper_for(SCRIPT), wrapper_for({**SCRIPT, "script": "/srv/fcgi/other.fcgi"})))


def test_one_script_has_one_wrapper() -> None:
    with pytest.raises(OomguardError) as error:
        Wanted(settings=(wrapper_for(SCRIPT), wrapper_for({**SCRIPT, "oom_score_adjust": 0})))
    assert str(error.value) == "FcgidWrapper is given twice for '.fcgi'. The later one would win."


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
def test_every_program_of_a_wrapper_is_known(text: str, programs: list[str]) -> None:
    assert programs_of(*settings_from({"FcgidWrapper": text})) == programs


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "/usr/bin/php-cgi .php virtual",
            "has every address answered, also of files that do not exist. Leave out the word virtual.",
        ),
        (
            '"/usr/bin/prlimit --as=9" .fcgi',
            (
                "starts nothing, for mod_fcgid gives it neither arguments nor the path of the script."
                " End the command with the full path of a program such as /usr/bin/php-cgi."
            ),
        ),
        (
            '"/usr/bin/choom -n 5 -- php-cgi" .php',
            (
                "starts nothing, for mod_fcgid gives it neither arguments nor the path of the script."
                " End the command with the full path of a program such as /usr/bin/php-cgi."
            ),
        ),
        (
            '"/usr/bin/nice /usr/bin/python3.11" .py',
            (
                "fails, for python3.11 does not speak FastCGI and is given no script to run."
                " Use php-cgi for PHP, and list programs of your own by their paths under workers."
            ),
        ),
        (
            "/usr/bin/php .php",
            (
                "fails, for php does not speak FastCGI and is given no script to run."
                " Use php-cgi for PHP, and list programs of your own by their paths under workers."
            ),
        ),
        (
            '"/usr/bin/nice /srv/a.fcgi" .fcgi',
            (
                "has every file with .fcgi answered by /srv/a.fcgi."
                " List it as a script under workers, which limits this file alone."
            ),
        ),
        (
            "/srv/a.fcgi",
            (
                "has every program answered by /srv/a.fcgi."
                " List it as a script under workers, which limits this file alone."
            ),
        ),
    ],
    ids=["virtual", "no program", "no path", "interpreter", "php", "script for all", "script for everything"],
)
def test_a_wrapper_that_does_not_work_is_refused(text: str, problem: str) -> None:
    with pytest.raises(OomguardError) as error:
        Wanted(settings=settings_from({"FcgidWrapper": text}))
    assert str(error.value) == f"FcgidWrapper {text} {problem}"


def test_a_command_that_is_no_interpreter_is_refused_too() -> None:
    with pytest.raises(OomguardError, match="perl does not speak FastCGI"):
        Wanted(settings=(wrapper_for({"command": "/usr/bin/perl", "suffix": ".pl", "oom_score_adjust": 5}),))


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
def test_other_wrappers_are_fine(text: str) -> None:
    Wanted(settings=settings_from({"FcgidWrapper": text}))


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
def test_a_script_that_only_passes_on_is_known(text: str, *, expected: bool) -> None:
    assert passes_on(text) is expected


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
def test_only_what_is_for_the_same_script_wins(sections: list[str], count: int) -> None:
    opened = "".join(f"{'  ' * depth}{section}\n" for depth, section in enumerate(sections))
    inner = "  " * len(sections)
    text = (
        f"# In file: /etc/httpd/conf.d/site.conf\n{opened}{inner}#   9:\n{inner}FcgidWrapper /srv/fcgi/hog.fcgi .fcgi\n"
    )
    assert len(overriding(text, wrapper_for(SCRIPT))) == count


def test_what_is_for_the_same_script_and_read_later_wins() -> None:
    ours = [f"# In file: {FILE}", *lines_of([wrapper_for(SCRIPT)])[1:-1]]
    site = [
        "# In file: /etc/httpd/conf.d/zzz.conf",
        "# 3:",
        "<Files hog.fcgi>",
        "FcgidWrapper /bin/x .fcgi",
        "</Files>",
    ]
    found = overriding("\n".join([*ours, *site]), wrapper_for(SCRIPT))
    assert [dataclasses.astuple(override)[3:] for override in found] == [
        ("/etc/httpd/conf.d/zzz.conf", 3, "<Files hog.fcgi>")
    ]
