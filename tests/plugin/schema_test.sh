#!/bin/bash
# The JSON Schemas of spec/schema, in TAP: every configuration that is shown or tested with, and what plumb network create writes, is as they say; and the plugins take
# what they take, and refuse what they refuse.
. "$(dirname "$0")/../lib/plumb.sh"

begin() {
	command -v jq >/dev/null || skip "no jq"
	own_world
	export CNI_PATH=$bin
	python3 -c 'import jsonschema; jsonschema.Draft202012Validator' 2>/dev/null || skip "python3 has no jsonschema (python3-jsonschema)"
}

valid() { "$top/tools/schema" "$@" >$W/out 2>&1 || fail "$(cat $W/out)"; }
# The blocks of JSON in a text that begin a line with {, each into a file of its own; how many.
blocks() { awk -v out="$2" '/^[ \t]*{/ && !depth { n++ } /^[ \t]*{/ || depth { line = $0; print line >(out n ".json"); depth += gsub(/{/, "", line) - gsub(/}/, "", line) } END { print n + 0 }' "$1"; }

case_schemas() {
	"$top/tools/schema" --check || fail "the schemas themselves"
	echo '{"name":"x","plugins":[{"type":"bridge","mtu":"big"},{"type":"portmap","snat":1}]}' >$W/bad.conflist
	"$top/tools/schema" $W/bad.conflist >$W/out && fail "a bad list is taken"; prints "plugins[0].mtu"; prints "plugins[1].snat"
}

case_shown_and_tested_with() {
	local text n
	valid "$top"/demo/net.d/* "$top"/tests/golden/*/*.json
	for text in "$top"/README.md "$top"/contrib/*.md "$top"/plumb/*.1 "$top"/man/*.[18]; do
		[ -e "$text" ] || continue
		mkdir -p $W/blocks; rm -f $W/blocks/*; n=$(blocks "$text" $W/blocks/)
		grep -l '"type"' $W/blocks/*.json >$W/list 2>/dev/null
		[ ! -s $W/list ] || valid $(cat $W/list)
	done
	mkdir -p $W/readme; is "$(blocks "$top"/README.md $W/readme/)" "$(grep -c '^{' "$top"/README.md)" "blocks of the README"
}

case_created() {
	local options n=0
	mkdir -p $W/conf; export NETCONFPATH=$W/conf
	printf '#!/bin/sh\n' >$W/bin/dnsname; chmod +x $W/bin/dnsname; export CNI_PATH=$W/bin:$bin
	while read -r options; do
		n=$((n + 1)); expect 0 network create $options n$n
	done <<'OPTIONS'

--ipv6 --label a=b -o mtu=1400
--subnet 10.5.0.0/16 --gateway 10.5.0.9 --ip-range 10.5.4.0/24 --dns 192.0.2.53 --mtu 9000
--subnet fd12::/64
--internal
--isolate -o vlan=7
-o icc=false -o host-ip=127.0.0.1 -o masquerade=false -o hairpin=false
-o cni-version=1.1.0 --no-dns
-d ptp --ipv6
-d none
-d host
-d macvlan --subnet 192.0.2.0/24 --gateway 192.0.2.1 -o parent=eth0
-d ipvlan --subnet 192.0.2.0/24 -o mode=l3 -o parent=eth0
OPTIONS
	is "$(ls $W/conf | wc -l)" 13 "files"; valid $W/conf/*
}

prev='{"cniVersion":"1.0.0","interfaces":[{"name":"veth0"},{"name":"eth0","sandbox":"/run/netns/ns"}],"ips":[{"address":"10.9.0.2/24","interface":1}]}'

# What the plugin says to the configuration: taken, or refused. Anything but these is a mistake of the case.
verdict() {
	local conf=$1 type netns=/run/netns/ns
	type=$(jq -r .type <<<"$conf"); [ "$type" != host ] || netns=/proc/self/ns/net
	case $type in portmap|firewall|dnsname) conf=$(jq -c ".prevResult = $prev" <<<"$conf") ;; esac
	export CNI_CONTAINERID=c CNI_NETNS=$netns CNI_IFNAME=eth0
	if CNI_COMMAND=ADD "$bin/$type" <<<"$conf" >$W/answer 2>$W/err; then echo taken
	elif jq -e '.code == 2 or .code == 6 or .code == 7 or (.msg | test("NOT in CIDR"))' $W/answer >/dev/null; then echo refused
	else echo "failed: $(cat $W/answer $W/err)"; fi
	CNI_COMMAND=DEL "$bin/$type" <<<"$conf" >/dev/null 2>&1
}

case_plugins_agree() {
	local cases=$top/tests/plugin/data/schema-cases.json n=0 case want by_schema by_plugin wrong=
	need "$bin"/{bridge,ptp,host-local,static,portmap,firewall,plumb-ruleset}
	add_netns ns; ip link add veth0 type veth peer name eth9 netns ns
	"$top/tools/schema" --cases "$cases" >$W/by_schema || fail "$(cat $W/by_schema)"
	while read -r case; do
		n=$((n + 1)); want=$(jq -r 'if .ok then "taken" else "refused" end' <<<"$case")
		by_schema=$(sed -n "${n}s/.* //p" $W/by_schema)
		by_plugin=$want; [ ! -x "$bin/$(jq -r .conf.type <<<"$case")" ] || by_plugin=$(verdict "$(jq -c '{cniVersion: "1.0.0", name: "net"} + .conf' <<<"$case")")
		[ "$by_schema" = "$want" ] && [ "$by_plugin" = "$want" ] || wrong="$wrong
$(jq -c .conf <<<"$case"): want $want, the schema: $by_schema, the plugin: $by_plugin"
	done < <(jq -c '.[]' "$cases")
	[ $n -gt 100 ] || fail "only $n cases"
	[ -z "$wrong" ] || fail "$wrong"
}

. "$top/tests/lib/cases.sh"
