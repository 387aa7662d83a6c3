# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drop-ins on real versions of systemd, in every way that goes wrong, and what the kernel's kills do to units."""

from __future__ import annotations

import functools
import json
import os
import pathlib
import re
import subprocess
import sys
import typing as t

import pytest

testinfra_hosts = ["ansible://all"]

VERSIONS = {"bullseye": 247, "bookworm": 252, "trixie": 257}
FOLDER = "/etc/systemd/system/trial.service.d"
FILE = f"{FOLDER}/50-oomguard.conf"


def release(host: t.Any) -> str:
    """Return the Debian release of a host, which its name ends in."""
    return str(host.backend.get_hostname()).rpartition("-")[2]


def shown(host: t.Any, unit: str, name: str) -> str:
    """Return a property of a unit."""
    return str(host.check_output(f"systemctl show --property={name} --value -- {unit}"))


@functools.cache
def tried(host: t.Any, case: str) -> dict[str, t.Any]:
    """Return the outcome of one case of dropin_trial, which runs once on each host."""
    said = host.check_output(f"cd /opt/dropin-trial && /usr/bin/python3 -m dropin_trial run {case}")
    return dict(json.loads(said)[case])


# The role has converged.


def test_a_converged_host_takes_one_module_execution_a_unit(host: t.Any) -> None:
    # What Ansible's modules say in the journal, at last those of the run that looked for idempotence.
    lines = host.check_output("journalctl --quiet --output=cat --grep='^Invoked with '").splitlines()
    invoked = [re.findall(r"\bunit=(\S+)", line) for line in lines[-4:]]
    assert invoked == [["system.conf"], ["apache2.service"], ["trial.service"], ["system.conf"]]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OOMPolicy", "continue"),
        ("OOMScoreAdjust", "-300"),
        ("MemoryMax", "209715200"),
        ("MemorySwapMax", "infinity"),
        ("Restart", "on-abort"),
        ("ActiveState", "active"),
    ],
)
def test_the_role_has_set_it(host: t.Any, name: str, value: str) -> None:
    assert shown(host, "trial.service", name) == value


def test_the_kernel_has_the_ceiling(host: t.Any) -> None:
    assert host.file("/sys/fs/cgroup/trial.slice/trial.service/memory.max").content_string == "209715200\n"


def test_the_role_has_restarted_for_the_score(host: t.Any) -> None:
    pid = shown(host, "trial.service", "MainPID")
    assert host.file(f"/proc/{pid}/oom_score_adj").content_string == "-300\n"


def test_what_the_unit_has_itself_is_not_written(host: t.Any) -> None:
    exists = host.file("/etc/systemd/system/apache2.service.d/50-oomguard.conf").exists
    assert (shown(host, "apache2.service", "OOMPolicy"), exists) == ("continue", release(host) == "bullseye")


def test_the_default_of_all_units_is_set(host: t.Any) -> None:
    assert shown(host, "ssh.service", "OOMPolicy") == "continue"


def test_the_role_takes_its_files_away(host: t.Any) -> None:
    for unit in ("trial.service", "system.conf"):
        host.ansible("oomguard.linux.systemd_dropin", f"unit={unit} name=40-role state=absent", check=False)
    left = host.run("ls /etc/systemd/system.conf.d /etc/systemd/system/trial.service.d").stdout
    assert (left, shown(host, "ssh.service", "OOMPolicy")) == ("", "stop")


# Cases 35 and 40: which units.


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        ("nosuch.service", "has the load state not-found. Is the package that brings it installed"),
        ("trial-masked.service", "has the load state masked. A masked unit cannot be configured; unmask it first."),
        ("-.mount", "is generated: no file of its own describes it."),
        ("trial-transient.service", "is transient: no file of its own describes it."),
        ("trial-scope.scope", "has the load state not-found."),
    ],
)
def test_units_that_no_drop_in_belongs_to(host: t.Any, unit: str, said: str) -> None:
    assert tried(host, "units")[unit].startswith(f"{unit} {said}")


def test_a_transient_unit_can_be_forced(host: t.Any) -> None:
    assert (tried(host, "units")["forced"], tried(host, "units")["strays"]) == (None, [])


def test_an_alias_is_resolved(host: t.Any) -> None:
    found = tried(host, "alias")
    assert (found["path"], found["verified"]) == (FILE, True)


