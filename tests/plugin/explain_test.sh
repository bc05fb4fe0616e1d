#!/bin/bash
# plumb explain, in TAP: what it says of a connection is compared with a real one, and what it says of things with things that were really spoilt. Each case is a process in
# namespaces of its own; it passes when it comes to its end.
#
#	tests/plugin/explain_test.sh [PATTERN]...       the cases whose names contain a pattern; all without
#	BIN=DIR                                         where plumb and the plugins are (build/MODE/bin)
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=${BIN:-$here/../../build/${MODE:-plain}/bin}
bin=$(cd "$bin" 2>/dev/null && pwd) || { echo "Bail out! no plumb in $bin: make it first"; exit 1; }
. "$here/../lib/words.sh"
. "$here/../lib/look.sh"

# ---- Verdict and connection ----

path() { sed -n "/\"paths\"/,\$p" $W/out; }
explained() { plumb explain web --path "$2" --from "$1" --json; [ -s $W/out ] || fail "explain web --path $2 --from $1: $(cat $W/err)"; }

# reaches FROM ADDRESS PORT [WHO]: explain says that it reaches, and it does.
reaches() {
	local place="$2:$3" got
	[[ $2 != *:* ]] || place="[$2]:$3"
	explained "$1" "$place"
	grep -qF '"outcome": "reaches"' $W/out || fail "explain: $1 to $place does not reach: $(path)"
	[ $code = 0 ] || fail "explain: exit $code of what reaches"
	got=$(ask "$1" "$2" "$3")
	[ "$got" = "${4:-web}" ] || fail "$1 to $place gets '$got', and explain says that it reaches"
}

# fails FROM ADDRESS PORT WORDS: explain says that it fails, by these words, and it does.
fails() {
	local place="$2:$3"
	[[ $2 != *:* ]] || place="[$2]:$3"
	explained "$1" "$place"
	grep -qF '"outcome": "fails"' $W/out || fail "explain: $1 to $place does not fail: $(path)"
	[ $code = 1 ] || fail "explain: exit $code of what fails"
	grep -F '"why":' $W/out | grep -qF -- "$4" || fail "explain: $1 to $place fails, but not by '$4': $(path)"
	is "$(patience=0.4 ask "$1" "$2" "$3")" "" "what $1 gets from $place"
}

# The remedy that explain has just given, run as it stands where it is commands.
remedy() { sed -n 's/^ *"remedy": "\(.*\)",*$/\1/p' $W/out | sed 's/\\"/"/g' | tail -1; }

two_networks() {
	network net br0 10.89.0.0/24 fd00:89::/64 "${1-}"
	network other br1 10.90.0.0/24 fd00:90::/64 "${2-}"
}

case_published() {
	two_networks
	attach net web -p 8080:80; attach net db; attach other far
	serve web 80
	for from in lan host db far; do
		reaches $from 192.0.2.1 8080
		reaches $from 2001:db8:1::1 8080
	done
	reaches web 192.0.2.1 8080
	reaches host 127.0.0.1 8080
	reaches host ::1 8080
	reaches host 10.89.0.1 8080
	reaches db 10.89.0.2 80
	reaches far 10.89.0.2 80
	reaches host 10.89.0.2 80
	explained lan 192.0.2.1:8080; prints '"published": true'; prints "published on any address of the host"; prints '"target": "web"'
	explained db 10.89.0.2:80; prints "over bridge br0"
}

case_not_published() {
	two_networks
	attach net web -p 8080:80
	serve web 80
	fails lan 192.0.2.1 8081 "nobody in the host listens"
	serve host 8081
	reaches lan 192.0.2.1 8081 host
	prints "no port is published there"
	fails lan 192.0.2.1 80 "nobody in the host listens"
	explained lan 127.0.0.1:8080; prints "every machine's own"
}

