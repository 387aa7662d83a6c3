# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our file in a configuration that bullseye's Apache 2.4.62 has printed: what is read, who wins, what is planned."""

from __future__ import annotations

import dataclasses
import pathlib
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.config import (
    MARK,
    Configuration,
    Override,
    State,
    Wanted,
    doubts,
    effective,
    make_plan,
    overrides,
    parse_dump,
    render,
    settings_from,
    verify,
)
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.directives import FcgidError

BULLSEYE = parse_dump((pathlib.Path(__file__).parent / "bullseye.dump").read_text())
PATH = pathlib.Path("/etc/apache2/conf-available/zz-oomguard-fcgid.conf")
LINK = pathlib.Path("/etc/apache2/conf-enabled/zz-oomguard-fcgid.conf")
TEXT = f"""{MARK}
<IfModule mod_fcgid.c>
  FcgidIdleScanInterval 120
  FcgidMinProcessesPerClass 0
  FcgidProcessLifeTime 600
</IfModule>
"""


def wanted(**directives: t.Any) -> Wanted:
    return Wanted(settings=settings_from(directives))


def state(configuration: Configuration = BULLSEYE, **changes: t.Any) -> State:
    there = State(path=PATH, link=LINK, text=TEXT, linked=True, configuration=configuration, running=True)
    return dataclasses.replace(there, **changes)


def configuration(text: str, module: str = "fcgid_module") -> Configuration:
    return parse_dump(f"{text}Loaded Modules:\n core_module (static)\n {module} (shared)\n")


OURS = wanted(FcgidIdleScanInterval=120, FcgidMinProcessesPerClass=0, FcgidProcessLifeTime=600)
ABSENT = Wanted(present=False)
QUIET = configuration(
    f"# In file: {LINK}\n#   3:\nFcgidIdleScanInterval 120\n#   4:\nFcgidMinProcessesPerClass 0\n"
    "#   5:\nFcgidProcessLifeTime 600\n"
)
EMPTY = configuration("")


def test_our_file_is_read_only_where_the_module_is_loaded() -> None:
    assert render(OURS.settings) == TEXT


def test_every_setting_of_the_module_is_found_in_its_order() -> None:
    assert [found.setting.directive.name for found in BULLSEYE.occurrences] == [
        "FcgidConnectTimeout",
        "FcgidIdleScanInterval",
        "FcgidMinProcessesPerClass",
        "FcgidProcessLifeTime",
        "FcgidProcessLifeTime",
        "FcgidIOTimeout",
        "FcgidWrapper",
        "FcgidCmdOptions",
        "FcgidMaxProcesses",
    ]


def test_a_setting_knows_its_place() -> None:
    found = BULLSEYE.occurrences[6]
    assert (found.file, found.line, found.setting.sections) == (
        "/etc/apache2/sites-enabled/shop.conf",
        10,
        ("<VirtualHost *:80>", "<Directory /srv>", "<Files hog.fcgi>"),
    )


def test_sections_end() -> None:
    assert BULLSEYE.occurrences[7].setting.sections == ()


def test_modules_are_found() -> None:
    assert {"core_module", "fcgid_module"} <= BULLSEYE.modules


@pytest.mark.parametrize(
    ("directives", "message"),
    [
        ({}, "No directives were given. Give directives, or state: absent."),
        (
            {"FcgidInitialEnv": ["MODE a", "MODE b"]},
            "FcgidInitialEnv is given twice for 'MODE'. The later one would win.",
        ),
        ({"FcgidIdleTimeout": [1, 2]}, "FcgidIdleTimeout is '[1, 2]'. Give a number from 0 to 2147483647."),
    ],
)
def test_what_makes_no_sense_is_refused(directives: dict[str, t.Any], message: str) -> None:
    with pytest.raises(FcgidError) as error:
        wanted(**directives)
    assert str(error.value) == message


