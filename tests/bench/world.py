"""A host of one's own for each suite: a world of netns-fixtures with the agent in it, which plays the runtime."""
import json
import subprocess

from chains import container
from suites import BUILD, TOP

FIXTURE = TOP + "/build/plain/netns-fixtures/netns-fixture"


class Failed(SystemExit):
    pass


class Run:
    """One chain that ran: wall and cpu in ms, memory in KiB; cpu is that of all processes that were waited for."""

    def __init__(self, fields, steps):
        self.status, self.wall = int(fields[1]), int(fields[2]) / 1e6
        self.execs, self.syscalls, self.faults = (int(x) for x in fields[4:7])
        self.cpus = [int(s[3]) / 1e3 for s in steps]
        self.cpu = sum(self.cpus)
        self.memory = max(int(s[4]) for s in steps)
        self.answer = steps[-1][5].strip()

    def ip(self):
        result = json.loads(self.answer)
        if "ips" in result:
            return result["ips"][0]["address"].split("/")[0]
        return next(iter(result.values()))["interfaces"]["eth0"]["subnets"][0]["ipnet"].split("/")[0]


class Host:
    def __init__(self, suite, pods):
        self.suite, self.results = suite, {}
        self.agent = subprocess.Popen(["nice", "-n", "5", FIXTURE, "run", "--pods", str(pods), "--", BUILD + "/agent"],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.expect("ready")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.agent.stdin.close()
        self.agent.wait()

    # ---- Lines to and fro ----

    def line(self):
        line = self.agent.stdout.readline()
        if not line:
            raise Failed(f"{self.suite.name}: the agent ended")
        return line.decode().rstrip("\n").split("\t")

    def expect(self, word):
        fields = self.line()
        if fields[0] != word:
            raise Failed(f"{self.suite.name}: want {word}, have {fields}")
        return fields

    def tell(self, text):
        self.agent.stdin.write(text.encode())
        self.agent.stdin.flush()

    # ---- Around the runs ----

    def sh(self, command, check=True):
        self.tell(f"sh\t{command}\n")
        fields = self.expect("sh")
        out = self.agent.stdout.read(int(fields[2])).decode()
        if check and fields[1] != "0":
            raise Failed(f"{self.suite.name}: {command!r} ended with {fields[1]}: {out}")
        return out

    def put(self, path, text):
        self.tell(f"put\t{path}\t{len(text.encode())}\n{text}")
        self.expect("put")

    def counted(self, on):
        self.tell(f"count\t{int(on)}\n")
        self.expect("count")

    # ---- Runs ----

    def request(self, verb, chain, i, pod):
        steps = chain.steps(self.suite, verb, i, pod, self.results.get((chain.net, i)))
        return f"run\t{verb}\t{container(i)}\t{chain.ifname}\t{pod}\t{len(steps)}\n" + "".join("\t".join(s) + "\n" for s in steps)

    def answer(self, verb, chain, i):
        fields = self.expect("chain")
        run = Run(fields, [self.line() for _ in range(int(fields[3]))])
        if verb == "ADD" and run.status == 0:
            self.results[chain.net, i] = run.answer
        elif verb == "DEL":
            self.results.pop((chain.net, i), None)
        return run

    def run(self, verb, chain, i, pod):
        """A chain for the i-th container; a failure is the end, of a DEL too: what failed is not to be compared."""
        self.tell(self.request(verb, chain, i, pod))
        run = self.answer(verb, chain, i)
        if run.status:
            raise Failed(f"{self.suite.name}: {chain.name} {verb} of container {i} failed: {run.answer}")
        return run

    def run_at_once(self, verb, chain, pairs):
        """The chain for each (container, pod) at once: (wall seconds, runs)."""
        self.tell(f"par\t{len(pairs)}\n" + "".join(self.request(verb, chain, i, pod) for i, pod in pairs))
        wall = int(self.expect("par")[1]) / 1e9
        return wall, [self.answer(verb, chain, i) for i, _ in pairs]
