#!/bin/bash
# The firewall plugin and its helper with a real firewalld, in TAP. Each case is a process in namespaces of its own, with a /run, an /etc/firewalld, a
# system bus and a firewalld of its own; it passes when it comes to its end.
#
#	tests/plugin/firewalld_test.sh [PATTERN]...     the cases whose names contain a pattern; all without
#	BIN=DIR                                         where the plugins are (build/MODE/bin)
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=${BIN:-$here/../../build/${MODE:-plain}/bin}
bin=$(cd "$bin" 2>/dev/null && pwd) || { echo "Bail out! no plugins in $bin: make them first"; exit 1; }

# ---- What cases are written with ----

# The scratch directory; /run is a tmpfs that the case alone sees.
W=/run/w
records=/run/plumb/zones

. "$here/../lib/words.sh"
. "$here/../lib/firewalld.sh"

says() { grep -qF -- "$1" $W/out || fail "does not say '$1': $(cat $W/out $W/err)"; }

# The helper; what it prints in $W/out.
expect() {
	local want=$1
	shift
	"$bin/plumb-firewalld" "$@" >$W/out 2>$W/err </dev/null; code=$?
	[ $code = "$want" ] || fail "plumb-firewalld $*: exit $code, want $want: $(cat $W/out $W/err)"
}

