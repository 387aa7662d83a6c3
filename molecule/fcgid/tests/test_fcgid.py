# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in force on a real Apache, that workers go, and that whatever stands in the way is told and left alone."""

from __future__ import annotations

import json
import typing as t

import pytest

if t.TYPE_CHECKING:
    import collections.abc

    from testinfra.host import Host

testinfra_hosts = ["ansible://all"]

DIRECTIVES = {
    "FcgidMinProcessesPerClass": 0,
    "FcgidProcessLifeTime": 6,
    "FcgidIdleScanInterval": 3,
    "FcgidMaxRequestsPerProcess": 500,
}
WORKERS = [
    {"script": "/srv/fcgi/perl.fcgi", "address_space": "256M", "oom_score_adjust": 500},
    {"command": "/usr/bin/php-cgi", "suffix": ".php", "address_space": "1G", "oom_score_adjust": 300},
]
CHANGED = {**DIRECTIVES, "FcgidProcessLifeTime": 8}
FILE = "/etc/apache2/conf-available/zz-oomguard-fcgid.conf"
SITE = "/etc/apache2/sites-enabled/site.conf"
CGROUP = "/sys/fs/cgroup/system.slice/apache2.service"


def fcgid_config(host: Host, *, check: bool = False, **arguments: t.Any) -> dict[str, t.Any]:
    """Run the module with the scenario's limits for workers, and return its result, failed or not."""
    text = json.dumps({"workers": WORKERS, **arguments})
    try:
        result: dict[str, t.Any] = host.ansible("oomguard.linux.fcgid_config", text, check=check)
    except host.ansible.AnsibleException as error:
        return t.cast("dict[str, t.Any]", error.result)
    return result


def request(host: Host, path: str) -> str:
    """Return what Apache answers to a request of `path`: the pid of the worker."""
    answer: str = host.check_output("curl --silent --show-error --fail http://127.0.0.1%s", path)
    return answer


def limits(host: Host, path: str) -> list[str]:
    """Return the score and the address space of the worker that answers: at once, for it may soon be gone."""
    found = host.check_output(
        "pid=$(curl --silent --fail http://127.0.0.1%s) && cat /proc/$pid/oom_score_adj &&"
        " prlimit --pid=$pid --as --noheadings --output=SOFT",
        path,
    )
    return t.cast("list[str]", found.split())


def status(host: Host, path: str) -> str:
    """Return the status of Apache's answer to a request of `path`."""
    code: str = host.check_output(
        "curl --silent --output /dev/null --write-out '%%{http_code}' http://127.0.0.1%s", path
    )
    return code


def is_gone(host: Host, pid: str, *, seconds: int) -> bool:
    """Tell whether process `pid` goes within so many seconds of the host's own time."""
    wait = "end=$(($(date +%%s) + %s)); while test -d /proc/%s && test $(date +%%s) -lt $end; do sleep 1; done"
    host.check_output(wait, str(seconds), pid)
    return not host.file(f"/proc/{pid}").exists


def our_file(host: Host) -> str:
    """Return what Apache would read of ours, and when it was written."""
    found: str = host.check_output(
        "stat --format=%Y.%i /etc/apache2/conf-enabled/zz-oomguard-fcgid.conf && cat " + FILE
    )
    return found


@pytest.fixture
def site(host: Host) -> collections.abc.Iterator[t.Callable[..., None]]:
    """Return what writes a file that Apache reads after ours, at once if need be; it is taken away again."""
    read = False

    def write(text: str, *, reload: bool = False) -> None:
        nonlocal read
        read = reload
        host.check_output("printf %%s %s > %s", text, SITE)
        if reload:
            host.check_output("systemctl reload apache2.service")

    yield write
    host.check_output("rm -f %s", SITE)
    if read:
        host.check_output("systemctl reload apache2.service")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/fcgi/perl.fcgi", ["500", "268435456"]),
        ("/fcgi/page.php", ["300", "1073741824"]),
        ("/fcgi/python.fcgi", ["-500", "unlimited"]),
    ],
    ids=["script", "command", "neither"],
)
def test_a_worker_has_its_limits(host: Host, path: str, expected: list[str]) -> None:
    assert limits(host, path) == expected


def test_a_worker_over_its_limit_costs_one_request(host: Host) -> None:
    statuses = [status(host, path) for path in ("/fcgi/perl.fcgi?keep=300", "/fcgi/perl.fcgi")]
    assert statuses == ["500", "200"]


@pytest.mark.parametrize(("file", "value"), [("memory.max", str(300 << 20)), ("memory.swap.max", "0")])
def test_apache_has_its_ceilings(host: Host, file: str, value: str) -> None:
    assert host.file(f"{CGROUP}/{file}").content_string.strip() == value


def test_apache_is_protected(host: Host) -> None:
    parent = host.check_output("systemctl show --property=MainPID --value apache2.service")
    assert host.file(f"/proc/{parent}/oom_score_adj").content_string.strip() == "-500"


def test_an_idle_worker_goes_within_the_lifetime_and_the_scans(host: Host) -> None:
    pid = request(host, "/fcgi/perl.fcgi")
    # 6 s and 3 s, and 12 s for mod_fcgid's other scans; the rest is for a machine under emulation.
    assert is_gone(host, pid, seconds=120)


def test_by_default_the_last_workers_never_go(host: Host) -> None:
    lifetimes = {name: value for name, value in DIRECTIVES.items() if name != "FcgidMinProcessesPerClass"}
    fcgid_config(host, directives=lifetimes)
    stays = not is_gone(host, request(host, "/fcgi/perl.fcgi"), seconds=60)
    fcgid_config(host, directives=DIRECTIVES)
    assert stays


