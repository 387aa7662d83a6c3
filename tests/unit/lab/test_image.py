# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest
from lab.image import build_mmdebstrap_argv, make_image_key
from lab.layer import File
from lab.releases import RELEASES, Release

FSTAB = File(path="etc/fstab", content="/dev/vda / ext4\n")


def test_key_begins_with_release() -> None:
    assert make_image_key(RELEASES["trixie"], (FSTAB,)).startswith("trixie-")


def test_key_is_the_same_for_the_same_content() -> None:
    assert make_image_key(Release(name="sid"), (FSTAB,)) == make_image_key(Release(name="sid"), (FSTAB,))


@pytest.mark.parametrize(
    ("release", "file"),
    [
        pytest.param(Release(name="sid", without_suites=("sid-security",)), FSTAB, id="suites"),
        pytest.param(Release(name="sid", downloads=("systemd-oomd",)), FSTAB, id="downloads"),
        pytest.param(Release(name="sid"), File(path="etc/fstab", content="/dev/vda / xfs\n"), id="content"),
        pytest.param(Release(name="sid"), File(path="etc/mtab", content=FSTAB.content), id="path"),
        pytest.param(Release(name="sid"), File(path="etc/fstab", content=FSTAB.content, mode=0o600), id="mode"),
        pytest.param(Release(name="sid"), File(path="etc/fstab", target="/dev/null"), id="link"),
    ],
)
def test_key_depends_on_all_content(release: Release, file: File) -> None:
    assert make_image_key(release, (file,)) != make_image_key(Release(name="sid"), (FSTAB,))


def test_unused_suites_are_removed_before_download() -> None:
    argv = build_mmdebstrap_argv(RELEASES["bullseye"], layer=Path("layer.tar"), archive=Path("root.tar"))
    assert "--setup-hook=sed -i '/ bullseye-security /d' \"$1/etc/apt/sources.list\"" in argv


def test_path_of_layer_is_quoted() -> None:
    argv = build_mmdebstrap_argv(RELEASES["trixie"], layer=Path("/a b/layer.tar"), archive=Path("root.tar"))
    assert "--essential-hook=tar-in '/a b/layer.tar' /" in argv


def test_lists_of_a_suite_that_changes_may_be_old() -> None:
    argv = build_mmdebstrap_argv(RELEASES["sid"], layer=Path("layer.tar"), archive=Path("root.tar"))
    assert '--aptopt=Acquire::Check-Valid-Until "false"' in argv


def test_downloads_are_not_installed() -> None:
    release = Release(name="sid", downloads=("systemd-oomd",))
    argv = build_mmdebstrap_argv(release, layer=Path("layer.tar"), archive=Path("root.tar"))
    (hook,) = (argument for argument in argv if argument.startswith("--customize-hook="))
    (included,) = (argument for argument in argv if argument.startswith("--include="))
    assert ("--download-only" in hook, "systemd-oomd" in included) == (True, False)


def test_release_and_archive_are_last_arguments() -> None:
    argv = build_mmdebstrap_argv(RELEASES["trixie"], layer=Path("layer.tar"), archive=Path("root.tar"))
    assert argv[-2:] == ["trixie", "root.tar"]
