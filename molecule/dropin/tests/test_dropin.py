# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drop-ins on real versions of systemd, in every way that can go wrong, and the effect of OOM kills on units."""

from __future__ import annotations

import functools
import re
import typing as t

import pytest
from scenario.modules import run_module
from scenario.power import cut_power_and_boot
from scenario.trials import run_trial

testinfra_hosts = ["ansible://all"]

VERSIONS = {"bullseye": 247, "bookworm": 252, "trixie": 257}
FOLDER = "/etc/systemd/system/trial.service.d"
FILE = f"{FOLDER}/50-oomguard.conf"


def release(host: t.Any) -> str:
    """Return the Debian release of a host, which is the last part of its name."""
    return str(host.backend.get_hostname()).rpartition("-")[2]


def show_property(host: t.Any, unit: str, name: str) -> str:
    """Return a property of a unit."""
    return str(host.check_output(f"systemctl show --property={name} --value -- {unit}"))


@functools.cache
def boot(host: t.Any) -> dict[str, t.Any]:
    """Set drop-ins of every type, boot the host, and return what became `set` before and what is found `after`."""
    outcome = {"set": run_trial(host, "dropin_trial", "set-before-boot")}
    cut_power_and_boot(host)
    # The unit of the role is not enabled.
    host.check_output("systemctl start trial.service")
    outcome["after"] = run_trial(host, "dropin_trial", "check-after-boot")
    return outcome


@functools.cache
def run_case(host: t.Any, case: str) -> dict[str, t.Any]:
    """Run one case of dropin_trial, once on each host, and return its outcome."""
    return dict(run_trial(host, "dropin_trial", "run", case)[case])


# The converged role.


def test_role_runs_one_module_for_each_unit_of_a_converged_host(host: t.Any) -> None:
    # Ansible's modules log their arguments in the journal. The last ones are those of the idempotence check.
    lines = host.check_output("journalctl --quiet --output=cat --grep='^Invoked with '").splitlines()
    invoked = [re.findall(r"\bunit=(\S+)", line) for line in lines[-4:]]
    assert invoked == [["apache2.service"], ["trial.service"], ["trial-dead.service"], ["system.conf"]]


ROLE = {
    "OOMPolicy": "continue",
    "OOMScoreAdjust": "-300",
    "MemoryMax": "209715200",
    "MemorySwapMax": "infinity",
    "Restart": "on-abort",
    "ActiveState": "active",
}


@pytest.mark.parametrize(("name", "value"), ROLE.items())
def test_role_sets_properties_of_unit(host: t.Any, name: str, value: str) -> None:
    assert show_property(host, "trial.service", name) == value


def test_role_sets_memory_limit_in_kernel(host: t.Any) -> None:
    assert host.file("/sys/fs/cgroup/trial.slice/trial.service/memory.max").content_string == "209715200\n"


def test_role_restarts_unit_to_apply_score(host: t.Any) -> None:
    pid = show_property(host, "trial.service", "MainPID")
    assert host.file(f"/proc/{pid}/oom_score_adj").content_string == "-300\n"


def test_role_writes_no_policy_that_unit_already_has(host: t.Any) -> None:
    exists = host.file("/etc/systemd/system/apache2.service.d/50-oomguard.conf").exists
    assert (show_property(host, "apache2.service", "OOMPolicy"), exists) == ("continue", release(host) == "bullseye")


def test_role_sets_default_of_all_units(host: t.Any) -> None:
    assert show_property(host, "ssh.service", "OOMPolicy") == "continue"


@pytest.mark.parametrize(("name", "value"), [("ActiveState", "active"), ("Restart", "on-failure")])
def test_role_starts_unit_that_stayed_down(host: t.Any, name: str, value: str) -> None:
    assert show_property(host, "trial-dead.service", name) == value


def test_unit_comes_back_after_the_next_kill(host: t.Any) -> None:
    killed = int(show_property(host, "trial-dead.service", "NRestarts"))
    host.check_output("rm /run/trial-dead.service && systemctl restart trial-dead.service && sleep 15")
    found = [show_property(host, "trial-dead.service", name) for name in ("ActiveState", "Result", "NRestarts")]
    assert found == ["active", "success", str(killed + 1)]


LASTING = ["service.d", "slice.d", "scope.d", "user-.slice", "session-.scope", "last.slice", "last.service"]
LASTING += ["last@.service", "pre-.service", "last-init.service", "last.socket", "-.mount", "user.conf"]


