# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directives of mod_fcgid: which values they accept, and how they are read."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.directives import (
    BY_ANY_NAME,
    DIRECTIVES,
    FcgidError,
    describe_old_names,
    find_directive,
    parse_command_options,
    split_words,
)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("FcgidProcessLifeTime", 600, "600"),
        ("FcgidProcessLifeTime", "600", "600"),
        ("FcgidProcessLifeTime", " 0600 ", "600"),
        ("FcgidProcessLifeTime", 0, "0"),
        ("FcgidMinProcessesPerClass", 0, "0"),
        ("FcgidMaxProcesses", 1024, "1024"),
        ("FcgidMaxRequestLen", 2**40, "1099511627776"),
        ("FcgidInitialEnv", 'MODE "very big"', 'MODE "very big"'),
        ("FcgidIPCDir", "/run/fcgid", "/run/fcgid"),
        ("FcgidCmdOptions", '"/srv/a b"  iotimeout 9 InitialEnv A=b', '"/srv/a b"  iotimeout 9 InitialEnv A=b'),
    ],
)
def test_values_are_written_as_apache_reads_them(name: str, value: object, text: str) -> None:
    assert DIRECTIVES[name].format_value(value) == text


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("FcgidProcessLifeTime", "soon", "FcgidProcessLifeTime is 'soon'. Use a number from 0 to 2147483647."),
        ("FcgidProcessLifeTime", "10m", "FcgidProcessLifeTime is '10m'. Use a number from 0 to 2147483647."),
        ("FcgidProcessLifeTime", -1, "FcgidProcessLifeTime is '-1'. Use a number from 0 to 2147483647."),
        ("FcgidProcessLifeTime", 1.5, "FcgidProcessLifeTime is '1.5'. Use a number from 0 to 2147483647."),
        ("FcgidProcessLifeTime", 2**31, "FcgidProcessLifeTime is '2147483648'. Use a number from 0 to 2147483647."),
        ("FcgidProcessLifeTime", True, "FcgidProcessLifeTime is 'True'. Use a number from 0 to 2147483647."),
        ("FcgidProcessLifeTime", None, "FcgidProcessLifeTime is 'None'. Use a number from 0 to 2147483647."),
        ("FcgidProcessLifeTime", [1], "FcgidProcessLifeTime is '[1]'. Use a number from 0 to 2147483647."),
        ("FcgidProcessLifeTime", "", "FcgidProcessLifeTime is ''. Use a number from 0 to 2147483647."),
        ("FcgidProcessLifeTime", "٦", "FcgidProcessLifeTime is '٦'. Use a number from 0 to 2147483647."),
        ("FcgidIOTimeout", 0, "FcgidIOTimeout is '0'. Use a number from 1 to 2147483647."),
        ("FcgidIdleScanInterval", 0, "FcgidIdleScanInterval is '0'. Use a number from 1 to 2147483647."),
        ("FcgidMaxProcesses", 1025, "FcgidMaxProcesses is '1025'. Use a number from 1 to 1024."),
        ("FcgidFixPathinfo", 2, "FcgidFixPathinfo is '2'. Use a number from 0 to 1."),
        ("FcgidIPCDir", "", "FcgidIPCDir is ''. Use a string, as in Apache's configuration."),
        ("FcgidIPCDir", None, "FcgidIPCDir is None. Use a string, as in Apache's configuration."),
        ("FcgidIPCDir", {"a": 1}, "FcgidIPCDir is {'a': 1}. Use a string, as in Apache's configuration."),
        (
            "FcgidCmdOptions",
            "/srv/a IOTimeout 9 MaxProcesses ten",
            "FcgidCmdOptions MaxProcesses is 'ten'. Use a number from 1 to 1024.",
        ),
        (
            "FcgidCmdOptions",
            "/srv/a iotimeout 0",
            "FcgidCmdOptions iotimeout is '0'. Use a number from 1 to 2147483647.",
        ),
        (
            "FcgidCmdOptions",
            '"/srv/a" IOTimeout "9"',
            "FcgidCmdOptions IOTimeout is '\"9\"'. Use a number from 1 to 2147483647.",
        ),
        (
            "FcgidCmdOptions",
            "/srv/a MaxProcesses 9 IOTimeout",
            "FcgidCmdOptions IOTimeout has no value. Set a value for each option, after the command.",
        ),
        (
            "FcgidCmdOptions",
            "/srv/a BusyTimeout 9",
            (
                "FcgidCmdOptions has no option 'BusyTimeout'. Its options are ConnectTimeout, IOTimeout, IdleTimeout,"
                " InitialEnv, MaxProcessLifetime, MaxProcesses, MaxRequestsPerProcess, MinProcesses."
            ),
        ),
        (
            "FcgidInitialEnv",
            "A b\nUser root",
            (
                "The value of FcgidInitialEnv contains a line break, a control character or a trailing backslash."
                " Apache would not read it as one directive. Use a list for several values."
            ),
        ),
        (
            "FcgidInitialEnv",
            "A b\\",
            (
                "The value of FcgidInitialEnv contains a line break, a control character or a trailing backslash."
                " Apache would not read it as one directive. Use a list for several values."
            ),
        ),
    ],
)
def test_value_that_apache_would_misread_is_rejected(name: str, value: object, message: str) -> None:
    with pytest.raises(FcgidError) as error:
        DIRECTIVES[name].format_value(value)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "FcgidWorkers",
            (
                "'FcgidWorkers' is not a directive of mod_fcgid."
                " The directives are listed at https://httpd.apache.org/mod_fcgid/mod/mod_fcgid.html."
            ),
        ),
        (
            "FcgidAuthorizer",
            (
                "FcgidAuthorizer belongs in a <Directory> section, but this file applies to the whole server."
                " Set it where the directory is configured."
            ),
        ),
    ],
)
def test_name_that_cannot_be_set_for_the_server_is_rejected(name: str, message: str) -> None:
    with pytest.raises(FcgidError) as error:
        find_directive(name)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("FcgidProcessLifeTime", "600", 600),
        ("FcgidProcessLifeTime", "6 hours", 6),
        ("FcgidProcessLifeTime", "soon", 0),
        ("FcgidMaxRequestsPerProcess", "-1", -1),
        ("FcgidCmdOptions", "/srv/a   MinProcesses  0", "/srv/a MinProcesses 0"),
        ("FcgidInitialEnv", "MODE  'very big'", "MODE very big"),
    ],
)
def test_values_are_read_as_mod_fcgid_reads_them(name: str, text: str, value: object) -> None:
    assert DIRECTIVES[name].parse_value(text) == value


