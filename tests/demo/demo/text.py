# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parse the state of the machine, and format the output of the demo. Pure."""

from __future__ import annotations

import collections.abc
import dataclasses


@dataclasses.dataclass(frozen=True)
class State:
    """The state of the machine at one moment, as `incident state` reports it."""

    apache: str
    result: str
    main_pid: int
    policy: str
    answers: str
    kills: int
    swap_bytes: int
    static_page: str

    @classmethod
    def parse(cls, text: str) -> State:
        """Parse the NAME=VALUE lines that `incident state` prints."""
        values = {}
        for line in text.splitlines():
            name, _separator, value = line.partition("=")
            values[name] = value

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


def format_elapsed(seconds: float) -> str:
    """Return a duration in minutes and seconds: `[ 1:05]`."""
    minutes, rest = divmod(int(seconds), 60)
    return f"[{minutes:2d}:{rest:02d}]"


def format_table(*, before: State, after: State, forced: State) -> str:
    """Return a table of the states before and after the remediation."""
    rows = [
        ("", "before", "after"),
        ("OOMPolicy= of apache2.service", before.policy, after.policy),
        ("total swap", _format_mebibytes(before.swap_bytes), _format_mebibytes(after.swap_bytes)),
        ("answers under load", before.answers, after.answers),
        ("Apache after the load", _format_apache(before), _format_apache(after)),
        ("Apache after a kill in its cgroup", _format_apache(before), _format_apache(forced)),
        ("static page", _format_page(before), _format_page(forced)),
    ]
    return "\n".join(_align(rows))


def _format_apache(state: State) -> str:
    if state.apache == "failed":
        return f"{state.apache} ({state.result})"

    return state.apache


def _format_page(state: State) -> str:
    if state.static_page == "000":
        return "no answer"

    return f"HTTP {state.static_page}"


def _format_mebibytes(size: int) -> str:
    return f"{size / 1024**2:.0f} MiB"


def _align(rows: collections.abc.Sequence[tuple[str, ...]]) -> collections.abc.Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        yield "  ".join(cells).rstrip()
