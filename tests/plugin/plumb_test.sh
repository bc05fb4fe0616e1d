#!/bin/bash
# The plumb command, in TAP. Each case is a process in namespaces of its own, with a /run and a /var/lib of its own; it passes when it comes
# to its end. Most talk to plugins that are shell scripts, which note what they are given; the last ones to real plugins.
. "$(dirname "$0")/../lib/plumb.sh"
reference=/usr/lib/cni

begin() { own_world; fake one two; }

# ---- The command line ----

case_usage() {
	expect 2; says "usage: plumb"
	expect 2 frobnicate; says 'no command "frobnicate"'
	expect 0 --help; prints "plumb run"
	expect 0 --version; prints "CNI 1.1.0"
	expect 0 add --help; prints "--publish PORTS"
	expect 0 gc --help; prints "--valid ID/IF"
	expect 2 add net; says "want NAME NETNS"
	expect 2 add net ns more; says "want NAME NETNS"
	expect 2 add --frob net ns; says "no option --frob"
	expect 2 del -p 80:80 net ns; says "no option -p"
	expect 2 add net ns --ip; says "--ip: want ADDR"
	expect 2 add net ns --json=yes; says "takes no value"
	expect 2 gc net --all --valid a/eth0; says "contradict"
}

case_bad_values() {
	local bad
	for bad in 80 0:80 80:0 65536:80 80:65536 a:80 80:80/icmp 1.2.3:80:80 fd00::1:80:80 '[1.2.3.4]:80:80' 80-90:80 80-90:80-85 90-80:90-80 :80 80: -1:80; do
		expect 2 add net ns -p "$bad"; says "want [HOSTIP:]HOST:CONTAINER"
	done
	for bad in 10.1.2 10.1.2.3/33 x ''; do expect 2 add net ns --ip "$bad"; done
	for bad in 02:00 01:00:00:00:00:01 x; do expect 2 add net ns --mac "$bad"; done
	for bad in -x a/b .. 'a b' ''; do expect 2 add net ns --id="$bad"; done
	for bad in a/b .. 0123456789abcdef 'a b' ''; do expect 2 add net ns --ifname "$bad"; done
	for bad in a /eth0 a/ ../../x/eth0 a/b/c; do expect 2 gc net --valid "$bad"; done
	for bad in ../net a/b .. ''; do expect 2 add "$bad" ns; expect 2 del "$bad" ns; expect 2 status "$bad"; expect 2 gc "$bad"; done
	two 1.0.0
	for bad in .. . ''; do expect 2 add net "$bad"; done
	is "$(calls)" "" "plugins run"
}

case_no_such_network() {
	two 1.0.0
	add_netns ns
	expect 3 add nope ns --json; says 'no network "nope"'; says "there: net"; prints '"exit": 3'
	expect 3 status nope; expect 3 gc nope; expect 3 del nope ns; expect 3 check nope ns
	expect 3 status net --conf-dir /nowhere
	expect 3 check net ns; says "not attached"
}

case_no_such_plugin() {
	conf 10-net.conflist <<<'{"cniVersion":"1.0.0","name":"net","plugins":[{"type":"one"},{"type":"absent"}]}'
	add_netns ns
	expect 4 add net ns --json; says 'no plugin "absent"'; prints '"exit": 4'
	is "$(calls)" "" "nothing is begun"
	nothing_in $results; nothing_in $adding
	mkdir $W/more; mv $W/bin/two $W/more/absent
	expect 0 add net ns --bin-dir $W/bin --bin-dir "/nowhere::$W/more"
	has "$(log 0.one.ADD.env)" "CNI_PATH=$W/bin:/nowhere::$W/more"
}

case_bad_networks() {
	local bad
	add_netns ns
	while read -r bad; do
		conf 10-net.conflist <<<"$bad"
		expect 5 add net ns; says "10-net.conflist"
	done <<'BAD'
{"cniVersion":"1.0.0","name":"net","plugins":[]}
{"cniVersion":"1.0.0","name":"net"}
{"cniVersion":"1.0.0","name":"net","loadOnlyInlinedPlugins":true}
{"cniVersion":"1.0.0","name":"net","plugins":{"type":"one"}}
{"cniVersion":"1.0.0","name":"net","plugins":["one"]}
{"cniVersion":"1.0.0","name":"net","plugins":[{"Typo":"one"}]}
{"cniVersion":"1.0.0","name":"net","plugins":[{"type":"../../bin/true"}]}
{"cniVersion":"1.0.0","name":"net","plugins":[{"type":".."}]}
{"cniVersion":"9.0.0","name":"net","plugins":[{"type":"one"}]}
{"cniVersion":"new","name":"net","plugins":[{"type":"one"}]}
{"cniVersion":1,"name":"net","plugins":[{"type":"one"}]}
{"cniVersion":"1.0.0","cniVersions":["1.0.0",2],"name":"net","plugins":[{"type":"one"}]}
{"cniVersion":"1.0.0","disableGC":"maybe","name":"net","plugins":[{"type":"one"}]}
BAD
	is "$(calls)" "" "plugins run"
	conf 10-net.conflist <<<'{"name":"net",'
	expect 3 add net ns; says "10-net.conflist: not valid JSON"
	conf 10-net.conflist <<<'{"name":"a/b","cniVersion":"1.0.0","plugins":[{"type":"one"}]}'
	expect 3 add net ns; says 'name: "a/b"'
}

# ---- Which file, which version ----

