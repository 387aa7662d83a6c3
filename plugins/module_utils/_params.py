# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check the parameters of a module before it uses them: texts that no host accepts, and numbers out of range."""

from __future__ import annotations

import re
import typing as t

from ._errors import OomguardError

Options = t.Mapping[str, t.Mapping[str, t.Any]]
"""The options of a module by name, as in its argument spec."""

# The limits of Linux for a path with its NUL, and for a name in it (PATH_MAX and NAME_MAX in linux/limits.h).
_LONGEST_PATH = 4095
LONGEST_NAME = 255
# journald appends a namespace to the machine ID in the names of its folders.
LONGEST_NAMESPACE = LONGEST_NAME - 33
# The kernel accepts arguments of programs up to 128 KiB (MAX_ARG_STRLEN).
_LONGEST_TEXT = 65_536
# These code points are no characters: they stand for bytes that are not UTF-8, or for halves of characters.
_SURROGATE = re.compile("[\ud800-\udfff]")


class ParameterError(OomguardError):
    """A parameter has a value that the module cannot use."""


def check_texts(params: t.Mapping[str, t.Any], options: Options) -> None:
    """Reject texts and paths that no program and no file can have. Raises ParameterError."""
    for name, text, is_path in _iter_texts("", params, {"options": options}):
        _check_text(name, text)
        if is_path:
            check_name(name, text)


def _iter_texts(name: str, value: t.Any, option: t.Mapping[str, t.Any]) -> t.Iterator[tuple[str, str, bool]]:
    """Yield the texts in the value of an option: the name of the option, the text, and whether it is a path."""
    if isinstance(value, str):
        is_path = "path" in (option.get("type"), option.get("elements"))
        yield name, value, is_path

    if isinstance(value, list):
        for item in value:
            yield from _iter_texts(name, item, option)

    if isinstance(value, dict):
        yield from _iter_texts(name, list(value), {})
        yield from _iter_items(name, value, option.get("options") or {})


def _iter_items(name: str, mapping: t.Mapping[str, t.Any], options: Options) -> t.Iterator[tuple[str, str, bool]]:
    """Yield the texts in the items of a mapping. The keys of a mapping without options are data."""
    for key, item in mapping.items():
        option = options.get(key)
        if option is None:
            yield from _iter_texts(name, item, {})
        else:
            yield from _iter_texts(key, item, option)


def check_name(name: str, text: str, *, longest: int = LONGEST_NAME) -> None:
    """Reject a path that is too long, or has a name of over `longest` bytes in it. Raises ParameterError."""
    path = text.encode("utf-8")
    if len(path) > _LONGEST_PATH:
        raise ParameterError(
            f"The value of {name} has {len(path)} bytes, but a path has at most {_LONGEST_PATH}.",
            hint=f"Set {name} to a shorter path.",
        )

    size = max(map(len, path.split(b"/")))
    if size > longest:
        raise ParameterError(
            f"The value of {name} contains a name of {size} bytes, but such a name has at most {longest}.",
            hint=f"Use a shorter name in {name}.",
        )


def check_ranges(params: t.Mapping[str, t.Any], ranges: t.Mapping[str, tuple[int, int]]) -> None:
    """Reject numbers outside of their ranges, which include both ends. Raises ParameterError."""
    for name, (least, greatest) in ranges.items():
        number = params[name]
        if least <= number <= greatest:
            continue

        raise ParameterError(
            f"{name} is {_format_number(number)}, but it must be between {least} and {greatest}.",
            hint=f"Set {name} to a number in this range, or omit it.",
        )


def _format_number(number: int) -> str:
    """Return a number in digits, or its size: Python refuses to print thousands of digits."""
    if number.bit_length() <= 128:
        return str(number)

    return f"a number of {number.bit_length()} bits"


def _check_text(name: str, text: str) -> None:
    problems = {
        "contains a NUL character": "\0" in text,
        "contains bytes that are not UTF-8": _SURROGATE.search(text),
        f"has {len(text)} characters, but at most {_LONGEST_TEXT} can be used": len(text) > _LONGEST_TEXT,
    }
    for problem, has_problem in problems.items():
        if has_problem:
            raise ParameterError(f"The value of {name} {problem}: {text[:64]!r}.", hint=f"Correct {name}.")
