#!/bin/bash
# containerd's `ctr run --cni`, with our plugins. It looks for them in /opt/cni/bin and for networks in /etc/cni/net.d: both are the world's own.
set -u
. "$(dirname "$0")/common"
needs containerd ctr runc busybox curl nft
enter_world

mkdir -p $W/etc $W/etc.work
make_rootfs
umount /sys 2>/dev/null         # what it covers has the machine's cgroups, which runc wants
mount -t overlay overlay -o lowerdir=/etc,upperdir=$W/etc,workdir=$W/etc.work /etc || skip_all "no overlay on /etc here"
rm -rf /etc/cni
mkdir -p /etc/cni/net.d
make_conflist 1.0.0 /etc/cni/net.d/10-app-network.conflist
copy_plugins
mount -t tmpfs tmpfs /opt
mkdir -p /opt/cni
ln -s $W/bin /opt/cni/bin

cat >$W/config.toml <<END
version = 2
root = "$W/root"
state = "$W/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "$W/containerd.sock"
END
containerd --config $W/config.toml >$W/containerd.log 2>&1 &
containerd=$!
group=plumb-test-$$             # containerd's namespace, and with it the cgroup's name
ctr=(ctr --address $W/containerd.sock --namespace $group)
for _ in $(seq 100); do
	"${ctr[@]}" version >/dev/null 2>&1 && break
	sleep 0.1
done

finish() {
	kill $containerd
	wait $containerd
	find /sys/fs/cgroup -mindepth 1 -maxdepth 2 -type d -name $group -exec rmdir {} + 2>/dev/null
}
trap finish EXIT

"${ctr[@]}" version >$W/out 2>&1 || skip_all "containerd does not start here: $(tail -1 $W/containerd.log)"
"${ctr[@]}" run --rm --rootfs $W/rootfs try /bin/sh -c : >$W/out 2>&1 || skip_all "containerd cannot run containers here: $(tail -1 $W/out)"

# In the foreground, as that one takes the network down again; ctr has no option to publish ports.
run_web() {
	"${ctr[@]}" run --rm --cni --rootfs $W/rootfs web /bin/httpd -f -p 80 -h /www >$W/web.log 2>&1 &
	web=$!
	until_it_answers http://10.89.0.2/
}
end_web() {
	"${ctr[@]}" tasks kill --signal KILL web
	wait $web
	"${ctr[@]}" containers ls --quiet | grep -qx web && return 1
	return 0
}
serve_on_lan() { nsenter --net=/run/netns/lan busybox httpd -p 192.0.2.2:80 -h $W/rootfs/www; }
other() { "${ctr[@]}" run --rm --cni --rootfs $W/rootfs other "$@"; }

ok "a container on the network answers the host" run_web
ok "it answers another container" says hello other /bin/wget -qO- http://10.89.0.2/
ok "a server on the second machine" serve_on_lan
ok "answers a container, whose address it could not reach" says hello other /bin/wget -qO- http://192.0.2.2/
ok "the elements in nftables carry its name" grep -q "app-network/$group-web/eth0" <(nft list table inet plumb)
ok "its end" end_web
ok "nothing is left" nothing_left
done_testing
