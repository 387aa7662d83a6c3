# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from pathlib import Path

import pytest
from lab.accel import choose, recall
from lab.errors import LabError
from lab.qemu import Accel


class Trial:
    """Return whether KVM boots, and record that the trial was made."""

    def __init__(self, *, boots: bool) -> None:
        self.boots = boots
        self.made = False

    def __call__(self) -> bool:
        self.made = True
        return self.boots


@pytest.mark.parametrize(
    ("wanted", "usable", "remembered", "boots", "accel"),
    [
        pytest.param("kvm", False, "tcg", False, "kvm", id="kvm is wanted"),
        pytest.param("tcg", True, "kvm", True, "tcg", id="tcg is wanted"),
        pytest.param(None, False, "kvm", True, "tcg", id="no access to kvm"),
        pytest.param(None, True, "kvm", False, "kvm", id="kvm is known to work"),
        pytest.param(None, True, "tcg", True, "tcg", id="kvm is known not to work"),
        pytest.param(None, True, None, True, "kvm", id="kvm boots"),
        pytest.param(None, True, None, False, "tcg", id="kvm does not boot"),
        pytest.param("", True, None, True, "kvm", id="an empty variable is ignored"),
    ],
)
def test_choose(*, wanted: str | None, usable: bool, remembered: Accel | None, boots: bool, accel: Accel) -> None:
    assert choose(wanted=wanted, usable=usable, remembered=remembered, trial=Trial(boots=boots)) == accel


@pytest.mark.parametrize(
    ("wanted", "usable", "remembered", "made"),
    [
        pytest.param("kvm", True, None, False, id="wanted"),
        pytest.param(None, False, None, False, id="no access"),
        pytest.param(None, True, "tcg", False, id="known"),
        pytest.param(None, True, None, True, id="unknown"),
    ],
)
def test_trial_is_made_only_if_nothing_else_decides(
    *, wanted: str | None, usable: bool, remembered: Accel | None, made: bool
) -> None:
    trial = Trial(boots=True)
    choose(wanted=wanted, usable=usable, remembered=remembered, trial=trial)
    assert trial.made == made


def test_choose_rejects_unknown_accelerator() -> None:
    with pytest.raises(LabError) as error:
        choose(wanted="xen", usable=True, remembered=None, trial=Trial(boots=True))
    assert str(error.value) == "OOMGUARD_ACCEL is 'xen'.\nSet it to kvm or tcg, or unset it."


@pytest.mark.parametrize(
    ("text", "accel"),
    [
        pytest.param(json.dumps({"host": "here", "accel": "kvm"}), "kvm", id="this host"),
        pytest.param(json.dumps({"host": "there", "accel": "kvm"}), None, id="another host"),
        pytest.param("{", None, id="truncated"),
        pytest.param("{}", None, id="empty"),
    ],
)
def test_recall(tmp_path: Path, text: str, accel: Accel | None) -> None:
    memory = tmp_path / "accel.json"
    memory.write_text(text, encoding="utf-8")
    assert recall(memory, "here") == accel


def test_recall_without_file(tmp_path: Path) -> None:
    assert recall(tmp_path / "accel.json", "here") is None
