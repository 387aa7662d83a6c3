#!/usr/bin/python
# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of report, which runs on the control node: the code is in the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: report
short_description: Write a report on the OOM kills of a whole fleet
version_added: 1.0.0
description:
  - Writes a page of HTML on the control node that shows the OOM kills of all hosts, the worst host first. The page
    needs no network and no script.
  - The results that the role C(oomguard.linux.detect) has registered as C(detect_result) are merged with the records
    that the report has already. The order does not matter, and no event is counted twice. Without such results, the
    report is made from the records that it has.
  - A host that could not be looked at this time is shown with what is known from earlier runs. It is never shown as
    clean, nor is a host whose record is more than a day older than the newest one.
  - A record that is damaged is named in RV(problems) and on the page. The others are shown nevertheless.
  - Nothing that comes from a host is ever evaluated as a template. All of it is escaped on the page.
  - Run it with C(run_once). With C(serial), each batch writes the report of the hosts that were searched until then.
    With the strategies C(free) and C(host_pinned), which run it on each host, one of the last hosts writes it.
author:
  - oomguard contributors (@oomguard)
attributes:
  check_mode:
    description: Returns the files that would be written.
    support: full
  diff_mode:
    description: Shows the names of the files in check mode, but not their contents.
    support: partial
  idempotent:
    description: Without new records, no file is changed.
    support: full
  platform:
    description: Runs on the control node.
    support: full
    platforms: posix
options:
  path:
    description:
      - The folder of the report on the control node. It is created if it does not exist. Only the current user has
        access to it.
      - It contains the page C(index.html), the data of the page C(report.json), one merged record for each host in
        C(hosts/), and the history of all runs, C(history.sqlite3).
    type: path
    required: true
  records:
    description:
      - More folders on the control node with records to merge, such as those of other control nodes.
    type: list
    elements: path
    default: []
  anonymize:
    description:
      - Whether to replace the names of hosts, units, processes, cgroups, containers and paths by pseudonyms. Text that
        can hold other names is left out.
      - A name has the same pseudonym in each run. The pseudonyms depend on a secret key, which is beside the folder of
        the report, in a file whose name ends with C(.key). Keep it to yourself if you give the report away.
      - A report has names or pseudonyms, never both. Choose another O(path) to have both reports.
    type: bool
    default: false
  continued_path:
    description:
      - The folder with the records of M(oomguard.linux.recap), if each search goes on where the last one ended
        (O(oomguard.linux.recap#module:continued)). The records there are merged in place of the results, because a
        result then covers only a part of the journal.
    type: path
  openmetrics_path:
    description:
      - Write metrics of all hosts in the report to this file on the control node, for the textfile collector of
        Prometheus' node_exporter, which reads files whose names end with C(.prom).
      - The file is replaced in each run, because it contains the time. That is not reported as a change.
      - Everybody can read the file. In check mode, it is not written.
    type: path
  events_path:
    description:
      - Append the OOM kills of all hosts in the report to this file on the control node, each one once, as a line of
        JSON with the field names of the Elastic Common Schema.
      - The file can be rotated at any time. Another file, with C(.ids) added to its name, remembers which events it
        had.
      - In check mode, nothing is appended.
    type: path
seealso:
  - module: oomguard.linux.oom_info
  - module: oomguard.linux.recap
"""

EXAMPLES = r"""
- name: Find every OOM kill
  oomguard.linux.oom_info:
  register: detect_result
  failed_when: false
  ignore_unreachable: true

- name: Write a report of all hosts
  oomguard.linux.report:
    path: oomguard-report
  run_once: true

- name: Write a report, and files for Prometheus and a log store
  oomguard.linux.report:
    path: oomguard-report
    openmetrics_path: /var/lib/prometheus/node-exporter/oomguard.prom
    events_path: /var/log/oomguard/events.jsonl
  run_once: true

- name: Write one report for the records of two control nodes
  oomguard.linux.report:
    path: /srv/oomguard-report
    records:
      - /srv/records/east
      - /srv/records/west
  run_once: true
"""

RETURN = r"""
msg:
  description: The headline of the page, or how many files would be written in check mode.
  returned: success
  type: str
  sample: apache2.service is down on 1 of 50 hosts.
page:
  description: The path of the page.
  returned: success
  type: str
  sample: /home/admin/oomguard-report/index.html
files:
  description: The files that were changed, or would be, relative to O(path).
  returned: success
  type: list
  elements: str
  sample: [history.sqlite3, hosts/web1.json, index.html, report.json]
standings:
  description:
    - How many hosts stand in which way. The worst that applies of V(down), if a service is down now because of an OOM
      kill, V(taken_down), if one was, V(killed), if there were other OOM kills, V(unknown), if the host could not be
      looked at or its record is old, V(incomplete), if nothing was found but not everything could be searched,
      V(remediated), if settings were changed and no OOM kill came after that, and V(clean).
  returned: success, and not in check mode
  type: dict
  sample:
    down: 1
    taken_down: 0
    killed: 2
    unknown: 1
    incomplete: 0
    remediated: 3
    clean: 43
new_events:
  description: How many OOM kills were appended to O(events_path).
  returned: success, and not in check mode
  type: int
  sample: 2
problems:
  description: One sentence for each record that could not be used.
  returned: success, and not in check mode
  type: list
  elements: str
"""
