# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The adapter to Apache: our file in its configuration, and what is refused."""

from __future__ import annotations

import dataclasses
import pathlib

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._errors import OomguardError
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.apache import Apache, find_layout
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.config import settings_from
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.directives import FcgidError
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.layout import LAYOUTS, Layout, options_from
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.plan import Wanted, make_plan
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._fcgid.programs import (
    ABSENT,
    NAME,
    OTHER,
    TEXT,
    WANTED,
    Programs,
    converge,
    files,
    sleepless,
)


def test_the_file_is_written_and_linked(apache: Apache, tmp_path: pathlib.Path) -> None:
    converge(apache, WANTED)
    assert files(tmp_path) == {f"conf-available/{NAME}": TEXT, f"conf-enabled/{NAME}": TEXT}


def test_the_link_is_one_that_a2disconf_knows(apache: Apache, tmp_path: pathlib.Path) -> None:
    converge(apache, WANTED)
    assert (tmp_path / "conf-enabled" / NAME).readlink() == pathlib.Path("../conf-available", NAME)


def test_apache_is_told_once_and_last(apache: Apache, programs: Programs) -> None:
    converge(apache, WANTED)
    assert programs.ran == [
        "apache2ctl -t",
        "systemctl is-active",
        "apache2ctl -t",
        "systemctl is-active",
        "systemctl reload",
        *["systemctl is-active"] * 15,
    ]


def test_a_second_run_has_nothing_to_do(apache: Apache) -> None:
    converge(apache, WANTED)
    assert not make_plan(apache.observe(WANTED), WANTED).changed


def test_a_second_run_asks_apache_once(apache: Apache, programs: Programs) -> None:
    converge(apache, WANTED)
    programs.ran.clear()
    apache.observe(WANTED)
    assert programs.ran == ["apache2ctl -t", "systemctl is-active"]


def test_everything_is_removed(apache: Apache, tmp_path: pathlib.Path) -> None:
    converge(apache, WANTED)
    converge(apache, ABSENT)
    assert files(tmp_path) == {}


def test_looking_changes_nothing(apache: Apache, tmp_path: pathlib.Path) -> None:
    make_plan(apache.observe(WANTED), WANTED)
    assert files(tmp_path) == {}


@pytest.mark.parametrize("active", ["inactive", "failed", "activating"])
def test_a_stopped_apache_stays_stopped(apache: Apache, programs: Programs, active: str) -> None:
    programs.active = active
    converge(apache, WANTED)
    assert "systemctl reload" not in programs.ran


def test_without_systemd_nothing_is_asked_of_it(layout: Layout, programs: Programs, tmp_path: pathlib.Path) -> None:
    apache = Apache(layout, run=programs, runtime=tmp_path / "elsewhere")
    converge(apache, WANTED)
    assert programs.ran == ["apache2ctl -t", "apache2ctl -t"]


@pytest.mark.parametrize("want", [WANTED, ABSENT], ids=["present", "absent"])
def test_a_configuration_that_is_broken_already_is_left_alone(
    apache: Apache, programs: Programs, tmp_path: pathlib.Path, want: Wanted
) -> None:
    (tmp_path / "conf-enabled/site.conf").write_text("Nonsense on\n")
    programs.complaints = {"Nonsense on": "Invalid command 'Nonsense'"}
    with pytest.raises(FcgidError) as error:
        apache.observe(want)
    assert str(error.value) == (
        "Apache's configuration does not pass its own test: AH00526: Syntax error on line 1 of"
        f" {tmp_path}/conf-enabled/site.conf: Invalid command 'Nonsense'. Repair it, then run this again."
    )


def test_what_apache_refuses_is_not_even_written(apache: Apache, programs: Programs, tmp_path: pathlib.Path) -> None:
    wanted = Wanted(settings=settings_from({"FcgidIdleTimeout": 9, "FcgidWrapper": "/bin/true .php -"}))
    programs.complaints = {"FcgidWrapper /bin/true .php -": "Invalid wrapper flag"}
    with pytest.raises(FcgidError) as error:
        apache.observe(wanted)
    message = (
        "Apache refuses FcgidWrapper /bin/true .php -: AH00526: Syntax error on line 3 of -c/-C directives:"
        " Invalid wrapper flag. Nothing was changed."
    )
    assert (str(error.value), files(tmp_path)) == (message, {})


