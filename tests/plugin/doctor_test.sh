#!/bin/bash
# plumb doctor, in TAP: each finding is provoked, named, and gone once its remedy has been done. Each case is a process in namespaces of its own; it passes when it comes to its
# end.
#
#	tests/plugin/doctor_test.sh [PATTERN]...        the cases whose names contain a pattern; all without
#	BIN=DIR                                         where plumb and the plugins are (build/MODE/bin)
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=${BIN:-$here/../../build/${MODE:-plain}/bin}
bin=$(cd "$bin" 2>/dev/null && pwd) || { echo "Bail out! no plumb in $bin: make it first"; exit 1; }
. "$here/../lib/words.sh"
. "$here/../lib/look.sh"

# ---- What cases are written with ----

# finding LEVEL ID WORDS: doctor has it; its remedy is in $remedy.
finding() {
	plumb doctor --json
	remedy=$(perl -MJSON::PP -e 'local $/; for (@{decode_json(<STDIN>)->{findings}}) {
		next unless $_->{level} eq $ARGV[0] && $_->{id} eq $ARGV[1] && index($_->{what}, $ARGV[2]) >= 0;
		die "no why\n" unless defined $_->{why}; print $_->{remedy}; exit 0 } exit 1' "$1" "$2" "$3" <$W/out) || fail "no $1 $2 '$3': $(cat $W/out $W/err)"
	[ -n "$remedy" ] || fail "$2: no remedy"
	[ "$1" != problem ] || [ $code = 1 ] || fail "$2 is a problem, and the exit code is $code"
}
no_finding() { plumb doctor --json; ! grep -qF "\"id\": \"$1\"" $W/out || fail "$1 is found: $(cat $W/out)"; }
well() { expect 0 doctor; prints "0 problems"; }
run_remedy() { (PATH=$bin:$PATH; eval "${1:-$remedy}") >$W/remedied 2>&1 || fail "the remedy '${1:-$remedy}' fails: $(cat $W/remedied)"; }

# A directory of the plugins, to be changed.
own_bin() { mkdir -p $W/bin; cp "$bin"/{bridge,portmap,firewall,host-local,ptp,plumb-ruleset} $W/bin; export CNI_PATH=$W/bin; }

one_network() { network net br0 10.89.0.0/24 fd00:89::/64; attach net web -p 8080:80; }

case_well() {
	expect 0 doctor; prints "0 problems"; prints "0 networks, 0 attachments"
	one_network
	well; prints "1 network, 1 attachment"
	expect 0 doctor --json; prints '"well": true'
	expect 0 doctor --fix; prints_not fixed
	expect 2 doctor more; expect 0 doctor --help; prints "--fix"
}

# ---- The kernel ----

case_forwarding() {
	one_network
	sysctl -qw net.ipv4.ip_forward=0; finding problem forwarding-off "net.ipv4.ip_forward is 0"; run_remedy "${remedy%%, and*}"
	sysctl -qw net.ipv6.conf.all.forwarding=0; finding problem forwarding-off "net.ipv6.conf.all.forwarding is 0"; run_remedy "${remedy%%, and*}"
	no_finding forwarding-off; well
}

case_rp_filter() {
	one_network
	ip link add dmz0 type veth peer name dmz1; ip link set dmz1 up; ip address add 198.51.100.1/24 dev dmz0; ip link set dmz0 up
	sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.lan0.rp_filter=1 net.ipv4.conf.dmz0.rp_filter=0
	no_finding rp-filter-strict
	sysctl -qw net.ipv4.conf.dmz0.rp_filter=1
	finding warning rp-filter-strict "rp_filter of dmz0 is strict"; run_remedy "${remedy%% (*}"
	no_finding rp-filter-strict
}

case_br_netfilter() {
	[ -e /proc/sys/net/bridge ] || skip "no br_netfilter"
	one_network
	sysctl -qw net.bridge.bridge-nf-call-iptables=1; finding note br-netfilter "br_netfilter is on"
	sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0; no_finding br-netfilter
}

# A helper whose ruleset the kernel refuses; the kernel itself cannot be made to lack something.
case_ruleset_refused() {
	one_network
	own_bin
	printf '#!/bin/sh\nexit 1\n' >$W/bin/plumb-ruleset
	finding problem kernel-ruleset "does not take plumb's ruleset"
	cp "$bin"/plumb-ruleset $W/bin; no_finding kernel-ruleset
}

