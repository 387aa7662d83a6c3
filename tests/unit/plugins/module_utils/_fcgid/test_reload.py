# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reload of Apache: one that fails, one that ends it, and one that is owed."""

from __future__ import annotations

import dataclasses
import pathlib
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._command import Completed
from ansible_collections.oomguard.linux.plugins.module_utils._errors import OomguardError
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.apache import Apache
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.directives import FcgidError
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.layout import Layout
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.plan import make_plan
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._fcgid.programs import (
    NAME,
    OTHER,
    TEXT,
    WANTED,
    Programs,
    converge,
    files,
    sleepless,
)


def test_a_failed_reload_is_told(apache: Apache, programs: Programs) -> None:
    programs.reload_status = 1
    with pytest.raises(OomguardError) as error:
        converge(apache, WANTED)
    assert str(error.value) == (
        "Could not have apache2.service read its configuration again: systemctl ended with status 1 (Job failed.)."
        " The new configuration passed Apache's test and stays on the disk; the next run tries again."
    )


@pytest.mark.parametrize(
    ("reload_status", "fate"), [(0, ["active", "failed"]), (0, ["reloading", "deactivating"]), (1, ["activating"])]
)
def test_an_apache_that_ends_on_the_reload_is_started_as_it_was(
    apache: Apache, programs: Programs, layout: Layout, reload_status: int, fate: list[str]
) -> None:
    converge(apache, WANTED)
    programs.ran.clear()
    programs.fate, programs.reload_status = fate, reload_status
    with pytest.raises(FcgidError) as error:
        converge(apache, OTHER)
    assert str(error.value) == (
        "apache2.service ended when it read its configuration again, though that had passed Apache's test."
        f" {layout.path} was put back as it was and apache2.service was started again."
        " Apache's error log has the reason."
    )
    assert (layout.path.read_text(), programs.ran[-1]) == (TEXT, "systemctl start")


def test_an_apache_that_cannot_be_started_again_is_told(
    apache: Apache, programs: Programs, tmp_path: pathlib.Path
) -> None:
    programs.fate, programs.start_status = ["active", "failed"], 1
    with pytest.raises(OomguardError) as error:
        converge(apache, WANTED)
    assert str(error.value) == (
        "Could not start apache2.service again: systemctl ended with status 1 (Job failed.)."
        " apache2.service ended when it read its configuration again, though that had passed Apache's test."
        f" {tmp_path}/conf-available/{NAME} was put back as it was."
    )
    assert files(tmp_path) == {}


def test_a_reload_that_is_owed_is_made_up_for(apache: Apache, programs: Programs) -> None:
    programs.reload_status = 1
    with pytest.raises(OomguardError):
        converge(apache, WANTED)
    programs.reload_status = 0
    converge(apache, WANTED)
    assert not make_plan(apache.observe(WANTED), WANTED).changed


@dataclasses.dataclass
class CutOff:
    """Programs that end this run, as a power cut would, as soon as the given one is run for the given time."""

    programs: Programs
    command: str
    time: int

    def __call__(self, argv: t.Sequence[str], **options: t.Any) -> Completed:
        done = self.programs(argv, **options)
        if self.programs.ran.count(self.command) == self.time and self.programs.ran[-1] == self.command:
            raise KeyboardInterrupt
        return done


@pytest.mark.parametrize(
    ("command", "time"), [("apache2ctl -t", 2), ("systemctl is-active", 2), ("systemctl reload", 1)]
)
def test_a_run_that_is_cut_off_is_carried_on(
    layout: Layout, programs: Programs, tmp_path: pathlib.Path, command: str, time: int
) -> None:
    cut_off = Apache(layout, run=CutOff(programs, command, time), runtime=tmp_path / "run", sleep=sleepless)
    with pytest.raises(KeyboardInterrupt):
        converge(cut_off, WANTED)
    programs.ran.clear()
    converge(Apache(layout, run=programs, runtime=tmp_path / "run", sleep=sleepless), WANTED)
    assert "systemctl reload" in programs.ran
