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

from .embedded_lines import has_no_program
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

_QUOTING_OR_PROGRAM = re.compile(r"[=\"'`;\\%]|\S\[\d{1,10}\]:|\A\s*<\d{1,3}>\S+:\s")
# A process with an id, or a label that names a program other than the kernel.
_PROGRAM = re.compile(
    r"\S\[\d{1,10}\]:"
    r"|(?i:app|program|ident|tag|unit|container|service|process|logger|comm|exe)\w{0,10}\"? ?[=:] ?"
    r"\"?(?!k?msg|kern|dmesg|syslog|varlogs|journal|messages)\w"
)
_TAG = re.compile(r"(?:\d\d:\d\d:\d\d|\S\s).*?[^\s:]:\s", re.DOTALL)
_GUEST = "Guest: "
# The prompt on a serial console, on which the kernel's first message follows it.
_LOGIN = re.compile(r"\A[\w.-]{1,64} login: ")
# The labels of a stream, as Loki's client prints them.
_LABELS = re.compile(r"\{(?:\w{1,40}=\"[^\"]{0,100}\",? ?)*\}")
_WORD = re.compile(r"(?<!\S)[a-z]{2,}(?!\S)")
_MAX_WORDS = 2
# The line after the trigger line, or up to Linux 4.20 the next but one, which both repeat the name of the trigger.
_STACK_HEADING = re.compile(r"CPU: \d{1,6} (?:UID: \d{1,20} )?PID: \d{1,20} Comm: |Pid: \d{1,20}, comm: ")
_CPUSET = " cpuset="
# No part of a name ends like this.
_PREFIX_END = re.compile(
    r"<[^<>]{0,30}>\Z|[:)\]>|}*$-]\s+\Z|\t\Z|\d\d:\d\d[\d:.,Z+-]*\s+\Z| [FP] \Z|\A\s*\d+\s+\Z"
    r"|(?:[,;=:\[({\s]|\A)[\"'`]\Z|\A(?:[^;]+;){3,}\Z|\A(?:[^|]+\|){3,}\Z|\A(?:[^,]+,){2,}\Z"
)
_NUMBER_END = re.compile(r"\d+Z?[^\w\s]?\Z")
_QUOTES = ("'", '"', "`")
_AFTER_NAME = re.compile(r"(?<=[a-z+])(?::|\\-)")
_ANY_TOKEN = re.compile(r"\s*\S{1,60}\s*(?:\|\s*)?")
_ANY_MARK = re.compile(r"(?!\Z)[^\w\s]{0,9}\s*(?:\d{1,9}[^\w\s]{0,9}\s*|[^\w\s]{1,9}\s*)?")
_COMMENTS = frozenset(("//", "#", "*", "/*", "--", ";"))
_OTHER_PROGRAM = re.compile(r"(?P<tag>[\w./@()-]{1,60})(?:\[\d{1,10}\])?: ")
# Where the kernel's lines have only a time, those of other programs have their names.
_PROCESS = re.compile(r"(?:[\w.-]{1,60} )?(?P<tag>[\w./@()-]{1,60})\[\d{1,10}\]: ")
_KERNEL_TAG = "kernel: "
_CRI_STREAM = re.compile(r"(?<= )std(?:out|err) [FP] \Z")


class _Learned(t.NamedTuple):
    """A prefix that was learned. `has_tag` says that the name of the program follows it."""

    pattern: t.Pattern[str]
    has_tag: bool = False
    has_quote: bool = False
    """The message after the prefix is quoted, so it can have escapes."""


class _Guess(t.NamedTuple):
    """A line about an OOM kill whose prefix only the next line shows."""

    text: str
    before: str
    """What is before the words that show an OOM kill: the prefix, and in a trigger line the name of the trigger."""
    choices: tuple[_Learned, ...]
    """The prefixes that a next line without the name of the trigger can confirm."""


