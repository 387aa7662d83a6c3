# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limit the memory of the databases (`limit`), let a query grow beyond it (`kill`), or show their units (`show`)."""

import json
import subprocess
import sys
import time
import typing as t

MARIADB = ["mariadb", "--skip-column-names", "--execute"]
POSTGRESQL = ["runuser", "--user=postgres", "--", "psql", "--tuples-only", "--command"]

# Rows that the server keeps in memory
GROW_MARIADB = """
CREATE DATABASE IF NOT EXISTS growth;
USE growth;
SET max_heap_table_size = 4 << 30;
CREATE TEMPORARY TABLE grown (line CHAR(255)) ENGINE=MEMORY;
INSERT INTO grown SELECT REPEAT('x', 255) FROM seq_1_to_10000000;
"""
# An array that the process of the session keeps in memory
GROW_POSTGRESQL = "SELECT array_agg(repeat('x', 10000)) FROM (SELECT generate_series(1, 10000000)) AS numbers"

PROPERTIES = ("ActiveState", "MainPID", "NRestarts", "OOMPolicy", "OOMScoreAdjust", "Restart", "Result")
SETTLED = {"active", "failed"}


def main() -> None:
    """Do what the first argument says."""
    {"limit": limit, "kill": kill, "show": show}[sys.argv[1]]()


def limit() -> None:
    """Set limits that the databases reach quickly."""
    for unit, _client, _query in list_databases():
        run("systemctl", "set-property", unit, "MemoryMax=256M", "MemorySwapMax=0")


def kill() -> None:
    """Let a query grow in each database until the kernel kills it, and wait until the database has settled."""
    for unit, client, query in list_databases():
        before = count_kills(unit)
        subprocess.run([*client, query], check=False)
        wait_until(has_kills, unit, before + 1)
        time.sleep(2)
        wait_until(is_settled, unit)


def show() -> None:
    """Print what systemd says about the units, and whether each database answers, as JSON by kind."""
    shown = {}
    for unit, client, _query in list_databases():
        answer = subprocess.run([*client, "SELECT 1"], check=False, stdout=subprocess.PIPE, text=True).stdout
        shown[unit.partition("@")[0].partition(".")[0]] = {**read(unit), "Unit": unit, "Answer": answer.strip()}

    print(json.dumps(shown))


def list_databases() -> list[tuple[str, list[str], str]]:
    """Return the unit, the client and the query that grows; PostgreSQL's unit is an instance, named by its version."""
    units = run("systemctl", "list-units", "--all", "--plain", "--no-legend", "postgresql@*.service")
    return [
        ("mariadb.service", MARIADB, GROW_MARIADB),
        (units.split()[0], POSTGRESQL, GROW_POSTGRESQL),
    ]


def read(unit: str) -> dict[str, str]:
    """Return what systemd says about a unit."""
    lines = run("systemctl", "show", f"--property={','.join(PROPERTIES)}", unit).splitlines()
    return dict(line.split("=", 1) for line in lines)


def count_kills(unit: str) -> int:
    """Return how often the kernel has killed a process of a unit in this boot."""
    lines = run("journalctl", "--boot", "--output=cat", "_TRANSPORT=kernel").splitlines()
    return sum("oom-kill:" in line and f"/{unit}," in line for line in lines)


def has_kills(unit: str, least: int) -> bool:
    return count_kills(unit) >= least


def is_settled(unit: str) -> bool:
    return read(unit)["ActiveState"] in SETTLED


def wait_until(is_reached: t.Callable[..., bool], *arguments: t.Any) -> None:
    """Wait until a state is reached, for some minutes."""
    for _attempt in range(200):
        if is_reached(*arguments):
            return
        time.sleep(1)
    raise SystemExit("The database does not reach the state.")


def run(*argv: str) -> str:
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main()
