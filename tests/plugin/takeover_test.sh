#!/bin/bash
# Changing from the reference plugins to ours on a live node, and back, in TAP: what one has set up the other takes down. The reference is Debian's
# containernetworking-plugins 1.1.1, which knows iptables; what newer versions write with nftables is written here as they write it. Each case is a
# process in namespaces of its own, with a /run and a /var/lib of its own; it passes when it comes to its end.
#
#	tests/plugin/takeover_test.sh [PATTERN]...      the cases whose names contain a pattern; all without
#	PLUMB_BIN=DIR                                   where plumb and the plugins are (build/MODE/bin)
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=${PLUMB_BIN:-$here/../../build/${MODE:-plain}/bin}
bin=$(cd "$bin" 2>/dev/null && pwd) || { echo "Bail out! no plumb in $bin: make it first"; exit 1; }
reference=/usr/lib/cni

# ---- What cases are written with ----

W=/run/w

fail() { echo "failed: $*"; exit 1; }
skip() { echo "SKIP $*"; exit 77; }
need() { local p; for p; do [ -x "$p" ] || skip "no $p"; done; }
is() { [ "$1" = "$2" ] || fail "$3: $(diff <(echo "$2") <(echo "$1"))"; }
until_true() { local n=0; until "$@"; do n=$((n + 1)); [ $n -lt 100 ] || fail "never: $*"; sleep 0.05; done; }

begin() {
	need $reference/{bridge,host-local,portmap,firewall} "$bin"/{bridge,host-local,portmap,firewall,plumb-ruleset}
	mount -t tmpfs none /run && mount -t tmpfs none /var/lib || exit 1
	mkdir -p $W/conf $W/path /run/netns /var/lib/cni
	ip link set lo up
	export NETCONFPATH=$W/conf
	unset CNI_COMMAND CNI_CONTAINERID CNI_NETNS CNI_IFNAME CNI_ARGS
}

# Which iptables the reference finds: nft or legacy.
iptables_is() {
	local ip
	for ip in ip ip6; do
		[ -n "$(command -v ${ip}tables-$1)" ] || skip "no ${ip}tables-$1"
		${ip}tables-$1 -t nat -S >/dev/null 2>$W/err || skip "${ip}tables-$1 does not work here: $(tail -n1 $W/err)"
		ln -sf "$(command -v ${ip}tables-$1)" $W/path/${ip}tables
	done
	export PATH=$W/path:$PATH
}

portmap=', { "type": "portmap", "snat": true, "capabilities": { "portMappings": true } }'
chained=$portmap', { "type": "firewall" }'
# Network $1 on bridge $2 with subnets 10.$3.0.0/24 and fd$3::/64; the plugins behind the bridge in $4.
network() {
	cat >$W/conf/"$1".conflist <<CONF
{ "cniVersion": "1.0.0", "name": "$1", "plugins": [
  { "type": "bridge", "bridge": "$2", "isGateway": true, "ipMasq": true, "macspoofchk": true,
    "ipam": { "type": "host-local", "ranges": [[{ "subnet": "10.$3.0.0/24" }], [{ "subnet": "fd$3::/64" }]], "routes": [{ "dst": "0.0.0.0/0" }, { "dst": "::/0" }] } }
  ${4-$chained} ] }
CONF
}
plumb() { "$bin/plumb" "$@" >$W/out 2>$W/err </dev/null || fail "plumb $*: exit $?: $(cat $W/out $W/err)"; }
theirs() { CNI_PATH=$reference plumb "$@"; }
# The DEL of a container that is ours: 1.1.1 removes the link and the lease, then fails for a chain of iptables that is not there. The next one succeeds.
their_del() { CNI_PATH=$reference "$bin/plumb" del "$@" >/dev/null 2>&1 </dev/null || theirs del "$@"; }
ours() { CNI_PATH=$bin plumb "$@"; }
refused() { CNI_PATH=$bin "$bin/plumb" "$@" >$W/out 2>$W/err </dev/null && fail "plumb $* succeeds"; true; }
add_netns() { local n; for n; do ip netns add "$n" || exit 1; done; }

