#!/bin/bash
# plumb run with names, in the background, and ps, stop, rm, exec, logs; in TAP.
. "$(dirname "$0")/../lib/plumb.sh"
runs=/run/plumb/run

begin() {
	command -v jq >/dev/null || skip "no jq"
	own_world
	fake one two
	two 1.0.0
}

in_out() { jq -cr "$1" $W/out; }
clean_stderr() { [ ! -s $W/err ] || fail "stderr: $(cat $W/err)"; }
nothing_left() { nothing_in $runs; nothing_in $results; nothing_in $adding; nothing_in /run/netns; }
state() { jq -r ".$2" $runs/"$1"/state; }
# Foreground, in the background of the test: plumb itself is $run.
start_run() { rm -f $W/up; "$bin/plumb" run "$@" >$W/run.out 2>$W/run.err & run=$!; until_true test -e $W/up; }

# ---- The command's own files and name ----

case_files() {
	answer two.ADD '{"cniVersion":"1.0.0","interfaces":[{"name":"eth0","sandbox":"/x"}],"ips":[{"address":"10.9.0.2/24","gateway":"10.9.0.1","interface":0},{"address":"fd00::2/64","interface":0}],"dns":{"nameservers":["10.9.0.1"],"search":["a.test"]}}'
	local before; before=$(cat /etc/hosts; hostname)
	expect 0 run --name api --network-alias api.test --add-host db.test:10.1.2.3 --add-host six:[fd00::9] --add-host host.test:host-gateway -- sh -c 'hostname; cat /etc/hosts'
	is "$(cat $W/out)" "$(printf 'api\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n10.9.0.2\tapi api.test\nfd00::2\tapi api.test\n10.1.2.3\tdb.test\nfd00::9\tsix\n10.9.0.1\thost.test')" "host name and hosts"
	says "no plugin of the network gives names"
	is "$(cat /etc/hosts; hostname)" "$before" "our own"
	expect 0 run --hostname other.test --name api -- sh -c 'hostname; cat /etc/resolv.conf'
	is "$(cat $W/out)" "$(printf 'other.test\nsearch a.test\nnameserver 10.9.0.1')" "host name and resolv.conf"
	expect 0 run --dns 192.0.2.53 --dns fd00::53 -- cat /etc/resolv.conf; is "$(cat $W/out)" "$(printf 'nameserver 192.0.2.53\nnameserver fd00::53\nsearch a.test')" "with --dns"
	expect 0 run --network none --dns 192.0.2.53 -- cat /etc/resolv.conf; is "$(cat $W/out)" "nameserver 192.0.2.53" "of no network"
	nothing_left
}

case_names_to_plugins() {
	conf 10-net.conflist <<<'{"cniVersion":"1.0.0","name":"net","plugins":[{"type":"one","capabilities":{"aliases":true}},{"type":"two"}]}'
	conf 20-more.conflist <<<'{"cniVersion":"1.0.0","name":"more","plugins":[{"type":"two","capabilities":{"aliases":true}}]}'
	expect 0 run --network net,more --name api --network-alias web --network-alias shop -- true; clean_stderr
	has "$(log 0.one.ADD.in)" '"runtimeConfig":{"aliases":{"net":["web","shop"]}}'; lacks "$(log 1.two.ADD.in)" aliases
	has "$(log 2.two.ADD.in)" '"runtimeConfig":{"aliases":{"more":["web","shop"]}}'
	has "$(log 0.one.ADD.env)" "CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAME=api"; has "$(log 2.two.ADD.env)" CNI_IFNAME=eth1; has "$(log 0.one.ADD.env)" CNI_CONTAINERID=api
	expect 0 run -it --rm --id x1 --name other -- true; has "$(log 6.one.ADD.env)" CNI_CONTAINERID=x1; has "$(log 6.one.ADD.env)" K8S_POD_NAME=other
	nothing_left
}

case_usage() {
	local bad
	while read -r bad; do expect 125 run $bad -- true; done <<'BAD'
--name a/b
--name -x
--hostname a_b/c
--hostname 12345678901234567890123456789012345678901234567890123456789012345
--add-host x
--add-host x:y
--add-host :10.1.2.3
--dns x
--ip6 10.1.2.3
--network-alias a/b
--network net,,more
--network host --name x
--network host -d
BAD
	expect 2 stop; expect 2 rm; expect 125 exec; expect 125 exec x; expect 2 logs; expect 2 ps x; expect 2 stop -t x y
	expect 1 stop nope; says 'no plumb run "nope"'; expect 1 rm nope; expect 0 rm -f nope; expect 125 exec nope -- true; says 'no plumb run "nope"'; expect 1 logs nope
	expect 1 stop ../x; expect 0 ps; is "$(cat $W/out)" "NAME   PID   STATUS   NETWORKS   PORTS   COMMAND" "an empty list"
	expect 0 run --help; prints "--network-alias NAME"; is "$(calls)" "" "plugins run"
}

