# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What systemd says about a drop-in before it is installed."""

from __future__ import annotations

import dataclasses
import pathlib
import tempfile
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._command import Completed
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.manager import Systemd
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.model import DropinError, State, Wanted
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.plan import make_plan
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.validate import validate_dropin
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._systemd.factories import (
    CONTINUE,
    WANTED,
    state,
)

FRAGMENT = "/lib/systemd/system/apache2.service"


@dataclasses.dataclass
class Analyze:
    """systemd-analyze with complaints about the candidate, about the unit with it, and about the unit without."""

    candidate: str = ""
    with_it: str = ""
    without: str = ""
    read: list[str] = dataclasses.field(default_factory=list)

    def __call__(self, argv: t.Sequence[str], **options: t.Any) -> Completed:
        if "--version" in argv:
            return Completed(argv=tuple(argv), returncode=0, stdout="systemd 247 (247.3-7+deb11u5)\n", stderr="")
        folder = pathlib.Path(options["environment"]["SYSTEMD_UNIT_PATH"].rstrip(":"))
        self.read.append((folder / argv[-1]).read_text())
        said = self.without
        for file in folder.resolve().rglob("*.conf"):
            said = self.with_it + (f"{file}:4: {self.candidate}\n" if self.candidate else "")
        return Completed(argv=tuple(argv), returncode=0, stdout="", stderr=f"other.service: unrelated\n{said}")


def check(analyze: Analyze, found: State | None = None, wanted: Wanted = WANTED) -> None:
    found = found or state(text=None, fragment=FRAGMENT)
    validate_dropin(make_plan(found, wanted), found, wanted, Systemd(run=analyze))


def test_complaint_about_candidate_is_reported() -> None:
    with pytest.raises(DropinError) as error:
        check(Analyze(candidate="Failed to parse OOM policy, ignoring: bogus"))
    assert str(error.value) == (
        "systemd does not accept the settings for apache2.service (50-oomguard.conf:4: Failed to parse OOM policy,"
        " ignoring: bogus). Nothing was changed. Correct the directive, its section or its value."
    )


def test_complaint_is_reported_once() -> None:
    with pytest.raises(DropinError, match=r"\(Unit apache2\.service is bad\.\)"):
        check(Analyze(with_it="Unit apache2.service is bad.\n" * 9))


def test_temporary_folder_may_be_behind_a_link(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "link"))
    with pytest.raises(DropinError, match=r"\(50-oomguard\.conf:4: Unknown key\)"):
        check(Analyze(candidate="Unknown key"))


@pytest.mark.parametrize(
    "said",
    [
        "Unknown key name 'MemoryZSwapMax' in section 'Service', ignoring.",
        "Unknown key 'MemoryZSwapMax' in section [Service], ignoring.",
        "Unknown lvalue 'MemoryZSwapMax' in section 'Service'",
    ],
)
def test_directive_of_newer_systemd_is_explained(said: str) -> None:
    with pytest.raises(DropinError, match=r"MemoryZSwapMax= requires systemd 253; this host has 247\.$"):
        check(Analyze(candidate=said))


def test_complaint_about_unit_with_dropin_is_reported() -> None:
    with pytest.raises(DropinError, match=r"\(apache2\.service: Service has more than one ExecStart= setting\)"):
        check(Analyze(with_it="apache2.service: Service has more than one ExecStart= setting\n"))


def test_complaint_about_unit_without_dropin_is_ignored() -> None:
    analyze = Analyze(with_it="apache2.service: old\n", without="apache2.service: old\n")
    check(analyze)
    assert len(analyze.read) == 2


@pytest.mark.parametrize("text", ["[Service]\nExecStart=/bin/a\n", ""])
def test_unit_is_copied_beside_candidate(tmp_path: pathlib.Path, text: str) -> None:
    analyze, fragment = Analyze(), tmp_path / "apache2.service"
    fragment.write_text(text)
    check(analyze, state(text=None, fragment=str(fragment) if text else ""))
    # A file of no bytes would be a masked unit, the drop-ins of which are not read.
    assert analyze.read == [text or "[Service]\nExecStart=/bin/true\n"]


