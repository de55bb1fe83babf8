"""The real binaries, each in a folder of its own and on free ports."""
import http.client
import json
import os
import queue
import signal
import socket
import subprocess
import threading
import uuid
from pathlib import Path

import pytest

from .waiting import until
from .wire import Answer, Wire, trusting

CULVERTD = os.environ.get("CULVERTD", "culvertd")
CULVERT = os.environ.get("CULVERT", "culvert")
GENEROUS = {name: "100000" for name in (
    "CULVERT_LIMIT_TUNNEL_CREATES_PER_DAY", "CULVERT_LIMIT_SECRET_ROTATIONS_PER_DAY",
    "CULVERT_LIMIT_CSR_SIGNINGS_PER_DAY", "CULVERT_LIMIT_KEY_ROTATIONS_PER_15_MIN",
    "CULVERT_LIMIT_API_REQUESTS_PER_MIN", "CULVERT_LIMIT_AUTH_FAILURES_PER_MIN")}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def clean_environment():
    return {k: v for k, v in os.environ.items() if not k.startswith("CULVERT") and k != "SSL_CERT_FILE"}


def peak_kib(pid):
    """The most memory that the process ever had resident."""
    return int(next(l for l in open(f"/proc/{pid}/status") if l.startswith("VmHWM")).split()[1])


def resident_kib(pid):
    """The memory that the process has resident now."""
    return int(next(l for l in open(f"/proc/{pid}/status") if l.startswith("VmRSS")).split()[1])


class Tunnel:
    def __init__(self, answer):
        body = answer.json()
        self.secret, self.json = body["connect_secret"], body["tunnel"]
        self.id, self.name, self.host = self.json["id"], self.json["tunnel_name"], self.json["public_host"]


class Service:
    """A culvertd with its own data folder."""

    def __init__(self, folder, env=None, arguments=(), limits=GENEROUS):
        self.folder = Path(folder)
        self.data = self.folder / "data"
        self.log = self.folder / "culvertd.log"
        self.env = {**clean_environment(), **limits, **(env or {})}
        self.arguments = list(arguments)
        self.process, self.predecessors = None, []
        self.http_port, self.https_port = free_port(), free_port()

    def init(self):
        out = subprocess.run([CULVERTD, "init", "--data-dir", self.data, "--zone", "localhost", "--json"],
                             capture_output=True, text=True, timeout=60, env=self.env)
        assert out.returncode == 0, f"init exited {out.returncode}: {out.stdout}{out.stderr}"
        printed = json.loads(out.stdout)
        self.org, self.key, self.ca = printed["organization_id"], printed["api_key"], printed["ca_file"]
        return self

    def command(self):
        return [CULVERTD, "serve", "--data-dir", str(self.data), "--https", f"127.0.0.1:{self.https_port}",
                "--http", f"127.0.0.1:{self.http_port}", *self.arguments]

    def start(self):
        self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=self.log.open("ab"),
                                        stderr=subprocess.STDOUT, env=self.env)
        until("the service is ready", self._is_ready)
        return self

    def take_over(self):
        """Starts another process on the same directory and ports; returns the one before when the new one serves."""
        before, started = self.process, self._starts()
        self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=self.log.open("ab"),
                                        stderr=subprocess.STDOUT, env=self.env)
        until("the new process serves", lambda: self._starts() > started or self._must_live())
        self.predecessors.append(before)
        return before

    def _starts(self):
        return self.log.read_text(errors="replace").count(" service.started ")

    def _must_live(self):
        if self.process.poll() is not None:
            pytest.fail(f"serve ended with {self.process.returncode}:\n{self.tail()}")

    def _is_ready(self):
        if self.process.poll() is not None:
            pytest.fail(f"serve ended with {self.process.returncode}:\n{self.tail()}")
        try:
            return self.call("GET", "/readyz", key=None, timeout=2).status == 200
        except (OSError, http.client.HTTPException):
            return False

    @property
    def pid(self):
        return self.process.pid

    def tail(self):
        return self.log.read_text(errors="replace")[-4000:] if self.log.exists() else ""

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def stop(self):
        """Drains; the exit status must be 0."""
        if self.process and self.process.poll() is None:
            self.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                pytest.fail(f"the service did not end within 30 s of SIGTERM:\n{self.tail()}")
            assert self.process.returncode == 0, f"exit {self.process.returncode}:\n{self.tail()}"

    def kill(self):
        for process in [self.process, *self.predecessors]:
            if process and process.poll() is None:
                process.kill()
                process.wait()

    def call(self, method, path, body=None, key="mine", headers=None, timeout=20, raw=None):
        """One request to the API; `body` goes as JSON, `raw` as it is."""
        sent = dict(headers or {})
        if key:
            sent.setdefault("X-API-Key", self.key if key == "mine" else key)
        if body is not None:
            raw = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=timeout)
        try:
            connection.request(method, path, body=raw, headers=sent)
            r = connection.getresponse()
            return Answer(r.status, r.getheaders(), r.read())
        finally:
            connection.close()

    def tunnel(self, name=None, **members):
        answer = self.call("POST", "/api/v1/tunnels", {"tunnel_name": name or new_name(), **members})
        assert answer.status == 201, answer
        return Tunnel(answer)

    def tls(self, check_hostname=True, alpn=None):
        return trusting(self.ca, check_hostname, alpn)

    def plain(self, **options):
        return Wire(self.http_port, **options)

    def secure(self, sni, check_hostname=True, alpn=None, **options):
        return Wire(self.https_port, tls=self.tls(check_hostname, alpn), sni=sni, **options)

    def get(self, host, target="/", method="GET", headers=(), body=b"", timeout=20):
        """One request of a third party in plain text."""
        with self.plain(timeout=timeout) as wire:
            return wire.request(method, target, host, headers, body).response(method)


