# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Forms in which people paste and store a report: collectors, consoles, editors, mail and chat."""

from __future__ import annotations

import csv
import html
import io
import json
import quopri
import textwrap
import typing as t

Lines = t.Sequence[str]
Form: t.TypeAlias = "t.Callable[[Lines], str | bytes]"
TextForm = t.Callable[[Lines], str]

SYSLOG = "Jul 15 23:44:32 web1 kernel: "
UPTIME = "[ 1187.{us:06}] "
ISO = "2023-07-15T23:44:32.{us:06}Z"


def each(template: str) -> TextForm:
    """Return a form with the template around each line: `{n}` is the number of the line, `{us}` its microseconds."""

    def wrap(lines: Lines) -> str:
        texts = [
            template.replace("{line}", "\0").format(n=n, us=n, s=n % 60).replace("\0", line)
            for n, line in number(lines)
        ]
        return "".join(f"{text}\n" for text in texts)

    return wrap


def number(lines: Lines) -> t.Iterable[tuple[int, str]]:
    return enumerate(lines, start=1)


def marked(template: str, words: tuple[str, ...] = ("Killed process", "invoked oom-killer")) -> Form:
    """Return a form with the template around the lines with these words, and a prefix of syslog in each line."""

    def wrap(lines: Lines) -> str:
        texts = [SYSLOG + line for line in lines]
        marks = [template.format(text) if any(word in text for word in words) else text for text in texts]
        return "".join(f"{text}\n" for text in marks)

    return wrap


def records(make: t.Callable[[int, str], t.Any], *, indent: int | None = None, reverse: bool = False) -> Form:
    """Return a form with one document of JSON for each line."""

    def wrap(lines: Lines) -> str:
        texts = [json.dumps(make(n, line), indent=indent) for n, line in number(lines)]
        return "".join(f"{text}\n" for text in (reversed(texts) if reverse else texts))

    return wrap


def document(make: t.Callable[[list[tuple[int, str]]], t.Any], indent: int | None = None) -> Form:
    """Return a form with one document of JSON for all lines."""
    return lambda lines: json.dumps(make(list(number(lines))), indent=indent) + "\n"


def as_rows(heading: list[str] | None, make: t.Callable[[int, str], list[str]], delimiter: str = ",") -> Form:
    """Return a form with a table of comma-separated values."""

    def wrap(lines: Lines) -> str:
        file = io.StringIO()
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
        if heading:
            writer.writerow(heading)
        writer.writerows(make(n, line) for n, line in number(lines))
        return file.getvalue()

    return wrap


def stamp(n: int) -> str:
    return f"2023-07-15T23:44:32.{n:06}Z"


def in_syslog(lines: Lines) -> str:
    return each(SYSLOG + "{line}")(lines)


def as_quoted_printable(lines: Lines) -> bytes:
    """Return a mail whose long lines are broken with `=` at their ends, and whose blanks at ends are `=20`."""
    return quopri.encodestring(in_syslog(lines).encode(), quotetabs=False)


def as_github_issue(lines: Lines) -> str:
    body = each(UPTIME + "{line}")(lines)
    head = "### What happened?\nMy container was killed.\n\n<details><summary>dmesg</summary>\n\n"
    return f"{head}```console\n$ sudo dmesg\n{body}```\n\n</details>\n"


def as_indented_markdown(lines: Lines) -> str:
    return "The log says:\n\n" + textwrap.indent(in_syslog(lines), "    ") + "\nWhat can I do?\n"


def as_html(lines: Lines) -> str:
    text = each("<4>" + UPTIME + "{line}")(lines)
    return f"<html><body><pre>\n{html.escape(text)}</pre></body></html>\n"


def as_wrapped_terminal(lines: Lines) -> str:
    """Return a capture of a terminal with 80 columns."""
    texts = [f"[ 1187.{n:06}] {line}" for n, line in number(lines)]
    parts = [text[at : at + 80] for text in texts for at in range(0, len(text), 80)]
    return "".join(f"{part}\n" for part in parts)


def as_ps_transcript(lines: Lines) -> str:
    return "PS C:\\> ssh web1 dmesg\r\n" + in_syslog(lines).replace("\n", "\r\n")


def as_unclosed_csv(lines: Lines) -> str:
    rows = [f'2023-07-15T23:44:32Z,web1,"{line}"' for line in lines]
    rows[0] = rows[0][:-1]
    return "time,host,message\n" + "".join(f"{row}\n" for row in rows)