# ---- ps, stop, exec ----

case_ps() {
	conf 20-ports.conflist <<<'{"cniVersion":"1.0.0","name":"ports","plugins":[{"type":"one","capabilities":{"portMappings":true}}]}'
	start_run --network net,ports --name web -p 8080:80 -p '[fd00::1]:53:53/udp' -- sh -c "touch $W/up; exec sleep 100"
	expect 0 ps; prints "web "; prints "Up "; prints "net=10.9.0.2, ports=10.9.0.2"; prints "0.0.0.0:8080->80/tcp, [fd00::1]:53->53/udp"; prints "sleep 100"
	expect 0 run -d --network none --name lines -- sh -c $'sleep 9\n\033[1m'; expect 0 ps; is "$(grep -c . $W/out)" 3 "lines"; expect 0 rm -f lines
	expect 0 ps -q; is "$(cat $W/out)" web names; expect 0 ps -aq; is "$(cat $W/out)" web "names of all"
	expect 0 ps --format json; is "$(in_out '.[0] | [.name, .id, .status, .keeper, .networks[1].network, .networks[1].interface, .networks[1].ports[0].hostPort]')" \
		"[\"web\",\"web\",\"running\",$run,\"ports\",\"eth1\",8080]" "JSON"
	is "$(cat /proc/"$(in_out '.[0].pid')"/comm)" sleep "its process"
	expect 125 run --name web -- true; says 'the name "web" is in use by a plumb run'
	expect 0 stop web; is "$(cat $W/out)" web "what stop prints"
	wait $run; is $? 143 "exit code"; nothing_left
	expect 0 ps -aq; is "$(cat $W/out)" "" "none"
}

case_stop() {
	# KILL comes after the patience that is asked for
	start_run --name deaf -- sh -c "trap '' TERM; touch $W/up; while :; do sleep 0.1; done"
	expect 0 stop -t 1 deaf; wait $run; is $? 137 "exit code"; nothing_left
	start_run --name one -- sh -c "touch $W/up; exec sleep 100"; local first=$run; start_run --name two -- sh -c "touch $W/up; exec sleep 100"
	expect 1 stop one nope two; is "$(paste -sd' ' $W/out)" "one two" "goes on"; wait $first; wait $run; nothing_left
	# while it is being set up
	echo "touch $W/adding; sleep 0.5" >$W/do.one.ADD; chmod +x $W/do.one.ADD
	"$bin/plumb" run --name early -- touch $W/started >$W/run.out 2>&1 & run=$!; until_true test -e $W/adding
	expect 0 ps; prints "Starting"; expect 0 stop early; wait $run; is $? 143 "exit code"; [ ! -e $W/started ] || fail "the command ran"; nothing_left
}

case_exec() {
	echo 'ip -n ${CNI_NETNS##*/} link add $CNI_IFNAME type veth' >$W/do.one.ADD; chmod +x $W/do.one.ADD
	start_run --name web --add-host db.test:10.1.2.3 -- sh -c "readlink /proc/self/ns/net >$W/ns; touch $W/up; exec sleep 100"
	expect 0 exec web -- sh -c 'readlink /proc/self/ns/net; hostname; grep db.test /etc/hosts; ip -o link show eth0; pwd'
	prints "$(cat $W/ns)"; prints web; prints "10.1.2.3"; prints eth0; prints "$(pwd)"
	expect 0 exec -it web true; expect 7 exec web sh -c 'exit 7'; expect 127 exec web /nowhere; expect 126 exec web /etc/passwd; expect 0 exec web -- sh -c 'test "$1" = --' x --
	is "$(echo in | "$bin/plumb" exec web cat)" in "stdin"
	expect 0 stop web; expect 125 exec web -- true; wait $run; nothing_left
}

# ---- In the background ----