# The plugin, after one that gave the container ID these ADDRESSes: cni VERB ID ADDRESS,… [KEYS of the configuration]. Exit code in $code.
cni() {
	local ips= a previous= interfaces="[{\"name\":\"veth0\"},{\"name\":\"eth0\",\"sandbox\":\"/run/netns/$2\"}]"
	for a in ${3//,/ }; do ips="$ips{\"address\":\"$a\",\"interface\":1},"; done
	[ -z "$ips" ] || previous=",\"prevResult\":{\"cniVersion\":\"1.1.0\",\"interfaces\":$interfaces,\"ips\":[${ips%,}]}"
	CNI_COMMAND=$1 CNI_CONTAINERID=$2 CNI_NETNS=/run/netns/$2 CNI_IFNAME=eth0 CNI_PATH=$bin "$bin/firewall" >$W/out 2>$W/err \
		<<<"{\"cniVersion\":\"1.1.0\",\"name\":\"${network:-net}\",\"type\":\"firewall\"${4:+,$4}$previous}"
	code=$?
}
works() { cni "$@"; [ $code = 0 ] || fail "$*: exit $code: $(cat $W/out $W/err)"; }
refused() { cni "$@"; [ $code != 0 ] || fail "$* works"; }
# gc NETWORK ID... of those that are valid
gc() {
	local valid= id network=$1
	shift
	for id; do valid="$valid{\"containerID\":\"$id\",\"ifname\":\"eth0\"},"; done
	CNI_COMMAND=GC CNI_PATH=$bin "$bin/firewall" >$W/out 2>$W/err \
		<<<"{\"cniVersion\":\"1.1.0\",\"name\":\"$network\",\"type\":\"firewall\",\"cni.dev/valid-attachments\":[${valid%,}]}" ||
		fail "GC: $(cat $W/out $W/err)"
}

begin() {
	need_firewalld
	[ -x "$bin/plumb-firewalld" ] || skip "no plumb-firewalld: plumb was built without libsystemd"
	for dir in /run /etc/firewalld /var/log; do mount -t tmpfs none $dir || exit 1; done
	mkdir -p $W /run/netns
	configure_firewalld drop
	ip link set lo up
	unset CNI_ARGS
	trap end_firewalld EXIT
}

# ---- The helper ----

case_helper() {
	expect 1 running
	start_bus
	expect 1 running; expect 0 restore; expect 0 remove trusted 10.0.0.2/32
	expect 2 add trusted 10.0.0.2/32; says "firewalld is not running"
	expect 2 query trusted 10.0.0.2/32; says "firewalld is not running"
	mkdir -p $records; printf 'trusted 10.0.0.2/32\ntrusted 10.0.0.3/32\n' >$records/n:c:i.zone
	expect 2 restore; is "$(grep -c "firewalld is not running" $W/err)" 1 "complaints"; rm $records/n:c:i.zone
	start_firewalld
	expect 0 running
	expect 1 query trusted 10.0.0.2/32
	expect 0 add trusted 10.0.0.2/32 fd00::2/128; inside trusted 10.0.0.2/32 fd00::2/128
	expect 0 add trusted 10.0.0.2/32 10.0.0.3/32; inside trusted 10.0.0.3/32
	expect 0 query trusted 10.0.0.2/32 fd00::2/128 10.0.0.3/32; expect 1 query trusted 10.0.0.2/32 10.0.0.9/32
	expect 0 remove trusted 10.0.0.2/32 10.0.0.9/32; outside trusted 10.0.0.2/32; inside trusted fd00::2/128
	expect 2 add no-such-zone 10.0.0.4/32; says "zone no-such-zone"; says INVALID_ZONE; is "$(wc -l <$W/out)" 1 "lines"
	expect 2 query no-such-zone 10.0.0.4/32; says "zone no-such-zone"
	expect 2 add trusted 10.0.0.5/99; says "10.0.0.5/99"
	expect 2 add public 10.0.0.3/32; says ZONE_CONFLICT; says "--zone=trusted --remove-source=10.0.0.3/32"
	is "$(ls -A /etc/firewalld/zones)" "" "permanent configuration"
}

case_helper_usage() {
	start_bus
	for words in "" "add" "add trusted" "query trusted" "running now" "restore all" "frobnicate"; do
		expect 2 $words; says "usage: plumb-firewalld"
	done
}

# ---- The plugin ----

case_backend_is_chosen() {
	works ADD a 10.0.0.2/24; [ ! -e $records ] || fail "a record without firewalld"
	refused ADD a 10.0.0.2/24 '"backend":"firewalld"'; says "the system bus"; is "$(ls -A $records)" "" "records"
	start_bus
	works ADD a 10.0.0.2/24; works CHECK a 10.0.0.2/24; works DEL a 10.0.0.2/24
	refused ADD a 10.0.0.2/24 '"backend":"firewalld"'; says "firewalld is not running"; is "$(ls -A $records)" "" "records"
	works DEL a 10.0.0.2/24 '"backend":"firewalld"'
	start_firewalld
	works ADD a 10.0.0.2/24 '"backend":"nftables"'; works ADD a 10.0.0.2/24 '"backend":"iptables"'
	outside trusted 10.0.0.2/32; is "$(ls -A $records)" "" "records"
	works ADD a 10.0.0.2/24; inside trusted 10.0.0.2/32
	works ADD b 10.0.0.3/24 '"backend":""'; inside trusted 10.0.0.3/32
	works ADD c 10.0.0.4/24 '"backend":"firewalld"'; inside trusted 10.0.0.4/32
	# DEL goes by what ADD did.
	works DEL c 10.0.0.4/24 '"backend":"nftables"'; outside trusted 10.0.0.4/32
}

case_add_check_del() {
	start_all
	works ADD a 10.0.0.2/24,fd00::2/64 '"firewalldZone":"public"'; inside public 10.0.0.2/32 fd00::2/128
	says '"address": "10.0.0.2/24"'
	is "$(cat $records/net:a:eth0.zone)" "$(printf 'public 10.0.0.2/32\npublic fd00::2/128')" "record"
	works ADD a 10.0.0.2/24,fd00::2/64 '"firewalldZone":"public"'; works CHECK a 10.0.0.2/24,fd00::2/64 '"firewalldZone":"public"'
	ask_zone removeSource string:public string:fd00::2/128 >/dev/null
	refused CHECK a 10.0.0.2/24,fd00::2/64 '"firewalldZone":"public"'; says "not in zone public"
	works DEL a 10.0.0.2/24,fd00::2/64 '"firewalldZone":"public"'; outside public 10.0.0.2/32; is "$(ls -A $records)" "" "records"
	works DEL a 10.0.0.2/24,fd00::2/64 '"firewalldZone":"public"'
	# As one whom the reference's plugin bound: no record.
	expect 0 add trusted 10.0.0.7/32; works DEL r 10.0.0.7/24; outside trusted 10.0.0.7/32
	works ADD a 10.0.0.2/24; works DEL a ""; outside trusted 10.0.0.2/32
	# An ADD after one that died without DEL: other addresses, another zone.
	works ADD a 10.0.0.2/24,10.0.0.3/24; works ADD a 10.0.0.3/24,10.0.0.4/24; outside trusted 10.0.0.2/32; inside trusted 10.0.0.3/32 10.0.0.4/32
	works ADD a 10.0.0.3/24 '"firewalldZone":"public"'; inside public 10.0.0.3/32; outside trusted 10.0.0.3/32 10.0.0.4/32
	stop_firewalld
	works DEL a 10.0.0.3/24; is "$(ls -A $records)" "" "records after a DEL while firewalld was stopped"
}

case_zone_does_not_exist() {
	start_all
	refused ADD a 10.0.0.2/24 '"firewalldZone":"no-such-zone"'; says "no-such-zone"; says "INVALID_ZONE"; says "get-zones"
	refused CHECK a 10.0.0.2/24 '"firewalldZone":"no-such-zone"'; says "no-such-zone"
	refused ADD a 10.0.0.2/24 '"firewalldZone":"trusted 10.0.0.9/32"'; says "firewalldZone"
	is "$(ls -A $records)" "" "records"
	works DEL a 10.0.0.2/24 '"firewalldZone":"no-such-zone"'
	# Two addresses, of which the second is another zone's: nothing stays.
	expect 0 add public 10.0.0.3/32
	refused ADD a 10.0.0.2/24,10.0.0.3/24; says "ZONE_CONFLICT"; says "--zone=public"; outside trusted 10.0.0.2/32; inside public 10.0.0.3/32
	is "$(ls -A $records)" "" "records"
}

case_address_is_used_again() {
	start_all
	works ADD dead 10.0.0.2/24; works ADD b 10.0.0.2/24
	works DEL dead 10.0.0.2/24; inside trusted 10.0.0.2/32
	works ADD dead 10.0.0.2/24; gc net b; inside trusted 10.0.0.2/32; is "$(ls $records)" net:b:eth0.zone "records"
	works DEL b 10.0.0.2/24; outside trusted 10.0.0.2/32
}

# A record that cannot be read is not an empty one; what a killed ADD was writing goes.
case_damaged_records() {
	start_all
	works ADD a 10.0.0.2/24; mv $records/net:a:eth0.zone $W/record; mkdir $records/net:a:eth0.zone
	refused DEL a 10.0.0.2/24; says "net:a:eth0.zone"; inside trusted 10.0.0.2/32
	rmdir $records/net:a:eth0.zone; mv $W/record $records/net:a:eth0.zone
	touch $records/.net:a:eth0.zone.new
	works DEL a ""; outside trusted 10.0.0.2/32; is "$(ls -A $records)" "" "records"
}

case_gc() {
	start_all
	works ADD a 10.0.0.2/24; works ADD b 10.0.0.3/24,fd00::3/64; network=net2 works ADD c 10.0.0.4/24; network=ne works ADD d 10.0.0.5/24
	gc net a; inside trusted 10.0.0.2/32 10.0.0.4/32 10.0.0.5/32; outside trusted 10.0.0.3/32 fd00::3/128
	is "$(cd $records && echo *)" "ne:d:eth0.zone net2:c:eth0.zone net:a:eth0.zone" "records"
	gc net; outside trusted 10.0.0.2/32
	stop_firewalld
	gc net2; is "$(ls $records)" ne:d:eth0.zone "records after a GC while firewalld was stopped"
}

# ---- When firewalld forgets ----

case_reload_and_restore() {
	start_all
	works ADD a 10.0.0.2/24,fd00::2/64; works ADD b 10.0.0.3/24 '"firewalldZone":"public"'; network=other works ADD c 10.0.0.4/24
	reload; outside trusted 10.0.0.2/32 fd00::2/128 10.0.0.4/32; outside public 10.0.0.3/32
	refused CHECK a 10.0.0.2/24; says "plumb-firewalld restore"
	expect 0 restore; inside trusted 10.0.0.2/32 fd00::2/128 10.0.0.4/32; inside public 10.0.0.3/32
	works CHECK a 10.0.0.2/24
	expect 0 restore
	# One that cannot be put back does not keep the others out, nor do files that are no records.
	echo "gone 10.0.0.8/32" >$records/a:x:eth0.zone; echo nonsense >$records/a:y:eth0.zone; echo "trusted 10.0.0.9/32" >$records/.123
	reload; expect 2 restore; grep -q "zone gone" $W/err || fail "does not say what: $(cat $W/err)"
	inside trusted 10.0.0.2/32 10.0.0.4/32; outside trusted 10.0.0.9/32
	works DEL a ""; outside trusted 10.0.0.2/32
}

case_plumb_restore() {
	export CNI_PATH=$bin
	local plumb=$bin/plumb
	start_all
	"$plumb" restore >$W/out 2>$W/err || fail "with nothing to restore: $(cat $W/err)"; says "nothing to restore"
	works ADD a 10.0.0.2/24,fd00::2/64; works ADD b 10.0.0.3/24 '"firewalldZone":"public"'
	reload; outside trusted 10.0.0.2/32
	"$plumb" restore >$W/out 2>$W/err || fail "restore: $(cat $W/err)"
	says "firewalld: 2 attachments back in their zones"; inside trusted 10.0.0.2/32 fd00::2/128; inside public 10.0.0.3/32
	echo "gone 10.0.0.8/32" >$records/net:x:eth0.zone
	reload; ! "$plumb" restore --json >$W/out 2>$W/err || fail "with a zone that is no more"
	says '"zones": 0'; grep -q "zone gone" $W/err || fail "does not say which: $(cat $W/err)"; inside trusted 10.0.0.2/32
	stop_firewalld
	"$plumb" restore >$W/out 2>$W/err || fail "with firewalld stopped: $(cat $W/err)"
	! "$plumb" restore --bin-dir /nowhere >$W/out 2>$W/err || fail "without the helper"; grep -q plumb-firewalld $W/err || fail "says: $(cat $W/err)"
}

case_the_next_add_restores() {
	start_all
	works ADD a 10.0.0.2/24,fd00::2/64; works ADD z 10.0.0.3/24 '"firewalldZone":"public"'
	reload; works ADD m 10.0.0.4/24
	inside trusted 10.0.0.2/32 fd00::2/128 10.0.0.4/32; inside public 10.0.0.3/32
	# The same by an ADD of one that is on record, and whose zone is the last by name; and with a record whose zone is no more.
	echo "gone 10.0.0.8/32" >$records/zz:x:eth0.zone
	reload; works ADD z 10.0.0.3/24 '"firewalldZone":"public"'; inside trusted 10.0.0.2/32 fd00::2/128 10.0.0.4/32; inside public 10.0.0.3/32
	stop_firewalld; start_firewalld
	works ADD n 10.0.0.5/24; inside trusted 10.0.0.2/32 10.0.0.4/32 10.0.0.5/32
}

case_follow() {
	start_bus
	"$bin/plumb-firewalld" follow >$W/follow.log 2>&1 & follow=$!
	start_firewalld
	works ADD a 10.0.0.2/24,fd00::2/64; works ADD b 10.0.0.3/24 '"firewalldZone":"public"'
	for n in 1 2; do
		reload; until_true is_in public 10.0.0.3/32; until_true is_in trusted 10.0.0.2/32; until_true is_in trusted fd00::2/128
	done
	stop_firewalld; start_firewalld; until_true is_in trusted 10.0.0.2/32; until_true is_in public 10.0.0.3/32
	works DEL a 10.0.0.2/24,fd00::2/64; reload; until_true is_in public 10.0.0.3/32; outside trusted 10.0.0.2/32
	kill -0 $follow || fail "follow ended: $(cat $W/follow.log)"
	# One that begins late restores at once; without a bus it ends and says so.
	kill $follow; wait $follow 2>/dev/null
	reload; outside public 10.0.0.3/32
	"$bin/plumb-firewalld" follow >$W/follow.log 2>&1 & follow=$!
	until_true is_in public 10.0.0.3/32
	stop_firewalld; kill $bus; wait $bus 2>/dev/null
	wait $follow; is $? 2 "exit code when the bus ends"; grep -q "the system bus" $W/follow.log || fail "it says: $(cat $W/follow.log)"
}

# While some come, others go, and firewalld forgets: in the end those are in the zone that are on record.
case_many_at_once() {
	local i pids=()
	start_all
	for i in {1..16}; do works ADD old$i 10.0.0.$i/24; done
	reload
	for i in {1..16}; do
		(W=$W/d$i; mkdir $W; works DEL old$i 10.0.0.$i/24) & pids+=($!)
		(W=$W/a$i; mkdir $W; works ADD new$i 10.0.1.$i/24) & pids+=($!)
	done
	(W=$W/r; mkdir $W; expect 0 restore) & pids+=($!)
	for i in "${pids[@]}"; do wait $i || fail "one of them"; done
	is "$(cat $records/* | grep -c '^trusted 10.0.1')" 16 "lines on record"
	for i in {1..16}; do inside trusted 10.0.1.$i/32; outside trusted 10.0.0.$i/32; done
	is "$(ls -A $records | grep -vc '^net:new')" 0 "other files"
}

answers() { ip netns exec a ping -c1 -W1 10.0.0.1 >/dev/null; }

# The default zone drops: a container that is in no zone does not reach the host.
case_traffic() {
	ip netns add a
	ip link add veth0 type veth peer name eth0 netns a || skip "no veth"
	ip addr add 10.0.0.1/24 dev veth0; ip link set veth0 up; ip -n a addr add 10.0.0.2/24 dev eth0; ip -n a link set eth0 up
	until_true answers
	start_all
	answers && fail "the default zone lets it through"
	works ADD a 10.0.0.2/24; answers || fail "no answer in zone trusted: $(nft list ruleset)"
	reload; answers && fail "an answer after a reload"
	expect 0 restore; answers || fail "no answer after restore"
	works DEL a 10.0.0.2/24; answers && fail "an answer after DEL"
	true
}

. "$here/../lib/cases.sh"
