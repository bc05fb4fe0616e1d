#!/bin/bash
# plumb network …, in TAP: what it writes, what it picks, who is told to be attached; with the real plugins, in a world with an /etc of its own.
. "$(dirname "$0")/../lib/plumb.sh"
net_d=/etc/cni/net.d

# A stand-in for the plugin dnsname where it is not built: it gives the name server that a real one would.
dnsname() {
	cat >$W/bin/dnsname <<'PLUGIN'
#!/usr/bin/python3
import json, os, sys
conf = json.load(sys.stdin)
with open("/run/w/dnsname.log", "a") as log: log.write(json.dumps([os.environ["CNI_COMMAND"], os.environ.get("CNI_ARGS", ""), conf.get("runtimeConfig")]) + "\n")
if os.environ["CNI_COMMAND"] == "ADD":
    result = conf["prevResult"]; result["dns"] = {"nameservers": ["10.89.0.1"], "search": [conf["domainName"]]}; print(json.dumps(result))
PLUGIN
	chmod +x $W/bin/dnsname
}

begin() {
	command -v jq >/dev/null || skip "no jq"
	own_world
	mkdir $W/etc; cp -a /etc/passwd /etc/group /etc/nsswitch.conf /etc/hosts /etc/resolv.conf /etc/alternatives /etc/machine-id /etc/ld.so.* $W/etc 2>/dev/null
	[ -e $W/etc/machine-id ] || echo 0123456789abcdef0123456789abcdef >$W/etc/machine-id
	mount --bind $W/etc /etc || exit 1
	unset NETCONFPATH
	export CNI_PATH=$W/bin:$bin
	dnsname
}

