# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in force on a real Apache, that workers go, and that whatever stands in the way is told and left alone."""

from __future__ import annotations

import json
import time
import typing as t

import pytest

if t.TYPE_CHECKING:
    import collections.abc

    from testinfra.host import Host

testinfra_hosts = ["ansible://all"]

DIRECTIVES = {"FcgidMinProcessesPerClass": 0, "FcgidProcessLifeTime": 6, "FcgidIdleScanInterval": 3}
WORKERS = [{"script": "/srv/fcgi/perl.fcgi", "address_space": "256M", "oom_score_adjust": 500}]
CHANGED = {**DIRECTIVES, "FcgidProcessLifeTime": 8}
FILE = "/etc/apache2/conf-available/zz-oomguard-fcgid.conf"
SITE = "/etc/apache2/sites-enabled/site.conf"


def fcgid_config(host: Host, *, check: bool = False, **arguments: t.Any) -> dict[str, t.Any]:
    """Run the module with the scenario's limits for workers, and return its result, failed or not."""
    text = json.dumps({"workers": WORKERS, **arguments})
    try:
        result: dict[str, t.Any] = host.ansible("oomguard.linux.fcgid_config", text, check=check)
    except host.ansible.AnsibleException as error:
        return t.cast("dict[str, t.Any]", error.result)
    return result


def our_file(host: Host) -> str:
    """Return what Apache would read of ours, and when it was written."""
    found: str = host.check_output(
        "stat --format=%Y.%i /etc/apache2/conf-enabled/zz-oomguard-fcgid.conf && cat " + FILE
    )
    return found


@pytest.fixture
def site(host: Host) -> collections.abc.Iterator[t.Callable[[str], None]]:
    """Return what writes a file that Apache reads after ours; it is taken away again."""

    def write(text: str) -> None:
        host.check_output("printf %%s %s > %s", text, SITE)

    yield write
    host.check_output("rm -f %s", SITE)


def test_a_worker_has_its_limits(host: Host) -> None:
    limits = host.check_output(
        "pid=$(curl --silent --fail http://127.0.0.1/fcgi/perl.fcgi) &&"
        " cat /proc/$pid/oom_score_adj && prlimit --pid=$pid --as --noheadings --output=SOFT"
    )
    assert limits.split() == ["500", "268435456"]


def test_an_idle_worker_goes_within_the_lifetime_and_the_scans(host: Host) -> None:
    pid = host.check_output("curl --silent --fail http://127.0.0.1/fcgi/perl.fcgi")
    deadline = time.monotonic() + 300
    while host.run("test -d /proc/%s", pid).succeeded and time.monotonic() < deadline:
        time.sleep(1)
    assert not host.run("test -d /proc/%s", pid).succeeded


def test_nothing_changes_twice(host: Host) -> None:
    assert fcgid_config(host, directives=DIRECTIVES)["changed"] is False


def test_check_mode_changes_nothing(host: Host) -> None:
    before = our_file(host)
    found = fcgid_config(host, check=True, directives=CHANGED)
    assert (found["changed"], our_file(host)) == (True, before)


@pytest.mark.parametrize(
    ("directives", "message"),
    [
        ({"FcgidProcessLifeTime": "soon"}, "FcgidProcessLifeTime is 'soon'. Give a number from 0 to 2147483647."),
        (
            {"FcgidWrapper": "/bin/sh .php -"},
            (
                "Apache refuses FcgidWrapper /bin/sh .php -: AH00526: Syntax error on line 2 of -c/-C directives:"
                " Invalid wrapper flag. Nothing was changed."
            ),
        ),
    ],
    ids=["by us", "by Apache"],
)
def test_a_bad_value_is_refused(host: Host, directives: dict[str, t.Any], message: str) -> None:
    before = our_file(host)
    assert (fcgid_config(host, directives=directives)["msg"], our_file(host)) == (message, before)


