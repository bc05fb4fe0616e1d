#!/bin/bash
# Which capabilities each verb of each plugin needs, in TAP, as spec/capabilities.md has them: with those in its bounding set, and no more, it passes; without any one of
# them it fails and says so. Each call is in a world of its own (netns-fixtures), which is prepared with all capabilities.
#
#	FIXTURE=build/plain/netns-fixtures/netns-fixture PLUMB_BIN=DIR tests/plugin/capabilities_test.sh [PLUGIN]...
set -u
: "${FIXTURE:?the netns-fixture program}" "${PLUMB_BIN:?the folder of the programs}"
export PLUMB_BIN

# ---- In a world: in_world PLUGIN VERB CAPABILITIES ("all", "" for none) ----

conf_of() {
	case $1 in
	bridge)     echo '"bridge": "br0", "isGateway": true, "ipMasq": true, "macspoofchk": true, '"$ipam" ;;
	ptp)        echo '"ipMasq": true, '"$ipam" ;;
	host-local) echo "$ipam" ;;
	static)     echo '"ipam": { "type": "static", "addresses": [{ "address": "10.1.0.2/24" }] }' ;;
	portmap)    echo '"snat": true, "runtimeConfig": { "portMappings": [{ "hostPort": 8080, "containerPort": 80 }, { "hostPort": 53, "containerPort": 53, "protocol": "udp" }] }' ;;
	firewall)   echo '"ingressPolicy": "isolated"' ;;
	dnsname)    echo '"domainName": "dns.test"' ;;
	*)          echo '"about": "nothing"' ;;
	esac
}
ipam='"ipam": { "type": "host-local", "ranges": [[{ "subnet": "10.1.0.0/24" }], [{ "subnet": "fd00:1::/64" }]], "routes": [{ "dst": "0.0.0.0/0" }] }'

# call PLUGIN VERB CAPABILITIES PREVRESULT
call() {
	local text bounding
	text="{ \"cniVersion\": \"1.1.0\", \"name\": \"net\", \"type\": \"$1\", $(conf_of "$1")${4:+, \"prevResult\": $4}"
	[ "$2" != GC ] || text="$text, \"cni.dev/valid-attachments\": []"
	bounding=$(for c in $3; do printf ',+%s' "$c" | tr '[:upper:]' '[:lower:]'; done)
	if [ "$3" = all ]; then
		echo "$text }" | CNI_COMMAND=$2 "$PLUMB_BIN/$1"
	else
		echo "$text }" | CNI_COMMAND=$2 setpriv --inh-caps=-all --bounding-set="-all$bounding" "$PLUMB_BIN/$1"
	fi
}

in_world() {
	local prev='' result
	export CNI_PATH=$PLUMB_BIN CNI_CONTAINERID=c1 CNI_IFNAME=eth0 CNI_NETNS=/run/netns/pod1
	ip link set lo up
	if [ "$1" = host ]; then
		CNI_NETNS=/run/netns/own
		touch $CNI_NETNS && mount --bind /proc/$$/ns/net $CNI_NETNS || exit 99
	fi
	case $1 in portmap|firewall|dnsname) prev=$(call bridge ADD all '') || { echo "$prev"; exit 99; } ;; esac
	if [ "$2" != ADD ]; then
		result=$(call "$1" ADD all "$prev") || { echo "$result"; exit 99; }
		[ "$1" = host-local ] || prev=$result
	fi
	case $2 in GC|STATUS) prev= ;; esac
	call "$1" "$2" "$3" "$prev"
}

# The one address of c1, whose namespace's path is gone while a process of it lives, is not given to c2 by a host-local with these capabilities; once
# the process has ended it is, by one that can see that.
look_at_the_living() {
	local process
	export CNI_PATH=$PLUMB_BIN CNI_IFNAME=eth0
	ipam='"ipam": { "type": "host-local", "ranges": [[{ "subnet": "10.1.0.0/24", "rangeStart": "10.1.0.2", "rangeEnd": "10.1.0.2" }]] }'
	ip netns exec pod1 sleep 60 &
	process=$!
	until [ "$(stat -Lc %i /proc/$process/ns/net)" = "$(stat -Lc %i /run/netns/pod1)" ]; do sleep 0.01; done
	CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/pod1 call host-local ADD all '' || exit 99
	umount /run/netns/pod1 && rm /run/netns/pod1 || exit 99
	export CNI_CONTAINERID=c2 CNI_NETNS=/run/netns/pod2
	call host-local ADD "$1" '' && exit 98
	kill $process
	wait $process
	call host-local ADD all ''
}

