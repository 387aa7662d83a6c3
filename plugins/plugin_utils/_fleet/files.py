# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replace files on the control node while other programs read them."""

from __future__ import annotations

import os
import pathlib
import tempfile


def replace_file(path: pathlib.Path, text: str, *, mode: int = 0o600) -> None:
    """Write a file so that other programs see the old or the new one, never a part.

    That holds even if two runs write it at once, or if the machine loses power. The name of the temporary file begins
    with a dot and has another suffix. Raises OSError.
    """
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(descriptor, mode)
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
