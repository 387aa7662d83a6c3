# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values as users write them in unit files, compared with values as `systemctl show` prints them. Pure."""

from __future__ import annotations

import dataclasses
import re
import shlex
import signal
import typing as t

YES = frozenset(("1", "yes", "y", "true", "t", "on"))
NO = frozenset(("0", "no", "n", "false", "f", "off"))
UNLIMITED = frozenset(("infinity", str(2**64 - 1), "[not set]"))

_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?) *([KMGTPE]?)B?")
_PERCENTAGE = re.compile(r"([0-9]+(?:\.[0-9]+)?)%")
_SPAN = re.compile(r"([0-9]+(?:\.[0-9]+)?) *([a-zA-Zµ]*)")
_ARGV = re.compile(r"argv\[\]=(.*?) ; ")
_WORD = re.compile(r"[\w./:@+-]+")
_FILE = re.compile(r"(append|file|truncate|fd):.*")
_SIGNAL = re.compile(r"(?:SIG)?([A-Z][A-Z0-9]*)([+-][0-9]+)?")
# Commands and variables that systemd prints as they were written, but for quotes.
_COMMAND = re.compile(r"[-:+!|]*/[^\\$%;]*")
_VARIABLES = re.compile(r"[^\\$%`]*")
_PAGE = 4096

# systemd.time(7), in microseconds.
_SECOND = 1_000_000
_MICROSECONDS = {
    name: factor
    for factor, names in (
        (1, ("us", "usec", "µs")),
        (1000, ("ms", "msec")),
        (_SECOND, ("", "s", "sec", "second", "seconds")),
        (60 * _SECOND, ("m", "min", "minute", "minutes")),
        (3600 * _SECOND, ("h", "hr", "hour", "hours")),
        (86400 * _SECOND, ("d", "day", "days")),
        (7 * 86400 * _SECOND, ("w", "week", "weeks")),
        (2_629_800 * _SECOND, ("M", "month", "months")),
        (31_557_600 * _SECOND, ("y", "year", "years")),
    )
    for name in names
}

_LEVELS = {
    name: str(number)
    for number, name in enumerate(("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"))
}
# `systemctl show` prints these as the numbers of the kernel (sched.h, ioprio.h, syslog.h).
_NUMBERS = {
    "CPUSchedulingPolicy": {"other": "0", "fifo": "1", "rr": "2", "batch": "3", "idle": "5"},
    "IOSchedulingClass": {"realtime": "1", "best-effort": "2", "idle": "3"},
    "LogLevelMax": _LEVELS,
    "SyslogLevel": _LEVELS,
}

# Booleans that have come to take words as well, which are shown under another name (systemd 257).
_WORDED = frozenset(("PrivateTmp", "PrivateUsers", "ProtectControlGroups", "ProtectHostname"))

# Assigning these adds to what other files assign; only an empty value takes that away.
_LISTS = re.compile(
    r"Environment|EnvironmentFile|PassEnvironment|UnsetEnvironment|Exec.*|Condition.*|Assert.*|Listen.*|On[A-Z].*"
    r"|After|Before|Wants|Requires|Requisite|BindsTo|PartOf|Upholds|Conflicts|OnFailure|OnSuccess|.*PropagatedFrom"
    r"|PropagatesReloadTo|PropagatesStopTo|JoinsNamespaceOf|RequiresMountsFor|WantsMountsFor|Documentation|Sockets"
    r"|(?:Read|Exec|No|In)[A-Za-z]*Paths|Bind(?:ReadOnly)?Paths|TemporaryFileSystem|DeviceAllow|IPAddress.*"
    r"|IO(?:Read|Write).*Max|IODeviceWeight|IODeviceLatencyTargetSec|SystemCall(?:Filter|Log|Architectures)"
    r"|CapabilityBoundingSet|AmbientCapabilities|RestrictAddressFamilies|RestrictNetworkInterfaces"
    r"|(?:Runtime|State|Cache|Logs|Configuration)Directory|SupplementaryGroups|.*ExitStatus|LoadCredential.*"
    r"|SetCredential.*|ImportCredential|LogExtraFields|LogFilterPatterns|CPUAffinity|AllowedCPUs|AllowedMemoryNodes"
    r"|WantedBy|RequiredBy|Alias|Also"
)

# Of these, the first assignment takes away what holds without any.
_WHOLE = frozenset(("CapabilityBoundingSet", "SystemCallFilter"))


@dataclasses.dataclass(frozen=True)
class Totals:
    """What percentages are parts of: the host's RAM in bytes, and the most tasks that it can have."""

    ram_bytes: int = 0
    tasks: int = 0


def is_list(directive: str) -> bool:
    """Tell whether assigning `directive` once more adds to it (systemd.unit(5) and its relatives)."""
    return _LISTS.fullmatch(directive) is not None


def assigned(values: t.Iterable[str]) -> list[str]:
    """Return what assigning `values` in order leaves: an empty one takes away all before it."""
    left: list[str] = []
    for value in values:
        left = [*left, value] if value.strip() else []
    return left