@pytest.mark.parametrize("which", ["template", "instance"])
def test_templates_and_instances(host: t.Any, which: str) -> None:
    found = tried(host, "template")[which]
    assert (found["error"], found["verified"]) == (None, True)


def test_an_instance_that_hides_its_template_is_told_of(host: t.Any) -> None:
    found = tried(host, "template")
    assert found["shown"] == {"OOMPolicy": "continue", "OOMScoreAdjust": "0"}
    assert "which systemd does not read for trial@one.service any more" in found["instance"]["warnings"][0]


@pytest.mark.parametrize("which", ["slice", "scope", "init"])
def test_slices_and_scopes_have_limits(host: t.Any, which: str) -> None:
    found = tried(host, "slices_and_scopes")[which]
    assert (found["error"], found["verified"]) == (None, True)


def test_the_slice_limits_in_the_kernel(host: t.Any) -> None:
    assert tried(host, "slices_and_scopes")["kernel"] == str(70 * 1024**2)


def test_a_slice_has_no_policy(host: t.Any) -> None:
    assert "OOMPolicy" in tried(host, "slices_and_scopes")["bad slice"]


def test_a_scope_that_does_not_get_what_was_asked_is_as_before(host: t.Any) -> None:
    assert tried(host, "slices_and_scopes")["bad scope"]["error"].endswith("60-bad.conf is as it was before.")


def test_slices_and_scopes_are_left_clean(host: t.Any) -> None:
    assert tried(host, "slices_and_scopes")["strays"] == []


# Cases 36, 37, 39 and 45: what is valid.


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        ("enumeration", "bogus"),
        ("over an old file", "bogus"),
        ("directive", "OOMPolice"),
        ("section", "Servce"),
        ("directive of another section", "OOMPolicy"),
        ("size", "10Q"),
        ("percentage", "120%"),
        ("range", "5000"),
        ("boolean", "maybe"),
        ("time", "soon"),
        ("specifier", "Invalid environment assignment, ignoring: %"),
        ("second command", "more than one ExecStart= setting"),
        ("type", "oneshoot"),
    ],
)
def test_a_mistake_is_refused(host: t.Any, mistake: str, said: str) -> None:
    error = tried(host, "mistakes")[mistake]
    assert error.startswith("systemd does not accept the settings for trial.service (")
    assert said in error


def test_a_directive_of_a_newer_systemd_is_refused(host: t.Any) -> None:
    error = tried(host, "mistakes")["newer systemd"]
    version = VERSIONS[release(host)]
    hint = f"MemoryZSwapWriteback= came with systemd 256; this host has {version}."
    assert error is None if version >= 256 else error.endswith(hint)


def test_mistakes_leave_nothing(host: t.Any) -> None:
    assert tried(host, "mistakes")["files"] is None


def test_a_command_is_replaced_after_a_reset(host: t.Any) -> None:
    found = tried(host, "reset_command")
    assert (found["error"], found["verified"], "sleep 5000" in found["shown"]) == (None, True, True)


def test_every_type_of_directive_is_verified(host: t.Any) -> None:
    found = tried(host, "every_type")["first"]
    assert (found["error"], found["changed"], found["unverified"]) == (None, True, [])


def test_every_type_is_idempotent(host: t.Any) -> None:
    assert tried(host, "every_type")["second"]["changed"] is False


@pytest.mark.parametrize(("run", "required"), [("first", True), ("second", True), ("restarted", False)])
def test_a_restart_is_asked_for_until_it_came(host: t.Any, run: str, required: bool) -> None:
    assert tried(host, "every_type")[run]["restart_required"] is required


def test_what_cannot_be_compared_is_not_taken_for_overridden(host: t.Any) -> None:
    found = tried(host, "not_compared")
    assert (found["error"], found["changed"], found["overridden_by"]) == (None, True, [])


def test_every_type_is_compared(host: t.Any) -> None:
    assert tried(host, "every_type_is_compared") == {"missed": []}


# Case 39: what is in force.


@pytest.mark.parametrize(
    ("way", "winner"),
    [
        ("later", f"{FOLDER}/60-site.conf is read later and wins"),
        ("run", "/run/systemd/system/trial.service.d/70-site.conf is read later and wins"),
        ("set-property", "50-MemoryMax.conf wins, which `systemctl set-property` has written"),
        ("hidden", f"{FILE} is read later and wins"),
    ],
)
def test_the_winner_is_named_and_nothing_is_changed(host: t.Any, way: str, winner: str) -> None:
    error = tried(host, "overridden")[way]["error"]
    assert "Nothing was changed." in error
    assert winner in error


