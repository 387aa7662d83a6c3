# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Work at a constant size, and then use very much at once: spike.pl SHAPE SECONDS_BEFORE
use strict;
use warnings;
use Time::HiRes qw(sleep time);

# A variable, since Perl computes constant texts before the program begins.
my ($shape, $before, $many) = (@ARGV, 10_000_000);
my @kept = ("x" x (3 << 20));

my %spike = (
    text  => sub { push @kept, "x" x (50 * $many) },
    sort  => sub { push @kept, sort { $a <=> $b } map { $_ * 7919 % 10_000_019 } 1 .. $many },
    split => sub { push @kept, split /,/, "word," x $many },
    hash  => sub { my %seen = map { $_ => 1 } 1 .. $many; push @kept, \%seen },
);

my $begun = time;
while (time - $begun < $before) {
    my $answer = "x" x int(rand(1 << 20));
    sleep 0.25;
}

$spike{$shape}->();