def test_a_program_that_does_not_exist_is_told(apache: Apache, tmp_path: pathlib.Path) -> None:
    wrapper = f'"/usr/bin/env -S {tmp_path}/php-cgi" .php'
    with pytest.raises(FcgidError) as error:
        apache.observe(Wanted(settings=settings_from({"FcgidWrapper": wrapper})))
    assert str(error.value) == f"FcgidWrapper names {tmp_path}/php-cgi, which does not exist. Install it first."


@pytest.mark.parametrize(
    ("text", "mode", "problem"),
    [
        ("", 0o644, "which cannot be executed. Give it the mode of a program."),
        (
            '#!/bin/sh\nexec prlimit --as=9 "$@"\n',
            0o755,
            (
                "which starts what it is given, and mod_fcgid gives it nothing."
                " Name the limits and the program themselves: workers writes the form that works."
            ),
        ),
    ],
    ids=["no program", "passes on"],
)
def test_a_program_that_would_not_start_is_told(
    apache: Apache, tmp_path: pathlib.Path, text: str, mode: int, problem: str
) -> None:
    program = tmp_path / "wrap"
    program.write_text(text)
    program.chmod(mode)
    with pytest.raises(FcgidError) as error:
        apache.observe(Wanted(settings=settings_from({"FcgidWrapper": f"{program} .php"})))
    assert str(error.value) == f"FcgidWrapper names {program}, {problem}"


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
def test_a_place_at_which_mod_fcgid_would_end_apache_is_refused(
    apache: Apache, layout: Layout, directive: str, path: str, folder: str
) -> None:
    layout.main.touch()
    place, missing = (text.format(tmp=layout.main.parent) for text in (path, folder))
    with pytest.raises(FcgidError) as error:
        apache.observe(Wanted(settings=settings_from({directive: place})))
    unquoted = place.strip('"')
    message = f"{directive} is {unquoted}, and {missing} is not a folder."
    assert str(error.value) == f"{message} mod_fcgid would end Apache. Make the folder first, or name another."


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
def test_a_place_that_can_be_made_or_that_apache_alone_knows_is_not_refused(
    apache: Apache, tmp_path: pathlib.Path, directive: str, path: str
) -> None:
    wanted = Wanted(settings=settings_from({directive: path.format(tmp=tmp_path)}))
    assert make_plan(apache.observe(wanted), wanted).changed


def test_a_fault_of_our_own_file_is_mended(apache: Apache, programs: Programs, tmp_path: pathlib.Path) -> None:
    converge(apache, OTHER)
    programs.complaints = {"FcgidProcessLifeTime 60": "Something it names is gone"}
    converge(apache, WANTED)
    assert files(tmp_path)[f"conf-enabled/{NAME}"] == TEXT


def test_a_fault_of_our_own_file_goes_with_it(apache: Apache, programs: Programs, tmp_path: pathlib.Path) -> None:
    converge(apache, OTHER)
    programs.complaints = {"FcgidProcessLifeTime 60": "Something it names is gone"}
    converge(apache, ABSENT)
    assert files(tmp_path) == {}


def test_a_fault_of_our_own_file_that_is_asked_for_is_told(
    apache: Apache, programs: Programs, tmp_path: pathlib.Path
) -> None:
    converge(apache, WANTED)
    programs.complaints = {"FcgidProcessLifeTime 600": "Something it names is gone"}
    with pytest.raises(FcgidError) as error:
        converge(apache, WANTED)
    name = f"{tmp_path}/conf-enabled/{NAME}"
    assert str(error.value) == (
        f"Apache refuses {name}: AH00526: Syntax error on line 3 of {name}: Something it names is gone."
        " Change what it is to hold."
    )