case_files_in_order() {
	add_netns ns
	conf 00-broken.conflist <<<'{'
	conf 05-other.conflist <<<'{"cniVersion":"1.0.0","name":"other","plugins":[{"type":"one"}]}'
	conf 01-net.conf <<<'{"cniVersion":"1.0.0","name":"net","type":"two"}'
	conf 20-net.conflist <<<'{"cniVersion":"1.0.0","name":"net","plugins":[{"type":"one","second":true}]}'
	conf 10-net.conflist <<<'{"cniVersion":"1.0.0","name":"net","plugins":[{"type":"one","first":true}]}'
	mkdir $W/conf/02-net.conflist
	expect 0 add net ns
	is "$(calls)" "one.ADD" "lists come before single configurations"; has "$(log 0.one.ADD.in)" '"first":true'
	expect 0 del net ns
	rm $W/conf/*-net.conflist -r; : >$W/calls
	conf 03-net.json <<<'{"cniVersion":"1.0.0","name":"net","type":"one"}'
	expect 0 add net ns
	is "$(calls)" "two.ADD" "01-net.conf comes before 03-net.json"
	expect 0 del net ns
	# What run takes without --network: the first by name, whatever its kind.
	: >$W/calls
	expect 0 run -- true; is "$(calls)" "two.ADD two.DEL" "the first network"
}

case_versions() {
	local from want
	add_netns ns
	while read -r want from; do
		conf 10-net.conflist <<<"{$from\"name\":\"net\",\"plugins\":[{\"type\":\"one\",\"cniVersion\":\"0.2.0\",\"Name\":\"x\"}]}"
		rm -f $W/log/*
		VERSION=$want expect 0 add net ns
		has "$(log 0.one.ADD.in)" "\"cniVersion\":\"$want\",\"name\":\"net\""
		lacks "$(log 0.one.ADD.in)" '"x"'
		expect 0 del net ns
	done <<'VERSIONS'
1.0.0 "cniVersion":"1.0.0",
1.1.0 "cniVersion":"0.4.0","cniVersions":["1.0.0","1.1.0","0.3.1"],
1.1.0 "cniVersions":["1.1.0","2.0.0"],
1.0.0 "cniVersion":"1.0.0","cniVersions":["0.4.0"],
0.4.0 "cniVersion":"7.0.0","cniVersions":["0.4.0"],
VERSIONS
	conf 10-net.conflist <<<'{"name":"net","plugins":[{"type":"one"}]}'
	rm -f $W/log/*; answer one.ADD '{"ip4":{"ip":"10.9.0.2/24"}}'
	expect 0 add net ns; has "$(log 0.one.ADD.in)" '"cniVersion":"0.1.0"'; prints "10.9.0.2/24"
}

case_folder_of_plugins() {
	add_netns ns
	conf 10-net.conflist <<<'{"cniVersion":"1.0.0","name":"net","plugins":[{"type":"one"}]}'
	mkdir $W/conf/net; fake three
	conf net/20-three.conf <<<'{"type":"three"}'; conf net/10-two.conf <<<'{"type":"two"}'; conf net/30-one.conflist <<<'{"type":"one"}'
	expect 0 add net ns; is "$(calls)" "one.ADD two.ADD three.ADD" "the folder's come behind"
	rm -r $W/conf/net
	expect 0 del net ns; is "$(calls)" "three.DEL two.DEL one.DEL" "DEL goes by what ADD used"
	mkdir $W/conf/net; conf net/10-two.conf <<<'{"type":"two"}'
	conf 10-net.conflist <<<'{"cniVersion":"1.0.0","name":"net","loadOnlyInlinedPlugins":"TRUE","plugins":[{"type":"one"}]}'
	expect 0 add net ns; is "$(calls)" "one.ADD" "loadOnlyInlinedPlugins"
	expect 0 del net ns
	conf 10-net.conflist <<<'{"cniVersion":"1.0.0","name":"net"}'; : >$W/calls
	expect 0 add net ns; is "$(calls)" "two.ADD" "the folder alone will do"
}

case_broken_files() {
	add_netns ns
	conf 00-x.conflist <<<'{'; conf 30-good.conflist <<<'{"cniVersion":"9.0.0","name":"other","plugins":[{"type":"one"}]}'
	conf 20-net.conflist <<<'{"cniVersion":"1.0.0","name":"net","plugins":[{"type":"one"}]}'; mkfifo $W/conf/40-pipe.conflist
	expect 3 add good ns; says "there: net"; says "00-x.conflist: not valid JSON"; says "30-good.conflist: cniVersion"; says "40-pipe.conflist: not a plain file"
	expect 0 run -- true; says 'taking network "net" of'; says "00-x.conflist: not valid JSON"
	expect 0 run -n net -- true; [ ! -s $W/err ] || fail "asked for by name: $(cat $W/err)"
	local long; long=$(printf 'x%.0s' {1..300})
	expect 2 status $long; says "at most 200 characters"
	conf 00-x.conflist <<<"{\"cniVersion\":\"1.0.0\",\"name\":\"$long\",\"plugins\":[{\"type\":\"one\"}]}"
	expect 3 status good; says "at most 200 characters"
}

# ---- The chain ----

case_chain() {
	conf 10-net.conflist <<'CONF'
{ "cniVersion": "1.0.0", "name": "net", "plugins": [
  { "type": "one", "keep": [1, 2.5, "x"], "cni.dev/ours": 1, "capabilities": { "ips": true, "portMappings": false } },
  { "type": "two", "runtimeConfig": { "portMappings": [], "mine": 1 }, "capabilities": { "portMappings": true, "mac": true } } ] }
CONF
	add_netns ns
	answer one.ADD '{"cniVersion":"1.0.0","ips":[{"address":"10.9.0.2/24"}],"own":{"key":1}}'
	answer two.ADD '{"cniVersion":"1.0.0","ips":[{"address":"10.9.0.2/24","gateway":"10.9.0.1"}],"dns":{"nameservers":["10.9.0.1"]}}'
	CNI_ARGS=OLD=1 CNI_IFNAME=wrong OTHER=kept expect 0 add net ns -p 8080:80 -p 10.0.0.1:5353:53/UDP -p '[fd00::1]:1000-1001:2000-2001/sctp' \
		--ip 10.9.0.2 --mac 02:00:00:00:00:05
	prints "10.9.0.2/24, gateway 10.9.0.1"; prints "port       8080 -> 80/tcp"; prints "10.0.0.1:5353 -> 53/udp"
	prints "[fd00::1]:1001 -> 2001/sctp"; prints "nameserver 10.9.0.1"
	is "$(calls)" "one.ADD two.ADD" "ADD's order"
	local env one two; env=$(log 0.one.ADD.env); one=$(log 0.one.ADD.in); two=$(log 1.two.ADD.in)
	has $env CNI_COMMAND=ADD; has $env CNI_NETNS=/run/netns/ns; has $env CNI_IFNAME=eth0; has $env CNI_PATH=$W/bin; has $env OTHER=kept
	grep -qx CNI_ARGS= $env || fail "CNI_ARGS of our environment reaches plugins"
	has $env CNI_CONTAINERID=plumb-
	has $one '"keep":[1,2.5,"x"]'; has $one '"runtimeConfig":{"ips":["10.9.0.2"]}'
	lacks $one cni.dev; lacks $one capabilities; lacks $one prevResult
	has $two '"prevResult":{"cniVersion":"1.0.0","ips":[{"address":"10.9.0.2/24"}],"own":{"key":1}}'
	has $two '"runtimeConfig":{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"},{"hostPort":5353,"containerPort":53,"protocol":"udp","hostIP":"10.0.0.1"},{"hostPort":1000,"containerPort":2000,"protocol":"sctp","hostIP":"fd00::1"},{"hostPort":1001,"containerPort":2001,"protocol":"sctp","hostIP":"fd00::1"}],"mac":"02:00:00:00:00:05"}'
	lacks $two '"mine"'
	expect 0 check net ns; is "$(calls)" "one.CHECK two.CHECK" "CHECK's order"
	has "$(log 2.one.CHECK.in)" '"gateway":"10.9.0.1"'; has "$(log 2.one.CHECK.in)" '"ips":["10.9.0.2"]'
	rm $W/conf/*
	expect 0 del net ns; is "$(calls)" "two.DEL one.DEL" "DEL's order"
	has "$(log 5.one.DEL.in)" '"gateway":"10.9.0.1"'
	has "$(log 4.two.DEL.in)" '"hostPort":8080'
	nothing_in $results
}

case_result_as_json() {
	two 1.0.0; add_netns ns
	expect 0 add --json net ns; prints '"by": "two"'; prints '"cniVersion": "1.0.0"'
	expect 0 check --json net ns; expect 0 del --json net ns; [ ! -s $W/out ] || fail "del prints $(cat $W/out)"
}

case_del_without_prev_result() {
	two 0.3.1; add_netns ns
	VERSION=0.3.1 expect 0 add net ns
	expect 5 check net ns; says "has no CHECK"
	calls >/dev/null
	expect 0 del net ns; is "$(calls)" "two.DEL one.DEL" "DEL"; lacks "$(log 2.two.DEL.in)" prevResult
	two 1.0.0
	expect 0 del net ns; is "$(calls)" "two.DEL one.DEL" "DEL of what is not there"; lacks "$(log 4.two.DEL.in)" prevResult
	expect 0 del net gone; expect 0 del net /somewhere/else
}

case_result_converted() {
	two 1.1.0; add_netns ns
	answer two.ADD '{"cniVersion":"0.4.0","ips":[{"version":"4","address":"10.9.0.2/24"}]}'
	expect 0 add net ns
	expect 0 del net ns; has "$(log 2.two.DEL.in)" '"prevResult":{"ips":[{"address":"10.9.0.2/24"}],"cniVersion":"1.1.0"}'
}

case_failed_add() {
	two 1.0.0; add_netns ns
	answer two.ADD '{"cniVersion":"1.0.0","code":104,"msg":"no more ports","details":"ask again"}' 1
	answer two.DEL '{"code":7,"msg":"cannot undo"}' 1
	expect 1 add net ns --json
	says "plumb: add net: two: no more ports: ask again"; says "plumb: add net: two: cannot undo"
	prints '"code": 104'; prints '"msg": "no more ports"'; prints '"details": "ask again"'; prints '"plugin": "two"'; prints '"network": "net"'
	is "$(calls)" "one.ADD two.ADD two.DEL one.DEL" "all of the chain is undone"
	has "$(log 3.one.DEL.env)" CNI_NETNS=/run/netns/ns
	nothing_in $results
}

case_failure_is_told_once() {
	two 1.0.0; add_netns ns
	local v
	for v in ADD DEL; do answer two.$v '{"code":7,"msg":"mtu: want more"}' 1; done
	expect 1 add net ns; is "$(cat $W/err)" "plumb: add net: two: mtu: want more" "stderr"
	answer one.DEL '{"code":7,"msg":"another matter"}' 1
	expect 1 add net ns; is "$(sort $W/err)" "$(printf 'plumb: add net: one: another matter\nplumb: add net: two: mtu: want more')" "stderr"
	rm $W/bin/two $W/answer.one.DEL $W/status.one.DEL
	expect 4 add net ns; is "$(grep -c 'no plugin "two"' $W/err)" 1 "tellings"; nothing_in $adding
	rm $W/bin/one; expect 4 add net ns; is "$(wc -l <$W/err)" 1 "lines when all are missing"; nothing_in $adding
}

case_result_that_cannot_be_told() {
	two 1.0.0; add_netns ns
	local how
	for how in --json ""; do
		calls >/dev/null
		"$bin/plumb" add $how net ns >/dev/full 2>$W/err; is $? 1 "exit code"
		says "writing the result to stdout: No space left on device; the attachment was undone"
		is "$(calls)" "one.ADD two.ADD two.DEL one.DEL" "detached"; nothing_in $results; nothing_in $adding
	done
	{ "$bin/plumb" add --json net ns 2>$W/err; echo $? >$W/code; } | true
	is "$(cat $W/code)" 1 "exit code"; says "Broken pipe"; nothing_in $results
	"$bin/plumb" status net >/dev/full 2>$W/err; is $? 1 "exit code of status"; says "writing to stdout: No space left"
}

case_failed_del() {
	two 1.0.0; add_netns ns
	expect 0 add net ns; calls >/dev/null
	answer one.DEL '{"code":11,"msg":"busy"}' 1
	answer two.DEL '{"code":999,"msg":"stuck"}' 1
	expect 1 del net ns; says "two: stuck"; is "$(calls)" "two.DEL" "DEL halts at the first failure"
	rm $W/*.two.DEL
	expect 6 del net ns; says "one: busy"
	is "$(ls $results | wc -l)" 1 "records of what could not be deleted"
	rm $W/*.one.DEL
	expect 0 del net ns; has "$(log 6.one.DEL.in)" prevResult; nothing_in $results
}

case_plugins_that_misbehave() {
	two 1.0.0; add_netns ns
	answer one.ADD 'oops: no JSON
at all' 3; expect 1 add net ns; says "one: failed without an error that can be read: exit status 3; it printed: oops"
	answer one.ADD '' 3; expect 1 add net ns; says "exit status 3"
	answer one.ADD '{"msg":"just words"}' 1; expect 1 add net ns; says "one: just words"
	rm $W/status.one.ADD
	answer one.ADD 'hello'; expect 1 add net ns; says "one: printed no result that can be read"
	answer one.ADD ''; expect 1 add net ns; says "printed no result"
	answer one.ADD '[]'; expect 1 add net ns; says "one: printed no result"
	answer one.ADD '{"cniVersion":"1.0.0","ips":[{"address":"x"}]}'; expect 1 add net ns; says "result.ips[0].address"
	answer one.ADD '{"cniVersion":"1.0.0","ips":[],"ips":[]}'; expect 1 add net ns; says "printed no result"
	rm $W/answer.one.ADD; echo 'kill -9 $$' >$W/do.one.ADD; chmod +x $W/do.one.ADD
	expect 1 add net ns; says "ended by signal 9"
	echo 'head -c 8000000 /dev/zero' >$W/do.one.ADD; expect 1 add net ns; says "wrote more than"
	rm $W/do.one.ADD; printf 'no program' >$W/bin/one
	expect 1 add net ns; says "running $W/bin/one"
	chmod -x $W/bin/one; expect 1 add net ns; says "Permission denied"
	nothing_in $results
}

# ---- Who is attached ----

case_second_add_is_refused() {
	two 1.0.0; add_netns ns
	echo 'ip -n ns link add eth0 type veth' >$W/do.one.ADD; chmod +x $W/do.one.ADD
	expect 0 add net ns; calls >/dev/null
	expect 1 add net ns; says "attached already, as eth0 in /run/netns/ns"
	is "$(calls)" "" "the first attachment is left alone"
	expect 0 check net ns
	# An interface that somebody else made is not taken down with a failed ADD.
	answer one.ADD '{"code":999,"msg":"eth0 exists"}' 1; calls >/dev/null; rm $W/log/*
	expect 1 add net ns --id other; says "eth0 exists"
	is "$(calls)" "one.ADD two.DEL one.DEL" "what the failed ADD left is given back"
	grep -qx CNI_NETNS= "$(log 2.one.DEL.env)" || fail "DEL got a namespace: $(grep NETNS "$(log 2.one.DEL.env)")"
}

case_remains_are_cleared() {
	two 1.0.0; add_netns ns
	expect 0 add net ns; calls >/dev/null     # the fake makes no interface: as if the namespace had been made anew
	expect 0 add net ns; says "removing what is left of an earlier attachment"
	is "$(calls)" "two.DEL one.DEL one.ADD two.ADD" "remains go first"
	echo garbage >$results/net-plumb-*; calls >/dev/null
	expect 1 check net ns; says "not valid JSON"
	expect 0 add net ns; is "$(calls)" "two.DEL one.DEL one.ADD two.ADD" "an unreadable record is no obstacle"
	echo garbage >$results/net-plumb-*; calls >/dev/null
	expect 0 del net ns; says "not valid JSON"; is "$(calls)" "two.DEL one.DEL" "nor to DEL"; nothing_in $results
}

case_ids() {
	two 1.0.0; add_netns ns
	mkdir $W/sub; ln -s /run/netns $W/link
	local id same
	id=$(plumb add net ns; ls $results); expect 0 del net ns
	for same in /run/netns/ns /run//netns/./ns /run/w/../netns/ns $W/link/ns; do
		expect 0 add net "$same"; is "$(ls $results)" "$id" "the record by $same"
		expect 0 del net ns; nothing_in $results
	done
	(cd /run/netns && expect 0 add net ./ns && expect 0 del net ./ns) || exit 1
	nothing_in $results
	expect 0 add net ns --id web --ifname net1; is "$(ls $results)" net-web-net1 "the record"
	expect 0 add net ns --id web --ifname net2; expect 0 del net ns --id web --ifname net1; is "$(ls $results)" net-web-net2 "the record"
	expect 0 del net ns --id web --ifname net2
	unshare -n sh -c "touch $W/up; exec sleep 100" & until_true test -e $W/up
	expect 0 add net $!; prints "attached /proc/$!/ns/net"; expect 0 del net $!; nothing_in $results; kill $!
	expect 1 add net nowhere; says "/run/netns/nowhere"
	expect 1 add net /etc/passwd; says "no network namespace"
	id=$(printf 'x%.0s' {1..200})
	conf 20-long.conflist <<<"{\"cniVersion\":\"1.0.0\",\"name\":\"$id\",\"plugins\":[{\"type\":\"one\"}]}"
	calls >/dev/null
	expect 2 add "$id" ns --id "$id"; says "together longer than"; is "$(calls)" "" "plugins run"
	# net "a-b" with container "c" and net "a" with container "b-c" have one file name.
	conf 30-a.conflist <<<'{"cniVersion":"1.0.0","name":"a","plugins":[{"type":"one"}]}'
	conf 31-ab.conflist <<<'{"cniVersion":"1.0.0","name":"a-b","plugins":[{"type":"one"}]}'
	expect 0 add a ns --id b-c; expect 1 add a-b ns --id c; says 'belongs to container "b-c" of network "a"'
	expect 1 del a-b ns --id c; expect 0 del a ns --id b-c
}

case_same_time() {
	local n pids=() ok=0
	two 1.0.0; add_netns ns
	echo 'echo $$ >>$W/inside; sleep 0.1; [ "$(tail -1 $W/inside)" = $$ ] || touch $W/overlap
ip -n ns link add eth0 type veth' >$W/do.one.ADD; chmod +x $W/do.one.ADD
	for n in 1 2 3 4; do "$bin/plumb" add net ns >/dev/null 2>&1 & pids+=($!); done
	for n in "${pids[@]}"; do wait $n && ok=$((ok + 1)); done
	is $ok 1 "of four at once in one namespace succeed"
	[ ! -e $W/overlap ] || fail "two worked on one container at once"
	echo 'sleep 0.2' >$W/do.one.ADD; calls >/dev/null
	add_netns a b c; pids=()
	for n in a b c; do "$bin/plumb" add net $n >/dev/null 2>&1 & pids+=($!); done
	sleep 0.05; "$bin/plumb" gc net >/dev/null || fail gc
	for n in "${pids[@]}"; do wait $n || fail "add beside others"; done
	is "$(ls $results | wc -l)" 4 "records"
	is "$(calls | wc -w)" 6 "ADDs of plugins"
}

case_del_of_anothers() {
	two 1.0.0; add_netns ns other
	conf 20-more.conflist <<<'{"cniVersion":"1.0.0","name":"more","plugins":[{"type":"one"}]}'
	expect 0 add net ns --id web; calls >/dev/null
	expect 1 del more ns; says "eth0 in /run/netns/ns belongs to container web of network net"; says "plumb del --id web --ifname eth0 net /run/netns/ns"
	expect 1 del net ns --id shop; says "container web"; expect 1 del net ns
	is "$(calls)" "" "plugins run"; is "$(ls $results)" net-web-eth0 "records"
	expect 0 del net ns --ifname eth7; expect 0 del more other; calls >/dev/null
	expect 0 del net ns --id web; is "$(calls)" "two.DEL one.DEL" "the right one"
	expect 0 del more ns
}

# An ADD that is killed leaves a note, and gc needs no plugin's GC for it.
case_add_killed() {
	two 1.0.0; add_netns ns more
	echo 'touch $W/adding; exec sleep 100' >$W/do.two.ADD; chmod +x $W/do.two.ADD
	local n
	for n in ns more; do
		rm -f $W/adding; "$bin/plumb" add net $n --id $n >/dev/null 2>&1 & until_true test -e $W/adding
		kill -9 $!; wait $! 2>/dev/null
	done
	is "$(ls $adding)" "$(printf 'net-more-eth0\nnet-ns-eth0')" "notes"; nothing_in $results; rm $W/do.two.ADD
	has $adding/net-ns-eth0 '"kind":"cniCacheV1"'; lacks $adding/net-ns-eth0 '"result"'
	ip netns del ns; calls >/dev/null; rm $W/log/*
	expect 3 check net more --id more; calls >/dev/null
	expect 0 gc net; prints "removed ns (eth0): its ADD was cut off"; prints "removed more (eth0): its ADD was cut off"
	is "$(calls)" "two.DEL one.DEL two.DEL one.DEL" "calls"; nothing_in $adding
	has "$(log 3.one.DEL.env)" CNI_CONTAINERID=ns
	# The next ADD clears it too.
	echo 'kill -9 $PPID' >$W/do.two.ADD; chmod +x $W/do.two.ADD
	"$bin/plumb" add net more >/dev/null 2>&1; [ -n "$(ls $adding)" ] || fail "no note"
	rm $W/do.two.ADD; calls >/dev/null
	expect 0 add net more; says "removing what is left"; is "$(calls)" "two.DEL one.DEL one.ADD two.ADD" "calls"; nothing_in $adding
}

case_check_where_nothing_can_be_written() {
	two 1.0.0; add_netns ns
	expect 0 add net ns; calls >/dev/null
	mount -o remount,ro /var/lib || skip "no remounting"
	expect 0 check net ns; is "$(calls)" "one.CHECK two.CHECK" "calls"
	expect 1 del net ns; says "plumb.lock: Read-only file system"
	rm -f $W/calls; mount -o remount,rw /var/lib; rm /var/lib/cni/plumb.lock; mount -o remount,ro /var/lib
	expect 0 check net ns
}

# ---- Addresses and MACs where no capability is declared ----

case_wishes() {
	two 1.0.0; add_netns ns
	calls >/dev/null
	expect 5 add net ns -p 80:80 --json; says "no plugin of the network publishes ports"; prints '"exit": 5'; is "$(calls)" "" "plugins run"
	expect 0 add net ns --ip 10.9.0.2/24 --mac 02:00:00:00:00:09
	has "$(log 0.one.ADD.env)" "CNI_ARGS=IgnoreUnknown=1;IP=10.9.0.2/24;MAC=02:00:00:00:00:09"
	has "$(log 1.two.ADD.env)" "CNI_ARGS=IgnoreUnknown=1;IP=10.9.0.2/24;MAC=02:00:00:00:00:09"
	has $results/net-* '"cniArgs":[["IgnoreUnknown","1"],["IP","10.9.0.2/24"],["MAC","02:00:00:00:00:09"]]'
	expect 0 del net ns; has "$(log 2.two.DEL.env)" "IP=10.9.0.2/24"
	rm $W/log/*; answer two.ADD '{"cniVersion":"1.0.0","ips":[{"address":"10.9.0.2/24"},{"address":"fd00::2/64"}]}'
	expect 0 add net ns --ip 10.9.0.2 --ip fd00::2
	has "$(log 0.one.ADD.in)" '"args":{"cni":{"ips":["10.9.0.2","fd00::2"]}}'; lacks "$(log 0.one.ADD.env)" "IP="
	expect 0 del net ns; has "$(log 3.one.DEL.in)" '"ips":["10.9.0.2","fd00::2"]'
	# A wish that was passed over is no success.
	calls >/dev/null
	expect 5 add net ns --ip 10.9.0.77; says "--ip 10.9.0.77"; is "$(calls)" "one.ADD two.ADD two.DEL one.DEL" "undone"
	rm $W/answer.two.ADD
	expect 5 add net ns --mac 02:00:00:00:00:01; says "made eth0 with 02:00:00:00:00:09"; nothing_in $results
}

# ---- The cache ----

case_cache_is_libcnis() {
	conf 10-net.conflist <<<'{"cniVersion":"1.0.0","name":"net","plugins":[{"type":"one","capabilities":{"portMappings":true}}]}'
	add_netns ns
	expect 0 add net ns --id web -p 80:8080
	local f=$results/net-web-eth0
	is "$(stat -c %a $results)" 700 "mode of results"; is "$(stat -c %a $f)" 600 "mode of the record"
	is "$(sed 's/"config":"[^"]*"/"config":""/' $f)" '{"kind":"cniCacheV1","containerId":"web","config":"","ifName":"eth0","networkName":"net","netns":"/run/netns/ns","capabilityArgs":{"portMappings":[{"hostPort":80,"containerPort":8080,"protocol":"tcp"}]},"result":{"cniVersion":"1.0.0","interfaces":[{"name":"eth0","mac":"02:00:00:00:00:09","sandbox":"/run/netns/ns"}],"ips":[{"address":"10.9.0.2/24","gateway":"10.9.0.1","interface":0}],"by":"one"}}' record
	is "$(sed 's/.*"config":"\([^"]*\)".*/\1/' $f | base64 -d)" "$(cat $W/conf/10-net.conflist)" "the configuration in it"
	is "$(ls -A /var/lib/cni)" "$(printf 'adding\nplumb.lock\nresults')" "what is beside it"; nothing_in $adding
	expect 0 del net ns --id web
}

