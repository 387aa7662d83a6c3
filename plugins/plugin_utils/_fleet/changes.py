# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles changed on a host and what is in force afterwards, from the results that they registered. Pure."""

from __future__ import annotations

import operator
import typing as t

from ...module_utils._size import format_size
from .parts import get_part
from .record import Data

START = "start"


class Change(t.NamedTuple):
    """A change of a host, or in check mode, one that would be made."""

    role: str
    """The role that made it, or START for the start of a service."""
    what: str
    before: str | None = None
    after: str | None = None


class _Source(t.NamedTuple):
    """A result that a role registers, and how to read a change from it."""

    variable: str
    role: str
    what: str
    """What was changed; `{}` stands for the unit."""
    describe: t.Callable[[Data, Data], tuple[str | None, str | None]] = lambda _result, _unit: (None, None)
    """Return what was and what is, from the result and what was known about the unit."""
    key: str = ""
    """Where the result has its unit, as keys with dots between them."""


def list_changes(variables: Data) -> t.Iterator[Change]:
    """Yield what was changed on a host, each once; `variables` are those of the host."""
    # The file of a setting and its use by the kernel are the same change.
    yield from dict.fromkeys(_read_changes(variables))


def _read_changes(variables: Data) -> t.Iterator[Change]:
    summary = get_part(get_part(variables, "detect_result"), "summary")
    units = {unit["unit"]: unit for unit in summary.get("taken_down", ())}

    for source in SOURCES:
        for result in _list_changed(get_part(variables, source.variable)):
            unit = _find_unit(result, source.key)
            before, after = source.describe(result, get_part(units, unit))
            what = source.what.format(unit)

            yield Change(source.role, what, before, after)


def describe_change(change: Change, *, time: str) -> dict[str, str | None]:
    """Return a change as a record has it; `time` is the time of the run in ISO 8601."""
    return {"time": time, "what": change.what, "before": change.before, "after": change.after}


def read_in_force(variables: Data) -> dict[str, t.Any]:
    """Return the settings in force according to the modules that set them, null for what they did not look at."""
    policies = {}
    for result in get_part(variables, "oom_policy_set").get("results", ()):
        unit = result["oom_policy_unit"]
        policies[unit] = _collect_settings(result).get("OOMPolicy")

    swap = get_part(get_part(variables, "__swap_set"), "after")
    # The default instance of Apache comes last.
    directives: Data = {}
    for result in get_part(variables, "fcgid_set").get("results", ()):
        directives = get_part(result, "effective")

    return {"oom_policy": policies, "swap_total_bytes": swap.get("total_bytes"), "fcgid": dict(directives)}


def _list_changed(result: Data) -> t.Iterator[Data]:
    """Return the results of a loop, or the result of a single task, if they have changed something."""
    results = result.get("results", [result])
    return filter(operator.methodcaller("get", "changed"), results)


def _find_unit(result: Data, key: str) -> str:
    *parts, last = key.split(".")
    for part in parts:
        result = get_part(result, part)

    return str(result.get(last, ""))


def _describe_policy(result: Data, unit: Data) -> tuple[str | None, str | None]:
    before = {"OOMPolicy": unit.get("oom_policy")}
    return _join(before, "="), _join(_collect_settings(result), "=")


def _describe_dropin(result: Data, _unit: Data) -> tuple[None, str | None]:
    return None, _join(_collect_settings(result), "=")


def _describe_swap(result: Data, _unit: Data) -> tuple[str, str]:
    return format_size(result["before"]["total_bytes"]), format_size(result["after"]["total_bytes"])


def _describe_directives(result: Data, _unit: Data) -> tuple[None, str | None]:
    return None, _join(get_part(result, "effective"), " ")


def _describe_start(_result: Data, unit: Data) -> tuple[str | None, str]:
    return unit.get("active_state"), "started"


def _collect_settings(result: Data) -> dict[str, t.Any]:
    """Return what a drop-in has in force, of all its sections."""
    settings: dict[str, t.Any] = {}
    for section in get_part(result, "effective").values():
        settings.update(section)

    return settings


def _join(settings: Data, separator: str) -> str | None:
    """Return settings as they are written in a file, None if none is known."""
    written = []
    for name, value in settings.items():
        if value is not None:
            written.append(f"{name}{separator}{value}")

    if not written:
        return None

    return ", ".join(written)


SOURCES = (
    _Source("oom_policy_set", "oom_policy", "drop-in of {}", _describe_policy, "oom_policy_unit"),
    _Source("__oom_policy_default_set", "oom_policy", "default of all units", _describe_dropin),
    _Source("__oom_policy_restarted", "oom_policy", "restart of {}", key="name"),
    _Source("__zram_package", "zram", "package of zram-generator"),
    _Source("__zram_set", "zram", "compressed swap area"),
    _Source("__swap_set", "swap", "total swap", _describe_swap),
    _Source("__swap_sysctl_file", "swap", "kernel settings for swap"),
    _Source("__swap_sysctl_before", "swap", "kernel settings for swap"),
    _Source("__swap_sysctl_applied", "swap", "kernel settings for swap"),
    _Source("__swap_lru_gen_file", "swap", "thrash guard"),
    _Source("__swap_lru_gen_before", "swap", "thrash guard"),
    _Source("__swap_lru_gen_applied", "swap", "thrash guard"),
    _Source("fcgid_set", "fcgid", "directives of mod_fcgid in {}", _describe_directives, "unit"),
    _Source("fcgid_ceilings_set", "fcgid", "ceilings of {}", _describe_dropin, "__fcgid_result.unit"),
    _Source("__fcgid_restarted", "fcgid", "restart of {}", key="name"),
    _Source("__fcgid_recycler_set", "fcgid_recycler", "service that ends large workers"),
    _Source("__systemd_oomd_package", "systemd_oomd", "package of systemd-oomd"),
    _Source("__systemd_oomd_directory", "systemd_oomd", "limits of systemd-oomd"),
    _Source("__systemd_oomd_limits", "systemd_oomd", "limits of systemd-oomd"),
    _Source("__systemd_oomd_set", "systemd_oomd", "systemd-oomd"),
    _Source("__systemd_oomd_stop", "systemd_oomd", "systemd-oomd"),
    _Source("__systemd_oomd_removed", "systemd_oomd", "limits of systemd-oomd"),
    _Source("__systemd_oomd_units_set", "systemd_oomd", "drop-in of {}", _describe_dropin, "systemd_oomd_unit.key"),
    _Source("oom_policy_started", START, "{}", _describe_start, "oom_policy_dead_unit"),
    _Source("oomguard_started", START, "{}", _describe_start, "oomguard_unit"),
)
