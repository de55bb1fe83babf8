#!/usr/bin/env python3
"""Measures topologies side by side, in interleaved rounds, and prints medians and the ratio of each to nginx."""
import argparse
import json
import os
import statistics
import sys
import time

import loads
import machine
import topologies

BASELINE = "nginx"
# part, key, what it is, digits, and the first target for Culvert's ratio: at most, or at least
ROWS = [(f"small{c}", k, f"{t}, {c} connection{'s' * (c > 1)}", d, None)
        for c in (1, 16, 64, 256) for k, t, d in (("rps", "requests/s", 0), ("p50", "p50 ms", 3), ("p99", "p99 ms", 2), ("cpu_10k", "CPU s per 10,000", 3))]
ROWS = [(p, k, t, d, ("<=", 1.2) if (p, k) == ("small64", "cpu_10k") else n) for p, k, t, d, n in ROWS] + [
    ("small64", "cpu_10k_edge", "  of it the edge", 3, None), ("small64", "cpu_10k_agent", "  of it the agent", 3, None),
    ("h2", "rps", "requests/s by HTTP/2", 0, None), ("h2", "cpu_10k", "CPU s per 10,000 by HTTP/2", 3, None),
    ("ws", "rps", "WebSocket round trips/s", 0, None), ("ws", "cpu_10k", "CPU s per 10,000 round trips", 3, None),
    ("down", "mbs", "down MB/s", 0, (">=", 0.9)), ("down", "cpu_gib", "CPU s per GiB down", 2, None),
    ("up", "mbs", "up MB/s", 0, (">=", 0.9)), ("up", "cpu_gib", "CPU s per GiB up", 2, None),
    ("stall", "ratio", "requests/s while 8 stall, of before", 2, None), ("stall", "p99", "p99 ms while 8 stall", 1, None),
    ("stall", "kib", "KiB per stalled client", 0, None),
    ("idle", "edge_mib", "edge MiB at rest", 1, None), ("idle", "agent_mib", "agent MiB at rest", 1, None),
    ("idle", "edge_kib", "edge KiB per idle client", 1, None), ("idle", "agent_kib", "agent KiB per idle client", 1, None)]
STALL_TARGET = 0.9


def measure(topology, origin, o):
    """One round of every load on one topology."""
    with loads.connect(topology) as sock:
        if loads.ask(sock, topology, "/hello") != topologies.GREETING:
            raise RuntimeError(f"{topology.name} does not carry the greeting unchanged")
    result = {"idle": loads.idle(topology, o.idle)}
    for c in o.connections:
        result[f"small{c}"] = loads.measured(topology, lambda: loads.small(topology, c, o.seconds))
    result["h2"] = loads.measured(topology, lambda: loads.multiplexed(topology, o.seconds))
    result["ws"] = loads.measured(topology, lambda: loads.echoes(topology, o.seconds))
    result["down"] = loads.measured(topology, lambda: loads.down(topology, o.bulk))
    result["up"] = loads.measured(topology, lambda: loads.up(topology, origin, o.bulk))
    result["stall"] = loads.stall(topology, o.seconds)
    return result


def median(rounds, part, key):
    values = [r[part][key] for r in rounds if key in r.get(part, {})]
    return statistics.median(values) if values else None


def report(results):
    names = list(results)
    print(f"\n{'':38}" + "".join(f"{n:>12}" for n in names) + "".join(f"{n + ' ×':>12}" for n in names if n != BASELINE) + "   target")
    missed = []
    for part, key, title, digits, target in ROWS:
        values = {n: median(results[n], part, key) for n in names}
        if all(v is None for v in values.values()):
            continue
        line = f"{title:38}" + "".join(f"{'-' if values[n] is None else format(values[n], f'.{digits}f'):>12}" for n in names)
        for n in names:
            if n == BASELINE:
                continue
            v, b = values[n], values.get(BASELINE)
            ratio = v / b if v is not None and b and abs(b) > 1e-9 else None
            line += f"{'-' if ratio is None else format(ratio, '.2f'):>12}"
            want = target
            if (part, key) == ("stall", "ratio"):
                want, ratio = (">=", STALL_TARGET), v
            if want and ratio is not None:
                met = ratio <= want[1] if want[0] == "<=" else ratio >= want[1]
                line += f"   {'≤' if want[0] == '<=' else '≥'} {want[1]} {'met' if met else 'MISSED'}"
                if not met:
                    missed.append(title)
        print(line)
    for n in names:
        failed = {p: int(sum(r[p].get("failed", 0) for r in results[n])) for p in results[n][0]} if results[n] else {}
        failed = {p: c for p, c in failed.items() if c}
        if failed or not results[n]:
            print(f"note: {n}: {'failed requests ' + json.dumps(failed) if results[n] else 'no round was finished'}")
    if "culvert" in names and BASELINE in names:
        print("first targets: " + ("all met" if not missed else "missed: " + "; ".join(missed)))


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--quick", action="store_true", help="one round of one-second loads")
    p.add_argument("--rounds", type=int, help="rounds, every topology once in each (3)")
    p.add_argument("--seconds", type=float, help="length of each timed load (2)")
    p.add_argument("--only", default=",".join(topologies.STARTERS), help="topologies (nginx,culvert)")
    p.add_argument("--connections", default=None, help="connection counts for small requests (1,16,64,256)")
    p.add_argument("--json", metavar="FILE", help="also write every sample there")
    o = p.parse_args()
    o.rounds = o.rounds or (1 if o.quick else 3)
    o.seconds = o.seconds or (1 if o.quick else 2)
    o.connections = [int(c) for c in (o.connections or ("1,64" if o.quick else "1,16,64,256")).split(",")]
    o.idle, o.bulk = (200, 1) if o.quick else (1000, 3)
    names, origin = o.only.split(","), topologies.start_origin()
    results = {n: [] for n in names}
    print(f"{os.cpu_count()} cores, {o.rounds} round(s) of {o.seconds:g} s loads, bodies of 13 bytes and 100 MiB, TLS on both hops", flush=True)
    try:
        for r in range(o.rounds):
            for name in names:
                began, busy = time.monotonic(), machine.busy_seconds()
                topology = topologies.STARTERS[name](origin)
                try:
                    results[name].append(measure(topology, origin, o))
                finally:
                    topology.stop()
                used = (machine.busy_seconds() - busy) / (time.monotonic() - began) / os.cpu_count()
                print(f"round {r + 1} {name}: {time.monotonic() - began:.0f} s, machine {used:.0%} busy", file=sys.stderr, flush=True)
                if o.json:
                    with open(o.json, "w") as f:
                        json.dump(results, f)
    finally:
        origin.stop()
    report(results)


if __name__ == "__main__":
    main()
