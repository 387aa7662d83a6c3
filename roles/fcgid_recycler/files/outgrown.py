# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For a FastCGI program that ends by itself before it grows too large."""

import os
import re


def outgrown(limit: int) -> bool:
    """Tell whether this process has ever held more than `limit` bytes, and if so, have Apache send it no other request.

    Call it when the answer is written and the request not yet finished; if it says so, finish the request and end. It
    closes the socket that mod_fcgid has handed over as standard input. The request in hand has a connection of its own.
    """
    with open("/proc/self/status", encoding="utf-8", errors="replace") as status:
        peak = re.search(r"^VmHWM:\s+(\d+) kB", status.read(), re.MULTILINE)
    if peak is None or int(peak.group(1)) * 1024 <= limit:
        return False
    os.close(0)
    return True
