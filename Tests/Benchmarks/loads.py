"""The loads. Each returns what the clients saw; `measured` adds the CPU of edge and agent."""
import re
import socket
import ssl
import subprocess
import time

import machine
import websockets
from topologies import BULK_BYTES, GREETING

UNVERIFIED = ssl._create_unverified_context()


def measured(topology, load):
    """Runs the load; adds cpu seconds of edge and agent, per 10,000 requests and per GiB where those are known."""
    before = {role: machine.cpu_seconds(pids) for role, pids in topology.roles.items()}
    result = load()
    used = {role: machine.cpu_seconds(pids) - before[role] for role, pids in topology.roles.items()}
    result["cpu"] = sum(used.values())
    if result.get("count"):
        result["cpu_10k"] = result["cpu"] / result["count"] * 10_000
        for role, seconds in used.items():
            result[f"cpu_10k_{role}"] = seconds / result["count"] * 10_000
    if result.get("bytes"):
        result["cpu_gib"] = result["cpu"] / result["bytes"] * (1 << 30)
    return result


def _number(pattern, text, default=0.0):
    m = re.search(pattern, text)
    return float(m.group(1)) if m else default


def _milliseconds(percent, text):
    m = re.search(rf"^\s+{percent}%\s+([\d.]+)(us|ms|s)\b", text, re.M)
    return float(m.group(1)) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[m.group(2)] if m else 0.0


def small(topology, connections, seconds, path="/hello"):
    """GETs of 13 bytes over connections that stay open, by wrk with one thread."""
    text = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency", "--timeout", "10s", topology.url + path],
                          capture_output=True, text=True, timeout=seconds + 60).stdout
    failed = _number(r"Non-2xx or 3xx responses: (\d+)", text)
    for word in re.findall(r"(?:connect|read|write|timeout) (\d+)", text):
        failed += int(word)
    return {"count": _number(r"(\d+) requests in", text), "rps": _number(r"Requests/sec:\s+([\d.]+)", text),
            "p50": _milliseconds(50, text), "p99": _milliseconds(99, text), "failed": failed}


def multiplexed(topology, seconds):
    """The same by HTTP/2: h2load, 4 connections of 25 streams."""
    text = subprocess.run(["h2load", "-t1", "-c4", "-m25", "-D", f"{seconds:g}", topology.url + "/hello"],
                          capture_output=True, text=True, timeout=seconds + 60).stdout
    done = _number(r"(\d+) succeeded", text)
    return {"count": done, "rps": _number(r"([\d.]+) req/s", text), "failed": _number(r"(\d+) failed", text)}


def echoes(topology, seconds):
    """Round trips of 32 bytes over 16 WebSockets. The client is no match for edge and agent: their CPU is what counts."""
    return websockets.round_trips(connect, topology, 16, seconds)


def _curl(topology, times, *words):
    out = subprocess.run(["curl", "-s", "-k", "--http1.1", "--fail", "-w", "%{time_total} %{size_download} %{size_upload}\n", *words],
                         capture_output=True, text=True, timeout=240)
    rows = [line.split() for line in out.stdout.splitlines() if re.fullmatch(r"[\d.]+ \d+ \d+", line)]
    moved = sum(max(int(r[1]), int(r[2])) for r in rows)
    took = sum(float(r[0]) for r in rows)
    whole = out.returncode == 0 and moved == times * BULK_BYTES
    return {"mbs": moved / took / 1e6 if whole else 0.0, "bytes": moved, "failed": 0 if whole else 1}


def down(topology, times):
    """100 MiB, again and again on one connection."""
    return _curl(topology, times, *["-o", "/dev/null"] * times, *[topology.url + "/bulk"] * times)


def up(topology, origin, times):
    """The same the other way; the origin's copies must have their full size."""
    names = [f"/put/{topology.name}-{i}" for i in range(times)]
    words = [w for n in names for w in ("-T", str(origin.data / "bulk"), topology.url + n)]
    result = _curl(topology, times, "-H", "Expect:", *["-o", "/dev/null"] * times, *words)
    for name in names:
        path = origin.data / name[1:]
        if not path.exists() or path.stat().st_size != BULK_BYTES:
            result.update(mbs=0.0, failed=1)
        path.unlink(missing_ok=True)
    return result


def connect(topology):
    raw = socket.create_connection(("127.0.0.1", topology.port), 10)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return UNVERIFIED.wrap_socket(raw, server_hostname=topology.host)


def ask(sock, topology, path):
    """One GET on an open connection; the body, which must have a length."""
    sock.sendall(f"GET {path} HTTP/1.1\r\nHost: {topology.host}\r\n\r\n".encode())
    data = b""
    while b"\r\n\r\n" not in data:
        more = sock.recv(65536)
        if not more:
            raise OSError("closed")
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(re.search(rb"(?i)\ncontent-length: *(\d+)", head).group(1))
    while len(body) < length:
        body += sock.recv(65536)
    return body


def stall(topology, seconds):
    """Eight clients ask for 100 MiB and read nothing; what do small requests get meanwhile, compared with before?"""
    before = small(topology, 16, seconds)
    memory, stalled = machine.memory_kib(topology.pids, "Anonymous"), []
    for _ in range(8):
        sock = connect(topology)
        sock.sendall(f"GET /bulk HTTP/1.1\r\nHost: {topology.host}\r\n\r\n".encode())
        stalled.append(sock)
    time.sleep(1.5)  # let every buffer on the way fill
    grown = machine.memory_kib(topology.pids, "Anonymous") - memory
    meanwhile = small(topology, 16, seconds)
    for sock in stalled:
        sock.close()
    return {"ratio": meanwhile["rps"] / before["rps"] if before["rps"] else 0.0, "p99": meanwhile["p99"],
            "kib": grown / 8, "failed": meanwhile["failed"]}


def idle(topology, clients):
    """Memory at rest, and what one more client costs that keeps its connection open after one request."""
    with connect(topology) as sock:
        for _ in range(50):
            ask(sock, topology, "/hello")
    time.sleep(0.3)  # a measurement at rest: nothing tells when the processes have settled
    rss = {role: machine.memory_kib(pids) for role, pids in topology.roles.items()}
    before = {role: machine.memory_kib(pids, "Anonymous") for role, pids in topology.roles.items()}
    open_, failed = [], 0
    for _ in range(clients):
        try:
            sock = connect(topology)
            open_.append(sock)
            failed += ask(sock, topology, "/hello") != GREETING
        except OSError:
            failed += 1
    time.sleep(0.5)  # as above, with the idle clients connected
    after = {role: machine.memory_kib(pids, "Anonymous") for role, pids in topology.roles.items()}
    for sock in open_:
        sock.close()
    return {"edge_mib": rss["edge"] / 1024, "agent_mib": rss["agent"] / 1024, "failed": failed,
            "edge_kib": (after["edge"] - before["edge"]) / clients, "agent_kib": (after["agent"] - before["agent"]) / clients}
