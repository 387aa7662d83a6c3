# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records without names: each name is replaced by a pseudonym, which is the same in every run with the same key. Pure.

A table says which parts of a record are names, sentences, or words that tell nothing. In sentences, all names of the
record are replaced, and whatever looks like a path, a unit or an address. Text of any other part is left out.
"""

from __future__ import annotations

import enum
import functools
import hashlib
import hmac
import re
import typing as t

from .record import Record

_DIGITS = 12
_LEFT_OUT = "(left out)"
_CUT_OFF = re.compile(r"\.\.\. \(\d+ more\)$")


class _Role(enum.Enum):
    """What a part of a record is, if it is not a name."""

    SENTENCE = enum.auto()
    KEPT = enum.auto()
    DROPPED = enum.auto()
    UNKNOWN = enum.auto()


# Names, and of what.
_NAMES = {
    "host": "host",
    "hostname": "host",
    "unit": "unit",
    "user_unit": "unit",
    "units_taken_down": "unit",
    "slice": "unit",
    "name": "process",
    "victim": "process",
    "cgroup": "cgroup",
    "limit_cgroup": "cgroup",
    "container_id": "container",
    "pod_uid": "pod",
    "path": "path",
    "boot_id": "boot",
    "id": "event",
    "last_event_id": "event",
}
# Mappings whose keys are names.
_KEYED = {"by_unit": "unit", "by_victim": "process", "oom_policy": "unit", "unit_ages": "unit"}
_SENTENCES = (
    "advice",
    "after",
    "before",
    "evidence",
    "fcgid",
    "kind",
    "notes",
    "risk",
    "start_refusal",
    "summary",
    "variables",
    "what",
    "why",
)
# Times, and words of the kernel, of systemd and of this collection.
_KEPT = (
    "active_state",
    "allocations",
    "as_of",
    "by_cause",
    "by_killer",
    "cause",
    "collected_at",
    "collection_version",
    "error",
    "first",
    "from",
    "gfp_flags",
    "gfp_mask",
    "kernel_release",
    "killer",
    "last",
    "oom_policy",
    "restart",
    "result",
    "role",
    "schema",
    "scope",
    "slabs",
    "time",
    "to",
    "unit_ages",
    "zone",
)
# These say too much, and a report does not need them.
_DROPPED = ("cursor", "history", "risks")
_ROLES: dict[str, str | _Role] = {
    **_NAMES,
    **dict.fromkeys(_SENTENCES, _Role.SENTENCE),
    **dict.fromkeys(_KEPT, _Role.KEPT),
    **dict.fromkeys(_DROPPED, _Role.DROPPED),
}

# A known name is a whole word of a sentence, or else a part of one.
_WHOLE = r"(?<![\w@:\\./%+~-])(?:{})(?![\w@\\/%+~-]|[.:]\w)"
_PART = r"(?<!\w)(?:{})(?!\w)"
_NEVER = "(?!)"
_TYPES = "service|scope|slice|socket|mount|swap|timer|target|path|device|automount"
_PATH = r"(?<![\w.])(?:/[\w@:\\.%+~-]+)+"
_UNIT = rf"[\w@:\\.-]+\.(?:{_TYPES})\b"
_ADDRESS = r"\b\d{1,3}(?:\.\d{1,3}){3}\b|\b[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}:[0-9a-fA-F]{1,4}\b"
_SUFFIX = re.compile(rf"\.(?:{_TYPES})$")


Make = t.Callable[[str, str], str]
"""Returns what replaces a name; the first argument is what it is a name of."""


class Pseudonyms:
    """Replaces names. The key decides which pseudonym a name has; without the key, nobody can tell the name."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._make = functools.lru_cache(maxsize=65536)(self.make)

    def replace(self, record: Record) -> Record:
        """Return a record without names."""
        error = record["error"]
        if error is not None:
            # The reason, after the colon, can be any text.
            error = error.partition(":")[0].rstrip(".") + "."

        replacer = _Replacer(self._make, _find_names(record))
        return replacer.replace_record({**record, "error": error})

    def make(self, kind: str, name: str) -> str:
        """Return the pseudonym of a name, such as `host-3f2a9c01d5e7`; that of a unit keeps its suffix."""
        text = f"{kind} {name}".encode("utf-8", "backslashreplace")
        digest = hmac.new(self._key, text, hashlib.sha256).hexdigest()
        suffix = _SUFFIX.search(name)
        if kind != "unit" or suffix is None:
            return f"{kind}-{digest[:_DIGITS]}"

        return f"{kind}-{digest[:_DIGITS]}{suffix[0]}"


