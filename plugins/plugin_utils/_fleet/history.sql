-- Copyright (c) 2026 oomguard contributors
-- GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later

-- The history of a report. Times are in ISO 8601 and UTC, sizes in bytes. NULL is unknown.
-- It can be run at any time: what exists is left as it is.
BEGIN IMMEDIATE;

CREATE TABLE IF NOT EXISTS records (
    -- One row for each time that a host was looked at.
    host TEXT NOT NULL,
    collected_at TEXT NOT NULL,
    standing TEXT NOT NULL, -- down, taken_down, killed, unknown, incomplete, remediated or clean
    ok INTEGER NOT NULL, -- whether the host could be looked at
    complete INTEGER, -- whether everything was searched
    kills INTEGER NOT NULL, -- all that the record counts
    error TEXT,
    PRIMARY KEY (host, collected_at)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS events (
    -- One row for each OOM kill.
    host TEXT NOT NULL,
    id TEXT NOT NULL,
    time TEXT,
    killer TEXT,
    cause TEXT,
    victim TEXT,
    unit TEXT,
    taken_down INTEGER, -- whether the unit went down
    down_seconds REAL,
    rss_bytes INTEGER, -- the memory of the victim in RAM
    swap_bytes INTEGER, -- the memory of the victim in swap
    PRIMARY KEY (host, id)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS settings (
    -- One row for each time that a setting in force was read.
    host TEXT NOT NULL,
    setting TEXT NOT NULL,
    read_at TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (host, setting, read_at)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS changes (
    -- One row for each change that the collection made.
    host TEXT NOT NULL,
    time TEXT NOT NULL, -- empty if unknown
    what TEXT NOT NULL,
    before TEXT,
    after TEXT,
    PRIMARY KEY (host, time, what)
) WITHOUT ROWID;

-- The last time that each host was looked at. (SQLite takes the other columns from the row with the maximum.)
CREATE VIEW IF NOT EXISTS latest AS
SELECT host, max(collected_at) AS collected_at, standing, ok, complete, kills, error
FROM records GROUP BY host;

-- How many hosts stood in which way at the end of each day.
CREATE VIEW IF NOT EXISTS days AS
SELECT substr(collected_at, 1, 10) AS day, standing, count(*) AS hosts
FROM (
    SELECT host, max(collected_at) AS collected_at, standing
    FROM records GROUP BY host, substr(collected_at, 1, 10)
) GROUP BY day, standing;

CREATE VIEW IF NOT EXISTS kills_by_day AS
SELECT substr(time, 1, 10) AS day, count(*) AS kills, sum(taken_down IS 1) AS outages, count(DISTINCT host) AS hosts
FROM events WHERE time IS NOT NULL GROUP BY day;

CREATE VIEW IF NOT EXISTS kills_by_unit AS
SELECT unit, count(*) AS kills, sum(taken_down IS 1) AS outages, sum(down_seconds) AS down_seconds,
    count(DISTINCT host) AS hosts, max(time) AS last
FROM events GROUP BY unit ORDER BY kills DESC;

-- The OOM kills before the first and after the last change of each host.
CREATE VIEW IF NOT EXISTS before_and_after AS
SELECT host, first_change, last_change,
    (SELECT count(*) FROM events WHERE events.host = spans.host AND time < first_change) AS kills_before,
    (SELECT count(*) FROM events WHERE events.host = spans.host AND time > last_change) AS kills_after
FROM (
    SELECT host, min(time) AS first_change, max(time) AS last_change
    FROM changes WHERE time <> '' GROUP BY host
) AS spans;

-- The settings whose newest value is not the one before.
CREATE VIEW IF NOT EXISTS drift AS
SELECT host, setting, before, value AS after, read_at
FROM (
    SELECT host, setting, value, read_at,
        lag(value) OVER (PARTITION BY host, setting ORDER BY read_at) AS before,
        row_number() OVER (PARTITION BY host, setting ORDER BY read_at DESC) AS age
    FROM settings
) WHERE age = 1 AND before <> value;

PRAGMA user_version = 1;

COMMIT;
