"""The control plane with many tunnels stored: what a request costs at a steady rate, how long a start takes, and list pages.

Figures, not a test: nothing here passes or fails. The store is filled by SQL with copies of one tunnel that the API has made.
"""
import argparse
import http.client
import json
import os
import signal
import sqlite3
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from machine import cpu_seconds, free_port, memory_kib

CULVERTD = Path(os.environ["CULVERT_BIN"]) / "culvertd" if "CULVERT_BIN" in os.environ else "culvertd"
TARGETS = {"p99_ms": 5, "start_s": 2}


class Service:
    def __init__(self, folder):
        self.data, self.port = Path(folder) / "data", free_port()
        out = subprocess.run([CULVERTD, "init", "--data-dir", self.data, "--zone", "localhost", "--json"], capture_output=True, text=True, check=True)
        self.key = json.loads(out.stdout)["api_key"]
        self.log = open(Path(folder) / "log", "ab")

    def start(self):
        """Starts it and gives the seconds until it was ready."""
        begun = time.monotonic()
        # What is measured is the cost of requests; by default one address may send 100 a second.
        limit = ["--limit-api-requests-per-min", "1000000000"]
        self.process = subprocess.Popen([CULVERTD, "serve", "--data-dir", self.data, "--http", f"127.0.0.1:{self.port}", *limit],
                                        stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        while True:
            try:
                if self.call("GET", "/readyz")[0] == 200:
                    return time.monotonic() - begun
            except OSError:
                if self.process.poll() is not None:
                    raise RuntimeError(Path(self.log.name).read_text()) from None
            time.sleep(0.002)  # between two tries; another process's listen has no event here

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    def call(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body and json.dumps(body), {"X-API-Key": self.key})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def fill(self, count):
        """Copies the newest tunnel until so many are stored; each copy is a microsecond older. The service must not run."""
        with sqlite3.connect(self.data / "culvert.db") as store:
            columns = [row[1] for row in store.execute("PRAGMA table_info(tunnels)")]
            stored = store.execute("SELECT count(*) FROM tunnels").fetchone()[0]
            new = {"id": "lower(printf('%08x-0000-4000-8000-%012x', n, n))", "name": "'bench-' || n", "created_at": "created_at - n",
                   "updated_at": "created_at - n", "connect_secret_hash": "randomblob(length(connect_secret_hash))"}
            picked = ", ".join(new.get(column, column) for column in columns)
            store.execute(f"""
                INSERT INTO tunnels ({", ".join(columns)})
                WITH RECURSIVE numbers (n) AS (SELECT {stored} UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < {count})
                SELECT {picked} FROM numbers, (SELECT * FROM tunnels ORDER BY created_at DESC LIMIT 1)""")
        store.close()


def reading_one(service, tunnel, rate, seconds):
    """Latencies in ms of GET /tunnels/{id} at a steady rate, over ten connections."""
    with tempfile.NamedTemporaryFile("r") as log:
        cpu = cpu_seconds([service.process.pid])
        subprocess.run(["h2load", "--h1", "-c", "10", "-t", "1", "--rps", str(rate / 10), "-D", str(seconds), f"--log-file={log.name}",
                        "-H", f"X-API-Key: {service.key}", f"http://127.0.0.1:{service.port}/api/v1/tunnels/{tunnel}"],
                       check=True, capture_output=True)
        cpu = cpu_seconds([service.process.pid]) - cpu
        lines = [line.split("\t") for line in log.read().splitlines()]
    bad = [status for _, status, _ in lines if status != "200"]
    times = sorted(int(microseconds) / 1000 for _, _, microseconds in lines)
    share = lambda part: times[min(len(times) - 1, int(len(times) * part))]
    return {"requests": len(times), "not_200": len(bad), "p50_ms": share(0.5), "p99_ms": share(0.99), "p999_ms": share(0.999),
            "cpu_s_per_10000": cpu / len(times) * 10_000}


def page(service, path, count):
    """The median time in ms of one page of 50, on a connection that stays."""
    connection, times = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60), []
    for _ in range(count):
        begun = time.monotonic()
        connection.request("GET", path, headers={"X-API-Key": service.key})
        answer = connection.getresponse()
        body = answer.read()
        times.append((time.monotonic() - begun) * 1000)
        assert answer.status == 200 and len(json.loads(body)["tunnels"]) == 50, body
    connection.close()
    return statistics.median(times)


def pages(service, turns):
    """The first page, one from the middle of the table, and the last one."""
    found = {"first_page_ms": page(service, "/api/v1/tunnels?limit=50", turns)}
    with sqlite3.connect(f"file:{service.data / 'culvert.db'}?mode=ro", uri=True) as store:
        count = store.execute("SELECT count(*) FROM tunnels").fetchone()[0]
        for name, offset in (("middle_page_ms", count // 2), ("last_page_ms", count - 51)):
            row = store.execute("SELECT created_at, id FROM tunnels ORDER BY created_at DESC, id DESC LIMIT 1 OFFSET ?", (offset,)).fetchone()
            found[name] = page(service, f"/api/v1/tunnels?limit=50&cursor={row[0]}~{row[1]}", turns)
    store.close()
    return found


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="a tenth of the tunnels and of the time")
    options.add_argument("--rate", type=int, default=1000, help="requests per second (default 1000)")
    options.add_argument("--seconds", type=int, default=20, help="how long to keep the rate (default 20)")
    options.add_argument("--starts", type=int, default=5, help="how often to start (default 5)")
    options.add_argument("--json", help="write the figures to this file")
    given = options.parse_args()
    few, many, seconds = (1_000, 10_000, 2) if given.quick else (10_000, 100_000, given.seconds)
    figures = {"machine": {"cores": os.cpu_count(), "load": os.getloadavg()[0]}}
    with tempfile.TemporaryDirectory() as folder:
        service = Service(folder)
        service.start()
        status, body = service.call("POST", "/api/v1/tunnels", {"tunnel_name": "bench-first", "description": "a tunnel like others"})
        assert status == 201, body
        tunnel = json.loads(body)["tunnel"]["id"]
        for count in (few, many):
            service.stop()
            service.fill(count)
            starts, work = [], []
            for turn in range(given.starts):
                if turn:
                    service.stop()
                starts.append(service.start())
                work.append(cpu_seconds([service.process.pid]))
            figures[f"{count} tunnels"] = {
                "start_s": statistics.median(starts), "start_s_max": max(starts), "start_cpu_s": statistics.median(work),
                "rss_mib": memory_kib([service.process.pid]) / 1024,
                **reading_one(service, tunnel, given.rate, seconds), **pages(service, 20 if given.quick else 100)}
        service.stop()
    print(f"machine: {figures['machine']['cores']} cores, load {figures['machine']['load']:.1f}; targets at {few} and {many}: "
          f"p99 < {TARGETS['p99_ms']} ms, start < {TARGETS['start_s']} s")
    rows = list(figures[f"{few} tunnels"])
    print(f"| figure | {few} tunnels | {many} tunnels |\n|---|---|---|")
    for row in rows:
        print(f"| {row} | " + " | ".join(f"{figures[f'{count} tunnels'][row]:.3g}" for count in (few, many)) + " |")
    if given.json:
        Path(given.json).write_text(json.dumps(figures, indent=2) + "\n")


main()