# All rules of all programs, without counters; our own table apart.
rules() {
	local ip kind
	for ip in ip ip6; do for kind in nft legacy; do ${ip}tables-$kind -t nat -S; ${ip}tables-$kind -t filter -S; done; done 2>/dev/null
	nft -s list ruleset 2>/dev/null | awk '/^table .* plumb /{ own = 1 } !own; /^}/{ own = 0 }'
}
own_elements() { for t in inet bridge; do nft list table $t plumb 2>/dev/null; done | grep -c "$1"; }
leases() { is "$(find /var/lib/cni/networks/net -name '*[.:]*' ! -name '*.[0-9]' ! -name '.*' -o -name "10.*" | sort -u | grep -c .)" "$1" "leases"; }
nothing_of() {
	rules >$W/rules
	local word
	for word; do ! grep -F -- "$word" $W/rules || fail "left of $word"; done
}

# A host on the LAN that knows nothing of the containers' subnets.
lan() {
	ip netns add far
	ip link add lan0 type veth peer name eth0 netns far || skip "no veth"
	ip addr add 192.0.2.1/24 dev lan0; ip addr add 2001:db8:1::1/64 dev lan0 nodad; ip link set lan0 up
	ip -n far addr add 192.0.2.2/24 dev eth0; ip -n far addr add 2001:db8:1::2/64 dev eth0 nodad; ip -n far link set eth0 up
}
serve() { ip netns exec "$1" perl -MIO::Socket::IP -e '$s = IO::Socket::IP->new(LocalHost => "::", LocalPort => 80, Listen => 5, V6Only => 0) or die $@; while ($c = $s->accept) { print $c "hello\n"; close $c }' & }
asks() { ip netns exec far timeout 3 bash -c "exec 3<>/dev/tcp/$1/$2 && cat <&3" 2>/dev/null; }
answers() { [ "$(asks 192.0.2.1 "$1")" = hello ] && [ "$(asks 2001:db8:1::1 "$1")" = hello ]; }
# (A bridge that the reference has made is silent by IPv6 while its address is looked for elsewhere: two seconds.)
reaches_out() {
	ip netns exec "$1" ping -c1 -W2 192.0.2.2 >/dev/null || fail "$1 does not reach the LAN"
	ip netns exec "$1" ping -c4 -W2 2001:db8:1::2 >/dev/null || fail "$1 does not reach the LAN by IPv6"
}

# ---- From the reference to us ----

# `two` stays the reference's, `one` is taken down by us.
taken_over() {
	local before
	iptables_is "$1"
	lan; network net br0 77; add_netns one two
	theirs add net two --id two -p 8081:80 -p 53:53/udp
	serve two; until_true answers 8081
	before=$(rules)
	theirs add net one --id one -p 8080:80 -p 5353:53/udp
	[ "$(rules)" != "$before" ] || fail "the reference makes no rules"
	serve one; until_true answers 8080
	ours del net one --id one
	is "$(rules)" "$before" "rules"
	nothing_of '"one' '-one' '10.77.0.3' 'fd77::3'
	answers 8081 || fail "two's port is no longer published"
	asks 192.0.2.1 8080 && fail "one's port is still published"
	reaches_out two
	leases 2
	ours del net one --id one
	is "$(rules)" "$before" "rules after a second DEL"
	ours del net two --id two
	nothing_of two 10.77 fd77
	leases 0
}

# GC takes away what the reference left of containers that are no more, by what its rules say; another network's stays, and who lives.
collected() {
	local before code
	iptables_is "$1"
	network net br0 77; network net_b br1 78; add_netns one two three
	theirs add net two --id two -p 8081:80; theirs add net_b three --id three -p 8082:80
	before=$(iptables-$1 -t nat -S; ip6tables-$1 -t nat -S)
	theirs add net one --id one -p 8080:80
	for dry in true false; do
		CNI_COMMAND=GC CNI_PATH=$bin "$bin/portmap" >$W/out 2>$W/err <<-CONF || fail "GC: $(cat $W/out $W/err)"
			{ "cniVersion": "1.1.0", "name": "net", "type": "portmap", "dryRun": $dry,
			  "cni.dev/valid-attachments": [{ "containerID": "two", "ifname": "eth0" }] }
		CONF
		[ $dry = false ] || grep -q 'container "one"' $W/err || fail "does not tell: $(cat $W/err)"
		[ $dry = false ] || iptables-$1 -t nat -S | grep -q 'dnat name: \\"net\\" id: \\"one\\"' || fail "a dry run removes"
	done
	! iptables-$1 -t nat -S | grep 'CNI-[DS]N.*one\|dnat name.*one' || fail "left"
	is "$({ iptables-$1 -t nat -S; ip6tables-$1 -t nat -S; } | grep 'CNI-DN\|HOSTPORT')" "$(grep 'CNI-DN\|HOSTPORT' <<<"$before")" "others' rules"
	is "$(wc -l <$W/err)" 0 "lines on stderr"
}

