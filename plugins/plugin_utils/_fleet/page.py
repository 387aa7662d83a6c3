# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole fleet on one page of HTML that needs no other file, no script and no network.

The page is rendered with Jinja2 here, and written in pieces. Everything that hosts have sent is text to it: it is made
inert and escaped. Hosts are shown in full, the worst first, until the page is long enough; the others have one line.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import itertools
import operator
import pathlib
import re
import typing as t

import jinja2
from markupsafe import Markup

from ...module_utils._oom.explanation import describe_history
from ...module_utils._safe import neutralise
from . import drawing, remedies, wording
from .fleet import Fleet, Host
from .record import Record
from .store import name_file, read_version

_TEMPLATES = pathlib.Path(__file__).parent / "templates"
# The characters of all hosts that are shown in full.
_MOST_DETAILS = 2_000_000
# The most of each kind of row that the page shows; the rest is in the other files.
_LIMITS = {"first": 60, "few": 4, "top": 8, "most": 50, "most_kinds": 12}
_LONGEST_TEXT = 4096
_FAULTS = (jinja2.TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
_FILTERS: dict[str, t.Callable[..., t.Any]] = {
    "block_size": wording.write_block_size,
    "brief": wording.shorten_name,
    "cause": wording.write_cause,
    "clean": wording.clean,
    "command": remedies.write_command,
    "day": wording.write_day,
    "draw_free_lists": drawing.draw_free_lists,
    "draw_limit": drawing.draw_limit,
    "draw_ram": drawing.draw_ram,
    "draw_shares": drawing.draw_shares,
    "draw_swap": drawing.draw_swap,
    "duration": wording.write_duration,
    "file": name_file,
    "killer": wording.write_killer,
    "list_processes": drawing.list_processes,
    "describe_history": describe_history,
    "list_remedies": remedies.list_remedies,
    "moment": wording.write_moment,
    "requested": wording.write_request,
    "share": drawing.find_share,
    "size": wording.write_size,
}

Load = t.Callable[[str], Record]
"""Returns the record of a host by its name."""


class Extras(t.NamedTuple):
    """What the page shows beside the fleet."""

    problems: t.Sequence[str] = ()
    """One sentence for each record that could not be used."""
    drift: t.Sequence[t.Any] = ()
    """The settings that changed since the last run: `host`, `setting`, `before`, `after`."""
    trend: t.Sequence[t.Any] = ()
    """The days of earlier runs: `day`, and `hosts` by standing."""
    is_anonymous: bool = False


_NO_EXTRAS = Extras()


class Details(t.NamedTuple):
    """The hosts that are shown in full."""

    texts: tuple[str, ...]
    names: frozenset[str]
    omitted: int
    """The number of hosts with kills that are not."""
    problems: tuple[str, ...]


def render_page(fleet: Fleet, load: Load, extras: Extras = _NO_EXTRAS) -> t.Iterator[str]:
    """Yield the page in pieces. `load` is called for the hosts that are shown in full."""
    environment = make_environment()
    details = _render_details(environment, fleet, load, is_anonymous=extras.is_anonymous)
    style = read_style()
    page = environment.get_template("page.html.j2")
    stream = page.stream(
        fleet=fleet,
        headline=wording.write_headline(fleet),
        lead=wording.write_lead(fleet),
        groups=_group_hosts(fleet),
        standings=wording.LABELS,
        own_roles=remedies.ROLES,
        details=details.texts,
        detailed=details.names,
        omitted=details.omitted,
        problems=[*extras.problems, *details.problems],
        drift=extras.drift,
        trend=extras.trend,
        is_anonymous=extras.is_anonymous,
        version=read_version(),
        style=style,
        style_hash=hash_style(style),
        **_LIMITS,
    )
    stream.enable_buffering(200)

    return iter(stream)


@functools.cache
def make_environment() -> jinja2.Environment:
    """Return the templates, with everything that they use."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.ChainableUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(_FILTERS)

    return environment


@functools.cache
def read_style() -> str:
    """Return the style sheet without its comments."""
    text = (_TEMPLATES / "page.css").read_text("utf-8")
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL).strip()


def hash_style(style: str) -> str:
    """Return the source of a content security policy that allows this style sheet and no other."""
    digest = hashlib.sha256(style.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _finalize(value: t.Any) -> t.Any:
    """Return what an expression prints: inert text, and never `None` or nothing for a value that is not known."""
    if value is None or isinstance(value, jinja2.Undefined):
        return wording.UNKNOWN

    if isinstance(value, str) and not isinstance(value, Markup):
        return neutralise(value, limit=_LONGEST_TEXT)

    return value


def _render_details(environment: jinja2.Environment, fleet: Fleet, load: Load, *, is_anonymous: bool) -> Details:
    """Return the hosts in full, the worst first, as many as there is room for."""
    template = environment.get_template("host.html.j2")
    texts: dict[str, str] = {}
    problems: list[str] = []
    candidates = list(filter(_has_details, fleet.hosts))
    for host in candidates:
        if sum(map(len, texts.values())) > _MOST_DETAILS:
            break

        options = {"is_open": not texts, "is_late": host.name in fleet.late, "is_anonymous": is_anonymous}
        try:
            texts[host.name] = _render_host(template, host, load(host.name), options)
        except _FAULTS as error:
            problems.append(f"The record of {host.name} has parts that cannot be shown: {error}.")

    omitted = len(candidates) - len(texts) - len(problems)

    return Details(tuple(texts.values()), frozenset(texts), omitted, tuple(problems))


def _has_details(host: Host) -> bool:
    return bool(host.kills or host.changes or host.outages)


def _render_host(template: jinja2.Template, host: Host, record: Record, options: dict[str, bool]) -> str:
    kinds = _sort_kinds(record["kinds"])
    return template.render(host=host, record=record, kinds=kinds, **options, **_LIMITS)


def _sort_kinds(kinds: t.Iterable[Record]) -> list[Record]:
    """Return the kinds of events: those that took units down first, then the newest."""
    ordered = sorted(kinds, key=lambda kind: kind["newest"].get("time") or "", reverse=True)
    ordered.sort(key=lambda kind: not any(event["taken_down"] for event in kind["events"]))

    return ordered


def _group_hosts(fleet: Fleet) -> list[tuple[str, list[Host]]]:
    groups = itertools.groupby(fleet.hosts, key=operator.attrgetter("standing"))
    return [(standing, list(hosts)) for standing, hosts in groups]