# As libcni writes it: keys by its struct, the file's own text in base64.
case_cache_of_libcni() {
	two 1.0.0; add_netns ns
	mkdir -p $results
	cat >$results/net-c1-eth0 <<CACHE
{"kind":"cniCacheV1","containerId":"c1","config":"$(printf '{\n  "cniVersion": "0.4.0",\n  "name": "net",\n  "plugins": [ { "type": "two", "then": true } ]\n}\n' | base64 -w0)","ifName":"eth0","networkName":"net","netns":"/run/netns/ns","cniArgs":[["IgnoreUnknown","1"],["K8S_POD_NAME","p"]],"capabilityArgs":{"portMappings":[]},"result":{"cniVersion":"0.4.0","dns":{},"interfaces":[{"name":"eth0","sandbox":"/run/netns/ns"}],"ips":[{"address":"10.9.0.2/24","version":"4"}]}}
CACHE
	cp $results/net-c1-eth0 $W/first
	expect 0 check net ns --id c1; is "$(calls)" "two.CHECK" "by the configuration of then"
	has "$(log 0.two.CHECK.in)" '"then":true'; has "$(log 0.two.CHECK.in)" '"prevResult":{"cniVersion":"0.4.0"'
	has "$(log 0.two.CHECK.env)" "CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAME=p"
	expect 0 del net ns --id c1; is "$(calls)" "two.DEL" "DEL"; nothing_in $results
	# A single configuration, as AddNetwork leaves it; and the form before cniCacheV1, the result alone.
	cat >$results/net-c2-eth0 <<CACHE
{"kind":"cniCacheV1","containerId":"c2","config":"$(printf '{"cniVersion":"1.0.0","name":"net","type":"one"}' | base64 -w0)","ifName":"eth0","networkName":"net","result":{"cniVersion":"1.0.0"}}
CACHE
	expect 0 del net ns --id c2; is "$(calls)" "one.DEL" "DEL of a single configuration"
	echo '{"cniVersion":"1.0.0","ips":[{"address":"10.9.0.3/24"}]}' >$results/net-c3-eth0; rm $W/log/*
	sed 's/"netns":"[^"]*",//; s/,"capabilityArgs.*/,"result":{"cniVersion":"0.4.0","interfaces":[{"name":"eth0","sandbox":"\/run\/netns\/gone"}]}}/' $W/first >$results/net-c1-eth0
	expect 0 gc net; prints "removed c1 (eth0): its namespace /run/netns/gone is gone"; has "$(log 0.two.DEL.env)" CNI_NETNS=/run/netns/gone
	rm $W/log/*; calls >/dev/null
	expect 0 del net ns --id c3; is "$(calls)" "two.DEL one.DEL" "DEL"; has "$(log 0.two.DEL.in)" '"address":"10.9.0.3/24"'
	nothing_in $results
}

# ---- GC and STATUS ----

case_gc() {
	two 1.1.0; add_netns a b c
	local n
	for n in a b c; do VERSION=1.1.0 expect 0 add net $n --id $n; done
	two 1.1.0; ip netns del b; calls >/dev/null; rm $W/log/*
	expect 0 gc net; prints "removed b (eth0): its namespace /run/netns/b is gone"
	is "$(calls)" "two.DEL one.DEL one.GC two.GC" "calls"
	local in; in=$(log 2.one.GC.in)
	has $in '"cni.dev/valid-attachments":[{"containerID":"a","ifname":"eth0"},{"containerID":"c","ifname":"eth0"}]'
	has $in '"cni.dev/attachments":[{"containerID":"a","ifname":"eth0"},{"containerID":"c","ifname":"eth0"}]'
	grep -qx CNI_CONTAINERID= "$(log 2.one.GC.env)" || fail "GC has a container"
	rm $W/log/*; calls >/dev/null
	expect 0 gc net --valid c/eth0 --valid x/eth1 --json
	prints '"containerID": "a"'; is "$(ls $results)" net-c-eth0 "kept"
	has "$(log 2.one.GC.in)" '"cni.dev/valid-attachments":[{"containerID":"c","ifname":"eth0"},{"containerID":"x","ifname":"eth1"}]'
	answer one.GC '{"code":999,"msg":"bad luck"}' 1; answer two.GC '{"code":999,"msg":"worse"}' 1; calls >/dev/null
	expect 1 gc net --all --json; says "one: bad luck"; says "two: worse"; prints '"msg": "worse"'; nothing_in $results
	is "$(calls)" "two.DEL one.DEL one.GC two.GC" "goes on after errors"
}

# What is only told of stays; plugins of others, which would not only tell, are not asked.
case_gc_dry_run() {
	two 1.1.0; add_netns a b
	VERSION=1.1.0 expect 0 add net a --id a; VERSION=1.1.0 expect 0 add net b --id b; ip netns del b; calls >/dev/null
	expect 0 gc net --dry-run
	prints "net: would remove b (eth0): its namespace /run/netns/b is gone"; prints "nothing was removed (--dry-run)"
	is "$(calls)" "" "plugins run"; says "$W/bin/one is not asked what it would remove"; says "$W/bin/two is not asked"
	is "$(ls $results | wc -l)" 2 "records"
	expect 0 gc net --dry-run --all --json; prints '"wouldRemove"'; prints '"containerID": "a"'
	expect 2 add net a --dry-run; says "no option --dry-run"
	expect 0 gc net; prints "net: removed b (eth0)"
}

case_gc_dry_run_of_real_plugins() {
	need "$bin"/{bridge,host-local,portmap,plumb-ruleset} "$(command -v nft || echo nft)"
	real_network "$bin" 1.1.0; add_netns one two
	expect 0 add app-network one --id one -p 8080:80 -p 8081:80; expect 0 add app-network two --id two -p 8082:80
	ip netns del one
	local before; before=$(nft list table inet plumb; find /var/lib/cni /run/plumb -type f | sort)
	expect 0 gc app-network --dry-run; prints "would remove one (eth0)"
	says "portmap: would remove what nftables publish_any4 has of container \"one\""; says "bridge: would remove what nftables masq4 has of container \"one\""
	says "host-local: would give 10.7.0.2 back"; lacks $W/err '"two"'
	is "$(grep -c publish_any4 $W/err)" 1 "lines of two ports"
	is "$(nft list table inet plumb; find /var/lib/cni /run/plumb -type f | sort)" "$before" "what is there"
	# Addresses by a plugin that is not of plumb.
	mkdir $W/mixed; cp "$bin"/* $W/mixed 2>/dev/null; printf '#!/bin/sh\ntouch %s/asked\n' $W >$W/mixed/host-local
	expect 0 gc app-network --dry-run --bin-dir $W/mixed; says "bridge: $W/mixed/host-local is not asked"; [ ! -e $W/asked ] || fail "it was asked"
	expect 0 gc app-network; expect 0 gc app-network --dry-run; is "$(wc -l <$W/err)" 0 "lines about what is left"
}

case_gc_limits() {
	two 1.0.0; add_netns a
	expect 0 add net a; ip netns del a; calls >/dev/null
	two 1.0.0
	answer one.DEL '{"code":999,"msg":"no"}' 1
	expect 1 gc net; says "one: no"; is "$(ls $results | wc -l)" 1 "records of what could not be deleted"
	rm $W/*.one.DEL; calls >/dev/null
	expect 0 gc net; is "$(calls)" "two.DEL one.DEL" "no GC before 1.1.0"; nothing_in $results
	says "network net has cniVersion 1.0.0: its plugins are not asked to collect, which needs 1.1.0"
	conf 10-net.conflist <<<'{"cniVersion":"1.1.0","name":"net","disableGC":true,"plugins":[{"type":"one"}]}'
	expect 0 gc net; says "disableGC"; is "$(calls)" "" "calls"
	conf 10-net.conflist <<<'{"cniVersion":"1.0.0","name":"net","disableCheck":true,"plugins":[{"type":"one"}]}'
	expect 0 check net a; says "disableCheck"; is "$(calls)" "" "calls"
}

case_gc_by_records() {
	two 1.1.0; add_netns a
	export VERSION=1.1.0
	expect 0 add net a --id a; ip netns del a; rm $W/conf/*; calls >/dev/null
	expect 0 gc net; says 'no network "net"'; says "going by the records"; prints "removed a (eth0)"
	is "$(calls)" "two.DEL one.DEL one.GC two.GC" "calls"; nothing_in $results
	expect 3 gc net
}

case_status() {
	two 1.1.0
	expect 0 status net; prints "ready"; is "$(calls)" "one.STATUS two.STATUS" "calls"
	grep -qx CNI_NETNS= "$(log 0.one.STATUS.env)" || fail "STATUS has a namespace"
	lacks "$(log 0.one.STATUS.in)" cni.dev
	answer one.STATUS '{"code":50,"msg":"no addresses left"}' 1
	expect 6 status net --json; says "one: no addresses left"; prints '"status": "not ready"'; prints '"status": "ready"'
	answer one.STATUS '{"code":999,"msg":"broken"}' 1; expect 1 status net; prints failed
	rm $W/bin/two; expect 1 status net; prints missing
	rm $W/*.one.STATUS; expect 4 status net
	two 1.0.0; fake two; calls >/dev/null
	expect 0 status net; prints present; is "$(calls)" "" "no STATUS before 1.1.0"
}

# ---- run ----

case_run() {
	two 1.0.0
	echo 'ip -n ${CNI_NETNS##*/} link add $CNI_IFNAME type veth' >$W/do.one.ADD; chmod +x $W/do.one.ADD
	answer two.ADD '{"cniVersion":"1.0.0","ips":[{"address":"10.9.0.2/24"}],"dns":{"nameservers":["10.9.0.1","bad one"],"domain":"d.test","search":["a.test","b.test"],"options":["ndots:2"]}}'
	local before; before=$(cat /etc/resolv.conf)
	expect 5 run --id web -- sh -c 'ip -o link; cat /etc/resolv.conf; ls /run/netns; readlink /proc/self/ns/net; exit 5'
	prints "eth0"; grep -q 'lo: <LOOPBACK,UP' $W/out || fail "lo is not up: $(cat $W/out)"
	prints "plumb-web"
	grep -qF "$(readlink /proc/self/ns/net)" $W/out && fail "no namespace of its own"
	is "$(sed -n '/domain/,/options/p' $W/out)" "$(printf 'domain d.test\nsearch a.test b.test\nnameserver 10.9.0.1\noptions ndots:2')" resolv.conf
	is "$(cat /etc/resolv.conf)" "$before" "our own resolv.conf"
	is "$(calls)" "one.ADD two.ADD two.DEL one.DEL" "calls"
	has "$(log 0.one.ADD.env)" CNI_NETNS=/run/netns/plumb-web; has "$(log 0.one.ADD.env)" CNI_CONTAINERID=web
	has "$(log 3.one.DEL.env)" CNI_NETNS=/run/netns/plumb-web
	nothing_in $results; nothing_in /run/netns; nothing_in /run/plumb/run
	says 'dns.nameservers: "bad one"'; sed -i 's/,"bad one"//' $W/answer.two.ADD
	is "$(echo in | "$bin/plumb" run -- sh -c 'cat; echo err >&2' 2>&1)" "$(printf 'in\nerr')" "stdin, stdout, stderr"
	expect 0 run true; expect 3 run -- sh -c 'exit 3' --json -p; expect 143 run -- sh -c 'kill $$'
	expect 0 run -- sh -c 'test "$1" = --json' x --json
}

