# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tests mirror the sources: each source file has its own test file, and no test imports another."""

from __future__ import annotations

import ast
import pathlib
import typing as t

import pytest

CHECKOUT = pathlib.Path(__file__).parents[2]
TESTS = CHECKOUT / "tests" / "unit"


def list_sources() -> t.Iterator[pathlib.PurePath]:
    """Yield the files in plugins/ that hold functions, relative to the checkout."""
    for folder in ("action", "modules", "module_utils", "plugin_utils"):
        for path in sorted((CHECKOUT / "plugins" / folder).rglob("*.py")):
            if path.name != "__init__.py":
                yield path.relative_to(CHECKOUT)


@pytest.mark.parametrize("source", [*list_sources()], ids=str)
def test_source_has_its_test(source: pathlib.PurePath) -> None:
    name = f"test_{source.name.lstrip('_')}"
    assert (TESTS / source.parent / name).is_file()


@pytest.mark.parametrize("test", sorted(TESTS.rglob("*.py")), ids=lambda path: str(path.relative_to(TESTS)))
def test_file_imports_no_test(test: pathlib.Path) -> None:
    imported = [
        node.module or "" for node in ast.walk(ast.parse(test.read_text("utf-8"))) if isinstance(node, ast.ImportFrom)
    ]
    assert not [module for module in imported if module.rpartition(".")[2].startswith("test_")]
