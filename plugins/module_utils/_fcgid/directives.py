# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directives of mod_fcgid: their contexts, ranges, defaults and old names. Pure.

Taken from mod_fcgid 2.3.9 (modules/fcgid/fcgid_conf.c and mod_fcgid.c) and its manual. mod_fcgid reads nearly every
number with atol() and silently takes `soon` for 0, so the ranges are defined and checked here.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from .._errors import OomguardError

SERVER = "server config"
VHOST = "virtual host"
DIRECTORY = "directory"

COMMAND_OPTIONS = "FcgidCmdOptions"
INITIAL_ENV = "FcgidInitialEnv"
WRAPPER = "FcgidWrapper"

_INT_MAX = 2**31 - 1
_OFF_MAX = 2**63 - 1
# FCGID_MAX_APPLICATION in fcgid_proctbl.h: the size of the table of processes.
_PLACES = 1024

# More digits than atol() reads, and fewer than Python refuses to read.
_NUMBER = re.compile(r"[+-]?[0-9]{1,30}")
# ap_getword_conf() of httpd: white space separates words, quotes hold them together, a backslash escapes a quote.
_WORD = re.compile(r"""\s*(?:"((?:\\.|[^"\\])*)"?|'((?:\\.|[^'\\])*)'?|(\S+))""")
_ESCAPED_QUOTE = re.compile(r"""\\(["'\\])""")


class FcgidError(OomguardError):
    """A setting of mod_fcgid is wrong, could not be installed, or is not in force."""


@dataclasses.dataclass(frozen=True)
class Directive:
    """A directive of mod_fcgid, whose arguments are text.

    `range` is set for numbers. `option` is the directive's name within FcgidCmdOptions. A `keyed` directive may occur
    once for each key.
    """

    name: str
    contexts: tuple[str, ...] = (SERVER, VHOST)
    range: tuple[int, int] | None = None
    default: int | str | None = None
    legacy: str = ""
    option: str = ""
    keyed: bool = False

    def format_value(self, value: object) -> str:
        """Return `value` as it is written in the configuration. Raises FcgidError if Apache would misread it."""
        text = str(value).strip()
        is_plain = isinstance(value, (str, int)) and not isinstance(value, bool)
        if not is_plain or not text:
            raise FcgidError(f"{self.name} is {value!r}.", hint="Use a string, as in Apache's configuration.")

        if text.endswith("\\") or not text.isprintable():
            raise FcgidError(
                f"The value of {self.name} contains a line break, a control character or a trailing backslash.",
                hint="Apache would not read it as one directive. Use a list for several values.",
            )

        return text

    def parse_value(self, text: str) -> int | str:
        """Return the value that mod_fcgid reads from `text`."""
        return " ".join(text.split())

    def find_key(self, text: str) -> str:
        """Return the part of `text` that distinguishes this setting from others of the same directive."""
        if not self.keyed:
            return ""

        return split_words(text)[0]


@dataclasses.dataclass(frozen=True)
class NumberDirective(Directive):
    """A directive whose argument is a number, which mod_fcgid reads as atol() does."""

    range: tuple[int, int] = (0, _INT_MAX)

    def format_value(self, value: object) -> str:
        """Return `value` as it is written in the configuration. Raises FcgidError if it is not in the range."""
        least, most = self.range
        text = str(value).strip()
        if not _NUMBER.fullmatch(text) or not least <= int(text) <= most:
            raise FcgidError(f"{self.name} is {text!r}.", hint=f"Use a number from {least} to {most}.")

        return str(int(text))

    def parse_value(self, text: str) -> int | str:
        """Return the number at the start of `text`, 0 if there is none."""
        digits = _NUMBER.match(text)
        if digits is None:
            return 0

        return int(digits.group())


class VariableDirective(Directive):
    """FcgidInitialEnv, which sets a variable of the worker's environment."""

    def parse_value(self, text: str) -> int | str:
        """Return the variable and its value, without quotes."""
        return " ".join(split_words(text))


class WrapperDirective(Directive):
    """FcgidWrapper, whose key is the suffix of the files that the wrapper serves."""

    def find_key(self, text: str) -> str:
        """Return the suffix. It may be missing, or there may be only the word virtual."""
        _command, *options = split_words(text)
        first_option = "".join(options[:1])
        if not first_option.startswith("."):
            return ""

        return first_option


