# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which settings win over our file, which values apply, and which contradict."""

from __future__ import annotations

import time
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.config import Configuration, parse_settings
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.directives import FcgidError
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.effect import (
    Override,
    find_doubts,
    find_effective,
    find_overrides,
    list_values,
    refuse_contradictions,
)
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.plan import Wanted
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.wrapper import make_wrapper
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._fcgid.configurations import (
    BOOKWORM,
    BULLSEYE,
    EMPTY,
    LINK,
    configuration,
    expected,
    state,
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
def test_setting_that_wins_over_ours_is_found(directives: dict[str, t.Any], override: Override) -> None:
    assert find_overrides(expected(BULLSEYE, **directives), str(LINK)) == [override]


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
def test_setting_that_does_not_win_is_not_found(directives: dict[str, t.Any]) -> None:
    assert find_overrides(expected(BULLSEYE, **directives), str(LINK)) == []


def test_command_that_we_configure_later_has_our_options() -> None:
    text = (
        "# In file: /etc/apache2/conf-enabled/a.conf\n#  1:\nFcgidCmdOptions /srv/a.fcgi IdleTimeout 9\n"
        f"# In file: {LINK}\n#  3:\nFcgidCmdOptions /srv/a.fcgi MinProcesses 0\n#  4:\nFcgidIdleTimeout 60\n"
    )
    settings = {"FcgidCmdOptions": "/srv/a.fcgi MinProcesses 0", "FcgidIdleTimeout": 60}
    assert find_overrides(expected(configuration(text), **settings), str(LINK)) == []


def test_file_that_is_not_known_to_come_later_does_not_win() -> None:
    text = "# In file: /etc/apache2/conf-enabled/zzz.conf\n#  1:\nFcgidProcessLifeTime 44\n"
    assert find_overrides(expected(configuration(text), FcgidProcessLifeTime=600), str(LINK)) == []


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
def test_value_for_the_server_is_found(name: str, value: int) -> None:
    assert find_effective(BULLSEYE.occurrences, [name]) == {name: value}


def test_directive_with_keys_has_all_values() -> None:
    lines = ["FcgidInitialEnv A 1", "PassHeader X-A", "FcgidInitialEnv B 2", "FcgidInitialEnv A 3"]
    text = "".join(f"# {number}:\n{line}\n" for number, line in enumerate(lines, start=1))
    assert find_effective(configuration(text).occurrences, ["FcgidInitialEnv"]) == {"FcgidInitialEnv": ["A 3", "B 2"]}


def test_hostile_names_in_an_error_are_inert() -> None:
    override = Override("FcgidProcessLifeTime", 600, 60, "/srv/\x1b[2J{{ x }}.conf", 1, "<VirtualHost *:80>")
    assert str(FcgidError(str(override))) == (
        "FcgidProcessLifeTime is 60 instead of 600 in <VirtualHost *:80> (/srv/\\x1b[2J\\x7b{ x }}.conf line 1)"
    )


@pytest.mark.parametrize("name", ["FcgidIdleTimeout", "FcgidProcessLifeTime"])
def test_lifetime_that_spares_the_last_workers_is_a_doubt(name: str) -> None:
    doubt = (
        f"{name} does not end the last 3 workers of each class, which mod_fcgid always keeps."
        " To end them as well, set FcgidMinProcessesPerClass to 0."
    )
    assert find_doubts(expected(EMPTY, **{name: 600}), str(LINK)) == [doubt]


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
def test_other_settings_are_no_doubt(directives: dict[str, t.Any]) -> None:
    assert find_doubts(EMPTY.with_file(str(LINK), parse_settings(directives)), str(LINK)) == []


@pytest.mark.parametrize(
    ("directives", "limit"),
    [
        ({"FcgidWrapper": "/usr/bin/php-cgi .php"}, 500),
        ({"FcgidWrapper": '"/usr/bin/choom -n 300 -- /usr/bin/php8.2-cgi -c /etc/php.ini" .php'}, 500),
        ({"FcgidInitialEnv": ["MODE x", "PHP_FCGI_MAX_REQUESTS 1000"]}, 1000),
    ],
    ids=["its default", "wrapped", "set"],
)
def test_php_cgi_that_ends_itself_is_a_doubt(directives: dict[str, t.Any], limit: int) -> None:
    doubt = (
        f"php-cgi ends itself after {limit} requests. A request that is being sent to it at that moment fails."
        f" Set FcgidMaxRequestsPerProcess to {limit} or less, so that mod_fcgid ends it first."
    )
    assert find_doubts(expected(EMPTY, **directives), str(LINK)) == [doubt]


def test_php_cgi_of_others_is_no_doubt() -> None:
    assert find_doubts(expected(BOOKWORM, FcgidBusyTimeout=60), str(LINK)) == []


WORKER = {"script": "/srv/fcgi/perl.fcgi", "oom_score_adjust": 500}


def test_options_that_our_wrapper_hides_are_a_doubt() -> None:
    found = BOOKWORM.with_file(str(LINK), [make_wrapper(WORKER)])
    assert find_doubts(found, str(LINK)) == [
        (
            "FcgidCmdOptions /srv/fcgi/perl.fcgi (/etc/apache2/sites-enabled/shop.conf line 12) has no effect,"
            " since the wrapper that is set here hides the command: mod_fcgid looks for the options of /usr/bin/choom."
        )
    ]


def test_options_that_our_wrapper_hides_override_nothing() -> None:
    settings = (*parse_settings({"FcgidIdleTimeout": 77}), make_wrapper(WORKER))
    assert find_overrides(BOOKWORM.with_file(str(LINK), settings), str(LINK)) == []


@pytest.mark.parametrize(
    ("variable", "value"),
    [("MODE b", "MODE a"), ("OTHER b", None)],
    ids=["another value", "not set"],
)
def test_options_override_variables(variable: str, value: str | None) -> None:
    assert find_overrides(expected(BOOKWORM, FcgidInitialEnv=variable), str(LINK)) == [
        Override(
            directive="FcgidInitialEnv",
            wanted=variable,
            value=value,
            file="/etc/apache2/sites-enabled/shop.conf",
            line=12,
            context="FcgidCmdOptions /srv/fcgi/perl.fcgi",
        )
    ]


def test_variable_that_is_not_set_is_described() -> None:
    (override,) = find_overrides(expected(BOOKWORM, FcgidInitialEnv="OTHER b"), str(LINK))
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
                " Lower FcgidMaxProcessesPerClass, or set FcgidMaxProcesses here as well."
            ),
        ),
        (
            BOOKWORM,
            {"FcgidMaxProcessesPerClass": 65},
            (
                "FcgidMaxProcessesPerClass 65 is more than FcgidMaxProcesses 64."
                " Lower FcgidMaxProcessesPerClass, or set FcgidMaxProcesses here as well."
            ),
        ),
        (
            BOOKWORM,
            {"FcgidMinProcessesPerClass": 101},
            (
                "FcgidMinProcessesPerClass 101 is more than FcgidMaxProcessesPerClass 100."
                " Lower FcgidMinProcessesPerClass, or set FcgidMaxProcessesPerClass here as well."
            ),
        ),
        (
            BOOKWORM,
            {"FcgidMaxRequestsPerProcess": 600},
            (
                "FcgidMaxRequestsPerProcess is 600, but php-cgi ends itself after 500 requests. A request that is"
                " being sent to it at that moment fails. Set FcgidMaxRequestsPerProcess to 500 or less, or"
                " PHP_FCGI_MAX_REQUESTS in FcgidInitialEnv to 600 or more."
            ),
        ),
        (
            BOOKWORM,
            {"FcgidMaxRequestsPerProcess": 40, "FcgidInitialEnv": "PHP_FCGI_MAX_REQUESTS 30"},
            (
                "FcgidMaxRequestsPerProcess is 40, but php-cgi ends itself after 30 requests. A request that is"
                " being sent to it at that moment fails. Set FcgidMaxRequestsPerProcess to 30 or less, or"
                " PHP_FCGI_MAX_REQUESTS in FcgidInitialEnv to 40 or more."
            ),
        ),
    ],
    ids=["both ours", "beside another's", "beside the default", "PHP's default", "PHP's limit"],
)
def test_contradicting_values_are_rejected(read: Configuration, directives: dict[str, t.Any], message: str) -> None:
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
def test_consistent_values_are_accepted(directives: dict[str, t.Any]) -> None:
    refuse_contradictions(expected(BOOKWORM, **directives), str(LINK))


