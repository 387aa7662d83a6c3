# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role and the module on a real Apache: values come into force, workers end, and problems are reported."""

from __future__ import annotations

import json
import typing as t

import pytest
from scenario.modules import try_module
from scenario.power import cut_power_and_boot

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
    """Run the module with the scenario's limits for workers, and return its result, even if it fails."""
    return try_module(host, "fcgid_config", check=check, workers=WORKERS, **arguments)


def request_pid(host: Host, path: str) -> str:
    """Return the answer to a request for `path`, which is the pid of the worker."""
    return str(host.check_output("curl --silent --show-error --fail http://127.0.0.1%s", path))


def read_limits(host: Host, path: str) -> list[str]:
    """Return the OOM score adjustment and the address space of the worker that answers."""
    # In one command, because the worker may soon be gone.
    found = str(
        host.check_output(
            "pid=$(curl --silent --fail http://127.0.0.1%s) && cat /proc/$pid/oom_score_adj &&"
            " prlimit --pid=$pid --as --noheadings --output=SOFT",
            path,
        )
    )
    return found.split()


def request_status(host: Host, path: str) -> str:
    """Return the status of the answer to a request for `path`."""
    command = "curl --silent --output /dev/null --write-out '%%{http_code}' http://127.0.0.1%s"
    return str(host.check_output(command, path))


def is_gone(host: Host, pid: str, *, seconds: int) -> bool:
    """Return whether a process ends within so many seconds, measured by the host's clock."""
    wait = "end=$(($(date +%%s) + %s)); while test -d /proc/%s && test $(date +%%s) -lt $end; do sleep 1; done"
    host.check_output(wait, str(seconds), pid)
    return not host.file(f"/proc/{pid}").exists


def read_our_file(host: Host) -> str:
    """Return the text of our file, after its modification time and its inode as Apache finds it."""
    stat = "stat --format=%Y.%i /etc/apache2/conf-enabled/zz-oomguard-fcgid.conf"
    return str(host.check_output(f"{stat} && cat {FILE}"))


@pytest.fixture
def write_site(host: Host) -> collections.abc.Iterator[t.Callable[..., None]]:
    """Yield a function that writes a file that Apache reads after ours. Remove the file at the end."""
    reloaded = False

    def write(text: str, *, reload: bool = False) -> None:
        nonlocal reloaded
        reloaded = reload
        host.check_output("printf %%s %s > %s", text, SITE)
        if reload:
            host.check_output("systemctl reload apache2.service")

    yield write
    host.check_output("rm -f %s", SITE)
    if reloaded:
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
def test_worker_has_its_limits(host: Host, path: str, expected: list[str]) -> None:
    assert read_limits(host, path) == expected


def test_worker_over_its_limit_loses_one_request(host: Host) -> None:
    statuses = [request_status(host, path) for path in ("/fcgi/perl.fcgi?keep=300", "/fcgi/perl.fcgi")]
    assert statuses == ["500", "200"]


@pytest.mark.parametrize(("file", "value"), [("memory.max", str(300 << 20)), ("memory.swap.max", "0")])
def test_apache_has_its_ceilings(host: Host, file: str, value: str) -> None:
    assert host.file(f"{CGROUP}/{file}").content_string.strip() == value


def test_apache_has_its_oom_score_adjustment(host: Host) -> None:
    parent = host.check_output("systemctl show --property=MainPID --value apache2.service")
    assert host.file(f"/proc/{parent}/oom_score_adj").content_string.strip() == "-500"


def test_idle_worker_ends_after_lifetime_and_scans(host: Host) -> None:
    pid = request_pid(host, "/fcgi/perl.fcgi")
    # The lifetime is 6 s, the idle scan 3 s, and the other scans take 12 s. The rest allows for emulation.
    assert is_gone(host, pid, seconds=120)


