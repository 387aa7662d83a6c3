# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the demo prints. Pure."""

from __future__ import annotations

import collections.abc
import dataclasses


@dataclasses.dataclass(frozen=True)
class Look:
    """What `incident state` says of the machine at one moment."""

    apache: str
    result: str
    main_pid: int
    policy: str
    answers: str
    kills: int
    swap_bytes: int
    static_page: str

    @classmethod
    def parse(cls, text: str) -> Look:
        """Read the NAME=VALUE lines that the script of the incident prints."""
        values = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
        return cls(
            apache=values["ActiveState"],
            result=values["Result"],
            main_pid=int(values["MainPID"]),
            policy=values["OOMPolicy"],
            answers=values["Answers"],
            kills=int(values["Kills"]),
            swap_bytes=int(values["SwapTotal"]) * 1024,
            static_page=values["StaticPage"],
        )


def elapsed(seconds: float) -> str:
    """Return a time as the story shows it, in minutes and seconds: `[ 1:05]`."""
    return f"[{int(seconds) // 60:2d}:{int(seconds) % 60:02d}]"


def table(*, before: Look, after: Look, forced: Look) -> str:
    """Return the small table of before and after."""
    rows = [
        ("", "before", "after"),
        ("OOMPolicy= of apache2.service", before.policy, after.policy),
        ("total swap", _mebibytes(before.swap_bytes), _mebibytes(after.swap_bytes)),
        ("the load: answers", before.answers, after.answers),
        ("the load: Apache", _fate(before), _fate(after)),
        ("a kill in its cgroup: Apache", _fate(before), _fate(forced)),
        ("a static page", _page(before), _page(forced)),
    ]
    return "\n".join(_aligned(rows))


def _fate(look: Look) -> str:
    return f"{look.apache} ({look.result})" if look.apache == "failed" else look.apache


def _page(look: Look) -> str:
    return f"HTTP {look.static_page}" if look.static_page != "000" else "no answer"


def _mebibytes(size: int) -> str:
    return f"{size / 1024**2:.0f} MiB"


def _aligned(rows: collections.abc.Sequence[tuple[str, ...]]) -> collections.abc.Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