def dump(path: str, *lines: str) -> str:
    """Return what Apache prints for a file with these lines."""
    numbered = [f"#  {number}:\n{line}\n" for number, line in enumerate(lines, start=1)]
    return f"# In file: {path}\n{''.join(numbered)}"


def vhost(*lines: str, address: str = "*:80") -> list[str]:
    """Return the lines of a virtual host."""
    return [f"<VirtualHost {address}>", *[f"  {line}" for line in lines], "</VirtualHost>"]


# What the templates of hosting panels set, in the order and with the names that they use.
ISPCONFIG = vhost(
    "FcgidIdleTimeout 300",
    "FcgidProcessLifeTime 3600",
    "FcgidMinProcessesPerClass 0",
    "FcgidMaxProcessesPerClass 100",
    "FcgidConnectTimeout 3",
    "FcgidIOTimeout 600",
    "FcgidBusyTimeout 3600",
    "FcgidMaxRequestLen 1073741824",
    "<Directory /var/www/shop.example/web>",
    "  FcgidWrapper /var/www/php-fcgi-scripts/web1/.php-fcgi-starter .php",
    "</Directory>",
)
OLD_ISPCONFIG = vhost(
    "IdleTimeout 300",
    "ProcessLifeTime 3600",
    "DefaultMinClassProcessCount 0",
    "DefaultMaxClassProcessCount 100",
    "IPCConnectTimeout 3",
    "IPCCommTimeout 600",
    "BusyTimeout 3600",
)
VIRTUALMIN = vhost(
    "FcgidMaxRequestLen 1073741824",
    "IPCCommTimeout 61",
    "<Directory /home/shop/public_html>",
    "  FCGIWrapper /home/shop/fcgi-bin/php8.2.fcgi .php",
    "</Directory>",
    address="192.0.2.1:80",
)
PLESK = vhost(
    'FcgidInitialEnv PP_CUSTOM_PHP_INI "/var/www/vhosts/system/shop.example/etc/php.ini"',
    "FcgidMaxRequestLen 134217728",
    "FcgidIOTimeout 60",
    "<Directory /var/www/vhosts/shop.example/httpdocs>",
    "  FcgidWrapper /var/www/cgi-bin/cgi_wrapper/cgi_wrapper .php",
    "</Directory>",
)
FROXLOR = vhost("FcgidIdleTimeout 30", "FcgidProcessLifeTime 3600", "FcgidMinProcessesPerClass 0", address="[::]:443")
DEFAULTS = {"FcgidMinProcessesPerClass": 0, "FcgidProcessLifeTime": 600, "FcgidIdleScanInterval": 120}