def test_what_others_break_meanwhile_has_the_file_put_back(
    apache: Apache, programs: Programs, tmp_path: pathlib.Path
) -> None:
    converge(apache, WANTED)
    plan = make_plan(apache.observe(OTHER), OTHER)
    (tmp_path / "conf-enabled/site.conf").write_text("Nonsense on\n")
    programs.complaints = {"Nonsense on": "Invalid command 'Nonsense'"}
    with pytest.raises(FcgidError, match=r"was put back as it was and Apache was not reloaded\. Repair it"):
        apache.apply(plan, OTHER)
    assert files(tmp_path)[f"conf-available/{NAME}"] == TEXT


def test_a_later_file_that_wins_has_the_file_taken_away_again(apache: Apache, tmp_path: pathlib.Path) -> None:
    (tmp_path / "conf-enabled/zzz.conf").write_text("FcgidProcessLifeTime 44\n")
    with pytest.raises(FcgidError) as error:
        converge(apache, WANTED)
    message = (
        "Not every directive would be in force: FcgidProcessLifeTime is 44 instead of 600 in server config"
        f" ({tmp_path}/conf-enabled/zzz.conf line 1). {tmp_path}/conf-available/{NAME} was put back as it was"
        " and Apache was not reloaded. Change that there, or set allow_overrides where it is meant to differ."
    )
    assert (str(error.value), list(files(tmp_path))) == (message, ["conf-enabled/zzz.conf"])


def test_a_later_file_may_win_where_that_is_allowed(apache: Apache, tmp_path: pathlib.Path) -> None:
    (tmp_path / "conf-enabled/zzz.conf").write_text("FcgidProcessLifeTime 44\n")
    converge(apache, dataclasses.replace(WANTED, allow_overrides=True))
    assert files(tmp_path)[f"conf-enabled/{NAME}"] == TEXT


def test_a_path_that_is_not_read_is_told(layout: Layout, programs: Programs, tmp_path: pathlib.Path) -> None:
    apache = Apache(layout, run=programs, path=tmp_path / "fcgid.conf", runtime=tmp_path / "run", sleep=sleepless)
    with pytest.raises(FcgidError, match=r"^Apache does not read FcgidProcessLifeTime from .*/fcgid\.conf\. "):
        converge(apache, WANTED)
    assert files(tmp_path) == {}


