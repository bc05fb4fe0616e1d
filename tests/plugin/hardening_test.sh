#!/bin/sh
# How programs are linked, in TAP: wherever they are loaded, nothing in memory that is written to is executed, what the loader settles is read-only (SECURITY.md).
: "${PLUMB_BIN:?the folder of the programs}"
command -v readelf >/dev/null || { echo "1..0 # SKIP no readelf"; exit 0; }
n=0
ok() { n=$((n + 1)); echo "ok $n - $1"; }
not_ok() { n=$((n + 1)); echo "not ok $n - $1"; }

for program in "$PLUMB_BIN"/*; do
	name=$(basename "$program")
	fault=
	head=$(readelf -hlW "$program")
	echo "$head" | grep -q 'Type: *DYN' || fault="$fault; it has a fixed address"
	echo "$head" | grep -q 'GNU_RELRO' || fault="$fault; no RELRO"
	echo "$head" | grep -qE '(LOAD|GNU_STACK) .* RWE ' && fault="$fault; memory that is written to and executed"
	if echo "$head" | grep -q INTERP; then
		readelf -dW "$program" | grep -qE 'BIND_NOW|Flags:.*NOW' || fault="$fault; symbols are bound late"
	fi
	if [ -z "$fault" ]; then ok "$name"; else not_ok "$name: ${fault#; }"; fi
done
echo "1..$n"