case_exact_and_ranges() {
	two_networks
	attach net web -p 192.0.2.1:8080:80 -p 127.0.0.1:8081:80 -p '[2001:db8:1::1]:8082:80'
	printf '{"cniVersion":"1.1.0","name":"ranged","plugins":[{"type":"bridge","bridge":"br2","isGateway":true,"ipMasq":true,"ipam":{"type":"host-local","subnet":"10.91.0.0/24","routes":[{"dst":"0.0.0.0/0"}]}},{"type":"portmap","runtimeConfig":{"portMappings":[{"hostPort":"9000-9009","containerPort":"9000-9009","protocol":"tcp"}]}}]}' >$W/conf/20-ranged.conflist
	attach ranged many
	serve web 80; serve many 9005
	reaches lan 192.0.2.1 8080; prints "published on exactly this address"
	reaches lan 2001:db8:1::1 8082
	reaches host 127.0.0.1 8081
	fails lan 192.0.2.1 8081 "nobody in the host listens"
	fails lan 2001:db8:1::1 8080 "nobody in the host listens"
	reaches lan 192.0.2.1 9005 many; prints "in a range of ports"
	fails lan 192.0.2.1 9010 "nobody in the host listens"
	fails lan 192.0.2.1 9006 "nobody in container many listens"
}

case_conditions() {
	network net br0 10.89.0.0/24 "" "" '"ipMasq": true,' '"conditionsV4": ["ip saddr 192.0.2.0/30"]'
	attach net web -p 8080:80
	serve web 80
	reaches lan 192.0.2.1 8080; prints "under conditions, which are met"
	ip -n lan address add 192.0.2.77/24 dev eth0; ip -n lan address del 192.0.2.2/24 dev eth0; ip -n lan address add 192.0.2.77/24 dev eth0 2>/dev/null
	ip route replace default via 192.0.2.77
	fails lan 192.0.2.1 8080 "nobody in the host listens"; prints "under conditions"; prints "does not meet"
}

reaches_by() { explained lan 198.51.100.1:8080; prints "comes in by $1"; }
case_strict_host_ip() {
	network net br0 10.89.0.0/24 "" "" '"ipMasq": true,' '"strictHostIP": true'
	ip link add dmz0 type veth peer name dmz1; ip link set dmz1 up; ip address add 198.51.100.1/24 dev dmz0; ip link set dmz0 up
	attach net web -p 198.51.100.1:8080:80 -p 192.0.2.1:8081:80
	serve web 80
	ip -n lan route add 198.51.100.0/24 via 192.0.2.1
	reaches lan 192.0.2.1 8081
	reaches host 198.51.100.1 8080
	reaches_by dmz0
	# who is on the LAN of dmz0 comes in there; one who comes by lan0 is kept out
	is "$(patience=0.4 ask lan 198.51.100.1 8080)" "" "a port with strictHostIP, by another link"
}

case_nobody_listens() {
	two_networks
	attach net web -p 8080:80 -p 8081:81
	fails lan 192.0.2.1 8080 "nobody in container web listens"
	serve web 81 127.0.0.1
	fails lan 192.0.2.1 8081 "at another address only"; prints "0.0.0.0"
	serve web 80
	reaches lan 192.0.2.1 8080
}

case_udp() {
	two_networks
	attach net web -p 8080:80/udp
	fails_udp() { explained lan 192.0.2.1:8080/udp; prints "$1"; }
	fails_udp "nobody in container web listens on 10.89.0.2:80 udp"
	ip netns exec web perl -MIO::Socket::IP -e '$s = IO::Socket::IP->new(LocalPort => 80, Proto => "udp") or die; open($f, ">", "/run/w/ready");
		while ($s->recv($b, 99)) { $s->send("web\n") }' & served+=($!)
	until_true test -e $W/ready
	explained lan 192.0.2.1:8080/udp; prints '"outcome": "reaches"'
	is "$(ip netns exec lan timeout 3 perl -MIO::Socket::IP -e '$s = IO::Socket::IP->new(PeerHost => "192.0.2.1", PeerPort => 8080, Proto => "udp"); $s->send("?"); $s->recv($b, 99); print $b')" web "a datagram's answer"
	explained lan 192.0.2.1:8080/tcp; prints '"outcome": "fails"'
}