@pytest.mark.parametrize("unit", LASTING)
def test_dropin_is_in_force_after_boot(host: t.Any, unit: str) -> None:
    before, after = boot(host)["set"][unit], boot(host)["after"][unit]
    assert (before["error"], before["changed"], before["verified"]) == (None, True, True)
    assert (after["error"], after["changed"], after["verified"]) == (None, False, True)


@pytest.mark.parametrize("unit", LASTING[:10])
def test_kernel_has_limit_after_boot(host: t.Any, unit: str) -> None:
    before, after = boot(host)["set"][unit], boot(host)["after"][unit]
    assert (after["limit"] in before["kernel"], after["kernel"]) == (False, [after["limit"]])


def test_dropins_are_removed_after_boot(host: t.Any) -> None:
    after = boot(host)["after"]
    assert (set(after["absent"]), after["strays"]) == ({None}, [])


def test_settings_of_role_are_in_force_after_boot(host: t.Any) -> None:
    boot(host)
    assert {name: show_property(host, "trial.service", name) for name in ROLE} == ROLE
    assert host.file("/sys/fs/cgroup/trial.slice/trial.service/memory.max").content_string == "209715200\n"


@pytest.mark.parametrize("unit", ["apache2.service", "ssh.service"])
def test_policy_is_in_force_after_boot(host: t.Any, unit: str) -> None:
    boot(host)
    assert show_property(host, unit, "OOMPolicy") == "continue"


def test_absent_removes_files_of_role(host: t.Any) -> None:
    for unit in ("trial.service", "system.conf"):
        run_module(host, "systemd_dropin", unit=unit, name="40-role", state="absent")
    left = host.run("ls /etc/systemd/system.conf.d /etc/systemd/system/trial.service.d").stdout
    assert (left, show_property(host, "ssh.service", "OOMPolicy")) == ("", "stop")


# Which units can have a drop-in.


@pytest.mark.parametrize(
    ("unit", "reason"),
    [
        ("nosuch.service", "has the load state not-found. Check the name of the unit, and that the package"),
        ("trial-masked.service", "has the load state masked. A masked unit cannot be configured; unmask it first."),
        ("trial-transient.service", "is transient: it has no unit file of its own."),
        ("trial-scope.scope", "has the load state not-found."),
    ],
)
def test_unit_that_can_have_no_dropin_is_refused(host: t.Any, unit: str, reason: str) -> None:
    assert run_case(host, "units")[unit].startswith(f"{unit} {reason}")


def test_transient_unit_is_accepted_with_force(host: t.Any) -> None:
    assert (run_case(host, "units")["forced"], run_case(host, "units")["strays"]) == (None, [])


@pytest.mark.parametrize("which", ["init script", "mount"])
def test_generated_unit_is_verified(host: t.Any, which: str) -> None:
    found = run_case(host, "generated")[which]
    assert (found["error"], found["changed"], found["verified"]) == (None, True, True)


def test_dropin_of_generated_unit_lasts(host: t.Any) -> None:
    found = run_case(host, "generated")
    assert found["fragment"] == "/run/systemd/generator.late/trial-init.service"
    assert found["init script"]["path"] == "/etc/systemd/system/trial-init.service.d/50-oomguard.conf"
    assert (found["again"]["changed"], found["strays"]) == (False, [])


def test_service_without_process_is_refused_with_its_parts(host: t.Any) -> None:
    assert run_case(host, "empty")["refused"] == (
        "trial-parent.service runs no process, so the settings would have no effect. These units are part of it:"
        " trial-part@one.service. Nothing was changed. Configure those units, or use force."
    )


def test_service_without_process_is_accepted_with_force(host: t.Any) -> None:
    found = run_case(host, "empty")
    assert found["forced"]["warnings"] == [
        "trial-parent.service runs no process now. The settings have no effect until it does."
    ]
    assert (found["forced"]["verified"], found["part"]["verified"]) == (True, True)


def test_environment_does_not_matter(host: t.Any) -> None:
    found = run_case(host, "environment")
    assert (found["error"], found["verified"]) == (None, True)


# Drop-ins that several units share.


