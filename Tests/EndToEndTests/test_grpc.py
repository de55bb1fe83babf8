"""Calls of gRPC through a tunnel, by a client and a server that share no code with us."""
import queue
import threading
import time
import uuid

import grpc
import pytest

from support.grpc_echo import GRPCClient, GRPCServer
from support.h2_origin import H2Origin
from support.http2 import H2Party
from support.origin import Origin
from support.processes import Route, Account
from support.waiting import until

PATIENCE_SECONDS = 60


@pytest.fixture(scope="module")
def server():
    shared = GRPCServer()
    yield shared
    shared.close()


@pytest.fixture(scope="module")
def grpc_route(service, account, server):
    shared = Route(service, account, server)
    yield shared
    shared.agent.stop()


@pytest.fixture
def make_grpc_route(tmp_path_factory, service):
    """make_grpc_route(origin) -> a tunnel of the test's own."""
    made = []

    def make(origin, own=None):
        own = own or service
        made.append(Route(own, Account(tmp_path_factory.mktemp("home"), own), origin))
        return made[-1]

    yield make
    for route in made:
        if route.agent.process.poll() is None:
            route.agent.kill()
        route.origin.close()


@pytest.fixture
def client(service, grpc_route):
    with GRPCClient(service, grpc_route.host) as client:
        yield client


class Script:
    """A client's messages, one at a time as the test says them."""

    def __init__(self):
        self.messages = queue.Queue()

    def say(self, message):
        self.messages.put(message)

    def __iter__(self):
        return iter(lambda: self.messages.get(timeout=PATIENCE_SECONDS), None)


def status_of(call):
    with pytest.raises(grpc.RpcError) as caught:
        list(call()) if callable(call) else call.result()
    return caught.value


def test_a_unary_call_with_metadata_of_both_kinds(client):
    binary = bytes(range(256))
    answer, call = client.unary.with_call(b"hello", metadata=[("x-text", "söhne" and "plain"), ("x-raw-bin", binary)])
    assert answer == b"olleh"
    first, last = dict(call.initial_metadata()), dict(call.trailing_metadata())
    assert (first["first-x-text"], first["first-x-raw-bin"]) == ("plain", binary)
    assert (last["last-x-text"], last["last-x-raw-bin"]) == ("plain", binary)
    assert call.code() is grpc.StatusCode.OK


def test_an_empty_message_each_way(client):
    assert client.unary(b"") == b""
    assert list(client.split(b"")) == []


def test_one_side_streams(client):
    assert list(client.split(b"aaaabbbbcc")) == [b"aaaa", b"bbbb", b"cc"]
    assert client.join(iter([b"a", b"bb", b"", b"ccc"])) == b"abbccc"


def test_both_sides_talk_in_turn(client):
    script = Script()
    answers = client.chat(iter(script))
    for word in (b"one", b"two", b"three"):
        # Each word is said only when the one before has been answered.
        script.say(word)
        assert next(answers) == b"<" + word + b">"
    script.say(None)
    assert list(answers) == [] and answers.code() is grpc.StatusCode.OK


@pytest.mark.parametrize("code", [c for c in grpc.StatusCode if c is not grpc.StatusCode.OK], ids=lambda c: c.name)
@pytest.mark.parametrize("count", [0, 2], ids=["at-once", "after-messages"])
def test_an_error_arrives_as_the_server_says_it(client, code, count):
    call = client.fail(b"%d %d" % (code.value[0], count))
    got = []
    error = status_of(lambda: (got.append(m) for m in call))
    assert got == [b"before"] * count
    assert (error.code(), error.details()) == (code, "broken: 100 % sure, söhne")
    assert dict(error.trailing_metadata())["x-why-bin"] == bytes(range(256))


def test_an_unknown_method(client):
    assert status_of(lambda: [client.channel.unary_unary("/test.Echo/Nothing")(b"")]).code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_deadline_reaches_the_server(client, server):
    name = uuid.uuid4().hex
    error = status_of(client.hang.future(b"", metadata=[("x-name", name)], timeout=3))
    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert server.echo.event(server.echo.ended, name).wait(PATIENCE_SECONDS)
    assert 0 < server.echo.sent[name] <= 3


def test_a_cancelled_call_ends_at_the_server(client, server):
    name = uuid.uuid4().hex
    call = client.hang.future(b"", metadata=[("x-name", name)])
    assert server.echo.event(server.echo.began, name).wait(PATIENCE_SECONDS)
    call.cancel()
    assert server.echo.event(server.echo.ended, name).wait(PATIENCE_SECONDS)
    # The connections both go on.
    assert client.unary(b"ab") == b"ba"


def test_a_cancelled_conversation_ends_at_the_server(client, server):
    name, script = uuid.uuid4().hex, Script()
    answers = client.chat(iter(script), metadata=[("x-name", name)])
    script.say(b"one")
    assert next(answers) == b"<one>"
    answers.cancel()
    script.say(None)
    assert server.echo.event(server.echo.ended, name).wait(PATIENCE_SECONDS)


def test_large_messages(client):
    body = bytes(range(256)) * (8 << 12)
    assert client.unary(body) == body[::-1]


def test_many_calls_side_by_side(client):
    calls = {i: client.unary.future(b"%d" % i * 100) for i in range(300)}
    for i, call in calls.items():
        assert call.result(PATIENCE_SECONDS) == (b"%d" % i * 100)[::-1]


def test_a_slow_reader_holds_up_its_server_and_nobody_else(client, server):
    name = uuid.uuid4().hex
    count = 4096  # of 64 KiB each: far more than all buffers on the way
    call = client.flood(b"%d" % count, metadata=[("x-name", name)])
    next(call)
    for i in range(20):
        assert client.unary(b"x%d" % i) == (b"x%d" % i)[::-1]
    assert server.echo.sent[name] < count - 1, "the whole flood went somewhere although nobody read it"
    call.cancel()
    assert server.echo.event(server.echo.ended, name).wait(PATIENCE_SECONDS)


def test_a_server_that_takes_few_calls_at_a_time_is_not_asked_for_more(service, make_grpc_route):
    server = GRPCServer(options=[("grpc.max_concurrent_streams", 4)])
    with GRPCClient(service, make_grpc_route(server).host) as client:
        calls = [client.unary.future(b"%d" % i) for i in range(100)]
        assert [c.result(PATIENCE_SECONDS) for c in calls] == [(b"%d" % i)[::-1] for i in range(100)]


def test_a_server_that_starts_again_is_found_again(service, make_grpc_route):
    first = GRPCServer()
    route = make_grpc_route(first)
    with GRPCClient(service, route.host) as client:
        assert client.unary(b"ab") == b"ba"
        first.close()
        error = status_of(lambda: [client.unary(b"ab")])
        assert error.code() is grpc.StatusCode.UNAVAILABLE
        assert "cannot be reached" in error.details()
        route.origin = GRPCServer(first.number)
        assert client.unary(b"ab") == b"ba"


def test_calls_that_no_agent_takes_say_why(service):
    tunnel = service.tunnel()
    with GRPCClient(service, tunnel.host) as client:
        error = status_of(lambda: [client.unary(b"")])
        assert error.code() is grpc.StatusCode.UNAVAILABLE
        assert "not connected" in error.details()


def test_an_agent_without_trailers_is_no_agent_for_grpc(service, connect):
    tunnel = service.tunnel()
    agent = connect(service, tunnel)
    parked = agent.park()
    with GRPCClient(service, tunnel.host) as client:
        error = status_of(lambda: [client.unary(b"")])
        assert error.code() is grpc.StatusCode.UNIMPLEMENTED
        assert "carries no trailers" in error.details()
    # The intake is still good for what the agent can do.
    with H2Party(service, tunnel.host) as party:
        stream = party.start(path="/plain")
        envelope = agent.take(parked)
        agent.reply(envelope.id, body=b"fine")
        assert party.finish(stream).body == b"fine"


RESETS = [(8, 8, grpc.StatusCode.CANCELLED), (11, 11, grpc.StatusCode.RESOURCE_EXHAUSTED), (2, 2, grpc.StatusCode.INTERNAL),
          (1, 2, grpc.StatusCode.INTERNAL)]


@pytest.mark.parametrize("sent, told, code", RESETS)
def test_a_reset_by_the_server_reaches_the_client(service, make_grpc_route, sent, told, code):
    origin = H2Origin()
    route = make_grpc_route(origin)
    goes_on = threading.Event()

    def script(stream):
        stream.head(200, [("content-type", "application/grpc")])
        stream.send(b"\0\0\0\0\3one")
        assert goes_on.wait(PATIENCE_SECONDS)
        stream.reset(sent)
    origin.on("/test.Echo/Split", script)
    with GRPCClient(service, route.host) as client:
        call = client.split(b"")
        assert next(call) == b"one"
        goes_on.set()
        assert status_of(lambda: call).code() is code
    goes_on.clear()
    with H2Party(service, route.host) as party:
        stream = party.start("POST", "/test.Echo/Split", [("content-type", "application/grpc"), ("te", "trailers")])
        while not party.answers[stream][2]:
            party.step()
        goes_on.set()
        party.finish(stream)
        assert party.resets[stream] == told


def test_a_reset_before_the_head_is_a_status(service, make_grpc_route):
    origin = H2Origin()
    origin.on("/test.Echo/Unary", lambda stream: stream.reset(2))
    with GRPCClient(service, make_grpc_route(origin).host) as client:
        error = status_of(lambda: [client.unary(b"")])
        assert error.code() is grpc.StatusCode.UNAVAILABLE
        assert "broke off" in error.details()


def test_what_speaks_another_version_is_told_apart(service, make_grpc_route):
    plain = Origin()
    plain_port = plain.port
    plain.port = f"h2c://127.0.0.1:{plain_port}"
    route = make_grpc_route(plain)
    assert route.get("/").reason == "target-bad-response"
    until("the agent says what is wrong", lambda: "does not speak HTTP/2 without TLS" in route.agent.tail())
    assert "http://HOST:PORT" in route.agent.tail()

    server = GRPCServer()
    server.port = server.number
    route = make_grpc_route(server)
    assert route.get("/").reason == "target-bad-response"
    until("the agent says what is wrong", lambda: "h2c://HOST:PORT" in route.agent.tail())