def test_last_worker_never_ends_with_default_minimum(host: Host) -> None:
    lifetimes = {name: value for name, value in DIRECTIVES.items() if name != "FcgidMinProcessesPerClass"}
    fcgid_config(host, directives=lifetimes)
    stays = not is_gone(host, request_pid(host, "/fcgi/perl.fcgi"), seconds=60)
    fcgid_config(host, directives=DIRECTIVES)
    assert stays


@pytest.mark.parametrize(("path", "answer"), [("/cgi/perl.fcgi?keep=40", "500"), ("/fcgi/perl.fcgi?keep=40", "200")])
def test_rlimitmem_applies_only_to_plain_cgi(
    host: Host, write_site: t.Callable[..., None], path: str, answer: str
) -> None:
    write_site("RLimitMEM 40000000 40000000\n", reload=True)
    assert request_status(host, path) == answer


@pytest.mark.parametrize(
    ("wrapper", "program"),
    [
        ('#!/bin/sh\nexec /usr/bin/prlimit --as=268435456 -- "$@"\n', "/usr/local/bin/wrap"),
        ("#!/bin/sh\nexec /usr/bin/perl\n", "/usr/bin/perl"),
    ],
    ids=["exec", "interpreter"],
)
def test_refused_wrapper_fails_in_apache(
    host: Host, write_site: t.Callable[..., None], wrapper: str, program: str
) -> None:
    host.check_output("printf %%s %s > /usr/local/bin/wrap && chmod 755 /usr/local/bin/wrap", wrapper)
    refused = fcgid_config(host, directives={"FcgidWrapper": f"{program} .fcgi"})["msg"]
    write_site("<Files python.fcgi>\nFcgidWrapper /usr/local/bin/wrap .fcgi\n</Files>\n", reload=True)
    assert (refused[:13], request_status(host, "/fcgi/python.fcgi")) == ("FcgidWrapper ", "500")


@pytest.mark.parametrize(("script", "workers"), [("perl.fcgi", 1), ("python.fcgi", 2)], ids=["wrapped", "not wrapped"])
def test_wrapper_hides_its_program_from_fcgidcmdoptions(
    host: Host, write_site: t.Callable[..., None], script: str, workers: int
) -> None:
    write_site(f"FcgidCmdOptions /srv/fcgi/{script} MaxRequestsPerProcess 1\n", reload=True)
    answers = host.check_output(
        "for _time in 1 2; do curl --silent --fail http://127.0.0.1/fcgi/%s; echo; done", script
    )
    assert len(set(answers.split())) == workers


def test_second_run_changes_nothing(host: Host) -> None:
    assert fcgid_config(host, directives=DIRECTIVES)["changed"] is False


def test_check_mode_changes_nothing(host: Host) -> None:
    before = read_our_file(host)
    found = fcgid_config(host, check=True, directives=CHANGED)
    assert (found["changed"], read_our_file(host)) == (True, before)


@pytest.mark.parametrize(
    ("directives", "message"),
    [
        ({"FcgidProcessLifeTime": "soon"}, "FcgidProcessLifeTime is 'soon'. Use a number from 0 to 2147483647."),
        (
            {"FcgidWrapper": "/bin/true .x -"},
            (
                "Apache rejects FcgidWrapper /bin/true .x -: AH00526: Syntax error on line 2 of -c/-C directives:"
                " Invalid wrapper flag. Nothing was changed."
            ),
        ),
    ],
    ids=["by the module", "by Apache"],
)
def test_bad_value_is_refused(host: Host, directives: dict[str, t.Any], message: str) -> None:
    before = read_our_file(host)
    assert (fcgid_config(host, directives=directives)["msg"], read_our_file(host)) == (message, before)