@pytest.mark.parametrize("unit", ["service.d", "slice.d", "scope.d"])
def test_dropin_of_a_type_is_verified(host: t.Any, unit: str) -> None:
    found = run_case(host, "types")[unit]
    assert (found["error"], found["changed"], found["verified"]) == (None, True, True)
    assert found["path"] == f"/etc/systemd/system/{unit}/50-oomguard.conf"


def test_dropins_of_types_reach_the_kernel_once_and_leave_nothing(host: t.Any) -> None:
    found = run_case(host, "types")
    assert (found["kernel"], found["again"]) == ("5000", [False, False, False])
    assert (found["absent"], found["strays"]) == ([None, None, None], [])


def test_mistake_in_dropin_of_a_type_is_refused(host: t.Any) -> None:
    error = run_case(host, "types")["bad"]
    assert error.startswith("systemd does not accept the settings for service.d (")
    assert "many" in error


@pytest.mark.parametrize("unit", ["user-.slice", "session-.scope"])
def test_dropin_of_all_users_is_verified(host: t.Any, unit: str) -> None:
    found = run_case(host, "users")[unit]
    assert (found["error"], found["changed"], found["verified"]) == (None, True, True)


def test_limit_of_all_users_reaches_the_kernel(host: t.Any) -> None:
    found = run_case(host, "users")
    assert (found["kernel"], found["absent"], found["strays"]) == (str(400 * 1024**2), [None, None], [])


@pytest.mark.parametrize(
    ("run", "changed", "verified"), [("check mode", True, False), ("set", True, True), ("again", False, True)]
)
def test_dropin_of_a_prefix_is_verified(host: t.Any, run: str, changed: bool, verified: bool) -> None:
    found = run_case(host, "prefix")[run]
    assert (found["error"], found["changed"], found["verified"]) == (None, changed, verified)


def test_limit_of_a_prefix_reaches_the_kernel(host: t.Any) -> None:
    found = run_case(host, "prefix")
    assert (found["kernel"], found["set"]["restart_required"]) == ([str(70 * 1024**2)] * 2, False)


def test_mistake_in_dropin_of_a_prefix_is_refused(host: t.Any) -> None:
    assert "7Q" in run_case(host, "prefix")["bad"]


def test_unit_that_overrides_dropin_of_a_prefix_is_named(host: t.Any) -> None:
    found = run_case(host, "prefix")["exception"]
    assert (found["error"], found["verified"]) == (None, True)
    assert "is not in force for 1 of 2 units (trial-pre-two.service)." in found["warnings"][0]


def test_dropin_of_a_prefix_that_a_unit_hides_is_named(host: t.Any) -> None:
    warning = run_case(host, "prefix")["hidden"][0]
    assert "hides /etc/systemd/system/trial-pre-.service.d/50-oomguard.conf: systemd no longer reads that" in warning


def test_dropin_of_a_prefix_without_units_is_not_verified(host: t.Any) -> None:
    found = run_case(host, "prefix")
    assert (found["without units"]["verified"], found["absent"]["error"], found["strays"]) == (False, None, [])
    assert found["without units"]["warnings"][0].startswith("systemd has loaded no unit to which drop-ins of ")


@pytest.mark.parametrize(
    ("run", "changed", "verified"), [("check mode", True, False), ("set", True, True), ("again", False, True)]
)
def test_default_of_all_users_is_verified(host: t.Any, run: str, changed: bool, verified: bool) -> None:
    found = run_case(host, "user_managers")[run]
    assert (found["error"], found["changed"], found["verified"]) == (None, changed, verified)


def test_default_of_all_users_reaches_the_systemd_of_each(host: t.Any) -> None:
    found = run_case(host, "user_managers")
    assert (found["shown"], found["shown, removed"]) == (["continue"] * 2, ["stop"] * 2)


def test_bad_default_of_all_users_is_refused(host: t.Any) -> None:
    error = run_case(host, "user_managers")["bad"]
    assert error.startswith("systemd does not accept DefaultOOMPolicy=bogus in user.conf. Nothing was changed.")


def test_alias_is_resolved(host: t.Any) -> None:
    found = run_case(host, "alias")
    assert (found["path"], found["verified"]) == (FILE, True)


@pytest.mark.parametrize("which", ["template", "instance"])
def test_template_and_instance_are_verified(host: t.Any, which: str) -> None:
    found = run_case(host, "template")[which]
    assert (found["error"], found["verified"]) == (None, True)