# ---- Policy ----

case_kept_apart() {
	two_networks '"ingressPolicy": "same-bridge"' '"ingressPolicy": "same-bridge"'
	attach net web -p 8080:80; attach net db; attach other far
	serve web 80
	reaches db 10.89.0.2 80
	fails far 10.89.0.2 80 "chain to_net_"; prints "policy of network net"
	fails far fd00:89::2 80 "chain to_net_"
	reaches far 192.0.2.1 8080
	reaches lan 192.0.2.1 8080
}

# Inside one bridge it is the ports that are isolated, or, with br_netfilter, the policy's chain.
bridges_filter() { ! [ -e /proc/sys/net/bridge ] || sysctl -qw net.bridge.bridge-nf-call-iptables=$1 net.bridge.bridge-nf-call-ip6tables=$1; }

case_isolated() {
	bridges_filter 0
	two_networks '"ingressPolicy": "isolated"'
	attach net web -p 8080:80; attach net db
	serve web 80
	fails db 10.89.0.2 80 "isolated from each other"
	reaches lan 192.0.2.1 8080
}

case_isolated_and_filtered() {
	[ -e /proc/sys/net/bridge ] || skip "no br_netfilter"
	bridges_filter 1
	two_networks '"ingressPolicy": "isolated"'
	attach net web -p 8080:80; attach net db
	serve web 80
	fails db 10.89.0.2 80 "chain to_net_"
	prints "the host does not route it"
	nft -f - <<<'table bridge theirs { chain forw { type filter hook forward priority 0; tcp dport 81 drop; }; }'
	reaches lan 192.0.2.1 8080
}

case_bridge_tables() {
	bridges_filter 0
	two_networks
	attach net web; attach net db
	serve web 80
	nft -f - <<<'table bridge theirs { chain forw { type filter hook forward priority 0; ip daddr 10.89.0.2 tcp dport 80 drop; }; }' || skip "no nftables for bridges"
	fails db 10.89.0.2 80 "table bridge theirs, chain forw"
	reaches host 10.89.0.2 80
}

case_spoof_check() {
	bridges_filter 0
	network net br0 10.89.0.0/24 "" "" '"ipMasq": true, "macspoofchk": true,'
	attach net web; attach net db
	serve web 80
	reaches db 10.89.0.2 80
	ip -n db link set eth0 address 02:00:00:00:00:77
	fails db 10.89.0.2 80 "table bridge plumb, chain spoof_check"; prints "macspoofchk"
}

case_internal() {
	two_networks '"internal": true'
	attach net web -p 8080:80; attach net db; attach other far
	serve web 80; serve lan 80
	reaches db 10.89.0.2 80
	fails far 10.89.0.2 80 "drop"
	fails web 192.0.2.2 80 "chain from_net_"
	reaches host 10.89.0.2 80
}

case_unpublished_ports() {
	two_networks '"unpublishedPorts": "drop"'
	attach net web -p 8080:80; attach other far
	serve web 80
	ip -n lan route add 10.89.0.0/24 via 192.0.2.1
	reaches lan 192.0.2.1 8080
	fails lan 10.89.0.2 80 "chain to_net_"; prints "asked for by the container's own address"
	fails far 10.89.0.2 80 "chain to_net_"
}

case_direct_from_lan() {
	two_networks
	attach net web
	serve web 80
	ip -n lan route add 10.89.0.0/24 via 192.0.2.1
	reaches lan 10.89.0.2 80
}

case_egress() {
	two_networks '"egressDeny": ["192.0.2.2/32"]' '"egressAllow": ["host"]'
	attach net web; attach other far
	serve lan 80; serve host 81
	fails web 192.0.2.2 80 "chain from_net_"; prints "ip daddr 192.0.2.2 drop"
	fails far 192.0.2.2 80 "chain from_other_"
	reaches far 192.0.2.1 81 host
	ip netns add out; ip -n out link set lo up
	ip -n lan address add 192.0.2.3/24 dev eth0
	reaches web 192.0.2.3 80 lan
}

