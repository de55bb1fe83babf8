"""The agent's side of the wire, by an agent that knows the protocol's text alone."""
import json
import subprocess
import threading
import uuid

import h2.exceptions
import pytest

from support.processes import Service, new_name
from support.waiting import until

SUPERSEDED = 0x1201


class Asking:
    """A third party's request on a thread of its own."""

    def __init__(self, service, host, target="/", **options):
        self.answer = None
        self.thread = threading.Thread(target=self._run, args=(service, host, target, options), daemon=True)
        self.thread.start()

    def _run(self, service, host, target, options):
        self.answer = service.get(host, target, **options)

    def done(self, seconds=20):
        self.thread.join(seconds)
        assert self.answer is not None, "the third party has no answer"
        return self.answer


@pytest.fixture
def tunnel(service):
    return service.tunnel()


@pytest.fixture
def agent(service, tunnel, connect):
    return connect(service, tunnel)


def test_the_service_offers_what_agents_need(agent):
    assert agent.settled.wait(20)
    assert agent.remote_settings.get(8) == 1, "SETTINGS_ENABLE_CONNECT_PROTOCOL"
    assert agent.remote_settings.get(3, 1 << 31) >= 512, "SETTINGS_MAX_CONCURRENT_STREAMS"


@pytest.mark.parametrize("asked, given", [(1, 1), (8, 8), (32, 32), (33, 32), (1000, 32), (0, 1)])
def test_hello_says_which_pool_to_park(service, tunnel, connect, asked, given):
    answer = connect(service, tunnel, hello=False).hello(asked)
    assert answer.status == 200
    assert answer.json()["default_pool_size"] == given


def test_hello_says_the_times(agent, service, tunnel, connect):
    body = connect(service, service.tunnel(), hello=False).hello().json()
    assert body["default_pool_size"] == 8
    assert (body["intake_idle_seconds"], body["response_deadline_seconds"]) == (60, 60)
    assert len(body["owner_token"]) >= 16


def test_hello_marks_the_tunnel_connected_and_its_end_disconnected(service, tunnel, connect):
    def now():
        return service.call("GET", f"/api/v1/tunnels/{tunnel.id}").json()
    agent = connect(service, tunnel)
    got = until("currently_connected", lambda: (t := now())["currently_connected"] and t)
    assert got["last_connected_at"].endswith("Z") and got["last_connected_ip_addr"] == "127.0.0.1"
    agent.close()
    got = until("no longer connected", lambda: not (t := now())["currently_connected"] and t)
    assert got["last_disconnected_at"] >= got["last_connected_at"]


def test_a_wrong_secret_and_an_unknown_tunnel_look_alike(service, tunnel, connect):
    wrong = connect(service, tunnel, hello=False, secret="tnl_" + "0" * 32).hello()
    unknown = connect(service, tunnel, hello=False).hello(tunnel_id=str(uuid.uuid4()))
    malformed = connect(service, tunnel, hello=False).hello(tunnel_id="not-an-id")
    assert [a.status for a in (wrong, unknown, malformed)] == [401] * 3
    strip = [("date",), ("x-request-id",)]
    comparable = [{k: v for k, v in a.headers.items() if (k,) not in strip} for a in (wrong, unknown)]
    assert comparable[0] == comparable[1]
    bodies = [{k: v for k, v in json.loads(a.data or b"{}").items() if k not in ("instance", "request_id")} for a in (wrong, unknown)]
    assert bodies[0] == bodies[1]


def test_the_secret_of_another_tunnel_is_wrong(service, tunnel, connect):
    assert connect(service, tunnel, hello=False, secret=service.tunnel().secret).hello().status in (401, 403)


def test_an_admin_key_is_a_credential_too(service, tunnel, connect):
    assert connect(service, tunnel, hello=False, credential=("x-api-key", service.key)).hello().status == 200


def test_the_key_of_another_organization_is_not(make_service, connect):
    service = make_service(start=False)
    out = subprocess.run([service.command()[0], "init", "--data-dir", service.data, "--zone", "localhost", "--json", "--add-organization"],
                         capture_output=True, text=True, timeout=60, env=service.env)
    assert out.returncode == 0, out
    other = json.loads(out.stdout)
    assert other["organization_id"] != service.org
    service.start()
    tunnel = service.tunnel()
    assert connect(service, tunnel, hello=False, credential=("x-api-key", other["api_key"])).hello().status in (401, 403)
    assert service.call("GET", f"/api/v1/tunnels/{tunnel.id}", key=other["api_key"]).status == 404


