# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recycler on a real Apache: each kind of worker is identified and retired in time, and loses no request."""

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
from scenario.modules import run_module

if t.TYPE_CHECKING:
    from testinfra.host import Host

testinfra_hosts = ["ansible://all"]

UNIT = "oomguard-fcgid-recycler.service"
METRICS = "/var/lib/node-exporter/oomguard_fcgid.prom"
SETTINGS: dict[str, t.Any] = {"limit": "28M", "interval": 2, "min_idle": 1, "grace": 60, "metrics_file": METRICS}
RETIRED = "5d0f8c1e2a7b4c6f9e31b7a4d2586c90"
LEAK_SECONDS = int(os.environ.get("OOMGUARD_LEAK_SECONDS", "90"))
PATIENCE_SECONDS = 600

Leak = t.Callable[..., "tuple[dict[str, dict[str, int]], int]"]

KINDS = {
    "perl.fcgi": "/srv/fcgi/perl.fcgi",
    "python.fcgi": "/srv/fcgi/python.fcgi",
    "python-term.fcgi": "/srv/fcgi/python-term.fcgi",
    "page.php": "/usr/bin/php-cgi",
}
each_kind = pytest.mark.parametrize("kind", KINDS)


def request_pid(host: Host, query: str) -> str:
    """Return the answer of a program, which is the pid of the worker."""
    return str(host.check_output("curl --silent --fail --max-time 600 %s", f"http://127.0.0.1/fcgi/{query}"))


def start_request(host: Host, unit: str, query: str) -> None:
    """Start a request as a unit of its own, which writes the answer and its status to a file."""
    command = f"curl --silent --write-out ' %{{http_code}}' 'http://127.0.0.1/fcgi/{query}' >/run/{unit}"
    host.check_output("systemd-run --quiet --collect --unit=%s sh -c %s", unit, command)


def wait_until(condition: t.Callable[[], bool]) -> bool:
    """Wait until `condition` is true. Return false if it is not after PATIENCE_SECONDS."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(1)
    return True


def is_active(host: Host, unit: str) -> bool:
    """Return whether the unit of a request still runs."""
    return bool(host.run("systemctl is-active %s.service", unit).succeeded)


def wait_for_answer(host: Host, unit: str) -> list[str]:
    """Wait until a request has ended, and return the pid of its worker (if it has answered) and the status."""
    assert wait_until(lambda: not is_active(host, unit))
    return str(host.check_output("cat %s", f"/run/{unit}")).split()


def is_alive(host: Host, pid: str) -> bool:
    """Return whether a process exists."""
    return bool(host.run("test -d /proc/%s", pid).succeeded)


def read_retirements(host: Host, reason: str = "limit") -> list[dict[str, str]]:
    """Return the journal's records of retired workers since the boot."""
    query = f"MESSAGE_ID={RETIRED} OOMGUARD_REASON={reason}"
    lines = host.check_output(f"journalctl --quiet --boot --output=json {query}")
    return [json.loads(line) for line in lines.splitlines()]


@pytest.fixture(autouse=True, scope="module")
def _healthy(host: Host) -> None:
    """Start Apache and the recycler, whatever an earlier run has left."""
    host.check_output("systemctl reset-failed && systemctl start apache2.service %s", UNIT)


@pytest.fixture
def unwatched(host: Host) -> collections.abc.Iterator[None]:
    """Stop the recycler during the test."""
    host.check_output("systemctl stop %s", UNIT)
    yield
    host.check_output("systemctl reset-failed && systemctl start apache2.service %s", UNIT)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What happens to three workers of each kind: a busy one and an idle one over the limit, and one below it.

    The dictionaries are by kind, but those of workers and peaks are by pid, and `retired` is by pid as text.
    """

    busy: dict[str, list[str]]
    """The pid and status of the answer of the busy worker."""
    idle: dict[str, str]
    """The pid of the idle worker over the limit."""
    small: dict[str, str]
    """The pid of the worker below the limit."""
    busy_outlived_idle: dict[str, bool]
    by_page: dict[int, dict[str, t.Any]]
    """The workers that fcgid_worker_info lists with mod_status, while the busy workers are busy."""
    by_sockets: dict[int, dict[str, t.Any]]
    """The same without mod_status."""
    problem: str
    """The problem of the status page without mod_status."""
    peaks: dict[int, int]
    """The peak memory in bytes according to /proc."""
    small_stayed: dict[str, bool]
    retired: dict[str, dict[str, str]]
    """The journal's records of retired workers."""


