# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directives of mod_fcgid: their contexts, ranges, defaults and old names. Pure.

From mod_fcgid 2.3.9, modules/fcgid/fcgid_conf.c and mod_fcgid.c, and its manual. The program itself reads nearly every
number with atol(), so that it takes `soon` for 0 without a word: the ranges are kept here.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
import typing as t

from .._errors import OomguardError
from .._safe import neutralise

SERVER, VHOST, DIRECTORY = "server config", "virtual host", "directory"

_INT_MAX = 2**31 - 1
_OFF_MAX = 2**63 - 1
# FCGID_MAX_APPLICATION in fcgid_proctbl.h: the table of processes has no more places.
_PLACES = 1024

_NUMBER = re.compile(r"[+-]?[0-9]+")
# ap_getword_conf() of httpd: words are separated by blanks; quotes hold them together, a backslash keeps a quote.
_WORD = re.compile(r"""\s*(?:"((?:\\.|[^"\\])*)"?|'((?:\\.|[^'\\])*)'?|(\S+))""")
_ESCAPED_QUOTE = re.compile(r"""\\(["'\\])""")


class FcgidError(OomguardError):
    """A setting of mod_fcgid is wrong, could not be installed, or is not in force."""


@dataclasses.dataclass(frozen=True)
class Directive:
    """One directive.

    `range` is set for numbers. `option` is its name within FcgidCmdOptions. `keyed` directives may be given several
    times, once for each key: the first word, or for FcgidWrapper the suffix.
    """

    name: str
    contexts: tuple[str, ...] = (SERVER, VHOST)
    range: tuple[int, int] | None = None
    default: int | str | None = None
    legacy: str = ""
    option: str = ""
    keyed: bool = False

    def text(self, value: object) -> str:
        """Return `value` as the configuration has it. Raises FcgidError for what Apache would misread."""
        text = str(value).strip()
        if self.range:
            least, most = self.range
            if isinstance(value, bool) or not _NUMBER.fullmatch(text) or not least <= int(text) <= most:
                raise FcgidError(f"{self.name} is {neutralise(text)!r}.", hint=f"Give a number from {least} to {most}.")
            return str(int(text))
        if not isinstance(value, (str, int)) or isinstance(value, bool) or not text:
            raise FcgidError(f"{self.name} is {neutralise(repr(value))}.", hint="Give a text, as Apache has it.")
        if text.endswith("\\") or not text.isprintable():
            raise FcgidError(
                f"The value of {self.name} holds a line break, a control character or a trailing backslash.",
                hint="It would be read as a second directive; give a list where there are several values.",
            )
        if self.name == "FcgidCmdOptions":
            _refuse_options(text)
        return text

    def value(self, text: str) -> int | str:
        """Return what mod_fcgid makes of `text`: numbers as atol() reads them."""
        if self.range is None:
            return " ".join(words(text) if self.name == "FcgidInitialEnv" else text.split())
        digits = _NUMBER.match(text)
        return int(digits.group()) if digits else 0

    def key(self, text: str) -> str:
        """Return what tells this setting from others of the same directive."""
        if not self.keyed:
            return ""
        first, *others = words(text)
        if self.name == "FcgidWrapper":
            return others[0] if others and others[0].startswith(".") else ""
        return first


def words(text: str) -> list[str]:
    """Return the words of a directive's arguments, without their quotes."""
    return [_ESCAPED_QUOTE.sub(r"\1", double or single) or bare for double, single, bare in _WORD.findall(text.strip())]


def command_options(text: str) -> tuple[str, dict[tuple[str, str], int | str]]:
    """Return the command of an FcgidCmdOptions, and the value that each directive has for it, by name and key.

    For such a command the directives do not count at all: an option that is not named has mod_fcgid's own default, and
    no variable of FcgidInitialEnv is set.
    """
    command, options = _command_words(text)
    given = [(name.lower(), value) for name, value in zip(options[::2], options[1::2])]
    values: dict[tuple[str, str], int | str] = {
        (directive.name, ""): directive.value(dict(given).get(directive.option.lower(), str(directive.default)))
        for directive in DIRECTIVES.values()
        if directive.option
    }
    for name, value in given:
        variable, _equals, content = value.partition("=")
        if name == "initialenv":
            values["FcgidInitialEnv", variable] = f"{variable} {content}".rstrip()
    return command, values


def _command_words(text: str) -> tuple[str, list[str]]:
    """Return the command of an FcgidCmdOptions, and the words of its options, for which quotes are nothing special."""
    return words(text)[0], _WORD.sub("", text.strip(), count=1).split()


def _refuse_options(text: str) -> None:
    """Raise FcgidError where an option of an FcgidCmdOptions is none, or has a value that atoi() would misread."""
    _command, options = _command_words(text)
    by_option = {directive.option.lower(): directive for directive in DIRECTIVES.values() if directive.option}
    for option, value in itertools.zip_longest(options[::2], options[1::2]):
        directive = by_option.get(option.lower())
        if directive is None and option.lower() != "initialenv":
            known = ", ".join(sorted({"InitialEnv", *(directive.option for directive in by_option.values())}))
            raise FcgidError(f"FcgidCmdOptions has no option {neutralise(option)!r}.", hint=f"It has {known}.")
        if value is None:
            raise FcgidError(f"FcgidCmdOptions {option} has no value.", hint="Give each option one, after the command.")
        if directive:
            dataclasses.replace(directive, name=f"FcgidCmdOptions {option}").text(value)