def test_no_credential_is_refused(service, tunnel, connect):
    assert connect(service, tunnel, hello=False, credential=("x-nothing", "x")).hello().status == 401


def test_a_tunnel_that_is_being_deleted_is_refused_for_good(service, tunnel, connect):
    service.call("DELETE", f"/api/v1/tunnels/{tunnel.id}")
    assert connect(service, tunnel, hello=False).hello().status == 403


def test_the_envelope_says_what_was_asked(service, tunnel, agent):
    parked = agent.park()
    asking = Asking(service, tunnel.host, "/p%20q?x=1&x=2", method="POST", body=b"payload", headers=[
        ("X-One", "1"), ("Cookie", "a=1"), ("X-One", "2"), ("Connection", "X-Hop"), ("X-Hop", "1"), ("X-Forwarded-For", "6.6.6.6"),
        ("Sec-WebSocket-Key", "x"), ("Inkbox-Path", "/forged")])
    envelope = agent.take(parked)
    assert (envelope.method, envelope.path, envelope.kind, envelope.forwarded_for) == ("POST", "/p%20q?x=1&x=2", "webhook", "127.0.0.1")
    names = [k for k, _ in envelope.headers]
    assert [v for k, v in envelope.headers if k == "x-one"] == ["1", "2"] and ("cookie", "a=1") in envelope.headers
    assert not set(names) & {"host", "connection", "x-hop", "x-forwarded-for", "sec-websocket-key", "inkbox-path", "transfer-encoding"}
    assert envelope.body() == b"payload"
    assert agent.reply(envelope.id, 201, [("x-a", "1"), ("set-cookie", "a=1"), ("set-cookie", "b=2")], b"made").status in (200, 204)
    answer = asking.done()
    assert (answer.status, answer.body, answer.all("set-cookie")) == (201, b"made", ["a=1", "b=2"])


def test_a_wrong_owner_token_is_refused(agent):
    reply = agent.park(token="x" * 32).wait()
    assert reply.status == 401


def test_the_owner_token_of_another_connection_is_refused(service, agent, connect):
    other = connect(service, service.tunnel())
    assert agent.park(token=other.token).wait().status == 401


def test_intake_before_hello_is_refused(service, tunnel, connect):
    assert connect(service, tunnel, hello=False).park(token="x").wait().status == 401


def test_an_idle_intake_ends_with_204(make_service, connect):
    service = make_service(env={"CULVERT_INTAKE_IDLE_SECONDS": "1"})
    agent = connect(service, service.tunnel())
    reply = agent.park().wait()
    assert reply.status == 204 and reply.data == b""


def test_a_reply_to_nothing_a_second_reply_and_one_too_late(service, tunnel, agent):
    assert agent.reply("no-such-request", 200).status == 404
    parked = agent.park()
    asking = Asking(service, tunnel.host)
    envelope = agent.take(parked)
    assert agent.reply(envelope.id, 200, body=b"one").status in (200, 204)
    assert agent.reply(envelope.id, 200, body=b"two").status == 409
    assert asking.done().body == b"one"


def test_a_reply_whose_third_party_left_is_410_or_reset(service, tunnel, agent):
    parked = agent.park()
    wire = service.plain().request("GET", "/leave", tunnel.host)
    envelope = agent.take(parked)
    stream, answer = agent.begin_reply(envelope.id, 200)
    assert wire.head().status == 200
    wire.close()
    while not answer.head.is_set():
        try:
            agent.send(stream, b"x" * 1000)
        except h2.exceptions.ProtocolError:
            break  # the stream is closed: the answer is here or on its way
    answer.wait()
    assert answer.status == 410 or answer.reset_code is not None


def test_a_reply_after_the_deadline_is_410(make_service, connect):
    service = make_service(env={"CULVERT_RESPONSE_DEADLINE_SECONDS": "1"})
    tunnel = service.tunnel()
    agent = connect(service, tunnel)
    parked = agent.park()
    asking = Asking(service, tunnel.host)
    envelope = agent.take(parked)
    assert asking.done().status == 504
    assert agent.reply(envelope.id, 200).status == 410