def list_workers(host: Host, **arguments: t.Any) -> tuple[dict[int, dict[str, t.Any]], str]:
    """Return the workers of fcgid_worker_info by pid, and the problem of the status page."""
    found = run_module(host, "fcgid_worker_info", **arguments)
    return {worker["pid"]: worker for worker in found["workers"]}, found["status_page"]["problem"]


def read_peaks(host: Host) -> dict[int, int]:
    """Return the peak memory in bytes of each process, according to /proc."""
    peaks = {}
    numbers = host.check_output("grep VmHWM /proc/[0-9]*/status | tr --complement --squeeze-repeats '0-9\\n' ' '")
    for line in numbers.splitlines():
        pid, kibibytes = line.split()[:2]
        peaks[int(pid)] = int(kibibytes) * 1024
    return peaks


@pytest.fixture(scope="module")
def outcome(host: Host) -> Outcome:
    """Run the recycler on two workers of each kind over the limit and one below it."""
    host.check_output("systemctl stop %s && systemctl restart apache2.service", UNIT)
    for kind in KINDS:
        start_request(host, f"busy-{kind}", f"{kind}?keep=28&hold=240")
    assert wait_until(lambda: host.run("grep --count ' 03 .*/fcgid/' /proc/net/unix").stdout == f"{len(KINDS)}\n")
    idle = {kind: request_pid(host, f"{kind}?keep=28") for kind in KINDS}
    host.check_output("systemctl start %s", UNIT)
    assert wait_until(lambda: not any(is_alive(host, pid) for pid in idle.values()))
    busy_outlived_idle = {kind: is_active(host, f"busy-{kind}") for kind in KINDS}
    small = {kind: request_pid(host, kind) for kind in KINDS}
    by_sockets, problem = list_workers(host, status_url="http://127.0.0.1:9/server-status")
    by_page, _problem = list_workers(host, pss=True)
    peaks = read_peaks(host)
    busy = {kind: wait_for_answer(host, f"busy-{kind}") for kind in KINDS}
    assert wait_until(lambda: not any(is_alive(host, pid) for pid, _status in busy.values()))
    return Outcome(
        busy=busy,
        idle=idle,
        small=small,
        busy_outlived_idle=busy_outlived_idle,
        by_page=by_page,
        by_sockets=by_sockets,
        problem=problem,
        peaks=peaks,
        small_stayed={kind: is_alive(host, pid) for kind, pid in small.items()},
        retired={entry["OOMGUARD_PID"]: entry for entry in read_retirements(host)},
    )


@each_kind
def test_worker_info_agrees_with_proc(outcome: Outcome, kind: str) -> None:
    pid = int(outcome.busy[kind][0])
    worker = outcome.by_page[pid]
    assert (worker["script"], worker["class"], worker["user"]) == (KINDS[kind], KINDS[kind], "www-data")
    assert worker["vm_hwm_bytes"] == outcome.peaks[pid] > 28 << 20
    assert 0 < worker["pss_bytes"] <= worker["rss_bytes"]
    assert worker["cgroup"] == "/system.slice/apache2.service"


@each_kind
def test_states_are_known_with_mod_status(outcome: Outcome, kind: str) -> None:
    idle = outcome.by_page[int(outcome.small[kind])]
    busy = outcome.by_page[int(outcome.busy[kind][0])]
    assert (idle["state"], idle["state_source"], busy["state"]) == ("idle", "status_page", "busy")


@each_kind
def test_states_are_known_without_mod_status(outcome: Outcome, kind: str) -> None:
    idle = outcome.by_sockets[int(outcome.small[kind])]
    busy = outcome.by_sockets[int(outcome.busy[kind][0])]
    assert (idle["state"], idle["state_source"], busy["state"]) == ("idle", "sockets", "busy")
    assert "Connection refused" in outcome.problem


@each_kind
def test_idle_worker_over_limit_is_retired_before_busy_one(outcome: Outcome, kind: str) -> None:
    assert outcome.busy_outlived_idle[kind]


@each_kind
def test_busy_worker_over_limit_finishes_its_request(outcome: Outcome, kind: str) -> None:
    assert outcome.busy[kind][1] == "200"


@each_kind
def test_worker_below_limit_stays(outcome: Outcome, kind: str) -> None:
    assert outcome.small_stayed[kind]


@each_kind
def test_journal_has_each_retirement(outcome: Outcome, kind: str) -> None:
    for pid in (outcome.idle[kind], outcome.busy[kind][0]):
        entry = outcome.retired[pid]
        shown = (entry["OOMGUARD_SCRIPT"], entry["OOMGUARD_REASON"], entry["OOMGUARD_STATE"], entry["_SYSTEMD_UNIT"])
        assert shown == (KINDS[kind], "limit", "idle", UNIT)
        assert int(entry["OOMGUARD_VM_HWM_BYTES"]) > 28 << 20


