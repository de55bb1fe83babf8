"""TLS passthrough beside nginx with `ssl_preread`, idle third parties and agents, and a download beside small requests.

Figures, not a test: nothing here passes or fails. Topologies are measured in interleaved rounds of one run; medians count.
"""
import argparse
import json
import os
import statistics
import sys
import threading
import time

import agents
import loads
import machine
import topologies

SECONDS_BEFORE_SMALL = 0.5
# topology's kind, part, key, what it is, digits
ROWS = [
    ("passthrough", "down", "mbs", "passthrough, down MB/s", 0), ("passthrough", "down", "cpu_gib", "  CPU s per GiB", 2),
    ("passthrough", "up", "mbs", "passthrough, up MB/s", 0), ("passthrough", "up", "cpu_gib", "  CPU s per GiB", 2),
    ("passthrough", "handshakes", "rps", "passthrough, TLS handshakes/s", 0), ("passthrough", "handshakes", "cpu_10k", "  CPU s per 10,000", 2),
    ("edge", "handshakes", "rps", "TLS handshakes/s at the edge", 0), ("edge", "handshakes", "cpu_10k", "  CPU s per 10,000", 2),
    ("edge", "alone", "p50", "small requests alone, p50 ms", 3), ("edge", "alone", "p99", "  p99 ms", 2),
    ("edge", "beside", "p50", "beside one download, p50 ms", 3), ("edge", "beside", "p99", "  p99 ms", 2),
    ("edge", "beside", "mbs", "  the download meanwhile, MB/s", 0),
    ("edge", "idle", "edge_mib", "edge MiB at rest", 1), ("edge", "idle", "edge_kib", "  KiB per idle third party", 1),
    ("agents", "agents", "kib", "  KiB per idle agent", 1)]


def handshakes(topology, seconds):
    """New connections with full handshakes, one request on each, by eight threads."""
    end, counts = time.monotonic() + seconds, [0] * 8
    failures = []

    def run(slot):
        while time.monotonic() < end:
            try:
                with loads.connect(topology) as sock:
                    loads.ask(sock, topology, "/hello")
                counts[slot] += 1
            except OSError as e:
                failures.append(e)
    threads = [threading.Thread(target=run, args=(slot,)) for slot in range(len(counts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"count": sum(counts), "rps": sum(counts) / seconds, "failed": len(failures)}


def beside(topology, connections, seconds):
    """Small requests while one client downloads as fast as it can."""
    stop, moved = threading.Event(), [0]

    def download():
        buffer = bytearray(1 << 18)
        with loads.connect(topology) as sock:
            while not stop.is_set():
                sock.sendall(f"GET /bulk HTTP/1.1\r\nHost: {topology.host}\r\n\r\n".encode())
                left = topologies.BULK_BYTES
                while left > 0 and not stop.is_set():
                    count = sock.recv_into(buffer)
                    if not count:
                        return
                    moved[0] += count
                    left -= count
    thread = threading.Thread(target=download)
    thread.start()
    time.sleep(SECONDS_BEFORE_SMALL)  # until its windows have grown; nothing tells when
    before = moved[0]
    result = loads.small(topology, connections, seconds)
    result["mbs"] = (moved[0] - before) / seconds / 1e6
    stop.set()
    thread.join()
    return result


def idle_agents(topology, count):
    """What one more connected agent with its parked intakes costs the edge."""
    state = topology.folder / "culvert"
    credentials = agents.create_tunnels((state / "http").read_text().strip(), (state / "key").read_text().strip(), count)
    time.sleep(0.3)  # a measurement at rest, as in loads.idle
    before = machine.memory_kib(topology.roles["edge"], "Anonymous")
    after, failed = agents.stay(topology.port, credentials, lambda: machine.memory_kib(topology.roles["edge"], "Anonymous"))
    return {"kib": (after - before) / count, "failed": failed}


def measure_passthrough(topology, origin, o):
    return {"handshakes": loads.measured(topology, lambda: handshakes(topology, o.seconds)),
            "down": loads.measured(topology, lambda: loads.down(topology, o.bulk)),
            "up": loads.measured(topology, lambda: loads.up(topology, origin, o.bulk))}


def measure_edge(topology, origin, o):
    return {"idle": loads.idle(topology, o.idle), "handshakes": loads.measured(topology, lambda: handshakes(topology, o.seconds)),
            "alone": loads.small(topology, 4, o.seconds), "beside": beside(topology, 4, o.seconds)}


def measure_agents(topology, origin, o):
    """On a service of its own: one that had clients would give their memory to the agents."""
    return {"agents": idle_agents(topology, o.agents)}


KINDS = {"edge": ({"nginx": topologies.start_nginx, "culvert": topologies.start_culvert}, measure_edge),
         "passthrough": ({"nginx": topologies.start_nginx_passthrough, "culvert": topologies.start_culvert_passthrough}, measure_passthrough),
         "agents": ({"culvert": topologies.start_culvert}, measure_agents)}


def report(results):
    print(f"\n{'':40}{'nginx':>12}{'culvert':>12}{'ratio':>8}")
    for kind, part, key, title, digits in ROWS:
        values = []
        for name in ("nginx", "culvert"):
            found = [r[part][key] for r in results.get((kind, name), []) if key in r.get(part, {})]
            values.append(statistics.median(found) if found else None)
        if values == [None, None]:
            continue
        ratio = f"{values[1] / values[0]:8.2f}" if all(values) else f"{'-':>8}"
        print(f"{title:40}" + "".join(f"{'-' if v is None else format(v, f'.{digits}f'):>12}" for v in values) + ratio)
    for (kind, name), rounds in results.items():
        failed = {part: int(sum(r[part].get("failed", 0) for r in rounds)) for part in rounds[0]}
        if any(failed.values()):
            print(f"note: {name}, {kind}: failed {json.dumps(failed)}")


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--quick", action="store_true", help="one round of one-second loads, a tenth of the connections and agents")
    p.add_argument("--rounds", type=int, help="rounds, every topology once in each (3)")
    p.add_argument("--seconds", type=float, help="length of each timed load (2)")
    p.add_argument("--kinds", default=",".join(KINDS), help=f"what to measure ({','.join(KINDS)})")
    p.add_argument("--idle", type=int, help="idle third parties (10,000)")
    p.add_argument("--agents", type=int, help="idle agents (2,000)")
    o = p.parse_args()
    o.rounds = o.rounds or (1 if o.quick else 3)
    o.seconds = o.seconds or (1 if o.quick else 2)
    o.bulk = 1 if o.quick else 3
    o.idle = o.idle or (1_000 if o.quick else 10_000)
    o.agents = o.agents or (200 if o.quick else 2_000)
    os.environ["CULVERT_LIMIT_CONNECTIONS_PER_TUNNEL"] = "20000"
    origin, results = topologies.start_origin(), {}
    print(f"{os.cpu_count()} cores, {o.rounds} round(s) of {o.seconds:g} s loads, {o.idle:,} idle third parties, "
          f"{o.agents:,} idle agents of {agents.INTAKES} intakes", flush=True)
    try:
        for turn in range(o.rounds):
            for kind in o.kinds.split(","):
                starters, measure = KINDS[kind]
                for name, start in starters.items():
                    began = time.monotonic()
                    topology = start(origin)
                    try:
                        results.setdefault((kind, name), []).append(measure(topology, origin, o))
                    finally:
                        topology.stop()
                    print(f"round {turn + 1} {kind} {name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    finally:
        origin.stop()
    report(results)


if __name__ == "__main__":
    main()
