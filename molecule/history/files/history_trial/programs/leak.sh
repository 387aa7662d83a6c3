# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# Grow until the kernel kills this process or its child: leak.sh SHAPE KIB_PER_SECOND SECONDS_BEFORE
shape=$1 rate=$2 before=$3

# Print lines of that many KiB a second.
feed() {
    sleep "$before"
    while sleep 0.5; do
        dd if=/dev/zero bs="$((rate / 2))k" count=1 status=none | tr '\0' x
        echo
    done
}

case $shape in
    awk) feed | awk '{ kept[NR] = $0 }' ;;
    # Without a line break, tail keeps all of its input.
    tail) feed | tr '\n' x | tail ;;
    sort) feed | sort --buffer-size=1G ;;
    variable)
        sleep "$before"
        while sleep 0.5; do
            kept=$kept$(dd if=/dev/zero bs="$((rate / 2))k" count=1 status=none | tr '\0' x)
        done
        ;;
esac
