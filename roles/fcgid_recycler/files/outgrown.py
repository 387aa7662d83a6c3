# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A memory limit for a FastCGI program that ends by itself."""

import os
import re


def outgrown(limit: int) -> bool:
    """Return whether this process has ever held more than `limit` bytes; if so, Apache sends it no further request.

    Call it after the answer is written and before the request is finished. If it returns True, finish the request and
    end the program. It closes the socket that mod_fcgid passes as standard input. The current request has its own
    connection.
    """
    with open("/proc/self/status", encoding="utf-8", errors="replace") as status:
        peak = re.search(r"^VmHWM:\s+(\d+) kB", status.read(), re.MULTILINE)
    if peak is None or int(peak.group(1)) * 1024 <= limit:
        return False
    os.close(0)
    return True
