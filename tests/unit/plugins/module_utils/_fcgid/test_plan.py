# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan from the state of a host to what is wanted, and what is rejected."""

from __future__ import annotations

import dataclasses
import textwrap

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.directives import FcgidError
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.plan import (
    OverriddenError,
    State,
    Wanted,
    make_plan,
    verify,
)
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.wrapper import make_wrapper
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._fcgid.configurations import (
    ABSENT,
    EMPTY,
    LINK,
    OURS,
    PATH,
    QUIET,
    TEXT,
    configuration,
    state,
    wanted,
)


def test_overrides_are_rejected() -> None:
    with pytest.raises(FcgidError) as error:
        make_plan(state(), OURS)
    assert str(error.value) == (
        "Some directives would not be in force:"
        " FcgidMinProcessesPerClass is 1 instead of 0 in FcgidCmdOptions /srv/hog.fcgi"
        " (/etc/apache2/sites-enabled/shop.conf line 15);"
        " FcgidProcessLifeTime is 3600 instead of 600 in FcgidCmdOptions /srv/hog.fcgi"
        " (/etc/apache2/sites-enabled/shop.conf line 15)."
        " Change these settings there, or set allow_overrides if they are meant to differ."
    )


def test_many_overrides_are_three_places_and_data() -> None:
    site = "#  1:\n<VirtualHost *:80>\n#  2:\n  FcgidMinProcessesPerClass 5\n</VirtualHost>\n"
    files = [f"# In file: /etc/apache2/sites-enabled/{number:03}.conf\n{site}" for number in range(300)]
    there = state(configuration("".join(files)), text=None, linked=False)
    with pytest.raises(OverriddenError) as error:
        make_plan(there, OURS)
    place = (
        "FcgidMinProcessesPerClass is 5 instead of 0 in <VirtualHost *:80> (/etc/apache2/sites-enabled/{}.conf line 2)"
    )
    assert error.value.problem == (
        f"Some directives would not be in force: {place.format('000')}; {place.format('001')}; {place.format('002')};"
        " and 297 more, which overridden_by lists."
    )
    assert len(error.value.overrides) == 300


def test_harmless_overrides_are_accepted() -> None:
    site = (
        "# In file: /etc/apache2/sites-enabled/a.conf\n#  1:\n<VirtualHost *:80>\n#  2:\n  FcgidProcessLifeTime 3600\n"
    )
    assert make_plan(state(configuration(site), text=None, linked=False), OURS).changed


def test_overrides_can_be_allowed() -> None:
    assert make_plan(state(), dataclasses.replace(OURS, allow_overrides=True)).changed is False


def test_missing_directives_are_rejected() -> None:
    with pytest.raises(FcgidError) as error:
        wanted()
    assert str(error.value) == "No directives are set. Set directives, workers, or state: absent."


def test_contradiction_is_rejected() -> None:
    with pytest.raises(FcgidError, match=r"^FcgidMaxProcessesPerClass 100 is more than FcgidMaxProcesses 64\. "):
        make_plan(state(), wanted(FcgidMaxProcessesPerClass=100))


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
def test_plan_changes_what_differs(there: State, want: Wanted, changed: bool) -> None:
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
def test_apache_is_reloaded_if_it_runs_and_reads_the_change(there: State, want: Wanted, reload: bool) -> None:
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
def test_diff_shows_what_apache_reads(there: State, want: Wanted, before: str, after: str) -> None:
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
def test_impossible_change_is_rejected(there: State, want: Wanted, message: str) -> None:
    with pytest.raises(FcgidError) as error:
        make_plan(there, want)
    assert str(error.value) == message


def test_our_file_can_be_removed_without_the_module() -> None:
    assert make_plan(state(configuration("", module="mime_module")), ABSENT).changed


def test_file_that_apache_does_not_read_is_not_in_force() -> None:
    with pytest.raises(FcgidError) as error:
        verify(state(EMPTY), OURS)
    assert str(error.value) == (
        f"Apache does not read FcgidIdleScanInterval from {LINK}."
        " Choose a path that Apache's configuration includes after the place where it loads mod_fcgid."
    )


IN_SECTIONS = Wanted(settings=(make_wrapper({"script": "/srv/hog.fcgi", "oom_score_adjust": 9}),))
WRAPPER = '<Directory "/srv">\n  #   3:\n  <Files "hog.fcgi">\n    #   4:\n    FcgidWrapper /srv/hog.fcgi .fcgi\n'


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("  #   3:\n  FcgidIdleTimeout 7\n", wanted(FcgidIdleTimeout=7)),
        (textwrap.indent(f"#   2:\n{WRAPPER}  </Files>\n</Directory>\n", "  "), IN_SECTIONS),
    ],
    ids=["whole server", "script"],
)
def test_file_that_is_read_only_inside_a_section_is_rejected(text: str, want: Wanted) -> None:
    read = configuration(f"# In file: {LINK}\n#   1:\n<VirtualHost *:80>\n{text}</VirtualHost>\n")
    with pytest.raises(FcgidError) as error:
        verify(state(read), want)
    assert str(error.value) == (
        f"Apache reads {LINK} inside <VirtualHost *:80>, so it would not apply to the whole server."
        " Choose a path that Apache's configuration includes outside of any section."
    )


def test_file_that_is_also_read_inside_a_section_is_in_force() -> None:
    inside = "#   1:\n<VirtualHost *:80>\n  #   3:\n  FcgidIdleTimeout 7\n</VirtualHost>\n"
    read = configuration(f"# In file: {LINK}\n#   3:\nFcgidIdleTimeout 7\n{inside}")
    verify(state(read), wanted(FcgidIdleTimeout=7))


def test_wrapper_of_a_script_is_verified_in_its_sections() -> None:
    verify(state(configuration(f"# In file: {LINK}\n#   2:\n{WRAPPER}  </Files>\n</Directory>\n")), IN_SECTIONS)


def test_value_can_contain_variables_of_apache() -> None:
    text = f"# In file: {LINK}\n#  3:\nFcgidIPCDir /run/apache2/fcgid\n"
    verify(state(configuration(text)), wanted(FcgidIPCDir="${APACHE_RUN_DIR}/fcgid"))