if [ "${1-}" = --look ]; then
	look_at_the_living "$2" 2>&1
	exit
fi
if [ "${1-}" = --in-world ]; then
	in_world "$2" "$3" "$4" 2>&1
	exit
fi

# ---- The list ----

users=${WORLD_USERNS:+--users}
if ! why=$("$FIXTURE" run $users -- true 2>&1); then
	echo "1..0 # SKIP no world: $why"
	exit 0
fi
for p in setpriv ip; do
	command -v $p >/dev/null || { echo "1..0 # SKIP no $p"; exit 0; }
done
out=$(mktemp)
trap 'rm -f "$out"' EXIT
n=0
report() { n=$((n + 1)); echo "$1 $n - $2"; [ "$1" = ok ] || sed 's/^/# /' "$out"; }
run() { timeout 60 "$FIXTURE" run $users --pods 1 -- "$0" --in-world "$@" >"$out" 2>&1; }

with_those_listed() {
	if run "$1" "$2" "$3"; then
		report ok "$1 $2 with ${3:-none}"
	elif grep -qE 'nf_tables|not supported' "$out" && ! run "$1" "$2" all; then
		report ok "$1 $2 # SKIP not in this kernel, with all capabilities either"
		return 1
	else
		report 'not ok' "$1 $2 with ${3:-none}"
	fi
}

without_one() {
	local rest one
	for one in $3; do
		rest=$(for c in $3; do [ "$c" = "$one" ] || echo "$c"; done)
		if run "$1" "$2" "$(echo $rest)"; then
			report 'not ok' "$1 $2 without $one: it succeeds"
		elif [ $? != 1 ] || ! grep -q '"code"' "$out" || ! grep -qE "CAP_$one|not permitted" "$out"; then
			report 'not ok' "$1 $2 without $one: it does not say so"
		else
			report ok "$1 $2 without $one: refused, and told"
		fi
	done
}

list=$(dirname "$0")/../../spec/capabilities.md
verbs='ADD DEL CHECK STATUS GC'
plugins=$(sed -n '/^| plugin/,/^$/p' "$list" | awk -F' *[|] *' 'NR > 2 && NF > 6 { print $2 }')
[ -n "$plugins" ] || { echo "Bail out! no list in $list"; exit 1; }
for plugin in ${*:-$plugins}; do
	column=2
	for verb in $verbs; do
		column=$((column + 1))
		needs=$(awk -F' *[|] *' -v p="$plugin" -v c=$column '$2 == p && NF > 6 { print $c == "-" ? "" : $c; exit }' "$list")
		[ -z "$users" ] || needs=$(echo "$needs" | sed 's/ *\<\(SETUID\|SETGID\|KILL\)\>//g')   # there is no other user to be
		with_those_listed "$plugin" "$verb" "$needs" && without_one "$plugin" "$verb" "$needs"
	done
done
for needs in '' SYS_PTRACE; do
	[ $# = 0 ] || break
	if timeout 60 "$FIXTURE" run $users --pods 2 -- "$0" --look "$needs" >"$out" 2>&1; then
		report ok "host-local with ${needs:-none} leaves a living container its address"
	else
		report 'not ok' "host-local with ${needs:-none} leaves a living container its address"
	fi
done
for program in "$PLUMB_BIN"/*; do
	name=$(basename "$program")
	case $name in plumb|plumb-*) continue ;; esac
	[ $# != 0 ] || echo "$plugins" | grep -qx "$name" || { : >"$out"; report 'not ok' "$name is in the list"; }
done
echo "1..$n"