def test_broken_configuration_is_left_alone(host: Host, write_site: t.Callable[..., None]) -> None:
    write_site("Nonsense on\n")
    before = read_our_file(host)
    message = (
        f"Apache's configuration does not pass Apache's own test: AH00526: Syntax error on line 1 of {SITE}: Invalid"
        " command 'Nonsense', perhaps misspelled or defined by a module not included in the server configuration."
        " Repair it, then run the task again."
    )
    assert (fcgid_config(host, directives=CHANGED)["msg"], read_our_file(host)) == (message, before)


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
def test_error_names_overriding_place_and_nothing_is_changed(
    host: Host, write_site: t.Callable[..., None], text: str, place: str
) -> None:
    write_site(text)
    before = host.file(FILE).content_string
    message = (
        f"Some directives would not be in force: FcgidProcessLifeTime {place}."
        " Change these settings there, or set allow_overrides if they are meant to differ."
    )
    assert (fcgid_config(host, directives=CHANGED)["msg"], host.file(FILE).content_string) == (message, before)


def test_allowed_override_is_returned(host: Host, write_site: t.Callable[..., None]) -> None:
    write_site("<VirtualHost *:80>\nFcgidProcessLifeTime 700\n</VirtualHost>\n")
    found = fcgid_config(host, directives=DIRECTIVES, allow_overrides=True)
    assert found["overridden_by"] == [
        {
            "directive": "FcgidProcessLifeTime",
            "wanted": 6,
            "value": 700,
            "file": SITE,
            "line": 2,
            "context": "<VirtualHost *:80>",
            "harmless": False,
        }
    ]


def test_lifetime_of_a_virtual_host_is_harmless_if_its_idle_workers_end(
    host: Host, write_site: t.Callable[..., None]
) -> None:
    write_site("<VirtualHost *:80>\nFcgidProcessLifeTime 3600\nFcgidIdleTimeout 6\n</VirtualHost>\n")
    found = fcgid_config(host, directives=DIRECTIVES)
    assert [(override["value"], override["harmless"]) for override in found["overridden_by"]] == [(3600, True)]


def test_many_overrides_are_three_places_and_data(host: Host, write_site: t.Callable[..., None]) -> None:
    write_site("<VirtualHost *:80>\nFcgidProcessLifeTime 700\n</VirtualHost>\n" * 300)
    found = fcgid_config(host, directives=DIRECTIVES)
    assert (found["msg"].count(SITE), "and 297 more" in found["msg"], len(found["overridden_by"])) == (3, True, 300)


def test_fifo_in_place_of_a_script_is_rejected(host: Host) -> None:
    host.check_output("test -p /srv/fcgi/fifo.fcgi || mkfifo -m 755 /srv/fcgi/fifo.fcgi")
    found = try_module(host, "fcgid_config", workers=[{"script": "/srv/fcgi/fifo.fcgi", "oom_score_adjust": 9}])
    assert found["msg"].startswith("Could not read /srv/fcgi/fifo.fcgi: it is not a regular file.")


def test_misspelt_directive_is_rejected_before_anything_is_removed(host: Host) -> None:
    found = fcgid_config(host, state="absent", directives={"FcgidProcesLifeTime": 6})
    assert found["msg"].startswith("'FcgidProcesLifeTime' is not a directive of mod_fcgid.")
    assert host.file(FILE).exists


def test_check_mode_predicts_that_apache_does_not_include_the_file(host: Host) -> None:
    host.check_output("sed -i.kept 's/^IncludeOptional conf-enabled/#&/' /etc/apache2/apache2.conf")
    found = fcgid_config(host, check=True, directives=CHANGED)
    host.check_output("mv /etc/apache2/apache2.conf.kept /etc/apache2/apache2.conf")
    assert found["msg"].startswith("Apache does not read FcgidIdleScanInterval from /etc/apache2/conf-enabled/zz-")


@pytest.mark.parametrize("check", [True, False], ids=["check mode", "real run"])
def test_immutable_folder_is_an_error_before_anything_is_changed(host: Host, check: bool) -> None:
    host.check_output("chattr +i /etc/apache2/conf-available")
    found = fcgid_config(host, check=check, directives=CHANGED)
    host.check_output("chattr -i /etc/apache2/conf-available")
    assert "/etc/apache2/conf-available is immutable" in found["msg"]


