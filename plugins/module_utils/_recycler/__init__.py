# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recycler: the service that retires workers of mod_fcgid that have outgrown their limit, and its installation.

On the host, the service takes this way each time it checks the workers:

    settings.py   its settings, checked, and the configuration file that holds them
    service.py    find the workers, decide, drain or signal them, log
    policy.py     which workers to drain or retire, and when
    messages.py   the formats of the journal, systemd and node_exporter, and the sockets that accept them

The module installs it:

    checks.py     what the host must have for these settings
    files.py      the unit, and the code of the service as one archive
    install.py    what is wanted, the state of the host, the plan between them, and the adapter that carries it out
    change.py     the installation, in the steps of `_change.bring`
    result.py     the result of the module

files.py lists the modules that it packs into the archive. They may import only one another and Python's own.
"""
