"""culvert-hook in a folder of its own, and the signatures of its senders, made by others' code."""
import hashlib
import hmac
import http.client
import json
import os
import subprocess
import time
import uuid
from pathlib import Path

from .processes import CULVERTD, clean_environment, free_port
from .waiting import until

CULVERT_HOOK = os.environ.get("CULVERT_HOOK") or str(Path(CULVERTD).parent / "culvert-hook")
GITHUB_SECRET = "github-secret"


class Hook:
    """A listener: its configuration, its inbox, and the commands that ask about it."""

    def __init__(self, folder, routes, env=None, words=(), listen=True, **members):
        self.folder = Path(folder)
        self.port = free_port()
        self.file = self.folder / "hooks.json"
        self.log = self.folder / "hook.log"
        self.env = {**clean_environment(), **(env or {})}
        self.words = list(words)
        self.process = None
        self.config = {"data": str(self.folder / "data"), "routes": routes, **members}
        if listen:
            self.config["listen"] = [f"127.0.0.1:{self.port}"]
        self.write()

    def write(self):
        self.file.write_text(json.dumps(self.config, indent=1))

    def start(self, wait=True):
        before = len(self.notes("hook.started"))
        self.process = subprocess.Popen([CULVERT_HOOK, "serve", str(self.file), *self.words], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=self.log.open("ab"), env=self.env)
        if wait:
            until(f"the listener is up; its log: {self.tail()}", lambda: len(self.notes("hook.started")) > before)
        return self

    def request(self, method, target, body=None, headers=None, timeout=30):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, target, body=body, headers=headers or {})
            answer = connection.getresponse()
            answer.text = answer.read().decode()
            return answer
        finally:
            connection.close()

    def post(self, target, body, headers=None, **options):
        return self.request("POST", target, body, headers, **options)

    def notes(self, event=None):
        """The log's lines, or those of one kind."""
        lines = [json.loads(l) for l in self.tail(None).splitlines() if l.startswith("{") and l.endswith("}")]
        return [l for l in lines if event is None or l["event"] == event]

    def tail(self, count=4000):
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return text if count is None else text[-count:]

    def command(self, *words, **options):
        return subprocess.run([CULVERT_HOOK, *words], capture_output=True, text=True, timeout=60, env=self.env,
                              stdin=subprocess.DEVNULL, **options)

    def ask(self, *words):
        """The answer of a history command, as values."""
        out = self.command(*words, "--data", self.config["data"], "--json")
        assert out.returncode == 0, f"{words}: exit {out.returncode}: {out.stderr}"
        return [json.loads(l) for l in out.stdout.splitlines()]

    def runs(self, state=None):
        return self.ask("runs", "list", "--limit", "100000", *(["--state", state] if state else []))

    def settled(self, seconds=60):
        """Waits until no run waits or is under way, and gives all of them."""
        end = time.monotonic() + seconds
        while True:
            runs = self.runs()
            if runs and all(r["state"] not in ("waiting", "running") for r in runs):
                return runs
            assert time.monotonic() < end, f"runs do not end: {self.tail()}"
            time.sleep(0.05)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)
        return self.process.returncode


def github(body, secret=GITHUB_SECRET, delivery=None, event="push"):
    """The fields that GitHub sends (docs.github.com, "Webhook events and payloads")."""
    return {"content-type": "application/json", "x-github-event": event,
            "x-github-delivery": delivery or str(uuid.uuid4()),
            "x-hub-signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def github_route(action, **members):
    return {"name": "github", "path": "/github", "action": action,
            "verify": {"kind": "github", "secrets": [{"value": GITHUB_SECRET}]}, **members}


def script(folder, text, name="action"):
    path = Path(folder) / name
    path.write_text(text)
    path.chmod(0o755)
    return str(path)
