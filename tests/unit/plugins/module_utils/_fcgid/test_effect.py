# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who wins over our file, what applies in the end, and what contradicts."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.config import Configuration, settings_from
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.directives import FcgidError
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.effect import (
    Override,
    doubts,
    effective,
    overrides,
    refuse_contradictions,
)
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.wrapper import wrapper_for
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._fcgid.configurations import (
    BOOKWORM,
    BULLSEYE,
    EMPTY,
    LINK,
    configuration,
    expected,
)


@pytest.mark.parametrize(
    ("directives", "override"),
    [
        (
            {"FcgidProcessLifeTime": 3600},
            Override(
                directive="FcgidProcessLifeTime",
                wanted=3600,
                value=86400,
                file="/etc/apache2/sites-enabled/shop.conf",
                line=5,
                context="<VirtualHost *:80>",
            ),
        ),
        (
            {"FcgidWrapper": "/usr/bin/php-cgi .fcgi"},
            Override(
                directive="FcgidWrapper",
                wanted="/usr/bin/php-cgi .fcgi",
                value='"/usr/bin/env -S /srv/hog.fcgi" .fcgi',
                file="/etc/apache2/sites-enabled/shop.conf",
                line=10,
                context="<VirtualHost *:80> <Directory /srv> <Files hog.fcgi>",
            ),
        ),
        (
            {"FcgidMaxProcesses": 100},
            Override(
                directive="FcgidMaxProcesses",
                wanted=100,
                value=64,
                file="/etc/apache2/sites-enabled/shop.conf",
                line=16,
                context="server config",
            ),
        ),
        (
            {"FcgidMinProcessesPerClass": 0},
            Override(
                directive="FcgidMinProcessesPerClass",
                wanted=0,
                value=1,
                file="/etc/apache2/sites-enabled/shop.conf",
                line=15,
                context="FcgidCmdOptions /srv/hog.fcgi",
            ),
        ),
        (
            {"FcgidIdleTimeout": 60},
            Override(
                directive="FcgidIdleTimeout",
                wanted=60,
                value=300,
                file="/etc/apache2/sites-enabled/shop.conf",
                line=15,
                context="FcgidCmdOptions /srv/hog.fcgi",
            ),
        ),
    ],
    ids=["virtual host", "directory", "later file", "command", "command's default"],
)
def test_who_wins_over_us_is_named(directives: dict[str, t.Any], override: Override) -> None:
    assert overrides(expected(BULLSEYE, **directives), str(LINK)) == [override]


@pytest.mark.parametrize(
    "directives",
    [
        {"FcgidIdleScanInterval": 60},
        {"FcgidConnectTimeout": 3},
        {"FcgidMaxProcesses": 64},
        {"FcgidWrapper": "/usr/bin/php-cgi .php"},
        {"FcgidMaxProcessesPerClass": 4},
        {"FcgidCmdOptions": "/srv/other.fcgi MinProcesses 0"},
        {"FcgidPassHeader": ["X-A"]},
    ],
    ids=[
        "ours",
        "earlier file",
        "same value",
        "another suffix",
        "same in command",
        "another command",
        "never replaced",
    ],
)
def test_who_does_not_win_is_not_named(directives: dict[str, t.Any]) -> None:
    assert overrides(expected(BULLSEYE, **directives), str(LINK)) == []


def test_a_command_that_we_configure_later_has_our_options() -> None:
    text = (
        "# In file: /etc/apache2/conf-enabled/a.conf\n#  1:\nFcgidCmdOptions /srv/a.fcgi IdleTimeout 9\n"
        f"# In file: {LINK}\n#  3:\nFcgidCmdOptions /srv/a.fcgi MinProcesses 0\n#  4:\nFcgidIdleTimeout 60\n"
    )
    settings = {"FcgidCmdOptions": "/srv/a.fcgi MinProcesses 0", "FcgidIdleTimeout": 60}
    assert overrides(expected(configuration(text), **settings), str(LINK)) == []


def test_what_is_not_known_to_come_later_does_not_win() -> None:
    text = "# In file: /etc/apache2/conf-enabled/zzz.conf\n#  1:\nFcgidProcessLifeTime 44\n"
    assert overrides(expected(configuration(text), FcgidProcessLifeTime=600), str(LINK)) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FcgidProcessLifeTime", 600),
        ("FcgidConnectTimeout", 20),
        ("FcgidMaxProcesses", 64),
        ("FcgidIOTimeout", 40),
        ("FcgidBusyTimeout", 300),
    ],
    ids=["ours", "distribution's", "old name", "other in a virtual host", "default"],
)
def test_the_value_of_the_server_is_told(name: str, value: int) -> None:
    assert effective(BULLSEYE.occurrences, [name]) == {name: value}


