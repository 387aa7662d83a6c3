# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration of zram-generator. Pure.

Source: zram-generator.conf(5). The generator works out a share of RAM at each boot, so more RAM needs no new text.
"""

from __future__ import annotations

from .._mark import make_mark
from .model import Wanted, to_mib

PATH = "/etc/systemd/zram-generator.conf.d/50-oomguard.conf"


def render_config(wanted: Wanted) -> str:
    """Return the text of the file at PATH.

    A size of 0 overrides the packaged configuration, which sets up zram0 by default.
    """
    lines = [make_mark("zram"), "[zram0]"]
    if not wanted.present:
        return "\n".join([*lines, "zram-size = 0", ""])

    lines += [f"zram-size = {_render_size(wanted)}", f"swap-priority = {wanted.priority}"]
    if wanted.algorithm:
        lines.append(f"compression-algorithm = {wanted.algorithm}")
    return "\n".join([*lines, ""])


def _render_size(wanted: Wanted) -> str:
    maximum = to_mib(wanted.maximum_bytes)
    if wanted.share.percentage is None:
        return str(min(to_mib(wanted.share.size_bytes), maximum))

    return f"min(ram * {wanted.share.percentage} / 100, {maximum})"
