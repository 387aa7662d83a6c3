# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# Work at a constant size, and then use very much at once: spike.sh SHAPE SECONDS_BEFORE
shape=$1 before=$2

# Answer small requests for a time.
end=$(($(date +%s) + before))
while [ "$(date +%s)" -lt "$end" ]; do
    dd if=/dev/zero bs=512k count=1 status=none | tr '\0' x | tail | cksum >/dev/null
    sleep 1
done

case $shape in
    dd) dd if=/dev/zero of=/dev/null bs=400M count=1 status=none ;;
    tail) dd if=/dev/zero bs=1M count=400 status=none | tr '\0' x | tail >/dev/null ;;
    awk) awk 'BEGIN { text = "x"; while (1) text = text text }' ;;
    sort) yes 'A line of a large file, which is as long as most lines are' | sort --buffer-size=300M >/dev/null ;;
esac