def test_instance_that_hides_its_template_causes_warning(host: t.Any) -> None:
    found = run_case(host, "template")
    assert found["shown"] == {"OOMPolicy": "continue", "OOMScoreAdjust": "0"}
    assert "systemd no longer reads that file for trial@one.service" in found["instance"]["warnings"][0]


@pytest.mark.parametrize("which", ["slice", "scope", "init"])
def test_limits_of_slices_and_scopes_are_verified(host: t.Any, which: str) -> None:
    found = run_case(host, "slices_and_scopes")[which]
    assert (found["error"], found["verified"]) == (None, True)


def test_limit_of_slice_reaches_kernel(host: t.Any) -> None:
    assert run_case(host, "slices_and_scopes")["kernel"] == str(70 * 1024**2)


def test_policy_of_slice_is_refused(host: t.Any) -> None:
    assert "OOMPolicy" in run_case(host, "slices_and_scopes")["bad slice"]


def test_mistake_in_limit_of_scope_is_refused(host: t.Any) -> None:
    error = run_case(host, "slices_and_scopes")["bad scope"]["error"]
    assert error.startswith("systemd does not accept the settings for trial-scope.scope (")
    assert "7Q" in error


def test_absent_removes_files_of_slices_and_scopes(host: t.Any) -> None:
    assert run_case(host, "slices_and_scopes")["strays"] == []


# Which settings are valid.