class LearnedPrefixes:
    """The unknown prefixes of one log, the latest first."""

    def __init__(self) -> None:
        self._learned: list[_Learned] = []
        self._guess: _Guess | None = None
        self.is_active = False
        """Whether there is a prefix that `split` or `confirm` can find."""

    @property
    def has_guess(self) -> bool:
        """Return whether the next line can show the prefix of the line before."""
        return self._guess is not None

    def split(self, text: str) -> Prefix | None:
        """Return the parsed prefix and the message of a line, or None if the line begins with no learned prefix."""
        for learned in self._learned:
            match = learned.pattern.match(text)
            if match:
                return _split_rest(text, match.end(), learned)

        return None

    def learn(self, text: str) -> Prefix | None:
        """Learn the prefix of a line about an OOM kill, and return it parsed.

        Return None if the line is not about an OOM kill, or if its prefix is known or only the next line can show it.
        """
        anchor = _ANCHOR.search(text, 0, _LONGEST + _LONGEST_NAME)
        if anchor is None:
            return None

        # Many beginnings are tried. What is far behind the anchor decides nothing, and would only take time.
        head = text[: anchor.end() + _LONGEST]
        plain = head.replace("\\", "/").replace("#", "-")
        is_trigger = anchor.group("trigger") is not None
        own = split_prefix(plain)
        self._set_guess(None)
        if is_trigger:
            self._set_guess(_Guess(text, text[: anchor.start()], ()))
        for start in _iter_starts(text, anchor.start()):
            inner = split_prefix(plain[start:])
            if inner is None or not _is_message(text, len(head) - len(inner.text), anchor):
                continue

            is_kernel = text[start] == "[" or _is_kernel(inner)
            is_known = any((is_kernel, not is_trigger))
            if start == 0 and is_known:
                return None

            if not is_kernel:
                continue

            # The name of the program follows a known prefix, so only lines that have it are the kernel's.
            is_tagged = is_trigger and own is not None and own.monotonic_us is not None
            return self._learn_outer(text, start, is_tagged=is_tagged)

        outer = text[: anchor.start()]
        if not is_trigger and _is_time(outer):
            self._add(_Learned(_compile_shape(outer)))
            return self.split(text)

        if is_trigger or own is None:
            self._guess_outer(text, anchor)

        return None

    def _learn_outer(self, text: str, start: int, *, is_tagged: bool) -> Prefix | None:
        outer = text[:start]
        if not _is_prefix(outer):
            return None

        if is_tagged:
            tagged = _Learned(_compile_shape(outer + _KERNEL_TAG))
            self._set_guess(_Guess(text, "", (tagged,)))
            return None

        self._set_guess(None)
        has_tag = text.startswith("kernel", start)
        self._add(_Learned(_compile_shape(outer), has_tag=has_tag))

        return self.split(text)

    def _guess_outer(self, text: str, anchor: t.Match[str]) -> None:
        """Remember what can be the prefix of a line without any known one.

        Any program can log the words of a kill after its name, so then only numbers and marks are a prefix.
        """
        shape = _ANY_MARK
        before = ""
        if anchor.group("trigger") is not None:
            shape = _ANY_TOKEN
            before = text[: anchor.start()]

        outers = list(_iter_guesses(text, anchor, shape))
        choices = [_Learned(_compile_shape(outer)) for outer in reversed(outers)]
        self._set_guess(_Guess(text, before, tuple(choices)))

    def confirm(self, text: str) -> Prefix | None:
        """Return the parsed prefix of the line before if this line confirms what was guessed about it."""
        guess = self._guess
        if guess is None:
            return None

        self._set_guess(None)
        if _INVOKED in text:
            return None

        repeated = _find_repeated_name(guess.before, text)
        if repeated is not None:
            return self._learn_repeated(guess, repeated)

        for choice in guess.choices:
            match = choice.pattern.match(text)
            if match and match.end() < len(text):
                self._add(choice)
                return self.split(guess.text)

        return None

    def _learn_repeated(self, guess: _Guess, repeated: _Repeated) -> Prefix | None:
        """Learn what two lines have before the same name, and return the parsed prefix of the first line.

        The first line can have an annotation before the prefix.
        """
        outer = repeated.outer
        shape = _compile_shape(outer)
        same = re.compile(rf"{shape.pattern}\Z").search(guess.before[: repeated.start])
        if _names_program(outer) or _PROGRAM.search(guess.before):
            return None

        start = repeated.start
        if same is not None:
            start = same.start()
        plain = guess.text[start:]
        if _is_known_prefix(outer):
            return _split_known(plain) if start else None

        self._add(_Learned(shape, has_quote=outer[-1:] in _QUOTES))

        return self.split(plain) or _split_known(plain)

    def _set_guess(self, guess: _Guess | None) -> None:
        self._guess = guess
        self.is_active = guess is not None or bool(self._learned)

    def _add(self, learned: _Learned) -> None:
        self.is_active = True
        self._learned.insert(0, learned)
        del self._learned[_MAX_LEARNED:]


class _Repeated(t.NamedTuple):
    """The name of a trigger in two lines: where it begins in the first, and what is before it in the second."""

    start: int
    outer: str


def _find_repeated_name(before: str, text: str) -> _Repeated | None:
    """Return where the trigger's name begins in a trigger line and in the line after it.

    `before` is the trigger line up to the end of the name. The next line is the heading of the stack, or up to Linux
    4.20 the line about the cpuset, which begins with the name. There, only a prefix that is no name shows where.
    """
    heading = _STACK_HEADING.search(text, 0, _LONGEST)
    if heading is not None:
        rest = text[heading.end() :]
        return _find_name_in_heading(before, rest, text[: heading.start()])

    second, cpuset, _rest = text[: _LONGEST + _LONGEST_NAME].partition(_CPUSET)
    if not cpuset:
        return None

    known = split_prefix(second)
    if known is not None and _is_kernel(known):
        return _find_name_in_heading(before, f"{known.text} ", second[: len(second) - len(known.text)])

    for start in _list_starts(before, reverse=True):
        name = before[start:]
        outer = second[: len(second) - len(name)]
        # Only numbers differ between two prefixes.
        has_number = _NUMBER_END.findall(outer) != _NUMBER_END.findall(before[:start])
        has_end = any((not outer, has_number, _PREFIX_END.search(outer)))
        if has_end and second.endswith(name):
            return _Repeated(start, outer)

    return None


