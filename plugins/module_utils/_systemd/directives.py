# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directives of unit files: which ones are lists, and how `systemctl show` calls them. Pure."""

from __future__ import annotations

import re
import typing as t

from .syntax import parse_boolean

# Assigning to one of these adds to what other files assign; only an empty value clears it.
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
_COMMANDS = re.compile(r"Exec.*(?<!Paths)")
# The first assignment to one of these replaces the default.
_REPLACED_LISTS = frozenset(("CapabilityBoundingSet", "SystemCallFilter"))

_RENAMED = {
    "CPUQuota": ("CPUQuotaPerSecUSec",),
    "EnvironmentFile": ("EnvironmentFiles",),
    "ListenDatagram": ("Listen",),
    "ListenFIFO": ("Listen",),
    "ListenNetlink": ("Listen",),
    "ListenSequentialPacket": ("Listen",),
    "ListenStream": ("Listen",),
    "TimeoutSec": ("TimeoutStartUSec", "TimeoutStopUSec"),
}
# Times are shown in microseconds, except for those in nanoseconds.
_TIME = re.compile(r"(.*[^N])Sec")
# Former booleans that also accept words, which systemd 257 shows under a second name.
_WORDED = frozenset(("PrivateTmp", "PrivateUsers", "ProtectControlGroups", "ProtectHostname"))


def is_list(directive: str) -> bool:
    """Return whether assigning `directive` once more adds to it (systemd.unit(5), systemd.exec(5) and others)."""
    return _LISTS.fullmatch(directive) is not None


def is_replaced_list(directive: str) -> bool:
    """Return whether the first assignment to this list replaces the value that it has by default."""
    return directive in _REPLACED_LISTS


def is_command(directive: str) -> bool:
    """Return whether the values of `directive` are command lines."""
    return _COMMANDS.fullmatch(directive) is not None


def resolve_assignments(values: t.Iterable[str]) -> list[str]:
    """Return the values that remain after they are assigned in order: an empty one clears all before it."""
    remaining: list[str] = []
    for value in values:
        if value.strip():
            remaining.append(value)
        else:
            remaining = []

    return remaining


def get_properties(directive: str, value: str = "") -> tuple[str, ...]:
    """Return the names under which `systemctl show` prints `directive` (org.freedesktop.systemd1(5)).

    Some names depend on the value.
    """
    renamed = _RENAMED.get(directive)
    if renamed is not None:
        return renamed

    if directive == "Delegate":
        return (_get_delegate_property(value),)

    if directive in _WORDED and _is_word(value):
        return (f"{directive}Ex",)

    is_limit = directive.startswith(("Limit", "DefaultLimit"))
    if is_limit and ":" in value:
        return (f"{directive}Soft", directive)

    time = _TIME.fullmatch(directive)
    if time:
        stem = time.group(1)
        return (f"{stem}USec",)

    return (directive,)


def _get_delegate_property(value: str) -> str:
    enabled = parse_boolean(value)
    if enabled is None:
        return "DelegateControllers"

    return "Delegate"


def _is_word(value: str) -> bool:
    return value != "" and parse_boolean(value) is None
