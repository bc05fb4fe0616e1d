# The end of a test script: runs its functions case_NAME, those whose names contain one of the arguments or all, each in a process and in namespaces of its
# own, behind its function begin; and reports in TAP. Sourced.

if [ "${1:-}" = --case ]; then
	begin && "case_$2"
	exit
fi
suite=$(basename "$0" _test.sh)
unprivileged=(); [ "$(id -u)" = 0 ] || unprivileged=(-r)
world=(unshare "${unprivileged[@]}" --net --mount --pid --fork --kill-child --mount-proc)
mapfile -t cases < <(sed -n 's/^case_\([a-z0-9_]*\)() {$/\1/p' "${0}")
if [ $# -gt 0 ]; then
	mapfile -t cases < <(for c in "${cases[@]}"; do for p; do [[ $c == *$p* ]] && echo "$c" && break; done; done)
fi

echo "1..${#cases[@]}"
number=0 failed=0
for c in "${cases[@]}"; do
	number=$((number + 1))
	output=$(timeout -k 1 180 "${world[@]}" bash "${0}" --case "$c" 2>&1); status=$?
	if [ $status = 0 ]; then echo "ok $number - ${suite}_$c"
	elif [ $status = 77 ]; then echo "ok $number - ${suite}_$c # ${output##*$'\n'}"
	else failed=$((failed + 1)); echo "not ok $number - ${suite}_$c"; sed 's/^/# /' <<<"$output"; fi
done
exit $((failed > 0))