class CommandOptionsDirective(Directive):
    """FcgidCmdOptions, which sets other directives for one command."""

    def format_value(self, value: object) -> str:
        """Return `value` as it is written in the configuration.

        Raises FcgidError if Apache would misread it, or if mod_fcgid would misread one of the options.
        """
        text = super().format_value(value)
        _command, words = _split_command(text)
        options = words[::2]
        values = words[1::2]
        for option, option_value in zip(options, values):
            _refuse_option(option, option_value)
        if len(options) > len(values):
            _refuse_option(options[-1], None)

        return text


def split_words(text: str) -> list[str]:
    """Return the words of a directive's arguments, without their quotes."""
    words = []
    # Only one of the three parts is not empty.
    for double_quoted, single_quoted, bare in _WORD.findall(text.strip()):
        unquoted = _ESCAPED_QUOTE.sub(r"\1", double_quoted + single_quoted)
        words.append(unquoted + bare)

    return words


def parse_command_options(text: str) -> tuple[str, dict[tuple[str, str], int | str]]:
    """Return the command of an FcgidCmdOptions, and the value of each directive for it, by name and key.

    The directives themselves do not apply to such a command. An option that is not named has mod_fcgid's own default,
    and no variable of FcgidInitialEnv is set.
    """
    command, options = _split_command(text)
    texts = {directive.option.lower(): str(directive.default) for directive in _BY_OPTION.values()}
    variables: dict[tuple[str, str], int | str] = {}
    for option, value in zip(options[::2], options[1::2]):
        texts[option.lower()] = value
        if option.lower() == _ENVIRONMENT_OPTION.lower():
            name, _equals, content = value.partition("=")
            variables[INITIAL_ENV, name] = f"{name} {content}".rstrip()

    numbers = {(directive.name, ""): directive.parse_value(texts[name]) for name, directive in _BY_OPTION.items()}
    return command, {**numbers, **variables}


def _split_command(text: str) -> tuple[str, list[str]]:
    """Return the command of an FcgidCmdOptions, and the words of its options, in which quotes are not special."""
    command = split_words(text)[0]
    options = _WORD.sub("", text.strip(), count=1)
    return command, options.split()


def _refuse_option(option: str, value: str | None) -> None:
    """Raise FcgidError if FcgidCmdOptions has no such option, or if atoi() would misread the value."""
    directive = _BY_OPTION.get(option.lower())
    if directive is None and option.lower() != _ENVIRONMENT_OPTION.lower():
        names = [directive.option for directive in _BY_OPTION.values()]
        known = ", ".join(sorted([_ENVIRONMENT_OPTION, *names]))
        raise FcgidError(f"{COMMAND_OPTIONS} has no option {option!r}.", hint=f"Its options are {known}.")

    if value is None:
        raise FcgidError(
            f"{COMMAND_OPTIONS} {option} has no value.", hint="Set a value for each option, after the command."
        )

    if directive:
        dataclasses.replace(directive, name=f"{COMMAND_OPTIONS} {option}").format_value(value)


def find_directive(name: str) -> Directive:
    """Return the directive with this current or old name, in any case.

    Raises FcgidError if there is none, or if it cannot be set for the server.
    """
    directive = BY_ANY_NAME.get(name.lower())
    if directive is None:
        raise FcgidError(
            f"{name!r} is not a directive of mod_fcgid.",
            hint="The directives are listed at https://httpd.apache.org/mod_fcgid/mod/mod_fcgid.html.",
        )

    if SERVER not in directive.contexts:
        raise FcgidError(
            f"{directive.name} belongs in a <Directory> section, but this file applies to the whole server.",
            hint="Set it where the directory is configured.",
        )

    return directive


def describe_old_names(names: t.Iterable[str]) -> t.Iterator[str]:
    """Yield a warning for each of `names` that is not the current name of its directive."""
    for name in names:
        if name not in DIRECTIVES:
            current = BY_ANY_NAME[name.lower()].name
            yield f"{name} is an old name of mod_fcgid's directive {current}. It was written under its current name."


def _make_number(
    name: str,
    default: int,
    *,
    least: int = 0,
    most: int = _INT_MAX,
    contexts: tuple[str, ...] = (SERVER, VHOST),
    legacy: str = "",
    option: str = "",
) -> NumberDirective:
    return NumberDirective(
        name,
        contexts=contexts,
        range=(least, most),
        default=default,
        legacy=legacy or name[len("Fcgid") :],
        option=option,
    )