def test_several_values_are_several_lines() -> None:
    settings = settings_from({"FcgidPassHeader": ["X-A", "X-B"]})
    assert render(settings).splitlines()[2:4] == ["  FcgidPassHeader X-A", "  FcgidPassHeader X-B"]


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
            {"FcgidWrapper": "/srv/hog.fcgi .fcgi"},
            Override(
                directive="FcgidWrapper",
                wanted="/srv/hog.fcgi .fcgi",
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
    assert overrides(state(), wanted(**directives)) == [override]


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
    assert overrides(state(), wanted(**directives)) == []


def test_a_command_that_we_configure_later_has_our_options() -> None:
    text = (
        "# In file: /etc/apache2/conf-enabled/a.conf\n#  1:\nFcgidCmdOptions /srv/a.fcgi IdleTimeout 9\n"
        f"# In file: {LINK}\n#  3:\nFcgidCmdOptions /srv/a.fcgi MinProcesses 0\n#  4:\nFcgidIdleTimeout 60\n"
    )
    settings = {"FcgidCmdOptions": "/srv/a.fcgi MinProcesses 0", "FcgidIdleTimeout": 60}
    assert overrides(state(configuration(text)), wanted(**settings)) == []


def test_as_long_as_our_file_is_not_there_nothing_counts_as_later() -> None:
    text = "# In file: /etc/apache2/conf-enabled/zzz.conf\n#  1:\nFcgidProcessLifeTime 44\n"
    assert overrides(state(configuration(text)), wanted(FcgidProcessLifeTime=600)) == []


def test_an_override_is_told_in_words() -> None:
    with pytest.raises(FcgidError) as error:
        make_plan(state(), OURS)
    assert str(error.value) == (
        "Not every directive would be in force:"
        " FcgidProcessLifeTime is 86400 instead of 600 in <VirtualHost *:80>"
        " (/etc/apache2/sites-enabled/shop.conf line 5);"
        " FcgidMinProcessesPerClass is 1 instead of 0 in FcgidCmdOptions /srv/hog.fcgi"
        " (/etc/apache2/sites-enabled/shop.conf line 15);"
        " FcgidProcessLifeTime is 3600 instead of 600 in FcgidCmdOptions /srv/hog.fcgi"
        " (/etc/apache2/sites-enabled/shop.conf line 15)."
        " Change that there, or set allow_overrides where it is meant to differ."
    )


def test_an_override_that_is_allowed_is_no_obstacle() -> None:
    assert make_plan(state(), dataclasses.replace(OURS, allow_overrides=True)).changed is False


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
    assert effective(state(), [name]) == {name: value}


def test_all_values_of_a_directive_that_may_be_repeated_are_told() -> None:
    lines = ["FcgidInitialEnv A 1", "PassHeader X-A", "FcgidInitialEnv B 2", "FcgidInitialEnv A 3"]
    text = "".join(f"# {number}:\n{line}\n" for number, line in enumerate(lines, start=1))
    assert effective(state(configuration(text)), ["FcgidInitialEnv"]) == {"FcgidInitialEnv": ["A 3", "B 2"]}


@pytest.mark.parametrize(
    ("there", "want", "changed"),
    [
        (state(QUIET), OURS, False),
        (state(QUIET), wanted(FcgidProcessLifeTime=60), True),
        (state(QUIET, linked=False), OURS, True),
        (state(EMPTY, text=None, linked=False), OURS, True),
        (state(EMPTY, text=None, linked=True), OURS, True),
        (state(QUIET, reload_owed=True), OURS, True),
        (state(QUIET), ABSENT, True),
        (state(EMPTY, text=None, linked=False), ABSENT, False),
        (state(EMPTY, text=None, linked=True), ABSENT, True),
        (state(EMPTY, linked=False), ABSENT, True),
    ],
    ids=[
        "converged",
        "other value",
        "link gone",
        "new",
        "file gone",
        "reload owed",
        "remove",
        "never there",
        "remove link",
        "remove file",
    ],
)
def test_there_is_something_to_do_or_not(there: State, want: Wanted, changed: bool) -> None:
    assert make_plan(there, want).changed is changed


@pytest.mark.parametrize(
    ("there", "want", "reload"),
    [
        (state(QUIET), wanted(FcgidProcessLifeTime=60), True),
        (state(QUIET, running=False), wanted(FcgidProcessLifeTime=60), False),
        (state(QUIET), ABSENT, True),
        (state(EMPTY, linked=False), ABSENT, False),
        (state(EMPTY, linked=False), OURS, True),
        (state(QUIET), OURS, False),
    ],
    ids=["other value", "stopped", "remove", "remove what is not read", "link", "converged"],
)
def test_apache_is_told_of_what_it_reads_and_only_when_it_runs(there: State, want: Wanted, reload: bool) -> None:
    assert make_plan(there, want).reload is reload


@pytest.mark.parametrize(
    ("there", "want", "before", "after"),
    [
        (state(QUIET), OURS, TEXT, TEXT),
        (state(EMPTY, linked=False), OURS, "", TEXT),
        (state(QUIET), ABSENT, TEXT, ""),
    ],
    ids=["converged", "link", "remove"],
)
def test_the_diff_shows_what_apache_reads(there: State, want: Wanted, before: str, after: str) -> None:
    header = str(LINK)
    expected = {"before_header": header, "after_header": header, "before": before, "after": after}
    assert make_plan(there, want).diff == expected


@pytest.mark.parametrize(
    ("there", "want", "message"),
    [
        (
            state(QUIET, text="FcgidProcessLifeTime 60\n"),
            OURS,
            f"{PATH} was not written by this module. Move it away, or choose another path.",
        ),
        (
            state(QUIET, text=""),
            ABSENT,
            f"{PATH} was not written by this module. Move it away, or choose another path.",
        ),
        (
            state(configuration("", module="mime_module")),
            OURS,
            (
                "Apache does not load mod_fcgid."
                " Install and enable it first: libapache2-mod-fcgid on Debian, mod_fcgid on Enterprise Linux."
            ),
        ),
    ],
    ids=["another's file", "another's empty file", "no module"],
)
def test_what_cannot_be_done_is_refused(there: State, want: Wanted, message: str) -> None:
    with pytest.raises(FcgidError) as error:
        make_plan(there, want)
    assert str(error.value) == message


def test_our_file_can_be_removed_without_the_module() -> None:
    assert make_plan(state(configuration("", module="mime_module")), ABSENT).changed


def test_a_file_that_apache_does_not_read_is_not_in_force() -> None:
    with pytest.raises(FcgidError) as error:
        verify(state(EMPTY), OURS)
    assert str(error.value) == (
        f"Apache does not read FcgidIdleScanInterval from {LINK}."
        " Choose a path that its configuration includes, after the place where it loads mod_fcgid."
    )


def test_variables_of_apache_may_be_used() -> None:
    text = f"# In file: {LINK}\n#  3:\nFcgidIPCDir /run/apache2/fcgid\n"
    verify(state(configuration(text)), wanted(FcgidIPCDir="${APACHE_RUN_DIR}/fcgid"))


def test_hostile_names_are_made_harmless() -> None:
    override = Override("FcgidProcessLifeTime", 600, 60, "/srv/\x1b[2J{{ x }}.conf", 1, "<VirtualHost *:80>")
    assert str(override) == (
        "FcgidProcessLifeTime is 60 instead of 600 in <VirtualHost *:80> (/srv/\\x1b[2J\\x7b{ x }}.conf line 1)"
    )


@pytest.mark.parametrize("cut", range(0, 900, 7))
def test_a_dump_that_is_cut_off_anywhere_is_read_as_far_as_it_goes(cut: int) -> None:
    text = (pathlib.Path(__file__).parent / "bullseye.dump").read_text()
    assert len(parse_dump(text[:cut]).occurrences) <= len(BULLSEYE.occurrences)


@pytest.mark.parametrize("name", ["FcgidIdleTimeout", "FcgidProcessLifeTime"])
def test_a_lifetime_that_the_last_workers_do_not_have_is_told(name: str) -> None:
    doubt = (
        f"{name} does not end the last 3 workers of each class, which mod_fcgid keeps for ever;"
        " set FcgidMinProcessesPerClass to 0 to have them go as well."
    )
    assert doubts(state(EMPTY), wanted(**{name: 600})) == [doubt]


@pytest.mark.parametrize("want", [OURS, wanted(FcgidIOTimeout=90), ABSENT], ids=["no minimum", "no lifetime", "absent"])
def test_there_is_no_doubt(want: Wanted) -> None:
    assert doubts(state(QUIET), want) == []
