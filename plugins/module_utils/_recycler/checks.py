# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the host must have for the settings of the recycler."""

from __future__ import annotations

import pathlib

from .._fcgid.status_fetch import check_status_url
from .settings import RecyclerError, Settings


def check_host(settings: Settings) -> None:
    """Raise RecyclerError or WorkerError if the recycler could not use its page or its metrics file on this host."""
    if settings.status_url:
        check_status_url(settings.status_url)
    if settings.metrics_file:
        _check_metrics_file(pathlib.Path(settings.metrics_file))


def _check_metrics_file(path: pathlib.Path) -> None:
    if path.suffix != ".prom" or not path.parent.is_dir():
        raise RecyclerError(
            f"Metrics cannot be written to {path}.", hint="Use a name that ends in .prom, in a directory that exists."
        )
