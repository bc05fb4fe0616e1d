#!/bin/bash
# Containers on a host with a firewall of somebody else's: a real ufw, a real firewalld, a real dockerd where there is one, else its rules as they were
# captured (tests/plugin/data/docker-*.nft). In TAP. Each case is a process in namespaces of its own, with a /run, /etc and /var/lib of its own for these
# programs; it passes when it comes to its end.
#
#	tests/plugin/foreign_test.sh [PATTERN]...       the cases whose names contain a pattern; all without
#	BIN=DIR                                         where plumb and the plugins are (build/MODE/bin)
#	DOCKERD=FILE                                    the dockerd to try (one of $PATH)
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=${BIN:-$here/../../build/${MODE:-plain}/bin}
bin=$(cd "$bin" 2>/dev/null && pwd) || { echo "Bail out! no plugins in $bin: make them first"; exit 1; }
W=/run/w
. "$here/../lib/words.sh"
. "$here/../lib/firewalld.sh"

# ---- What cases are written with ----

# plumb; output in $W/out and $W/err.
expect() {
	local want=$1 code
	shift
	"$bin/plumb" "$@" >$W/out 2>$W/err </dev/null
	code=$?
	[ $code = "$want" ] || fail "plumb $*: exit $code, want $want: $(cat $W/out $W/err)"
}
says() { grep -qF -- "$1" $W/err || fail "stderr does not say '$1': $(cat $W/err)"; }
says_nothing() { ! grep -q . $W/err || fail "stderr says: $(cat $W/err)"; }

# The network, with members of firewall's configuration.
network() {
	cat >$W/conf/10-net.conflist <<-NETWORK
		{ "cniVersion": "1.1.0", "name": "net", "plugins": [
		  { "type": "bridge", "bridge": "br0", "isGateway": true, "ipMasq": true, "ipam": { "type": "host-local",
		    "ranges": [[{ "subnet": "10.89.0.0/24" }], [{ "subnet": "fd00:89::/64" }]], "routes": [{ "dst": "0.0.0.0/0" }, { "dst": "::/0" }] } },
		  { "type": "portmap", "capabilities": { "portMappings": true } },
		  { "type": "firewall"${1:+, $1} } ] }
	NETWORK
}

# Answers each connection with its own namespace's name.
serve() {
	ip netns exec "$1" perl -MIO::Socket::IP -e '$0 = "served"; $s = IO::Socket::IP->new(LocalHost => "::", V6Only => 0, LocalPort => $ARGV[0], Listen => 9,
		ReuseAddr => 1) or die "$@"; open($f, ">", "/run/w/served.$ARGV[1]"); while ($c = $s->accept) { print $c "$ARGV[1]\n"; close $c }' "$2" "$1" &
	served+=($!)
	until_true test -e "$W/served.$1"
}
# ask FROM ADDRESS PORT SECONDS
ask() { ip netns exec "$1" timeout "$4" bash -c 'read -r word <"/dev/tcp/$0/$1" && echo "$word"' "$2" "$3" 2>/dev/null; }
reaches() { is "$(ask "$1" "$2" "$3" 5)" "$4" "what $1 gets from $2 port $3"; }
is_cut() { is "$(ask "$1" "$2" "$3" 0.4)" "" "what $1 gets from $2 port $3"; }

# Out to the LAN, and in by the published port. families: 4 and 6 as the case needs.
families="4 6"
goes_through() {
	local f
	for f in $families; do
		reaches a "${lan[$f]}" 80 lan
		reaches lan "${host[$f]}" 8080 a
	done
}
is_cut_off() {
	local f
	for f in $families; do
		is_cut a "${lan[$f]}" 80
		is_cut lan "${host[$f]}" 8080
	done
}
declare -A lan=([4]=192.0.2.2 [6]=2001:db8:1::2) host=([4]=192.0.2.1 [6]=2001:db8:1::1)