def test_all_values_of_a_directive_that_may_be_repeated_are_told() -> None:
    lines = ["FcgidInitialEnv A 1", "PassHeader X-A", "FcgidInitialEnv B 2", "FcgidInitialEnv A 3"]
    text = "".join(f"# {number}:\n{line}\n" for number, line in enumerate(lines, start=1))
    assert effective(configuration(text).occurrences, ["FcgidInitialEnv"]) == {"FcgidInitialEnv": ["A 3", "B 2"]}


def test_hostile_names_are_made_harmless() -> None:
    override = Override("FcgidProcessLifeTime", 600, 60, "/srv/\x1b[2J{{ x }}.conf", 1, "<VirtualHost *:80>")
    assert str(override) == (
        "FcgidProcessLifeTime is 60 instead of 600 in <VirtualHost *:80> (/srv/\\x1b[2J\\x7b{ x }}.conf line 1)"
    )


@pytest.mark.parametrize("name", ["FcgidIdleTimeout", "FcgidProcessLifeTime"])
def test_a_lifetime_that_the_last_workers_do_not_have_is_told(name: str) -> None:
    doubt = (
        f"{name} does not end the last 3 workers of each class, which mod_fcgid keeps for ever;"
        " set FcgidMinProcessesPerClass to 0 to have them go as well."
    )
    assert doubts(expected(EMPTY, **{name: 600}), str(LINK)) == [doubt]


@pytest.mark.parametrize(
    "directives",
    [
        {"FcgidMinProcessesPerClass": 0, "FcgidProcessLifeTime": 600},
        {"FcgidIOTimeout": 90},
        {"FcgidWrapper": "/usr/bin/php-cgi .php", "FcgidMaxRequestsPerProcess": 500},
        {"FcgidWrapper": "/usr/bin/php-cgi .php", "FcgidInitialEnv": "PHP_FCGI_MAX_REQUESTS 0"},
        {"FcgidMaxRequestsPerProcess": 0},
        {},
    ],
    ids=["no minimum", "no lifetime", "mod_fcgid ends php-cgi", "php-cgi never ends", "no PHP", "absent"],
)
def test_there_is_no_doubt(directives: dict[str, t.Any]) -> None:
    assert doubts(EMPTY.with_file(str(LINK), settings_from(directives)), str(LINK)) == []


@pytest.mark.parametrize(
    ("directives", "limit"),
    [
        ({"FcgidWrapper": "/usr/bin/php-cgi .php"}, 500),
        ({"FcgidWrapper": '"/usr/bin/choom -n 300 -- /usr/bin/php8.2-cgi -c /etc/php.ini" .php'}, 500),
        ({"FcgidInitialEnv": ["MODE x", "PHP_FCGI_MAX_REQUESTS 1000"]}, 1000),
    ],
    ids=["its default", "wrapped", "set"],
)
def test_a_php_cgi_that_ends_itself_is_told(directives: dict[str, t.Any], limit: int) -> None:
    doubt = (
        f"php-cgi ends itself after {limit} requests, perhaps with another request on its way to it, which then fails;"
        f" set FcgidMaxRequestsPerProcess to {limit} or less, so that mod_fcgid ends it in time."
    )
    assert doubts(expected(EMPTY, **directives), str(LINK)) == [doubt]


def test_the_php_cgi_of_others_is_not_ours_to_doubt() -> None:
    assert doubts(expected(BOOKWORM, FcgidBusyTimeout=60), str(LINK)) == []


WORKER = {"script": "/srv/fcgi/perl.fcgi", "oom_score_adjust": 500}


def test_options_that_the_wrapper_hides_are_told() -> None:
    found = BOOKWORM.with_file(str(LINK), [wrapper_for(WORKER)])
    assert doubts(found, str(LINK)) == [
        (
            "FcgidCmdOptions /srv/fcgi/perl.fcgi (/etc/apache2/sites-enabled/shop.conf line 12) has no effect behind"
            " the wrapper that is set here: mod_fcgid looks for /usr/bin/choom."
        )
    ]


