#!/usr/bin/perl
# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# A FastCGI worker that never gives memory back: each request makes it 40 MB larger.

use strict;
use warnings;
use CGI::Fast;

my $step = 40 * 1024 * 1024;
my @kept;

while (CGI::Fast->new) {
    push @kept, 'x' x $step;
    printf "Content-Type: text/plain\r\n\r\n%d MB kept\n", 40 * @kept;
}
