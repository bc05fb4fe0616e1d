"""The chains of plugins that are measured, and what each suite is told for them."""
import copy
import json


def container(i):
    return "%064x" % i              # runtimes use 64 hex digits


def address(base, i):
    a, b, c, d = (int(x) for x in base.split("."))
    n = (a << 24 | b << 16 | c << 8 | d) + i
    return ".".join(str(n >> s & 255) for s in (24, 16, 8, 0))


class Chain:
    """Plugins in order; `ports` is how many ports a container publishes where portmap is among them."""

    def __init__(self, name, *plugins, masq=False, ports=2):
        self.name, self.plugins, self.masq, self.ports = name, plugins, masq, ports
        self.ifname = "lo" if name == "loopback" else "eth0"
        self.bridge, self.net, self.base = "cni0", "bench", "10.88.0.0"
        self.first_port, self.given, self.policy, self.silent = 2000, False, None, False

    def but(self, **changes):
        other = copy.copy(self)
        other.__dict__.update(changes)
        return other

    def alone(self):
        """portmap without what makes the interface: a prevResult claims that it is there."""
        return self.but(name="portmap", plugins=("portmap",), given=True)

    @property
    def subnet(self):
        return self.base + "/16"

    def mappings(self, i):
        first = self.first_port + i * self.ports
        return [{"hostPort": first + k, "containerPort": 80 + k, "protocol": "tcp"} for k in range(self.ports)]

    # ---- What is asked for ----

    def config(self, plugin, backend, i):
        conf = {"cniVersion": "1.0.0", "name": self.net, "type": plugin}
        ipam = {"type": "host-local", "ranges": [[{"subnet": self.subnet}]], "routes": [{"dst": "0.0.0.0/0"}], "dataDir": "/run/store"}
        if plugin in ("bridge", "ptp"):
            conf.update(ipam=ipam, ipMasq=self.masq)
        if plugin == "bridge":
            conf.update(bridge=self.bridge, isGateway=True, **({"silentIPv6": True} if self.silent else {}))
        if plugin == "host-local":
            conf.update(ipam=ipam)
        if plugin == "portmap":
            conf.update(capabilities={"portMappings": True}, snat=True, runtimeConfig={"portMappings": self.mappings(i)})
        if backend == "nftables" and plugin in ("bridge", "ptp") and self.masq:
            conf["ipMasqBackend"] = backend
        if backend in ("iptables", "nftables") and plugin in ("portmap", "firewall"):
            conf["backend"] = "iptables" if plugin == "firewall" else backend       # its firewall has no other
        if backend is None and plugin == "firewall" and self.policy:
            conf["ingressPolicy"] = self.policy
        return conf

    def claimed(self, i):
        return {"cniVersion": "1.0.0", "interfaces": [{"name": self.ifname, "mac": "02:00:00:00:00:02", "sandbox": "/run/netns/pod1"}],
                "ips": [{"address": address(self.base, i) + "/16", "interface": 0}]}

    def netavark(self, i):
        ports = [{"host_ip": "", "container_port": m["containerPort"], "host_port": m["hostPort"], "range": 1, "protocol": "tcp"}
                 for m in self.mappings(i)]
        network = {"name": self.net, "id": container(7), "driver": "bridge", "network_interface": self.bridge, "internal": False,
                   "dns_enabled": False, "ipv6_enabled": False, "ipam_options": {"driver": "host-local"},
                   "subnets": [{"subnet": self.subnet, "gateway": address(self.base, 1)}]}
        return {"container_id": container(i), "container_name": f"c{i}", "port_mappings": ports if "portmap" in self.plugins else [],
                "networks": {self.net: {"static_ips": [address(self.base, i)], "interface_name": self.ifname}},
                "network_info": {self.net: network}}

    # ---- For the agent ----

    def fits(self, suite):
        """netavark always masquerades and has its own firewall."""
        return not suite.is_netavark or (self.plugins[0] == "bridge" and self.masq)

    def steps(self, suite, verb, i, pod, result):
        """(program, arguments, input) of each, in the order of the verb."""
        if suite.is_netavark:
            do = "setup" if verb == "ADD" else "teardown"
            return [(suite.dir + "/netavark", f"--config /run {do} /run/netns/{pod}", json.dumps(self.netavark(i)))]
        steps = []
        for plugin in self.plugins if verb == "ADD" else reversed(self.plugins):
            conf = self.config(plugin, suite.backend, i)
            if verb == "DEL" and result:
                conf["prevResult"] = json.loads(result)
            elif self.given:
                conf["prevResult"] = self.claimed(i)
            steps.append((f"{suite.dir}/{plugin}", "-", json.dumps(conf)))
        return steps


CHAINS = {c.name: c for c in (
    Chain("loopback", "loopback"),
    Chain("ptp", "ptp"),
    Chain("bridge", "bridge"),
    Chain("masq", "bridge", masq=True),
    Chain("portmap", "bridge", "portmap"),
    Chain("full", "bridge", "firewall", "portmap", masq=True),
    Chain("leases", "host-local"),
)}
CASES = ("loopback", "bridge", "ptp", "masq", "portmap", "full")
