# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A journal in memory, with journalctl and systemctl as far as they are used."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import pathlib
import re
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._command import Completed
from ansible_collections.oomguard.linux.plugins.module_utils._journal.contents import BootTimes, FileTimes
from ansible_collections.oomguard.linux.plugins.module_utils._journal.reader import Reader
from ansible_collections.oomguard.linux.plugins.module_utils._journal.record import Record, read_json
from ansible_collections.oomguard.linux.plugins.module_utils._journal.walk import Walk

FIXTURES = pathlib.Path(__file__).parent / "_oom/fixtures"
BOOT = "ba96272cbf2f462aae20419d7d5344a9"
ZERO = 1_795_000_000_000_000

_ALWAYS = {"__CURSOR", "__REALTIME_TIMESTAMP", "__MONOTONIC_TIMESTAMP", "_BOOT_ID"}

Entry = dict[str, t.Any]


def captured(name: str) -> list[Entry]:
    """Return the records that `journalctl --output=json` printed on a machine."""
    return [json.loads(line) for line in (FIXTURES / f"{name}.json").read_text().splitlines()]


def entry(message: t.Any, *, at: float, boot: str = BOOT, **fields: str) -> Entry:
    """Return a record that the journal received `at` seconds after the boot."""
    monotonic = int(at * 1_000_000)
    realtime = ZERO + monotonic
    return {
        "__CURSOR": f"b={boot};m={monotonic:x};t={realtime:x}",
        "__REALTIME_TIMESTAMP": str(realtime),
        "__MONOTONIC_TIMESTAMP": str(monotonic),
        "_BOOT_ID": boot,
        "MESSAGE": message,
        **fields,
    }


def set_back(one: Entry, seconds: int) -> Entry:
    """Return the record as it is where the clock was set back by that much since the boot."""
    realtime = int(one["__REALTIME_TIMESTAMP"]) - seconds * 1_000_000
    cursor = one["__CURSOR"].partition(";t=")[0]
    return {**one, "__REALTIME_TIMESTAMP": str(realtime), "__CURSOR": f"{cursor};t={realtime:x}"}


class Host:
    """Answers as a host with these records does; `answers` are outputs to give instead, by a word in the command."""

    def __init__(self, entries: t.Sequence[Entry], policies: t.Mapping[str, str] | None = None) -> None:
        self.entries = list(entries)
        self.policies = policies
        self.answers: dict[str, Completed] = {}
        self.calls: list[tuple[str, ...]] = []

    def __call__(
        self,
        argv: t.Sequence[str],
        *,
        timeout: float = 60,
        stdin: str = "",
        environment: t.Mapping[str, str] | None = None,
    ) -> Completed:
        del timeout, stdin, environment
        self.calls.append(tuple(argv))
        for word, answer in self.answers.items():
            if any(word in argument for argument in argv):
                return answer
        out = self._systemctl(argv) if argv[0] == "systemctl" else self._journalctl(argv[1:])
        return done(out, returncode=int(any("--grep" in argument for argument in argv) and not out))

    def parts(self) -> list[list[str]]:
        """Return the names of the files, none for all, that each search with a pattern has looked into."""
        return [
            [pathlib.PurePath(argument).name for argument in call if argument.startswith("--file=")]
            for call in self.calls
            if any(argument.startswith("--grep=") for argument in call)
        ]

    def _systemctl(self, argv: t.Sequence[str]) -> str:
        known = self.policies or {}
        return "\n".join(
            f"Id={unit}\nLoadState={'loaded' if unit in known else 'not-found'}\nOOMPolicy={known.get(unit, 'stop')}\n"
            for unit in argv[argv.index("--") + 1 :]
        )

    def _journalctl(self, argv: t.Sequence[str]) -> str:
        options = dict(argument[2:].partition("=")[::2] for argument in argv if argument.startswith("--"))
        matches = [argument for argument in argv if not argument.startswith("--")]
        if "list-boots" in options:
            return self._boots()
        since = _microseconds(options.pop("since", "@0"))
        found = [one for one in self.entries if _matches(one, matches) and _within(one, options)]
        if "reverse" in options:
            # As the real one, it ends where it comes before the time.
            found = list(itertools.takewhile(lambda one: _time(one) >= since, reversed(found)))
        found = [one for one in found if _time(one) >= since]
        if "cursor" in options:
            cursors = [one["__CURSOR"] for one in found]
            place = re.fullmatch("b=[0-9a-f]+;m=([0-9a-f]+)", options["cursor"])
            if place:
                found = [one for one in found if int(one["__MONOTONIC_TIMESTAMP"]) >= int(place[1], 16)]
            else:
                found = found[cursors.index(options["cursor"]) if options["cursor"] in cursors else 0 :]
        found = found[: int(options.get("lines", len(found)))]
        fields = options["output-fields"].split(",")
        return "".join(f"{json.dumps(_shown(one, fields))}\n" for one in found)

    def _boots(self) -> str:
        lines = []
        for boot in dict.fromkeys(one["_BOOT_ID"] for one in self.entries):
            times = [_stamp(one) for one in self.entries if one["_BOOT_ID"] == boot]
            lines.append(f"  0 {boot} {times[0]} UTC\N{EM DASH}{times[-1]} UTC\n")
        return "".join(lines)