@pytest.mark.parametrize("way", ["later", "run"])
def test_without_verification_the_winner_is_returned(host: t.Any, way: str) -> None:
    found = tried(host, "overridden")[f"{way}, not verified"]
    assert (found["changed"], found["verified"], len(found["overridden_by"])) == (True, False, 1)


@pytest.mark.parametrize("way", ["later", "run"])
def test_what_is_there_and_not_in_force_fails_as_well(host: t.Any, way: str) -> None:
    assert "read later and wins" in tried(host, "overridden")[f"{way}, found"]["error"]


@pytest.mark.parametrize("when", ["live", "later"])
def test_what_set_property_changed_is_mended_where_no_file_says_so(host: t.Any, when: str) -> None:
    found = tried(host, "overridden")[f"set-property, {when}"]
    assert (found["error"], found["changed"], found["verified"]) == (None, True, True)


@pytest.mark.parametrize("when", ["kernel", "kernel, later"])
def test_the_kernel_is_mended_as_well(host: t.Any, when: str) -> None:
    assert tried(host, "overridden")[when] == str(60 * 1024**2)


@pytest.mark.parametrize("state", ["present", "absent"])
def test_a_drop_in_below_run(host: t.Any, state: str) -> None:
    found = tried(host, "runtime")[state]
    path = "/run/systemd/system/trial.service.d/50-oomguard.conf"
    assert (found["error"], found["changed"], found["path"]) == (None, True, path)


@pytest.mark.parametrize(
    ("moment", "values"),
    [
        ("kernel", [str(60 * 1024**2), "77", "1"]),
        ("kernel, mended", [str(60 * 1024**2), "77", "1"]),
        ("kernel, gone", ["max", "0"]),
        ("same process", True),
    ],
)
def test_limits_reach_the_kernel_without_a_restart(host: t.Any, moment: str, values: t.Any) -> None:
    assert tried(host, "limits")[moment] == values


def test_limits_are_idempotent(host: t.Any) -> None:
    assert tried(host, "limits")["again"]["changed"] is False


def test_a_tighter_slice_is_named(host: t.Any) -> None:
    found = tried(host, "parent_slice")
    assert found["limits"]["MemoryMax"]["tightest_cgroup"] == "/trial.slice"
    assert found["warnings"] == [
        "MemoryMax= of trial.service is out of reach: the cgroup /trial.slice above it has the lower limit 52428800."
    ]


def test_traps_are_warned_of(host: t.Any) -> None:
    found = tried(host, "traps")
    assert ["without swap" in found["high"][0], "-999 or more" in found["spared"][0], found["none"]] == [True, True, []]


@pytest.mark.parametrize(("how", "changed"), [("not pinned", False), ("pinned", True)])
def test_a_file_is_written_where_it_is_needed_or_pinned(host: t.Any, how: str, changed: bool) -> None:
    assert tried(host, "pinned")[how]["changed"] is changed


@pytest.mark.parametrize(("when", "policy"), [("unit", "continue"), ("unit, gone", "stop")])
def test_a_default_of_systemd_itself_reaches_units(host: t.Any, when: str, policy: str) -> None:
    assert tried(host, "manager")[when] == policy


def test_a_bad_default_is_taken_back(host: t.Any) -> None:
    found = tried(host, "manager")
    assert (found["again"]["changed"], found["strays"]) == (False, [])
    assert found["bad"].endswith("60-bad.conf is as it was before.")


@pytest.mark.parametrize(
    ("when", "verified"), [("asleep", False), ("awake", True), ("changed", True), ("absent", True)]
)
def test_a_unit_of_a_user(host: t.Any, when: str, verified: bool) -> None:
    found = tried(host, "user")[when]
    assert (found["error"], found["verified"]) == (None, verified)


def test_a_mistake_in_a_unit_of_a_user_is_refused(host: t.Any) -> None:
    assert ("bogus" in tried(host, "user")["bad"], tried(host, "user")["strays"]) == (True, [])


# Cases 38, 41 to 44 and 46 to 48: what is refused, and what is left.