def properties_of(directive: str, value: str = "") -> tuple[str, ...]:
    """Return the names under which `systemctl show` prints `directive` (org.freedesktop.systemd1(5)).

    Some depend on the value.
    """
    special = {
        "CPUQuota": ("CPUQuotaPerSecUSec",),
        "Delegate": ("Delegate",) if value.lower() in YES | NO else ("DelegateControllers",),
        "EnvironmentFile": ("EnvironmentFiles",),
        "TimeoutSec": ("TimeoutStartUSec", "TimeoutStopUSec"),
    }
    if directive in special:
        return special[directive]
    if directive in _WORDED and value and value.lower() not in YES | NO:
        return (f"{directive}Ex",)
    if directive.startswith(("Limit", "DefaultLimit")) and ":" in value:
        return (f"{directive}Soft", directive)
    if directive.startswith("Listen") and directive[6:] in (
        "Stream",
        "Datagram",
        "SequentialPacket",
        "FIFO",
        "Netlink",
    ):
        return ("Listen",)
    return (f"{directive[:-3]}USec" if directive.endswith("Sec") and not directive.endswith("NSec") else directive,)


def is_in_force(
    directive: str, values: t.Sequence[str], properties: t.Mapping[str, str], totals: Totals
) -> bool | None:
    """Tell whether assigning `values` in order leads to the `properties` that systemd shows; None: cannot be told."""
    wanted = assigned(values)
    if is_list(directive):
        name = properties_of(directive)[0]
        # Of commands that there are none of it prints nothing at all.
        shown = properties.get(name, "" if name.startswith("Exec") else None)
        if not wanted:
            return None if shown is None else not shown
        exactly = len(wanted) < len(values) or directive in _WHOLE
        return None if shown is None else _holds(directive, wanted, shown, exactly=exactly)
    if not wanted:
        return None
    value = wanted[-1]
    names = properties_of(directive, value)
    parts = value.split(":") if len(names) > 1 and ":" in value else [value] * len(names)
    verdicts = [
        None if name not in properties else _is_same(directive, part.strip(), properties[name], totals)
        for name, part in zip(names, parts)
    ]
    return False if False in verdicts else None if None in verdicts else True


def _is_same(directive: str, value: str, shown: str, totals: Totals) -> bool | None:
    """Tell whether `value` is what systemd has `shown`; None where that cannot be told."""
    if value == shown:
        return True
    if directive == "WatchdogSec":
        # The one shown is that of the process that runs, which got it at its start.
        return microseconds(value) == microseconds(shown) or None
    for compare in (_same_number, _same_percentage, _same_time, _same_switch, _same_mode):
        verdict = compare(directive, value, shown, totals)
        if verdict is not None:
            return verdict
    if "%" in value:
        return None
    if _plain(value) == _plain(shown):
        return True
    if not (_WORD.fullmatch(value) and _WORD.fullmatch(shown)):
        return None
    # A word against a number is a name that systemd knows and we do not.
    return False if value.lstrip("-").isdigit() == shown.lstrip("-").isdigit() else None


def _same_switch(_directive: str, value: str, shown: str, _totals: Totals) -> bool | None:
    if shown not in ("yes", "no"):
        return None
    return value.lower() in (YES if shown == "yes" else NO)


def _same_mode(directive: str, value: str, shown: str, _totals: Totals) -> bool | None:
    if not (directive == "UMask" or directive.endswith("Mode")) or not re.fullmatch("[0-7]+", value + shown):
        return None
    return int(value, 8) == int(shown, 8)


def _same_time(directive: str, value: str, shown: str, _totals: Totals) -> bool | None:
    if not directive.endswith("Sec"):
        return None
    unending = shown in UNLIMITED
    if value == "infinity" or (unending and directive.startswith(("Timeout", "Job", "RuntimeMax"))):
        return unending and (value == "infinity" or microseconds(value) == 0)
    asked = microseconds(value)
    if directive.endswith("NSec"):
        return None if asked is None or not shown.isdigit() else asked * 1000 == int(shown)
    found = -1 if unending else microseconds(shown)
    return None if asked is None or found is None else asked == found