# What jq finds in a network's file, or in the last output.
in_file() { jq -cr "$2" $net_d/plumb-"$1".conflist; }
in_out() { jq -cr "$1" $W/out; }
jq_is() { is "$("$1" "${@:2:$#-2}")" "${*: -1}" "${*:2:$#-2}"; }
clean_stderr() { [ ! -s $W/err ] || fail "stderr: $(cat $W/err)"; }

# ---- create ----

case_create() {
	expect 0 network create app; is "$(cat $W/out)" app "what it prints"; clean_stderr
	is "$(ls -A $net_d)" plumb-app.conflist "files"; is "$(stat -c %a $net_d/plumb-app.conflist)" 644 mode
	jq_is in_file app '[.cniVersion, .cniVersions, .name]' '["1.0.0",null,"app"]'
	jq_is in_file app '[.plugins[].type]' '["bridge","portmap","firewall","dnsname"]'
	jq_is in_file app '.plugins[0]' '{"type":"bridge","bridge":"plumb0","isGateway":true,"ipMasq":true,"hairpinMode":true,"ipam":{"type":"host-local","ranges":[[{"subnet":"10.89.0.0/24","gateway":"10.89.0.1"}]],"routes":[{"dst":"0.0.0.0/0"}]}}'
	jq_is in_file app '.plugins[1].capabilities' '{"portMappings":true}'
	jq_is in_file app '.plugins[2]' '{"type":"firewall","unpublishedPorts":"drop"}'
	jq_is in_file app '.plugins[3]' '{"type":"dnsname","domainName":"dns.plumb","capabilities":{"aliases":true}}'
	expect 0 network create more; jq_is in_file more '[.plugins[0].bridge, .plugins[0].ipam.ranges[0][0].subnet]' '["plumb1","10.89.1.0/24"]'
	expect 1 network create app; says "network with name app already exists"
	expect 0 status app; prints present
}

case_create_with_all() {
	expect 0 network create --driver bridge --subnet 10.5.0.0/16 --gateway 10.5.0.254 --ip-range 10.5.4.0/24 --ipv6 --isolate --mtu 1400 --dns 192.0.2.53 \
		--opt bridge=br-x --label team=web --label plain -o com.docker.network.bridge.enable_ip_masquerade=false x
	clean_stderr
	jq_is in_file x '.plugins[0] | [.bridge, .mtu, .ipMasq]' '["br-x",1400,null]'
	jq_is in_file x '.plugins[0].ipam.ranges[0][0]' '{"subnet":"10.5.0.0/16","rangeStart":"10.5.4.0","rangeEnd":"10.5.4.255","gateway":"10.5.0.254"}'
	local v6; v6=$(in_file x '.plugins[0].ipam.ranges[1][0].subnet')
	[[ $v6 =~ ^fd[0-9a-f:]+::/64$ ]] || fail "no ULA: $v6"
	jq_is in_file x '[.plugins[0].ipam.routes[].dst]' '["0.0.0.0/0","::/0"]'
	jq_is in_file x '.plugins[2].ingressPolicy' same-bridge; jq_is in_file x '.plugins[3].servers' '["192.0.2.53"]'
	jq_is in_file x '.plumb.labels' '{"team":"web","plain":""}'
	expect 0 network create --ipv6 y; local again; again=$(in_file y '.plugins[0].ipam.ranges[1][0].subnet')
	[ "${again%:*:/64}" != "$v6" ] && [ "$again" != "$v6" ] || fail "the same IPv6 subnet twice: $again"
	is "$(cut -d: -f1-3 <<<"$again")" "$(cut -d: -f1-3 <<<"$v6")" "the machine's own /48"
	expect 0 network create --subnet fd12::/64 six; jq_is in_file six '[.plugins[0].ipam.ranges[][].subnet]' '["fd12::/64"]'
	expect 0 network create --subnet 10.6.0.0/24 --ip-range 10.6.0.0/25 low; jq_is in_file low '.plugins[0].ipam.ranges[0][0] | [.rangeStart, .rangeEnd]' '["10.6.0.1","10.6.0.127"]'
	expect 0 network create --subnet 10.7.0.0/24 --ip-range 10.7.0.128/25 high; jq_is in_file high '.plugins[0].ipam.ranges[0][0] | [.rangeStart, .rangeEnd]' '["10.7.0.128","10.7.0.254"]'
}

case_create_internal() {
	expect 0 network create --internal quiet
	jq_is in_file quiet '[.plugins[].type]' '["bridge","firewall","dnsname"]'
	jq_is in_file quiet '.plugins[0] | [.isGateway, .ipMasq, .ipam.routes]' '[true,null,null]'
	jq_is in_file quiet '.plugins[1].internal, .plugins[2].internal' $'true\ntrue'
	expect 0 network create -o com.docker.network.bridge.enable_icc=false apart; jq_is in_file apart '.plugins[2].ingressPolicy' isolated
	expect 0 network create --no-dns plain; jq_is in_file plain '[.plugins[].type]' '["bridge","portmap","firewall"]'
	rm $W/bin/dnsname; [ -x "$bin/dnsname" ] && export CNI_PATH=/nowhere
	expect 0 network create nameless; says 'no plugin "dnsname"'; in_file nameless '.plugins[].type' | grep -q dnsname && fail "dnsname without the plugin"
	true
}

case_create_drivers() {
	expect 0 network create -d ptp p; jq_is in_file p '[.plugins[].type]' '["ptp","portmap","firewall"]'; jq_is in_file p '.plugins[0].ipMasq' true
	expect 0 network create -d none isolated; jq_is in_file isolated .plugins '[{"type":"none"}]'
	expect 0 network create -d host shared; jq_is in_file shared .plugins '[{"type":"host"}]'
	expect 0 network create -d macvlan --subnet 192.0.2.0/24 --gateway 192.0.2.1 -o parent=lan0 -o macvlan_mode=private lan --bin-dir $bin
	says 'no plugin "macvlan"'; jq_is in_file lan '.plugins | [.[0] | .type, .master, .mode, .ipam.ranges[0][0].gateway]' '["macvlan","lan0","private","192.0.2.1"]'
	expect 0 network create -d ipvlan --subnet 192.0.2.0/24 -o ipvlan_mode=l3 -o parent=lan0 lan3 --bin-dir $bin; says 'no plugin "ipvlan"'
	expect 2 network create -d macvlan no; says "want --subnet"
	expect 2 network create -d none --subnet 10.1.0.0/24 no; says "has no addresses"
	expect 2 network create -d overlay no; says "want bridge, ptp"
}

case_create_refuses() {
	local bad
	while read -r bad; do expect 2 network create $bad no; done <<'BAD'
--subnet 10.1.2.3/24
--subnet 10.1.2.0
--subnet 10.1.2.0/31
--subnet 127.0.0.0/8
--subnet 224.0.0.0/24
--subnet 10.1.0.0/24 --subnet 10.2.0.0/24
--gateway 10.1.0.1
--subnet 10.1.0.0/24 --gateway 10.2.0.1
--subnet 10.1.0.0/24 --gateway 10.1.0.0
--subnet 10.1.0.0/24 --gateway 10.1.0.255
--subnet 10.1.0.0/24 --ip-range 10.1.0.0/32
--subnet 10.1.0.0/24 --ip-range 10.1.0.255/32
-d ptp --dns 192.0.2.53
-d macvlan --subnet 10.1.0.0/24 --isolate
--subnet 10.1.0.0/24 --ip-range 10.1.0.0/16
--subnet 10.1.0.0/24 --ip-range 10.2.0.0/25
--ip-range 10.1.0.0/25
--mtu 67
--mtu 1279 --ipv6
--opt mtu=1279 --subnet fd00:5::/64
--mtu x
--opt mtu
--opt mtu=1
--opt nothing=1
--opt bridge=0123456789abcdef
--opt bridge=a/b
--opt icc=maybe
--opt cni-version=9.9.9
--opt pool=10.0.0.0/16,8
--opt pool=10.0.0.1/16,24
--label =x
--dns x
--frob
BAD
	expect 2 network create; expect 2 network create a b; expect 2 network create a/b; expect 2 network create ''
	expect 1 network create host; expect 1 network create none
	nothing_in $net_d
	expect 0 network create -o com.docker.network.bridge.gateway_mode_ipv4=nat known; says "no counterpart"
	jq_is in_file known '.plumb.options | keys' '["com.docker.network.bridge.gateway_mode_ipv4"]'
}

case_create_dry_run() {
	expect 0 network create --dry-run app; jq_is in_out .name app; [ ! -e $net_d ] || fail "$net_d was made"
	expect 0 network create --json app; jq_is in_out '.plugins[0].bridge' plumb0; [ -e $net_d/plumb-app.conflist ] || fail "nothing written"
	expect 0 network create -o cni-version=1.1.0 newer; jq_is in_file newer .cniVersion 1.1.0; expect 0 gc newer
}

# ---- What is picked ----

case_subnets_of_others() {
	mkdir -p $net_d /etc/containers/networks
	echo '{"cniVersion":"1.0.0","name":"a","plugins":[{"type":"bridge","bridge":"plumb0","ipam":{"type":"host-local","subnet":"10.89.0.0/24"}}]}' >$net_d/10-a.conflist
	echo '{"cniVersion":"1.0.0","name":"b","type":"ptp","ipam":{"type":"host-local","ranges":[[{"subnet":"10.89.1.0/25"},{"subnet":"10.89.1.128/25"}]]}}' >$net_d/11-b.conf
	echo '{"cniVersion":"1.0.0","name":"c","type":"ptp","ipam":{"type":"static","addresses":[{"address":"10.89.2.9/24"}]}}' >$net_d/12-c.conf
	echo '{"name":"podman1","driver":"bridge","subnets":[{"subnet":"10.89.3.0/24","gateway":"10.89.3.1"}]}' >/etc/containers/networks/podman1.json
	ip link add plumb1 type bridge; ip link set plumb1 up; ip addr add 10.89.4.7/32 dev plumb1; ip route add 10.89.5.16/28 dev plumb1
	ip route add 10.89.6.0/24 dev plumb1 table 77; ip route add 0.0.0.0/1 dev plumb1; ip route add default dev plumb1 metric 9
	ip route add blackhole 10.89.8.0/22
	expect 0 network create one; jq_is in_file one '.plugins[0] | [.bridge, .ipam.ranges[0][0].subnet]' '["plumb2","10.89.7.0/24"]'
	expect 0 network create two; jq_is in_file two '.plugins[0].ipam.ranges[0][0].subnet' 10.89.12.0/24
	ip link add plumb9 type veth peer name plumb10; expect 1 network create --opt bridge=plumb9 no; says "is no bridge"
	expect 1 network create --subnet 10.89.0.0/25 no; says "overlaps with 10.89.0.0/24 of network a"
	expect 1 network create --subnet 10.89.3.128/25 no; says "podman's network in /etc/containers/networks/podman1.json"
	expect 1 network create --subnet 10.89.4.0/24 no; says "of address 10.89.4.7/32 of plumb1"
	expect 1 network create --subnet 10.89.5.0/24 no; says "of route 10.89.5.16/28 by plumb1"
	expect 1 network create --subnet 10.89.6.0/24 no; expect 1 network create --opt bridge=plumb0 no; says "is network a's"
	expect 0 network create --opt bridge=plumb1 taken   # a link that is there may be meant
}

case_pools() {
	expect 0 network create -o pool=10.200.0.0/30,30 one; jq_is in_file one '.plugins[0].ipam.ranges[0][0].subnet' 10.200.0.0/30
	expect 1 network create -o pool=10.200.0.0/30,30 two; says "all predefined address pools (IPv4) have been fully subnetted"
	mkdir /etc/plumb
	echo '{"default-address-pools":[{"base":"172.30.0.0/23","size":24},{"base":"192.168.64.0/20","size":20},{"base":"fd77::/56","size":64}]}' >/etc/plumb/pools.json
	local n got=; for n in a b c; do expect 0 network create --ipv6 $n; got="$got $(in_file $n '.plugins[0].ipam.ranges[][].subnet' | paste -sd,)"; done
	is "$got" " 172.30.0.0/24,fd77::/64 172.30.1.0/24,fd77:0:0:1::/64 192.168.64.0/20,fd77:0:0:2::/64" "subnets"
	expect 1 network create d
	rm /etc/plumb/pools.json; ip link add vpn0 type bridge; ip link set vpn0 up; ip route add 10.0.0.0/8 dev vpn0
	expect 0 network create vpn; jq_is in_file vpn '.plugins[0].ipam.ranges[0][0].subnet' 172.20.0.0/24
	local bad; for bad in '{' '{"default-address-pools":[{"base":"172.30.0.0/16","size":8}]}' '{"default-address-pools":{}}' '{"default-address-pools":[{"base":"x","size":24}]}'; do
		echo "$bad" >/etc/plumb/pools.json; expect 1 network create e; says /etc/plumb/pools.json
	done
}

case_at_the_same_time() {
	local n pids=()
	for n in {1..24}; do "$bin/plumb" network create --ipv6 n$n >/dev/null 2>>$W/err & pids+=($!); done
	for n in "${pids[@]}"; do wait "$n" || fail "create: $(cat $W/err)"; done
	is "$(jq -r '.plugins[0].bridge' $net_d/*.conflist | sort -u | wc -l)" 24 "bridges"
	is "$(jq -r '.plugins[0].ipam.ranges[][].subnet' $net_d/*.conflist | sort -u | wc -l)" 48 "subnets"
	is "$(ls -A $net_d | grep -vc 'plumb-n[0-9]*.conflist')" 0 "other files"
	# of several at once with one name, one makes it
	local made=0; pids=()
	for n in {1..8}; do "$bin/plumb" network create same >/dev/null 2>&1 & pids+=($!); done
	for n in "${pids[@]}"; do wait "$n" && made=$((made + 1)); done
	is $made 1 "of eight creates of one name"
	for n in {1..24}; do "$bin/plumb" network rm n$n >/dev/null 2>>$W/err & done; wait
	is "$(ls $net_d)" plumb-same.conflist "what remains"
}

case_nothing_half_written() {
	mkdir -p $net_d; mount -t tmpfs -o size=4k,nr_inodes=1k none $net_d || skip "no tmpfs"
	head -c 4096 /dev/zero >$net_d/fill
	expect 1 network create app; says "No space left"; is "$(ls -A $net_d)" fill "files"
	rm $net_d/fill; echo '{' >$net_d/plumb-app.conflist
	expect 1 network create app; says "plumb-app.conflist"; is "$(cat $net_d/plumb-app.conflist)" '{' "somebody's file"
	is "$(ls -A $net_d)" plumb-app.conflist "files"
}

# ---- ls, inspect ----

case_ls() {
	expect 0 network ls; is "$(cat $W/out)" "NETWORK ID   NAME   DRIVER   SCOPE   SUBNETS" "an empty list"
	expect 0 network create --label team=a --label env=x one; expect 0 network create -d ptp --ipv6 --label team=b two; expect 0 network create -d none three
	expect 0 network ls; is "$(awk '{print $2, $3, $4, $5}' $W/out | sed 1d)" $'one bridge local 10.89.0.0/24\nthree none local \ntwo ptp local 10.89.1.0/24,' "the list"
	grep -q ' $' $W/out && fail "white space at the lines' ends"
	expect 0 network list -q; is "$(paste -sd' ' $W/out)" "one three two" names
	expect 0 network ls -q --filter label=team; is "$(paste -sd' ' $W/out)" "one two" "by label"
	expect 0 network ls -q -f label=team=b; is "$(cat $W/out)" two "by a label's value"
	expect 0 network ls -q --filter name=t --filter driver=none; is "$(cat $W/out)" three "by name and driver"
	expect 0 network ls -q --filter dangling=false; is "$(cat $W/out)" "" "in use"
	expect 2 network ls --filter frob=1; expect 2 network ls --filter label; expect 2 network ls --format '{{.Name}}'
	expect 0 network ls --format json; jq_is in_out '[.[] | [.Name, .Driver, .Internal, .IPv6]]' '[["one","bridge",false,false],["three","none",false,false],["two","ptp",false,true]]'
	is "$(in_out '.[0].ID | length')" 64 "an id's length"
	echo '{' >$net_d/00-broken.conflist; expect 0 network ls -q; says "passing over $net_d/00-broken.conflist"; is "$(wc -l <$W/out)" 3 "names"
	expect 0 network create four; is "$(wc -l <$W/err)" 1 "lines about it"; expect 0 network rm four; is "$(wc -l <$W/err)" 1 "lines about it"
	expect 2 network; says "plumb network create"; expect 0 network --help; prints "plumb network prune"; expect 2 network frob; says 'no command "network frob"'
}

# An ordinary user may see which networks there are, not who is in them, and changes nothing.
case_ls_by_others() {
	[ "$(awk '{print $3}' /proc/self/uid_map)" != 1 ] && command -v setpriv >/dev/null || skip "one user alone in this user namespace, or no setpriv"
	expect 0 network create app; add_netns web; expect 0 add app web; chmod 755 $W $net_d; cp "$bin/plumb" $W/plumb; : >$W/out; chmod 666 $W/out $W/err
	other() { setpriv --reuid 65534 --regid 65534 --clear-groups $W/plumb "$@" >$W/out 2>$W/err; code=$?; }
	other network ls -q; is "$code $(cat $W/out)" "0 app" "ls"
	other network inspect app; is $code 1 "inspect"; says "Permission denied; not run as root"
	other network create more; is $code 1 "create"; says "Permission denied"; other network rm app; is $code 1 "rm"; is "$(ls $net_d)" plumb-app.conflist "networks"
	other ps; is $code 1 ps; other ps -q; is $code 0 "ps -q"
}

case_inspect() {
	expect 0 network create --label team=a -o mtu=1400 --subnet 10.3.0.0/24 --ip-range 10.3.0.64/26 --ipv6 app
	add_netns web; expect 0 add app web --id 0123456789abcdef -p 127.0.0.1:8080:80 -p 5353:53/udp
	expect 0 network inspect app
	jq_is in_out '.[0] | [.Name, .Scope, .Driver, .EnableIPv6, .Internal]' '["app","local","bridge",true,false]'
	jq_is in_out '.[0] | [.Labels, .Options]' '[{"team":"a"},{"mtu":"1400"}]'
	jq_is in_out '.[0].IPAM.Config[0]' '{"Subnet":"10.3.0.0/24","IPRange":"10.3.0.64/26","Gateway":"10.3.0.1"}'
	[[ $(in_out '.[0].Created') =~ ^20..-..-..T..:..:..Z$ ]] || fail "Created: $(in_out '.[0].Created')"
	jq_is in_out '.[0].Containers | keys' '["0123456789abcdef"]'
	jq_is in_out '.[0].Containers[] | [.Name, .IPv4Address, .Interface, .Sandbox]' '["0123456789abcdef","10.3.0.64/24","eth0","/run/netns/web"]'
	jq_is in_out '.[0].Containers[].Ports' '{"80/tcp":[{"HostIp":"127.0.0.1","HostPort":"8080"}],"53/udp":[{"HostIp":"","HostPort":"5353"}]}'
	is "$(in_out '.[0].Containers[].MacAddress')" "$(ip -n web -j link show eth0 | jq -r '.[0].address')" "the MAC"
	is "$(in_out '.[0].Containers[].IPv6Address')" "$(ip -n web -j -6 addr show eth0 scope global | jq -r '.[0].addr_info[0] | "\(.local)/\(.prefixlen)"')" "the IPv6 address"
	is "$(in_out '.[0].Containers[].EndpointID | length')" 64 "EndpointID"
	local id; id=$(in_out '.[0].Id'); expect 0 network inspect "${id:0:12}"; jq_is in_out '.[0].Name' app
	expect 1 network inspect app nope; says "network nope not found"; jq_is in_out '[.[].Name]' '["app"]'
	# of other tools' making
	echo '{"cniVersion":"1.0.0","name":"theirs","plugins":[{"type":"bridge","isGateway":true,"ipam":{"type":"host-local","subnet":"10.4.0.0/16","rangeStart":"10.4.1.5","rangeEnd":"10.4.1.9","gateway":"10.4.0.1"}}]}' >$net_d/10-theirs.conflist
	expect 0 network inspect theirs; jq_is in_out '.[0] | [.Driver, .Created, .IPAM.Config[0].IPRange]' '["bridge","","10.4.1.5-10.4.1.9"]'
}

# ---- rm, prune ----

case_rm() {
	expect 0 network create app; add_netns web; expect 0 add app web --id web
	ip link show plumb0 >/dev/null || fail "no bridge"
	expect 1 network rm app; says "network app is in use by web (eth0)"; [ -e $net_d/plumb-app.conflist ] || fail "it went"
	expect 0 del app web --id web
	expect 0 network rm app; is "$(cat $W/out)" app "what it prints"; nothing_in $net_d
	ip link show plumb0 >/dev/null 2>&1 && fail "the bridge stays"
	[ ! -e /var/lib/cni/networks/app ] || fail "the lease folder stays: $(ls -A /var/lib/cni/networks/app)"
	nothing_in /run/plumb/leases
	expect 1 network rm app; says "network app not found"; expect 0 network rm -f app
	expect 0 network create a; expect 0 network create b
	expect 1 network rm a nope b; is "$(paste -sd' ' $W/out)" "a b" "goes on"; says "network nope not found"
}

case_rm_force() {
	expect 0 network create app; add_netns web db; expect 0 add app web -p 8080:80; expect 0 add app db
	expect 0 network rm -f app; clean_stderr
	nothing_in $results; ip link show plumb0 >/dev/null 2>&1 && fail "the bridge stays"; [ ! -e /var/lib/cni/networks/app ] || fail "leases stay"
	[ -z "$(ip -n web -o link show eth0 2>/dev/null)" ] || fail "eth0 stays"
	nft list table inet plumb 2>/dev/null | grep -q '"app/' && fail "elements stay: $(nft list table inet plumb | grep app/)"
	# a namespace that is gone uses nothing
	expect 0 network create gone; add_netns late; expect 0 add gone late; ip netns del late
	expect 0 network rm gone; nothing_in $results; [ ! -e /var/lib/cni/networks/gone ] || fail "leases stay"
}

case_rm_of_others() {
	mkdir -p $net_d
	echo '{"cniVersion":"1.0.0","name":"theirs","plugins":[{"type":"bridge","bridge":"br9","ipam":{"type":"host-local","subnet":"10.4.0.0/16"}}]}' >$net_d/10-theirs.conflist
	expect 1 network rm theirs; says "was not made by plumb network create"; expect 0 network prune -f; is "$(cat $W/out)" "" "pruned"
	ip link add br9 type bridge; expect 0 network rm -f theirs; nothing_in $net_d; ip link show br9 >/dev/null || fail "their bridge went"
	# a lease that no record tells of
	expect 0 network create app; mkdir -p /var/lib/cni/networks/app; printf 'c0ffee\r\neth0' >/var/lib/cni/networks/app/10.89.0.9
	expect 1 network rm app; says "in use by c0ffee (lease 10.89.0.9)"; expect 0 network rm -f app; [ ! -e /var/lib/cni/networks/app ] || fail "leases stay"
	# a bridge with ports that are not ours stays
	expect 0 network create more; ip link add plumb0 type bridge; ip link add d0 type veth peer name d1; ip link set d0 master plumb0
	expect 0 network rm more; says "bridge plumb0 stays: it has 1 port still"; ip link show plumb0 >/dev/null || fail "a bridge with a port went"
}

case_prune() {
	expect 0 network create used; expect 0 network create idle; expect 0 network create --label keep=1 kept; add_netns web; expect 0 add used web
	expect 0 network prune; is "$(cat $W/out)" "" "without a yes"; says "Are you sure"
	echo y | "$bin/plumb" network prune --filter label=keep >$W/out 2>$W/err; is "$(cat $W/out)" kept "of the filter"
	expect 0 network prune -f; is "$(cat $W/out)" idle "pruned"; is "$(ls $net_d)" plumb-used.conflist "what stays"
}

# ---- connect, disconnect ----

case_connect() {
	expect 0 network create app; expect 0 network create --internal back; add_netns web
	expect 0 add app web --id 0123456789ab
	expect 0 network connect back 0123456789ab --alias db; is "$(cat $W/out)" "" output; clean_stderr
	ip -n web -o -4 addr show eth1 | grep -qF 10.89.1. || fail "no eth1: $(ip -n web -o addr)"
	is "$(tail -1 $W/dnsname.log)" '["ADD", "", {"aliases": {"back": ["db"]}}]' "what dnsname is told"
	expect 1 network connect back 0123; says "connected to network back already, as eth1"
	expect 1 network connect back nope; says 'no container "nope"'; expect 1 network connect nope web; says "network nope not found"
	expect 1 network rm back; says "in use by 0123456789ab (eth1)"
	expect 1 network disconnect app other; says "is not connected to network app"
	expect 0 network disconnect back /run/netns/web; [ -z "$(ip -n web -o link show eth1 2>/dev/null)" ] || fail "eth1 stays"
	ip -n web link show eth0 >/dev/null || fail "eth0 went"
	# a namespace that nobody has on record, by its name, with an address of the user's
	add_netns box; expect 0 network connect app box --ip 10.89.0.77 --mac-address 02:00:00:00:00:77
	expect 0 network inspect app; jq_is in_out '[.[0].Containers[] | .Name] | sort' '["0123456789ab","box"]'
	ip -n box -o addr show eth0 | grep -qF 10.89.0.77/24 || fail "no address"
	expect 0 network disconnect app box; expect 0 network disconnect app 0123; nothing_in $results
}

# Containers of podman and containerd, as libcni notes them.
case_connect_runtimes_containers() {
	expect 0 network create app; expect 0 network create more; add_netns cni-1 cni-2
	expect 0 add app /run/netns/cni-1 --id aaaa1111; expect 0 add app /run/netns/cni-2 --id aaaa2222
	sed -i 's/"netns":/"cniArgs":[["IgnoreUnknown","1"],["K8S_POD_NAME","web"]],"netns":/' $results/app-aaaa1111-eth0
	expect 1 network connect more aaaa; says "several are meant"
	expect 0 network connect more web; expect 0 network inspect more; jq_is in_out '.[0].Containers | to_entries | map([.key, .value.Name, .value.Interface])' '[["aaaa1111","web","eth1"]]'
	rm $net_d/plumb-more.conflist; expect 0 network disconnect more web; ip -n cni-1 -o link show eth1 2>/dev/null | grep -q . && fail "eth1 stays"
	true
}

# GC and STATUS came with 1.1.0: who knows it takes it, where all plugins do.
case_versions() {
	export CNI_PATH=$bin
	expect 0 network create --no-dns --ip-range 10.76.0.0/30 --subnet 10.76.0.0/24 tiny; jq_is in_file tiny .cniVersions '["1.0.0","1.1.0"]'
	expect 0 network create --no-dns -o cni-version=0.4.0 old; jq_is in_file old '[.cniVersion, .cniVersions]' '["0.4.0",null]'
	expect 0 status tiny
	add_netns a b; expect 0 add tiny a; expect 0 add tiny b
	expect 6 status tiny
	expect 0 gc tiny --all; lacks $W/err "1.1.0"
	expect 0 status tiny
}

# ---- What networks do ----

case_internal_and_isolated() {
	need "$(command -v ping || echo ping)"
	ip netns add far; ip link add lan0 type veth peer name eth0 netns far || skip "no veth"
	ip addr add 192.0.2.1/24 dev lan0; ip link set lan0 up; ip -n far addr add 192.0.2.2/24 dev eth0; ip -n far link set eth0 up
	expect 0 network create app; expect 0 network create --internal back; expect 0 network create --isolate one; expect 0 network create --isolate two
	add_netns a b c d; expect 0 add app a; expect 0 add back b; expect 0 add one c; expect 0 add two d
	ping_from() { ip netns exec "$1" ping -c1 -W1 "$2" >/dev/null 2>&1; }
	address() { ip -n "$1" -j -4 addr show eth0 | jq -r '.[0].addr_info[0].local'; }
	ping_from a 192.0.2.2 || fail "no way out of a plain network"
	ping_from b 192.0.2.2 && fail "a way out of an internal network"
	ping_from b 10.89.1.1 || fail "the host does not answer an internal network"
	ping_from c 192.0.2.2 || fail "no way out of an isolated network"
	ping_from c "$(address d)" && fail "isolated networks reach each other"
	expect 0 network create -o unpublished-ports=accept open; add_netns e f; expect 0 add open e; expect 0 add app f
	ip -n far route add 10.89.0.0/16 via 192.0.2.1
	ping_from far "$(address a)" && fail "a plain network is reached from outside by its addresses"
	ping_from e "$(address a)" && fail "a plain network is reached from another"
	ping_from f "$(address a)" || fail "containers of a network do not reach each other"
	ping_from far "$(address e)" || fail "an open network is not reached"
	expect 5 add back a --ifname eth5 -p 80:80; says "publishes ports: it is internal"
}

# The commands that contrib/compose.md shows.
case_compose() {
	local line n=0
	while read -r line; do n=$((n + 1)); expect 0 ${line#plumb }; done < <(grep '^plumb network create' "$top"/contrib/compose.md)
	is $n 2 "commands"; jq_is in_file front '.plugins[0].mtu' 1400; jq_is in_file back '[.plugins[1].internal, .plumb.labels.tier]' '[true,"data"]'
	expect 0 run --network back --name redis --ip 10.5.0.20 -- ip -o -4 addr show eth0; prints 10.5.0.20/24
	expect 0 run --network front,back --name api -p 8080:80 -- ip -o -4 addr; prints 10.89.0.2/24; prints 10.5.0.
	while read -r line; do expect 0 ${line#plumb }; done < <(grep '^plumb network rm' "$top"/contrib/compose.md); nothing_in $net_d
}

# What is written is for every CNI plugin of these names.
case_reference_plugins() {
	need /usr/lib/cni/{bridge,host-local,portmap,firewall} "$(command -v iptables || echo iptables)"
	export CNI_PATH=/usr/lib/cni
	expect 0 network create --ipv6 app; says 'no plugin "dnsname" in /usr/lib/cni'; add_netns web
	expect 0 add app web --id web -p 8080:80; prints "10.89.0.2/24, gateway 10.89.0.1"
	ip netns exec web ping -c1 -W2 10.89.0.1 >/dev/null || fail "the gateway does not answer"
	expect 0 network inspect app; jq_is in_out '.[0].Containers.web | [.IPv4Address, .Ports["80/tcp"][0].HostPort]' '["10.89.0.2/24","8080"]'
	expect 1 network rm app; says "in use by web (eth0)"; expect 0 network rm -f app; ip link show plumb0 >/dev/null 2>&1 && fail "the bridge stays"
	expect 0 network create -d macvlan --subnet 192.0.2.0/24 --gateway 192.0.2.1 --ip-range 192.0.2.64/26 -o parent=lan0 lan; clean_stderr
	ip link add lan0 type veth peer name lan1; ip link set lan0 up; ip link set lan1 up
	ip link add link lan0 name probe type macvlan 2>/dev/null || skip "the kernel has no macvlan"
	ip link del probe; add_netns box; expect 0 add lan box; prints "192.0.2.64/24, gateway 192.0.2.1"
}

case_default_host_ip() {
	expect 0 network create -o com.docker.network.bridge.host_binding_ipv4=127.0.0.1 app; add_netns web
	expect 0 add app web -p 8080:80 -p 127.0.0.2:8081:81; prints "port       127.0.0.1:8080 -> 80/tcp"; prints "127.0.0.2:8081 -> 81/tcp"
}

. "$top/tests/lib/cases.sh"
