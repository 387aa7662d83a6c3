#!/usr/bin/python
# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module oom_history_info: its documentation, its argument spec, and the history in the result of a search."""

from __future__ import annotations

DOCUMENTATION = r"""
module: oom_history_info
short_description: Tell what the OOM kills of a host have in common
version_added: 1.0.0
description:
  - Tells for each kind of OOM kill why the memory grew, when the kills come, what happened before them, what would have
    been enough, and whether changes helped.
  - It follows from the journal. For the journal of this host, the log of dpkg, the files of units and the processes
    that run now are read as well. Nothing has to be installed on the host or measured beforehand.
  - Each statement comes with its figures. Where the journal does not show enough, the answer is V(cannot_tell) or
    V(null). The journals of systemd before version 255 show less, as they have no memory peaks.
  - Only journal records that the kernel, systemd or root wrote are used.
  - The module M(oomguard.linux.oom_info) returns the same as RV(oomguard.linux.oom_info#module:history) in the same
    search.
author:
  - oomguard contributors (@oomguard)
extends_documentation_fragment:
  - oomguard.linux.attributes.reading
attributes:
  platform:
    description: Linux with the systemd journal.
    support: full
    platforms: posix
options:
  since:
    description:
      - The start of the period to look at, in the syntax of C(journalctl --since). Omit it to look at all that the
        journal holds.
    type: str
  until:
    description:
      - The end of the period to look at, in the syntax of C(journalctl --until).
    type: str
  journal_directory:
    description:
      - Read the journal files in this directory instead of the host's own journal. Times of the day are then in UTC.
      - Mutually exclusive with O(journal_namespace).
    type: path
  journal_namespace:
    description:
      - Read the journal of this namespace.
      - Mutually exclusive with O(journal_directory).
    type: str
  timeout:
    description:
      - How many seconds to wait for the answer to one query of the journal. If there is none by then, the module kills
        the program that reads the journal, and fails.
      - The minimum is V(1), and the maximum is V(2147483).
    type: int
    default: 300
seealso:
  - module: oomguard.linux.oom_info
"""

EXAMPLES = r"""
- name: Look back at the OOM kills of the host
  oomguard.linux.oom_history_info:
  register: history

- name: Show why the memory grew
  ansible.builtin.debug:
    msg: "{{ history.kinds | map(attribute='growth.sentence') }}"

- name: Fail if something leaks memory
  ansible.builtin.assert:
    that: "'leak' not in history.kinds | map(attribute='growth.verdict')"
"""