def test_private_runtime_folder_keeps_socket_of_user() -> None:
    environments = []

    def run(argv: t.Sequence[str], **options: t.Any) -> Completed:
        environments.append(options["environment"])
        return Completed(argv=tuple(argv), returncode=0, stdout="", stderr="")

    systemd = Systemd(run=run, user=True)
    found = state(text=None, fragment=FRAGMENT)
    validate_dropin(make_plan(found, WANTED), found, WANTED, systemd)
    assert [f"{found['XDG_RUNTIME_DIR']}:" for found in environments] == [environments[0]["SYSTEMD_UNIT_PATH"]]


def test_removal_is_not_validated() -> None:
    analyze = Analyze()
    check(analyze, state(fragment=FRAGMENT), Wanted(unit="apache2.service", present=False))
    assert analyze.read == []


@pytest.mark.parametrize(
    ("folder", "fragment"),
    [
        ("web-.service.d", "[Service]\nExecStart=/bin/true\n"),
        ("service.d", "[Service]\nExecStart=/bin/true\n"),
        ("user-.slice.d", "[Unit]\n"),
        ("session-.scope.d", "[Service]\nExecStart=/bin/true\n"),
    ],
)
def test_shared_dropin_is_checked_with_a_unit_that_it_applies_to(folder: str, fragment: str) -> None:
    analyze = Analyze()
    found = dataclasses.replace(
        state(text=None), path=pathlib.Path("/etc/systemd/system") / folder / "50-oomguard.conf"
    )
    check(analyze, found)
    assert analyze.read == [fragment]


def test_complaint_about_shared_dropin_names_what_was_asked_for() -> None:
    path = pathlib.Path("/etc/systemd/system/worker@.service.d/50-oomguard.conf")
    analyze = Analyze(with_it="Unit worker@oomguard.service has a bad unit file setting.\n")
    with pytest.raises(DropinError, match=r"\(Unit worker@\.service has a bad unit file setting\.\)"):
        check(
            analyze, dataclasses.replace(state(text=None), path=path), Wanted(unit="worker@.service", settings=CONTINUE)
        )


def test_scope_is_checked_as_a_service(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts: list[str] = []

    class Reader(Analyze):
        def __call__(self, argv: t.Sequence[str], **options: t.Any) -> Completed:
            folder = pathlib.Path(options["environment"]["SYSTEMD_UNIT_PATH"].rstrip(":"))
            texts.extend(file.read_text() for file in folder.glob("oomguard.service.d/*.conf"))
            return super().__call__(argv, **options)

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    path = pathlib.Path("/etc/systemd/system/session-.scope.d/50-oomguard.conf")
    wanted = Wanted(unit="session-.scope", settings={"Scope": {"MemoryMax": ["1G"]}})
    check(Reader(), dataclasses.replace(state(text=None), path=path), wanted)
    assert texts[0].endswith("[Service]\nMemoryMax=1G\n")


@pytest.mark.parametrize("unit", ["system.conf", "user.conf"])
@pytest.mark.parametrize(
    ("section", "directive", "value", "message"),
    [
        ("Manager", "DefaultOOMPolicy", "bogus", "systemd does not accept DefaultOOMPolicy=bogus in {}. Nothing was"),
        ("Manager", "DefaultOOMScoreAdjust", "1001", "systemd does not accept DefaultOOMScoreAdjust=1001 in {}. "),
        ("Service", "OOMPolicy", "continue", "{} has no section [Service]. Use the section Manager."),
    ],
)
def test_mistake_in_configuration_of_systemd_is_refused(
    unit: str, section: str, directive: str, value: str, message: str
) -> None:
    with pytest.raises(DropinError) as error:
        check(Analyze(), wanted=Wanted(unit=unit, settings={section: {directive: [value]}}))
    assert str(error.value).startswith(message.format(unit))


@pytest.mark.parametrize(
    ("directive", "value"),
    [("DefaultOOMPolicy", "kill"), ("DefaultOOMPolicy", ""), ("DefaultOOMScoreAdjust", "-1000"), ("LogLevel", "debug")],
)
def test_configuration_of_systemd_is_accepted(directive: str, value: str) -> None:
    analyze = Analyze()
    check(analyze, wanted=Wanted(unit="system.conf", settings={"Manager": {directive: [value]}}))
    assert analyze.read == []
