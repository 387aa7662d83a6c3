# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each kind of worker on a real Apache: what it is said to be, when it goes, and that its requests are answered."""

from __future__ import annotations

import collections.abc
import dataclasses
import json
import os
import re
import shlex
import time
import typing as t

import pytest

if t.TYPE_CHECKING:
    from testinfra.host import Host

testinfra_hosts = ["ansible://all"]

UNIT = "oomguard-fcgid-recycler.service"
METRICS = "/var/lib/node-exporter/oomguard_fcgid.prom"
SETTINGS: dict[str, t.Any] = {"limit": "28M", "interval": 2, "min_idle": 1, "grace": 60, "metrics_file": METRICS}
RETIRED = "5d0f8c1e2a7b4c6f9e31b7a4d2586c90"
LEAK_SECONDS = int(os.environ.get("OOMGUARD_LEAK_SECONDS", "90"))
PATIENCE = 600

Leak = t.Callable[..., "tuple[dict[str, dict[str, int]], int]"]

KINDS = {
    "perl.fcgi": "/srv/fcgi/perl.fcgi",
    "python.fcgi": "/srv/fcgi/python.fcgi",
    "python-term.fcgi": "/srv/fcgi/python-term.fcgi",
    "page.php": "/usr/bin/php-cgi",
}
each_kind = pytest.mark.parametrize("kind", KINDS)


def module(host: Host, name: str, **arguments: t.Any) -> dict[str, t.Any]:
    """Run a module of the collection, and return its result."""
    return dict(host.ansible(f"oomguard.linux.{name}", json.dumps(arguments), check=False))


def request(host: Host, query: str) -> str:
    """Return the answer of a program, which is its pid."""
    return str(host.check_output("curl --silent --fail --max-time 600 %s", f"http://127.0.0.1/fcgi/{query}"))


def begin(host: Host, unit: str, query: str) -> None:
    """Begin a request of its own, whose status and answer go to a file."""
    command = f"curl --silent --write-out ' %{{http_code}}' 'http://127.0.0.1/fcgi/{query}' >/run/{unit}"
    host.check_output("systemd-run --quiet --collect --unit=%s sh -c %s", unit, command)


