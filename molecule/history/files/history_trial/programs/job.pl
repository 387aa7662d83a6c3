# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Use so much memory, and end: job.pl SHAPE MIB
use strict;
use warnings;

my ($shape, $mib) = @ARGV;
my @held;

my %job = (
    text => sub { push @held, "x" x ($mib << 20) },
    list => sub { push @held, "x" x 1000 for 1 .. $mib * 1024 * 1000 / 1080 },
);

$job{$shape}->();
sleep 1;