@pytest.mark.parametrize(
    "lines",
    [ISPCONFIG, OLD_ISPCONFIG, VIRTUALMIN, PLESK, FROXLOR],
    ids=["ISPConfig", "old ISPConfig", "Virtualmin", "Plesk", "Froxlor"],
)
def test_virtual_hosts_of_panels_end_idle_workers_in_time(lines: list[str]) -> None:
    read = configuration(dump("/etc/apache2/sites-enabled/shop.conf", *lines))
    assert all(override.harmless for override in find_overrides(expected(read, **DEFAULTS), str(LINK)))


@pytest.mark.parametrize(
    ("lines", "harmless"),
    [
        (["FcgidProcessLifeTime 3600"], True),
        (["FcgidProcessLifeTime 0"], True),
        (["FcgidProcessLifeTime 60"], True),
        (["FcgidProcessLifeTime 3600", "FcgidIdleTimeout 600"], True),
        (["FcgidProcessLifeTime 3600", "FcgidIdleTimeout 601"], False),
        (["FcgidProcessLifeTime 3600", "FcgidIdleTimeout 0"], False),
        (["FcgidProcessLifeTime 0", "FcgidIdleTimeout 0"], False),
        (["FcgidProcessLifeTime 3600", "FcgidMinProcessesPerClass 1"], False),
    ],
)
def test_lifetime_of_a_virtual_host_is_judged_by_its_effect(lines: list[str], harmless: bool) -> None:
    read = configuration(dump("/etc/apache2/sites-enabled/shop.conf", *vhost(*lines)))
    found = find_overrides(expected(read, **DEFAULTS), str(LINK))
    assert {override.harmless for override in found} == {harmless}


