# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# Use so much memory, and end: job.sh SHAPE MIB
shape=$1 mib=$2
line='A line of a large file, which is as long as most lines of such files are'

# A pipeline fails if one of its programs is killed: its last program must print something.
case $shape in
    awk) yes "$line" | head -c "$((mib / 2))M" | awk '{ kept[NR] = $0 } END { print NR }' | grep . ;;
    sort) yes "$line" | head -c "$((mib / 2))M" | sort --buffer-size="${mib}M" | tail -n 1 | grep . ;;
esac