begin() {
	for dir in /run /var/lib; do mount -t tmpfs none $dir || exit 1; done
	mkdir -p $W/conf /run/netns
	served=() daemons=()
	trap 'for pid in ${served[@]} ${daemons[@]} ${firewalld-} ${bus-}; do kill $pid 2>/dev/null; done' EXIT
	export NETCONFPATH=$W/conf CNI_PATH=$bin
	unset CNI_ARGS
	ip link set lo up
	for name in a b lan; do ip netns add $name && ip -n $name link set lo up || exit 1; done
	ip link add lan0 type veth peer name eth0 netns lan || skip "no veth"
	ip link set lan0 up; ip -n lan link set eth0 up
	ip addr add ${host[4]}/24 dev lan0; ip addr add ${host[6]}/64 dev lan0 nodad
	ip -n lan addr add ${lan[4]}/24 dev eth0; ip -n lan addr add ${lan[6]}/64 dev eth0 nodad
	serve a 80; serve lan 80
	until_true ping -6 -c 1 -W 1 ${lan[6]} >/dev/null
}

# All that is theirs, ours left out.
theirs() {
	nft -s list ruleset | grep -v '^# Warning' | awk '/^table/ { on = !/plumb/ } on'
	for program in iptables-legacy-save ip6tables-legacy-save; do
		$program 2>/dev/null | grep -v '^#' | sed 's/\[.*//'
	done
}
# same_as BEFORE WHAT: their rules, ours among them left out
same_as() { local now; now=$(theirs | grep -v 'comment "plumb network net"'); [ "$now" = "$1" ] || fail "$2: $(diff <(echo "$1") <(echo "$now"))"; }
unchanged_since() { ! theirs | grep 'plumb network' || fail "rules of ours $2"; same_as "$1" "their rules $2"; }

# The way through with one of them there. TABLE CHAIN: which drops; INTO: the chain for our rules.
shuts_out() {
	local table=$1 chain=$2 before
	network
	before=$(theirs)
	expect 0 add net /run/netns/a -p 8080:80
	says "nftables table $table drops what is forwarded"; says "chain $chain"; says '"foreignFirewall": "accept"'
	is_cut_off
	expect 0 check net /run/netns/a; says "nftables table $table drops"
	expect 0 status net; says "nftables table $table drops"
	unchanged_since "$before" "while a container is there"
	expect 0 del net /run/netns/a
	unchanged_since "$before" "afterwards"
}
lets_in() {
	local before
	expect 0 del net /run/netns/a
	network '"foreignFirewall": "accept"'
	before=$(theirs)
	expect 0 add net /run/netns/a -p 8080:80; says_nothing
	goes_through
	expect 0 check net /run/netns/a; says_nothing
	expect 0 add net /run/netns/b
	same_as "$before" "their rules, without ours"
	is "$(theirs | grep -c 'comment "plumb network net"')" "$1" "rules of ours"
	expect 0 del net /run/netns/b
	goes_through
	expect 0 del net /run/netns/a
	unchanged_since "$before" "afterwards"
}

# ---- ufw ----

start_ufw() {
	type -P ufw >/dev/null || skip "no ufw: the package ufw is not installed"
	mkdir -p $W/ufw $W/default
	cp -a /etc/ufw/. $W/ufw; cp -a /etc/default/. $W/default
	mount --bind $W/ufw /etc/ufw; mount --bind $W/default /etc/default
	ufw --force enable >$W/ufw.log 2>&1 || fail "ufw: $(cat $W/ufw.log)"
	ufw status verbose | grep -q 'deny (routed)\|disabled (routed)' || fail "ufw: $(ufw status verbose)"
	nft list table ip filter 2>/dev/null | grep -q ufw || skip "ufw here writes iptables-legacy's tables"
}

case_ufw() {
	start_ufw
	shuts_out "ip filter" FORWARD; says_of_both_families
	lets_in 4
	ufw status | grep -q 'Status: active' || fail "ufw afterwards: $(ufw status 2>&1)"
}
says_of_both_families() {
	expect 0 status net; says "nftables table ip6 filter drops"
}

case_ufw_reload_and_disable() {
	start_ufw
	network '"foreignFirewall": "accept"'
	expect 0 add net /run/netns/a -p 8080:80
	goes_through
	ufw reload >$W/ufw.log 2>&1 || fail "ufw reload: $(cat $W/ufw.log)"
	if ! theirs | grep -q "plumb network net"; then
		is_cut_off
		expect 1 check net /run/netns/a; says "the rules are missing that let network net pass"
		expect 0 add net /run/netns/b; expect 0 check net /run/netns/a; says_nothing
		expect 0 del net /run/netns/b
	fi
	goes_through
	# Its chains drop no more then; what is ours still goes.
	ufw disable >$W/ufw.log 2>&1
	goes_through
	expect 0 del net /run/netns/a
	! theirs | grep "plumb network" || fail "still there after DEL"
}