def _find_name_in_heading(before: str, rest: str, outer: str) -> _Repeated | None:
    for start in _list_starts(before):
        if rest.startswith(f"{before[start:]} "):
            return _Repeated(start, outer)

    return None


def _list_starts(before: str, *, reverse: bool = False) -> list[int]:
    """Return the indexes at which the name at the end of a text can begin."""
    first = max(0, len(before) - _LONGEST_NAME)

    return sorted(range(first, len(before)), reverse=reverse)


def _iter_starts(text: str, end: int) -> t.Iterator[int]:
    """Yield the indexes in a line at which a known prefix or a message can begin."""
    for match in _STARTS.finditer(text, 0, end + 1):
        yield match.start()


def _iter_guesses(text: str, anchor: t.Match[str], shape: t.Pattern[str]) -> t.Iterator[str]:
    """Yield what can be a prefix of the given shape, shortest first."""
    for start in _iter_starts(text, anchor.start()):
        outer = text[:start]
        checks = (
            shape.fullmatch(outer),
            _is_message(text, start, anchor),
            _is_prefix(outer),
        )
        if all(checks):
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
    plain = _LOGIN.sub("", outer)
    if not _PROGRAM.search(plain):
        plain = _LABELS.sub("", plain)
    checked, guest, _rest = plain.partition(_GUEST)
    reasons = (
        len(outer) > _LONGEST,
        outer.strip() in _COMMENTS,
        _QUOTING_OR_PROGRAM.search(plain),
        guest and not has_no_program(checked),
        _TAG.search(checked.lstrip()),
        len(_WORD.findall(outer)) > _MAX_WORDS,
    )

    return not any(reasons)


def _names_program(outer: str) -> bool:
    """Return whether a text before two lines of the kernel is that of another program, or too long for a prefix."""
    checked = outer.replace("\t", " ").replace(_GUEST, "").replace(_KERNEL_TAG, "")
    reasons = (
        len(outer) > _LONGEST,
        _PROGRAM.search(outer),
        _TAG.search(checked.lstrip()),
    )

    return any(reasons)


def _is_known_prefix(outer: str) -> bool:
    """Return whether all lines of the kernel with this prefix are read without learning it."""
    prefix = split_prefix(f"{outer}x")
    if prefix is None:
        return not outer

    return prefix.text == "x" and _is_kernel(prefix)


def _is_time(outer: str) -> bool:
    """Return whether nothing but a time is before a message, also as Kubernetes prints it."""
    time = _CRI_STREAM.sub("", outer)
    prefix = split_prefix(time + _KERNEL_TAG)
    if prefix is None or not time.strip():
        return False

    return prefix._replace(realtime_us=None) == Prefix("", source="kernel")


def _split_known(text: str) -> Prefix:
    """Return the parsed prefix of a line that has a known one or none."""
    return split_prefix(text) or Prefix(text)


def _compile_shape(outer: str) -> t.Pattern[str]:
    """Return a pattern for the same prefix with other numbers."""
    with_any_number = _NUMBER.sub(r"\\d+", re.escape(outer))
    # grep prints a hyphen in place of the colon before the lines around a hit.
    with_any_number = _AFTER_NAME.sub("[:-]", with_any_number)

    return re.compile(_ESCAPED_BLANKS.sub(r"\\s+", with_any_number))


def _split_rest(text: str, start: int, learned: _Learned) -> Prefix:
    """Return the parsed prefix of a line whose learned prefix ends at `start`."""
    outer = split_prefix(text)
    # In some lines, the host and the program can follow the time that is the prefix of others.
    if outer is not None and outer.source == "kernel":
        return outer

    message = text[start:]
    if learned.has_quote:
        message = _unquote(message)
    inner = split_prefix(message)
    if inner is None:
        inner = _split_tag(message, learned)
    if (inner.monotonic_us, inner.realtime_us) != (None, None):
        return inner

    if outer is not None and outer.monotonic_us is not None:
        return inner._replace(monotonic_us=outer.monotonic_us)

    return inner._replace(realtime_us=find_realtime(text))


def _unquote(text: str) -> str:
    """Return a text in quotation marks without the escapes of JSON and of comma-separated values."""
    return text.replace('\\"', '"').replace('""', '"').replace("\\\\", "\\")


def _split_tag(text: str, learned: _Learned) -> Prefix:
    """Return the program and the message of a line, the program only if the learned prefix is followed by one."""
    if not learned.has_tag:
        program = _PROCESS.match(text)
        if program is not None:
            return Prefix(text, source=program.group("tag"))

        # The rest of a message of several lines is indented.
        return Prefix(undo_escapes(text.lstrip()))

    tag = _OTHER_PROGRAM.match(text)
    if tag is None:
        return Prefix(undo_escapes(text))

    return Prefix(undo_escapes(text[tag.end() :]), source=tag.group("tag"))
