"""A service that takes over from a running one on the same data directory and ports: nobody loses anything."""
import http.client
import json
import os
import queue
import signal
import socket
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from websockets.exceptions import ConnectionClosed

from support.http2 import H2Party
from support.processes import CULVERTD, new_name
from support.sdks import VERSIONS, Sdk
from support.sse import Listener
from support.waiting import until
from test_websockets import Line

CONNECTIONS, REQUESTS = 32, 2_000


class Load:
    """Clients with lasting connections that ask and check; each opens a new connection when an answer says that it is the last."""

    def __init__(self, service, host, connections=CONNECTIONS, requests=REQUESTS, path="/checked"):
        self.service, self.host, self.path = service, host, path
        self.failures, self.answered, self.lock = [], 0, threading.Lock()
        self.polite_closes = 0
        self.halfway = threading.Event()
        self.each, self.total = requests // connections, requests // connections * connections
        self.pool = ThreadPoolExecutor(connections)
        self.runs = [self.pool.submit(self._client, number) for number in range(connections)]

    def _client(self, number):
        wire = None
        for turn in range(self.each):
            token = f"{number}-{turn}"
            try:
                wire = wire or self.service.plain(timeout=30)
                answer = wire.request("POST", f"{self.path}?{token}", self.host, body=token.encode()).response()
                assert answer.status == 200 and answer.json()["body"] == token, (answer, answer.body[:200])
                if (answer.header("connection") or "").lower() == "close":
                    assert wire.is_closed()
                    wire = None
                    with self.lock:
                        self.polite_closes += 1
            except Exception as e:
                wire = None
                with self.lock:
                    self.failures.append(f"{token}: {e!r}")
            with self.lock:
                self.answered += 1
                if self.answered >= self.total // 3:
                    self.halfway.set()

    def finish(self):
        for run in self.runs:
            run.result()
        self.pool.shutdown()
        assert not self.failures, f"{len(self.failures)} of {self.total} failed: {self.failures[:5]}"


def test_no_request_fails_with_our_agent(make_service, make_route):
    route = make_route(make_service())
    load = Load(route.service, route.host)
    assert load.halfway.wait(60)
    before = route.service.take_over()
    load.finish()
    assert load.polite_closes >= 1, "no client was told to open a new connection"
    assert before.wait(40) == 0, route.service.tail()
    assert route.get("/after").status == 200


@pytest.fixture
def publish(origin, tmp_path_factory):
    """publish(service, version) -> a published SDK's agent, connected."""
    made = []

    def make(service, version="0.7.20"):
        made.append(Sdk(service, tmp_path_factory.mktemp("sdk"), version, f"http://127.0.0.1:{origin.port}"))
        return made[-1]
    yield make
    for agent in made:
        agent.kill()


# The SDKs carry a few dozen requests a second on a busy machine.
@pytest.mark.seconds(240)
@pytest.mark.parametrize("version", VERSIONS)
def test_no_request_fails_with_a_published_agent(make_service, publish, version):
    agent = publish(make_service(), version)
    load = Load(agent.service, agent.host)
    assert load.halfway.wait(120)
    before = agent.service.take_over()
    load.finish()
    assert before.wait(40) == 0, agent.service.tail()
    assert agent.service.get(agent.host, "/after").status == 200
    assert agent.process.poll() is None


def test_a_reply_that_comes_to_the_new_process_reaches_its_third_party(make_service, publish, origin):
    """The SDK moves with a request that it has not answered, and answers on its new connection."""
    agent = publish(make_service())
    began, release = threading.Event(), threading.Event()

    def script(e):
        began.set()
        assert release.wait(60)
        e.answer(200, [], "from the other side")
    origin.on("/moving", script)
    wire = agent.service.plain(timeout=60).request("GET", "/moving", agent.host)
    assert began.wait(20)
    before = agent.service.take_over()
    # Served by the new process: the agent is there, and its old connection is gone.
    assert agent.service.get(agent.host, "/new", timeout=30).status == 200
    assert before.poll() is None, "it ended with a request in flight"
    release.set()
    answer = wire.response()
    assert (answer.status, answer.body) == (200, b"from the other side")
    assert before.wait(30) == 0, agent.service.tail()


