#!/bin/bash
# plumb publish, unpublish, ports: with the real plugins and real connections, in TAP.
. "$(dirname "$0")/../lib/plumb.sh"

begin() {
	command -v jq >/dev/null || skip "no jq"
	own_world
	export CNI_PATH=$bin
	network app 10.5.0
	add_netns web db
	serve web 80; serve web 81; serve db 80
}

# A network NAME of the subnet PREFIX.0/24.
network() {
	conf 10-"$1".conflist <<<'{"cniVersion":"1.0.0","name":"'"$1"'","plugins":[{"type":"bridge","bridge":"br-'"$1"'","isGateway":true,"ipMasq":true,"ipam":{"type":"host-local",
		"ranges":[[{"subnet":"'"$2"'.0/24"}]],"routes":[{"dst":"0.0.0.0/0"}]}},{"type":"portmap","capabilities":{"portMappings":true}}]}'
}

# A server in a namespace that says whose it is, and whether a port of the host leads to it.
serve() { ip netns exec "$1" perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalPort => $ARGV[1], Listen => 9, ReuseAddr => 1) or die; while ($c = $s->accept) { print $c "$ARGV[0]:$ARGV[1]\n"; close $c }' "$1" "$2" 9>&- & }
ask() { perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => $ARGV[1], Timeout => 3) or do { print "refused\n"; exit }; print scalar <$s>' "${2:-127.0.0.1}" "$1"; }
answered() { [ "$(ask "$1")" = "$2" ]; }
answers() { is "$(ask "$1" "${3:-}")" "$2" "port $1"; }
recorded() { jq -c '[.capabilityArgs.portMappings[]? | [.hostPort, .containerPort, .protocol]]' $results/app-"$1"-eth0; }
untouched_by() { local before; before=$(nft list table inet plumb; cat $results/*; ls /run/plumb/nftables); "$@"; is "$(nft list table inet plumb; cat $results/*; ls /run/plumb/nftables)" "$before" "what is there after: $*"; }

case_live() {
	expect 0 add --id web1 -p 8080:80 app web; expect 0 add --id db1 app db
	until_true answered 8080 web:80
	expect 0 publish web1 8081:81; answers 8081 web:81; answers 8080 web:80
	is "$(recorded web1)" '[[8080,80,"tcp"],[8081,81,"tcp"]]' record
	expect 0 publish db 9000-9002:80-82/tcp; answers 9000 db:80
	expect 0 check app --id web1 web
	expect 0 unpublish web1 8080; answers 8080 refused; answers 8081 web:81; is "$(recorded web1)" '[[8081,81,"tcp"]]' record
	expect 0 unpublish db1 --all; answers 9000 refused; is "$(recorded db1)" '[]' record
	expect 0 publish /run/netns/db 127.0.0.1:8080:80; answers 8080 db:80
	expect 0 del app --id db1 db; answers 8080 refused
	expect 0 del app --id web1 web; answers 8081 refused
	nft list table inet plumb | grep -q comment.\"app/ && fail "elements are left"
	nothing_in /run/plumb/nftables; nothing_in $results
}

# As rootless podman and others have it: the name is the runtime's own folder's.
case_by_the_name_of_its_namespace() {
	mkdir -p /run/user/1000/netns; touch /run/user/1000/netns/inner; mount --bind /run/netns/web /run/user/1000/netns/inner || fail "mount"
	expect 0 add --id web1 app /run/user/1000/netns/inner
	expect 0 publish inner 8080:80; until_true answered 8080 web:80
	expect 0 network disconnect app inner; nothing_in $results
}

# One set of ports or the other, at any time: a client of a port that stays sees no gap.
case_without_a_gap() {
	expect 0 add --id web1 -p 8080:80 app web
	until_true answered 8080 web:80
	(while [ ! -e $W/end ]; do ask 8080; done >$W/seen) &
	local asking=$! i
	until_true [ -s $W/seen ]
	for i in 1 2 3 4 5 6 7 8; do expect 0 publish web1 90$i:81; done
	for i in 1 2 3 4 5 6 7 8; do expect 0 unpublish web1 90$i; done
	touch $W/end; wait $asking
	[ -s $W/seen ] || fail "nothing was asked meanwhile"
	is "$(sort -u $W/seen)" web:80 "what clients saw"
}

case_taken() {
	expect 0 add --id web1 -p 8080:80 app web; expect 0 add --id db1 -p 8082:80 app db
	until_true answered 8082 db:80
	untouched_by expect 1 publish db1 8081:80 8080:80
	says 'container "web1" of network "app"'; says "host port 8080/tcp is taken"
	answers 8082 db:80; answers 8081 refused
	untouched_by expect 1 publish db1 8082:81; says "host port 8082/tcp is published for container db1 already"
	untouched_by expect 1 unpublish db1 8081; says "host port 8081/tcp is not published for container db1"
	untouched_by expect 1 unpublish db1 8082/udp; untouched_by expect 1 unpublish db1 8082:81; untouched_by expect 1 unpublish db1 127.0.0.1:8082
	nft flush ruleset; expect 0 restore; answers 8082 db:80
}

case_allow_from() {
	expect 0 add --id web1 app web
	expect 0 publish web1 --allow-from 192.0.2.0/24 --allow-from 198.51.100.0/24 8080:80; answers 8080 refused
	is "$(jq -c '.capabilityArgs.portMappings[0].allowFrom' $results/app-web1-eth0)" '["192.0.2.0/24","198.51.100.0/24"]' record
	expect 0 unpublish web1 8080
	expect 0 publish web1 --allow-from 10.5.0.0/24 --allow-from 127.0.0.0/8 8080:80
	until_true answered 8080 web:80
	expect 0 ports; prints "under conditions"
	mkdir $W/other; cp $bin/bridge $bin/host-local $bin/plumb-ruleset $W/other; printf '#!/bin/sh\n' >$W/other/portmap; chmod +x $W/other/portmap
	untouched_by expect 4 publish --bin-dir $W/other web1 --allow-from 10.5.0.0/24 8081:80; says "would let everybody in"
}

case_whose() {
	network more 10.6.0; conf 30-plain.conflist <<<'{"cniVersion":"1.0.0","name":"plain","plugins":[{"type":"bridge","bridge":"br-plain","ipam":{"type":"host-local","subnet":"10.7.0.0/24"}}]}'
	expect 3 publish web1 8080:80; says 'no container "web1"'
	expect 0 add --id web1 --ifname eth1 plain web
	expect 5 publish web1 8080:80; says "network plain of container web1 publishes no ports"
	expect 0 add --id web1 app web; expect 0 add --id web1 --ifname eth2 more web; expect 0 add --id web2 app db
	expect 1 publish web1 8080:80; says "on networks app and more"; says --network
	expect 0 publish web1 --network more 8080:80; answers 8080 web:80
	expect 0 publish web1 8081:81; is "$(jq -c '[.capabilityArgs.portMappings[].hostPort]' $results/more-web1-eth2)" '[8080,8081]' "where ports are already"
	expect 2 publish web1 80; expect 2 publish web1 x:y; expect 2 unpublish web1; expect 2 unpublish web1 x; expect 2 publish web1
}

case_ports() {
	expect 0 ports; is "$(cat $W/out)" "HOST   TO   CONTAINER   NETWORK" "an empty list"
	expect 0 add --id web1 -p 8080:80 -p 127.0.0.1:53:53/udp app web; expect 0 add --id db1 -p 8082:80 app db
	expect 0 ports
	is "$(tr -s ' ' <$W/out)" "$(printf '%s\n' 'HOST TO CONTAINER NETWORK' '127.0.0.1:53/udp 10.5.0.2:53 web1 app' '0.0.0.0:8080/tcp 10.5.0.2:80 web1 app' '0.0.0.0:8082/tcp 10.5.0.3:80 db1 app')" "the list"
	expect 0 ports db1; is "$(wc -l <$W/out)" 2 "one container's"; expect 0 ports --network nope; is "$(wc -l <$W/out)" 1 "another network's"
	expect 3 ports nobody; says 'no container "nobody" is attached to any network'
	expect 0 ports --json; is "$(jq -c '[.[] | [.hostIP, .hostPort, .protocol, .containerIP, .containerPort, .network, .name]] | .[1]' $W/out)" '["0.0.0.0",8080,"tcp","10.5.0.2",80,"app","web1"]' json
	rm $results/app-db1-eth0; expect 0 ports; prints "not on record"; prints 'container "db1"'
}

# What a runtime has on record is what libcni reads: it finds the ports at its CHECK, and its DEL takes them along.
case_of_a_runtime() {
	expect 0 add --id web1 app web
	jq -c '.capabilityArgs = null | .cniArgs = [["K8S_POD_NAME","shop"]]' $results/app-web1-eth0 >$W/r && mv $W/r $results/app-web1-eth0
	expect 0 publish shop 8080:80; answers 8080 web:80
	is "$(jq -c '[.kind, .cniArgs, .networkName, (.config | @base64d | fromjson | .name)]' $results/app-web1-eth0)" '["cniCacheV1",[["K8S_POD_NAME","shop"]],"app","app"]' "the rest of the record"
	jq '.result' $results/app-web1-eth0 >$W/prev
	jq -c '.config | @base64d | fromjson | .plugins[1]' $results/app-web1-eth0 | jq -c --slurpfile prev $W/prev '. + {name: "app", cniVersion: "1.0.0", prevResult: $prev[0]}' |
		CNI_COMMAND=DEL CNI_CONTAINERID=web1 CNI_NETNS=/run/netns/web CNI_IFNAME=eth0 $bin/portmap || fail "a runtime's DEL"
	answers 8080 refused
}

. "$(dirname "$0")/../lib/cases.sh"