def test_options_that_the_wrapper_hides_void_nothing() -> None:
    settings = (*settings_from({"FcgidIdleTimeout": 77}), wrapper_for(WORKER))
    assert overrides(BOOKWORM.with_file(str(LINK), settings), str(LINK)) == []


@pytest.mark.parametrize(
    ("variable", "value"),
    [("MODE b", "MODE a"), ("OTHER b", None)],
    ids=["another value", "not set"],
)
def test_options_void_variables_too(variable: str, value: str | None) -> None:
    assert overrides(expected(BOOKWORM, FcgidInitialEnv=variable), str(LINK)) == [
        Override(
            directive="FcgidInitialEnv",
            wanted=variable,
            value=value,
            file="/etc/apache2/sites-enabled/shop.conf",
            line=12,
            context="FcgidCmdOptions /srv/fcgi/perl.fcgi",
        )
    ]


def test_a_variable_that_is_not_set_is_told_in_words() -> None:
    (override,) = overrides(expected(BOOKWORM, FcgidInitialEnv="OTHER b"), str(LINK))
    assert str(override) == (
        "FcgidInitialEnv is not set instead of OTHER b in FcgidCmdOptions /srv/fcgi/perl.fcgi"
        " (/etc/apache2/sites-enabled/shop.conf line 12)"
    )


@pytest.mark.parametrize(
    ("read", "directives", "message"),
    [
        (
            EMPTY,
            {"FcgidMaxProcessesPerClass": 50, "FcgidMaxProcesses": 20},
            (
                "FcgidMaxProcessesPerClass 50 is more than FcgidMaxProcesses 20."
                " Lower the one, or set FcgidMaxProcesses here as well."
            ),
        ),
        (
            BOOKWORM,
            {"FcgidMaxProcessesPerClass": 65},
            (
                "FcgidMaxProcessesPerClass 65 is more than FcgidMaxProcesses 64."
                " Lower the one, or set FcgidMaxProcesses here as well."
            ),
        ),
        (
            BOOKWORM,
            {"FcgidMinProcessesPerClass": 101},
            (
                "FcgidMinProcessesPerClass 101 is more than FcgidMaxProcessesPerClass 100."
                " Lower the one, or set FcgidMaxProcessesPerClass here as well."
            ),
        ),
        (
            BOOKWORM,
            {"FcgidMaxRequestsPerProcess": 600},
            (
                "FcgidMaxRequestsPerProcess 600 is more than the 500 requests after which php-cgi ends itself, perhaps"
                " with another request on its way to it, which then fails."
                " Set it to 500 or less, or FcgidInitialEnv to PHP_FCGI_MAX_REQUESTS 600 or more."
            ),
        ),
        (
            BOOKWORM,
            {"FcgidMaxRequestsPerProcess": 40, "FcgidInitialEnv": "PHP_FCGI_MAX_REQUESTS 30"},
            (
                "FcgidMaxRequestsPerProcess 40 is more than the 30 requests after which php-cgi ends itself, perhaps"
                " with another request on its way to it, which then fails."
                " Set it to 30 or less, or FcgidInitialEnv to PHP_FCGI_MAX_REQUESTS 40 or more."
            ),
        ),
    ],
    ids=["both ours", "beside another's", "beside the default", "PHP's default", "PHP's limit"],
)
def test_what_contradicts_is_refused(read: Configuration, directives: dict[str, t.Any], message: str) -> None:
    with pytest.raises(FcgidError) as error:
        refuse_contradictions(expected(read, **directives), str(LINK))
    assert str(error.value) == message


@pytest.mark.parametrize(
    "directives",
    [
        {"FcgidMaxProcesses": 20},
        {"FcgidMaxProcessesPerClass": 64},
        {"FcgidMaxRequestsPerProcess": 500},
        {"FcgidMaxRequestsPerProcess": 1000, "FcgidInitialEnv": "PHP_FCGI_MAX_REQUESTS 1000"},
        {"FcgidMaxRequestsPerProcess": 1000, "FcgidInitialEnv": "PHP_FCGI_MAX_REQUESTS 0"},
    ],
    ids=["fewer than a default", "as many", "PHP's default", "as PHP", "PHP without limit"],
)
def test_what_does_not_contradict_is_fine(directives: dict[str, t.Any]) -> None:
    refuse_contradictions(expected(BOOKWORM, **directives), str(LINK))