def _same_number(directive: str, value: str, shown: str, _totals: Totals) -> bool | None:
    numbers = _NUMBERS.get(directive)
    if numbers:
        number = numbers.get(value.lower(), value)
        return number == shown if number.isdigit() else None
    if directive.endswith("Signal"):
        number = _signal(value)
        return number == shown if number.isdigit() else None
    if directive.endswith("LimitNICE") and value[:1] in "+-":
        return str(20 - int(value)) == shown
    if directive.endswith(("LimitCPU", "LimitRTTIME")) and microseconds(value) is not None:
        return str((microseconds(value) or 0) // (_SECOND if directive.endswith("CPU") else 1)) == shown
    if value == "infinity" and (shown.isdigit() or shown in UNLIMITED):
        return shown in UNLIMITED
    if directive.endswith("Sec") or not (shown in UNLIMITED or re.fullmatch("-?[0-9]+", shown)):
        return None
    if re.fullmatch("[+-]?[0-9]+", value) and not directive.endswith("Mode") and directive != "UMask":
        return shown not in UNLIMITED - {value} and int(value) == int(shown)
    asked = size(value)
    if asked is None:
        # Of its limits of memory we know all values, and systemd has passed over any other one.
        return False if directive.startswith("Memory") and "%" not in value else None
    return shown not in UNLIMITED and asked == int(shown)


def _same_percentage(directive: str, value: str, shown: str, totals: Totals) -> bool | None:
    match = _PERCENTAGE.fullmatch(value)
    if not match:
        return None
    part = float(match.group(1)) / 100
    if directive == "CPUQuota":
        return round(part * _SECOND) == microseconds(shown)
    if directive == "ManagedOOMMemoryPressureLimit":
        return shown.isdigit() and abs(int(shown) - part * 2**32) < 2
    total = totals.tasks if directive == "TasksMax" else totals.ram_bytes
    if not total:
        return None
    if part >= 1 and shown in UNLIMITED:
        return directive != "TasksMax" or None
    return shown.isdigit() and abs(int(shown) - part * total) <= (1 if directive == "TasksMax" else _PAGE)


def _holds(directive: str, wanted: t.Sequence[str], shown: str, *, exactly: bool) -> bool | None:
    """Tell whether the list that systemd has `shown` holds all that was assigned, and `exactly` that."""
    asked, found = _asked_and_found(directive, wanted, shown)
    if asked <= found:
        # What is more may have come from another file.
        return None if exactly and asked != found else True
    # In these systemd prints words as they were written; in others it prints what it made of them.
    written = _COMMAND if _is_command(directive) else _VARIABLES
    as_written = _is_command(directive) or directive in ("Environment", "EnvironmentFile", "PassEnvironment")
    return False if as_written and all(written.fullmatch(value) for value in wanted) else None


def _asked_and_found(directive: str, wanted: t.Sequence[str], shown: str) -> tuple[set[str], set[str]]:
    """Return the words, commands or variables of what was assigned, and those of what systemd has `shown`."""
    if _is_command(directive):
        commands = [" ".join(words_of(value.lstrip("-@:+!|"))) for value in wanted]
        return {" ".join(text.split()) for text in commands}, {" ".join(text.split()) for text in _ARGV.findall(shown)}
    asked, found = [word for value in wanted for word in words_of(value)], set(words_of(shown))
    if directive == "EnvironmentFile":
        return {word.lstrip("-") for word in asked}, {word for word in found if not word.startswith("(")}
    if directive == "Environment":
        # Of several values of a variable, the last one holds.
        return set({word.partition("=")[0]: word for word in asked}.values()), found
    if found.issuperset(asked):
        return set(asked), found
    return {_plain(word) for word in asked}, {_plain(word) for word in found}


def _is_command(directive: str) -> bool:
    return directive.startswith("Exec") and not directive.endswith("Paths")


def _signal(value: str) -> str:
    """Return the number of a signal such as SIGINT, INT or SIGRTMIN+3, anything else as it is."""
    match = _SIGNAL.fullmatch(value)
    number = signal.Signals.__members__.get(f"SIG{match.group(1)}") if match else None
    return str(number + int(match.group(2) or 0)) if match and number else value


def _plain(text: str) -> str:
    """Return the words of a text without what systemd adds or leaves away as it prints it."""
    words = []
    for word in text.split():
        amount = size(word, base=1000)
        bare = word[3:] if word.startswith("SIG") else _FILE.sub(r"\1", word).rstrip("/")
        words.append(str(amount) if amount is not None else bare.lower())
    return " ".join(words)


def words_of(text: str) -> list[str]:
    """Return the words of a list, without the quotes around some of them."""
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def size(text: str, *, base: int = 1024) -> int | None:
    """Return the bytes of a size in systemd's syntax, None for `infinity` and for what is not a size."""
    match = _SIZE.fullmatch(text)
    return int(float(match.group(1)) * base ** " KMGTPE".index(match.group(2) or " ")) if match else None


def memory_limit(text: str, totals: Totals) -> int | None:
    """Return the bytes of a limit of memory, which may be a percentage of the RAM; None where it is no limit."""
    match = _PERCENTAGE.fullmatch(text)
    return int(float(match.group(1)) / 100 * totals.ram_bytes) or None if match else size(text)


def microseconds(text: str) -> int | None:
    """Return the microseconds of a time span in the syntax of systemd.time(7), None for what is not one."""
    spans = _SPAN.findall(text)
    if not spans or _SPAN.sub("", text).strip() or any(unit not in _MICROSECONDS for _number, unit in spans):
        return None
    return sum(round(float(number) * _MICROSECONDS[unit]) for number, unit in spans)
