# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Forms of fstab: only our line changes."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._swap.fstab import (
    disable_swap_lines,
    edit_swap_lines,
    escape_field,
    read_swap_options,
    unescape_field,
)

OURS = {"/swapfile": "sw,nofail"}
LINE = "/swapfile none swap sw,nofail 0 0\n"

DEBIAN = """\
# /etc/fstab: static file system information.
#
# <file system> <mount point>   <type>  <options>       <dump>  <pass>
UUID=8b1c-22 /               ext4    errors=remount-ro 0       1
UUID=11aa-ff none            swap    sw              0       0
"""

# Each stays unchanged, and our line is added after it.
FOREIGN = {
    "debian": DEBIAN,
    "empty": "",
    "comments": "# /swapfile none swap sw 0 0\n#/swapfile none swap\n",
    "tabs": "LABEL=root\t/\text4\tdefaults\t0\t1\n",
    "crlf": "LABEL=root / ext4 defaults 0 1\r\nLABEL=swap none swap sw 0 0\r\n",
    "malformed": "what is this\n/swapfile\n/swapfile none\n   \n",
    "not utf-8": "LABEL=\udcff / ext4 defaults 0 1\n",
    "form feed and line separator": "LABEL=a / ext4 defaults 0 1\n# \x0c \u2028 \x85\n",
    "other files": "/swapfile.old none swap sw 0 0\n/srv/swapfile none swap sw 0 0\n/dev/zram0 none swap pri=100 0 0\n",
    "escaped blank": "/swap\\040file none swap sw 0 0\n",
    "bind mount of the same path": "/swapfile /mnt none bind 0 0\n",
}

# Each already has the requested line, and stays unchanged.
PRESENT = {
    "plain": LINE,
    "tabs and blanks": "/swapfile\tnone  swap \t sw,nofail\t0 0\n",
    "without dump and pass": "/swapfile none swap sw,nofail\n",
    "with a comment": "/swapfile none swap sw,nofail 0 0 # ours\n",
    "escaped": "/swap\\146ile none swap sw,nofail 0 0\n",
    "no final newline": "/swapfile none swap sw,nofail 0 0",
    "crlf": "/swapfile none swap sw,nofail 0 0\r\n",
}


@pytest.mark.parametrize("text", FOREIGN.values(), ids=FOREIGN.keys())
def test_line_is_added_and_nothing_else_changes(text: str) -> None:
    assert edit_swap_lines(text, wanted=OURS, unwanted={}) == text + LINE


@pytest.mark.parametrize("text", FOREIGN.values(), ids=FOREIGN.keys())
def test_added_line_is_removed_and_nothing_else_changes(text: str) -> None:
    assert edit_swap_lines(text + LINE, wanted={}, unwanted=["/swapfile"]) == text


@pytest.mark.parametrize("text", PRESENT.values(), ids=PRESENT.keys())
def test_correct_line_keeps_its_form(text: str) -> None:
    assert edit_swap_lines(text, wanted=OURS, unwanted={}) == text


def test_missing_final_newline_is_added_before_the_line() -> None:
    assert (
        edit_swap_lines("LABEL=root / ext4 defaults 0 1", wanted=OURS, unwanted={})
        == "LABEL=root / ext4 defaults 0 1\n" + LINE
    )


@pytest.mark.parametrize(
    "text",
    ["/swapfile none swap sw 0 0\n", "/swapfile none swap sw,nofail,pri=5 0 0\n", "/swapfile none swap\n", LINE + LINE],
    ids=["without nofail", "another priority", "without options", "twice"],
)
def test_one_correct_line_replaces_wrong_ones_in_place(text: str) -> None:
    assert edit_swap_lines(f"# a\n{text}# b\n", wanted=OURS, unwanted={}) == f"# a\n{LINE}# b\n"


def test_several_lines_are_edited_at_once() -> None:
    text = edit_swap_lines(LINE + "# a\n", wanted={"/swapfile.1": "sw,nofail"}, unwanted=["/swapfile"])
    assert text == "# a\n/swapfile.1 none swap sw,nofail 0 0\n"


def test_removing_the_only_line_leaves_an_empty_table() -> None:
    assert edit_swap_lines(LINE.rstrip(), wanted={}, unwanted=["/swapfile"]) == ""


def test_only_line_is_replaced_by_another() -> None:
    line = {"/swap file": "sw,nofail,pri=7"}
    assert (
        edit_swap_lines(LINE.rstrip(), wanted=line, unwanted=["/swapfile"])
        == "/swap\\040file none swap sw,nofail,pri=7 0 0\n"
    )


@pytest.mark.parametrize(
    ("path", "field"), [("/a b", "/a\\040b"), ("/a\tb", "/a\\011b"), ("/a\\b", "/a\\134b"), ("/ä", "/ä")]
)
def test_paths_are_escaped(path: str, field: str) -> None:
    assert escape_field(path) == field


@pytest.mark.parametrize("path", ["/a b", "/a\tb", "/a\\040b", "/ä", "/swapfile"])
def test_escaping_loses_nothing(path: str) -> None:
    assert unescape_field(escape_field(path)) == path


def test_removed_last_line_without_newline_keeps_the_newline_before_it() -> None:
    assert edit_swap_lines(f"# first\n{LINE.rstrip()}", wanted={}, unwanted=["/swapfile"]) == "# first\n"


@pytest.mark.parametrize(
    ("line", "options"),
    [
        (LINE, {"/swapfile": "sw,nofail"}),
        ("UUID=5\tnone\tswap\n", {"UUID=5": ""}),
        ("  /a\\040b none swap sw,pri=1 0 0 # comment", {"/a b": "sw,pri=1"}),
        ("/a none swap ", {"/a": ""}),
        ("#/swapfile none swap sw 0 0\n", {}),
        ("  # /swapfile none swap sw 0 0\n", {}),
        ("/dev/vda / ext4 swap 0 0\n", {}),
        ("/a none swapfs sw\n", {}),
        ("/swapfile swap\n", {}),
        ("swap swap\n", {}),
        ("\n", {}),
    ],
)
def test_options_of_swap_lines(line: str, options: dict[str, str]) -> None:
    assert read_swap_options(f"# before\n{line}") == options


def test_swap_lines_become_comments() -> None:
    text = "LABEL=root / ext4 defaults 0 1\n# old none swap sw\n/dev/vda5\tnone swap sw\nUUID=5 swap swap noauto 0 0"
    disabled = (
        "LABEL=root / ext4 defaults 0 1\n# old none swap sw\n"
        "# Disabled by oomguard.linux.swap: /dev/vda5\tnone swap sw\n"
        "# Disabled by oomguard.linux.swap: UUID=5 swap swap noauto 0 0"
    )
    assert disable_swap_lines(text) == disable_swap_lines(disabled) == disabled