case_detached() {
	expect 0 run -d --name job -- sh -c 'echo out; echo err >&2; sleep 0.3; exit 5'; is "$(cat $W/out)" job "what it prints"; clean_stderr
	expect 0 ps -q; prints job
	until_true grep -q '"exitCode":5' $runs/job/state
	expect 0 ps -q; is "$(cat $W/out)" "" "running"; expect 0 ps -a; prints "Exited (5)"
	expect 0 logs job; is "$(sort $W/out)" $'err\nout' "the log"
	nothing_in $results; nothing_in /run/netns; is "$(calls)" "one.ADD two.ADD two.DEL one.DEL" "taken down"
	expect 125 run --name job -- true; says "plumb rm job"
	expect 0 stop job; expect 0 rm job; is "$(cat $W/out)" job "what rm prints"; nothing_left
	expect 1 logs job
	# without a trace with --rm, and nobody has to wait for it
	expect 0 run -d --rm --name brief -- true; until_true test ! -e $runs/brief; nothing_left
	is "$(timeout 10 "$bin/plumb" run -d --rm -- sleep 100 | grep -c '^run-')" 1 "a name of its own"
	local name; name=$("$bin/plumb" ps -q); expect 0 stop "$name"; nothing_left
}

case_detached_failures() {
	expect 127 run -d --name no -- /nowhere; says "No such file"; nothing_left
	expect 125 run -d --network nope -- true; nothing_left
	answer two.ADD '{"code":11,"msg":"later"}' 1; expect 125 run -d --name no -- touch $W/started; says "two: later"; nothing_left
	[ ! -e $W/started ] || fail "the command ran"; rm $W/*.two.ADD
	expect 0 run -d --name web -- sleep 100; expect 1 rm web; says "web is running"
	expect 0 logs web; is "$(cat $W/out)" "" "no output"
	expect 0 rm -f web; is "$(cat $W/out)" web "what it prints"; nothing_left
	start_run --name fore -- sh -c "touch $W/up; exec sleep 100"; expect 1 logs fore; says "runs without -d"; expect 0 rm -f fore; wait $run; is $? 137 "exit code"; nothing_left
}

case_logs_followed() {
	expect 0 run -d --name job -- sh -c "echo one; until [ -e $W/go ]; do sleep 0.05; done; echo two; until [ -e $W/stop ]; do sleep 0.05; done; echo three"
	"$bin/plumb" logs -f job >$W/followed 2>&1 & local follower=$!
	until_true grep -qx one $W/followed; touch $W/go; until_true grep -qx two $W/followed; kill -0 $follower || fail "it ended before the command"
	touch $W/stop; wait $follower; is $? 0 "exit code"; is "$(paste -sd' ' $W/followed)" "one two three" "what was followed"
	expect 0 logs -f job; is "$(paste -sd' ' $W/out)" "one two three" "of one that has ended"; expect 0 rm job
	# with --rm the log goes, and the follower with it; so it does when the keeper is killed
	expect 0 run -d --rm --name brief -- sleep 100; "$bin/plumb" logs -f brief >/dev/null 2>&1 & follower=$!
	sleep 0.2; expect 0 stop brief; wait $follower; is $? 0 "exit code"
	expect 0 run -d --name dead -- sleep 100; "$bin/plumb" logs -f dead >/dev/null 2>&1 & follower=$!
	sleep 0.2; kill -9 "$(state dead keeper)"; wait $follower; is $? 0 "exit code"; expect 0 ps; nothing_left
}

case_detached_is_apart() {
	# its keeper is not its starter's child, and has neither its terminal nor its pipes
	expect 0 run -d --name web -- sleep 100
	local keeper; keeper=$(state web keeper)
	is "$(readlink /proc/$keeper/fd/0)" /dev/null stdin; is "$(readlink /proc/$keeper/fd/1)" $runs/web/log stdout
	is "$(ps -o sid= -p $keeper | tr -d ' ')" $keeper "its session"
	kill -TERM "$keeper"; until_true test ! -e /run/netns/plumb-web; is "$(state web exitCode)" 143 "after TERM to the keeper"; expect 0 rm web; nothing_left
}

# ---- What is killed is mended ----

case_killed() {
	local pid
	for how in "" -d; do
		if [ "$how" ]; then expect 0 run -d --name web -- sleep 100; run=$(state web keeper)
		else start_run --name web -- sh -c "touch $W/up; exec sleep 100"; fi
		pid=$(state web pid); kill -9 $run; wait $run 2>/dev/null
		until_true test ! -e /proc/$pid/exe
		[ -e /run/netns/plumb-web ] || fail "gone by itself"; calls >/dev/null
		expect 0 ps; is "$(wc -l <$W/out)" 1 "lines"; is "$(calls)" "two.DEL one.DEL" "what ps does"; nothing_left
	done
	# the name is free again without ps
	expect 0 run -d --name web -- sleep 100; kill -9 "$(state web keeper)"; sleep 0.1; calls >/dev/null
	expect 0 run --name web -- true; is "$(calls)" "two.DEL one.DEL one.ADD two.ADD two.DEL one.DEL" "calls"; nothing_left
	# gc does it too, and knows a run without attachments
	expect 0 run -d --network none --name bare -- sleep 100; kill -9 "$(state bare keeper)"; sleep 0.1; expect 0 gc net; nothing_left
	# rm
	expect 0 run -d --name web -- sleep 100; kill -9 "$(state web keeper)"; sleep 0.1; expect 0 rm web; nothing_left
}

# /run is empty after a reboot, /var/lib is not.
case_rebooted() {
	expect 0 run -d --name web -- sleep 100; kill -9 "$(state web keeper)"; sleep 0.1
	umount /run/netns/plumb-web; rm -r /run/netns/plumb-web /run/plumb; is "$(ls $results)" net-web-eth0 records; calls >/dev/null
	expect 0 ps; is "$(calls)" "two.DEL one.DEL" "calls"; nothing_left
}

case_same_name_at_once() {
	local n pids=() ok=0
	for n in {1..8}; do "$bin/plumb" run -d --name web -- sleep 100 >/dev/null 2>&1 & pids+=($!); done
	for n in "${pids[@]}"; do wait "$n" && ok=$((ok + 1)); done
	is $ok 1 "of eight of one name"; is "$(ls $results)" net-web-eth0 records; expect 0 rm -f web; nothing_left
}

# ---- With real plugins ----

serve='import http.server, sys
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(s):
        s.send_response(200); s.end_headers(); s.wfile.write(sys.argv[1].encode())
http.server.HTTPServer(("", 80), H).serve_forever()'

case_real_networks() {
	need "$bin"/{bridge,host-local,portmap,firewall,plumb-ruleset} "$(command -v curl || echo curl)"
	unset NETCONFPATH; export CNI_PATH=$bin; mkdir -p $W/etc; cp -a /etc/passwd /etc/group /etc/nsswitch.conf /etc/hosts /etc/resolv.conf /etc/alternatives /etc/ld.so.* $W/etc 2>/dev/null
	mount --bind $W/etc /etc || exit 1
	expect 0 network create --no-dns front; expect 0 network create --no-dns --internal back
	expect 0 run -d --network front --name web -p 8080:80 -- python3 -c "$serve" web
	expect 0 run -d --network back --name db -- python3 -c "$serve" db
	until_true curl -sfo /dev/null http://127.0.0.1:8080/; is "$(curl -sm5 http://127.0.0.1:8080/)" web "by the published port"
	expect 0 network inspect front; is "$(in_out '.[0].Containers.web | [.Name, .IPv4Address, .Ports["80/tcp"][0].HostPort]')" '["web","10.89.0.2/24","8080"]' inspect
	expect 28 exec web -- curl -sm1 http://10.89.1.2/
	expect 0 network connect back web; expect 0 exec web -- curl -sm5 http://10.89.1.2/; is "$(cat $W/out)" db "by the second network"
	expect 0 exec web -- cat /etc/hosts; prints "$(printf '10.89.1.3\tweb')"
	expect 0 network inspect back; is "$(in_out '[.[0].Containers[].Name] | sort')" '["db","web"]' "who is there"
	expect 1 network rm back; says "in use by"; says "db (eth0)"; says "web (eth1)"
	expect 0 network disconnect back web; expect 28 exec web -- curl -sm1 http://10.89.1.2/; expect 0 exec web -- cat /etc/hosts; lacks $W/out 10.89.1.3
	expect 0 network connect back web; expect 0 rm -f web db; nothing_left
	expect 0 network rm front back; ip -o link | grep -q plumb && fail "links: $(ip -o link)"
	[ -z "$(ls /var/lib/cni/networks)" ] || fail "leases: $(ls -R /var/lib/cni/networks)"
}

case_real_names() {
	need "$bin"/{bridge,host-local,portmap,firewall,dnsname,plumb-ruleset} "$(command -v dnsmasq || echo dnsmasq)" "$(command -v getent || echo getent)"
	export CNI_PATH=$bin
	expect 0 network create app; clean_stderr; expect 0 network create --internal back
	expect 0 run -d --network back --name db --network-alias database -- sleep 100; expect 0 run -d --network app,back --name web -- sleep 100
	expect 0 exec web -- getent hosts db; prints "10.89.1.2"; expect 0 exec web -- getent hosts database.dns.plumb; prints "10.89.1.2"
	expect 0 exec db -- getent hosts web; prints "10.89.1.3"
	expect 0 network disconnect back web; expect 2 exec web -- getent hosts database.dns.plumb
	expect 0 network connect --alias shop back web; expect 0 exec db -- getent hosts shop; prints "10.89.1.4"
	expect 0 rm -f web db; expect 0 network rm app back; nothing_left
}

. "$top/tests/lib/cases.sh"
