#!/bin/sh
# A sample of `make crash` for `make check`: a quarter of the plugins and verbs, every 97th of their points; others each day, as crash says at its end. In TAP.
#
#	tests/crash/crash_sample.sh             BIN=DIR, the plugins; TURN=N, the sample of that day
set -u
here=$(cd "$(dirname "$0")" && pwd)
BIN=${BIN:-$here/../../build/${MODE:-plain}/bin}
export BIN
if grep -q __asan_init "$BIN/loopback"; then
	echo "1..0 # SKIP a program with AddressSanitizer ends itself where a call fails that it needs"
	exit 0
fi
exec "$BIN/../tests/crash/crash" -k 97 -u 4 ${TURN:+-t "$TURN"}
