# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Learn unknown prefixes, which collectors, editors and grep put before the lines of a log.

A line about an OOM kill has a fixed text, so everything before it and before a known prefix is the unknown one. The
other lines of the report begin with the same text, in which only numbers differ.

Users choose the text of some messages, so a program that logs the words of a kill must not pass for the kernel. A
prefix is not learned if it names another program, or if it looks like a sentence.
"""

from __future__ import annotations

import re
import typing as t

from .prefixes import Prefix, find_realtime, split_prefix, undo_escapes

_LONGEST = 200
_LONGEST_NAME = 60
_MAX_LEARNED = 8

# The kernel's own lines begin with these words, except the trigger line, which begins with the name of a process.
_INVOKED = " invoked oom-killer: gfp"
_ANCHOR = re.compile(
    r"(?P<trigger> invoked oom-killer: gfp_?mask=0x)"
    r"|oom-kill:constraint=[A-Z]|Memory cgroup out of memory|Out of [Mm]emory|No available memory"
    r"|[Kk]ill(?:ed)? process \d{1,20}(?:,| \()"
)
_STARTS = re.compile(r"(?:(?<=[\s:|>)\]])|\A)(?=[^\s:|>)\]])")
_NUMBER = re.compile(r"\d+")
_ESCAPED_BLANKS = re.compile(r"(?:\\?\s)+")

_QUOTING_OR_PROGRAM = re.compile(r"[=\"'`;\\%]|[\w.@-]\[\d{1,10}\]:")
_TAG = re.compile(r"(?:\d\d:\d\d:\d\d|\S\s).*?[^\s:]:\s", re.DOTALL)
_GUEST = "Guest: "
_WORD = re.compile(r"(?<!\S)[a-z]{2,}(?!\S)")
_MAX_WORDS = 2
_UNUSUAL_IN_NAMES = re.compile(r"[<>|{}$~^*+]")
# Source code and documents quote the line, so a quotation mark does not count.
_TRIGGER_END = re.compile(
    r" invoked oom-killer: .*?, (?:oom_score_adj|oom_adj|oomkilladj)=-?\d{1,4}([^\d\s\"'`\\;%][^\s\"'`\\;%]{0,40})\Z"
)
_ANY_TOKEN = re.compile(r"\s*\S{1,60}\s*(?:\|\s*)?")
_ANY_MARK = re.compile(r"(?!\Z)[^\w\s]{0,9}\s*\d{0,9}[^\w\s]{0,9}\s*")
_COMMENTS = frozenset(("//", "#", "*", "/*", "--", ";"))
_OTHER_PROGRAM = re.compile(r"(?P<tag>[\w./@()-]{1,60})(?:\[\d{1,10}\])?: ")
_KERNEL_TAG = "kernel: "


class _Learned(t.NamedTuple):
    """A prefix that was learned, and what follows each line.

    `has_tag` says that the prefix is followed by the name of the program. `is_mark` says that no process has such a
    name.
    """

    pattern: t.Pattern[str]
    has_tag: bool = False
    is_mark: bool = False
    suffix: str = ""


class _Guess(t.NamedTuple):
    """The prefixes that a line can have, which the next line decides."""

    text: str
    number: int
    choices: tuple[_Learned, ...]


class LearnedPrefixes:
    """The unknown prefixes of one log, the latest first."""

    def __init__(self) -> None:
        self._learned: list[_Learned] = []
        self._guess: _Guess | None = None
        self.is_active = False
        """Whether there is a prefix that `split` or `confirm` can find."""

    def split(self, text: str) -> Prefix | None:
        """Return the parsed prefix and the message of a line, or None if the line begins with no learned prefix."""
        for learned in self._learned:
            match = learned.pattern.match(text)
            if match:
                return _split_rest(_remove_suffix(text, learned.suffix), match.end(), learned)

        return None

    def learn(self, text: str, number: int) -> Prefix | None:
        """Learn the prefix of a line about an OOM kill, and return it parsed.

        Return None if the line is not about an OOM kill, or if its prefix is known or only the next line can show it.
        """
        anchor = _ANCHOR.search(text, 0, _LONGEST + _LONGEST_NAME)
        if anchor is None:
            return None

        plain = text.replace("\\", "/").replace("#", "-")
        is_trigger = anchor.group("trigger") is not None
        own = split_prefix(plain)
        has_own_prefix = own is not None and own.monotonic_us is not None
        for start in _iter_starts(text, anchor.start()):
            inner = split_prefix(plain[start:])
            if inner is None or not _is_message(text, len(text) - len(inner.text), anchor):
                continue

            if start == 0:
                return self._learn_suffix(text, anchor)

            is_kernel = text[start] == "[" or _is_kernel(inner)
            if not is_kernel:
                continue

            return self._learn_outer(text, number, start, anchor, is_certain=not (has_own_prefix and is_trigger))

        if is_trigger or own is None:
            self._guess_outer(text, number, anchor)
        if self._guess is not None:
            return None

        return self._learn_suffix(text, anchor)

    def _learn_outer(
        self, text: str, number: int, start: int, anchor: t.Match[str], *, is_certain: bool
    ) -> Prefix | None:
        outer = text[:start]
        if not _is_prefix(outer):
            return None

        if not is_certain:
            # The name of the program follows a known prefix, so only lines that have it are the kernel's.
            tagged = _Learned(_compile_shape(outer + _KERNEL_TAG))
            self._set_guess(_Guess(text, number, (tagged,)))
            return None

        has_tag = text.startswith("kernel", start)
        self._add(_Learned(_compile_shape(outer), has_tag=has_tag, suffix=_find_suffix(text, anchor)))

        return self.split(text)

    def _learn_suffix(self, text: str, anchor: t.Match[str]) -> Prefix | None:
        """Learn what follows the lines of a log without any unknown prefix."""
        suffix = _find_suffix(text, anchor)
        if not suffix:
            return None

        self._add(_Learned(re.compile(rf"(?=.*{re.escape(suffix)}\Z)", re.DOTALL), suffix=suffix))

        return self.split(text)

    def _guess_outer(self, text: str, number: int, anchor: t.Match[str]) -> None:
        """Remember what can be the prefix of a line without any known one.

        Any program can log the words of a kill after its name, so then only numbers and marks are a prefix.
        """
        shape = _ANY_MARK
        if anchor.group("trigger") is not None:
            shape = _ANY_TOKEN

        choices = []
        suffix = _find_suffix(text, anchor)
        for outer in _iter_guesses(text, anchor, shape):
            is_mark = _UNUSUAL_IN_NAMES.search(outer) is not None
            choices.append(_Learned(_compile_shape(outer), is_mark=is_mark, suffix=suffix))
        if choices:
            self._set_guess(_Guess(text, number, tuple(reversed(choices))))

    def confirm(self, text: str, number: int) -> Prefix | None:
        """Return the parsed prefix of the line before if this line confirms what was guessed about it."""
        guess = self._guess
        if guess is None:
            return None

        self._set_guess(None)
        if number != guess.number + 1:
            return None

        # Up to Linux 4.20, the second line repeats the name of the trigger, which can look like a prefix.
        name = guess.text.partition(_INVOKED)[0]
        has_name = text.startswith(f"{name} cpuset=")
        for choice in guess.choices:
            if has_name and not choice.is_mark:
                continue

            match = choice.pattern.match(text)
            if match and match.end() < len(text):
                self._add(choice)
                return self.split(guess.text)

        return None

    def _set_guess(self, guess: _Guess | None) -> None:
        self._guess = guess
        self.is_active = guess is not None or bool(self._learned)

    def _add(self, learned: _Learned) -> None:
        self.is_active = True
        self._learned.insert(0, learned)
        del self._learned[_MAX_LEARNED:]


def _iter_starts(text: str, end: int) -> t.Iterator[int]:
    """Yield the indexes in a line at which a known prefix or a message can begin."""
    for match in _STARTS.finditer(text, 0, end + 1):
        yield match.start()


def _iter_guesses(text: str, anchor: t.Match[str], shape: t.Pattern[str]) -> t.Iterator[str]:
    """Yield what can be a prefix of the given shape, shortest first."""
    for start in _iter_starts(text, anchor.start()):
        outer = text[:start]
        has_shape = shape.fullmatch(outer) is not None
        if has_shape and _is_message(text, start, anchor) and _is_prefix(outer):
            yield outer


def _is_kernel(prefix: Prefix) -> bool:
    if prefix.source is not None:
        return prefix.source == "kernel"

    return prefix.monotonic_us is not None


def _is_message(text: str, start: int, anchor: t.Match[str]) -> bool:
    """Return whether the line about an OOM kill begins at `start`."""
    if anchor.group("trigger") is None:
        return start == anchor.start()

    name = text[start : anchor.start()]
    if not 0 < len(name) <= _LONGEST_NAME:
        return False

    return _KERNEL_TAG not in name and "] " not in name


def _is_prefix(outer: str) -> bool:
    """Return whether a text can be a prefix: not a sentence, not code, and not the prefix of another program."""
    if len(outer) > _LONGEST or outer.strip() in _COMMENTS:
        return False

    if _QUOTING_OR_PROGRAM.search(outer):
        return False

    checked = outer.replace(_GUEST, "")
    if _TAG.search(checked.lstrip()):
        return False

    return len(_WORD.findall(outer)) <= _MAX_WORDS


def _find_suffix(text: str, anchor: t.Match[str]) -> str:
    """Return what follows the trigger line, which has a known end. Return the empty string for other lines."""
    end = _TRIGGER_END.match(text, anchor.start())
    if end is None:
        return ""

    return end.group(1)


def _remove_suffix(text: str, suffix: str) -> str:
    if text.endswith(suffix):
        return text[: len(text) - len(suffix)]

    return text


def _compile_shape(outer: str) -> t.Pattern[str]:
    """Return a pattern for the same prefix with other numbers."""
    with_any_number = _NUMBER.sub(r"\\d+", re.escape(outer))

    return re.compile(_ESCAPED_BLANKS.sub(r"\\s+", with_any_number))


def _split_rest(text: str, start: int, learned: _Learned) -> Prefix:
    """Return the parsed prefix of a line whose learned prefix ends at `start`."""
    inner = split_prefix(text[start:])
    if inner is None:
        inner = _split_tag(text[start:], learned)
    if (inner.monotonic_us, inner.realtime_us) != (None, None):
        return inner

    outer = split_prefix(text)
    if outer is not None and outer.monotonic_us is not None:
        return inner._replace(monotonic_us=outer.monotonic_us)

    return inner._replace(realtime_us=find_realtime(text))


def _split_tag(text: str, learned: _Learned) -> Prefix:
    """Return the program and the message of a line, the program only if the learned prefix is followed by one."""
    if not learned.has_tag:
        # The rest of a message of several lines is indented.
        return Prefix(undo_escapes(text.lstrip()))

    tag = _OTHER_PROGRAM.match(text)
    if tag is None:
        return Prefix(undo_escapes(text))

    return Prefix(undo_escapes(text[tag.end() :]), source=tag.group("tag"))
