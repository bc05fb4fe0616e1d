#!/bin/bash
# podman 4.x in its CNI mode, with our plugins.
set -u
. "$(dirname "$0")/common"
needs podman busybox curl nft conmon
case $(podman --version) in
*" version 4."*) ;;
*) skip_all "$(podman --version) has no CNI mode, or is not known to" ;;
esac
enter_world

mkdir -p $W/net.d $W/home
copy_plugins
make_rootfs
make_conflist 0.4.0 $W/net.d/app-network.conflist
# As `podman network create` writes them, but for what plumb does not have.
for number in 90 91; do
	cat >$W/net.d/named$number.conflist <<-END
	{ "cniVersion": "0.4.0", "name": "named$number", "plugins": [
		{ "type": "bridge", "bridge": "cni-podman$number", "isGateway": true, "ipMasq": true, "hairpinMode": true, "ipam": { "type": "host-local",
			"ranges": [[{ "subnet": "10.$number.0.0/24" }]], "routes": [{ "dst": "0.0.0.0/0" }] }, "capabilities": { "ips": true } },
		{ "type": "portmap", "capabilities": { "portMappings": true } },
		{ "type": "firewall", "backend": "" },
		{ "type": "dnsname", "domainName": "dns.podman", "capabilities": { "aliases": true } } ] }
	END
done
cat >$W/containers.conf <<END
[network]
network_backend = "cni"
cni_plugin_dirs = ["$W/bin"]
network_config_dir = "$W/net.d"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "crun"
[containers]
cgroups = "disabled"
END
export CONTAINERS_CONF=$W/containers.conf HOME=$W/home
[ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ] || mount -t cgroup2 cgroup2 /sys/fs/cgroup 2>/dev/null     # it wants to see some
podman=(podman --root $W/storage --runroot $W/runroot --tmpdir $W/tmp --storage-driver vfs)

needs crun
tar -C $W/rootfs -cf $W/image.tar .
"${podman[@]}" import --quiet $W/image.tar localhost/busybox >$W/out 2>&1 || skip_all "podman cannot import an image here: $(tail -1 $W/out)"
"${podman[@]}" run --rm --network none localhost/busybox sh -c : >$W/out 2>&1 || skip_all "podman cannot run containers here: $(tail -1 $W/out)"

run_web() { "${podman[@]}" run --detach --name web --network app-network --publish 8080:80 localhost/busybox httpd -f -p 80 -h /www; }
run_with_taken_port() { "${podman[@]}" run --rm --network app-network --publish 8080:80 localhost/busybox sh -c :; }
names_the_holder() { ! run_with_taken_port 2>$W/why && cat $W/why && grep -q 'taken by container' $W/why; }
with_address() { "${podman[@]}" run --rm --network app-network --ip 10.89.0.77 --mac-address 02:00:00:00:00:77 localhost/busybox ip addr show eth0; }
has_address() { with_address | tee $W/addr && grep -q '10.89.0.77/24' $W/addr && grep -qi '02:00:00:00:00:77' $W/addr; }
flushed_and_reloaded() { nft delete table inet plumb && "${podman[@]}" network reload web && fetch http://127.0.0.1:8080/; }

ok "network ls has our network" "${podman[@]}" network exists app-network
ok "a container with a published port" run_web
ok "it answers from the host" says hello until_it_answers http://127.0.0.1:8080/
ok "and by the host's address on the LAN" says hello fetch http://192.0.2.1:8080/
ok "and from the second machine" says hello fetch_from_lan http://192.0.2.1:8080/
ok "and to another container" says hello "${podman[@]}" run --rm --network app-network localhost/busybox wget -qO- http://10.89.0.2/
ok "a port that is taken is refused" names_the_holder
ok "an address and a MAC of one's choice" has_address
ok "network reload after the table was deleted" flushed_and_reloaded
ok "and then it answers the second machine" says hello fetch_from_lan http://192.0.2.1:8080/

# Networks of plumb's for podman, and podman's containers for plumb.
plumb_network() { local verb=$1; shift; "$BIN/plumb" network "$verb" --conf-dir $W/net.d --bin-dir $W/bin "$@"; }
is_told() { plumb_network inspect back --json | tee $W/told | grep -q '"Name": "web"' && grep -q '"Interface": "eth1"' $W/told; }
has_eth1() { "${podman[@]}" exec web ip -o addr show eth1 | grep -F 10.5.0.; }
ok "plumb network create" says back plumb_network create --no-dns --internal --subnet 10.5.0.0/24 --opt cni-version=0.4.0 back
ok "podman network ls has it" "${podman[@]}" network exists back
ok "a container of podman's on it" "${podman[@]}" run --rm --network back localhost/busybox ip addr show eth0
ok "plumb network connect" plumb_network connect back web
ok "the container has another interface" has_eth1
ok "network inspect tells it by podman's name" is_told
ok "network rm names it" says "$(printf 'plumb: network rm: network back is in use by web (eth1): detach it (plumb network disconnect), or remove it with -f')" \
	eval '! plumb_network rm back 2>&1'
ok "plumb network disconnect" plumb_network disconnect back web
ok "plumb network rm" says back plumb_network rm back
ok "removal" "${podman[@]}" rm --force --time 0 web
ok "nothing is left" nothing_left

# ---- Names ----

run_named() { "${podman[@]}" run --detach --name "$1" --network "$2" "${@:3}" localhost/busybox httpd -f -p 80 -h /www; }
# resolves CONTAINER NAME ADDRESS: by the container's own /etc/resolv.conf.
resolves() { "${podman[@]}" exec "$1" nslookup "$2" 2>&1 | tee $W/names && grep -q "Address.*$3\$" $W/names; }
does_not_resolve() { resolves "$1" "$2" none || grep -q NXDOMAIN $W/names; }
asks_the_network() { "${podman[@]}" exec db cat /etc/resolv.conf | tee $W/names && grep -q '^search.*dns.podman' $W/names && grep -q '^nameserver 10.90.0.1' $W/names; }
reloaded() { "${podman[@]}" network reload db && resolves web db 10.90.0.3; }
no_names_left() { ! pgrep -a dnsmasq && ! find /run/plumb/names -type f | grep .; }

if command -v dnsmasq >/dev/null; then
	ok "a container with a name" run_named web named90 --network-alias www
	ok "a second one" run_named db named90 --hostname db-host
	ok "its resolv.conf" asks_the_network
	ok "the first is found by its name" resolves db web 10.90.0.2
	ok "and with the domain" resolves db web.dns.podman 10.90.0.2
	ok "and by its alias" resolves db www 10.90.0.2
	ok "and by the beginning of its id, which is its hostname" resolves db "$("${podman[@]}" ps --quiet --filter name=web)" 10.90.0.2
	ok "a container of another network" run_named other named91
	ok "is not found" does_not_resolve db other
	ok "a container on both networks" run_named both named90,named91
	ok "finds the one" resolves both web 10.90.0.2
	ok "and the other" resolves both other 10.91.0.2
	ok "and is found" resolves db both 10.90.0.4
	ok "network reload" reloaded
	ok "removal of one" "${podman[@]}" rm --force --time 0 web
	ok "takes its name along" does_not_resolve db web
	ok "removal of all" "${podman[@]}" rm --force --time 0 db other both
	ok "no server and no name is left" no_names_left
fi
done_testing
