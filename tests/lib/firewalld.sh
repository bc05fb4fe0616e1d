# A real firewalld, with a system bus of its own, for test scripts. Sourced, behind words.sh; W is the scratch directory. /run, /etc/firewalld and
# /var/log are the case's own.

need_firewalld() {
	local program
	for program in firewalld firewall-cmd dbus-daemon dbus-send; do
		type -P $program >/dev/null || skip "no $program: firewalld and D-Bus are not installed"
	done
}

# Only what the cases need: default zones and services are in /usr/lib/firewalld.
configure_firewalld() {
	local modprobe
	# firewalld is not to load modules on this machine.
	modprobe=$(type -P modprobe) && mount --bind "$(type -P true)" "$modprobe"
	mkdir -p /etc/firewalld/zones
	printf 'DefaultZone=%s\nFirewallBackend=nftables\nIndividualCalls=no\nCleanupModulesOnExit=no\n' "$1" >/etc/firewalld/firewalld.conf
	unset DBUS_SYSTEM_BUS_ADDRESS
	firewalld= bus=
}
end_firewalld() { local pid; for pid in $firewalld $bus; do kill "$pid" 2>/dev/null; done; }

# What firewalld itself says.
firewalld_name=org.fedoraproject.FirewallD1
ask_zone() { dbus-send --system --print-reply=literal --dest=$firewalld_name /${firewalld_name//.//} $firewalld_name.zone."$@" 2>&1; }
is_in() { ask_zone querySource string:"$1" string:"$2" | grep -q 'boolean true'; }
inside() { local s zone=$1; shift; for s; do is_in "$zone" "$s" || fail "$s is not in zone $zone: $(ask_zone getSources string:"$zone")"; done; }
outside() { local s zone=$1; shift; for s; do ! is_in "$zone" "$s" || fail "$s is in zone $zone"; done; }
reload() { firewall-cmd --reload >$W/reload 2>&1 || fail "reload: $(cat $W/reload $W/firewalld.log)"; }

start_bus() {
	mkdir -p /run/dbus
	cat >$W/bus.conf <<-'BUS'
		<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
		 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
		<busconfig>
		  <type>system</type>
		  <listen>unix:path=/run/dbus/system_bus_socket</listen>
		  <auth>EXTERNAL</auth>
		  <policy context="default">
		    <allow user="*"/> <allow own="*"/> <allow send_destination="*"/> <allow receive_sender="*"/>
		  </policy>
		</busconfig>
	BUS
	dbus-daemon --config-file=$W/bus.conf --nofork --nopidfile --nosyslog 2>$W/bus.log & bus=$!
	until_true test -S /run/dbus/system_bus_socket
}
start_firewalld() {
	firewalld --nofork --nopid >>$W/firewalld.log 2>&1 & firewalld=$!
	until_true firewall_runs
}
firewall_runs() {
	kill -0 $firewalld 2>/dev/null || fail "firewalld ended: $(cat $W/firewalld.log)"
	ask_zone getZones | grep -q trusted
}
stop_firewalld() { kill $firewalld; wait $firewalld 2>/dev/null; }
start_all() { start_bus; start_firewalld; }