# ---- firewalld: a rule at the end of its chain rejects ----

# ZONE [owner]: its table is nobody else's to write in, as firewalld 2 has it.
begin_firewalld() {
	need_firewalld
	for dir in /etc/firewalld /var/log; do mount -t tmpfs none $dir || exit 1; done
	configure_firewalld "$1"
	[ "${2:-}" = owner ] || echo NftablesTableOwner=no >>/etc/firewalld/firewalld.conf
	start_bus; start_firewalld
}

case_firewalld_zone() {
	[ -x "$bin/plumb-firewalld" ] || skip "no plumb-firewalld: plumb was built without libsystemd"
	begin_firewalld public
	for keys in "" '"foreignFirewall": "accept"'; do
		network "$keys"
		expect 0 add net /run/netns/a -p 8080:80; says_nothing
		goes_through
		expect 0 check net /run/netns/a; says_nothing
		! theirs | grep "plumb network" || fail "rules where a zone does it"
		expect 0 del net /run/netns/a
		# (firewalld keeps the chains of a zone that was used once.)
		is "$(ask_zone getSources string:trusted | tr -d ' \n')" "array[]" "sources of the zone"
	done
}

case_firewalld_owner() {
	begin_firewalld public owner
	nft list table inet firewalld | grep -q 'flags.*owner' || skip "this firewalld does not own its table (2.1 and newer do)"
	local before
	before=$(theirs)
	network '"backend": "nftables", "foreignFirewall": "accept"'
	expect 0 add net /run/netns/a -p 8080:80; says "lets nobody else write in it"
	expect 0 del net /run/netns/a
	unchanged_since "$before" "afterwards"
}

case_firewalld_without_zone() {
	begin_firewalld public
	shuts_out_egress_of_firewalld
	network '"backend": "nftables", "foreignFirewall": "accept"'
	local before
	before=$(theirs)
	expect 0 add net /run/netns/a -p 8080:80; says_nothing
	goes_through
	is "$(theirs | grep -c 'comment "plumb network net"')" 2 "rules of ours"
	reload
	expect 1 check net /run/netns/a; says "nftables table inet firewalld, chain filter_FORWARD"
	expect 0 add net /run/netns/b
	goes_through
	expect 0 del net /run/netns/b; expect 0 del net /run/netns/a
	unchanged_since "$before" "afterwards"
}
# (What a port was published to it lets in by itself.)
shuts_out_egress_of_firewalld() {
	local before
	network '"backend": "nftables"'
	before=$(theirs)
	expect 0 add net /run/netns/a -p 8080:80
	says "nftables table inet firewalld drops what is forwarded"; says "chain filter_FORWARD"
	is_cut a ${lan[4]} 80
	reaches lan ${host[4]} 8080 a
	expect 0 check net /run/netns/a; says "chain filter_FORWARD"
	expect 0 status net; says "chain filter_FORWARD"
	expect 0 del net /run/netns/a
	unchanged_since "$before" "afterwards"
}

# ---- Docker ----

load_docker() { nft -f "$here/data/docker-$1.nft" || skip "this kernel has not all that the rules of Docker $1 need"; families=4; }

case_docker_20_10() {
	load_docker 20.10; shuts_out "ip filter" FORWARD; lets_in 2; lets_in_by_docker_user
}
case_docker_28_5() {
	load_docker 28.5; shuts_out "ip filter" FORWARD; lets_in 2; lets_in_by_docker_user
}
# Its chains drop only where Docker itself has switched forwarding on.
case_docker_29_7() {
	load_docker 29.7; shuts_out "ip filter" FORWARD; lets_in 2; lets_in_by_docker_user
}
case_docker_29_7_nftables() {
	load_docker 29.7-nftables
	network
	expect 0 add net /run/netns/a -p 8080:80; says_nothing
	goes_through
	lets_in 0
}
lets_in_by_docker_user() {
	expect 0 add net /run/netns/a
	is "$(nft -s list chain ip filter DOCKER-USER | grep -c 'plumb network net')" 2 "rules of ours in DOCKER-USER"
	expect 0 del net /run/netns/a
}

