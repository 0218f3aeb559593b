# Neurons in Perl: each has a threshold, a gain and a ripple of its own, which no program of the learner knows.
use strict;
use warnings;
binmode STDIN;
binmode STDOUT;
$| = 1;

sub figure { my $x = 43758.5453 * sin(12.9898 * $_[0] + 78.233 * $_[1] + $_[2]); return $x - POSIX::floor($x); }
use POSIX ();

while (my $line = <STDIN>) {
    my ($method) = $line =~ /"method":"(\w+)"/;
    my ($layer) = $line =~ /"layer":(\d+)/;
    my ($rows, $columns) = $line =~ /"shape":\[(\d+),(\d+)\]/;
    if ($method eq "hello") {
        print qq({"version":1,"value":{"what":"neurons","save":false,"repeatable":true}}\n);
    } elsif ($method eq "fabricate") {
        print qq({"version":1}\n);
    } elsif ($method eq "neurons") {
        read(STDIN, my $bytes, 4 * $rows * $columns);
        my @z = unpack("f<*", $bytes);
        for my $i (0 .. $#z) {
            my $j = $i % $columns;
            my $u = $z[$i] - figure($layer, $j, 1);
            my $gain = 0.5 + 1.5 * figure($layer, $j, 2);
            $z[$i] = $u > 0 ? $gain * ($u + 0.3 * sin(4 * $u + 6.28 * figure($layer, $j, 3)) * $u / (1 + $u)) : 0;
        }
        print qq({"version":1,"arrays":[{"name":"y","type":"<f4","shape":[$rows,$columns]}]}\n), pack("f<*", @z);
    } else {
        print qq({"version":1,"error":{"kind":"UsageError","message":"neurons in Perl have no $method"}}\n);
    }
}
