<?php
// Copyright (c) 2026 oomguard contributors
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// End this php-cgi process after the request if it has ever held more memory than the limit. Include this file in a page,
// or in all pages with `auto_prepend_file`.
//
// A page cannot close the socket that php-cgi listens on. It can remove the socket's name, so that Apache no longer finds it,
// if it runs as Apache's user. On SIGTERM, php-cgi finishes the current request.
register_shutdown_function(function (int $limit): void {
    preg_match('/^VmHWM:\s+(\d+) kB/m', file_get_contents('/proc/self/status'), $peak);
    if ($peak[1] * 1024 <= $limit) {
        return;
    }
    $inode = trim(readlink('/proc/self/fd/0'), 'socket:[]');
    foreach (file('/proc/net/unix') as $line) {
        $fields = preg_split('/\s+/', trim($line), 8);
        if ($fields[6] === $inode && isset($fields[7])) {
            @unlink($fields[7]);
        }
    }
    posix_kill(getmypid(), 15);
}, 256 << 20);
