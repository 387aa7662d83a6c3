# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Grow until the kernel kills this process: leak.pl SHAPE KIB_PER_SECOND SECONDS_BEFORE
use strict;
use warnings;
use Time::HiRes qw(sleep time);

my ($shape, $rate, $before) = @ARGV;
my (@kept, %cache);
my $text = "";

my %keep = (
    list    => sub { push @kept, "x" x $_[0] },
    # Objects that refer to themselves: Perl never frees them.
    circles => sub { my $node = { text => "x" x $_[0] }; $node->{myself} = $node },
    text    => sub { $text .= "x" x $_[0] },
    cache   => sub { $cache{ keys %cache } = "x" x 1000 for 0 .. $_[0] / 1100 },
);

sleep $before;
my $begun = time;
my $total = 0;
while (1) {
    sleep 0.25;
    my $due = int($rate * 1024 * (time - $begun)) - $total;
    $keep{$shape}->($due);
    $total += $due;
}