@pytest.mark.parametrize(
    ("mistake", "reason"),
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
def test_mistake_is_refused(host: t.Any, mistake: str, reason: str) -> None:
    error = run_case(host, "mistakes")[mistake]
    assert error.startswith("systemd does not accept the settings for trial.service (")
    assert reason in error


def test_directive_of_newer_systemd_is_refused(host: t.Any) -> None:
    error = run_case(host, "mistakes")["newer systemd"]
    version = VERSIONS[release(host)]
    hint = f"MemoryZSwapWriteback= requires systemd 256; this host has {version}."
    assert error is None if version >= 256 else error.endswith(hint)


def test_mistakes_leave_no_file(host: t.Any) -> None:
    assert run_case(host, "mistakes")["files"] is None


def test_command_is_replaced_after_reset(host: t.Any) -> None:
    found = run_case(host, "reset_command")
    assert (found["error"], found["verified"], "sleep 5000" in found["shown"]) == (None, True, True)


def test_every_type_of_directive_is_verified(host: t.Any) -> None:
    found = run_case(host, "every_type")["first"]
    assert (found["error"], found["changed"], found["unverified"]) == (None, True, [])


def test_unusual_values_are_accepted_or_refused_by_systemd(host: t.Any) -> None:
    found = run_case(host, "unusual")
    refusal = "systemd does not accept the settings for trial.service ("
    refused = [name for name, (error, _overrides) in found.items() if error and error.startswith(refusal)]
    accepted = [name for name, ended in found.items() if ended == [None, []]]
    assert sorted([*refused, *accepted]) == sorted(found)
    assert {"LimitNICE=+abc", "LimitNICE=-"} <= set(refused)
    assert {"MemoryMax=1G 512M", "RestartSec=.5", "RestartSec=1.5us", "OOMScoreAdjust=+5"} <= set(accepted)


def test_every_type_is_idempotent(host: t.Any) -> None:
    assert run_case(host, "every_type")["second"]["changed"] is False


@pytest.mark.parametrize(("run", "required"), [("first", True), ("second", True), ("restarted", False)])
def test_restart_is_required_until_unit_has_restarted(host: t.Any, run: str, required: bool) -> None:
    assert run_case(host, "every_type")[run]["restart_required"] is required


def test_values_that_cannot_be_compared_are_not_reported_as_overridden(host: t.Any) -> None:
    found = run_case(host, "not_compared")
    assert (found["error"], found["changed"], found["overridden_by"]) == (None, True, [])


def test_every_type_is_compared(host: t.Any) -> None:
    assert run_case(host, "every_type_is_compared") == {"missed": []}


# Which value is in force.


@pytest.mark.parametrize(
    ("way", "winner"),
    [
        ("later", f"{FOLDER}/60-site.conf is read later and overrides it"),
        ("run", "/run/systemd/system/trial.service.d/70-site.conf is read later and overrides it"),
        ("set-property", "50-MemoryMax.conf, which `systemctl set-property` wrote, overrides it"),
        ("hidden", f"{FILE} is read later and overrides it"),
    ],
)
def test_error_names_overriding_file_and_nothing_is_changed(host: t.Any, way: str, winner: str) -> None:
    error = run_case(host, "overridden")[way]["error"]
    assert "Nothing was changed." in error
    assert winner in error


@pytest.mark.parametrize("way", ["later", "run"])
def test_overriding_file_is_returned_without_verification(host: t.Any, way: str) -> None:
    found = run_case(host, "overridden")[f"{way}, not verified"]
    assert (found["changed"], found["verified"], len(found["overridden_by"])) == (True, False, 1)


@pytest.mark.parametrize("way", ["later", "run"])
def test_existing_dropin_that_is_not_in_force_is_an_error(host: t.Any, way: str) -> None:
    assert "read later and overrides it" in run_case(host, "overridden")[f"{way}, found"]["error"]


@pytest.mark.parametrize("when", ["live", "later"])
def test_value_of_set_property_without_a_file_is_repaired(host: t.Any, when: str) -> None:
    found = run_case(host, "overridden")[f"set-property, {when}"]
    assert (found["error"], found["changed"], found["verified"]) == (None, True, True)


@pytest.mark.parametrize("when", ["kernel", "kernel, later"])
def test_limit_of_kernel_is_repaired(host: t.Any, when: str) -> None:
    assert run_case(host, "overridden")[when] == str(60 * 1024**2)


@pytest.mark.parametrize("state", ["present", "absent"])
def test_runtime_dropin_is_written_below_run(host: t.Any, state: str) -> None:
    found = run_case(host, "runtime")[state]
    path = "/run/systemd/system/trial.service.d/50-oomguard.conf"
    assert (found["error"], found["changed"], found["path"]) == (None, True, path)


@pytest.mark.parametrize(
    ("moment", "values"),
    [
        ("kernel", [str(60 * 1024**2), "77", "1"]),
        ("kernel, repaired", [str(60 * 1024**2), "77", "1"]),
        ("kernel, removed", ["max", "0"]),
        ("same process", True),
    ],
)
def test_limits_reach_kernel_without_restart(host: t.Any, moment: str, values: t.Any) -> None:
    assert run_case(host, "limits")[moment] == values


def test_limits_are_idempotent(host: t.Any) -> None:
    assert run_case(host, "limits")["again"]["changed"] is False


def test_tighter_limit_of_slice_causes_warning(host: t.Any) -> None:
    found = run_case(host, "parent_slice")
    assert found["limits"]["MemoryMax"]["tightest_cgroup"] == "/trial.slice"
    assert found["warnings"] == [
        "MemoryMax= of trial.service cannot be reached: the cgroup /trial.slice above it has the lower limit 52428800."
    ]


def test_traps_cause_warnings(host: t.Any) -> None:
    found = run_case(host, "traps")
    assert ["without swap" in found["high"][0], "-999 or more" in found["spared"][0], found["none"]] == [True, True, []]


@pytest.mark.parametrize(("how", "changed"), [("not pinned", False), ("pinned", True)])
def test_file_is_written_for_value_already_in_force_only_if_pinned(host: t.Any, how: str, changed: bool) -> None:
    assert run_case(host, "pinned")[how]["changed"] is changed


@pytest.mark.parametrize(("when", "policy"), [("unit", "continue"), ("unit, removed", "stop")])
def test_default_of_manager_reaches_units(host: t.Any, when: str, policy: str) -> None:
    assert run_case(host, "manager")[when] == policy


def test_bad_default_of_manager_is_refused(host: t.Any) -> None:
    found = run_case(host, "manager")
    assert (found["again"]["changed"], found["strays"]) == (False, [])
    assert found["bad"].startswith(
        "systemd does not accept DefaultOOMPolicy=bogus in system.conf. Nothing was changed."
    )


@pytest.mark.parametrize(
    ("when", "verified"), [("stopped", False), ("started", True), ("changed", True), ("absent", True)]
)
def test_unit_of_user_is_verified_if_its_systemd_runs(host: t.Any, when: str, verified: bool) -> None:
    found = run_case(host, "user")[when]
    assert (found["error"], found["verified"]) == (None, verified)


def test_mistake_in_unit_of_user_is_refused(host: t.Any) -> None:
    assert ("bogus" in run_case(host, "user")["bad"], run_case(host, "user")["strays"]) == (True, [])


# Which drop-ins are refused or fail, and what they leave.


@pytest.mark.parametrize("way", ["refused", "not removed"])
def test_foreign_file_is_left_alone(host: t.Any, way: str) -> None:
    error = run_case(host, "foreign")[way]["error"]
    assert error.startswith(f"{FILE} was not written by this module.")


def test_force_replaces_foreign_file_and_keeps_a_copy(host: t.Any) -> None:
    found = run_case(host, "foreign")
    assert (found["forced"]["verified"], found["backups"], found["text"]) == (True, [found["text"]], found["text"])


@pytest.mark.parametrize("what", ["folder", "file"])
def test_links_are_refused(host: t.Any, what: str) -> None:
    assert "is a symbolic link." in run_case(host, "links")[what]


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        ("full", f"the filesystem of {FOLDER} is full"),
        ("read-only", f"{FOLDER} is on a read-only filesystem"),
        ("immutable", f"{FILE} is immutable"),
        ("append-only", f"{FOLDER} is append-only"),
        ("absent, read-only", f"{FOLDER} is on a read-only filesystem"),
    ],
)
def test_disk_error_leaves_old_file(host: t.Any, trouble: str, reason: str) -> None:
    found = run_case(host, "no_room")
    text = found[f"text, {trouble.rpartition(', ')[2]}"]
    assert (reason in found[trouble]["error"], text.endswith("OOMPolicy=continue\n")) == (True, True)
    assert ".50-oomguard.conf.oomguard" not in found[trouble]["files"]