def test_a_path_outside_of_the_available_files_has_no_link(
    layout: Layout, programs: Programs, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "conf-enabled/zx.conf"
    converge(Apache(layout, run=programs, path=path, runtime=tmp_path / "run", sleep=sleepless), WANTED)
    assert files(tmp_path) == {"conf-enabled/zx.conf": TEXT}


def test_another_link_of_our_name_is_left_alone(apache: Apache, tmp_path: pathlib.Path) -> None:
    (tmp_path / "conf-enabled" / NAME).symlink_to("../site.conf")
    (tmp_path / "site.conf").touch()
    with pytest.raises(FcgidError) as error:
        apache.observe(WANTED)
    assert str(error.value) == (
        f"{tmp_path}/conf-enabled/{NAME} is not a link to {tmp_path}/conf-available/{NAME}."
        " Move it away, or choose another path."
    )


def test_a_link_in_the_place_of_the_file_is_refused(apache: Apache, tmp_path: pathlib.Path) -> None:
    (tmp_path / "conf-available" / NAME).symlink_to("/dev/null")
    with pytest.raises(FcgidError) as error:
        apache.observe(WANTED)
    assert str(error.value) == f"{tmp_path}/conf-available/{NAME} is a link. Give the path of the file itself."


def test_a_link_without_its_file_is_completed(apache: Apache, layout: Layout, tmp_path: pathlib.Path) -> None:
    converge(apache, WANTED)
    layout.path.unlink()
    converge(apache, WANTED)
    assert files(tmp_path)[f"conf-enabled/{NAME}"] == TEXT


def test_a_link_that_cannot_be_made_is_told(apache: Apache, layout: Layout, tmp_path: pathlib.Path) -> None:
    plan = make_plan(apache.observe(WANTED), WANTED)
    (tmp_path / "conf-enabled").rmdir()
    with pytest.raises(OomguardError) as error:
        apache.apply(plan, WANTED)
    assert str(error.value) == (
        f"Could not link {tmp_path}/conf-enabled/{NAME} to {layout.path}: No such file or directory."
        f" {layout.path} was put back as it was and Apache was not reloaded."
    )


def test_enterprise_linux_reads_the_file_itself(programs: Programs, tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "conf.d"
    folder.mkdir()
    programs.folder = folder
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    httpd = dataclasses.replace(LAYOUTS[1], main=tmp_path / "httpd.conf", folder=folder)
    converge(Apache(httpd, run=programs, runtime=tmp_path / "run", sleep=sleepless), WANTED)
    assert (files(tmp_path), programs.ran[1], "systemctl reload" in programs.ran) == (
        {f"conf.d/{NAME}": TEXT},
        "httpd -t",
        True,
    )


@pytest.mark.parametrize(("booted", "arguments"), [(True, ["-DA", "-DB=1", "-DFOREGROUND"]), (False, ["-DFOREGROUND"])])
def test_enterprise_linux_is_tested_as_its_unit_starts_it(
    programs: Programs, layout: Layout, tmp_path: pathlib.Path, booted: bool, arguments: list[str]
) -> None:
    programs.environment = 'LANG=C "OPTIONS=-DA -DB=1"'
    httpd = dataclasses.replace(LAYOUTS[1], main=layout.main, folder=tmp_path / "conf-enabled")
    Apache(httpd, run=programs, runtime=tmp_path / ("run" if booted else "elsewhere")).observe(WANTED)
    assert programs.arguments == arguments


def test_debian_is_tested_as_its_program_has_it(apache: Apache, programs: Programs) -> None:
    apache.observe(WANTED)
    assert programs.arguments == []


@pytest.mark.parametrize("environment", ["", "LANG=C", "FOO=-k", "OPTIONS= [unprintable]", '"FOO=it\'s" OPTIONS='])
def test_a_unit_may_have_no_options(environment: str) -> None:
    assert options_from(environment) == []


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ('KEY=secret "OPTIONS=-DA -k stop"', "-DA -k stop"),
        ("OPTIONS=-kstop", "-kstop"),
        (r'"OPTIONS=-c \"A b\""', '-c "A b"'),
        ("LANG=C [unprintable]", "[unprintable]"),
    ],
)
def test_options_that_cannot_be_followed_are_told(environment: str, told: str) -> None:
    with pytest.raises(FcgidError) as error:
        options_from(environment)
    assert str(error.value) == (
        f"The OPTIONS that Apache's unit gives it cannot be followed: {told}."
        " Set OPTIONS there without quotes, backslashes and -k; an old systemctl shows none with a blank."
    )


def test_the_layout_is_known_by_its_main_file(layout: Layout) -> None:
    layout.main.touch()
    assert find_layout([LAYOUTS[1], layout], must=True) == layout


def test_a_host_without_apache_is_told(layout: Layout) -> None:
    with pytest.raises(FcgidError) as error:
        find_layout([layout], must=True)
    assert str(error.value) == (
        f"There is no Apache on this host: neither {layout.main} exists. Install it with mod_fcgid first."
    )


@pytest.mark.parametrize(
    ("layout", "path", "link"),
    [
        (LAYOUTS[0], f"/etc/apache2/conf-available/{NAME}", f"/etc/apache2/conf-enabled/{NAME}"),
        (LAYOUTS[1], f"/etc/httpd/conf.d/{NAME}", "None"),
    ],
    ids=["debian", "enterprise linux"],
)
def test_our_file_has_its_place(layout: Layout, path: str, link: str) -> None:
    assert (str(layout.path), str(layout.link_for(layout.path))) == (path, link)