class _Replacer:
    """Replaces the names of one record, everywhere in it."""

    def __init__(self, make: Make, names: t.Mapping[str, str]) -> None:
        self._make = make
        self._names = names
        longest_first = sorted(names, key=_rank_name)
        known = "|".join(map(re.escape, longest_first)) or _NEVER
        whole = _WHOLE.format(known)
        self._words = re.compile(f"({whole})|(?P<path>{_PATH})|(?P<unit>{_UNIT})|(?P<address>{_ADDRESS})")
        self._parts = re.compile(_PART.format(known))
        self._by_type: dict[type, t.Callable[[t.Any, str | _Role], t.Any]] = {
            dict: self._replace_mapping,
            list: self._replace_list,
            str: self._replace_text,
            **dict.fromkeys((bool, int, float, type(None)), _keep),
        }

    def replace_record(self, record: Record) -> Record:
        """Return a record without names."""
        return self._replace_mapping(record, _Role.UNKNOWN)

    def _replace(self, value: t.Any, role: str | _Role) -> t.Any:
        if role is _Role.KEPT:
            return value

        if role is _Role.DROPPED:
            return None

        replace = self._by_type[type(value)]

        return replace(value, role)

    def _replace_mapping(self, members: Record, role: str | _Role) -> Record:
        """Return a mapping without names; `role` is that of members which have no role of their own."""
        if isinstance(role, str):
            return {self._make(role, name): value for name, value in members.items()}

        return {name: self._replace(member, _find_role(name, member, role)) for name, member in members.items()}

    def _replace_list(self, items: list[t.Any], role: str | _Role) -> list[t.Any]:
        return [self._replace(item, role) for item in items]

    def _replace_text(self, text: str, role: str | _Role) -> str:
        if isinstance(role, str):
            return self._make(role, text)

        is_cut_off = _CUT_OFF.search(text) is not None
        # What is left at the end can be the beginning of a name.
        if is_cut_off or role is _Role.UNKNOWN:
            return _LEFT_OUT

        return _replace_found(self._words, text, self._make_word, self._replace_parts)

    def _replace_parts(self, text: str) -> str:
        """Return the rest of a sentence without names that are parts of words."""
        return _replace_found(self._parts, text, self._make_word, str)

    def _make_word(self, found: re.Match[str]) -> str:
        word = found[0]
        kind = self._names.get(word, found.lastgroup)
        return self._make(str(kind), word)


def _keep(value: t.Any, _role: str | _Role) -> t.Any:
    return value


def _find_role(name: str, value: t.Any, inherited: str | _Role) -> str | _Role:
    if isinstance(value, dict) and name in _KEYED:
        return _KEYED[name]

    return _ROLES.get(name, inherited)


def _replace_found(
    pattern: re.Pattern[str],
    text: str,
    replace: t.Callable[[re.Match[str]], str],
    replace_rest: t.Callable[[str], str],
) -> str:
    """Return a text in which what a pattern finds is replaced in one way, and all other text in another one."""
    pieces = []
    end = 0
    for found in pattern.finditer(text):
        pieces += [replace_rest(text[end : found.start()]), replace(found)]
        end = found.end()

    return "".join([*pieces, replace_rest(text[end:])])


def _find_names(record: Record) -> dict[str, str]:
    """Return all names in a record, and of what they are names."""
    names: dict[str, str] = {}

    def collect(kind: str, name: str) -> str:
        names[name] = kind
        return name

    _Replacer(collect, {}).replace_record(record)
    names.pop("", None)

    return names


def _rank_name(name: str) -> tuple[int, str]:
    return (-len(name), name)