def test_metrics_count_retirements(host: Host, outcome: Outcome) -> None:
    assert len(outcome.retired) >= 2 * len(KINDS)
    assert re.search(r'retired_total\{reason="limit"\} [1-9]', host.file(METRICS).content_string)


def test_busy_worker_over_hard_limit_is_signalled_after_grace_time(host: Host) -> None:
    host.check_output("a2dismod --quiet status && systemctl restart apache2.service")
    run_module(host, "fcgid_recycler", **{**SETTINGS, "limit": None, "hard_limit": "28M", "grace": 5})
    start_request(host, "busy-handler", "perl.fcgi?keep=28&hold=100")
    start_request(host, "busy-without", "python.fcgi?keep=28&hold=100")
    start_request(host, "busy-small", "python-term.fcgi?keep=1&hold=100")
    statuses = [wait_for_answer(host, f"busy-{name}")[-1] for name in ("handler", "without", "small")]
    retired = {(entry["OOMGUARD_SCRIPT"], entry["OOMGUARD_STATE"]) for entry in read_retirements(host, "hard_limit")}
    host.check_output("a2enmod --quiet status && systemctl restart apache2.service")
    assert statuses == ["200", "500", "200"]
    assert retired == {("/srv/fcgi/perl.fcgi", "busy"), ("/srv/fcgi/python.fcgi", "busy")}


def find_tree(host: Host, pid: str) -> list[str]:
    """Return the pids of the processes of the worker to which a child of php-cgi belongs, the first one first."""
    parent = host.check_output("ps -o ppid= -p %s", pid).strip()
    return [parent, *host.check_output("pgrep --parent %s", parent).split()]


def test_worker_with_several_processes_is_sized_and_retired_as_a_whole(host: Host) -> None:
    run_module(host, "fcgid_recycler", **{**SETTINGS, "limit": "1G"})
    tree = find_tree(host, request_pid(host, "children.php?keep=1"))
    workers, _problem = list_workers(host)
    worker = workers[int(tree[0])]
    peaks = read_peaks(host)
    total = sum(peaks[int(pid)] for pid in tree)
    assert (len(tree), worker["process_count"], worker["vm_hwm_bytes"]) == (5, 5, total)
    assert worker["vm_hwm_bytes"] > peaks[int(tree[0])] + (4 << 20)
    # No process alone is over this limit, not even after the next request.
    limit = total + (20 << 20)
    run_module(host, "fcgid_recycler", **{**SETTINGS, "limit": str(limit)})
    assert all(is_alive(host, pid) for pid in tree)
    request_pid(host, "children.php?keep=40")
    assert wait_until(lambda: not any(is_alive(host, pid) for pid in tree))
    (entry,) = [entry for entry in read_retirements(host) if entry["OOMGUARD_PID"] == tree[0]]
    assert (entry["OOMGUARD_PROCESSES"], int(entry["OOMGUARD_VM_HWM_BYTES"]) > limit) == ("5", True)
    assert request_pid(host, "children.php") not in tree
    run_module(host, "fcgid_recycler", **SETTINGS)


@pytest.fixture
def write_page(host: Host) -> collections.abc.Iterator[t.Callable[[dict[str, tuple[str, str]]], None]]:
    """Yield a function that replaces mod_status's page: it claims a program and a state for each pid."""
    host.check_output("a2dismod --quiet status && systemctl restart apache2.service")

    def write(claims: dict[str, tuple[str, str]]) -> None:
        headings = "<th>Pid</th><th>Active</th><th>Idle</th><th>Accesses</th><th>State</th>"
        page = "Process: " * 4000
        for pid, (program, state) in claims.items():
            row = f"<tr><td>{pid}</td><td>9</td><td>9</td><td>1</td><td>{state}</td></tr>"
            page += f"Process: x</b>&nbsp;&nbsp;({program})<br />\n<table><tr>{headings}</tr>\n{row}</table>\n<hr />"
        host.check_output("printf %%s %s > /var/www/html/server-status", page)

    yield write
    host.check_output("rm -f /var/www/html/server-status && a2enmod --quiet status")
    host.check_output("systemctl restart apache2.service")
    run_module(host, "fcgid_recycler", **SETTINGS)


