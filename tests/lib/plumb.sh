# For test scripts of the plumb command. Each case is a function case_NAME, run in a process with namespaces, a /run and a /var/lib of its own; it passes when it comes
# to its end. A script sources this file first, has a function begin() that prepares the world for each case, and sources tests/lib/cases.sh last.
#
#	SCRIPT [PATTERN]...                     the cases whose names contain a pattern; all without
#	PLUMB_BIN=DIR                           where plumb and the plugins are (build/MODE/bin)
set -u
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
bin=${PLUMB_BIN:-$top/build/${MODE:-plain}/bin}
bin=$(cd "$bin" 2>/dev/null && pwd) || { echo "Bail out! no plumb in $bin: make it first"; exit 1; }

# The scratch directory; /run is a tmpfs that the case alone sees.
W=/run/w
results=/var/lib/cni/results adding=/var/lib/cni/adding

fail() { echo "failed: $*"; exit 1; }
skip() { echo "SKIP $*"; exit 77; }

# plumb with fake plugins; output in $W/out and $W/err, the exit code in $code.
plumb() { "$bin/plumb" "$@" >$W/out 2>$W/err </dev/null; code=$?; }
expect() { local want=$1; shift; plumb "$@"; [ "$code" = "$want" ] || fail "plumb $*: exit $code, want $want: $(cat $W/out $W/err)"; }
says() { grep -qF -- "$1" $W/err || fail "stderr does not say '$1': $(cat $W/err)"; }
prints() { grep -qF -- "$1" $W/out || fail "stdout does not say '$1': $(cat $W/out)"; }
is() { [ "$1" = "$2" ] || fail "$3: is '$1', want '$2'"; }
has() { grep -qF -- "$2" "$1" || fail "$1 does not have '$2': $(cat "$1")"; }
lacks() { ! grep -qF -- "$2" "$1" || fail "$1 has '$2': $(cat "$1")"; }
nothing_in() { [ -z "$(ls -A "$1" 2>/dev/null)" ] || fail "$1 is not empty: $(ls -A "$1")"; }
until_true() { local n=0; until "$@"; do n=$((n + 1)); [ $n -lt 600 ] || fail "never: $*"; sleep 0.05; done; }
need() { local p; for p; do [ -x "$p" ] || skip "no $p"; done; }
add_netns() { local n; for n; do ip netns add "$n" || exit 1; done; }

# Its own /run and /var/lib, and lo up: how every begin() begins.
own_world() {
	mount -t tmpfs none /run && mount -t tmpfs none /var/lib || exit 1
	mkdir -p $W/bin $W/conf $W/log /run/netns /var/lib/cni
	ip link set lo up
	export NETCONFPATH=$W/conf CNI_PATH=$W/bin
	unset CNI_COMMAND CNI_CONTAINERID CNI_NETNS CNI_IFNAME CNI_ARGS
	: >$W/calls
}

# ---- Plugins that are shell scripts ----

# A plugin that writes its environment and stdin to $W/log/N.NAME.VERB.{env,in}, and answers with $W/answer.NAME.VERB and the status in
# $W/status.NAME.VERB where those are, else ADD with a result of one address.
fake() {
	local name
	for name; do
		cat >$W/bin/"$name" <<'PLUGIN'
#!/bin/bash
W=/run/w; me=$(basename "$0"); n=$(ls $W/log | grep -c env); log=$W/log/$n.$me.$CNI_COMMAND
env >$log.env; cat >$log.in; echo "$me.$CNI_COMMAND" >>$W/calls
[ -x $W/do.$me.$CNI_COMMAND ] && . $W/do.$me.$CNI_COMMAND
if [ -e $W/answer.$me.$CNI_COMMAND ]; then cat $W/answer.$me.$CNI_COMMAND
elif [ $CNI_COMMAND = ADD ]; then
	printf '{"cniVersion":"%s","interfaces":[{"name":"%s","mac":"02:00:00:00:00:09","sandbox":"%s"}],' "${VERSION:-1.0.0}" "$CNI_IFNAME" "$CNI_NETNS"
	printf '"ips":[{"address":"10.9.0.2/24","gateway":"10.9.0.1","interface":0}],"by":"%s"}' "$me"
fi
exit $(cat $W/status.$me.$CNI_COMMAND 2>/dev/null || echo 0)
PLUGIN
		chmod +x $W/bin/"$name"
	done
}
answer() { printf '%s' "$2" >$W/answer."$1"; [ -z "${3:-}" ] || echo "$3" >$W/status."$1"; }
conf() { cat >$W/conf/"$1"; }
calls() { paste -sd' ' $W/calls 2>/dev/null; : >$W/calls; }
log() { echo $W/log/"$1"; }
# Network `net` of two plugins, in version $1.
two() { conf 10-net.conflist <<<"{\"cniVersion\":\"$1\",\"name\":\"net\",\"plugins\":[{\"type\":\"one\"},{\"type\":\"two\"}]}"; }
