"""The published Inkbox SDKs, each as an agent in a process of its own."""
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from .processes import clean_environment, new_name

SCRIPT = Path(__file__).parent / "sdk_agent.py"
PYTHONS = {"0.7.20": sys.executable, "0.3.0": os.environ.get("INKBOX_OLDER_PYTHON")}
VERSIONS = list(PYTHONS)
START_SECONDS_MAX = 40


class Sdk:
    """An SDK's agent that runs; it makes its tunnel if there is none of the name."""

    def __init__(self, service, folder, version, target, name=None, tls_mode="edge", key=None):
        if PYTHONS[version] is None:
            pytest.fail("INKBOX_OLDER_PYTHON names no Python with inkbox 0.3.0; Tests/run makes one")
        self.service, self.folder, self.version, self.target, self.tls_mode = service, Path(folder), version, target, tls_mode
        self.folder.mkdir(parents=True, exist_ok=True)
        self.name = name or new_name()
        self.host = f"{self.name}.localhost"
        self.log = self.folder / "sdk.log"
        if not name:
            self._provision()
        self._start(key or service.key)
        self.wait("status connected")

    def _provision(self):
        """What 0.3.0 does by itself, and 0.7.20 expects to be done."""
        if self.version == "0.7.20":
            made = self.service.call("POST", "/api/v1/identities", {"agent_handle": self.name, "tunnel": {"tls_mode": self.tls_mode}})
            assert made.status == 201, made

    def _start(self, key):
        self.process = subprocess.Popen(
            [PYTHONS[self.version], str(SCRIPT), self.name, self.target, str(self.folder / "state"), self.tls_mode],
            stdout=subprocess.PIPE, stderr=self.log.open("ab"), stdin=subprocess.DEVNULL, text=True,
            env={**clean_environment(), "API_KEY": key, "API_URL": f"http://127.0.0.1:{self.service.http_port}",
                 "EDGE_PORT": str(self.service.https_port), "SSL_CERT_FILE": str(self.service.ca), "HOME": str(self.folder)})
        self.lines = queue.Queue()
        threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True).start()

    def _read(self, output):
        for line in output:
            self.lines.put(line.strip())
        self.lines.put(None)

    def wait(self, beginning, seconds=START_SECONDS_MAX):
        """The next line that begins so; what comes before it is passed over."""
        passed = []
        while True:
            try:
                line = self.lines.get(timeout=seconds)
            except queue.Empty:
                line = None
            if line is None:
                pytest.fail(f"the SDK did not say {beginning!r}, only {passed} (exit {self.process.poll()}):\n{self.tail()}")
            if line.startswith(beginning):
                return line
            passed.append(line)

    def tail(self):
        return self.log.read_text(errors="replace")[-4000:]

    @property
    def tunnel_id(self):
        tunnels = self.service.call("GET", "/api/v1/tunnels?limit=200").json()["tunnels"]
        return next(t["id"] for t in tunnels if t["tunnel_name"] == self.name)

    def kill(self):
        self.process.kill()
        self.process.wait()