@pytest.mark.parametrize("trouble", ["full", "read-only", "immutable", "append-only"])
def test_check_mode_fails_as_the_run_does(host: t.Any, trouble: str) -> None:
    found = run_case(host, "no_room")
    assert found[f"{trouble}, check mode"]["error"] == found[trouble]["error"]


def test_check_mode_fails_when_etc_is_read_only(host: t.Any) -> None:
    found = run_case(host, "read_only_etc")
    assert found["check mode"]["error"] == found["etc"]["error"]


def test_run_is_writable_when_etc_is_read_only(host: t.Any) -> None:
    found = run_case(host, "read_only_etc")
    assert ("is on a read-only filesystem" in found["etc"]["error"], found["etc"]["files"]) == (True, None)
    assert found["run"]["verified"] is True


@pytest.mark.parametrize(("way", "reason"), [("fails", "Refusing to reload"), ("hangs", "did not end within 0.2 s")])
def test_failed_reload_leaves_no_file(host: t.Any, way: str, reason: str) -> None:
    found = run_case(host, "failed_reload")[way]
    assert (reason in found["error"], found["files"]) == (True, None)
    assert found["error"].endswith(f"{FILE} is as it was before.")


def test_error_reports_both_failed_reloads(host: t.Any) -> None:
    error = run_case(host, "failed_reload")["fails twice"]["error"]
    assert (error.count("Refusing to reload"), "Restoring the old state failed as well:" in error) == (2, True)


def test_failed_reload_restores_old_file_and_its_values(host: t.Any) -> None:
    found = run_case(host, "failed_reload")
    assert found["text, old"].endswith("OOMPolicy=continue\n")
    assert found["in force"] == {"OOMPolicy": "continue", "NeedDaemonReload": "no", "MemoryMax": "infinity"}


def test_dropin_is_applied_after_systemd_has_refused_to_reload(host: t.Any) -> None:
    found = run_case(host, "really_failed_reload")
    refused = found["full"]["error"] is not None
    assert refused or found["full"]["verified"]
    assert (found["freed"]["error"], found["freed"]["changed"]) == (None, refused)


@pytest.mark.parametrize("unit", ["alias", "instance", "again"])
def test_dropin_in_image_is_written_but_not_verified(host: t.Any, unit: str) -> None:
    found = run_case(host, "not_booted")[unit]
    assert (found["error"], found["verified"], found["unverified"]) == (None, False, ["OOMPolicy"])
    assert re.match(r"The systemd instance of trial\S*\.service does not run, so ", found["warnings"][0])