def test_replaced_status_page_neither_harms_nor_protects_a_worker(
    host: Host, write_page: t.Callable[[dict[str, tuple[str, str]]], None]
) -> None:
    run_module(host, "fcgid_recycler", **SETTINGS, scripts=[{"script": "/srv/fcgi/strict.fcgi", "limit": "1M"}])
    small = request_pid(host, "python.fcgi")
    write_page({small: ("/srv/fcgi/strict.fcgi", "Ready")})
    found, problem = list_workers(host)
    worker = found[int(small)]
    shown = (worker["script"], worker["class"], worker["accesses"], worker["state_source"])
    assert shown == ("/srv/fcgi/python.fcgi", None, None, "sockets")
    assert not problem
    large = request_pid(host, "perl.fcgi?keep=28")
    write_page({small: ("/srv/fcgi/strict.fcgi", "Ready"), large: ("/srv/fcgi/perl.fcgi", "Working")})
    assert wait_until(lambda: not is_alive(host, large))
    assert is_alive(host, small)


def test_hidden_processes_are_no_empty_list(host: Host) -> None:
    request_pid(host, "perl.fcgi")
    host.check_output("mount -o remount,hidepid=2 /proc")
    archive = "/usr/local/lib/oomguard/fcgid-recycler.pyz"
    # The modules in the archive have the names that they had when it was packed.
    name = "import zipfile; print(*[n for n in zipfile.ZipFile({!r}).namelist() if n.endswith('_fcgid/workers.py')])"
    package = host.check_output("python3 -c %s", name.format(archive))[: -len(".py")].replace("/", ".")
    code = f"import sys; sys.path.insert(0, {archive!r}); from {package} import Workers; print(Workers().find_all())"
    found = host.run("setpriv --reuid=65534 --regid=65534 --clear-groups python3 -c %s", code)
    workers, _problem = list_workers(host)
    time.sleep(5)
    status = host.check_output("systemctl show --property=StatusText --value %s", UNIT)
    host.check_output("mount -o remount,hidepid=0 /proc")
    assert (found.rc, "/proc does not show the processes of other users" in found.stderr) == (1, True)
    assert workers
    assert "retired so far" in status


def test_dry_run_only_logs(host: Host) -> None:
    run_module(host, "fcgid_recycler", **SETTINGS, dry_run=True)
    pid = request_pid(host, "perl.fcgi?keep=28")

    def read_messages() -> list[str]:
        return [entry["MESSAGE"] for entry in read_retirements(host) if entry["OOMGUARD_PID"] == pid]

    assert wait_until(lambda: bool(read_messages()))
    assert read_messages()[0].startswith(f"Would retire pid {pid} (/srv/fcgi/perl.fcgi)")
    assert request_pid(host, "perl.fcgi") == pid
    run_module(host, "fcgid_recycler", **SETTINGS)
    assert wait_until(lambda: not is_alive(host, pid))


def test_systemd_accepts_unit_without_warnings(host: Host) -> None:
    verified = host.run("systemd-analyze verify /etc/systemd/system/%s", UNIT)
    logged = host.run("journalctl --quiet --output=cat _PID=1 --grep=%s", f"{UNIT}:[0-9]+:").stdout
    assert (verified.stdout + verified.stderr, logged) == ("", "")


def test_exposure_of_service_is_low(host: Host) -> None:
    lines = host.check_output("systemd-analyze security --no-pager %s", UNIT).splitlines()
    assert float(lines[-1].split()[-3]) <= 2.5


@pytest.fixture
def leak(host: Host) -> Leak:
    """Return a function that requests programs without a break, and returns the answers by status and Apache's peak."""

    def request_for(*queries: str, seconds: int) -> tuple[dict[str, dict[str, int]], int]:
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

    return request_for


LEAKING = ["perl.fcgi?keep=1&hold=0.3", "python.fcgi?keep=1&hold=0.3", "python-term.fcgi?keep=1&hold=0.3"]


@pytest.mark.usefixtures("unwatched")
def test_leaking_application_takes_apache_down_without_recycler(host: Host, leak: Leak) -> None:
    leak(*LEAKING, seconds=PATIENCE_SECONDS)
    assert wait_until(lambda: bool(host.run("systemctl is-failed apache2.service").succeeded))
    assert host.check_output("systemctl show --property=Result --value apache2.service") == "oom-kill"


def test_leaking_application_stays_below_limit_and_loses_no_request(host: Host, leak: Leak) -> None:
    before = len(read_retirements(host))
    answers, peak = leak(*LEAKING, seconds=LEAK_SECONDS)
    count = len(read_retirements(host)) - before
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


def test_absent_removes_everything(host: Host) -> None:
    found = run_module(host, "fcgid_recycler", state="absent")
    left = host.run("ls -d /usr/local/lib/oomguard/* /etc/oomguard/* /etc/systemd/system/%s", UNIT).stdout
    assert (found["changed"], found["active"], left) == (True, False, "")