case_host_not_reachable() {
	two_networks '"internal": true, "hostReachable": false'
	attach net web
	serve host 81
	fails web 10.89.0.1 81 "chain host_net_"
}

# ---- Outwards ----

case_masquerade() {
	two_networks
	network plain br2 10.92.0.0/24 "" "" ""
	attach net web; attach plain bare
	serve lan 80
	reaches web 192.0.2.2 80 lan; prints "masqueraded: it comes from 192.0.2.1 now"
	reaches web 2001:db8:1::2 80 lan
	explained bare 192.0.2.2:80; prints '"outcome": "may fail"'; prints "not masqueraded"
	is "$(patience=0.4 ask bare 192.0.2.2 80)" "" "what comes back without masquerading"
	ip -n lan route add 10.92.0.0/24 via 192.0.2.1
	is "$(ask bare 192.0.2.2 80)" lan "what comes back once the LAN knows the way"
}

# ---- Other programs' rules ----

# each_drop RULES WORDS: an nft table of somebody else
foreign_drop() {
	nft -f - <<<"$1" || fail "nft: $1"
	fails lan 192.0.2.1 8080 "$2"
	reaches host 192.0.2.1 8080
	nft delete table inet theirs
	reaches lan 192.0.2.1 8080
}

case_foreign_tables() {
	two_networks
	attach net web -p 8080:80
	serve web 80
	foreign_drop 'table inet theirs { chain forw { type filter hook forward priority 10; policy drop; }; }' "table inet theirs, chain forw: its policy is drop"
	foreign_drop 'table inet theirs { chain forw { type filter hook forward priority 10; oifname "br*" tcp dport 80 counter drop; }; }' 'tcp dport 80 counter packets'
	foreign_drop 'table inet theirs { chain more { ip daddr 10.89.0.0/24 reject; }; chain forw { type filter hook forward priority 10; jump more; }; }' "chain more"
	foreign_drop 'table inet theirs { set bad { type ipv4_addr; elements = { 192.0.2.2 }; }; chain pre { type filter hook prerouting priority -150; ip saddr @bad drop; }; }' "chain pre: ip saddr @bad drop"
	foreign_drop 'table inet theirs { chain forw { type filter hook forward priority -5; ct state vmap { established : accept, related : accept, invalid : drop, new : drop }; }; }' "chain forw"
	foreign_drop 'table inet theirs { chain forw { type filter hook forward priority -5; tcp dport { 80, 443 } ct status dnat ip saddr 192.0.2.0-192.0.2.9 drop; }; }' "chain forw"
	foreign_drop 'table inet theirs { chain forw { type filter hook forward priority 10; iifname "br0" drop; }; }' "the answer is dropped by table inet theirs"
	nft -f - <<<'table inet theirs { chain forw { type filter hook forward priority 10; iifname "eth9" drop; tcp dport 81 drop; ip6 hoplimit 1 drop; meta l4proto udp drop; ct state established accept; }; }'
	reaches lan 192.0.2.1 8080
}

case_foreign_remedy() {
	two_networks
	attach net web -p 8080:80
	serve web 80
	nft -f - <<<'table inet theirs { chain forw { type filter hook forward priority 10; policy drop; }; }'
	fails lan 192.0.2.1 8080 "table inet theirs, chain forw"
	(eval "$(remedy | sed 's/.*both ways: //')") || fail "the remedy does not run: $(remedy)"
	reaches lan 192.0.2.1 8080
	serve lan 80
	reaches web 192.0.2.2 80 lan
}

case_foreign_maybe() {
	two_networks
	attach net web -p 8080:80
	serve web 80
	nft -f - <<<'table inet theirs { chain forw { type filter hook forward priority 10; limit rate over 1000/second drop; }; }'
	explained lan 192.0.2.1:8080; prints '"outcome": "may fail"'; prints "may be dropped by table inet theirs, chain forw: limit rate over 1000/second"
	is $code 0 "exit code of what may fail"
	is "$(ask lan 192.0.2.1 8080)" web "a connection within the limit"
}

