"""When the machine runs out of something: live tunnels go on, writes are refused with the reason, and it mends itself."""
import os
import re
import resource
import signal
import subprocess

import pytest

from support.processes import CULVERTD, Service, new_name
from support.waiting import until
from test_rest import problem

DISK_BYTES = 8 << 20
WANT_SECONDS = 1
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a file system of its own, of 8 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=0700", "tmpfs", folder], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"a file system of limited size cannot be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def service(small_disk):
    own = Service(small_disk)
    own.log = small_disk.parent / "culvertd.log"
    yield own.init().start()
    own.kill()


class Injection:
    """While it lasts, these system calls of the service fail with this error."""

    def __init__(self, service, calls, error):
        self.process = subprocess.Popen(
            ["strace", "-f", "-qq", "-e", f"trace={calls}", "-e", f"inject={calls}:error={error}", "-p", str(service.pid)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.service = service

    def __enter__(self):
        until("strace is attached", lambda: self.process.poll() is not None or self._is_traced())
        if self.process.poll() is not None:
            pytest.skip(f"this machine does not let strace attach: {self.process.stderr.read().strip()}")
        return self

    def _is_traced(self):
        tasks = os.listdir(f"/proc/{self.service.pid}/task")
        return all(re.search(r"TracerPid:\s*[1-9]", open(f"/proc/{self.service.pid}/task/{t}/status").read()) for t in tasks)

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(20)
        self.process.stderr.close()


def fill_disk(folder):
    """Takes every free byte, as another program would."""
    with open(folder / "ballast", "wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                pass


def create(service, name, key):
    return service.call("POST", "/api/v1/tunnels", {"tunnel_name": name, "description": "x" * 1000}, headers={"Idempotency-Key": key})


def create_until_refused(service, status):
    """Creates tunnels until the service refuses one; gives those acknowledged, and the refused one's name and answer."""
    made = {}
    while True:
        name = new_name()
        answer = create(service, name, name)
        if answer.status != 201:
            problem(answer, status)
            return made, name, answer
        made[name] = answer.body
        assert len(made) < 10_000, "the disk does not fill"


def names(service):
    return {t["tunnel_name"] for t in service.call("GET", "/api/v1/tunnels").json()["tunnels"]}


def check_file(service):
    """The store's file is whole, and the service ends and starts as always."""
    service.stop()
    verdict = subprocess.run(["sqlite3", service.data / "culvert.db", "PRAGMA integrity_check; PRAGMA foreign_key_check;"],
                             capture_output=True, text=True, timeout=60)
    assert verdict.stdout.strip() == "ok", verdict.stdout + verdict.stderr
    service.start()


def test_a_full_disk_stops_changes_and_nothing_else(service, small_disk, make_route):
    route = make_route(service)
    fill_disk(small_disk)
    made, name, refused = create_until_refused(service, 507)
    assert "full" in refused.json()["detail"]
    for _ in range(20):
        problem(create(service, name, name), 507)
    assert route.get("/on-a-full-disk").status == 200, "live tunnels go on"
    assert names(service) == {*made, route.name}, "what was acknowledged is there, what was refused is not"
    until("the service says that it is not ready", lambda: service.call("GET", "/readyz", key=None).status == 503)
    assert service.call("GET", "/healthz", key=None).status == 200

    (small_disk / "ballast").unlink()
    again = create(service, name, name)
    assert (again.status, again.header("idempotency-replayed")) == (201, None), "a refusal for want of room is not kept"
    until("the service is ready again", lambda: service.call("GET", "/readyz", key=None).status == 200)
    check_file(service)
    assert names(service) == {*made, name, route.name}
    for other, body in list(made.items())[:3]:
        assert create(service, other, other).body == body, "what was acknowledged before is given again"


def test_a_service_does_not_start_on_a_full_disk_and_says_so(service, small_disk):
    service.kill()
    fill_disk(small_disk)
    ended = subprocess.run(service.command(), capture_output=True, text=True, timeout=30, env=service.env)
    assert ended.returncode == 1 and "no room left" in ended.stderr, ended.stderr
    (small_disk / "ballast").unlink()
    service.start()


@pytest.mark.parametrize("calls, error, status", [
    ("pwrite64", "ENOSPC", 507), ("fdatasync", "EIO", 503), ("pwrite64", "EIO", 503),
    ("pwrite64", "EDQUOT", 507)])
def test_a_failing_disk_is_told_and_survived(make_service, make_route, calls, error, status):
    service = make_service()
    route = make_route(service)
    kept = new_name()
    before = create(service, kept, kept)
    assert before.status == 201
    with Injection(service, calls, error):
        refused = new_name()
        for _ in range(5):
            answer = create(service, refused, refused)
            assert answer.status in (503, 507), answer
            problem(answer, status)
        assert route.get("/on-a-failing-disk").status == 200
        assert service.call("GET", "/api/v1/tunnels").status == 200
    answer = create(service, refused, refused)
    assert (answer.status, answer.header("idempotency-replayed")) == (201, None)
    assert create(service, kept, kept).body == before.body
    check_file(service)
    assert names(service) == {kept, refused, route.name}


def test_a_log_that_takes_no_more_ends_nothing(make_service, make_route, small_disk):
    """Neither a full disk under it nor a reader that has gone."""
    service = make_service(start=False)
    service.log = small_disk / "culvertd.log"
    service.start()
    fill_disk(small_disk)
    route = make_route(service)  # an agent that connects is noted
    assert route.get("/unlogged").status == 200
    service.stop()

    reader, writer = os.pipe()
    process = subprocess.Popen(service.command(), stdin=subprocess.DEVNULL, stdout=writer, stderr=writer, env=service.env)
    os.close(writer)
    try:
        until("the service is ready", lambda: b"service.started" in os.read(reader, 65536))
        os.close(reader)
        until("the agent is back", lambda: route.get("/unread").status == 200)
        assert process.poll() is None
        process.terminate()
        assert process.wait(30) == 0
    finally:
        process.kill()


@pytest.mark.parametrize("words", [["openapi"], ["--help"], ["--version"]], ids=str)
def test_a_result_that_nobody_takes_is_told_by_the_exit_code(words):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as gone:
        ended = subprocess.run([CULVERTD, *words], stdout=gone, stderr=subprocess.PIPE, text=True, timeout=30)
    assert ended.returncode == 1 and ended.stderr.startswith("culvertd: ") and ended.stderr.count("\n") == 1, ended


def test_without_descriptors_the_service_waits_instead_of_spinning(make_service, make_route):
    service = make_service()
    route = make_route(service)
    with service.plain() as live:
        assert live.request("GET", "/before", route.host).response().status == 200
        old = resource.prlimit(service.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(service.pid, resource.RLIMIT_NOFILE, (3, old[1]))  # every new descriptor has a higher number
        waiting = [service.plain(timeout=WANT_SECONDS) for _ in range(8)]
        for wire in waiting:
            wire.request("GET", "/healthz", "127.0.0.1")
        spent = cpu_seconds(service)
        with pytest.raises(TimeoutError):
            waiting[0].line()
        spent = cpu_seconds(service) - spent
        assert spent < WANT_SECONDS / 2, f"{spent} s of processor time in {WANT_SECONDS} s of want"
        assert live.request("GET", "/in-want", route.host).response().status == 200, "live connections go on"
        resource.prlimit(service.pid, resource.RLIMIT_NOFILE, old)
        for wire in waiting:
            wire.sock.settimeout(20)
            assert wire.response().status == 200, "who waited is served"
            wire.close()
    assert route.get("/after").status == 200


def cpu_seconds(service):
    fields = open(f"/proc/{service.pid}/stat").read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND
