# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real Debian machines for the tests. A machine is a folder.

* cli.py has the verbs of the command line, and __main__.py runs them.
* machine.py creates, boots, stops and removes machines.
* image.py finds or builds the images, from releases.py (the packages) and layer.py (the files that the lab adds).
* accel.py chooses KVM or emulation.
* qemu.py builds QEMU's command line, and process.py finds and kills its process.
* host.py runs programs on the host and checks its requirements.
* interrupts.py delays Ctrl-C and SIGTERM where they would leave something half done.
* errors.py has the one exception.
"""
