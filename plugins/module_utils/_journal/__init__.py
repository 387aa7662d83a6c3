# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the systemd journal, and say what could not be read.

    request.py       what a caller requests: a part of the journal (Request), and records in it (Search)
    window.py        the requested part: its extent and gaps (Extent), and the search in it (Window)
    start.py         where the requested part begins
    selection.py     which files and times a search has to read, in how many runs of journalctl
    surroundings.py  the records around known records, and those after a time
    journal.py       one journal, whether libsystemd or journalctl answers (Journal)
    journalctl.py    run journalctl, and read the records that it prints
    complaints.py    what journalctl says on standard error: whether it failed, and what it could not read
    reader.py        a child process that reads with libsystemd
    libsystemd.py    journal files, read with libsystemd
    record.py        a journal entry
    walk.py          a question about some entries, which both libsystemd and journalctl answer
    contents.py      the boots and files of a journal
    files.py         where the files of a journal are, and which journal is meant (Place)
    order.py         the order in which entries were written, and where the clock was set back
    times.py         times as systemd writes them

A caller opens a `Journal` and passes it with a `Request` to `find_window()`, which returns a `Window`. `Window.find()`
yields the records that a search finds. `around()` and `after()` read more records near those. `Journal.notes`,
`Journal.unparsed` and `Extent.gaps` say afterwards what may have been missed.

The files form layers, and each imports only from those below it: window; start, selection, surroundings; journal;
journalctl, reader; libsystemd, order, complaints; request, walk, contents, files, record, times.
"""
