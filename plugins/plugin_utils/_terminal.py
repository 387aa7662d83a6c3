# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text that reads well on a terminal, and does not break the output of callbacks that print data."""

from __future__ import annotations

import itertools
import operator
import typing as t

from ansible import constants
from ansible.utils.display import Display

_TEXT_CALLBACKS = ("default", "ansible.builtin.default")


class Line(t.NamedTuple):
    """A line to print. The color is the name of one of Ansible's settings, such as COLOR_WARN; None is no color."""

    text: str
    color: str | None = None


def print_lines(display: Display, lines: t.Iterable[Line]) -> dict[str, t.Any]:
    """Print lines as they are if Ansible prints text, or else return them as the message of the task."""
    lines = list(lines)
    if _read_setting("DEFAULT_STDOUT_CALLBACK") not in _TEXT_CALLBACKS:
        return {"msg": [line.text for line in lines], "_ansible_verbose_always": True}

    for setting, group in itertools.groupby(lines, operator.attrgetter("color")):
        text = "\n".join([line.text for line in group])
        color = None if setting is None else str(_read_setting(setting))
        display.display(text, color=color)

    return {}


def _read_setting(name: str) -> t.Any:
    return constants.config.get_config_value(name)