RETURN = r"""
msg:
  description: What was found, as one sentence.
  returned: success
  type: str
  sample: "OOM kills of 1 kind: leak.fcgi of apache2.service (3)."
from:
  description: The start of the period that the history covers.
  returned: success
  type: str
to:
  description: The end of the period that the history covers.
  returned: success
  type: str
other_kinds:
  description: The number of further kinds, if there are more than 100.
  returned: success
  type: int
kinds:
  description: Each kind of kill, the one with most kills first.
  returned: success
  type: list
  elements: dict
  contains:
    unit:
      description:
        - The unit of the victim, or else its cgroup. V(null) if both are unknown.
        - With too many kills to read all reports, those without one count in the unit of the others of their
          victim, if these have one unit.
        - The units of sessions, and other units with a number, are one unit, such as V(session-*.scope).
      type: str
      sample: apache2.service
    victim:
      description: The name of the killed process, V(null) if it is unknown.
      type: str
    cause:
      description: The cause, as M(oomguard.linux.oom_info) returns it.
      type: str
      sample: cgroup_limit
    count:
      description: The number of kills.
      type: int
    first:
      description: The time of the first kill.
      type: str
    last:
      description: The time of the last kill.
      type: str
    growth:
      description: Why the memory grew.
      type: dict
      contains:
        verdict:
          description:
            - V(leak) if the memory grew with time, V(spike) if it grew suddenly, V(too_many) if there were more
              processes than usual, or V(limit_too_low) if the unit ordinarily needs about as much as its limit.
            - V(cannot_tell) if the journal does not show enough for any of these.
          type: str
          sample: leak
        evidence:
          description: The figures that the verdict follows from, or what is missing for one, in sentences.
          type: list
          elements: str
        bytes_per_hour:
          description: How fast the memory grows with a leak, V(null) otherwise.
          type: int
        fit:
          description:
            - The share of the differences between the runs that a straight line explains, from 0 to 1, with a leak.
            - V(null) otherwise.
          type: float
        runs:
          description: The number of runs without a kill that were compared.
          type: int
        sentence:
          description: The verdict as a sentence.
          type: str
          sample: "There is a memory leak of 10.0 MiB an hour."
    rhythm:
      description:
        - When the kills come again and again, V(null) if they show no rhythm.
        - A rhythm has at least four of the kills and half of them, and less than 1% chance at random. Kills in
          quick succession count as one.
      type: dict
      contains:
        kind:
          description:
            - V(daily) for a time of the day, V(weekly) for a time on some days of the week, V(interval) for every
              few minutes or hours, or V(after_start) for a time after each start of the unit.
          type: str
          sample: daily
        time:
          description: The first time of the day, in the local time of the host. V(null) with V(after_start).
          type: str
          sample: "03:00"
        days:
          description: The days of the week. Empty with V(after_start).
          type: list
          elements: str
          sample: [Sat, Sun]
        every_seconds:
          description: The time from one to the next, a day with V(weekly). V(null) with V(after_start).
          type: int
          sample: 86400
        after_seconds:
          description: The shortest time from a start to its kill. V(null) without V(after_start).
          type: int
        within_seconds:
          description: How long after these times a kill came at the latest.
          type: int
        jitter_seconds:
          description: The difference between the earliest and the latest kill, each after such a time.
          type: int
        matched:
          description: The number of kills in the rhythm.
          type: int
        kills:
          description: The number of kills.
          type: int
        hits:
          description: The number of such times with a kill, since the first kill in the rhythm.
          type: int
        occasions:
          description: The number of such times while the host was up, with a kill or without.
          type: int
        chance:
          description: The chance of such a rhythm at random, from 0 to 1, corrected for all that were tried.
          type: float
        sentence:
          description: The rhythm as a sentence.
          type: str
          sample: "9 of 10 kills came within 4 min after 03:00, on 9 of 12 days (chance at random: 0.002%)."
    preceded_by:
      description:
        - What came in the last minute, 10 minutes or 30 minutes before at least four of the kills and half of
          them, with less than 1% chance at random. The most telling comes first.
        - What comes in the 10 minutes after a kill may be its consequence, and is left out.
      type: list
      elements: dict
      contains:
        what:
          description:
            - V(cron), V(timer), V(start), V(restart), V(package), V(kernel), V(login), V(sudo) or V(ansible).
          type: str
          sample: cron
        name:
          description:
            - The program, unit, package, kernel, user or module. Arguments are left out, as they may be secret.
            - C((unnamed\)) for a cron job whose command does not start with the name of a program.
          type: str
          sample: /usr/local/bin/backup
        together:
          description: What always comes at about the same time, with the keys C(what) and C(name).
          type: list
          elements: dict
        window_seconds:
          description: How long before a kill it counts.
          type: int
        before:
          description: The number of kills that it preceded.
          type: int
        kills:
          description: The number of kills. Those in quick succession count as one.
          type: int
        otherwise:
          description: The share of all other times that it preceded, from 0 to 1.
          type: float
        lag_seconds:
          description: The median time from it to the kill.
          type: int
        shortest_seconds:
          description: The shortest time from it to a kill.
          type: int
        longest_seconds:
          description: The longest time from it to a kill.
          type: int
        chance:
          description: The chance at random, from 0 to 1, corrected for everything that was tried.
          type: float
        has_clock:
          description: Whether it follows the clock, as the kills do, so that this can be a coincidence.
          type: bool
        sentence:
          description: The same as a sentence.
          type: str
    forecast:
      description:
        - When the next kill is expected, from the rhythm, or else because the kills come a regular time
          after one another. V(null) if there is neither, or if the kills have stopped.
      type: dict
      contains:
        expected:
          description: The time at which it is expected.
          type: str
        earliest:
          description: The earliest time, judging by the kills so far.
          type: str
        latest:
          description: The latest time, judging by the kills so far.
          type: str
        share:
          description: The share of such times so far that had a kill, V(null) without a rhythm.
          type: float
        basis:
          description: What this follows from, as a sentence.
          type: str
        sentence:
          description: The forecast as a sentence.
          type: str
    enough:
      description: How much would have been enough, V(null) if nothing shows that.
      type: dict
      contains:
        sentence:
          description: What would have been enough, and how that is known. For a leak, that nothing is.
          type: str
        memory_max_bytes:
          description: The size for C(MemoryMax=) of the unit, V(null) if nothing shows it.
          type: int
        swap_total_bytes:
          description: The total swap of the host, V(null) if nothing shows it.
          type: int
        workers:
          description: The number of processes with the name of the victim, V(null) if nothing shows it.
          type: int
        is_lower_bound:
          description: Whether all that is known is that more than this is needed.
          type: bool
    since:
      description:
        - What the kills say of each change of the host that may have prevented them, oldest first. These are the
          changes that the modules of this collection have written to the journal. For the journal of this host,
          they include the last changes of C(/etc/fstab) and of the unit's files in C(/etc/systemd/system), and the
          upgrades of its packages in dpkg's log.
        - Changes are judged together if they follow one another within a day, or if there was no kill and not
          enough time between them to tell them apart.
        - A change without a kill before it or after it, up to the other changes, is left out.
      type: list
      elements: dict
      contains:
        changes:
          description: The change, or the changes that are judged together.
          type: list
          elements: dict
          contains:
            time:
              description: The time of the change.
              type: str
            what:
              description: The setting, file or package that was changed.
              type: str
              sample: OOMScoreAdjust of apache2.service
            before:
              description: The value before, sizes in bytes. V(null) if there was none, or if it is not known.
              type: str
            after:
              description: The value after, sizes in bytes. V(null) if there is none, or if it is not known.
              type: str
            by:
              description: V(oomguard) for a change by a module of this collection, or else V(unknown).
              type: str
            unit:
              description: The unit that the change concerns, V(null) if it concerns the whole host.
              type: str
        verdict:
          description:
            - V(fewer) if so few kills after the change had a chance of less than 4 percent at the old rate, divided
              by the number of changes that are judged.
            - V(more) if so many had a chance of less than 1 percent, divided in the same way.
            - V(cannot_tell) otherwise.
          type: str
        sentence:
          description: The verdict, and the figures that it follows from.
          type: str
          sample: >-
            0 kills in 27 days since swap went from 3.7 GiB to 10.0 GiB, after 9 kills in 30 days; at the old rate,
            the chance of so few was 0.3%.
        chance:
          description: That chance, V(null) if there is no time before or after the change.
          type: float
        before:
          description: The time before the change, from the beginning of the journal or from the change before it.
          type: dict
          contains:
            kills:
              description: The number of kills.
              type: int
            occasions:
              description:
                - The number of occasions, which are compared. Kills within three hours of one another are one
                  occasion, which lasts for a day at most.
              type: int
            up_seconds:
              description: How long the host was up.
              type: int
        after:
          description: The time after the change, to the end of the journal or to the next change.
          type: dict
          contains:
            kills:
              description: The number of kills.
              type: int
            occasions:
              description: The number of occasions.
              type: int
            up_seconds:
              description: How long the host was up.
              type: int
coverage:
  description: The part of the journal that was searched, as M(oomguard.linux.oom_info) returns it.
  returned: success
  type: dict
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._command import LONGEST_TIMEOUT, Run, run
from ..module_utils._errors import OomguardError
from ..module_utils._oom.in_journal import Query, find_in_journal, open_reader
from ..module_utils._oom.summary import write_history_message
from ..module_utils._params import LONGEST_NAMESPACE, check_name, check_ranges, check_texts
from ..module_utils._safe import neutralise_all

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "since": {"type": "str"},
    "until": {"type": "str"},
    "journal_directory": {"type": "path"},
    "journal_namespace": {"type": "str"},
    "timeout": {"type": "int", "default": 300},
}
_RANGES = {"timeout": (1, LONGEST_TIMEOUT)}


def main() -> None:
    """Look back at the OOM kills, and return the result."""
    module = AnsibleModule(
        argument_spec=ARGUMENT_SPEC,
        mutually_exclusive=[("journal_directory", "journal_namespace")],
        supports_check_mode=True,
    )
    try:
        check(module.params)
        result = find(module.params, run)
    except OomguardError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **neutralise_all(result))


def check(params: t.Mapping[str, t.Any]) -> None:
    """Reject numbers and texts that make no sense. Raises ParameterError."""
    check_texts(params, ARGUMENT_SPEC)
    check_ranges(params, _RANGES)
    check_name("journal_namespace", params["journal_namespace"] or "", longest=LONGEST_NAMESPACE)


def find(params: t.Mapping[str, t.Any], run: Run) -> dict[str, t.Any]:
    """Return the history of the OOM kills in the journal that the parameters name. Raises OomguardError."""
    query = Query(
        since=params["since"],
        until=params["until"],
        directory=params["journal_directory"],
        namespace=params["journal_namespace"],
        timeout=params["timeout"],
        tasks="none",
        history=True,
    )
    with open_reader(query) as reader:
        result = find_in_journal(query, run, reader)

    return {"msg": write_history_message(result), **result["history"], "coverage": result["coverage"]}


if __name__ == "__main__":
    main()