def test_alias_in_image_is_resolved(host: t.Any) -> None:
    found = run_case(host, "not_booted")
    assert (found["alias"]["path"], found["again"]["changed"], found["absent"]["files"]) == (FILE, False, None)


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("bad", "bogus"),
        ("masked", "is masked."),
        ("no unit", "There is no unit file of nosuch.service"),
        ("runtime", "would not last. Omit runtime."),
    ],
)
def test_bad_dropin_in_image_is_refused(host: t.Any, what: str, reason: str) -> None:
    assert reason in run_case(host, "not_booted")[what]


def test_check_mode_reports_change_and_changes_nothing(host: t.Any) -> None:
    found = run_case(host, "check_mode")
    assert (found["present"]["changed"], found["absent"]["changed"], found["untouched"]) == (True, True, True)
    assert (found["present"]["files"], found["absent"]["files"]) == (None, ["50-oomguard.conf"])


def test_check_mode_returns_what_would_be_in_force(host: t.Any) -> None:
    found = run_case(host, "check_mode")["present"]
    assert (found["effective"], found["overridden_by"]) == ({"Service": {"OOMPolicy": "continue"}}, [])


@pytest.mark.parametrize(
    ("what", "reason"), [("bad", "bogus"), ("overridden", "60-site.conf is read later and overrides it")]
)
def test_check_mode_fails_if_the_run_would_fail(host: t.Any, what: str, reason: str) -> None:
    assert reason in run_case(host, "check_mode")[what]


def test_next_run_completes_killed_run(host: t.Any) -> None:
    assert run_case(host, "kills")["problems"] == []


@pytest.mark.parametrize(("way", "changes"), [("new", 4), ("other", 4), ("absent", 3)])
def test_run_was_killed_before_each_of_its_changes(host: t.Any, way: str, changes: int) -> None:
    assert run_case(host, "kills")["killed"][way] >= changes


def test_simultaneous_runs_all_succeed(host: t.Any) -> None:
    assert run_case(host, "two_at_once") == {
        "ends": [0, 0, 0],
        "shown": {"OOMPolicy": "continue", "MemoryMax": str(60 * 1024**2), "NeedDaemonReload": "no"},
        "files": ["50-a.conf", "60-b.conf"],
    }


@pytest.mark.parametrize(("cut", "policy"), [("cut-before-rename", "kill"), ("cut-before-reload", "continue")])
def test_next_run_completes_change_after_power_cut(host: t.Any, cut: str, policy: str) -> None:
    host.check_output(
        "systemd-run --quiet --unit=cut --working-directory=/opt/dropin_trial"
        f" /usr/bin/python3 -m dropin_trial {cut} && "
        "while systemctl --quiet is-active cut"
        " && ! grep --quiet 'State:.*T' /proc/$(systemctl show --property=MainPID --value cut)/status; "
        "do sleep 0.5; done; systemctl --quiet is-active cut"
    )
    cut_power_and_boot(host)
    found = run_trial(host, "dropin_trial", "complete")
    assert (found["text"].endswith(f"OOMPolicy={policy}\n"), found["shown"]) == (True, policy)
    assert (found["completed"]["verified"], found["completed"]["files"]) == (True, ["50-oomguard.conf"])
    assert found["absent"]["files"] is None


# The effect of a kernel OOM kill on a unit. The README of the role documents the same.


# The Result= of a unit that is not restarted, and the values of Restart= that restart it.
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
def test_effect_of_kill_depends_on_policy_and_restart(host: t.Any, trial: str, restart: str) -> None:
    result, restarts = ENDS[trial]
    restarted = restart in restarts
    assert run_case(host, "policies")[f"{trial}, {restart}"] == {
        "noticed": True,
        "ActiveState": "active" if restarted or result == "success" else "failed",
        "Result": "success" if restarted else result,
        "NRestarts": str(int(restarted)),
    }


@pytest.mark.parametrize(
    ("policy", "active", "result"),
    [("stop", "failed", "oom-kill"), ("continue", "active", "success"), ("kill", "failed", "oom-kill")],
)
def test_effect_of_kill_on_apache_depends_on_policy(host: t.Any, policy: str, active: str, result: str) -> None:
    assert run_case(host, "apache")[policy] == {
        "error": None,
        "answers": active == "active",
        "noticed": True,
        "ActiveState": active,
        "Result": result,
        "NRestarts": "0",
    }


def test_apache_answers_without_the_limit(host: t.Any) -> None:
    assert run_case(host, "apache")["recovered"] is True