class Child(Reader):
    """Answers as the child process does that has files with these records open, as far as a window asks it."""

    def __init__(self, files: t.Mapping[str, t.Sequence[Entry]]) -> None:
        self._files = {name: [_record(one) for one in entries] for name, entries in files.items()}

    def list_files(self) -> list[FileTimes]:
        return [
            FileTimes(name, entries[0].realtime_us, entries[-1].realtime_us, _boots(entries))
            for name, entries in self._files.items()
        ]

    def walk_each(self, walks: t.Sequence[Walk]) -> t.Iterator[list[Record]]:
        for walk in walks:
            sign = -1 if walk.backwards else 1
            records = sorted(itertools.chain(*self._files.values()), key=lambda record: sign * record.realtime_us)
            yield [one for one in records if sign * one.realtime_us >= sign * walk.realtime_us][: walk.limit]


def _boots(entries: t.Sequence[Record]) -> list[BootTimes]:
    by_boot: dict[str, list[Record]] = {}
    for one in entries:
        by_boot.setdefault(one.boot_id, []).append(one)
    return [BootTimes(boot, own[0].realtime_us, own[-1].realtime_us, own[0].cursor) for boot, own in by_boot.items()]


def _record(one: Entry) -> Record:
    record = read_json(json.dumps(one))
    assert record
    return record


def done(out: str = "", err: str = "", *, returncode: int = 0) -> Completed:
    """Return what journalctl leaves behind."""
    return Completed(argv=("journalctl",), returncode=returncode, stdout=out, stderr=err)


def _stamp(one: Entry) -> str:
    moment = dt.datetime.fromtimestamp(int(one["__REALTIME_TIMESTAMP"]) // 1_000_000, tz=dt.UTC)
    return f"{moment:%a %Y-%m-%d %H:%M:%S}"


def _shown(one: Entry, fields: t.Collection[str]) -> Entry:
    """Return the record as journalctl prints it without --all: long fields are null."""
    shown = {name: value for name, value in one.items() if name in fields or name in _ALWAYS}
    return {name: None if isinstance(value, str) and len(value) >= 4096 else value for name, value in shown.items()}


def _matches(one: Entry, matches: t.Sequence[str]) -> bool:
    terms: list[dict[str, set[str]]] = [{}]
    for match in matches:
        if match == "+":
            terms.append({})
        else:
            name, _equals, value = match.partition("=")
            terms[-1].setdefault(name, set()).add(value)
    return any(all(one.get(name) in values for name, values in term.items()) for term in terms)


def _within(one: Entry, options: t.Mapping[str, str]) -> bool:
    return (
        _time(one) <= _microseconds(options.get("until", "@9999999999"))
        and options.get("boot", one["_BOOT_ID"]) == one["_BOOT_ID"]
        and ("grep" not in options or bool(re.search(options["grep"], str(one["MESSAGE"]))))
    )


def _time(one: Entry) -> int:
    return int(one["__REALTIME_TIMESTAMP"])


def _microseconds(text: str) -> int:
    seconds, _dot, fraction = text.lstrip("@").partition(".")
    return int(seconds) * 1_000_000 + int(f"{fraction:0<6}")
