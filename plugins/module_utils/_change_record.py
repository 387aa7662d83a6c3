# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal records of a change: one for each setting that has another value. Pure.

docs/history.md has the fields for people who search for them.
"""

from __future__ import annotations

import re
import typing as t

from ._safe import neutralise
from ._size import format_size

MESSAGE_IDS = {
    "swap": "b79d262c985347b88d24b705bf34d6f3",
    "systemd_dropin": "a3d35f601fdf4d7e9996f8abb424a45e",
    "fcgid_config": "e97d3b1a9c4644789de104f46f7d77e0",
    "fcgid_recycler": "ecf650a1052e497b86303eb43f40b7c0",
    "zram": "0510002222e14e24b9da90d44f33d03d",
}
"""The field MESSAGE_ID of the records of each module."""

Value = t.Union[str, int, None]

# PRIORITY of what is normal, but significant (syslog(3)).
_NOTICE = "5"
# A text of this length makes no datagram too large, and journalctl prints it as JSON.
_LONGEST = 256
_IN_BYTES = re.compile(r"swap|zram|(?:hard_)?limit|(?:Startup|Default)?Memory[A-Z]\w*")
_DIGITS = re.compile("[0-9]{1,18}")


class Setting(t.NamedTuple):
    """A setting of the host, and its value: a number of bytes or of something else, a text, or None if there is none.

    The first setting of a change stands for the whole of what it changes. It may have no value.
    """

    what: str
    object: str
    """What has the setting, such as a unit; empty for the host."""
    value: Value = None


class Difference(t.NamedTuple):
    """A setting, and its value before and after a change."""

    what: str
    object: str
    before: Value
    after: Value

    @property
    def message(self) -> str:
        """One sentence about the difference."""
        title = name_setting(self.what, self.object)
        if self.before == self.after:
            return f"Renewed {title}."

        before = format_value(self.what, self.before)
        after = format_value(self.what, self.after)
        if self.before is None:
            return f"Set {title} to {after}."
        if self.after is None:
            return f"Removed {title}, which was {before}."

        return f"Changed {title} from {before} to {after}."


def name_setting(what: str, owner: str) -> str:
    """Return a setting in words: `swap`, `OOMPolicy of apache2.service`."""
    if not owner:
        return what

    return f"{what} of {owner}"


def format_value(what: str, value: Value) -> str:
    """Return a value of the setting `what` for people to read, a size in binary units."""
    text = str(value)
    is_size = _IN_BYTES.fullmatch(what) and _DIGITS.fullmatch(text)
    if is_size:
        return format_size(int(text))

    return text


def find_differences(before: t.Sequence[Setting], after: t.Sequence[Setting]) -> list[Difference]:
    """Return the settings that have another value, or else the first one: something else about it was changed."""
    old = {setting[:2]: setting.value for setting in before}
    new = {setting[:2]: setting.value for setting in after}
    keys = dict.fromkeys((*new, *old))
    compared = [Difference(*key, old.get(key), new.get(key)) for key in keys]
    different = list(filter(_is_different, compared))
    if different:
        return different

    return compared[:1]


def _is_different(difference: Difference) -> bool:
    return difference.before != difference.after


def encode_record(module: str, difference: Difference) -> bytes:
    """Return a record of `module` in the format of the journal's socket: lines of a name, "=" and a value.

    A value has no line break, because it is made harmless. One that is not known, or does not exist, has no field.
    Source: https://systemd.io/JOURNAL_NATIVE_PROTOCOL/.
    """
    fields = {
        "MESSAGE": difference.message,
        "MESSAGE_ID": MESSAGE_IDS[module],
        "PRIORITY": _NOTICE,
        "SYSLOG_IDENTIFIER": "oomguard",
        "OOMGUARD_MODULE": module,
        "OOMGUARD_WHAT": difference.what,
        "OOMGUARD_OBJECT": difference.object or None,
        "OOMGUARD_BEFORE": difference.before,
        "OOMGUARD_AFTER": difference.after,
    }
    lines = []
    for name, value in fields.items():
        if value is not None:
            lines.append(f"{name}={neutralise(str(value), limit=_LONGEST)}\n")

    return "".join(lines).encode()