def as_binary_export(lines: Lines) -> bytes:
    """Return journalctl --output=export with each message in the binary form."""
    data = b""
    for n, line in number(lines):
        message = line.encode()
        data += (
            f"__CURSOR=s={'0' * 31}a;i={n:x}\n__REALTIME_TIMESTAMP={1689432272000000 + n}\n_TRANSPORT=kernel\n".encode()
        )
        data += (
            b"SYSLOG_IDENTIFIER=kernel\n_HOSTNAME=web1\nMESSAGE\n"
            + len(message).to_bytes(8, "little")
            + message
            + b"\n\n"
        )
    return data


def as_systemd_cat(lines: Lines) -> str:
    """Return the console of a virtual machine, with lines of systemd between."""
    texts = []
    for n, line in number(lines):
        texts.append(f"[ 1187.{n:06}] {line}")
        if n % 7 == 0:
            texts.append("[\x1b[0;32m  OK  \x1b[0m] Started cron.service.")
    return "".join(f"{text}\r\n" for text in texts)


FORMS: dict[str, Form] = {
    # Collectors, one line for each message.
    "rsyslog template": each("2023-07-15T23:44:32.{us:06}+00:00 web1 kern.err kernel: {line}"),
    "rsyslog with facility": each("kern.warning: Jul 15 23:44:32 web1 kernel: {line}"),
    "syslog-ng": each("Jul 15 23:44:32 web1/10.0.0.1 kernel: " + UPTIME + "{line}"),
    "Papertrail": each("Jul 15 23:44:32 web1 kernel:  " + UPTIME + "{line}"),
    "Papertrail archive": each(
        "123456{n}\t2023-07-15T23:44:32Z\t2023-07-15T23:44:33Z\t9876\tweb1\t10.0.0.1\tKern\tError\tkernel\t{line}"
    ),
    "CRI with bare message": each("2023-07-15T23:44:32.{us:09}Z stdout F {line}"),
    "CRI": each("2023-07-15T23:44:32.{us:09}Z stderr F " + SYSLOG + "{line}"),
    "kubectl logs --prefix": each("[pod/kmsg-x1/reader] " + UPTIME + "{line}"),
    "kubectl logs --timestamps": each("2023-07-15T23:44:32.{us:09}Z {line}"),
    "stern": each("kmsg-x1 reader " + UPTIME + "{line}"),
    "Docker Compose": each("web-1  | " + SYSLOG + "{line}"),
    "Docker Compose, bare": each("web-1  | {line}"),
    "Heroku": each("2023-07-15T23:44:32.{us:06}+00:00 kernel[web.1]: {line}"),
    "logger tag": each("Jul 15 23:44:32 web1 kernel[0]: {line}"),
    "logfmt": each('ts=2023-07-15T23:44:32Z host=web1 level=err msg="{line}"'),
    "logfmt, escaped": lambda lines: "".join(
        f"time={stamp(n)} level=warn host=web1 msg={json.dumps(line)} app=kernel\n" for n, line in number(lines)
    ),
    "logcli": each('2023-07-15T23:44:32Z {{job="kernel", host="web1"}} {line}'),
    "logcli, tab": each("2023-07-15T23:44:32+09:00\t{{}}\t{line}"),
    "Splunk raw": each("07/15/2023 23:44:32.000 +0000 host=web1 source=/var/log/kern.log {line}"),
    "Graylog text": each("2023-07-15 23:44:32.{us:03} +00:00 web1 kernel: {line}"),
    "Proxmox task log": each("Jul 15 23:44:32 pve1 kernel: {line}"),
    "VMware": each("2023-12-04T10:49:30.125Z In(05) vcpu-5 - Guest: <4>" + UPTIME + "{line}"),
    "VMware, older": each("2023-12-04T10:49:30.125Z| vcpu-0| I125: Guest: <4>" + UPTIME + "{line}"),
    "OpenStack console": each("2023-07-15 23:44:32.{us:03} | " + UPTIME + "{line}"),
    "Azure serial": each("2023-07-15T23:44:32.{us:07}Z " + UPTIME + "{line}"),
    "no host": each("Jul 15 23:44:32 {line}"),
    "no host, dd.mm.yyyy": each("15.07.2023 23:44:32 {line}"),
    "dd.mm.yyyy": each("15.07.2023 23:44:32 web1 kernel: {line}"),
    "dd/mm/yyyy": each("15/07/2023 23:44:32 web1 kernel: {line}"),
    "dd-Mon-yyyy": each("15-Jul-2023 23:44:32 web1 kernel: {line}"),
    "12 hours": each("7/15/2023 11:44:32 PM web1 kernel: {line}"),
    "tabs": each("2023-07-15T23:44:32Z\tweb1\tkernel\t{line}"),
    "tabs in syslog": each("Jul 15 23:44:32\tweb1\tkernel:\t{line}"),
    "semicolons": each("15.07.2023;23:44:32;web1;kernel;{line}"),
    "pipes": each("2023-07-15 23:44:32|web1|kernel|err|{line}"),
    "uptime and host": each("[ 1187.{us:06}] web1 kernel: {line}"),
    "uptime, host with colon": each("[ 1187.{us:06}] web1: {line}"),
    # Structured records.
    "Loki": document(
        lambda items: {
            "data": {
                "result": [
                    {"stream": {"job": "kernel"}, "values": [[str(1689432272 * 10**9 + n), line] for n, line in items]}
                ]
            }
        }
    ),
    "CloudWatch": document(
        lambda items: {
            "events": [
                {"logStreamName": "i-1", "timestamp": 1689432272000 + n, "message": SYSLOG + line} for n, line in items
            ]
        }
    ),
    "CloudWatch, newest first": document(
        lambda items: {"events": [{"timestamp": 1689432272000 + n, "message": line} for n, line in reversed(items)]}, 2
    ),
    "CloudWatch text": each("2023-07-15T23:44:32.{us:03}000+00:00 i-0abc " + SYSLOG + "{line}"),
    "Datadog": records(
        lambda n, line: {
            "id": str(n),
            "content": {"timestamp": stamp(n), "host": "web1", "service": "kernel", "message": line},
        }
    ),
    "Datadog, newest first": records(
        lambda n, line: {"content": {"timestamp": stamp(n), "message": line}}, reverse=True
    ),
    "Splunk": records(
        lambda n, line: {"preview": False, "result": {"_time": stamp(n), "host": "web1", "_raw": SYSLOG + line}}
    ),
    "GELF": records(
        lambda n, line: {
            "version": "1.1",
            "host": "web1",
            "short_message": line,
            "timestamp": 1689432272 + n / 1000,
            "level": 4,
            "_facility": "kernel",
        }
    ),
    "gcp": records(
        lambda n, line: {
            "insertId": str(n),
            "logName": "projects/p/logs/kernel",
            "textPayload": line,
            "timestamp": stamp(n),
        },
        indent=2,
    ),
    "gcp node problem": records(
        lambda n, line: {
            "jsonPayload": {"MESSAGE": line, "SYSLOG_IDENTIFIER": "kernel"},
            "logName": "projects/p/logs/kernel-monitor",
            "timestamp": stamp(n),
        }
    ),
    "labels after the message": records(
        lambda n, line: {"log": line, "time": stamp(n), "kubernetes": {"host": "web1", "labels": {"app": "kernel"}}},
        indent=4,
    ),
    "JSON in reverse order": records(
        lambda n, line: {"MESSAGE": line, "_TRANSPORT": "kernel", "__REALTIME_TIMESTAMP": str(1689432272000000 + n)},
        reverse=True,
    ),
    "JSON in reverse order, pretty": records(
        lambda n, line: {"MESSAGE": line, "_TRANSPORT": "kernel", "__REALTIME_TIMESTAMP": str(1689432272000000 + n)},
        indent=1,
        reverse=True,
    ),
    "JSON behind syslog": lambda lines: "".join(
        f"Jul 15 23:44:32 log1 fluentd: {json.dumps({'message': line, 'ident': 'kernel'})}\n" for line in lines
    ),
    "JSON behind a time": lambda lines: "".join(
        f"{stamp(n)} {json.dumps({'MESSAGE': line, '_TRANSPORT': 'kernel'})}\n" for n, line in number(lines)
    ),
    "JSON behind a name": lambda lines: "".join(
        f"kmsg: {json.dumps({'log': line, 'stream': 'stdout'})}\n" for line in lines
    ),
    "fluentd": lambda lines: "".join(
        f"2023-07-15 23:44:32.{n:09} +0000 kmsg: {json.dumps({'message': line, 'priority': '4'})}\n"
        for n, line in number(lines)
    ),
    "Vector": records(
        lambda n, line: {
            "host": "web1",
            "message": line,
            "source_type": "journald",
            "timestamp": stamp(n),
            "SYSLOG_IDENTIFIER": "kernel",
        }
    ),
    "headerless CSV": as_rows(None, lambda n, line: [stamp(n), "web1", "kernel", line]),
    "CSV": as_rows(["timestamp", "host", "message"], lambda n, line: [stamp(n), "web1", line]),
    "TSV": as_rows(["Time", "Line"], lambda n, line: [stamp(n), line], "\t"),
    "CSV, unclosed quote": as_unclosed_csv,
    "binary export": as_binary_export,
    "YAML list": lambda lines: "log:\n" + "".join(f"  - {json.dumps(line)}\n" for line in lines),
    "Python list": lambda lines: repr([SYSLOG + line for line in lines]).replace("', '", "',\n '") + "\n",
    "Ansible stdout_lines": lambda lines: (
        json.dumps({"stdout_lines": [SYSLOG + line for line in lines]}, indent=4) + "\n"
    ),
    "Ansible stdout": lambda lines: json.dumps({"stdout": in_syslog(lines)}, indent=4) + "\n",
    # Editors, pagers, searches, consoles.
    "less -N": each("{n:7} " + SYSLOG + "{line}"),
    "less -N, dmesg": each("{n:7} " + UPTIME + "{line}"),
    "vim": each("{n:4} " + SYSLOG + "{line}"),
    "cat -A": each(SYSLOG + "{line}$"),
    "cat -n": each("{n:6}\t" + UPTIME + "{line}"),
    "grep -n": each("{n}:" + UPTIME + "{line}"),
    "grep -n -A": lambda lines: "".join(
        f"{n}{':' if 'oom-killer' in line else '-'}{SYSLOG}{line}\n" for n, line in number(lines)
    ),
    "grep -H -A": lambda lines: "".join(
        f"/var/log/kern.log{':' if 'oom-killer' in line else '-'}{SYSLOG}{line}\n" for line in lines
    ),
    "git grep": each("logs/kern.log:{n}:" + UPTIME + "{line}"),
    "diff": each("+" + SYSLOG + "{line}"),
    "diff, blank": each(" " + UPTIME + "{line}"),
    "script": each("\x1b[32m[ 1187.{us:06}]\x1b[0m {line}"),
    "dmesg in colours": each("\x1b[32m[ 1187.{us:06}] \x1b[0m\x1b[31m{line}\x1b[0m"),
    "dmesg in colours, Docker": records(
        lambda n, line: {
            "log": f"\x1b[32m[ 1187.{n:06}] \x1b[0m\x1b[31m{line}\x1b[0m\n",
            "stream": "stdout",
            "time": stamp(n),
        }
    ),
    "tmux border": each("│" + UPTIME + "{line}"),
    "serial recorder": each("[2023-07-15 23:44:32.{us:03}] " + UPTIME + "{line}"),
    "conserver": each("[Sat Jul 15 23:44:32 2023]" + UPTIME + "{line}"),
    "minicom": each(UPTIME + "{line}\r"),
    "terminal of 80 columns": as_wrapped_terminal,
    "console of a virtual machine": as_systemd_cat,
    "PowerShell": as_ps_transcript,
    "pdsh": each("node12: {line}"),
    "pdsh, dmesg -T": each("node12: [Sat Jul 15 23:44:32 2023] {line}"),
    "ansible -m shell": each("web1 | CHANGED | rc=0 >> {line}"),
    "GitLab CI": each("2023-07-15T23:44:32.{us:06}Z 01O " + UPTIME + "{line}"),
    "GitHub Actions": each("2023-07-15T23:44:32.{us:07}Z {line}"),
    "Jenkins": each("[23:44:32] " + UPTIME + "{line}"),
    # Documents and mail.
    "GitHub issue": as_github_issue,
    "indented Markdown": as_indented_markdown,
    "Slack quote": each("&gt; " + UPTIME + "{line}"),
    "mail quote": each("> " + SYSLOG + "{line}"),
    "mail quote, twice": each(">> " + UPTIME + "{line}"),
    "HTML": as_html,
    "HTML table": lambda lines: "".join(
        f"<tr><td>{n}</td><td>{html.escape(SYSLOG + line)}</td></tr>\n" for n, line in number(lines)
    ),
    "HTML lines": lambda lines: "".join(
        f"{html.escape(f'<4>[ 1187.{n:06}] {line}')}<br/>\n" for n, line in number(lines)
    ),
    "quoted-printable": as_quoted_printable,
    "no-break spaces": lambda lines: in_syslog(lines).replace(" ", "\xa0"),
    "carriage returns": lambda lines: in_syslog(lines).replace("\n", "\r\n"),
    "old Macintosh": lambda lines: in_syslog(lines).replace("\n", "\r"),
    "UTF-16": lambda lines: in_syslog(lines).encode("utf-16"),
    "bold": marked("**{}**"),
    "bold, only the kill": marked("**{}**", ("Killed process",)),
    "arrow before": marked("--> {}"),
    "arrow after": marked("{}   <---- here"),
    "introduction": lambda lines: "Here it is: " + in_syslog(lines),
    "numbered list": each("{n}. " + SYSLOG + "{line}"),
    "bullets": each("* " + SYSLOG + "{line}"),
    "back quotes": each("`" + UPTIME + "{line}`"),
    "shell array": each('    "' + SYSLOG + '{line}"'),
    "Jira": lambda lines: "{noformat}\n" + each(UPTIME + "{line}")(lines) + "{noformat}\n",
    "redacted": each("Jul 15 23:44:32 [REDACTED] kernel: {line}"),
    "redacted host and time": each("XXX XX XX:XX:XX xxxx kernel: " + UPTIME + "{line}"),
}
"""All forms by their names."""
