#!/bin/bash
# plumb graph, in TAP: what is drawn is what is there. Each case is a process in namespaces of its own; it passes when it comes to its end.
#
#	tests/plugin/graph_test.sh [PATTERN]...         the cases whose names contain a pattern; all without
#	BIN=DIR                                         where plumb and the plugins are (build/MODE/bin)
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=${BIN:-$here/../../build/${MODE:-plain}/bin}
bin=$(cd "$bin" 2>/dev/null && pwd) || { echo "Bail out! no plumb in $bin: make it first"; exit 1; }
. "$here/../lib/words.sh"
. "$here/../lib/look.sh"

# ---- What cases are written with ----

# The lines of a network in the tree, its own first.
part() { awk -v net="$1" '/^(├|└)/ { on = ($2 == net) } on' $W/out; }
shows() { part "$1" | grep -qF -- "$2" || fail "$1 does not show '$2': $(cat $W/out)"; }
hides() { ! part "$1" | grep -qF -- "$2" || fail "$1 shows '$2': $(cat $W/out)"; }
# The dot file is what Graphviz takes, where that is installed.
drawn() { expect 0 graph -o $W/g.dot; ! command -v dot >/dev/null || dot -Tcanon $W/g.dot >/dev/null || fail "dot does not take it"; }
draws() { grep -qF -- "$1" $W/g.dot || fail "the picture does not have '$1': $(cat $W/g.dot)"; }
draws_not() { ! grep -qF -- "$1" $W/g.dot || fail "the picture has '$1': $(cat $W/g.dot)"; }

case_tree() {
	network app app0 10.89.0.0/24 fd00:89::/64
	network later later0 10.99.0.0/24
	attach app web -p 8080:80 -p 5000-5009:5000-5009/udp -p 127.0.0.1:9090:90; attach app db
	expect 0 graph
	prints "2 networks, 2 containers"; prints "lan0  192.0.2.1/24, 2001:db8:1::1/64"
	shows app "bridge app0  10.89.0.0/24, fd00:89::/64  MTU 1500  masqueraded → lan0"
	shows app "web  eth0 10.89.0.2, fd00:89::2"; shows app "*:8080 → 80/tcp"; shows app "*:5000-5009 → 5000-5009/udp"; shows app "127.0.0.1:9090 → 90/tcp  (from this host only)"
	shows app "$(ip -o link show master app0 | sed 's/^[0-9]*: \([^@:]*\).*/\1/;q')"
	shows later "(not made yet)"
	expect 0 graph app; prints_not later; prints "1 network, 2 containers"
	expect 3 graph nope; says 'no network "nope"'
	drawn; draws 'cluster_net'; draws '<b>web</b>'; draws '*:8080 → 80/tcp'; draws masqueraded; draws "not made yet"; draws "gateway 10.89.0.1/24"
}

case_nothing() {
	expect 0 graph; prints "0 networks, 0 containers"
	drawn; draws lan0
}

case_letters() {
	network app app0 10.89.0.0/24; attach app web -p 8080:80
	LC_ALL=C expect 0 graph
	! LC_ALL=C grep -q '[^ -~]' $W/out || fail "not ASCII: $(cat $W/out)"
	prints '`- '; prints '*:8080 -> 80/tcp'
	expect 0 graph; prints "└─"
	! grep -q $'\033' $W/out || fail "colours where no terminal is"
}

case_dead() {
	network app app0 10.89.0.0/24; attach app web -p 8080:80; attach app db; attach app cut
	ip netns del web; ip -n cut link del eth0
	expect 0 graph
	shows app "✗ web  eth0 10.89.0.2  dead: its namespace /run/netns/web is gone"; shows app "✗ cut"; shows app "its interface eth0 is gone"; hides app "✗ db"
	drawn; draws '#c0322b'; draws "its namespace /run/netns/web is gone"
	expect 0 gc app; expect 0 del app cut; expect 0 graph; prints_not dead
	drawn; draws_not 'dashed color="#c0322b"'; draws_not "is gone"
}

case_apart() {
	network one br1 10.1.0.0/24 "" '"ingressPolicy": "same-bridge"'; network two br2 10.2.0.0/24 "" '"ingressPolicy": "same-bridge"'; network three br3 10.3.0.0/24
	attach one a; attach two b; attach three c
	expect 0 graph
	shows one "kept apart from two"; shows two "kept apart from one"; hides three "kept apart"
	drawn; draws "✕ kept apart"; is "$(grep -c 'kept apart' $W/g.dot)" 2 "lines about it (one is the legend)"
	nft flush set inet plumb apart4
	expect 0 graph; prints_not "kept apart"
}

