"""The plugin suites that are compared.

A suite is NAME=DIR[:BACKEND], its plugins in DIR. BACKEND says what is written into the configurations:
iptables or nftables for suites that can do both; netavark: DIR/netavark, with equal work in its own words; floor: the
floor programs, which need nothing said.
"""
import os
import shutil
import subprocess
from collections import namedtuple

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.path.join(TOP, "build", "bench")


class Suite(namedtuple("Suite", "name dir backend")):
    @property
    def is_ours(self):
        return self.backend is None

    @property
    def is_floor(self):
        return self.backend == "floor"

    @property
    def is_netavark(self):
        return self.backend == "netavark"

    @property
    def by_iptables(self):
        """Whether its rules are in iptables, where fills write them."""
        return self.backend == "iptables" or self.is_netavark and netavark_by_iptables(self.dir)


def parse(text):
    name, _, rest = text.partition("=")
    directory, _, backend = rest.partition(":")
    if not name or not directory:
        raise SystemExit(f"suite {text!r}: want NAME=DIR[:BACKEND]")
    return Suite(name, os.path.abspath(directory), backend or None)


def knows_nftables(plugin):
    """The reference has an nftables back end since 1.6, and a key for it."""
    with open(plugin, "rb") as f:
        return b"ipMasqBackend" in f.read()


def netavark_by_iptables(directory):
    """Before 1.10 netavark had no other driver."""
    version = subprocess.run([directory + "/netavark", "--version"], capture_output=True, text=True, check=False).stdout.split()
    return bool(version) and tuple(int(x) for x in version[-1].split(".")[:2]) < (1, 10)


def available():
    """The suites that are here, by name, the floor first: ratios are to it."""
    found = [f"floor={BUILD}/floor:floor", f"plumb={TOP}/build/plain/bin"]
    if os.path.exists(f"{BUILD}/floor-musl/bridge"):
        found.insert(1, f"floor-musl={BUILD}/floor-musl:floor")
    if os.path.exists(f"{TOP}/build/musl/bin/bridge"):
        found.append(f"plumb-musl={TOP}/build/musl/bin")
    for d in ("/usr/lib/cni", "/usr/libexec/cni", "/opt/cni/bin"):
        if os.path.exists(d + "/host-local"):
            found.append(f"reference={d}:iptables")
            if knows_nftables(d + "/bridge"):
                found.append(f"reference-nft={d}:nftables")
            break
    for d in ("/usr/lib/podman", "/usr/libexec/podman"):
        if os.path.exists(d + "/netavark"):
            found.append(f"netavark={d}:netavark")
    return {s.name: s for s in map(parse, found)}


def installed(suite):
    """What the linker has just written runs up to a tenth dearer than a copy of it, which is what users have: so built ones are copied."""
    if not suite.dir.startswith(f"{TOP}/build/"):
        return suite
    copy = f"{BUILD}/installed/{suite.name}"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(suite.dir, copy)
    return suite._replace(dir=copy)


def choose(text):
    """SUITES="plumb reference mine=/opt/cni/bin:iptables": names of what is here, and others."""
    here = available()
    chosen = [here[t] if t in here else parse(t) for t in text.split()] if text else list(here.values())
    return [installed(s) for s in chosen]