# What the kernel here lacks is a problem where a network asks for it, else a note.
case_vlans() {
	one_network
	! ip link add v9 type bridge vlan_filtering 1 2>/dev/null || { ip link del v9; no_finding kernel-feature; skip "the kernel has VLAN filtering"; }
	finding note kernel-feature "VLAN filtering"
	network tagged br1 10.91.0.0/24 "" "" '"vlan": 7, '; finding problem kernel-feature "VLAN filtering"
}

# ---- Firewalls ----

case_foreign_drop() {
	one_network; network other br1 10.90.0.0/24; attach other far
	nft -f - <<<'table inet theirs { chain forw { type filter hook forward priority 10; policy drop; }; }'
	finding problem foreign-drop "network other: what goes out (IPv4) is dropped by another program's firewall: table inet theirs, chain forw"
	run_remedy "$(sed 's/.*both ways: //; s/; or .*//' <<<"$remedy")"
	finding problem foreign-drop "network net: what comes in by published ports (IPv4)"
	run_remedy "$(sed 's/.*both ways: //; s/; or .*//' <<<"$remedy")"
	no_finding foreign-drop
	finding warning foreign-policy "table inet theirs, chain forw"
	nft delete table inet theirs; no_finding foreign-policy; well
}

case_foreign_maybe() {
	one_network
	nft -f - <<<'table ip theirs { chain forw { type filter hook forward priority 10; limit rate over 10/second drop; }; }'
	finding warning foreign-drop "may be dropped"
	nft delete table ip theirs; no_finding foreign-drop
}

case_legacy() {
	command -v iptables-legacy >/dev/null || skip "no iptables-legacy"
	one_network
	iptables-legacy -A INPUT -s 198.51.100.9 -j DROP 2>/dev/null || skip "the kernel has no iptables-legacy"
	finding warning legacy-tables "iptables-legacy are in use"; run_remedy "iptables-legacy -F"
	iptables-legacy -P FORWARD DROP; finding problem foreign-drop "of iptables-legacy, chain FORWARD: its policy is drop"
	iptables-legacy -P FORWARD ACCEPT; no_finding legacy-tables; well
}

case_rules_unread() {
	one_network
	mount --bind "$(type -P false)" "$(readlink -f "$(command -v nft)")" || skip "no bind mounts"
	finding warning rules-unread "nftables' rules (nft failed"
	umount "$(readlink -f "$(command -v nft)")"; no_finding rules-unread
}

# Chains as the reference's portmap and ipMasq name them: a hash of network and container.
case_reference_leftovers() {
	local live
	command -v iptables-nft >/dev/null || skip "no iptables-nft"
	network net br0 10.89.0.0/24; attach net web --id web
	live=$(printf netweb | sha512sum)
	iptables-nft -t nat -N "CNI-${live:0:24}"; iptables-nft -t nat -N "CNI-DN-${live:0:21}"
	no_finding reference-leftover
	iptables-nft -t nat -N CNI-0123456789abcdef01234567; iptables-nft -t nat -A POSTROUTING -s 10.1.0.9 -j CNI-0123456789abcdef01234567
	finding warning reference-leftover "chain CNI-0123456789abcdef01234567"
	iptables-nft -t nat -D POSTROUTING -s 10.1.0.9 -j CNI-0123456789abcdef01234567; iptables-nft -t nat -X CNI-0123456789abcdef01234567
	iptables-nft -t nat -N CNI-DN-0123456789abcdef01234; finding warning reference-leftover "CNI-DN-0123456789abcdef01234"
	iptables-nft -t nat -X CNI-DN-0123456789abcdef01234; no_finding reference-leftover
}

# ---- Networks ----

case_configurations() {
	one_network
	echo '{ "name": "half' >$W/conf/99-half.conflist; finding problem conf-broken "99-half.conflist: not valid JSON"; rm $W/conf/99-half.conflist
	network strange br9 10.99.0.0/24; sed -i 's/"portmap"/"portmapper"/' $W/conf/10-strange.conflist
	finding problem plugin-missing "network strange names plugin portmapper"
	sed -i 's/"portmapper"/"portmap"/; s/"host-local"/"dhcpd"/' $W/conf/10-strange.conflist; finding problem plugin-missing "plugin dhcpd"
	rm $W/conf/10-strange.conflist; well
}

