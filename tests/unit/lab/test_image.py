# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest
from lab.image import image_key, mmdebstrap_argv
from lab.layer import File
from lab.releases import RELEASES, Release

FSTAB = File(path="etc/fstab", content="/dev/vda / ext4\n")


def test_key_is_named_after_the_release() -> None:
    assert image_key(RELEASES["trixie"], (FSTAB,)).startswith("trixie-")


def test_key_is_the_same_for_the_same_ingredients() -> None:
    assert image_key(Release(name="sid"), (FSTAB,)) == image_key(Release(name="sid"), (FSTAB,))


@pytest.mark.parametrize(
    ("release", "file"),
    [
        pytest.param(Release(name="sid", without_suites=("sid-security",)), FSTAB, id="suites"),
        pytest.param(Release(name="sid"), File(path="etc/fstab", content="/dev/vda / xfs\n"), id="content"),
        pytest.param(Release(name="sid"), File(path="etc/mtab", content=FSTAB.content), id="path"),
        pytest.param(Release(name="sid"), File(path="etc/fstab", content=FSTAB.content, mode=0o600), id="mode"),
        pytest.param(Release(name="sid"), File(path="etc/fstab", target="/dev/null"), id="link"),
    ],
)
def test_key_changes_with_each_ingredient(release: Release, file: File) -> None:
    assert image_key(release, (file,)) != image_key(Release(name="sid"), (FSTAB,))


def test_suites_of_no_use_are_taken_out_before_anything_is_fetched() -> None:
    argv = mmdebstrap_argv(RELEASES["bullseye"], layer=Path("layer.tar"), archive=Path("root.tar"))
    assert "--setup-hook=sed -i '/ bullseye-security /d' \"$1/etc/apt/sources.list\"" in argv


def test_the_layer_may_lie_under_any_name() -> None:
    argv = mmdebstrap_argv(RELEASES["trixie"], layer=Path("/a b/layer.tar"), archive=Path("root.tar"))
    assert "--essential-hook=tar-in '/a b/layer.tar' /" in argv


def test_release_and_archive_come_last() -> None:
    argv = mmdebstrap_argv(RELEASES["trixie"], layer=Path("layer.tar"), archive=Path("root.tar"))
    assert argv[-2:] == ["trixie", "root.tar"]
