# What the tests of plumb graph, explain and doctor share: a host with a LAN, networks of real plugins, containers that answer. Sourced after words.sh, with $here and $bin
# set.

W=/run/w
export NETCONFPATH=$W/conf CNI_PATH=$bin LANG=C.UTF-8 LC_ALL=C.UTF-8

# plumb; output in $W/out and $W/err, the exit code in $code.
plumb() { "$bin/plumb" "$@" >$W/out 2>$W/err </dev/null; code=$?; }
expect() { local want=$1; shift; plumb "$@"; [ "$code" = "$want" ] || fail "plumb $*: exit $code, want $want: $(cat $W/out $W/err)"; }
says() { grep -qF -- "$1" $W/err || fail "stderr does not say '$1': $(cat $W/err)"; }
prints() { grep -qF -- "$1" $W/out || fail "stdout does not say '$1': $(grep -q "\"paths\": \[$" $W/out && sed -n "/\"paths\"/,\$p" $W/out || cat $W/out)"; }
prints_not() { ! grep -qF -- "$1" $W/out || fail "stdout says '$1': $(cat $W/out)"; }

# network NAME BRIDGE SUBNET4 [SUBNET6] [FIREWALL MEMBERS [BRIDGE MEMBERS [PORTMAP MEMBERS]]]
network() {
	local ranges="[{ \"subnet\": \"$3\" }]" routes='{ "dst": "0.0.0.0/0" }' bridge=${6-'"ipMasq": true,'} firewall='' portmap=${7:+$7,}
	[ -z "${4-}" ] || { ranges+=", [{ \"subnet\": \"$4\" }]" routes+=', { "dst": "::/0" }'; }
	[ -z "${5-}" ] || firewall=", { \"type\": \"firewall\", $5 }"
	cat >$W/conf/10-"$1".conflist <<-NETWORK
		{ "cniVersion": "1.1.0", "name": "$1", "plugins": [
		  { "type": "bridge", "bridge": "$2", "isGateway": true, $bridge "ipam": { "type": "host-local", "ranges": [$ranges], "routes": [$routes] } },
		  { "type": "portmap", $portmap "capabilities": { "portMappings": true } }$firewall ] }
	NETWORK
}

# attach NETWORK CONTAINER [OPTION]...
attach() {
	[ -e /run/netns/"$2" ] || { ip netns add "$2" && ip -n "$2" link set lo up; }
	expect 0 add "$@"
}

# Answers each connection to a port with the container's own name, at an address or all. serve NAMESPACE PORT [ADDRESS]
serve() {
	local in=(ip netns exec "$1")
	[ "$1" != host ] || in=()
	rm -f "$W/served.$1.$2"
	"${in[@]}" perl -MIO::Socket::IP -e '$s = IO::Socket::IP->new(LocalHost => $ARGV[2], V6Only => 0, LocalPort => $ARGV[1], Listen => 9, ReuseAddr => 1) or die "$@";
		open($f, ">", "/run/w/served.$ARGV[0].$ARGV[1]"); while ($c = $s->accept) { print $c "$ARGV[0]\n"; close $c }' "$1" "$2" "${3:-::}" &
	served+=($!)
	until_true test -e "$W/served.$1.$2"
}

# What a connection really gets: ask FROM ADDRESS PORT. host: this namespace.
ask() {
	local in=(ip netns exec "$1")
	[ "$1" != host ] || in=()
	"${in[@]}" timeout "${patience:-3}" bash -c 'read -r word <"/dev/tcp/$0/$1" && echo "$word"' "$2" "$3" 2>/dev/null
}

begin() {
	mount -t tmpfs none /run && mount -t tmpfs none /var/lib || exit 1
	mkdir -p $W/conf /run/netns /var/lib/cni
	served=()
	trap 'for pid in ${served[@]}; do kill $pid 2>/dev/null; done' EXIT
	unset CNI_COMMAND CNI_CONTAINERID CNI_NETNS CNI_IFNAME CNI_ARGS NO_COLOR
	ip link set lo up
	ip netns add lan && ip -n lan link set lo up || exit 1
	ip link add lan0 type veth peer name eth0 netns lan || skip "no veth"
	ip address add 192.0.2.1/24 dev lan0 && ip -6 address add 2001:db8:1::1/64 dev lan0 nodad && ip link set lan0 up
	ip -n lan address add 192.0.2.2/24 dev eth0 && ip -n lan -6 address add 2001:db8:1::2/64 dev eth0 nodad && ip -n lan link set eth0 up
	ip route add default via 192.0.2.2 && ip -6 route add default via 2001:db8:1::2
}