case_overlaps() {
	one_network
	network wide br1 10.88.0.0/13; finding problem subnets-overlap "10.89.0.0/24"
	sed -i 's,10.88.0.0/13,10.96.0.0/13,' $W/conf/10-wide.conflist; no_finding subnets-overlap; well
	ip route add 10.0.0.0/8 via 192.0.2.2; finding warning route-overlap "the host's route 10.0.0.0/8 by lan0"
	ip route del 10.0.0.0/8; ip route add 10.89.0.128/25 via 192.0.2.2; finding problem route-overlap "10.89.0.128/25 by lan0"
	ip route del 10.89.0.128/25; no_finding route-overlap; well
}

case_port_nowhere() {
	one_network; attach net db -p 192.0.2.1:5432:5432 -p 192.0.2.77:5433:5432
	finding warning port-nowhere "container db publishes port 5433 at 192.0.2.77"; grep -q "port 5432 at" $W/out && fail "$(cat $W/out)"
	ip address add 192.0.2.77/32 dev lan0; no_finding port-nowhere; well
}

case_pool() {
	local i
	network net br0 10.89.0.0/28
	for i in $(seq 11); do attach net c$i; done
	no_finding pool-full
	attach net c12; finding warning pool-full "12 of 13 addresses of 10.89.0.0/28"
	attach net c13; finding problem pool-full "13 of 13 addresses"
	ip netns add c14; expect 1 add net c14; says "no "
	for i in 12 13; do expect 0 del net c$i; done
	no_finding pool-full; well
}

case_bridge_ports() {
	one_network
	for i in $(seq 920); do echo "link add p$i type veth peer name q$i"; echo "link set p$i master br0"; done >$W/batch
	ip -batch $W/batch || fail "making 920 ports"
	finding warning bridge-full "bridge br0 has 921 of the 1023 ports"
	ip link set p1 nomaster; no_finding bridge-full
}

# ---- Records ----

case_dead() {
	one_network; attach net db
	ip netns del web
	finding warning attachment-dead "container web (eth0) is attached on record only"
	finding warning nftables-stale "of containers whose namespace is gone"
	run_remedy "${remedy%%, or*}"
	no_finding attachment-dead; no_finding nftables-stale; well
	ip netns del db; expect 0 doctor --fix; prints "fixed: network net: container db (eth0)"
	[ -z "$(ls /var/lib/cni/results)" ] || fail "records are left"
	[ ! -e /var/lib/cni/networks/net/10.89.0.3 ] || fail "a lease is left"
}

# What gc could not remove, doctor does not promise to.
case_stale_without_gc() {
	one_network
	ip netns del web; rm /var/lib/cni/results/*; sed -i 's/"1\.1\.0"/"1.0.0"/' $W/conf/*
	finding warning nftables-stale "of containers whose namespace is gone"
	is "$remedy" "write \"cniVersion\": \"1.1.0\" into $W/conf/10-net.conflist, from which on plugins can be asked; then plumb gc net" "the remedy"
	expect 0 doctor --fix; prints_not fixed
	rm $W/conf/*; finding warning nftables-stale "of containers whose namespace is gone"; run_remedy "${remedy#*: }"
	no_finding nftables-stale; well
}

case_lame() {
	one_network
	ip -n web link del eth0
	finding problem attachment-lame "container web lives, but its interface eth0 is gone"
	expect 0 del net web; attach net web; no_finding attachment-lame; well
	local near=$(ip -o link show master br0 | sed -n '1s/^[0-9]*: \([^@]*\)@.*/\1/p')
	ip link set "$near" nomaster; finding problem attachment-lame "is no port of bridge br0"
	ip link set "$near" master br0; no_finding attachment-lame
	ip link del br0; finding problem attachment-lame "container web lives, but bridge br0 is gone"
}

