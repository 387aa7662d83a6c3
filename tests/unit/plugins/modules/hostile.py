# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hostile arguments for a module: a property test shows that it refuses them in words, never with a traceback.

    @hostile.SETTINGS
    @given(hostile.arguments(swap, usual={"size": ["1G"]}))
    def test_any_arguments_end_in_words(arguments: dict[str, t.Any]) -> None:
        hostile.run(swap, arguments)

The options and their types come from the module's documentation. `usual` names values with which the module gets past
its first checks, so that the hostile values of other options get further. Replace the module's adapters: the guard of
these tests refuses what the real ones do.
"""

from __future__ import annotations

import contextlib
import io
import json
import types
import typing as t
import unittest.mock

import yaml
from ansible.module_utils import basic
from ansible.module_utils.testing import patch_module_args
from hypothesis import settings
from hypothesis import strategies as st

# The guard of these tests refuses a database of failed examples.
SETTINGS = settings(deadline=None, database=None, print_blob=True)

Strategy = st.SearchStrategy[t.Any]

_TEXTS = (
    "",
    " ",
    "\n",
    "-",
    "--help",
    "..",
    "../../etc",
    "**",
    "[a-",
    "%s%n",
    "a\0b",
    "\udc80",
    "a\ud800b",
    "\u202eevil",
    "\x1b[2J",
    "{{ 1 }}",
    '"',
    "\\",
    "nan",
    "inf",
    "1e999",
    "9" * 309,
    "9" * 400 + "G",
    "1." + "0" * 5000 + "1G",
    "-1",
    "+abc",
    "\u0661\u0662",
    "x" * 256,
    "\u00e9" * 200,
    "y" * 5000,
    "z" * 200_000,
)
_PATHS = (
    "/",
    "//",
    "/dev/null",
    "/dev/zero",
    "/proc/self/mem",
    "/proc/self/pagemap",
    "/proc/kmsg",
    "relative/name",
    "/nonexistent/name",
    "/nonexistent/\0",
    "/nonexistent/\udcff",
    "/" + "x" * 256,
    "/nonexistent" + "/d" * 2100,
    "/nonexistent/new\nline",
    "/nonexistent/~/$HOME",
)
# Ansible itself ends with a traceback for infinity and for texts of thousands of digits.
_NUMBERS = (
    0,
    1,
    -1,
    -5,
    255,
    1001,
    32_768,
    2_147_483,
    2_147_484,
    2**31 - 1,
    2**31,
    -(2**31) - 1,
    2**63 - 1,
    2**63,
    2**64,
    10**30,
    10**400,
    float("nan"),
    1.5,
    "7",
    "0x7",
    "1_0",
    True,
)
_ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=40)


def arguments(
    module: types.ModuleType, *, usual: t.Mapping[str, t.Sequence[t.Any]] | None = None
) -> st.SearchStrategy[dict[str, t.Any]]:
    """Return a strategy for arguments of a module: each option is missing, usual, or hostile."""
    documentation = yaml.safe_load(vars(module)["DOCUMENTATION"])

    return _mapping(documentation["options"], usual or {})


def run(module: types.ModuleType, values: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Run a module with these arguments, and return its result. Raises AssertionError if it fails without words."""
    output = io.StringIO()
    # Syslog, to which Ansible writes all arguments, is not for these tests.
    quiet = json.loads(json.dumps({**values, "_ansible_no_log": True}))
    # A controller, whose code other tests load, refuses to pass on some of these texts. Hosts do not.
    load = unittest.mock.patch.object(basic, "_load_params", return_value=quiet)
    with patch_module_args(), load, contextlib.redirect_stdout(output):
        try:
            vars(module)["main"]()
        except SystemExit:
            ended = True
        else:
            ended = False
    assert ended, "The module ended without a result."

    result: dict[str, t.Any] = json.loads(output.getvalue())
    output.getvalue().encode("utf-8")
    message = result.get("msg", "")
    assert "Traceback" not in message
    assert len(message) < 10_000
    assert not result.get("failed") or message.strip()

    return result


def _mapping(options: t.Mapping[str, t.Any], usual: t.Mapping[str, t.Sequence[t.Any]]) -> Strategy:
    values = {name: _value(option, usual.get(name, ())) for name, option in options.items()}

    return st.fixed_dictionaries({}, optional=values)


def _value(option: t.Mapping[str, t.Any], usual: t.Sequence[t.Any]) -> Strategy:
    """Return a strategy for the values of an option, half of them usual if any are known."""
    known = [*usual, *option.get("choices", ()), *_list_default(option)]
    hostile = _hostile(option)
    if "choices" in option:
        # Ansible itself names the whole value in its message.
        hostile = _ANY_TEXT
    if not known:
        return hostile

    return st.one_of(st.sampled_from(known), hostile)


def _list_default(option: t.Mapping[str, t.Any]) -> list[t.Any]:
    if "default" not in option:
        return []

    return [option["default"]]


def _hostile(option: t.Mapping[str, t.Any]) -> Strategy:
    """Return a strategy for hostile values of the documented type."""
    kind = option.get("type", "str")
    if kind == "list":
        element = {**option, "type": option.get("elements", "str")}
        for key in ("elements", "choices", "default"):
            element.pop(key, None)
        return st.lists(_hostile(element), max_size=4)

    if kind == "dict" and "suboptions" in option:
        return _mapping(option["suboptions"], {})

    if kind == "dict":
        return st.dictionaries(_text(), st.one_of(_text(), _number(), st.none()), max_size=4)

    return _SIMPLE[kind]()


def _text() -> Strategy:
    return st.one_of(st.sampled_from(_TEXTS), _ANY_TEXT)


def _path() -> Strategy:
    return st.one_of(st.sampled_from(_PATHS), _text())


def _number() -> Strategy:
    return st.one_of(st.sampled_from(_NUMBERS), st.integers())


def _truth() -> Strategy:
    return st.sampled_from([True, False, "yes", "maybe", 2, ""])


_SIMPLE: t.Mapping[str, t.Callable[[], Strategy]] = {
    "str": _text,
    "path": _path,
    "int": _number,
    "float": _number,
    "bool": _truth,
    "raw": _text,
}
