#!/bin/bash
# Transactions under contention, in TAP: another program changes nftables hundreds of times a second while many containers come and go at once.
# Nothing may be lost, nothing left, and no element of somebody else's removed.
#
#	tests/plugin/contention_test.sh
#	BIN=DIR FIXTURE=FILE            the plugins, and netns-fixture
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
BIN=${BIN:-$here/../../build/${MODE:-plain}/bin}; BIN=$(cd "$BIN" && pwd)
FIXTURE=${FIXTURE:-$here/../../build/${MODE:-plain}/netns-fixtures/netns-fixture}
containers=64 rounds=2

if [ "${1:-}" != --inside ]; then
	exec timeout 500 "$FIXTURE" run --pods $containers -- bash "${BASH_SOURCE[0]}" --inside
fi

export CNI_PATH=$BIN CNI_IFNAME=eth0
S=/run/contention; mkdir -p $S
bridge='{"cniVersion":"1.1.0","name":"net","type":"bridge","bridge":"br0","isDefaultGateway":true,"ipMasq":true,"ipam":{"type":"host-local","subnet":"10.1.0.0/16"}}'

call() { CNI_COMMAND=$1 CNI_CONTAINERID=pod$2 CNI_NETNS=/run/netns/pod$2 "$BIN/$3"; }
ports() { echo '{"cniVersion":"1.1.0","name":"net","type":"portmap","runtimeConfig":{"portMappings":[{"hostPort":'$((8000 + $1))',"containerPort":80,"protocol":"tcp"}]},"prevResult":'"$(cat $S/result.$1)"'}'; }
add() { call ADD "$1" bridge <<<"$bridge" >$S/result.$1 && ports "$1" >$S/ports.$1 && call ADD "$1" portmap <$S/ports.$1 >$S/out.$1; }
del() { call DEL "$1" portmap <$S/ports.$1 >$S/out.$1 && call DEL "$1" bridge <<<"$bridge" >$S/out.$1; }

# All at once; how many failed, with their words in $S/failed.
all() {
	rm -f $S/failed; touch $S/failed
	for i in $(seq $containers); do
		{ "$1" "$i" || { echo "$1 pod$i: $(cat $S/out.$i $S/result.$i 2>/dev/null | tr -d '\n')" >>$S/failed; }; } 2>>$S/errors &
		pids+=($!)
	done
	wait "${pids[@]}"; pids=()
	wc -l <$S/failed
}
elements() { nft list map inet plumb "$1" | grep -o 'net/pod' | wc -l; }
pids=()

# The other program: one nft that is fed changes of a table of its own, hundreds a second.
noise() { local n=0; while [ ! -e $S/quiet ]; do echo "add element inet other busy { $((n % 60000 + 1)) }"; n=$((n + 1)); [ $((n % 20)) != 0 ] || sleep 0.02; done; echo quit; }
nft add table inet other '{ set busy { type inet_service; }; }'
changes() { nft list set inet other busy | tr ',' '\n' | grep -c '[0-9]'; }
noise | nft -i >/dev/null 2>$S/noise.err & noisy=$!
until [ "$(changes)" -gt 0 ]; do sleep 0.01; done; before=$(changes)

number=0 failures=0
ok() { number=$((number + 1)); if [ "$1" = "$2" ]; then echo "ok $number - $3"; else failures=$((failures + 1)); echo "not ok $number - $3"; echo "# is $1, want $2"; head -3 $S/failed | sed 's/^/# /'; fi; }

echo "1..$((rounds * 6 + 1))"
for round in $(seq $rounds); do
	ok "$(all add)" 0 "$containers at once come, round $round"
	ok "$(elements publish_any4)" $containers "each has its port, round $round"
	ok "$(elements masq4)" $containers "each is masqueraded, round $round"
	nft add element inet plumb publish_any4 '{ udp . 9999 comment "another/owner/eth0" : 10.9.9.9 . 9 }'
	ok "$(all del)" 0 "$containers at once go, round $round"
	ok "$(nft list table inet plumb | grep -c 'net/pod\|chain masq')" 0 "nothing is left, round $round"
	ok "$(nft list map inet plumb publish_any4 | grep -c another/owner)" 1 "what is another's is left, round $round"
	nft delete element inet plumb publish_any4 '{ udp . 9999 }'
done
after=$(changes)
touch $S/quiet; wait $noisy
ok "$((after > before))" 1 "the other program was at it all the time ($((after - before)) changes)"
exit $((failures > 0))
