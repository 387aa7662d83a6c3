# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The compressed swap area zram0, as systemd's zram-generator sets it up.

            observe            plan                 apply                  verify
    host --------------> State -----> Plan, Steps -------> systemd, host ----------> plan again: no steps remain
                                ^
    parameters ------> Wanted --+

* model.py: the observed state, the requested state and the error of this package (pure)
* config.py: the configuration of the generator (pure)
* observe.py: the whole state (adapter)
* plan.py: the steps, and the reasons to refuse (pure)
* change.py: carries out the steps, and puts these stages behind the interface of _change.py (adapter)
"""