case_run_dns() {
	two 1.0.0
	answer two.ADD '{"cniVersion":"1.0.0","ips":[{"address":"10.9.0.2/24"}],"dns":{"nameservers":["fe80::1%eth0","10.9.0.1%eth0","10.9.0.1\nnameserver 6.6.6.6","x"],"search":["a.test","b c"]}}'
	expect 0 run -- cat /etc/resolv.conf
	is "$(cat $W/out)" "$(printf 'search a.test\nnameserver fe80::1%%eth0')" resolv.conf
	says 'dns.nameservers: "10.9.0.1%eth0" cannot stand'; says 'dns.nameservers: "10.9.0.1?nameserver 6.6.6.6" cannot stand'
	says 'dns.nameservers: "x"'; says 'dns.search: "b c"'
	mkdir $W/etc; cp /etc/passwd /etc/group /etc/nsswitch.conf $W/etc; mount --bind $W/etc /etc || exit 1
	expect 0 run -- true; says "no /etc/resolv.conf to stand in for"
	ln -s /nowhere/resolv.conf /etc/resolv.conf
	expect 0 run -- true; says "no /etc/resolv.conf to stand in for"; nothing_in /run/plumb/run
}

case_run_failures() {
	two 1.0.0
	expect 127 run -- /nowhere; says "No such file"; is "$(calls)" "one.ADD two.ADD two.DEL one.DEL" "taken down"
	expect 126 run -- /etc/passwd; says "Permission denied"
	expect 125 run; expect 125 run --network nope -- true; expect 125 run -p 80:80 -- true; says "publishes ports"
	expect 125 run -p x -- true; expect 125 run --network none -p 80:80 -- true; expect 125 run --network host --network net -- true
	expect 125 run --network net --network net --ip 10.9.0.2 -- true
	nothing_in /run/netns; calls >/dev/null
	answer two.ADD '{"code":11,"msg":"later"}' 1
	expect 125 run --json -- touch $W/started; says "two: later"; prints '"exit": 6'; [ ! -e $W/started ] || fail "the command ran"
	is "$(calls)" "one.ADD two.ADD two.DEL one.DEL" "taken down"
	nothing_in $results; nothing_in /run/netns
	rm $W/*.two.ADD; answer two.DEL '{"code":999,"msg":"stuck"}' 1
	expect 9 run -- sh -c 'exit 9'; says "two: stuck"; nothing_in $results; nothing_in /run/netns
	ip netns add plumb-x; expect 125 run --id x -- true; says "is there already"; [ -e /run/netns/plumb-x ] || fail "somebody's namespace is gone"
}

case_run_networks() {
	two 1.0.0
	conf 20-ports.conflist <<<'{"cniVersion":"1.0.0","name":"ports","plugins":[{"type":"one","capabilities":{"portMappings":true}}]}'
	expect 0 run --network net -n ports -p 80:80 -- true
	is "$(calls)" "one.ADD two.ADD one.ADD one.DEL two.DEL one.DEL" "both, and back in reverse"
	has "$(log 0.one.ADD.env)" CNI_IFNAME=eth0; has "$(log 2.one.ADD.env)" CNI_IFNAME=eth1
	lacks "$(log 0.one.ADD.in)" hostPort; has "$(log 2.one.ADD.in)" '"hostPort":80'
	answer two.ADD '{"code":999,"msg":"no"}' 1; calls >/dev/null
	expect 125 run --network ports --network net -- true
	is "$(calls)" "one.ADD one.ADD two.ADD two.DEL one.DEL one.DEL" "the first is taken down when the second fails"
	calls >/dev/null
	expect 0 run --network none -- sh -c 'ip -o link'; is "$(grep -c . $W/out)" "$(unshare -n ip -o link | grep -c .)" "links"; prints "LOOPBACK,UP"
	expect 0 run --network host -- readlink /proc/self/ns/net; prints "$(readlink /proc/self/ns/net)"
	is "$(calls)" "" "plugins run"
}

# The process that holds up a run: plumb itself is $!.
start_run() { "$bin/plumb" run "$@" >$W/out 2>$W/err & run=$!; until_true test -e $W/up; }

case_run_signals() {
	two 1.0.0
	local s
	for s in INT TERM HUP QUIT USR1 USR2; do
		rm -f $W/up
		(trap - INT QUIT; exec env --default-signal=INT,QUIT "$bin/plumb" run -- bash -c "trap 'echo got $s; exit 3' $s; touch $W/up; while :; do sleep 0.05; done") >$W/out 2>$W/err &
		run=$!; until_true test -e $W/up
		kill -$s $run; wait $run; is $? 3 "exit code after $s"; prints "got $s"; nothing_in $results; nothing_in /run/netns
	done
	# What would end plumb ends the command first.
	for s in ALRM PIPE VTALRM IO; do
		rm -f $W/up; start_run -- sh -c "touch $W/up; exec sleep 100"
		kill -$s $run; wait $run; is $? $((128 + $(kill -l $s))) "exit code after $s"; nothing_in $results; nothing_in $adding; nothing_in /run/netns
	done
	rm -f $W/up; start_run -- sh -c "touch $W/up; exec sleep 100"
	kill -TERM $run; wait $run; is $? 143 "exit code of a command that TERM ended"; nothing_in $results; nothing_in /run/netns
	# While it is being set up: nothing is started, all is taken down.
	echo "touch $W/adding; sleep 0.5" >$W/do.one.ADD; chmod +x $W/do.one.ADD; calls >/dev/null
	"$bin/plumb" run -- touch $W/started & run=$!; until_true test -e $W/adding; kill -TERM $run
	wait $run; is $? 143 "exit code"; [ ! -e $W/started ] || fail "the command ran"
	is "$(calls)" "one.ADD two.ADD two.DEL one.DEL" "calls"; nothing_in $results; nothing_in /run/netns
}

case_run_at_a_terminal() {
	two 1.0.0
	cat >$W/typed <<TYPED
trap 'n=\$((n + 1)); touch $W/got' INT; n=0; touch $W/up; i=0
while [ ! -e $W/got ] && [ \$i -lt 200 ]; do sleep 0.05; i=\$((i + 1)); done
sleep 0.5; test -t 0 && echo tty; echo "times \$n"; exit 4
TYPED
	# exec: a shell in between would get the signal too, and end by it.
	(until_true test -e $W/up; printf '\003'; until_true test -e $W/got; sleep 3) | script -qec "exec $bin/plumb run -- bash $W/typed" /dev/null >$W/out 2>&1
	is "${PIPESTATUS[1]}" 4 "exit code"; prints "tty"; prints "times 1"
	nothing_in $results; nothing_in /run/netns
}

case_run_killed() {
	two 1.1.0
	export VERSION=1.1.0
	start_run -- sh -c "touch $W/up; echo \$\$ >$W/pid; exec sleep 100"
	"$bin/plumb" gc net >$W/out; is "$(wc -l <$W/out)" 0 "nothing is to be collected while it runs"
	local id; id=$(ls /run/netns); id=${id#plumb-}
	kill -9 $run; wait $run 2>/dev/null
	until_true test ! -e /proc/"$(cat $W/pid)"/exe
	[ -e /run/netns/plumb-"$id" ] || fail "gone by itself"
	expect 0 gc net; prints "removed $id (eth0): its plumb run was killed"; nothing_in $results; nothing_in /run/netns
	# One that had no attachment yet.
	rm $W/up; start_run --network none -- sh -c "touch $W/up; exec sleep 100"
	kill -9 $run; wait $run 2>/dev/null; expect 0 gc net; nothing_in /run/netns
}

# ---- With real plugins ----

leases() { is "$(find /var/lib/cni/networks/app-network -name '10.*' | wc -l)" "$1" "leases"; }

# $1: where the plugins are, $2: the version. Two hosts on a LAN: we are one, `far` is the other.
real_network() {
	export CNI_PATH=$1
	conf 10-app.conflist <<<"{\"cniVersion\":\"$2\",\"name\":\"app-network\",\"plugins\":[{\"type\":\"bridge\",\"bridge\":\"br0\",\"isGateway\":true,\"ipMasq\":true,\"ipam\":{\"type\":\"host-local\",\"subnet\":\"10.7.0.0/24\",\"routes\":[{\"dst\":\"0.0.0.0/0\"}]},\"dns\":{\"nameservers\":[\"10.7.0.1\"]}},{\"type\":\"portmap\",\"capabilities\":{\"portMappings\":true}}]}"
	ip netns add far
	ip link add lan0 type veth peer name eth0 netns far || skip "no veth"
	ip addr add 192.0.2.1/24 dev lan0; ip link set lan0 up
	ip -n far addr add 192.0.2.2/24 dev eth0; ip -n far link set eth0 up
}

serve=( python3 -c 'import http.server
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(s):
        s.send_response(200); s.end_headers(); s.wfile.write(("hello " + s.client_address[0]).encode())
http.server.HTTPServer(("", 80), H).serve_forever()' )

case_published_port() {
	need "$bin"/{bridge,host-local,portmap,plumb-ruleset} "$(command -v python3 || echo python3)" "$(command -v curl || echo curl)"
	real_network "$bin" 1.1.0
	expect 0 status app-network
	"$bin/plumb" run --id web -p 8080:80 -- "${serve[@]}" >$W/out 2>$W/err & run=$!
	until_true curl -sfo /dev/null http://10.7.0.2/
	is "$(ip netns exec far curl -sm5 http://192.0.2.1:8080/)" "hello 192.0.2.2" "from a second host"
	curl -sfm5 -o /dev/null http://127.0.0.1:8080/ || fail "from 127.0.0.1"
	curl -sfm5 -o /dev/null http://192.0.2.1:8080/ || fail "from the host by its LAN address"
	expect 0 check app-network plumb-web --id web
	expect 125 run -p 8080:80 -- true; says "taken by"
	kill -TERM $run; wait $run; is $? 143 "exit code"
	ip netns exec far curl -sm2 -o /dev/null http://192.0.2.1:8080/ && fail "still published"
	is "$(ls /run/netns)" far "namespaces"; nothing_in $results
	leases 0
	nft list table inet plumb | grep -q web && fail "elements left: $(nft list table inet plumb | grep web)"
	ip -o link | grep -q veth && ip -o link | grep veth | grep -vq lan0 && fail "links left: $(ip -o link)"
	true
}

case_port_taken() {
	need "$bin"/{bridge,host-local,portmap,plumb-ruleset}
	real_network "$bin" 1.1.0; add_netns one two
	expect 0 add app-network one -p 8080:80
	expect 1 add app-network two -p 8080:80; says "portmap"; says "8080"
	leases 1
	[ -z "$(ip -n two -o link show eth0 2>/dev/null)" ] || fail "eth0 is left in two"
	expect 0 check app-network one; expect 0 del app-network one
	expect 0 add app-network two -p 8080:80 --ip 10.7.0.9 --mac 02:00:00:00:00:77; prints "10.7.0.9/24"; prints "02:00:00:00:00:77"
	expect 0 check app-network two; ip netns del two; expect 0 del app-network two
	leases 0
}

case_restore() {
	need "$bin"/{bridge,host-local,portmap,plumb-ruleset} "$(command -v nft || echo nft)"
	expect 0 restore; prints "nothing to restore"; nft list tables | grep -q plumb && fail "a table was made"
	real_network "$bin" 1.1.0; add_netns one two
	expect 0 add app-network one --id one -p 8080:80; expect 0 add app-network two --id two -p 8081:80
	local before; before=$(nft list table inet plumb | sort)
	for_restore() { grep -q "app-network/one/eth0" <<<"$1" && grep -q "app-network/two/eth0" <<<"$1"; }
	for_restore "$before" || fail "no elements: $before"
	nft flush ruleset
	# plumb is elsewhere than the plugins.
	mkdir $W/elsewhere; cp "$bin/plumb" $W/elsewhere
	$W/elsewhere/plumb restore --bin-dir /nowhere >$W/out 2>$W/err && fail "without the helper"; says "plumb-ruleset"
	$W/elsewhere/plumb restore --bin-dir "$bin" >$W/out 2>$W/err || fail "restore: $(cat $W/err)"
	prints "nftables table inet plumb: chains and rules loaded"; prints "of 2 attachments put back"; is "$(wc -l <$W/out)" 1 "lines"
	is "$(nft list table inet plumb | sort)" "$before" "the table"; nft list tables | grep -q "bridge plumb" && fail "a table more"
	ip netns exec one ping -c1 -W2 192.0.2.2 >/dev/null || fail "no way out"
	expect 0 check app-network one --id one; expect 0 check app-network two --id two
	# Chains, rules and elements come in one transaction: nobody sees the table without its policies, and nobody is judged without them.
	nft flush ruleset; nft monitor >$W/seen & local monitor=$!
	until nft "add table ip seen; delete table ip seen" && grep -q "table ip seen" $W/seen; do sleep 0.1; done
	expect 0 restore
	nft add table ip last_seen; until grep -q "last_seen" $W/seen; do sleep 0.1; done; kill $monitor
	is "$(grep -c '^# new generation .*(plumb)$' $W/seen)" 1 "transactions of plumb"; grep -q "(plumb-ruleset)" $W/seen && fail "the helper changed this host: $(cat $W/seen)"
	is "$(nft list table inet plumb | sort)" "$before" "the table again"
	nft delete table inet plumb; expect 0 restore --json; prints '"attachments": 2'; prints '"wasThere": false'
	is "$(nft list table inet plumb | sort)" "$before" "the table once more"
	# Where there can be no namespace to read the ruleset in, it is loaded first.
	nft flush ruleset; setpriv --bounding-set=-sys_admin "$bin/plumb" restore >$W/out 2>$W/err || fail "without CAP_SYS_ADMIN: $(cat $W/err)"
	is "$(nft list table inet plumb | sort)" "$before" "the table without a namespace"
	expect 2 restore more; says "want no operands"
}

# ADD in a chain whose result does not arrive.
case_undelivered_result() {
	need "$bin"/{ptp,host-local,plumb-ruleset} "$(command -v nft || echo nft)"
	add_netns ns
	local conf='"cniVersion":"1.0.0","name":"net","type":"ptp","ipMasq":true,"ipam":{"type":"host-local","subnet":"10.8.0.0/24"}'
	export CNI_CONTAINERID=c CNI_NETNS=/run/netns/ns CNI_IFNAME=eth0 CNI_PATH=$bin
	CNI_COMMAND=ADD "$bin/ptp" <<<"{$conf,\"prevResult\":{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.5.0.2/24\"}]}}" >/dev/full && fail "succeeded"
	nft list table inet plumb 2>/dev/null | grep -q net/c/eth0 && fail "elements are left: $(nft list table inet plumb | grep net/c)"
	[ -z "$(find /var/lib/cni/networks -name '10.*')" ] || fail "a lease is left"
	[ -z "$(ip -n ns -o link show eth0 2>/dev/null)" ] || fail "eth0 is left"
}

# A file without a domain line gives DNS as well; the network's own goes first.
case_dns_of_a_file() {
	need "$bin"/{ptp,host-local}
	export CNI_PATH=$bin; add_netns ns
	echo "nameserver 10.5.5.5" >$W/resolv
	local ipam="\"ipam\":{\"type\":\"host-local\",\"subnet\":\"10.8.0.0/24\",\"resolvConf\":\"$W/resolv\"}"
	conf 10-net.conflist <<<"{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"plugins\":[{\"type\":\"ptp\",$ipam}]}"
	expect 0 add net ns; prints "nameserver 10.5.5.5"; expect 0 del net ns
	conf 10-net.conflist <<<"{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"plugins\":[{\"type\":\"ptp\",\"dns\":{\"nameservers\":[\"10.6.6.6\"]},$ipam}]}"
	expect 0 add net ns; prints "nameserver 10.6.6.6"; lacks $W/out 10.5.5.5
}

case_reference_plugins() {
	need $reference/{bridge,host-local,portmap} "$(command -v iptables || echo iptables)"
	real_network $reference 1.0.0; add_netns one
	expect 0 add app-network one -p 8080:80 --ip 10.7.0.9 --mac 02:00:00:00:00:77
	prints "10.7.0.9/24, gateway 10.7.0.1"; prints "02:00:00:00:00:77"
	expect 1 add app-network one
	ip netns exec one ping -c1 -W2 10.7.0.1 >/dev/null || fail "the gateway does not answer"
	expect 0 del app-network one; expect 0 del app-network one
	leases 0
	expect 0 run -- ip -o addr show eth0; prints 10.7.0.
	nothing_in $results
}

. "$top/tests/lib/cases.sh"