start_dockerd() {
	mkdir -p /run/docker /var/lib/docker
	mount -t tmpfs none /sys/fs/cgroup 2>/dev/null
	"$dockerd" --data-root /var/lib/docker --exec-root /run/docker --pidfile /run/docker.pid -H unix:///run/docker.sock --storage-driver vfs \
		--userland-proxy=false >$W/docker.log 2>&1 &
	docker=$!
	daemons+=($docker)
	until_true dockerd_runs
}
dockerd_runs() {
	kill -0 $docker 2>/dev/null || skip "dockerd does not run here: $(tail -n 1 $W/docker.log)"
	grep -q 'API listen' $W/docker.log
}

case_dockerd() {
	local dockerd before
	dockerd=${DOCKERD:-$(type -P dockerd)} || skip "no dockerd: the package docker.io is not installed; its rules as captured are what the other cases have"
	PATH=$(dirname "$dockerd"):$PATH
	sysctl -qw net.ipv4.ip_forward=0 2>/dev/null
	start_dockerd
	before=$(theirs)
	families=4
	nft list chain ip filter FORWARD | grep -q 'policy drop' || skip "this dockerd drops nothing: $("$dockerd" --version)"
	shuts_out "ip filter" FORWARD
	lets_in 2
	# It is started again under a container.
	network '"foreignFirewall": "accept"'
	expect 0 add net /run/netns/a -p 8080:80
	kill $docker; wait $docker
	start_dockerd
	goes_through
	expect 0 del net /run/netns/a
	diff <(theirs | sort) <(sort <<<"$before") || fail "Docker's rules afterwards"
}

# ---- Rules that drop at the end, and iptables-legacy ----

case_iptables_reject_at_the_end() {
	local program
	for program in iptables ip6tables; do
		type -P $program-nft >/dev/null || skip "no $program-nft: the package iptables is not installed"
		$program-nft -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT && $program-nft -N last && $program-nft -A FORWARD -j last &&
			$program-nft -A last -m comment --comment "all others" -j REJECT || skip "this kernel lacks what iptables-nft needs"
	done
	network
	shuts_out "ip filter" FORWARD
	lets_in 4
	iptables-nft -I last -j ACCEPT; ip6tables-nft -I last -j ACCEPT
	network
	expect 0 add net /run/netns/a -p 8080:80; says_nothing
	goes_through
}

# Its tables are not nftables'. They are told of; we write nothing there.
case_iptables_legacy() {
	local before
	type -P iptables-legacy >/dev/null || skip "no iptables-legacy: the package iptables is not installed"
	iptables-legacy -P FORWARD DROP 2>$W/legacy.log || skip "this kernel has no tables of iptables-legacy: $(cat $W/legacy.log)"
	network '"foreignFirewall": "accept"'
	before=$(theirs)
	families=4
	expect 0 add net /run/netns/a -p 8080:80
	says "iptables-legacy, table filter, drops what is forwarded"; says "iptables-legacy -I FORWARD -i br0 -j ACCEPT"
	is_cut_off
	expect 0 check net /run/netns/a; says "iptables-legacy, table filter, drops"
	expect 0 status net; says "iptables-legacy, table filter, drops"
	unchanged_since "$before" "while a container is there"
	# What it advises helps; it is told of all the same, as nobody looks into legacy rules that pick.
	iptables-legacy -I FORWARD -i br0 -j ACCEPT; iptables-legacy -I FORWARD -o br0 -j ACCEPT
	goes_through
	iptables-legacy -F FORWARD; iptables-legacy -P FORWARD ACCEPT
	expect 0 status net; says_nothing
	iptables-legacy -A FORWARD -p tcp -j REJECT
	expect 0 status net; says_nothing
	iptables-legacy -A FORWARD -j REJECT
	expect 0 status net; says "iptables-legacy, table filter, drops"
	ip6tables-legacy -A FORWARD -j DROP 2>/dev/null || return 0
	expect 0 status net; says "ip6tables-legacy, table filter, drops"
}

. "$here/../lib/cases.sh"