def _make_for_directories(name: str) -> t.Iterator[Directive]:
    for suffix in ("", "Authoritative"):
        yield Directive(f"Fcgid{name}{suffix}", contexts=(DIRECTORY,), legacy=f"FastCgi{name}{suffix}")


DIRECTIVES: t.Mapping[str, Directive] = {
    directive.name: directive
    for directive in (
        *_make_for_directories("AccessChecker"),
        *_make_for_directories("Authenticator"),
        *_make_for_directories("Authorizer"),
        _make_number("FcgidBusyScanInterval", 120, least=1, contexts=(SERVER,)),
        _make_number("FcgidBusyTimeout", 300, least=1),
        CommandOptionsDirective(COMMAND_OPTIONS, keyed=True),
        _make_number("FcgidConnectTimeout", 3, least=1, legacy="IPCConnectTimeout", option="ConnectTimeout"),
        _make_number("FcgidErrorScanInterval", 3, least=1, contexts=(SERVER,)),
        _make_number("FcgidFixPathinfo", 0, most=1, contexts=(SERVER,), legacy="PHP_Fix_Pathinfo_Enable"),
        _make_number("FcgidIdleScanInterval", 120, least=1, contexts=(SERVER,)),
        _make_number("FcgidIdleTimeout", 300, option="IdleTimeout"),
        VariableDirective(INITIAL_ENV, keyed=True, legacy="DefaultInitEnv"),
        _make_number("FcgidIOTimeout", 40, least=1, legacy="IPCCommTimeout", option="IOTimeout"),
        Directive("FcgidIPCDir", contexts=(SERVER,), legacy="SocketPath"),
        _make_number("FcgidMaxProcesses", 1000, least=1, most=_PLACES, contexts=(SERVER,), legacy="MaxProcessCount"),
        _make_number(
            "FcgidMaxProcessesPerClass",
            100,
            least=1,
            most=_PLACES,
            legacy="DefaultMaxClassProcessCount",
            option="MaxProcesses",
        ),
        _make_number("FcgidMaxRequestInMem", 65536),
        _make_number("FcgidMaxRequestLen", 131072, most=_OFF_MAX),
        _make_number("FcgidMaxRequestsPerProcess", 0, option="MaxRequestsPerProcess"),
        _make_number(
            "FcgidMinProcessesPerClass", 3, most=_PLACES, legacy="DefaultMinClassProcessCount", option="MinProcesses"
        ),
        _make_number("FcgidOutputBufferSize", 65536),
        Directive("FcgidPassHeader", keyed=True, legacy="PassHeader"),
        _make_number("FcgidProcessLifeTime", 3600, option="MaxProcessLifetime"),
        Directive("FcgidProcessTableFile", contexts=(SERVER,), legacy="SharememPath"),
        _make_number("FcgidSpawnScore", 1, contexts=(SERVER,)),
        _make_number("FcgidSpawnScoreUpLimit", 10, contexts=(SERVER,)),
        _make_number("FcgidTerminationScore", 2, contexts=(SERVER,)),
        _make_number("FcgidTimeScore", 1, contexts=(SERVER,)),
        WrapperDirective(WRAPPER, contexts=(SERVER, VHOST, DIRECTORY), keyed=True, legacy="FCGIWrapper"),
        _make_number("FcgidZombieScanInterval", 3, least=1, contexts=(SERVER,)),
    )
}


def _index_names() -> dict[str, Directive]:
    index: dict[str, Directive] = {}
    for directive in DIRECTIVES.values():
        index[directive.name.lower()] = directive
        if directive.legacy:
            index[directive.legacy.lower()] = directive

    return index


def _index_options() -> dict[str, Directive]:
    index: dict[str, Directive] = {}
    for directive in DIRECTIVES.values():
        if directive.option:
            index[directive.option.lower()] = directive

    return index


# The directives by their current and old names. Apache compares these without regard to case.
BY_ANY_NAME: t.Mapping[str, Directive] = _index_names()

# The options of FcgidCmdOptions that set a directive, and the one that sets a variable of FcgidInitialEnv.
_BY_OPTION: t.Mapping[str, Directive] = _index_options()
_ENVIRONMENT_OPTION = "InitialEnv"
