"""Mixed load with faults for minutes: whatever grows with time is found."""
import os
import random
import signal
import socket
import struct
import sys
import tempfile
import threading
import time
from pathlib import Path

from support.http2 import H2Party
from support.origin import Origin, echo
from support.processes import Account, Service, new_name
from test_websockets import Echo, through_tls
from websockets.sync.client import connect as dial

# What the load is: clients of each kind, and the pause between two steps of each, so that the machine is not full.
CLIENTS = {"small": 6, "upload": 2, "download": 2, "http2": 3, "websocket": 2, "api": 1}
PAUSE_SECONDS = 0.02
# One step in twenty goes wrong on purpose.
FAULT_SHARE = 0.05
AGENT_LIFE_SECONDS = 20
DOWNLOAD_BYTES = 2 << 20
# The first part of a run fills pools and caches.
WARM_UP_SHARE = 0.3
SLOPE_KIB_PER_MINUTE_MAX = 256
DESCRIPTORS_MORE_MAX = 8
SETTLE_SECONDS = 90


class Soak:
    def __init__(self, minutes, folder):
        self.seconds = minutes * 60
        self.service = Service(folder / "service").init().start()
        self.account = Account(folder / "home", self.service)
        self.origin, self.echo = Origin(), Echo()
        self.origin.on("/echo", echo)
        self.origin.on("/download", lambda exchange: exchange.answer(200, body=b"d" * DOWNLOAD_BYTES))
        self.origin.on("/endless", endless)
        self.origin.on("/cut", lambda exchange: exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf") or exchange.sock.close())
        self.kept = self.account.http(self.origin.port, "--name", new_name())
        self.killed = None
        self.sockets = self.account.http(self.echo.port, "--name", new_name())
        self.host, self.ws_host = host(self.kept), host(self.sockets)
        self.victim_name = new_name()
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.done, self.faults, self.failures = 0, 0, []

    # The load

    def client(self, kind, number):
        chance = random.Random(f"{kind}-{number}")
        line = None
        while not self.over.is_set():
            try:
                line = getattr(self, kind)(line, chance)
                with self.lock:
                    self.done += 1
            except Exception as e:
                line = None
                with self.lock:
                    self.failures.append(f"{kind}: {e!r}")
            self.over.wait(PAUSE_SECONDS)

    def faulty(self, chance):
        if chance.random() >= FAULT_SHARE:
            return False
        with self.lock:
            self.faults += 1
        return True

    def small(self, line, chance):
        if self.faulty(chance):
            chance.choice([self.fault_reset, self.fault_malformed, self.fault_unread, self.fault_cut, self.fault_no_agent])()
        line = line or self.service.secure(self.host)
        token = str(chance.random())
        answer = line.request("GET", f"/echo?{token}", self.host).response()
        assert answer.status == 200 and answer.json()["target"] == f"/echo?{token}", answer
        return line

    def upload(self, line, chance):
        line = line or self.service.plain()
        body = bytes([chance.randrange(97, 122)]) * chance.randrange(1, 300_000)
        answer = line.request("POST", "/echo", self.host, body=body).response()
        assert answer.status == 200 and answer.json()["body"] == body.decode(), answer.status
        return line

    def download(self, line, chance):
        if self.faulty(chance):
            self.fault_unread()
        line = line or self.service.secure(self.host)
        answer = line.request("GET", "/download", self.host).response()
        assert answer.status == 200 and len(answer.body) == DOWNLOAD_BYTES, answer.status
        return line

    def http2(self, line, chance):
        line = line or H2Party(self.service, self.host)
        if self.faulty(chance):
            # A connection that vanishes with a request under way.
            stream = line.start(path="/endless")
            assert stream
            reset(line.wire.sock)
            return None
        answer = line.request(path="/echo")
        assert answer.status == 200, answer
        return line

    def websocket(self, line, chance):
        if line is None:
            raw = through_tls(self.service.https_port, self.service.tls(), self.ws_host)
            line = dial(f"ws://{self.ws_host}/", sock=raw, open_timeout=20, close_timeout=10, compression=None,
                        max_size=4 << 20, legacy=True)
        message = "m" * chance.randrange(1, 50_000)
        line.send(message)
        assert line.recv(timeout=20) == message
        if self.faulty(chance):
            reset(line.socket)
            return None
        return line

    def api(self, line, chance):
        tunnels = self.service.call("GET", "/api/v1/tunnels?limit=10")
        assert tunnels.status == 200, tunnels
        if self.faulty(chance):
            wrong = self.service.call("GET", "/api/v1/tunnels", key="culv_wrong")
            assert wrong.status == 401, wrong
        self.over.wait(0.2)

    # The faults

    def fault_reset(self):
        line = self.service.plain()
        line.request("GET", "/endless", self.host)
        line.sock.recv(1000)
        reset(line.sock)

    def fault_malformed(self):
        with self.service.plain() as line:
            line.send(f"POST /echo HTTP/1.1\r\nHost: {self.host}\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n")
            assert line.response().status == 400

    def fault_unread(self):
        line = self.service.plain(receive_buffer=4096)
        line.request("GET", "/endless", self.host)
        self.over.wait(1)
        reset(line.sock)

    def fault_cut(self):
        with self.service.plain() as line:
            line.request("GET", "/cut", self.host)
            try:
                line.response()
            except Exception:
                return
            raise AssertionError("a cut response came whole")

    def fault_no_agent(self):
        status = self.service.get(f"{self.victim_name}.localhost", "/echo").status
        assert status in (200, 404, 502, 503), status

    def kill_agents(self):
        """One agent more, that is killed again and again."""
        while not self.over.is_set():
            victim = self.account.http(self.origin.port, "--name", self.victim_name)
            victim.url()
            self.over.wait(AGENT_LIFE_SECONDS)
            victim.kill()
            victim.process.stdout.close()
            with self.lock:
                self.faults += 1

    # What is looked at

    def run(self):
        pids = {"culvertd": self.service.pid, "culvert": self.kept.pid}
        before = {name: descriptors(pid) for name, pid in pids.items()}
        threads = [threading.Thread(target=self.kill_agents, daemon=True)]
        for kind, count in CLIENTS.items():
            threads += [threading.Thread(target=self.client, args=(kind, n), daemon=True) for n in range(count)]
        for thread in threads:
            thread.start()
        samples = {name: [] for name in pids}
        started, told = time.monotonic(), 0
        while (passed := time.monotonic() - started) < self.seconds:
            for name, pid in pids.items():
                samples[name].append((passed / 60, resident_kib(pid)))
            if passed - told >= 60:
                told = passed
                print(f"{passed / 60:.0f} min: {self.done} steps, {self.faults} faults, {len(self.failures)} failures, " + ", ".join(
                    f"{name} {values[-1][1] // 1024} MiB, {descriptors(pids[name])} descriptors" for name, values in samples.items()), flush=True)
            time.sleep(1)
        self.over.set()
        for thread in threads:
            thread.join(60)
        return self.judge(pids, before, samples)

    def judge(self, pids, before, samples):
        good = not self.failures and self.faults > 0
        print(f"{self.done} steps, {self.faults} faults, {len(self.failures)} failures")
        for failure in self.failures[:10]:
            print(f"  {failure}")
        for name, pid in pids.items():
            late = samples[name][int(len(samples[name]) * WARM_UP_SHARE):]
            grown = slope(late)
            more = settled(pid, before[name])
            good = good and grown <= SLOPE_KIB_PER_MINUTE_MAX and more <= DESCRIPTORS_MORE_MAX
            print(f"{name}: {late[-1][1] // 1024} MiB at the end, {grown:+.0f} KiB/min (at most {SLOPE_KIB_PER_MINUTE_MAX}), "
                  f"{more:+d} descriptors (at most {DESCRIPTORS_MORE_MAX})")
        return good

    def close(self):
        for agent in (self.kept, self.sockets):
            agent.stop()
        self.service.stop()


def endless(exchange):
    exchange.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        exchange.send("1000\r\n", b"e" * 4096, "\r\n")
        time.sleep(0.01)  # an origin that streams at its own pace


def host(agent):
    return agent.url().split("//")[1].split(":")[0]


def reset(sock):
    """Ends a connection without a goodbye."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(sock.detach())


def resident_kib(pid):
    return int(next(line for line in open(f"/proc/{pid}/status") if line.startswith("VmRSS")).split()[1])


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def settled(pid, before):
    """Descriptors more than before the load, once idle connections have been let go."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while (more := descriptors(pid) - before) > 0 and time.monotonic() < deadline:
        time.sleep(1)  # there is no event for a connection that another process lets go
    return more


def slope(samples):
    """Kibibytes a minute, by least squares."""
    n = len(samples)
    mean_x, mean_y = sum(x for x, _ in samples) / n, sum(y for _, y in samples) / n
    return sum((x - mean_x) * (y - mean_y) for x, y in samples) / max(sum((x - mean_x) ** 2 for x, _ in samples), 1e-9)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as folder:
        soak = Soak(int(sys.argv[1]), Path(folder))
        try:
            is_good = soak.run()
        finally:
            soak.over.set()
            soak.close()
    sys.exit(0 if is_good else 1)