# Docker's own rules, as they were captured: what it drops is named, with the place that it has for others' rules.
case_docker() {
	local file cut=0
	two_networks
	attach net web -p 8080:80
	serve web 80
	for file in "$here"/data/docker-*.nft; do
		nft -f "$file" || { echo "nft does not take $file"; continue; }
		explained lan 192.0.2.1:8080
		if [ -n "$(patience=0.4 ask lan 192.0.2.1 8080)" ]; then reaches lan 192.0.2.1 8080
		else fails lan 192.0.2.1 8080 "dropped by table ip"; cut=$((cut + 1)); fi
		(eval "$(remedy | sed 's/.*both ways: //')") 2>$W/err || fail "the remedy does not run: $(remedy): $(cat $W/err)"
		reaches lan 192.0.2.1 8080
		nft -j list tables | grep -o '"family": "[a-z0-9]*", "name": "[A-Za-z0-9_-]*"' | sed 's/"family": "\(.*\)", "name": "\(.*\)"/\1 \2/' | while read -r family table; do
			[ "$table" = plumb ] || nft delete table "$family" "$table"
		done
		reaches lan 192.0.2.1 8080
	done
	[ $cut -gt 0 ] || skip "nft takes none of the rulesets that drop"
}

case_iptables_nft() {
	command -v iptables-nft >/dev/null || skip "no iptables-nft"
	two_networks
	attach net web -p 8080:80
	serve web 80
	iptables-nft -P FORWARD DROP || skip "iptables-nft does not work here"
	fails lan 192.0.2.1 8080 "table ip filter"; prints "iptables -I FORWARD -i br0 -j ACCEPT"
	iptables-nft -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -m comment --comment "answers go back" -j ACCEPT
	fails lan 192.0.2.1 8080 "its policy is drop"
	iptables-nft -A FORWARD -o br0 -p tcp -m multiport --dports 80,443 -j ACCEPT
	reaches lan 192.0.2.1 8080
	iptables-nft -I FORWARD -m addrtype --dst-type LOCAL -j DROP
	iptables-nft -I FORWARD -s 198.51.100.0/24 -j DROP
	iptables-nft -I FORWARD ! -i lan0 -d 10.89.0.0/24 -j DROP
	reaches lan 192.0.2.1 8080
	iptables-nft -I FORWARD -m conntrack --ctstate NEW -s 192.0.2.0/24 -j REJECT
	fails lan 192.0.2.1 8080 "rejected by table ip filter"; prints "--ctstate NEW -j REJECT"
}

case_iptables_legacy() {
	command -v iptables-legacy >/dev/null || skip "no iptables-legacy"
	two_networks
	attach net web -p 8080:80
	serve web 80
	iptables-legacy -N MINE 2>/dev/null || skip "the kernel has no iptables-legacy"
	iptables-legacy -A FORWARD -j MINE; iptables-legacy -A MINE -p tcp --dport 80 -j DROP
	fails lan 192.0.2.1 8080 "table ip filter of iptables-legacy, chain MINE: -A MINE -p tcp -m tcp --dport 80 -j DROP"
	iptables-legacy -I FORWARD -i lan0 -j ACCEPT
	reaches lan 192.0.2.1 8080
	iptables-legacy -F; iptables-legacy -P FORWARD DROP
	fails lan 192.0.2.1 8080 "its policy is drop"; prints "iptables-legacy -I FORWARD"
	(eval "$(remedy | sed 's/.*both ways: //')"); reaches lan 192.0.2.1 8080
}

case_admin_chain() {
	two_networks
	attach net web -p 8080:80; attach net db
	serve web 80
	nft add rule inet plumb CNI-ADMIN ip saddr 192.0.2.2 tcp dport 80 drop
	fails lan 192.0.2.1 8080 "chain CNI-ADMIN: ip saddr 192.0.2.2 tcp dport 80 drop"; prints "a rule of yours"
	reaches host 192.0.2.1 8080
}

# ---- The kernel's own ways to drop ----