case_gc_iptables_nft() { collected nft; }
case_gc_iptables_legacy() { collected legacy; }

case_iptables_nft() { taken_over nft; }
case_iptables_legacy() { taken_over legacy; }

case_without_namespace_and_result() {
	local before
	iptables_is nft
	network net br0 77 "$portmap"; add_netns one two
	theirs add net two --id two -p 8081:80
	before=$(rules)
	theirs add net one --id one -p 8080:80
	ip netns del one; rm -r /var/lib/cni/results/*one*
	ours del net one --id one
	is "$(rules)" "$before" "rules"
}

case_long_names() {
	local before id=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
	local name=a-network.whose_name-is-long-enough-to-fill-the-comment-together-with-the-container-and-more-of-it-0123456789-0123456789-0123456789-0123456789-01
	iptables_is nft
	network net br0 77; sed -i "s/\"name\": \"net\"/\"name\": \"$name\"/" $W/conf/net.conflist; add_netns one two
	theirs add $name two --id "${id%f}e" -p 8081:80
	before=$(rules)
	theirs add $name one --id $id -p 8080:80
	ours del $name one --id $id
	is "$(rules)" "$before" "rules"
}

# In iptables a container that is on a network twice has one chain for both.
case_on_a_network_twice() {
	local before
	iptables_is nft
	lan; network net br0 77; add_netns one
	theirs add net one --id one
	before=$(rules)
	theirs add net one --id one --ifname eth1
	ours del net one --id one --ifname eth1
	is "$(rules | grep -v '10.77.0.0/24\|fd77::/64')" "$(grep -v '10.77.0.0/24\|fd77::/64' <<<"$before")" "rules"
	reaches_out one
	ours del net one --id one
	nothing_of one 10.77 fd77
}

# "net" and "1x" make the hash of "net1" and "x".
case_same_hash() {
	iptables_is nft
	network net br0 77 ''; network net1 br1 78 ''; add_netns one two
	theirs add net1 two --id x
	theirs add net one --id 1x
	ours del net one --id 1x
	rules | grep -q -- '-A POSTROUTING -s 10.78.0.2/32 .*-j CNI-' || fail "the other network's rule is gone: $(rules)"
	nothing_of '1x-eth0' '-s 10.77.0.2/32' '-s fd77::2/128'
	ours del net1 two --id x
	nothing_of x- 10.78 fd78 '-N CNI-'
}

# The admin's rules in the chain of the reference are the admin's.
case_rules_of_others() {
	local before
	iptables_is nft
	network net br0 77; add_netns one two
	theirs add net two --id two -p 8081:80
	iptables -A CNI-FORWARD -s 10.77.0.3 -p tcp -j ACCEPT; iptables -A CNI-ADMIN -s 10.77.0.3 -j ACCEPT; iptables -A FORWARD -s 10.77.0.3 -j ACCEPT
	iptables -t nat -A POSTROUTING -s 10.77.0.3 -j ACCEPT -m comment --comment 'name: "net" id: "one"'
	nft 'table ip mine { chain hostports { tcp dport 8080 accept comment "one"; }; }'
	before=$(rules)
	theirs add net one --id one -p 8080:80
	ours del net one --id one
	is "$(rules | sort)" "$(sort <<<"$before")" "rules"
}

hash16() { printf %s "$1" | sha512sum | cut -c1-16; }
# What the reference 1.5 to 1.9 writes with its nftables backends. $1: container, $2: port, $3: last part of its addresses.
with_nftables() {
	local masq; masq=$(printf '%s-%s, net: net, if: eth0, id: %s' "$(hash16 net)" "$(hash16 "eth0:$1")" "$1" | cut -c1-128)
	nft -f - <<NFT || fail "nft"
$(for family in ip ip6; do cat <<CHAINS
table $family cni_hostport {
	comment "CNI portmap plugin"
	chain hostports { }
	chain hostip_hostports { }
	chain hostports_all { }
	chain prerouting { type nat hook prerouting priority dstnat; }
	chain output { type nat hook output priority -100; }
	chain masquerading { type nat hook postrouting priority srcnat; }
}
flush chain $family cni_hostport hostports_all
flush chain $family cni_hostport prerouting
flush chain $family cni_hostport output
add rule $family cni_hostport hostports_all jump hostip_hostports
add rule $family cni_hostport hostports_all jump hostports
add rule $family cni_hostport prerouting fib daddr type local jump hostports_all
add rule $family cni_hostport output fib daddr type local jump hostports_all
CHAINS
done)
add rule ip cni_hostport hostports tcp dport $2 dnat to 10.77.0.$3:80 comment "$1"
add rule ip cni_hostport hostip_hostports ip daddr 192.0.2.1 udp dport $2 dnat to 10.77.0.$3:53 comment "$1"
add rule ip cni_hostport masquerading ip saddr 10.77.0.$3 ip daddr 10.77.0.$3 masquerade comment "$1"
add rule ip cni_hostport masquerading ip saddr 127.0.0.1 ip daddr 10.77.0.$3 masquerade comment "$1"
add rule ip6 cni_hostport hostports tcp dport $2 dnat to [fd77::$3]:80 comment "$1"
add rule ip6 cni_hostport masquerading ip6 saddr fd77::$3 ip6 daddr fd77::$3 masquerade comment "$1"
table inet cni_plugins_masquerade {
	comment "Masquerading for plugins from github.com/containernetworking/plugins"
	chain masq_checks { comment "Masquerade traffic from certain IPs to any (non-multicast) IP outside their subnet"; }
	chain postrouting { type nat hook postrouting priority srcnat; }
}
flush chain inet cni_plugins_masquerade postrouting
add rule inet cni_plugins_masquerade postrouting ip daddr == 224.0.0.0/4 return
add rule inet cni_plugins_masquerade postrouting ip6 daddr == ff00::/8 return
add rule inet cni_plugins_masquerade postrouting goto masq_checks
add rule inet cni_plugins_masquerade masq_checks ip saddr == 10.77.0.$3 ip daddr != 10.77.0.0/24 masquerade comment "$masq"
add rule inet cni_plugins_masquerade masq_checks ip6 saddr == fd77::$3 ip6 daddr != fd77::/64 masquerade comment "$masq"
NFT
}

# With 1.1.1's interfaces and leases, its rules taken out.
case_nftables_backends() {
	local one=1230567890123456789012345678901234567890123456789012345678901234 two=1230567890123456789012345678901234567890123456789012345678901235 before
	iptables_is nft
	lan; network net br0 77; add_netns one two
	theirs add net two --id $two -p 8081:80
	theirs add net one --id $one -p 8080:80
	nft flush ruleset
	with_nftables $two 8081 2
	serve two; until_true answers 8081; reaches_out two
	before=$(rules)
	with_nftables $one 8080 3
	serve one; until_true answers 8080; reaches_out one
	ours del net one --id $one
	is "$(rules)" "$before" "rules"
	answers 8081 || fail "two's port is no longer published"
	reaches_out two
	ours del net two --id $two
	nothing_of $two 10.77.0.2 fd77::2
}

# A program that cannot be run: binding an empty file over it.
break_iptables() { : >$W/empty; local f; for f in nft legacy; do f=$(readlink -f "$(command -v iptables-$f)") && mount --bind $W/empty "$f"; done; }

case_iptables_missing() {
	local multi
	iptables_is nft
	network net br0 77; add_netns one
	theirs add net one --id one -p 8080:80
	multi=$(readlink -f "$(command -v iptables-nft)")
	break_iptables
	refused del net one --id one
	grep -q "iptables" $W/err || fail "does not say what is missing: $(cat $W/err)"
	umount "$multi"
	ours del net one --id one
	nothing_of one 10.77 fd77
}

case_no_program_without_need() {
	iptables_is nft
	network net br0 77 "$portmap"; add_netns one two
	theirs add net two --id two -p 8081:80
	break_iptables
	ours add net one --id one -p 8080:80; ours del net one --id one; ours del net one --id one
	[ "$(own_elements one)" = 0 ] || fail "elements of ours are left"
}

# ---- From us to the reference ----

# $1: what cleans up after the reference's DEL.
handed_over() {
	iptables_is nft
	lan; network net br0 77; add_netns one two
	ours add net one --id one -p 8080:80
	theirs add net two --id two -p 8081:80
	leases 4
	serve two; until_true answers 8081
	their_del net one --id one
	leases 2
	[ -z "$(ip -n one -o link show eth0 2>/dev/null)" ] || fail "the link is left"
	"$1"
	[ "$(own_elements one)" = 0 ] || fail "elements of ours are left"
	[ -z "$(ls -A /run/plumb/nftables 2>/dev/null)" ] || fail "records are left: $(ls -A /run/plumb/nftables)"
	answers 8081 || fail "two's port is no longer published"
	reaches_out two
	ours del net two --id two
	nothing_of two 10.77 fd77
	leases 0
}

our_del() { ours del net one --id one; }
our_gc() {
	local plugin
	for plugin in portmap firewall bridge; do
		CNI_COMMAND=GC CNI_PATH=$bin "$bin/$plugin" >$W/out 2>&1 <<CONF || fail "$plugin GC: $(cat $W/out)"
{ "cniVersion": "1.1.0", "name": "net", "type": "$plugin", "bridge": "br0", "ipMasq": true, "macspoofchk": true,
  "ipam": { "type": "host-local", "ranges": [[{ "subnet": "10.77.0.0/24" }], [{ "subnet": "fd77::/64" }]] },
  "cni.dev/valid-attachments": [{ "containerID": "two", "ifname": "eth0" }] }
CONF
	done
}

case_our_del_after_theirs() { handed_over our_del; }
case_our_gc_after_their_del() { handed_over our_gc; }

case_leases_are_shared() {
	iptables_is nft
	network net br0 77; add_netns one two three
	ours add net one --id one; theirs add net two --id two; ours add net three --id three
	is "$(cat /var/lib/cni/networks/net/10.77.0.* | tr -d '\r' | paste -sd' ')" "one eth0two eth0three eth0" "leases"
	their_del net one --id one; ours del net two --id two; their_del net three --id three
	leases 0
}

# ---- The cases, one process each ----

if [ "${1:-}" = --case ]; then
	begin && "case_$2"
	exit
fi

unprivileged=(); [ "$(id -u)" = 0 ] || unprivileged=(-r)
world=(unshare "${unprivileged[@]}" --net --mount --pid --fork --kill-child --mount-proc)
mapfile -t cases < <(declare -F | sed -n 's/^declare -f case_//p' | while read -r f; do echo "$(grep -n "^case_$f()" "${BASH_SOURCE[0]}" | cut -d: -f1) $f"; done | sort -n | cut -d' ' -f2)
if [ $# -gt 0 ]; then
	mapfile -t cases < <(for c in "${cases[@]}"; do for p; do [[ $c == *$p* ]] && echo "$c" && break; done; done)
fi

echo "1..${#cases[@]}"
number=0 failed=0
for c in "${cases[@]}"; do
	number=$((number + 1))
	output=$(timeout 120 "${world[@]}" bash "${BASH_SOURCE[0]}" --case "$c" 2>&1); status=$?
	if [ $status = 0 ]; then echo "ok $number - takeover_$c"
	elif [ $status = 77 ]; then echo "ok $number - takeover_$c # ${output##*$'\n'}"
	else failed=$((failed + 1)); echo "not ok $number - takeover_$c"; sed 's/^/# /' <<<"$output"; fi
done
exit $((failed > 0))
