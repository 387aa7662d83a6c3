# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Return whether this FastCGI program has ever held more than $limit bytes of memory. If it has, close the socket that
# mod_fcgid passes as standard input, so that Apache sends no further request. The current request has its own connection.
#
#   while (my $query = CGI::Fast->new) {
#       ...
#       last if outgrown(256 << 20);
#   }
use POSIX ();

sub outgrown {
    my ($limit) = @_;
    open my $status, '<', '/proc/self/status' or return 0;
    my ($kib) = map { /^VmHWM:\s+(\d+) kB/ } <$status>;
    return 0 if $kib * 1024 <= $limit;
    POSIX::close(0);
    return 1;
}