case_forwarding_off() {
	two_networks
	attach net web -p 8080:80
	serve web 80
	sysctl -qw net.ipv4.ip_forward=0
	fails lan 192.0.2.1 8080 "does not forward IPv4"
	reaches host 192.0.2.1 8080
	eval "$(remedy)" >/dev/null
	reaches lan 192.0.2.1 8080
	sysctl -qw net.ipv6.conf.all.forwarding=0
	fails lan 2001:db8:1::1 8080 "does not forward IPv6"
}

case_links_and_routes() {
	local veth
	two_networks
	attach net web -p 8080:80
	serve web 80
	veth=$(ip -o link show master br0 | sed 's/^[0-9]*: \([^@:]*\).*/\1/')
	ip link set "$veth" down
	fails lan 192.0.2.1 8080 "is down"
	ip link set "$veth" up
	until_true sh -c "ip -o link show $veth | grep -q 'state UP'"
	reaches lan 192.0.2.1 8080
	ip -n web route del default
	fails lan 192.0.2.1 8080 "no route back to 192.0.2.2"
	ip -n web route add default via 10.89.0.1
	reaches lan 192.0.2.1 8080
	ip address del 10.89.0.1/24 dev br0
	fails host 10.89.0.2 80 "by lan0"
}

case_rp_filter() {
	two_networks
	attach net web -p 8080:80
	serve web 80
	ip netns add wan; ip -n wan link set lo up
	ip link add wan0 type veth peer name eth0 netns wan; ip address add 198.51.100.1/24 dev wan0; ip link set wan0 up
	ip -n wan address add 198.51.100.2/24 dev eth0; ip -n wan link set eth0 up; ip -n wan route add default via 198.51.100.1
	sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.wan0.rp_filter=1
	ip route add 203.0.113.0/24 via 198.51.100.2; ip -n wan address add 203.0.113.5/32 dev lo
	reaches lan 192.0.2.1 8080
	is "$(ask wan 198.51.100.1 8080)" web "who comes in by the second link"
	explained lan 198.51.100.1:8080; prints '"outcome": "reaches"'
}

case_gone() {
	two_networks
	attach net web -p 8080:80; attach net db
	ip netns del web
	plumb explain db --path 10.89.0.2:80 --from host; prints "nobody has 10.89.0.2 any more: container web had it"; prints "plumb gc net"
	ip -n db link show eth0 >/dev/null
	plumb explain db --path 10.89.0.77:80 --from host; prints "nobody on this host has 10.89.0.77"
}

# ---- Things ----

# ill KIND WORDS: explain says that something of the kind is not as it should be.
ill() { expect 1 explain web; grep -E "✗ $1 " $W/out | grep -qF -- "$2" || fail "explain does not say that $1 is ill by '$2': $(cat $W/out)"; }
well() { expect 0 explain web; ! grep -q ✗ $W/out || fail "explain: ill: $(cat $W/out)"; }
hint() { grep -F -A1 -- "$1" $W/out | sed -n 's/^ *→ //p'; }

