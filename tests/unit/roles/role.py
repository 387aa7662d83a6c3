# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a role, and the values of their expressions."""

from __future__ import annotations

import pathlib
import typing as t

from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

ROLES = pathlib.Path(__file__).parents[3] / "roles"


def load(role: str, name: str) -> t.Any:
    """Return the content of a YAML file of a role."""
    return DataLoader().load_from_file(str(ROLES / role / name), trusted_as_template=True)


def templar(role: str, **variables: object) -> Templar:
    """Return a templar with the variables of a role, some of which are given."""
    return Templar(variables={**load(role, "defaults/main.yml"), **load(role, "vars/main.yml"), **variables})


def value(role: str, expression: str, **variables: object) -> t.Any:
    """Return the value of an expression within a role."""
    return templar(role, **variables).template(trust_as_template(f"{{{{ {expression} }}}}"))