def test_a_configuration_that_is_broken_already_is_left_alone(host: Host, site: t.Callable[[str], None]) -> None:
    site("Nonsense on\n")
    before = our_file(host)
    message = (
        f"Apache's configuration does not pass its own test: AH00526: Syntax error on line 1 of {SITE}: Invalid command"
        " 'Nonsense', perhaps misspelled or defined by a module not included in the server configuration."
        " Repair it, then run this again."
    )
    assert (fcgid_config(host, directives=CHANGED)["msg"], our_file(host)) == (message, before)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (
            "<VirtualHost *:80>\nFcgidProcessLifeTime 700\n</VirtualHost>\n",
            f"is 700 instead of 8 in <VirtualHost *:80> ({SITE} line 2)",
        ),
        ("ProcessLifeTime 700\n", f"is 700 instead of 8 in server config ({SITE} line 1)"),
        (
            "FcgidCmdOptions /srv/fcgi/perl.fcgi MinProcesses 0\n",
            f"is 3600 instead of 8 in FcgidCmdOptions /srv/fcgi/perl.fcgi ({SITE} line 1)",
        ),
    ],
    ids=["virtual host", "later file", "command"],
)
def test_who_wins_is_named_and_nothing_is_changed(
    host: Host, site: t.Callable[[str], None], text: str, place: str
) -> None:
    site(text)
    before = host.file(FILE).content_string
    message = (
        f"Not every directive would be in force: FcgidProcessLifeTime {place}."
        " Change that there, or set allow_overrides where it is meant to differ."
    )
    assert (fcgid_config(host, directives=CHANGED)["msg"], host.file(FILE).content_string) == (message, before)


def test_who_wins_may_be_allowed(host: Host, site: t.Callable[[str], None]) -> None:
    site("<VirtualHost *:80>\nFcgidProcessLifeTime 700\n</VirtualHost>\n")
    found = fcgid_config(host, directives=DIRECTIVES, allow_overrides=True)
    assert found["overridden_by"] == [
        {
            "directive": "FcgidProcessLifeTime",
            "wanted": 6,
            "value": 700,
            "file": SITE,
            "line": 2,
            "context": "<VirtualHost *:80>",
        }
    ]


@pytest.fixture
def load(host: Host) -> collections.abc.Iterator[t.Callable[[], list[str]]]:
    """Request the program all the time; return what ends that and counts the answers by their status."""
    request = "curl --silent --output /dev/null --write-out '%{http_code}\\n' http://127.0.0.1/fcgi/perl.fcgi"
    loop = f"while :; do {request} >>/run/answers; done"
    host.check_output("systemd-run --quiet --unit=load sh -c %s", loop)

    def stop() -> list[str]:
        host.check_output("systemctl kill --kill-who=all --signal=STOP load.service")
        answers: str = host.check_output("sort /run/answers | uniq --count")
        return [" ".join(line.split()) for line in answers.splitlines()]

    yield stop
    host.check_output("systemctl kill --signal=KILL load.service; rm /run/answers")


def test_a_change_reloads_apache_and_costs_no_request(host: Host, load: t.Callable[[], list[str]]) -> None:
    show = "systemctl show --property=MainPID --value apache2.service"
    before = host.check_output(show)
    found = fcgid_config(host, directives=CHANGED)
    statuses = [line.split()[1] for line in load()]
    assert (found["reloaded"], statuses, host.check_output(show)) == (True, ["200"], before)


def test_a_stopped_apache_stays_stopped(host: Host) -> None:
    host.check_output("systemctl stop apache2.service")
    found = fcgid_config(host, directives=DIRECTIVES)
    assert (found["changed"], found["running"], host.service("apache2").is_running) == (True, False, False)


def test_everything_is_taken_away(host: Host) -> None:
    host.check_output("systemctl start apache2.service")
    found = fcgid_config(host, state="absent")
    left = host.run("ls /etc/apache2/conf-available /etc/apache2/conf-enabled /run").stdout
    assert (found["changed"], found["reloaded"], "zz-oomguard" in left, "fcgid.reload" in left) == (
        True,
        True,
        False,
        False,
    )
