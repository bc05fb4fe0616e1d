#!/bin/sh
# Every number of spec/requirements.md has its test, every case of tests/conform its number, and every test named there exists. In TAP.
#
#	BIN=build/MODE/bin tests/conform/numbers.sh
top=$(cd "$(dirname "$0")/../.." && pwd)
spec=$top/spec/requirements.md
conform=${BIN:-$top/build/${MODE:-plain}/bin}/../tests/conform/conform

# "DEL-4 conform ptp_second_del_succeeds", a line a row.
rows=$(sed -nE 's/^\| ([A-Z]+-[0-9]+) \|.*\| ([^|]*) \|$/\1 \2/p' "$spec" | tr -d ',')
cases=$("$conform" --list | sed -nE 's/.*\[(.*)\]$/\1/p' | sort -u)
tests=$(sed -nE 's/^TEST(_EACH)?\(([a-z0-9_]+).*/\2/p' "$top"/tests/*/*.c
	sed -nE 's/^case_([a-z0-9_]+)\(\).*/plumb_\1/p' "$top"/tests/plugin/plumb_test.sh
	ls "$top"/tests/golden | sed 's/.*/golden[&]/'
	ls "$top"/tests/unit | sed 's/\.c$//')

count=0
result() {      # WHAT, and lines that should not be
	count=$((count + 1))
	if [ -z "$2" ]; then echo "ok $count - $1"; else echo "not ok $count - $1"; printf '%s\n' "$2" | sed 's/^/# /'; failed=1; fi
}

echo 1..4
result "every number is given once" "$(echo "$rows" | cut -d' ' -f1 | sort | uniq -d)"
result "every case of tests/conform has its number" "$(echo "$cases" | while read -r c; do echo "$rows" | grep -q "^$c conform" || echo "$c is no row that says conform"; done)"
result "every row that says conform has its case" "$(echo "$rows" | sed -n 's/^\([^ ]*\) conform.*/\1/p' | while read -r r; do echo "$cases" | grep -qx "$r" || echo "$r has no case"; done)"
result "every test that is named exists" "$(echo "$rows" | while read -r number names; do
	[ -n "$names" ] || echo "$number names no test"
	for n in $names; do [ "$n" = conform ] || [ "$n" = later ] || echo "$tests" | grep -qxF "$n" || echo "$number: $n"; done; done)"
exit ${failed:-0}