@pytest.mark.parametrize(("path", "answer"), [("/cgi/perl.fcgi?keep=40", "500"), ("/fcgi/perl.fcgi?keep=40", "200")])
def test_rlimitmem_reaches_plain_cgi_alone(host: Host, site: t.Callable[..., None], path: str, answer: str) -> None:
    site("RLimitMEM 40000000 40000000\n", reload=True)
    assert status(host, path) == answer


@pytest.mark.parametrize(
    ("wrapper", "program"),
    [
        ('#!/bin/sh\nexec /usr/bin/prlimit --as=268435456 -- "$@"\n', "/usr/local/bin/wrap"),
        ("#!/bin/sh\nexec /usr/bin/perl\n", "/usr/bin/perl"),
    ],
    ids=["passes on", "interpreter"],
)
def test_a_wrapper_that_is_refused_really_fails(
    host: Host, site: t.Callable[..., None], wrapper: str, program: str
) -> None:
    host.check_output("printf %%s %s > /usr/local/bin/wrap && chmod 755 /usr/local/bin/wrap", wrapper)
    refused = fcgid_config(host, directives={"FcgidWrapper": f"{program} .fcgi"})["msg"]
    site("<Files python.fcgi>\nFcgidWrapper /usr/local/bin/wrap .fcgi\n</Files>\n", reload=True)
    assert (refused[:13], status(host, "/fcgi/python.fcgi")) == ("FcgidWrapper ", "500")


@pytest.mark.parametrize(("script", "workers"), [("perl.fcgi", 1), ("python.fcgi", 2)], ids=["wrapped", "not wrapped"])
def test_a_wrapper_hides_its_program_from_fcgidcmdoptions(
    host: Host, site: t.Callable[..., None], script: str, workers: int
) -> None:
    site(f"FcgidCmdOptions /srv/fcgi/{script} MaxRequestsPerProcess 1\n", reload=True)
    answers = host.check_output(
        "for _time in 1 2; do curl --silent --fail http://127.0.0.1/fcgi/%s; echo; done", script
    )
    assert len(set(answers.split())) == workers


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
            {"FcgidWrapper": "/bin/true .x -"},
            (
                "Apache refuses FcgidWrapper /bin/true .x -: AH00526: Syntax error on line 2 of -c/-C directives:"
                " Invalid wrapper flag. Nothing was changed."
            ),
        ),
    ],
    ids=["by us", "by Apache"],
)
def test_a_bad_value_is_refused(host: Host, directives: dict[str, t.Any], message: str) -> None:
    before = our_file(host)
    assert (fcgid_config(host, directives=directives)["msg"], our_file(host)) == (message, before)


def test_a_configuration_that_is_broken_already_is_left_alone(host: Host, site: t.Callable[..., None]) -> None:
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
            "FcgidCmdOptions /srv/fcgi/python.fcgi MinProcesses 0 MaxRequestsPerProcess 500\n",
            f"is 3600 instead of 8 in FcgidCmdOptions /srv/fcgi/python.fcgi ({SITE} line 1)",
        ),
    ],
    ids=["virtual host", "later file", "command"],
)
def test_who_wins_is_named_and_nothing_is_changed(
    host: Host, site: t.Callable[..., None], text: str, place: str
) -> None:
    site(text)
    before = host.file(FILE).content_string
    message = (
        f"Not every directive would be in force: FcgidProcessLifeTime {place}."
        " Change that there, or set allow_overrides where it is meant to differ."
    )
    assert (fcgid_config(host, directives=CHANGED)["msg"], host.file(FILE).content_string) == (message, before)


def test_who_wins_may_be_allowed(host: Host, site: t.Callable[..., None]) -> None:
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


KINDS = ("perl.fcgi", "page.php", "python-term.fcgi", "python.fcgi")


@pytest.fixture(scope="module")
def answers(host: Host) -> dict[str, dict[str, int]]:
    """Change a value by the module while every kind of worker is busy, and return the counts of the answers.

    Each request takes 5 s, and 20 s of the worker that shows that they are ended: Apache does so some 3 s after it was
    told to reload, and kills what is left of them 8 s later.
    """
    paths = [f"/fcgi/{kind}?hold={20 if kind == 'python.fcgi' else 5}" for kind in KINDS]
    load = "systemd-run --quiet --unit=load python3 /usr/local/sbin/load.py 2 /run/answers %s %s %s %s"
    host.check_output(load, *paths)
    host.check_output("sleep 20")
    for directives in (CHANGED, DIRECTIVES, CHANGED):
        found = fcgid_config(host, directives=directives)
        assert (found["changed"], found["reloaded"]) == (True, True)
        host.check_output("sleep 15")
    host.check_output("systemctl stop load.service")
    counts = json.loads(host.file("/run/answers").content_string)
    return {kind: counts[path] for kind, path in zip(KINDS, paths, strict=True)}


@pytest.mark.parametrize("kind", ["perl.fcgi", "page.php", "python-term.fcgi"])
def test_a_change_costs_no_request_of_a_worker_that_handles_sigterm(
    answers: dict[str, dict[str, int]], kind: str
) -> None:
    assert list(answers[kind]) == ["200"], answers


def test_a_change_reaches_workers_in_the_middle_of_a_request(answers: dict[str, dict[str, int]]) -> None:
    assert answers["python.fcgi"]["500"] > 0, answers


def test_a_change_leaves_apache_running(host: Host) -> None:
    show = "systemctl show --property=MainPID --value apache2.service"
    before = host.check_output(show)
    found = fcgid_config(host, directives={**DIRECTIVES, "FcgidProcessLifeTime": 9})
    assert (found["reloaded"], host.check_output(show)) == (True, before)


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