def test_each_virtual_host_is_judged_by_its_own_values() -> None:
    hosts = [*vhost("FcgidProcessLifeTime 3600"), *vhost("FcgidProcessLifeTime 3600", "FcgidIdleTimeout 0")]
    read = configuration(dump("/etc/apache2/sites-enabled/shop.conf", *hosts))
    found = find_overrides(expected(read, **DEFAULTS), str(LINK))
    assert [(override.line, override.harmless) for override in found] == [(2, True), (5, False)]


def test_later_value_for_the_whole_server_is_not_harmless() -> None:
    read = configuration(
        dump(str(LINK), "FcgidMinProcessesPerClass 0", "FcgidProcessLifeTime 600")
        + dump("/etc/apache2/sites-enabled/shop.conf", "FcgidProcessLifeTime 3600")
    )
    found = find_overrides(expected(read, **DEFAULTS), str(LINK))
    assert [(override.value, override.harmless) for override in found] == [(3600, False)]


@pytest.mark.parametrize(("options", "harmless"), [("MinProcesses 0", True), ("MinProcesses 1", False)])
def test_options_of_a_command_are_judged_by_their_effect(options: str, harmless: bool) -> None:
    read = configuration(dump("/etc/apache2/sites-enabled/shop.conf", f"FcgidCmdOptions /srv/a.fcgi {options}"))
    found = find_overrides(expected(read, FcgidProcessLifeTime=600), str(LINK))
    assert [(override.value, override.harmless) for override in found] == [(3600, harmless)]


def test_time_grows_with_the_number_of_virtual_hosts_alone() -> None:
    def measure(count: int) -> float:
        hosts = vhost("FcgidProcessLifeTime 3600", "FcgidIdleTimeout 0") * count
        occurrences = expected(configuration(dump("/etc/apache2/sites-enabled/shop.conf", *hosts)), **DEFAULTS)
        begun = time.process_time()
        assert len(find_overrides(occurrences, str(LINK))) == count
        return time.process_time() - begun

    # Other tests leave garbage, the collection of which takes time, too.
    few, many = [min(measure(count), measure(count), measure(count)) for count in (1000, 8000)]
    assert many < 16 * few + 0.1


def test_warnings_about_commands_do_not_grow_with_the_host() -> None:
    lines = [f"FcgidCmdOptions /srv/{number}.fcgi MinProcesses 0" for number in range(300)]
    wrappers = [make_wrapper({"script": f"/srv/{number}.fcgi", "oom_score_adjust": 9}) for number in range(300)]
    read = configuration(dump("/etc/apache2/sites-enabled/shop.conf", *lines))
    doubts = find_doubts(state(read).expect(Wanted(settings=tuple(wrappers))), str(LINK))
    assert [doubt.split()[0] for doubt in doubts] == ["FcgidCmdOptions"] * 3 + ["297"]


def test_values_are_those_of_the_server_and_its_parts() -> None:
    settings = parse_settings({"FcgidMaxProcesses": 7, "FcgidInitialEnv": ["A=1", "B=2"]})
    occurrences = BOOKWORM.with_file(str(LINK), settings)
    values = list_values(occurrences)
    assert (values["FcgidMaxProcesses"], values["FcgidIdleTimeout"]) == (64, 77)
    assert values["FcgidInitialEnv"] == "A=1, B=2"
    assert [name for name in values if " in <" in name]
