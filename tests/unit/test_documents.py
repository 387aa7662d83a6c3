# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documents name exists. `make engines` runs the commands in them."""

from __future__ import annotations

import pathlib
import re
import typing as t

import pytest
import yaml

CHECKOUT = pathlib.Path(__file__).parents[2]
DOCUMENTS = [*sorted((CHECKOUT / "docs").glob("*.md")), CHECKOUT / "README.md"]
ROLES = [path.name for path in (CHECKOUT / "roles").iterdir()]
NAMES = {
    *ROLES,
    *[path.stem for path in (CHECKOUT / "plugins/modules").glob("*.py")],
    *[path.stem for path in (CHECKOUT / "playbooks").glob("*.yml")],
}
# Names with a role in front that are no variables of it.
RESULTS = {"detect_result", "swap_total_bytes"}


def read_options(role: str) -> dict[str, t.Any]:
    specs = yaml.safe_load((CHECKOUT / "roles" / role / "meta/argument_specs.yml").read_text("utf-8"))
    return dict(specs["argument_specs"]["main"].get("options", {}))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_named_parts_of_the_collection_exist(document: pathlib.Path) -> None:
    names = re.findall(r"oomguard\.linux\.(\w+)", document.read_text("utf-8"))
    assert NAMES.issuperset(names)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_named_variables_of_roles_exist(document: pathlib.Path) -> None:
    variables = set(RESULTS).union(*map(read_options, ROLES))
    named = re.findall(rf"(?<![\w./-])(?:{'|'.join(ROLES)})_[a-z_]+", document.read_text("utf-8"))
    assert variables.union(ROLES, NAMES).issuperset(named)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files(document: pathlib.Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text("utf-8"))
    assert not [link for link in links if not (document.parent / link).exists()]


def test_every_finding_that_can_fail_a_host_is_documented() -> None:
    text = (CHECKOUT / "docs/schedulers.md").read_text("utf-8")
    section = text.partition("## When a run fails")[2].partition("\n| exit code")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == read_options("detect")["detect_fail_on"]["choices"]