def until(condition: t.Callable[[], bool]) -> bool:
    """Return whether `condition` came true while there was patience."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(1)
    return True


def running(host: Host, unit: str) -> bool:
    """Return whether a unit of its own, which is gone when it ends, is there."""
    return bool(host.run("systemctl is-active %s.service", unit).succeeded)


def answer_of(host: Host, unit: str) -> list[str]:
    """Return pid and status of a request that was begun, once it has ended."""
    assert until(lambda: not running(host, unit))
    return str(host.check_output("cat %s", f"/run/{unit}")).split()


def alive(host: Host, pid: str) -> bool:
    """Return whether there is such a process."""
    return bool(host.run("test -d /proc/%s", pid).succeeded)


def retirements(host: Host, reason: str = "limit") -> list[dict[str, str]]:
    """Return what the journal holds about workers that were retired, since the machine was booted."""
    query = f"MESSAGE_ID={RETIRED} OOMGUARD_REASON={reason}"
    lines = host.check_output(f"journalctl --quiet --boot --output=json {query}")
    return [json.loads(line) for line in lines.splitlines()]


@pytest.fixture(autouse=True, scope="module")
def _healthy(host: Host) -> None:
    """Begin with Apache and the recycler running, whatever a run before has left."""
    host.check_output("systemctl reset-failed && systemctl start apache2.service %s", UNIT)


@pytest.fixture
def unwatched(host: Host) -> collections.abc.Iterator[None]:
    """Have nothing retired during the test."""
    host.check_output("systemctl stop %s", UNIT)
    yield
    host.check_output("systemctl reset-failed && systemctl start apache2.service %s", UNIT)


@dataclasses.dataclass(frozen=True)
class Story:
    """What became of three workers of each kind: one with a request in hand and an idle one, both beyond the limit, and
    one below it. Pids and answers are by kind; lists are what fcgid_worker_info said while requests were in hand.
    """

    held: dict[str, list[str]]
    idle: dict[str, str]
    small: dict[str, str]
    outlived: dict[str, bool]
    by_page: dict[int, dict[str, t.Any]]
    by_sockets: dict[int, dict[str, t.Any]]
    problem: str
    peaks: dict[int, int]
    small_stayed: dict[str, bool]
    retired: dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def story(host: Host) -> Story:
    """Let the recycler loose on two workers of each kind, and look at those that are left."""

    def listed(**arguments: t.Any) -> tuple[dict[int, dict[str, t.Any]], str]:
        found = module(host, "fcgid_worker_info", **arguments)
        return {worker["pid"]: worker for worker in found["workers"]}, found["status_page"]["problem"]

    host.check_output("systemctl stop %s && systemctl restart apache2.service", UNIT)
    for kind in KINDS:
        begin(host, f"held-{kind}", f"{kind}?keep=28&hold=240")
    assert until(lambda: host.run("grep --count ' 03 .*/fcgid/' /proc/net/unix").stdout == f"{len(KINDS)}\n")
    idle = {kind: request(host, f"{kind}?keep=28") for kind in KINDS}
    host.check_output("systemctl start %s", UNIT)
    assert until(lambda: not any(alive(host, pid) for pid in idle.values()))
    outlived = {kind: running(host, f"held-{kind}") for kind in KINDS}
    small = {kind: request(host, kind) for kind in KINDS}
    by_sockets, problem = listed(status_url="http://127.0.0.1:9/server-status")
    by_page, _problem = listed(pss=True)
    peaks = host.check_output("grep VmHWM /proc/[0-9]*/status | tr --complement --squeeze-repeats '0-9\\n' ' '")
    held = {kind: answer_of(host, f"held-{kind}") for kind in KINDS}
    assert until(lambda: not any(alive(host, pid) for pid, _status in held.values()))
    return Story(
        held=held,
        idle=idle,
        small=small,
        outlived=outlived,
        by_page=by_page,
        by_sockets=by_sockets,
        problem=problem,
        peaks={int(line.split()[0]): int(line.split()[1]) * 1024 for line in peaks.splitlines()},
        small_stayed={kind: alive(host, pid) for kind, pid in small.items()},
        retired={entry["OOMGUARD_PID"]: entry for entry in retirements(host)},
    )


@each_kind
def test_a_worker_is_what_proc_says(story: Story, kind: str) -> None:
    pid = int(story.held[kind][0])
    worker = story.by_page[pid]
    assert (worker["script"], worker["class"], worker["user"]) == (KINDS[kind], KINDS[kind], "www-data")
    assert worker["vm_hwm_bytes"] == story.peaks[pid] > 28 << 20
    assert 0 < worker["pss_bytes"] <= worker["rss_bytes"]
    assert worker["cgroup"] == "/system.slice/apache2.service"


@each_kind
def test_idle_and_busy_with_mod_status(story: Story, kind: str) -> None:
    idle, busy = story.by_page[int(story.small[kind])], story.by_page[int(story.held[kind][0])]
    assert (idle["state"], idle["state_source"], busy["state"]) == ("idle", "status_page", "busy")


@each_kind
def test_idle_and_busy_without_mod_status(story: Story, kind: str) -> None:
    idle, busy = story.by_sockets[int(story.small[kind])], story.by_sockets[int(story.held[kind][0])]
    assert (idle["state"], idle["state_source"], busy["state"]) == ("idle", "sockets", "busy")
    assert "Connection refused" in story.problem


@each_kind
def test_an_idle_worker_beyond_the_limit_goes_while_a_busy_one_stays(story: Story, kind: str) -> None:
    assert story.outlived[kind]


@each_kind
def test_a_busy_worker_beyond_the_limit_finishes_its_request(story: Story, kind: str) -> None:
    assert story.held[kind][1] == "200"


@each_kind
def test_a_worker_below_the_limit_stays(story: Story, kind: str) -> None:
    assert story.small_stayed[kind]


@each_kind
def test_each_retirement_is_in_the_journal(story: Story, kind: str) -> None:
    for pid in (story.idle[kind], story.held[kind][0]):
        entry = story.retired[pid]
        shown = (entry["OOMGUARD_SCRIPT"], entry["OOMGUARD_REASON"], entry["OOMGUARD_STATE"], entry["_SYSTEMD_UNIT"])
        assert shown == (KINDS[kind], "limit", "idle", UNIT)
        assert int(entry["OOMGUARD_VM_HWM_BYTES"]) > 28 << 20


def test_metrics_count_what_was_retired(host: Host, story: Story) -> None:
    assert len(story.retired) >= 2 * len(KINDS)
    assert re.search(r'retired_total\{reason="limit"\} [1-9]', host.file(METRICS).content_string)


def test_a_busy_worker_beyond_the_hard_limit_is_signalled_after_the_grace_time(host: Host) -> None:
    host.check_output("a2dismod --quiet status && systemctl restart apache2.service")
    module(host, "fcgid_recycler", **{**SETTINGS, "limit": None, "hard_limit": "28M", "grace": 5})
    begin(host, "held-handler", "perl.fcgi?keep=28&hold=100")
    begin(host, "held-without", "python.fcgi?keep=28&hold=100")
    begin(host, "held-small", "python-term.fcgi?keep=1&hold=100")
    statuses = [answer_of(host, f"held-{name}")[-1] for name in ("handler", "without", "small")]
    found = {(entry["OOMGUARD_SCRIPT"], entry["OOMGUARD_STATE"]) for entry in retirements(host, "hard_limit")}
    host.check_output("a2enmod --quiet status && systemctl restart apache2.service")
    assert statuses == ["200", "500", "200"]
    assert found == {("/srv/fcgi/perl.fcgi", "busy"), ("/srv/fcgi/python.fcgi", "busy")}


def test_a_dry_run_only_tells(host: Host) -> None:
    module(host, "fcgid_recycler", **SETTINGS, dry_run=True)
    pid = request(host, "perl.fcgi?keep=28")
    assert until(lambda: any(entry["OOMGUARD_PID"] == pid for entry in retirements(host)))
    message = next(entry["MESSAGE"] for entry in retirements(host) if entry["OOMGUARD_PID"] == pid)
    assert message.startswith(f"Would retire pid {pid} (/srv/fcgi/perl.fcgi)")
    assert request(host, "perl.fcgi") == pid
    module(host, "fcgid_recycler", **SETTINGS)
    assert until(lambda: not alive(host, pid))


def test_systemd_has_nothing_to_say_about_the_unit(host: Host) -> None:
    said = host.run("systemd-analyze verify /etc/systemd/system/%s", UNIT)
    logged = host.run("journalctl --quiet --output=cat _PID=1 --grep=%s", f"{UNIT}:[0-9]+:").stdout
    assert (said.stdout + said.stderr, logged) == ("", "")


def test_the_service_can_do_little(host: Host) -> None:
    lines = host.check_output("systemd-analyze security --no-pager %s", UNIT).splitlines()
    assert float(lines[-1].split()[-3]) <= 2.5


@pytest.fixture
def leak(host: Host) -> Leak:
    """Return what requests programs all the time, and returns the answers by status and the most that Apache held."""

    def run(*queries: str, seconds: int) -> tuple[dict[str, dict[str, int]], int]:
        paths = shlex.join(f"/fcgi/{query}" for query in queries)
        memory = "/sys/fs/cgroup/system.slice/apache2.service/memory.current"
        watch = f"while :; do cat {memory}; sleep 0.5; done >/run/memory"
        host.check_output("rm -f /run/answers /run/memory")
        host.check_output("systemd-run --quiet --collect --unit=watch -p OOMScoreAdjust=-900 sh -c %s", watch)
        load = f"exec python3 /usr/local/sbin/load.py 1 /run/answers {paths}"
        host.check_output("systemd-run --quiet --collect --unit=leak -p OOMScoreAdjust=-900 sh -c %s", load)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and host.service("apache2").is_running:
            time.sleep(2)
        host.check_output("systemctl stop leak.service watch.service")
        peak = host.check_output("sort --numeric-sort /run/memory | tail --lines=1")
        return json.loads(host.check_output("cat /run/answers")), int(peak)

    return run


LEAKING = ["perl.fcgi?keep=1&hold=0.3", "python.fcgi?keep=1&hold=0.3", "python-term.fcgi?keep=1&hold=0.3"]


@pytest.mark.usefixtures("unwatched")
def test_a_leaking_application_without_the_recycler_takes_apache_down(host: Host, leak: Leak) -> None:
    leak(*LEAKING, seconds=PATIENCE)
    assert until(lambda: bool(host.run("systemctl is-failed apache2.service").succeeded))
    assert host.check_output("systemctl show --property=Result --value apache2.service") == "oom-kill"


def test_a_leaking_application_under_load_stays_within_bounds_and_loses_no_request(host: Host, leak: Leak) -> None:
    before = len(retirements(host))
    answers, peak = leak(*LEAKING, seconds=LEAK_SECONDS)
    count = len(retirements(host)) - before
    print(f"answers {answers}, peak {peak >> 20} MiB, retired {count}")
    assert {query: sorted(statuses) for query, statuses in answers.items()} == {
        f"/fcgi/{query}": ["200"] for query in LEAKING
    }
    assert peak < 380 << 20
    assert count > 0


@pytest.mark.usefixtures("unwatched")
def test_programs_that_end_by_themselves_lose_no_request(leak: Leak) -> None:
    queries = ["outgrown-perl.fcgi?keep=1", "outgrown-python.fcgi?keep=1", "outgrown-php.php?keep=60"]
    answers, peak = leak(*queries, seconds=LEAK_SECONDS)
    print(f"answers {answers}, peak {peak >> 20} MiB")
    assert {query: sorted(statuses) for query, statuses in answers.items()} == {
        f"/fcgi/{query}": ["200"] for query in queries
    }
    assert peak < 380 << 20


def test_everything_is_taken_away(host: Host) -> None:
    found = module(host, "fcgid_recycler", state="absent")
    left = host.run("ls -d /usr/local/lib/oomguard/* /etc/oomguard/* /etc/systemd/system/%s", UNIT).stdout
    assert (found["changed"], found["active"], left) == (True, False, "")