@pytest.mark.parametrize("way", ["refused", "not removed"])
def test_a_foreign_file_is_left_alone(host: t.Any, way: str) -> None:
    error = tried(host, "foreign")[way]["error"]
    assert error.startswith(f"{FILE} was not written by this module.")


def test_a_foreign_file_is_replaced_by_force_and_kept(host: t.Any) -> None:
    found = tried(host, "foreign")
    assert (found["forced"]["verified"], found["backups"], found["text"]) == (True, [found["text"]], found["text"])


@pytest.mark.parametrize("what", ["folder", "file"])
def test_links_are_refused(host: t.Any, what: str) -> None:
    assert "is a symbolic link." in tried(host, "links")[what]


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        ("full", "No space left on device"),
        ("read-only", "Read-only file system"),
        ("immutable", "Operation not permitted"),
        ("absent, read-only", "Read-only file system"),
    ],
)
def test_a_disk_that_refuses_leaves_the_old_file(host: t.Any, trouble: str, said: str) -> None:
    found = tried(host, "no_room")
    text = found[f"text, {trouble.rpartition(', ')[2]}"]
    assert (said in found[trouble]["error"], text.endswith("OOMPolicy=continue\n")) == (True, True)
    assert ".50-oomguard.conf.oomguard" not in found[trouble]["files"]


def test_a_read_only_etc_leaves_run(host: t.Any) -> None:
    found = tried(host, "read_only_etc")
    assert ("Read-only file system" in found["etc"]["error"], found["etc"]["files"]) == (True, None)
    assert found["run"]["verified"] is True


@pytest.mark.parametrize(("way", "said"), [("fails", "Refusing to reload"), ("hangs", "did not end within 0.2 s")])
def test_a_failed_reload_leaves_no_file(host: t.Any, way: str, said: str) -> None:
    found = tried(host, "failed_reload")[way]
    assert (said in found["error"], found["files"]) == (True, None)
    assert found["error"].endswith(f"{FILE} is as it was before.")


def test_both_failures_are_told(host: t.Any) -> None:
    error = tried(host, "failed_reload")["fails twice"]["error"]
    assert (error.count("Refusing to reload"), "To go back failed as well:" in error) == (2, True)


def test_the_old_file_comes_back_and_into_force(host: t.Any) -> None:
    found = tried(host, "failed_reload")
    assert found["text, old"].endswith("OOMPolicy=continue\n")
    assert found["in force"] == {"OOMPolicy": "continue", "NeedDaemonReload": "no", "MemoryMax": "infinity"}


def test_systemd_that_truly_refuses_to_reload(host: t.Any) -> None:
    found = tried(host, "really_failed_reload")
    refused = found["full"]["error"] is not None
    assert refused or found["full"]["verified"]
    assert (found["freed"]["error"], found["freed"]["changed"]) == (None, refused)


@pytest.mark.parametrize("unit", ["alias", "instance", "again"])
def test_an_image_gets_the_file_and_is_told_that_it_is_not_verified(host: t.Any, unit: str) -> None:
    found = tried(host, "not_booted")[unit]
    assert (found["error"], found["verified"], found["unverified"]) == (None, False, ["OOMPolicy"])
    assert found["warnings"][0].startswith("No systemd runs here that has")


def test_an_image_has_aliases(host: t.Any) -> None:
    found = tried(host, "not_booted")
    assert (found["alias"]["path"], found["again"]["changed"], found["absent"]["files"]) == (FILE, False, None)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("bad", "bogus"),
        ("masked", "is masked."),
        ("no unit", "No file of nosuch.service was found"),
        ("runtime", "would not stay. Leave runtime away."),
    ],
)
def test_an_image_is_checked_as_well(host: t.Any, what: str, said: str) -> None:
    assert said in tried(host, "not_booted")[what]


def test_check_mode_tells_and_changes_nothing(host: t.Any) -> None:
    found = tried(host, "check_mode")
    assert (found["present"]["changed"], found["absent"]["changed"], found["untouched"]) == (True, True, True)
    assert (found["present"]["files"], found["absent"]["files"]) == (None, ["50-oomguard.conf"])


@pytest.mark.parametrize(("what", "said"), [("bad", "bogus"), ("overridden", "60-site.conf is read later and wins")])
def test_check_mode_fails_where_the_run_would(host: t.Any, what: str, said: str) -> None:
    assert said in tried(host, "check_mode")[what]