SECOND = "/etc/apache2-second/conf-enabled/zz-oomguard-fcgid.conf"


def test_role_has_configured_the_second_instance_as_well(host: Host) -> None:
    assert host.file(SECOND).content_string == host.file(FILE).content_string
    assert not host.file("/etc/apache2-backup/conf-enabled/zz-oomguard-fcgid.conf").exists


def test_instances_are_named(host: Host) -> None:
    found = fcgid_config(host, directives=DIRECTIVES)
    shown = [(instance["name"], instance["running"], instance["managed"]) for instance in found["instances"]]
    assert shown == [("default", True, True), ("second", True, True)]


def test_second_instance_is_reloaded_alone(host: Host) -> None:
    show = "journalctl --quiet --boot --output=cat --unit=%s --grep=Reloaded | wc --lines"
    before = host.check_output(show, "apache2.service")
    found = fcgid_config(host, directives=CHANGED, instance="second")
    assert (found["changed"], found["reloaded"], found["unit"]) == (True, True, "apache2@second.service")
    assert "FcgidProcessLifeTime 8" in host.file(SECOND).content_string
    assert host.check_output(show, "apache2.service") == before


def test_directives_are_in_force_after_a_boot(host: Host) -> None:
    cut_power_and_boot(host)
    found = [
        fcgid_config(host, directives=DIRECTIVES),
        fcgid_config(host, directives=CHANGED, instance="second"),
    ]
    assert [(each["changed"], each["running"]) for each in found] == [(False, True)] * 2


def test_instance_without_our_file_is_named_as_unmanaged(host: Host) -> None:
    fcgid_config(host, state="absent", instance="second")
    found = fcgid_config(host, directives=DIRECTIVES)
    assert {instance["name"]: instance["managed"] for instance in found["instances"]} == {
        "default": True,
        "second": False,
    }


KINDS = ("perl.fcgi", "page.php", "python-term.fcgi", "python.fcgi")


@pytest.fixture(scope="module")
def answers(host: Host) -> dict[str, dict[str, int]]:
    """Change a value with the module while every kind of worker is busy, and return the counts of the answers.

    A request takes 5 s. For the worker without a handler for SIGTERM it takes 20 s: Apache sends that signal about 3 s
    after a reload, and kills the remaining workers 8 s later.
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
def test_change_loses_no_request_of_worker_that_handles_sigterm(answers: dict[str, dict[str, int]], kind: str) -> None:
    assert list(answers[kind]) == ["200"], answers


def test_change_ends_worker_without_handler_during_a_request(answers: dict[str, dict[str, int]]) -> None:
    assert answers["python.fcgi"]["500"] > 0, answers


def test_change_does_not_restart_apache(host: Host) -> None:
    show = "systemctl show --property=MainPID --value apache2.service"
    before = host.check_output(show)
    found = fcgid_config(host, directives={**DIRECTIVES, "FcgidProcessLifeTime": 9})
    assert (found["reloaded"], host.check_output(show)) == (True, before)


def test_stopped_apache_stays_stopped(host: Host) -> None:
    host.check_output("systemctl stop apache2.service")
    found = fcgid_config(host, directives=DIRECTIVES)
    assert (found["changed"], found["running"], host.service("apache2").is_running) == (True, False, False)


def test_absent_removes_everything(host: Host) -> None:
    host.check_output("systemctl start apache2.service")
    found = fcgid_config(host, state="absent")
    left = host.run("ls /etc/apache2/conf-available /etc/apache2/conf-enabled /run").stdout
    assert (found["changed"], found["reloaded"], "zz-oomguard" in left, "default.reload" in left) == (
        True,
        True,
        False,
        False,
    )
