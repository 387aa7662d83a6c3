# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The wanted drop-in that is accepted or refused, and the diff of a plan."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._size import SizeError
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.dropin import Settings
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.model import DropinError, Plan, Wanted
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._systemd.factories import CONTINUE, PATH


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
def test_invalid_unit_name_is_refused(unit: str) -> None:
    with pytest.raises(
        DropinError, match=r"is not the name of a unit\. Write the name in full, such as apache2\.service\.$"
    ):
        Wanted(unit=unit, settings=CONTINUE)


@pytest.mark.parametrize(
    "unit", ["apache2.service", "getty@.service", "getty@tty1.service", "a\\x2db.mount", "-.slice", "user@1000.service"]
)
def test_valid_unit_name_is_accepted(unit: str) -> None:
    assert Wanted(unit=unit, settings=CONTINUE).unit == unit


def test_manager_configuration_is_accepted_as_unit() -> None:
    assert Wanted(unit="system.conf", settings={"Manager": {"DefaultOOMPolicy": ["continue"]}}).unit == "system.conf"


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "..", "50-x.conf", "a b"])
def test_invalid_dropin_name_is_refused(name: str) -> None:
    with pytest.raises(DropinError, match=r"is not the name of a drop-in\."):
        Wanted(unit="apache2.service", name=name, settings=CONTINUE)


@pytest.mark.parametrize("value", ["continue\nExecStart=/bin/sh", "a\\", "\x00", "a\rb", "\u2028"])
def test_value_that_would_become_second_directive_is_refused(value: str) -> None:
    with pytest.raises(
        DropinError,
        match=r"^The value of OOMPolicy= in \[Service\] contains a control character or ends in a backslash\.",
    ):
        Wanted(unit="apache2.service", settings={"Service": {"OOMPolicy": [value]}})


@pytest.mark.parametrize(
    "settings", [{"Service]": {"A": ["1"]}}, {"Service": {"A=1\nB": ["1"]}}, {"service": {"A": ["1"]}}]
)
def test_section_or_directive_that_is_no_word_is_refused(settings: Settings) -> None:
    with pytest.raises(DropinError, match=r"= is not a directive in a section\."):
        Wanted(unit="apache2.service", settings=settings)


@pytest.mark.parametrize("directive", ["MemoryMax", "MemoryHigh", "StartupMemoryMax"])
def test_memory_limit_without_size_unit_is_refused(directive: str) -> None:
    with pytest.raises(SizeError) as error:
        Wanted(unit="apache2.service", settings={"Service": {directive: ["512"]}})
    assert str(error.value) == (
        f"{directive}= of apache2.service is 512 bytes, but no process runs in so little memory. Did you mean 512M?"
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
def test_valid_limit_is_accepted(directive: str, value: str) -> None:
    settings = {"Service": {directive: [value]}}
    assert Wanted(unit="apache2.service", settings=settings).settings == settings


def test_dropin_with_tiny_limit_can_be_removed() -> None:
    assert not Wanted(unit="a.service", settings={"Service": {"MemoryMax": ["512"]}}, present=False).present


def test_present_dropin_requires_settings() -> None:
    with pytest.raises(DropinError, match=r"^There are no settings for apache2\.service\."):
        Wanted(unit="apache2.service")


def test_diff_shows_file() -> None:
    assert Plan(path=PATH, before=None, after="new").diff == {
        "before_header": str(PATH),
        "after_header": str(PATH),
        "before": "",
        "after": "new",
    }