class Account:
    """A home folder in which the command line is logged in."""

    def __init__(self, folder, service, log_in=True):
        self.folder, self.service = Path(folder), service
        self.folder.mkdir(parents=True, exist_ok=True)
        self.key_file = self.folder / "api-key"
        self.key_file.write_text(service.key + "\n")
        self.key_file.chmod(0o600)
        home = str(self.folder)
        self.env = {**clean_environment(), "HOME": home, "XDG_CONFIG_HOME": home + "/config", "XDG_STATE_HOME": home + "/state",
                    "XDG_DATA_HOME": home + "/share", "XDG_RUNTIME_DIR": home + "/runtime"}
        if log_in:
            out = self.run("login", "--server", f"https://localhost:{service.https_port}", "--ca-file", service.ca,
                           "--api-key-file", str(self.key_file))
            assert out.returncode == 0, f"login exited {out.returncode}: {out.stdout}{out.stderr}"

    def run(self, *words, timeout=60, **options):
        return subprocess.run([CULVERT, *words], capture_output=True, text=True, timeout=timeout, env=self.env,
                              stdin=subprocess.DEVNULL, **options)

    def http(self, port, *words):
        return Agent(self, "http", str(port), *words)


class Agent:
    """A `culvert http …` or `culvert tls …` that runs."""

    def __init__(self, account, *words, before=()):
        """`before` is a command that runs it."""
        self.command = [*before, CULVERT, *words]
        self.log = account.folder / f"agent-{uuid.uuid4().hex[:8]}.log"
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=self.log.open("wb"), env=account.env, text=True)
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    @property
    def pid(self):
        return self.process.pid

    def url(self):
        try:
            line = self.lines.get(timeout=20)
        except queue.Empty:
            line = None
        if line is None:
            pytest.fail(f"the agent printed no URL (exit {self.process.poll()}):\n{self.tail()}")
        return line

    def tail(self):
        return self.log.read_text(errors="replace")[-4000:]

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
                pytest.fail(f"the agent did not end within 20 s of SIGTERM:\n{self.tail()}")


def new_name():
    return "e2e-" + uuid.uuid4().hex[:12]


class Route:
    """A tunnel that is up: agent, origin, and how a third party gets there."""

    def __init__(self, service, account, origin, name=None, words=()):
        self.service, self.account, self.origin, self.words = service, account, origin, list(words)
        self.name = name or new_name()
        self.host = f"{self.name}.localhost"
        self.up()

    def up(self):
        self.agent = self.account.http(self.origin.port, "--name", self.name, *self.words)
        self.url = self.agent.url()
        until(f"the agent is connected; its log: {self.agent.tail()}", lambda: self.is_connected)
        return self

    @property
    def is_connected(self):
        return self.service.get(self.host, "/ready").reason not in ("agent-offline", "no-such-tunnel")

    def get(self, target="/", **options):
        return self.service.get(self.host, target, **options)