case_stale_leases() {
	one_network
	printf 'nobody\r\neth0' >/var/lib/cni/networks/net/10.89.0.77
	finding warning lease-stale "10.89.0.77 is held by container nobody"
	expect 0 doctor --fix; prints "fixed: network net: 10.89.0.77"; no_finding lease-stale
	[ ! -e /var/lib/cni/networks/net/10.89.0.77 ] || fail "the lease is left"
	[ -e /var/lib/cni/networks/net/10.89.0.2 ] || fail "a living container's lease is gone"
	# somebody lives there who is on no record of ours: not ours to collect
	printf 'stranger\r\neth0' >/var/lib/cni/networks/net/10.89.0.78
	ip link add theirs type veth peer name theirs1; ip link set theirs master br0
	finding note lease-stale "10.89.0.78 is held by container stranger"
	expect 0 doctor --fix
	[ -e /var/lib/cni/networks/net/10.89.0.78 ] || fail "another runtime's lease was collected"
}

case_lost_tables() {
	one_network; serve web 80
	is "$(ask lan 192.0.2.1 8080)" web "the published port"
	nft flush ruleset; finding problem table-lost "table inet plumb is not there"
	run_remedy "${remedy%%, or*}"; no_finding table-lost; well
	nft flush chain inet plumb prerouting; finding problem table-lost "chain prerouting: has 0 rules"
	expect 0 doctor --fix; prints "fixed: nftables table inet plumb"; well
	nft flush map inet plumb publish_any4; finding problem elements-lost "1 element on record is missing"
	expect 0 doctor --fix --json; prints '"fixed": ['; prints '"well": true'; well
	is "$(ask lan 192.0.2.1 8080)" web "the published port, restored"
}

# ---- What is installed ----

case_mixed() {
	local id
	one_network
	own_bin
	no_finding mixed-builds; no_finding mixed-plugins
	id=$(grep -aoE '[0-9a-f]{40} ptp' $W/bin/ptp | head -1 | cut -c1-40)
	[ -n "$id" ] || fail "no build id in ptp"
	sed -i "s/$id/0000000000000000000000000000000000000000/" $W/bin/ptp
	finding warning mixed-builds "ptp"
	printf '#!/bin/sh\n' >$W/bin/ptp; finding warning mixed-plugins "$W/bin/ptp"
	cp "$bin"/ptp $W/bin; no_finding mixed-builds; no_finding mixed-plugins
}

case_helpers() {
	one_network
	own_bin
	rm $W/bin/plumb-ruleset; finding problem helper-missing "no plumb-ruleset"
	cp "$bin"/plumb-ruleset $W/bin; no_finding helper-missing
	nft -f - <<<'table inet firewalld { chain forw { type filter hook forward priority 10; }; }'
	finding warning helper-missing "no plumb-firewalld"
	nft delete table inet firewalld; no_finding helper-missing
}

case_directories() {
	one_network
	mount -t tmpfs -o ro none /var/lib/cni/networks || skip "no tmpfs"
	finding problem not-writable "/var/lib/cni/networks cannot be written: Read-only file system"
	umount /var/lib/cni/networks; no_finding not-writable; well
}

case_name_server() {
	local dir=/run/plumb/names/servers/net pid
	one_network
	mkdir -p $dir; echo 999999 >$dir/pid
	finding problem name-server-dead "the name server of network net does not run"
	perl -e 'open($f, ">", "/run/w/ready"); sleep 60' -- --pid-file=$dir/pid & pid=$!; served+=($pid)
	until_true test -e $W/ready
	echo $pid >$dir/pid; no_finding name-server-dead
	echo 1 >$dir/pid; finding problem name-server-dead "network net"
}

# With the plugin itself, and the remedy: it is started anew with the next container.
case_name_server_of_dnsname() {
	local pid
	type -P dnsmasq >/dev/null || PATH=$PATH:/usr/sbin type -P dnsmasq >/dev/null || skip "no dnsmasq"
	network net br0 10.89.0.0/24
	sed -i 's/"portMappings": true } }/&, { "type": "dnsname", "domainName": "net.test" }/' $W/conf/10-net.conflist
	attach net web
	pid=$(cat /run/plumb/names/servers/net/pid) || fail "no name server: $(ls -R /run/plumb/names)"
	served+=($pid)
	no_finding name-server-dead; well
	kill -KILL $pid; until_true sh -c "! kill -0 $pid 2>/dev/null || grep -q 'State:.Z' /proc/$pid/status"
	finding problem name-server-dead "the name server of network net does not run"
	attach net db; served+=("$(cat /run/plumb/names/servers/net/pid)")
	no_finding name-server-dead; well
}

. "$here/../lib/cases.sh"
