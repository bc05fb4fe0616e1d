#!/bin/sh
# netns-fixture by hand: worlds are run, held, entered and ended, and leave nothing. Prints TAP; FIXTURE is the program.
: "${FIXTURE:?the netns-fixture program}"
n=0
users=${WORLD_USERNS:+--users}
XDG_RUNTIME_DIR=$(mktemp -d) && export XDG_RUNTIME_DIR
trap '"$FIXTURE" end w >/dev/null 2>&1; rm -rf "$XDG_RUNTIME_DIR"' EXIT

# is WHAT GOT WANTED
is() {
	n=$((n + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		printf '%s\n' "is: $2" "wanted: $3" | sed 's/^/# /' >&2
	fi
}

if ! why=$("$FIXTURE" run $users -- true 2>&1); then
	echo "1..0 # SKIP no world: $why"
	exit 0
fi
before=$(ip link 2>/dev/null; cat /proc/sys/net/ipv4/ip_forward; ls /run /var/lib)

is "a command's exit status is handed on" "$("$FIXTURE" run $users -- sh -c 'exit 7'; echo $?)" 7
is "the command is root, and among few" "$("$FIXTURE" run $users -- sh -c 'id -u; echo /proc/[0-9]*')" "0
/proc/1 /proc/2"
is "containers and a LAN machine are made" "$("$FIXTURE" run $users --pods 2 --lan -- sh -c 'ls /run/netns | tr "\n" " "')" "lan pod1 pod2 "
is "the LAN answers" "$("$FIXTURE" run $users --lan -- sh -c 'ping -c1 -W2 192.0.2.2 >/dev/null && ping -c1 -W2 2001:db8:1::2 >/dev/null && echo yes')" yes
is "settings are the world's own" "$("$FIXTURE" run $users -- sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward && cat /proc/sys/net/ipv4/ip_forward')" 1
is "a number is a number" "$(for n in abc 1x -1 1001 ''; do "$FIXTURE" run $users --pods "$n" -- true >/dev/null 2>&1; printf '%s ' $?; done)" "2 2 2 2 2 "
is "what it starts ends with it" "$("$FIXTURE" run $users -- sh -c 'sleep 4711 >/dev/null 2>&1 & echo started'; pgrep -f 'sleep 471[1]')" started

"$FIXTURE" hold $users --name w --pods 1 --background >/dev/null
is "a held world is listed" "$("$FIXTURE" list | cut -f1)" w
is "it is entered" "$("$FIXTURE" enter w pod1 -- sh -c 'ip -o link | wc -l')" 1
"$FIXTURE" enter w -- touch /run/here
is "and stays" "$("$FIXTURE" enter w host -- ls /run)" "here
netns"
is "its name is taken" "$("$FIXTURE" hold $users --name w --background 2>&1 | grep -c 'is held open by process')" 1
is "no such namespace" "$("$FIXTURE" enter w pod7 -- true 2>/dev/null; echo $?)" 125
"$FIXTURE" end w
is "it ends" "$("$FIXTURE" list)" ""
is "and is no more" "$("$FIXTURE" enter w -- true 2>&1)" 'netns-fixture: no world "w" is held open'
is "the machine is as before" "$(ip link 2>/dev/null; cat /proc/sys/net/ipv4/ip_forward; ls /run /var/lib)" "$before"
echo "1..$n"