@pytest.mark.parametrize(
    ("name", "text", "key"),
    [
        ("FcgidProcessLifeTime", "600", ""),
        ("FcgidInitialEnv", 'MODE "very big"', "MODE"),
        ("FcgidPassHeader", "X-Request-Id", "X-Request-Id"),
        ("FcgidCmdOptions", '"/srv/my app.fcgi" MinProcesses 0', "/srv/my app.fcgi"),
        ("FcgidWrapper", '"/usr/bin/choom -n 300 -- /usr/bin/php-cgi" .php', ".php"),
        ("FcgidWrapper", "/usr/bin/php-cgi .php virtual", ".php"),
        ("FcgidWrapper", "/srv/dispatch virtual", ""),
        ("FcgidWrapper", "/srv/dispatch", ""),
    ],
)
def test_key_distinguishes_settings_of_one_directive(name: str, text: str, key: str) -> None:
    assert DIRECTIVES[name].find_key(text) == key


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b", ["a", "b"]),
        ('  "a b"  c', ["a b", "c"]),
        (r'"say \"no\"" c', ['say "no"', "c"]),
        ("'a \"b\"' c", ['a "b"', "c"]),
        (r'"C:\dir" c', [r"C:\dir", "c"]),
        ('"open', ["open"]),
        ("", []),
    ],
)
def test_words_are_split_as_httpd_splits_them(text: str, expected: list[str]) -> None:
    assert split_words(text) == expected


def test_command_has_named_options_and_defaults_for_the_rest() -> None:
    assert parse_command_options(
        '"/srv/my app.fcgi" InitialEnv MODE=x=y initialenv EMPTY minprocesses 1 MaxProcessLifetime 60'
    ) == (
        "/srv/my app.fcgi",
        {
            ("FcgidConnectTimeout", ""): 3,
            ("FcgidIOTimeout", ""): 40,
            ("FcgidIdleTimeout", ""): 300,
            ("FcgidInitialEnv", "MODE"): "MODE x=y",
            ("FcgidInitialEnv", "EMPTY"): "EMPTY",
            ("FcgidMaxProcessesPerClass", ""): 100,
            ("FcgidMaxRequestsPerProcess", ""): 0,
            ("FcgidMinProcessesPerClass", ""): 1,
            ("FcgidProcessLifeTime", ""): 60,
        },
    )


@pytest.mark.parametrize("name", ["MaxProcessCount", "fcgidMAXprocesses", "FcgidMaxProcesses"])
def test_directive_is_found_by_any_name(name: str) -> None:
    assert find_directive(name).name == "FcgidMaxProcesses"


def test_old_names_are_described() -> None:
    assert list(describe_old_names(["FcgidMaxProcesses", "MaxProcessCount"])) == [
        (
            "MaxProcessCount is an old name of mod_fcgid's directive FcgidMaxProcesses. "
            "It was written under its current name."
        )
    ]


@pytest.mark.parametrize(
    ("legacy", "name"),
    [
        ("DefaultMinClassProcessCount", "FcgidMinProcessesPerClass"),
        ("DefaultMaxClassProcessCount", "FcgidMaxProcessesPerClass"),
        ("IPCCommTimeout", "FcgidIOTimeout"),
        ("PHP_Fix_Pathinfo_Enable", "FcgidFixPathinfo"),
        ("SharememPath", "FcgidProcessTableFile"),
        ("FCGIWrapper", "FcgidWrapper"),
        ("FastCgiAuthorizerAuthoritative", "FcgidAuthorizerAuthoritative"),
        ("ProcessLifeTime", "FcgidProcessLifeTime"),
    ],
)
def test_old_names_are_known(legacy: str, name: str) -> None:
    assert BY_ANY_NAME[legacy.lower()].name == name


@pytest.mark.parametrize("name", sorted(DIRECTIVES))
def test_defaults_lie_within_their_range(name: str) -> None:
    directive = DIRECTIVES[name]
    assert directive.range is None or directive.format_value(directive.default) == str(directive.default)
