"""What the machine says of running processes: CPU, memory, children."""
import os
import socket
import time

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def _stat(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rpartition(")")[2].split()
    except OSError:
        return None


def family(pids):
    """The processes and everything that descends from them, alive now."""
    parents = {int(p): int(s[1]) for p in os.listdir("/proc") if p.isdigit() and (s := _stat(p))}
    found, grew = {p for p in pids if p in parents}, True
    while grew:
        more = {p for p, parent in parents.items() if parent in found} - found
        found |= more
        grew = bool(more)
    return found


def cpu_seconds(pids):
    """User and system time of the processes so far, all threads, children that live."""
    return sum(int(s[11]) + int(s[12]) for p in family(pids) if (s := _stat(p))) / TICKS_PER_SECOND


def memory_kib(pids, key="Rss"):
    """Resident memory; with key "Anonymous" heap and stacks only, which is what growth should be read from."""
    total = 0
    for pid in family(pids):
        try:
            with open(f"/proc/{pid}/smaps_rollup") as f:
                total += sum(int(line.split()[1]) for line in f if line.startswith(key + ":"))
        except OSError:
            pass
    return total


def busy_seconds():
    """CPU time that the whole machine has spent working."""
    with open("/proc/stat") as f:
        user, nice, system, _, _, irq, softirq = (int(x) for x in f.readline().split()[1:8])
    return (user + nice + system + irq + softirq) / TICKS_PER_SECOND


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for_port(port, seconds=15):
    end = time.monotonic() + seconds
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > end:
                raise RuntimeError(f"nothing listens on 127.0.0.1:{port}") from None
            time.sleep(0.02)  # between two tries; another process's listen has no event here