def test_the_agent_of_another_tunnel_cannot_answer(service, tunnel, agent, connect):
    thief = connect(service, service.tunnel())
    parked = agent.park()
    asking = Asking(service, tunnel.host)
    envelope = agent.take(parked)
    assert thief.reply(envelope.id, 200, body=b"stolen").status == 404
    assert thief.reply(envelope.id, 200, body=b"stolen", tunnel_id=tunnel.id).status in (401, 403, 404)
    assert agent.reply(envelope.id, 200, body=b"mine").status in (200, 204)
    assert asking.done().body == b"mine"


def test_a_reply_on_a_connection_without_hello_is_refused(service, tunnel, agent, connect):
    parked = agent.park()
    asking = Asking(service, tunnel.host)
    envelope = agent.take(parked)
    stranger = connect(service, tunnel, hello=False)
    assert stranger.reply(envelope.id, 200, body=b"elsewhere").status == 401
    assert agent.reply(envelope.id, 200, body=b"here").status in (200, 204)
    assert asking.done().body == b"here"


def test_a_reply_streams(service, tunnel, agent):
    parked = agent.park()
    with service.plain() as wire:
        wire.request("GET", "/stream", tunnel.host)
        envelope = agent.take(parked)
        stream, answer = agent.begin_reply(envelope.id, 200)
        assert wire.head().status == 200
        for piece in (b"one", b"two"):
            agent.send(stream, piece)
            assert wire.chunk() == piece
        agent.send(stream, b"", end=True)
        assert wire.chunk() == b""
        assert answer.wait().status in (200, 204)


