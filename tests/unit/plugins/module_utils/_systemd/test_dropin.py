# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planning a drop-in: what is refused, what is written, and who wins over it."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._systemd.dropin import (
    MARK,
    DropinError,
    Plan,
    Settings,
    State,
    Wanted,
    directives_in,
    effective,
    make_plan,
    not_in_force,
    overriding_file,
    render,
    restart_required,
    verify,
)

PATH = pathlib.Path("/etc/systemd/system/apache2.service.d/50-oomguard.conf")
CONTINUE: Settings = {"Service": {"OOMPolicy": ["continue"]}}
TEXT = f"{MARK}\n\n[Service]\nOOMPolicy=continue\n"
WANTED = Wanted(unit="apache2.service", settings=CONTINUE)
LATER = ("/etc/systemd/system/apache2.service.d/60-site.conf", "[Service]\nOOMPolicy = stop\n")


def state(text: str | None = TEXT, policy: str = "continue", **properties: str) -> State:
    return State(
        path=PATH, text=text, dropins=((str(PATH), text or ""), LATER), properties={"OOMPolicy": policy, **properties}
    )


@pytest.mark.parametrize(
    "unit",
    [
        "apache2",
        "",
        "../x.service",
        "a b.service",
        "a%b.service",
        "x.conf",
        "a\n.service",
        "x" * 250 + ".service",
        "/x.service",
    ],
)
def test_what_is_not_a_unit_is_refused(unit: str) -> None:
    with pytest.raises(DropinError, match=r"is not the name of a unit\. Write it in full, such as apache2\.service\.$"):
        Wanted(unit=unit, settings=CONTINUE)


@pytest.mark.parametrize(
    "unit", ["apache2.service", "getty@.service", "getty@tty1.service", "a\\x2db.mount", "-.slice", "user@1000.service"]
)
def test_units_are_accepted(unit: str) -> None:
    assert Wanted(unit=unit, settings=CONTINUE).unit == unit


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "..", "50-x.conf", "a b"])
def test_what_systemd_would_not_read_is_refused_as_a_name(name: str) -> None:
    with pytest.raises(DropinError, match=r"is not the name of a drop-in\."):
        Wanted(unit="apache2.service", name=name, settings=CONTINUE)


@pytest.mark.parametrize("value", ["continue\nExecStart=/bin/sh", "a\\", "\x00", "a\rb", "\u2028"])
def test_a_value_cannot_become_a_second_directive(value: str) -> None:
    with pytest.raises(
        DropinError, match=r"^The value of OOMPolicy= in \[Service\] holds a control character or ends in a backslash\."
    ):
        Wanted(unit="apache2.service", settings={"Service": {"OOMPolicy": [value]}})


@pytest.mark.parametrize(
    "settings", [{"Service]": {"A": ["1"]}}, {"Service": {"A=1\nB": ["1"]}}, {"service": {"A": ["1"]}}]
)
def test_sections_and_directives_are_words(settings: Settings) -> None:
    with pytest.raises(DropinError, match=r"= is not a directive in a section\."):
        Wanted(unit="apache2.service", settings=settings)


def test_settings_are_needed() -> None:
    with pytest.raises(DropinError, match=r"^No settings for apache2\.service were given\."):
        Wanted(unit="apache2.service")


def test_the_file_has_our_mark_and_the_settings_in_order() -> None:
    text = render({"Unit": {"After": ["", "a.service"]}, "Service": {"OOMPolicy": ["continue"]}})
    assert text == f"{MARK}\n\n[Unit]\nAfter=\nAfter=a.service\n\n[Service]\nOOMPolicy=continue\n"


def test_directives_are_read_as_systemd_reads_them() -> None:
    text = "# c\n; c\n[Service]\nOOMPolicy = stop \nExecStart=a \\\n b=c\n\n[Install]\nAlias=x\nnonsense\n"
    assert list(directives_in(text)) == [
        ("Service", "OOMPolicy", "stop"),
        ("Service", "ExecStart", "a   b=c"),
        ("Install", "Alias", "x"),
    ]