case_internal() {
	network app app0 10.89.0.0/24; network inner in0 10.90.0.0/24 "" '"internal": true' ""; network routed r0 10.91.0.0/24 "" "" ""
	attach app web; attach app other; attach inner db; attach inner web -i eth1; attach routed r
	expect 0 graph
	shows inner "no way out: internal"; shows routed "routed → lan0"; shows app "masqueraded → lan0"; shows inner "web  eth1 10.90.0.3"; prints "3 networks, 4 containers"
	drawn; draws "internal, no way out"; draws ">routed<"
	is "$(grep -c '<b>web</b>' $W/g.dot)" 1 "boxes of a container on two networks"
	nft add table inet theirs; nft 'add chain inet theirs forw { type filter hook forward priority 0; policy drop; }'
	expect 0 graph; shows app "no way out"; shows app "table inet theirs, chain forw"
}

# Many are counted; the dead and those with ports are drawn all the same.
case_many() {
	local i
	network app app0 10.89.0.0/24
	for i in $(seq 26); do attach app c$i; done
	attach app last -p 8080:80
	ip netns del c26
	expect 0 graph
	prints "27 containers"; shows app "and 7 more  10.89.0.20 – 10.89.0.26"; shows app "✗ c26"; shows app "last"; hides app "c20 "
	drawn; draws "and 7 more"; draws "<b>c26</b>"; draws '<b>last</b>'
}

case_files() {
	network app app0 10.89.0.0/24; attach app web
	expect 2 graph -o $W/g.pdf; says "ends in .svg, .png or .dot"; expect 2 graph -o $W/g.svg --watch; says "--watch"
	expect 1 graph -o /nowhere/g.dot; says /nowhere/g.dot
	command -v dot >/dev/null || skip "no dot"
	expect 0 graph -o $W/g.svg; grep -q '<svg' $W/g.svg || fail "no SVG"; grep -qF web $W/g.svg || fail "no web in it"
	expect 0 graph -o $W/g.png; [ "$(head -c4 $W/g.png | tail -c3)" = PNG ] || fail "no PNG"
	is "$(ls $W | grep -c '^g\.')" 2 "files left"
	mount --bind "$(type -P false)" "$(readlink -f "$(command -v dot)")" && { expect 1 graph -o $W/g.svg; says "Graphviz"; grep -q '<svg' $W/g.svg || fail "the old picture is gone"; }
}

case_watch() {
	network app app0 10.89.0.0/24; attach app web
	"$bin/plumb" graph --watch >$W/watched & served+=($!)
	until_true sh -c "[ \$(grep -c '1 container' $W/watched) -ge 2 ]"
	attach app db
	until_true grep -q "2 containers" $W/watched
	kill -INT ${served[-1]}; kill ${served[-1]} 2>/dev/null; wait ${served[-1]} 2>/dev/null
	[ -s $W/watched ] || fail "nothing watched"
}

# What another runtime has attached: its record, and links that it made.
case_other_runtime() {
	mkdir -p /var/lib/cni/results
	ip netns add cni-1f2e3d4c; ip link add br9 type bridge; ip address add 10.9.0.1/24 dev br9; ip link set br9 up
	ip link add v9 type veth peer name eth0 netns cni-1f2e3d4c; ip link set v9 master br9 up
	ip -n cni-1f2e3d4c address add 10.9.0.7/24 dev eth0; ip -n cni-1f2e3d4c link set eth0 up; ip -n cni-1f2e3d4c route add default via 10.9.0.1
	cat >/var/lib/cni/results/theirs-0123456789abcdef0123456789abcdef-eth0 <<-'RECORD'
		{"kind":"cniCacheV1","containerId":"0123456789abcdef0123456789abcdef","ifName":"eth0","networkName":"theirs","netns":"/run/netns/cni-1f2e3d4c",
		 "cniArgs":[["K8S_POD_NAMESPACE","default"],["K8S_POD_NAME","nginx-7d4"]],"capabilityArgs":{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]},
		 "result":{"cniVersion":"1.0.0","interfaces":[{"name":"br9"},{"name":"v9"},{"name":"eth0","sandbox":"/run/netns/cni-1f2e3d4c"}],"ips":[{"address":"10.9.0.7/24","gateway":"10.9.0.1","interface":2}]}}
	RECORD
	expect 0 graph; shows theirs "br9"; shows theirs "nginx-7d4  eth0 10.9.0.7  v9"; shows theirs "*:8080 → 80/tcp"; shows theirs "(no longer configured)"
	drawn; draws "<b>nginx-7d4</b>"; draws "0123456789abcdef0123…"
}

# A name that means something to Graphviz or HTML is a name.
case_odd_names() {
	network app app0 10.89.0.0/24
	ip netns add 'a&<b>"'; expect 0 add app '/run/netns/a&<b>"' --id odd
	drawn; draws 'a&amp;&lt;b&gt;&quot;'
}

. "$here/../lib/cases.sh"
