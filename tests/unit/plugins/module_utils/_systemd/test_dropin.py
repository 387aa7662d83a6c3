# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked for, what is refused, and the text of the file."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._size import SizeError
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.dropin import (
    MARK,
    DropinError,
    Plan,
    Settings,
    Wanted,
    directives_in,
    render,
)

PATH = pathlib.Path("/etc/systemd/system/apache2.service.d/50-oomguard.conf")
CONTINUE: Settings = {"Service": {"OOMPolicy": ["continue"]}}


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


@pytest.mark.parametrize("directive", ["MemoryMax", "MemoryHigh", "StartupMemoryMax"])
def test_a_limit_without_its_unit_is_refused(directive: str) -> None:
    with pytest.raises(SizeError) as error:
        Wanted(unit="apache2.service", settings={"Service": {directive: ["512"]}})
    assert str(error.value) == (
        f"{directive}= of apache2.service is 512 bytes, and no process runs in so little. Did you mean 512M?"
    )


@pytest.mark.parametrize(
    ("directive", "value"),
    [
        ("MemoryMax", "512M"),
        ("MemoryMax", "10%"),
        ("MemoryMax", "infinity"),
        ("MemoryMax", ""),
        ("MemorySwapMax", "0"),
        ("TasksMax", "512"),
    ],
)
def test_limits_are_accepted(directive: str, value: str) -> None:
    settings = {"Service": {directive: [value]}}
    assert Wanted(unit="apache2.service", settings=settings).settings == settings


def test_a_dropin_with_such_a_limit_can_be_removed() -> None:
    assert not Wanted(unit="a.service", settings={"Service": {"MemoryMax": ["512"]}}, present=False).present


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


def test_the_manager_has_dropins_like_a_unit() -> None:
    assert Wanted(unit="system.conf", settings={"Manager": {"DefaultOOMPolicy": ["continue"]}}).unit == "system.conf"


def test_the_diff_shows_the_file() -> None:
    assert Plan(path=PATH, before=None, after="new").diff == {
        "before_header": str(PATH),
        "after_header": str(PATH),
        "before": "",
        "after": "new",
    }