def test_what_is_there_already_needs_nothing() -> None:
    assert not make_plan(state(), WANTED).changed


def test_a_new_file_is_written_and_read() -> None:
    assert make_plan(state(text=None), WANTED) == Plan(path=PATH, before=None, after=TEXT, reload=True)


def test_what_systemd_has_not_read_yet_is_read() -> None:
    assert make_plan(state(NeedDaemonReload="yes"), WANTED) == Plan(path=PATH, before=TEXT, after=TEXT, reload=True)


def test_systemd_is_left_alone_where_told_so() -> None:
    assert not make_plan(state(text=None), Wanted(unit="apache2.service", settings=CONTINUE, reload="never")).reload


def test_our_file_is_removed() -> None:
    plan = make_plan(state(), Wanted(unit="apache2.service", present=False))
    assert plan == Plan(path=PATH, before=TEXT, after=None, reload=True)


def test_a_file_that_is_gone_already_needs_nothing() -> None:
    assert not make_plan(state(text=None), Wanted(unit="apache2.service", present=False)).changed


@pytest.mark.parametrize("present", [True, False])
def test_a_foreign_file_is_neither_replaced_nor_removed(present: bool) -> None:
    with pytest.raises(
        DropinError, match=rf"^{PATH} was not written by this module\. Choose another name, or use force"
    ):
        make_plan(state("[Service]\n"), Wanted(unit="apache2.service", settings=CONTINUE, present=present))


def test_force_replaces_a_foreign_file_and_keeps_it() -> None:
    plan = make_plan(state("[Service]\n"), Wanted(unit="apache2.service", settings=CONTINUE, force=True))
    assert plan == Plan(path=PATH, before="[Service]\n", after=TEXT, backup=True, reload=True)


def test_the_diff_shows_the_file() -> None:
    assert make_plan(state(text=None), WANTED).diff == {
        "before_header": str(PATH),
        "after_header": str(PATH),
        "before": "",
        "after": TEXT,
    }


def test_what_is_in_force_is_shown_by_section() -> None:
    settings = {"Service": {"OOMPolicy": ["stop"], "Odd": ["1"]}}
    assert effective(state(), settings) == {"Service": {"OOMPolicy": "continue", "Odd": None}}


def test_seconds_are_asked_for_as_microseconds() -> None:
    settings = {"Service": {"RestartSec": ["5"], "CPUQuota": ["50%"]}}
    shown = effective(state(RestartUSec="5s", CPUQuotaPerSecUSec="500ms"), settings)
    assert shown == {"Service": {"RestartSec": "5s", "CPUQuota": "500ms"}}


def test_what_is_not_in_force_is_named() -> None:
    assert not_in_force(state(policy="stop"), WANTED) == [("Service", "OOMPolicy", "stop")]


def test_the_later_file_wins() -> None:
    assert overriding_file(state(), "Service", "OOMPolicy") == LATER[0]


def test_a_later_file_that_says_nothing_about_it_does_not() -> None:
    assert overriding_file(state(), "Service", "MemoryMax") is None


def test_the_failure_names_the_value_and_the_winner() -> None:
    with pytest.raises(DropinError) as error:
        verify(state(policy="stop"), WANTED)
    assert str(error.value) == (
        f"OOMPolicy= of apache2.service is 'stop' in force, although {PATH} says 'continue'."
        f" {LATER[0]} is read later and wins; change it there."
    )


@pytest.mark.parametrize(
    ("settings", "active", "verdict"),
    [
        (CONTINUE, "active", False),
        ({"Service": {"OOMScoreAdjust": ["-500"]}}, "active", True),
        ({"Service": {"OOMScoreAdjust": ["-500"]}}, "inactive", False),
    ],
)
def test_only_what_processes_get_at_their_start_needs_a_restart(settings: Settings, active: str, verdict: bool) -> None:
    before = state(text=None, ActiveState=active)
    assert restart_required(before, make_plan(before, Wanted(unit="apache2.service", settings=settings))) is verdict