case_things() {
	local veth
	two_networks '"ingressPolicy": "same-bridge"'
	attach net web -p 8080:80
	well; prints "✓ lease"; prints "publish_any4: tcp . 8080 : 10.89.0.2 . 80"; prints "masq_10.89.0.0/24 (2 rules)"; prints "port of br0"
	veth=$(ip -o link show master br0 | sed 's/^[0-9]*: \([^@:]*\).*/\1/')

	ip -n web address del 10.89.0.2/24 dev eth0; ill address "10.89.0.2/24 is not on eth0"
	ip -n web address add 10.89.0.2/24 dev eth0; ill route "default is gone"
	ip -n web route add default via 10.89.0.1; well
	ip -n web link set eth0 mtu 1400; ill "host's end" "the ends differ"; eval "$(hint "the ends differ")"; ip -n web link set eth0 mtu 1500; ip link set "$veth" mtu 1500; well
	ip link set "$veth" nomaster; ill "host's end" "not a port of bridge br0"; eval "$(hint "not a port")"; until_true sh -c "ip -o link show $veth | grep -q 'state UP'"; well
	mv /var/lib/cni/networks/net/10.89.0.2 $W/lease; ill lease "No such file"; mv $W/lease /var/lib/cni/networks/net/10.89.0.2; well
	printf 'other\r\neth0' >/var/lib/cni/networks/net/10.89.0.2; ill lease "belongs to container other"
	printf '%s\r\neth0' "$(sed -n 's/.*id \([^,]*\),.*/\1/p;q' $W/out)" >/var/lib/cni/networks/net/10.89.0.2; well
	nft delete element inet plumb publish_any4 '{ tcp . 8080 }'; ill nftables "1 element on record is missing, or another's: publish_any4"; eval "$(PATH=$bin:$PATH; hint publish_any4 | sed "s,^plumb,$bin/plumb,")" >/dev/null; well
	nft flush chain inet plumb publish; ill nftables "chain publish: has 0 rules"; "$bin/plumb" restore >/dev/null; well
	nft flush chain inet plumb masq_10.89.0.0/24; ill nftables "has lost its rules"
	nft flush ruleset; ill nftables "is not there"; "$bin/plumb" restore >/dev/null; well
	sysctl -qw net.ipv4.ip_forward=0; ill setting "ip_forward is off"; sysctl -qw net.ipv4.ip_forward=1
	ip link set br0 down; ill bridge "down"; ip link set br0 up; until_true sh -c "ip -o link show br0 | grep -q 'state UP'"; well
	ip -n web link set eth0 down; ill interface "down"; ip -n web link set eth0 up; ip -n web route add default via 10.89.0.1
	ip -n web link set eth0 address 02:00:00:00:00:99; ill interface "it was made with MAC"
	ip link del br0; ill bridge "br0 is gone"; hint "not a port" | grep -q "attach it anew" || fail "made a port of what is gone: $(cat $W/out)"
	ip netns del web; ill namespace "/run/netns/web is gone"; prints "(left over)"; prints "plumb gc net"
}

case_names() {
	two_networks
	attach net web --id 0123456789abcdef; attach other web --id 0123456789abcdef -i eth1
	for name in web 0123456789abcdef 0123 /run/netns/web; do
		expect 0 explain $name; prints "network net, as eth0"; prints "network other, as eth1"
	done
	expect 3 explain nobody; says 'no container "nobody"'
	attach net db --id 0123ffff
	expect 1 explain 0123; says "say more of it"
	expect 0 explain web --json; prints '"containerID": "0123456789abcdef"'; prints '"kind": "lease"'
	python3 -c 'import json,sys; json.load(open("/run/w/out"))' 2>/dev/null || perl -MJSON::PP -e 'local $/; decode_json(<STDIN>)' <$W/out || fail "not JSON: $(path)"
}

case_usage() {
	two_networks
	attach net web
	expect 2 explain; expect 2 explain web --from lan; says "--from goes with --path"
	for bad in 80 192.0.2.1 192.0.2.1:0 192.0.2.1:99999 192.0.2.1:+80 192.0.2.1:80/icmp nobody:80 fd00::1:80; do expect 2 explain web --path "$bad"; says "--path $bad"; done
	expect 2 explain web --path :80 --from nobody; says "--from nobody"
	expect 1 explain web --path :80; prints "from the LAN to 10.89.0.2:80/tcp"; prints "from the host to"
	expect 0 explain --help; prints "--path PLACE"
}

# A container of another runtime: only its record and its links are there.
case_other_runtime() {
	two_networks
	attach net web --id pod-1 -p 8080:80
	sed -i 's/"networkName":"net"/"networkName":"net","cniArgs":[["IgnoreUnknown","1"],["K8S_POD_NAME","frontend"]]/' /var/lib/cni/results/net-pod-1-eth0
	expect 0 explain frontend; prints "frontend  id pod-1"
	rm $W/conf/10-net.conflist
	expect 0 explain frontend; prints "is not in $W/conf any more"
}

. "$here/../lib/cases.sh"
