#!/usr/bin/env python3
"""How many verified, committed webhooks a second culvert-hook takes, beside the disk's own rate and Debian's `webhook`.

    Tests/Benchmarks/hooks.py [PATH-OF-CULVERT-HOOK]     needs h2load (nghttp2-client); webhook is measured when it is installed

Each run posts the same GitHub-signed body from some connections with h2load. What is printed is measured, never a pass criterion.
`webhook` stores nothing: it starts the command and answers.
"""
import hashlib
import hmac
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

SECRET, BODY = "benchmark", json.dumps({"ref": "refs/heads/main", "filler": "x" * 900}).encode()
SIGNATURE = "sha256=" + hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()
REQUESTS, CONNECTIONS = int(os.environ.get("REQUESTS", "20000")), 64


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port):
    end = time.monotonic() + 20
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < end, "it does not listen"
            time.sleep(0.02)  # between two looks; the listener of another process has no event here


def fdatasync_rate(folder, seconds=3):
    """Appends of 4 KiB, each on the disk before the next: one commit after another can be no faster."""
    block, count = b"x" * 4096, 0
    with open(folder / "probe", "wb", buffering=0) as file:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            file.write(block)
            os.fdatasync(file.fileno())
            count += 1
    return count / seconds


def load(port, path, folder, connections, requests):
    body = folder / "body"
    body.write_bytes(BODY)
    out = subprocess.run(["h2load", "--h1", "-n", str(requests), "-c", str(connections), "-t", "1", "-d", str(body),
                          "-H", "content-type: application/json", "-H", "x-github-event: push", "-H", f"x-hub-signature-256: {SIGNATURE}",
                          f"http://127.0.0.1:{port}{path}"], capture_output=True, text=True, timeout=600).stdout
    rate = float(re.search(r"finished in [^,]*, ([0-9.]+) req/s", out)[1])
    good = int(re.search(r"status codes: (\d+) 2xx", out)[1])
    mean = re.search(r"time for request: +\S+ +\S+ +(\S+)", out)[1]
    return rate, good, mean


def metric(port, name):
    text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read().decode()
    return sum(int(l.split()[-1]) for l in text.splitlines() if l.startswith(name))


def culvert_hook(binary, folder, title, route, connections, requests):
    data = folder / f"data-{time.monotonic_ns()}"
    port = free_port()
    config = {"listen": [f"127.0.0.1:{port}"], "data": str(data), "limits": {"events": 1000000},
              "routes": [{"name": "r", "path": "/r", "verify": {"kind": "github", "secrets": [{"value": SECRET}]}, **route}]}
    file = folder / "hooks.json"
    file.write_text(json.dumps(config))
    process = subprocess.Popen([binary, "serve", str(file)], stderr=(folder / "log").open("wb"))
    try:
        wait_for(port)
        load(port, "/r", folder, connections, min(requests, 500))
        before = metric(port, "culvert_hook_commits_total")
        rate, good, mean = load(port, "/r", folder, connections, requests)
        commits = metric(port, "culvert_hook_commits_total") - before
        print(f"{title:44} {rate:9.0f}/s  {good}/{requests} taken, mean {mean}, {commits} commits, {requests / max(1, commits):.1f} events each",
              flush=True)
        return rate
    finally:
        process.kill()
        process.wait()


def webhook(folder, connections, requests):
    if not shutil.which("webhook"):
        return print("webhook (adnanh): not installed, not measured")
    port = free_port()
    rule = {"match": {"type": "payload-hmac-sha256", "secret": SECRET, "parameter": {"source": "header", "name": "X-Hub-Signature-256"}}}
    (folder / "webhook.json").write_text(json.dumps([{"id": "r", "execute-command": "/bin/true", "trigger-rule": rule}]))
    process = subprocess.Popen(["webhook", "-hooks", str(folder / "webhook.json"), "-ip", "127.0.0.1", "-port", str(port)],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        load(port, "/hooks/r", folder, connections, min(requests, 500))
        rate, good, mean = load(port, "/hooks/r", folder, connections, requests)
        print(f"{'webhook, stores nothing, starts /bin/true':44} {rate:9.0f}/s  {good}/{requests} taken, mean {mean}", flush=True)
    finally:
        process.kill()
        process.wait()


def main():
    binary = sys.argv[1] if len(sys.argv) > 1 else str(pathlib.Path(__file__).parents[2] / ".build/release/culvert-hook")
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCHMARK_DIR")) as name:
        folder = pathlib.Path(name)
        print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; body {len(BODY)} bytes; {REQUESTS} requests")
        sync = fdatasync_rate(folder)
        print(f"{'the disk: fdatasync after each 4 KiB':44} {sync:9.0f}/s", flush=True)
        true = {"action": {"exec": ["/bin/true"]}}
        ignored = {**true, "when": {"header": "x-github-event", "equals": "none"}}
        alone = culvert_hook(binary, folder, "culvert-hook, one at a time, event only", ignored, 1, max(200, REQUESTS // 20))
        many = culvert_hook(binary, folder, f"culvert-hook, {CONNECTIONS} at a time, event only", ignored, CONNECTIONS, REQUESTS)
        busy = culvert_hook(binary, folder, f"culvert-hook, {CONNECTIONS} at a time, and runs /bin/true", true, CONNECTIONS, REQUESTS // 4)
        webhook(folder, CONNECTIONS, REQUESTS // 4)
        print(f"group commit: {many / alone:.1f} times one at a time; {many / sync:.2f} times the disk's rate; with runs {busy / sync:.2f} times")


main()