def directive_named(name: str) -> Directive:
    """Return the directive that has `name`, in any case or of old, and belongs to the server. Raises FcgidError."""
    directive = BY_ANY_NAME.get(name.lower())
    if directive is None:
        raise FcgidError(
            f"{neutralise(name)!r} is not a directive of mod_fcgid.",
            hint="They are listed at https://httpd.apache.org/mod_fcgid/mod/mod_fcgid.html.",
        )
    if SERVER not in directive.contexts:
        raise FcgidError(
            f"{directive.name} belongs into a <Directory>, and this file is read for the whole server.",
            hint="Write it where the directory is configured.",
        )
    return directive


def renamed(names: t.Iterable[str]) -> list[str]:
    """Return what to say about `names` that are not those of today, under which the directives are written."""
    return [
        f"mod_fcgid's directive {BY_ANY_NAME[name.lower()].name} was given as {name}, and was written by its own name."
        for name in names
        if name not in DIRECTIVES
    ]


def _number(
    name: str,
    default: int,
    *,
    least: int = 0,
    most: int = _INT_MAX,
    contexts: tuple[str, ...] = (SERVER, VHOST),
    legacy: str = "",
    option: str = "",
) -> Directive:
    return Directive(
        name,
        contexts=contexts,
        range=(least, most),
        default=default,
        legacy=legacy or name[len("Fcgid") :],
        option=option,
    )


def _for_directories(name: str) -> t.Iterator[Directive]:
    for suffix in ("", "Authoritative"):
        yield Directive(f"Fcgid{name}{suffix}", contexts=(DIRECTORY,), legacy=f"FastCgi{name}{suffix}")


DIRECTIVES: t.Mapping[str, Directive] = {
    directive.name: directive
    for directive in (
        *_for_directories("AccessChecker"),
        *_for_directories("Authenticator"),
        *_for_directories("Authorizer"),
        _number("FcgidBusyScanInterval", 120, least=1, contexts=(SERVER,)),
        _number("FcgidBusyTimeout", 300, least=1),
        Directive("FcgidCmdOptions", keyed=True),
        _number("FcgidConnectTimeout", 3, least=1, legacy="IPCConnectTimeout", option="ConnectTimeout"),
        _number("FcgidErrorScanInterval", 3, least=1, contexts=(SERVER,)),
        _number("FcgidFixPathinfo", 0, most=1, contexts=(SERVER,), legacy="PHP_Fix_Pathinfo_Enable"),
        _number("FcgidIdleScanInterval", 120, least=1, contexts=(SERVER,)),
        _number("FcgidIdleTimeout", 300, option="IdleTimeout"),
        Directive("FcgidInitialEnv", keyed=True, legacy="DefaultInitEnv"),
        _number("FcgidIOTimeout", 40, least=1, legacy="IPCCommTimeout", option="IOTimeout"),
        Directive("FcgidIPCDir", contexts=(SERVER,), legacy="SocketPath"),
        _number("FcgidMaxProcesses", 1000, least=1, most=_PLACES, contexts=(SERVER,), legacy="MaxProcessCount"),
        _number(
            "FcgidMaxProcessesPerClass",
            100,
            least=1,
            most=_PLACES,
            legacy="DefaultMaxClassProcessCount",
            option="MaxProcesses",
        ),
        _number("FcgidMaxRequestInMem", 65536),
        _number("FcgidMaxRequestLen", 131072, most=_OFF_MAX),
        _number("FcgidMaxRequestsPerProcess", 0, option="MaxRequestsPerProcess"),
        _number(
            "FcgidMinProcessesPerClass", 3, most=_PLACES, legacy="DefaultMinClassProcessCount", option="MinProcesses"
        ),
        _number("FcgidOutputBufferSize", 65536),
        Directive("FcgidPassHeader", keyed=True, legacy="PassHeader"),
        _number("FcgidProcessLifeTime", 3600, option="MaxProcessLifetime"),
        Directive("FcgidProcessTableFile", contexts=(SERVER,), legacy="SharememPath"),
        _number("FcgidSpawnScore", 1, contexts=(SERVER,)),
        _number("FcgidSpawnScoreUpLimit", 10, contexts=(SERVER,)),
        _number("FcgidTerminationScore", 2, contexts=(SERVER,)),
        _number("FcgidTimeScore", 1, contexts=(SERVER,)),
        Directive("FcgidWrapper", contexts=(SERVER, VHOST, DIRECTORY), keyed=True, legacy="FCGIWrapper"),
        _number("FcgidZombieScanInterval", 3, least=1, contexts=(SERVER,)),
    )
}

# Apache compares the names of directives without regard to case.
BY_ANY_NAME: t.Mapping[str, Directive] = {
    name.lower(): directive for directive in DIRECTIVES.values() for name in (directive.name, directive.legacy) if name
}