def test_a_download_and_an_upload_survive(make_service, make_route):
    route = make_route(make_service())
    steps = queue.Queue()

    def download(e):
        e.send("HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in iter(steps.get, None):
            e.send(f"{len(piece):x}\r\n{piece}\r\n")
        e.send("0\r\n\r\n")
    route.origin.on("/download", download)
    down = route.service.plain(timeout=40).request("GET", "/download", route.host)
    steps.put("before")
    assert down.head().status == 200 and down.chunk() == b"before"
    received = []
    arrived = threading.Event()

    def upload(e):
        for piece in e.pieces():
            received.append(piece)
            arrived.set()
        e.answer(200, [], str(sum(map(len, received))))
    route.origin.on("/upload", upload)
    up = route.service.plain(timeout=40)
    up.send(f"POST /upload HTTP/1.1\r\nHost: {route.host}\r\nContent-Length: 200000\r\n\r\n", b"a" * 1000)
    assert arrived.wait(20)
    before = route.service.take_over()
    assert route.get("/meanwhile").status == 200
    assert before.poll() is None
    steps.put("after")
    assert down.chunk() == b"after"
    steps.put(None)
    assert down.chunk() == b""
    up.send(b"b" * 199_000)
    assert up.response().body == b"200000"
    assert before.wait(30) == 0, route.service.tail()


def test_websockets_go_on_for_the_notice_and_get_4500(make_service, tmp_path):
    line = Line(make_service(env={"CULVERT_WEBSOCKET_NOTICE_SECONDS": "3"}), tmp_path / "home")
    with line.dial() as old:
        old.send("before")
        assert old.recv(timeout=20) == "before"
        before = line.service.take_over()
        # Neither end is disturbed during the notice, and new ones go to the new process.
        old.send("meanwhile")
        assert old.recv(timeout=20) == "meanwhile"
        with line.dial() as new:
            new.send("new")
            assert new.recv(timeout=20) == "new"
            with pytest.raises(ConnectionClosed) as e:
                old.recv(timeout=20)
            assert e.value.rcvd.code == 4500, e.value
            assert before.wait(30) == 0, line.service.tail()
            new.send("after")
            assert new.recv(timeout=20) == "after"
    line.close()


def test_websockets_get_the_notice_without_a_successor_too(make_service, tmp_path):
    line = Line(make_service(env={"CULVERT_WEBSOCKET_NOTICE_SECONDS": "2"}), tmp_path / "home")
    with line.dial() as socket:
        socket.send("1")
        assert socket.recv(timeout=20) == "1"
        line.service.terminate()
        until("it drains", lambda: "service.draining" in line.service.tail())
        socket.send("2")
        assert socket.recv(timeout=20) == "2"
        with pytest.raises(ConnectionClosed) as e:
            socket.recv(timeout=20)
        assert e.value.rcvd.code == 4500, e.value
    assert line.service.process.wait(20) == 0
    line.close()


def until_closed(party):
    with pytest.raises(EOFError):
        while True:
            party.step()
    assert party.goaway[0] == 0


def test_idle_connections_are_closed_politely(make_service, make_route):
    """One that asks after the hand-over is answered, and told that it was the last; one that stays silent is closed."""
    service = make_service(env={"CULVERT_DRAIN_IDLE_SECONDS": "2"})
    route = make_route(service)
    asking, silent = service.plain(timeout=20), service.plain(timeout=20)
    multiplexed, held = H2Party(service, route.host), H2Party(service, route.host)
    began, release = threading.Event(), threading.Event()

    def script(e):
        began.set()
        assert release.wait(60)
        e.answer(200, [], "whole")
    route.origin.on("/held", script)
    for wire in (asking, silent):
        assert wire.request("GET", "/1", route.host).response().header("connection") is None
    assert multiplexed.request(path="/1").status == 200
    stream = held.start(path="/held")
    assert began.wait(20)
    before = service.take_over()
    answer = asking.request("GET", "/2", route.host).response()
    assert answer.status == 200 and answer.header("connection") == "close" and asking.is_closed()
    # An idle HTTP/2 connection is told at once, and one with a request when that is answered: many clients cannot read an
    # answer behind a GOAWAY.
    until_closed(multiplexed)
    assert held.goaway is None
    release.set()
    assert held.finish(stream).body == b"whole"
    until_closed(held)
    assert silent.is_closed()
    assert before.wait(30) == 0, service.tail()


def test_the_api_answers_before_during_and_after(make_service):
    """Every change that was acknowledged is there; nothing is answered with 5xx; events and the audit trail are whole."""
    service = make_service()
    acknowledged, faults, stop = [], [], threading.Event()

    def create(_):
        connection = http.client.HTTPConnection("127.0.0.1", service.http_port, timeout=30)
        while not stop.is_set():
            name = new_name()
            try:
                connection.request("POST", "/api/v1/tunnels", json.dumps({"tunnel_name": name}),
                                   {"X-API-Key": service.key, "Content-Type": "application/json", "Idempotency-Key": name})
                answer = connection.getresponse()
                body = answer.read()
            except (OSError, http.client.HTTPException) as e:
                faults.append(repr(e))
                continue
            if answer.status == 201:
                acknowledged.append(json.loads(body)["tunnel"]["id"])
            else:
                faults.append((answer.status, body))
    with ThreadPoolExecutor(8) as pool:
        runs = [pool.submit(create, n) for n in range(8)]
        until("some were created", lambda: len(acknowledged) >= 50)
        before = service.take_over()
        count = len(acknowledged)
        until("some more were created", lambda: len(acknowledged) >= count + 50)
        stop.set()
        for run in runs:
            run.result()
    assert not faults, faults[:5]
    there, cursor = set(), ""
    while cursor is not None:
        page = service.call("GET", "/api/v1/tunnels?limit=200" + (f"&cursor={cursor}" if cursor else "")).json()
        there |= {tunnel["id"] for tunnel in page["tunnels"]}
        cursor = page.get("next_cursor")
    assert set(acknowledged) <= there and len(acknowledged) == len(set(acknowledged))
    assert before.wait(30) == 0, service.tail()
    # Every event is there once, over both processes.
    with Listener(service, last_id="0") as listener:
        created = [listener.next().json["data"]["tunnel_id"] for _ in acknowledged]
    assert sorted(created) == sorted(acknowledged)
    out = subprocess.run([CULVERTD, "audit", "verify", "--data-dir", service.data], capture_output=True, text=True, timeout=60)
    assert out.returncode == 0, out.stdout + out.stderr


def test_a_stream_of_events_ends_and_goes_on_at_the_new_process(make_service):
    service = make_service()
    with Listener(service) as listener:
        first = service.tunnel()
        event = listener.next()
        service.take_over()
        assert listener.next() is None and listener.clean, "the stream was cut, not ended"
    second = service.tunnel()
    with Listener(service, last_id=event.id) as listener:
        assert second.id in json.dumps(listener.next().json) and first.id != second.id


def test_the_agent_is_back_at_once_and_never_seems_away(make_service, make_route):
    service = make_service()
    route = make_route(service)
    tunnel = next(t for t in service.call("GET", "/api/v1/tunnels").json()["tunnels"] if t["tunnel_name"] == route.name)
    service.take_over()
    assert service.call("GET", f"/api/v1/tunnels/{tunnel['id']}").json()["currently_connected"] is True
    assert route.get("/at-once").status == 200


def test_a_successor_that_dies_changes_nothing(make_service, make_route):
    """It is stopped when everything is its, and killed: the one before takes everything back."""
    service = make_service()
    route = make_route(service)
    wire = service.plain(timeout=30)
    assert wire.request("GET", "/1", route.host).response().status == 200
    successor = subprocess.Popen(service.command(), stdin=subprocess.DEVNULL, stdout=service.log.open("ab"),
                                 stderr=subprocess.STDOUT, env=service.env)
    until("it has asked", lambda: "handover.asked" in service.tail() or successor.poll() is not None)
    successor.send_signal(signal.SIGKILL)
    successor.wait()
    answer = wire.request("GET", "/2", route.host).response()
    assert answer.status == 200
    assert service.tunnel().id
    assert route.get("/3").status == 200
    assert service.process.poll() is None
    if "handover.done" not in service.tail():
        assert answer.header("connection") is None


def test_a_successor_that_cannot_start_says_why_and_changes_nothing(make_service):
    service = make_service()
    taken = socket.create_server(("127.0.0.1", 0))
    out = subprocess.run([*service.command(), "--http", f"127.0.0.1:{taken.getsockname()[1]}"], capture_output=True, text=True,
                         timeout=60, env=service.env)
    assert out.returncode == 1 and "another program uses this port" in out.stderr, out.stderr
    until("it has taken everything back", lambda: "handover.abandoned" in service.tail())
    assert service.tunnel().id and service.call("GET", "/readyz").status == 200
    assert service.take_over().wait(30) == 0
    taken.close()


def test_hand_overs_in_a_row(make_service, make_route):
    route = make_route(make_service())
    for turn in range(3):
        before = route.service.take_over()
        assert route.get(f"/{turn}").status == 200
    assert before.wait(30) == 0, route.service.tail()
    for process in route.service.predecessors:
        assert process.wait(30) == 0, route.service.tail()
    route.service.stop()


def test_the_old_process_ends_at_its_bound(make_service, make_route):
    route = make_route(make_service(env={"CULVERT_DRAIN_SECONDS": "2"}))
    began, release = threading.Event(), threading.Event()

    def script(e):
        began.set()
        release.wait(60)
    route.origin.on("/never", script)
    wire = route.service.plain(timeout=40).request("GET", "/never", route.host)
    assert began.wait(20)
    before = route.service.take_over()
    assert before.wait(20) == 0
    assert wire.rest() == b"" or b"502" in wire.rest()
    release.set()


def test_the_hand_over_is_the_owners_alone(make_service):
    service = make_service()
    door = service.data / "handover.sock"
    assert door.stat().st_mode & 0o777 == 0o600


class ScriptedSuccessor:
    """A process that asks to take over, and does only what the test says."""

    def __init__(self, service, version=1):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(20)
        self.sock.connect(str(service.data / "handover.sock"))
        self.sock.send(f"ask {version}".encode())

    def hear(self):
        message, self.descriptors, _, _ = socket.recv_fds(self.sock, 65536, 253)
        return message.decode()

    def close(self):
        for descriptor in self.descriptors:
            os.close(descriptor)
        self.sock.close()


def test_what_comes_while_a_successor_starts_waits_and_nothing_is_lost_when_it_dies(make_service, make_route):
    service = make_service()
    route = make_route(service)
    lasting = service.plain(timeout=30)
    assert lasting.request("GET", "/1", route.host).response().status == 200
    caller = http.client.HTTPConnection("127.0.0.1", service.http_port, timeout=30)
    caller.request("GET", "/api/v1/tunnels", headers={"X-API-Key": service.key})
    assert caller.getresponse().read()
    successor = ScriptedSuccessor(service)
    assert successor.hear().startswith("serving ")
    assert successor.hear() == "give 2" and len(successor.descriptors) == 3
    third = ScriptedSuccessor(service)
    assert third.hear() == "refuse busy"
    third.close()
    # Traffic on connections that are open goes on; calls of the API and new connections wait.
    assert lasting.request("GET", "/2", route.host).response().status == 200
    caller.request("POST", "/api/v1/tunnels", json.dumps({"tunnel_name": new_name()}),
                   {"X-API-Key": service.key, "Content-Type": "application/json"})
    fresh = service.plain(timeout=30).request("GET", "/3", route.host)
    assert lasting.request("GET", "/4", route.host).response().status == 200
    caller.sock.setblocking(False)
    with pytest.raises(BlockingIOError):
        caller.sock.recv(1, socket.MSG_PEEK)
    caller.sock.settimeout(30)
    successor.close()
    assert caller.getresponse().status == 201
    assert fresh.response().status == 200
    assert service.take_over().wait(30) == 0, service.tail()


def test_a_successor_has_so_much_time_and_no_more(make_service):
    service = make_service(env={"CULVERT_TAKEOVER_SECONDS": "1"})
    successor = ScriptedSuccessor(service)
    assert successor.hear() == "give 2"
    descriptors = successor.descriptors
    assert successor.hear() == "refuse late"
    successor.descriptors = descriptors
    assert service.tunnel().id
    successor.close()


def test_a_successor_of_another_version_is_refused(make_service):
    service = make_service()
    successor = ScriptedSuccessor(service, version=99)
    assert successor.hear() == "refuse foreignVersion"
    successor.close()
    assert service.tunnel().id


def test_the_crash_of_the_old_process_does_not_harm_the_new_one(make_service, make_route):
    """It has a request in flight, which is lost with it; everything else goes on."""
    route = make_route(make_service())
    began, release = threading.Event(), threading.Event()

    def script(e):
        began.set()
        release.wait(60)
        e.answer(200, [], "late")
    route.origin.on("/lost", script)
    wire = route.service.plain(timeout=30).request("GET", "/lost", route.host)
    assert began.wait(20)
    before = route.service.take_over()
    assert route.get("/new").status == 200
    before.kill()
    before.wait()
    assert wire.rest() == b""
    release.set()
    assert route.get("/after").status == 200 and route.service.tunnel().id
    assert route.service.take_over().wait(30) == 0, route.service.tail()


def test_sigterm_while_a_successor_starts(make_service):
    """Whoever comes out of it, the service ends in good order when the successor does not come."""
    service = make_service()
    successor = ScriptedSuccessor(service)
    assert successor.hear() == "give 2"
    service.terminate()
    successor.close()
    assert service.process.wait(20) == 0, service.tail()


def test_a_supervisor_gives_sockets_and_is_told(make_service):
    """The words of systemd: LISTEN_FDS, READY, MAINPID, STOPPING."""
    service = make_service(start=False)
    listener = socket.create_server(("127.0.0.1", service.http_port))
    told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    told.settimeout(20)
    told.bind(str(service.folder / "notify"))
    service.env["NOTIFY_SOCKET"] = str(service.folder / "notify")
    command = ["sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"', "sh", *service.command()]
    service.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=service.log.open("ab"), stderr=subprocess.STDOUT,
                                       env=service.env, pass_fds=(3,), preexec_fn=lambda: os.dup2(listener.fileno(), 3))
    assert told.recv(1024).decode().split("\n") == ["READY=1", f"MAINPID={service.pid}"]
    listener.close()
    assert service.call("GET", "/readyz", key=None).status == 200
    before = service.take_over()
    assert told.recv(1024).decode().split("\n") == ["READY=1", f"MAINPID={service.pid}"]
    assert before.wait(30) == 0
    service.terminate()
    assert told.recv(1024) == b"STOPPING=1"
    assert service.process.wait(20) == 0
