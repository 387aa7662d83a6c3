# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes as people write and read them."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._size import (
    SizeError,
    format_size,
    parse_limit,
    parse_percentage,
    parse_size,
)


@pytest.mark.parametrize(
    ("text", "percentage"),
    [("1%", 1), (" 50 % ", 50), ("1000%", 1000), ("2G", None), ("", None), ("-5%", None), ("1.5%", None)],
)
def test_percentages_of_the_ram(text: str, percentage: int | None) -> None:
    assert parse_percentage(text) == percentage


@pytest.mark.parametrize("text", ["0%", "1001%", "99999%"])
def test_percentage_out_of_range_is_refused(text: str) -> None:
    with pytest.raises(SizeError) as error:
        parse_percentage(text)
    assert str(error.value) == f"{text} is not a valid part of the RAM. Use a percentage from 1% to 1000%."


@pytest.mark.parametrize(
    ("text", "size"),
    [
        (4096, 4096),
        ("4096", 4096),
        ("10G", 10 * 1024**3),
        ("10GiB", 10 * 1024**3),
        ("10 gib", 10 * 1024**3),
        ("10GB", 10 * 1000**3),
        ("1.5G", 3 * 512 * 1024**2),
        ("512m", 512 * 1024**2),
        ("7B", 7),
        (" 2T ", 2 * 1024**4),
        ("0", 0),
    ],
)
def test_sizes_are_read(text: str | int, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "G", "-1", "1e3", "10X", "10GiBB", "1.0001K", "ten", "1,5G", "٣G", "0x10"])
def test_text_that_is_no_size_is_rejected(text: str) -> None:
    with pytest.raises(SizeError) as error:
        parse_size(text)
    assert str(error.value) == (
        f"{text!r} is not a size. Use a number of bytes, or a number with a unit such as 512M, 10G,"
        " 10GiB (binary) or 10GB (decimal)."
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("512", "limit is 512 bytes, but no process runs in so little memory. Did you mean 512M?"),
        (" 512 ", "limit is 512 bytes, but no process runs in so little memory. Did you mean 512M?"),
        (512, "limit is 512 bytes, but no process runs in so little memory. Did you mean 512M?"),
        ("0", "limit is 0 bytes, but no process runs in so little memory. Set 1.0 MiB or more."),
        ("512K", "limit is 524288 bytes, but no process runs in so little memory. Set 1.0 MiB or more."),
    ],
)
def test_limit_smaller_than_any_process_is_rejected(text: str | int, message: str) -> None:
    with pytest.raises(SizeError) as error:
        parse_limit(text, name="limit")
    assert str(error.value) == message


@pytest.mark.parametrize(("text", "size"), [("1M", 1024**2), ("1048576", 1024**2), ("256M", 256 * 1024**2)])
def test_limits_are_read(text: str, size: int) -> None:
    assert parse_limit(text, name="limit") == size


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (209 * 4 * 1024**2, "836.0 MiB"), (960589 * 4096, "3.7 GiB")],
)
def test_sizes_are_formatted_for_people(size: int, text: str) -> None:
    assert format_size(size) == text


@pytest.mark.parametrize("text", ["9" * 309, "9" * 400 + "G", "1." + "0" * 5000 + "G", "\u0661G"])
def test_number_that_no_size_has_is_no_size(text: str) -> None:
    with pytest.raises(SizeError, match="is not a size"):
        parse_size(text)


@pytest.mark.parametrize("text", ["16E", str(2**64), 2**64])
def test_size_beyond_64_bits_is_too_large(text: str | int) -> None:
    with pytest.raises(SizeError, match=f"'{text}' is too large. Use a size below 16 EiB."):
        parse_size(text)


def test_largest_size_is_accepted() -> None:
    assert parse_size(2**64 - 1) == 2**64 - 1