def test_a_killed_run_leaves_a_whole_file_and_is_completed(host: t.Any) -> None:
    assert tried(host, "kills")["problems"] == []


@pytest.mark.parametrize(("way", "changes"), [("new", 4), ("other", 4), ("absent", 3)])
def test_it_was_killed_before_each_of_its_changes(host: t.Any, way: str, changes: int) -> None:
    assert tried(host, "kills")["killed"][way] >= changes


def test_several_runs_at_once_end_as_one(host: t.Any) -> None:
    assert tried(host, "two_at_once") == {
        "ends": [0, 0, 0],
        "shown": {"OOMPolicy": "continue", "MemoryMax": str(60 * 1024**2), "NeedDaemonReload": "no"},
        "files": ["50-a.conf", "60-b.conf"],
    }


@pytest.mark.parametrize(("cut", "policy"), [("cut-before-rename", "kill"), ("cut-before-reload", "continue")])
def test_a_power_cut_leaves_a_whole_file_and_is_completed(host: t.Any, cut: str, policy: str) -> None:
    host.check_output(
        "systemd-run --quiet --unit=cut --working-directory=/opt/dropin-trial"
        f" /usr/bin/python3 -m dropin_trial {cut} && "
        "while systemctl --quiet is-active cut"
        " && ! grep --quiet 'State:.*T' /proc/$(systemctl show --property=MainPID --value cut)/status; "
        "do sleep 0.5; done; systemctl --quiet is-active cut"
    )
    for verb in ("power-cut", "power-on"):
        lab(verb, host.backend.get_hostname())
    found = json.loads(host.check_output("cd /opt/dropin-trial && /usr/bin/python3 -m dropin_trial complete"))
    assert (found["text"].endswith(f"OOMPolicy={policy}\n"), found["shown"]) == (True, policy)
    assert (found["completed"]["verified"], found["completed"]["files"]) == (True, ["50-oomguard.conf"])
    assert found["absent"]["files"] is None


# What the kernel's kill does to a unit; the README of the role says the same.


ENDS = {
    "worker, continue": ("success", []),
    "worker, stop": ("oom-kill", ["always", "on-failure", "on-abnormal"]),
    "worker, kill": ("oom-kill", ["always", "on-failure", "on-abnormal"]),
    "main, continue": ("signal", ["always", "on-failure", "on-abnormal", "on-abort"]),
    "main, stop": ("oom-kill", ["always", "on-failure", "on-abnormal"]),
    "main, kill": ("oom-kill", ["always", "on-failure", "on-abnormal"]),
}


@pytest.mark.parametrize("restart", ["no", "always", "on-failure", "on-abnormal", "on-abort"])
@pytest.mark.parametrize("trial", ENDS)
def test_what_a_policy_makes_of_a_kill(host: t.Any, trial: str, restart: str) -> None:
    result, restarts = ENDS[trial]
    restarted = restart in restarts
    assert tried(host, "policies")[f"{trial}, {restart}"] == {
        "noticed": True,
        "ActiveState": "active" if restarted or result == "success" else "failed",
        "Result": "success" if restarted else result,
        "NRestarts": str(int(restarted)),
    }


@pytest.mark.parametrize(
    ("policy", "active", "result"),
    [("stop", "failed", "oom-kill"), ("continue", "active", "success"), ("kill", "failed", "oom-kill")],
)
def test_what_a_policy_makes_of_apache(host: t.Any, policy: str, active: str, result: str) -> None:
    assert tried(host, "apache")[policy] == {
        "error": None,
        "answers": active == "active",
        "noticed": True,
        "ActiveState": active,
        "Result": result,
        "NRestarts": "0",
    }


def test_apache_answers_after_all(host: t.Any) -> None:
    assert tried(host, "apache")["mended"] is True


def lab(verb: str, name: str) -> None:
    """Cut or restore the power of a machine."""
    project = pathlib.Path(os.environ["MOLECULE_PROJECT_DIRECTORY"])
    folder = pathlib.Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "machines" / name
    environment = {**os.environ, "PYTHONPATH": str(project / "tests/lab")}
    subprocess.run(
        [sys.executable, "-m", "lab", verb, str(folder)], check=True, env=environment, stdout=subprocess.DEVNULL
    )