def test_a_request_body_streams(service, tunnel, agent):
    parked = agent.park()
    with service.plain() as wire:
        wire.send(f"POST /up HTTP/1.1\r\nHost: {tunnel.host}\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
        envelope = agent.take(parked)
        assert envelope.reply.pieces.get(timeout=20) == b"one"
        wire.send("3\r\ntwo\r\n0\r\n\r\n")
        assert envelope.body() == b"onetwo"
        agent.reply(envelope.id, 200)
        assert wire.response().status == 200


@pytest.fixture(scope="module")
def impatient(tmp_path_factory):
    """A service whose deadline for replies is short."""
    own = Service(tmp_path_factory.mktemp("impatient"), env={"CULVERT_RESPONSE_DEADLINE_SECONDS": "1"}).init().start()
    yield own
    own.stop()


@pytest.mark.parametrize("what, options", [
    ("a status that is none", {"status": 99}), ("a status past 599", {"status": 600}), ("a status that is no number", {"status": "abc"}),
    ("a switch of protocols", {"status": 101}),
    ("CR and LF in a value", {"headers": [("x-a", "1\r\nx-b: 2")]}), ("LF in a value", {"headers": [("x-a", "1\nx-b: 2")]}),
    ("NUL in a value", {"headers": [("x-a", "1\x002")]}), ("a space in a name", {"headers": [("x a", "1")]}),
    ("a colon in a name", {"headers": [("x:a", "1")]}), ("an empty name", {"headers": [("", "1")]}),
])
def test_an_agent_that_sends_nonsense_is_a_502_or_clean_bytes(impatient, connect, what, options):
    """What HTTP/2 itself forbids never becomes a reply; then the deadline answers."""
    service, tunnel = impatient, impatient.tunnel()
    agent = connect(service, tunnel)
    parked = agent.park()
    with service.plain() as wire:
        wire.request("GET", "/nonsense", tunnel.host)
        envelope = agent.take(parked)
        agent.begin_reply(envelope.id, end=True, **options)
        answer = wire.response()
        assert answer.status in (200, 502, 504), answer
        assert answer.header("x-b") is None and all("\n" not in v for _, v in answer.headers)
        if "status" in options:
            assert answer.status == 502
    assert service.call("GET", "/healthz", key=None).status == 200


@pytest.mark.parametrize("announced, sent", [(3, b"hello"), (10, b"hello")])
def test_a_body_that_is_not_as_long_as_announced_never_looks_whole(service, tunnel, connect, announced, sent):
    agent = connect(service, tunnel)
    parked = agent.park()
    with service.plain() as wire:
        wire.request("GET", "/length", tunnel.host, [("Connection", "close")])
        envelope = agent.take(parked)
        stream, _ = agent.begin_reply(envelope.id, 200, [("content-length", str(announced))], length=announced)
        agent.send(stream, sent, end=True)
        head, _, body = wire.rest().partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 502") or len(body) < announced or announced < len(sent) and body == sent[:announced]
    assert service.call("GET", "/healthz", key=None).status == 200


def test_what_only_the_service_may_say_is_stripped_from_replies(service, tunnel, agent):
    parked = agent.park()
    asking = Asking(service, tunnel.host)
    envelope = agent.take(parked)
    agent.reply(envelope.id, 200, [("connection", "x-gone"), ("x-gone", "1"), ("transfer-encoding", "chunked"), ("keep-alive", "x"),
                                   ("x-stay", "1")], b"body")
    answer = asking.done()
    assert (answer.status, answer.body, answer.header("x-stay")) == (200, b"body", "1")
    assert answer.header("keep-alive") is None and answer.header("x-gone") is None


def test_an_envelope_past_what_the_agent_takes_is_431(service, tunnel, agent):
    """65,536 bytes by HTTP/2's count: 32 a field, and `inkbox-h-` before each name."""
    parked = agent.park()
    answer = service.get(tunnel.host, headers=[(f"x-{i}", "v" * 650) for i in range(95)])
    assert (answer.status, answer.reason) == (431, "headers-too-large")
    asking = Asking(service, tunnel.host, "/fits")
    envelope = agent.take(parked)
    assert envelope.path == "/fits"
    agent.reply(envelope.id, 200)
    assert asking.done().status == 200


def test_a_value_that_is_not_utf8_is_refused_for_an_agent_that_cannot_read_it(service, tunnel, agent):
    agent.park()
    with service.plain() as wire:
        wire.send(f"GET / HTTP/1.1\r\nHost: {tunnel.host}\r\nX-L: caf".encode(), b"\xe9\r\n\r\n")
        answer = wire.response()
        assert (answer.status, answer.reason) == (400, "invalid-header")


def test_a_later_agent_takes_over(service, tunnel, agent, connect):
    taken = agent.park(0)
    asking = Asking(service, tunnel.host, "/taken")
    agent.take(taken)
    parked = agent.park(1)
    later = connect(service, tunnel)
    assert agent.goaway.wait(20), "the earlier agent was not told"
    assert agent.goaway_code == SUPERSEDED
    assert json.loads(agent.goaway_data) == {"reason": "superseded"}
    assert parked.wait().status != 200 and (parked.status is None or parked.reason == "intake-superseded")
    answer = asking.done()
    assert (answer.status, answer.reason) == (502, "agent-disconnected")
    waiting = later.park()
    asking = Asking(service, tunnel.host, "/new")
    envelope = later.take(waiting)
    later.reply(envelope.id, 200)
    assert asking.done().status == 200


def test_what_waits_goes_to_the_later_agent(service, tunnel, agent, connect):
    asking = Asking(service, tunnel.host, "/queued")
    later = connect(service, tunnel)
    envelope = later.take()
    assert envelope.path == "/queued"
    later.reply(envelope.id, 200, body=b"yes")
    assert asking.done().body == b"yes"


def test_two_agents_that_evict_each_other_are_calmed_down(service, connect):
    tunnel = service.tunnel()
    statuses = [connect(service, tunnel, hello=False).hello().status for _ in range(8)]
    assert statuses[:6] == [200] * 6 and statuses[-1] == 503, statuses


def test_culverts_own_agent_stops_when_superseded(service, make_route, connect):
    route = make_route(service)
    found = next(t for t in service.call("GET", "/api/v1/tunnels").json()["tunnels"] if t["tunnel_name"] == route.name)

    class Same:
        id, host, secret = found["id"], route.host, None
    connect(service, Same, credential=("x-api-key", service.key))
    assert route.agent.process.wait(20) == 5, "the exit status for a conflict: another agent took over"
    assert "took over" in route.agent.tail()


def test_deleting_a_tunnel_ends_its_agent(service, tunnel, agent, connect):
    parked = agent.park()
    asking = Asking(service, tunnel.host, "/inflight")
    agent.take(parked)
    assert service.call("DELETE", f"/api/v1/tunnels/{tunnel.id}").status == 200
    answer = asking.done()
    assert answer.status == 502
    assert agent.goaway.wait(20)
    assert agent.goaway_code == 0 and json.loads(agent.goaway_data) == {"reason": "tunnel-deleted"}
    assert connect(service, tunnel, hello=False).hello().status == 403


def test_a_rotated_secret_leaves_the_live_agent_alone_and_refuses_the_next_hello(service, tunnel, agent, connect):
    rotated = service.call("POST", f"/api/v1/tunnels/{tunnel.id}/rotate-secret")
    assert rotated.status == 200
    parked = agent.park()
    asking = Asking(service, tunnel.host)
    envelope = agent.take(parked)
    assert agent.reply(envelope.id, 200).status in (200, 204), "the connection keeps the credential of its hello"
    assert asking.done().status == 200
    assert connect(service, tunnel, hello=False).hello().status == 401
    assert connect(service, tunnel, hello=False, secret=rotated.json()["connect_secret"]).hello().status == 200


def test_a_parked_intake_that_is_reset_takes_no_work(service, tunnel, agent):
    first = agent.park(0)
    with agent.lock:
        agent.h2.reset_stream(next(s for s, r in agent.replies.items() if r is first), error_code=8)
        agent._flush()
    second = agent.park(1)
    asking = Asking(service, tunnel.host)
    envelope = agent.take(second)
    agent.reply(envelope.id, 200)
    assert asking.done().status == 200


@pytest.mark.parametrize("method, code, goes_on", [("GET", 8, True), ("DELETE", 8, True), ("POST", 7, True), ("POST", 8, False)])
def test_a_request_that_passes_a_reset_of_its_intake_is_not_left_to_its_deadline(make_service, connect, method, code, goes_on):
    own = make_service(env={"CULVERT_RESPONSE_DEADLINE_SECONDS": "3600"})
    tunnel = own.tunnel()
    agent = connect(own, tunnel)
    first = agent.park(0)
    asking = Asking(own, tunnel.host, method=method, timeout=60)
    assert first.wait().status == 200
    second = agent.park(1)
    agent.reset(first, code)
    if goes_on:
        envelope = agent.take(second)
        assert envelope.id == first.headers["inkbox-request-id"] and envelope.method == method
        assert agent.reply(envelope.id, 200, body=b"second").status in (200, 204)
        assert asking.done().body == b"second"
    else:
        answer = asking.done()
        assert (answer.status, answer.reason) == (502, "agent-disconnected")
        assert agent.reply(first.headers["inkbox-request-id"], 200).status in (409, 410)
        assert second.status is None, "it may have been carried out: nobody else gets it"


def test_a_refused_intake_ends_a_request_whose_body_is_on_its_way(make_service, connect):
    own = make_service(env={"CULVERT_RESPONSE_DEADLINE_SECONDS": "3600"})
    tunnel = own.tunnel()
    agent = connect(own, tunnel)
    parked = agent.park()
    with own.plain() as wire:
        wire.send(f"POST /up HTTP/1.1\r\nHost: {tunnel.host}\r\nContent-Length: 100\r\n\r\nhalf")
        agent.take(parked)
        agent.reset(parked, 7)
        answer = wire.response("POST")
    assert (answer.status, answer.reason) == (502, "agent-disconnected")


def test_the_third_party_leaves_and_the_taken_stream_is_reset(service, tunnel, agent):
    parked = agent.park()
    wire = service.plain()
    wire.send(f"POST /up HTTP/1.1\r\nHost: {tunnel.host}\r\nContent-Length: 100\r\n\r\nhalf")
    agent.take(parked)
    wire.close()
    assert parked.ended.wait(20) and parked.reset_code is not None, "the agent is not told that the upload was cut"


def test_system_paths_are_for_the_zone_only(route):
    answer = route.get("/_system/hello", method="POST")
    assert answer.status == 200 and answer.json()["target"] == "/_system/hello", "a tunnel's host owns all its paths"


def test_nothing_but_the_protocol_is_served_to_agents(service, tunnel, agent):
    for path in ("/_system/", "/_system/unknown", "/_system/response/", "/_system/ws/x"):
        _, reply = agent.open(path, [("x-tunnel-id", tunnel.id), agent.credential])
        assert 400 <= reply.wait().status < 500, path


def test_unknown_names_of_the_zone_are_no_agents_door(service, tunnel, connect):
    agent = connect(service, tunnel, hello=False)
    _, reply = agent.open("/_system/hello", [("x-tunnel-id", tunnel.id), agent.credential], authority=new_name() + ".localhost")
    assert reply.wait().status in (404, 421)
