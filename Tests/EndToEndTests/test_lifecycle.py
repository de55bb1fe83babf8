"""How the service ends, and what is there when it begins again."""
import json
import os
import shutil
import signal
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.processes import CULVERTD, new_name
from support.waiting import Stopwatch, until
from support.wire import Broken

UP_SECONDS_MAX = 2.0
AT_ONCE_SECONDS_MAX = 2.0


class Held:
    """A request that the local program holds until it is released."""

    def __init__(self, route, path="/held"):
        self.started, self.release = threading.Event(), threading.Event()

        def script(e):
            self.started.set()
            assert self.release.wait(60)
            e.answer(200, [], "answered")
        route.origin.on(path, script)
        self.wire = route.service.plain(timeout=30).request("GET", path, route.host)
        assert self.started.wait(20)


def test_sigterm_answers_what_is_in_flight_and_exits_0(make_service, make_route):
    route = make_route(make_service())
    held = Held(route)
    route.service.terminate()
    until("nothing new is accepted", lambda: refuses(route))
    assert route.service.process.poll() is None, "it ended with a request in flight"
    held.release.set()
    answer = held.wire.response()
    assert (answer.status, answer.body) == (200, b"answered")
    assert route.service.process.wait(30) == 0, route.service.tail()


def test_a_draining_service_refuses_connections_at_once(make_service, make_route):
    route = make_route(make_service())
    held = Held(route)
    route.service.terminate()

    def attempt():
        """How a new connection fares: what it reads within its patience, or the error."""
        try:
            with route.service.plain(timeout=1) as wire:
                return wire.request("GET", "/new", route.host).response().status
        except OSError as e:
            return type(e)
        except Broken:
            return ConnectionResetError
    until("a new connection is refused", lambda: attempt() in (ConnectionRefusedError, ConnectionResetError), 5)
    assert attempt() in (ConnectionRefusedError, ConnectionResetError), "it hangs"
    held.release.set()
    assert held.wire.response().status == 200


def refuses(route):
    """New work is refused while draining: no connection, or an answer that says so."""
    try:
        return route.get("/new", timeout=5).status == 503
    except OSError:
        return True
    except Exception:
        return True


def test_sigterm_without_work_ends_soon(make_service):
    service = make_service()
    with service.plain() as idle:
        assert idle.request("GET", "/healthz", "localhost").response().status == 200
        clock = Stopwatch()
        service.terminate()
        assert service.process.wait(20) == 0
        assert clock.seconds <= 5, "an idle keep-alive connection must not hold the service up"


def test_a_second_sigterm_ends_it_at_once(make_service, make_route):
    route = make_route(make_service())
    held = Held(route)
    route.service.terminate()
    until("draining", lambda: refuses(route))
    clock = Stopwatch()
    route.service.terminate()
    route.service.process.wait(20)
    assert clock.seconds <= AT_ONCE_SECONDS_MAX
    held.release.set()


def test_sigint_drains_like_sigterm(make_service):
    service = make_service()
    service.process.send_signal(signal.SIGINT)
    assert service.process.wait(20) == 0


def test_the_agent_is_told_of_the_drain(make_service, connect):
    service = make_service()
    agent = connect(service, service.tunnel())
    service.terminate()
    assert agent.goaway.wait(20)
    assert agent.goaway_code == 0 and json.loads(agent.goaway_data) == {"reason": "drain"}
    assert service.process.wait(20) == 0


def test_the_drain_waits_for_the_reply_before_its_goaway(make_service, connect):
    service = make_service()
    tunnel = service.tunnel()
    agent = connect(service, tunnel)
    parked = agent.park()
    wire = service.plain(timeout=30).request("GET", "/last", tunnel.host)
    envelope = agent.take(parked)
    service.terminate()
    until("draining", lambda: not accepts(service))
    assert not agent.goaway.is_set(), "an SDK would drop its work on this GOAWAY"
    assert agent.reply(envelope.id, 200, body=b"made it").status in (200, 204)
    assert wire.response().body == b"made it"
    assert agent.goaway.wait(20)
    assert service.process.wait(20) == 0


def accepts(service):
    try:
        return service.call("GET", "/readyz", key=None, timeout=5).status == 200
    except Exception:
        return False


def test_kill_9_loses_no_acknowledged_tunnel(make_service):
    service = make_service()
    acknowledged, secrets, killed = [], {}, threading.Event()

    def create(_):
        while not killed.is_set():
            name = new_name()
            try:
                answer = service.call("POST", "/api/v1/tunnels", {"tunnel_name": name})
            except Exception:
                return
            if answer.status == 201:
                acknowledged.append(answer.json()["tunnel"]["id"])
                secrets[answer.json()["tunnel"]["id"]] = answer.json()["connect_secret"]
            if len(acknowledged) >= 60 and not killed.is_set():
                killed.set()
                service.process.kill()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(create, range(8)))
    service.process.wait()
    assert len(acknowledged) >= 60
    clock = Stopwatch()
    service.start()
    assert clock.seconds <= UP_SECONDS_MAX
    there = {t["id"] for t in service.call("GET", "/api/v1/tunnels").json()["tunnels"]}
    assert set(acknowledged) <= there
    names = [t["tunnel_name"] for t in service.call("GET", "/api/v1/tunnels").json()["tunnels"]]
    assert len(names) == len(set(names)), "a name is there twice"


def test_kill_9_again_and_again_keeps_state_changes(make_service, connect):
    service = make_service()
    tunnel = service.tunnel()
    for _ in range(3):
        secret = service.call("POST", f"/api/v1/tunnels/{tunnel.id}/rotate-secret").json()["connect_secret"]
        service.kill()
        service.start()
        assert connect(service, tunnel, hello=False, secret=secret).hello().status == 200
        assert connect(service, tunnel, hello=False).hello().status == 401
    assert service.call("DELETE", f"/api/v1/tunnels/{tunnel.id}").status == 200
    service.kill()
    service.start()
    assert service.call("GET", f"/api/v1/tunnels/{tunnel.id}").json()["status"] == "delete_pending"
    assert service.call("GET", f"/api/v1/tunnels/{tunnel.id}").json()["currently_connected"] is False


def test_a_change_is_synced_before_it_is_acknowledged(make_service):
    """Every create must be followed by a sync on the log before its answer is written."""
    strace = shutil.which("strace")
    if not strace:
        pytest.skip("strace is not installed: apt-get install strace shows the order of sync and answer")
    service = make_service()
    trace = service.folder / "trace"
    tracer = subprocess.Popen([strace, "-f", "-q", "-e", "trace=fdatasync,fsync", "-o", trace, "-p", str(service.pid)],
                              stderr=subprocess.PIPE, text=True)
    try:
        until("strace is attached", lambda: any(
            int(next(l for l in open(f"/proc/{service.pid}/task/{t}/status") if l.startswith("TracerPid")).split()[1])
            for t in os.listdir(f"/proc/{service.pid}/task")))
        before = trace.read_text().count("sync(") if trace.exists() else 0
        for _ in range(5):
            service.tunnel()
        assert until("syncs are seen", lambda: trace.read_text().count("sync(") - before >= 5)
    finally:
        tracer.terminate()
        tracer.wait()


def test_the_version_and_the_help_are_told(tmp_path):
    for words in (["--help"], ["serve", "--help"], ["init", "--help"]):
        out = subprocess.run([CULVERTD, *words], capture_output=True, text=True, timeout=20)
        assert out.returncode == 0 and "usage" in out.stdout.lower(), (words, out)
        assert "--data-dir" in out.stdout
