"""Trailers through a tunnel to targets of both versions of HTTP, seen by several clients, and by an agent that knows none."""
import subprocess
import threading

import h2.events
import pytest

from support.h2_origin import H2Origin
from support.http2 import H2Party
from support.processes import Account, Route

PATIENCE_SECONDS = 60


class Party(H2Party):
    """One that keeps trailers too."""

    def __init__(self, *words):
        super().__init__(*words)
        self.trailers = {}

    def step(self):
        receive = self.h2.receive_data

        def listen(data):
            events = receive(data)
            for event in events:
                if isinstance(event, h2.events.TrailersReceived):
                    self.trailers[event.stream_id] = event.headers
            return events
        self.h2.receive_data = listen
        try:
            super().step()
        finally:
            del self.h2.receive_data


@pytest.fixture(scope="module")
def h2c(service, account):
    origin = H2Origin()
    shared = Route(service, account, origin)
    yield shared
    shared.agent.stop()
    origin.close()


def with_trailers(stream):
    got = stream.body()
    stream.answer(200, [("content-type", "text/plain")], got, [("x-sum", "7"), ("x-te", stream.header("te") or "none"),
                                                            ("x-up", dict(stream.trailers).get("x-up", "none"))])


@pytest.fixture
def party(h2c):
    h2c.origin.on("/t", with_trailers)
    with Party(h2c.service, h2c.host) as party:
        yield party


def test_both_ways_to_a_target_of_http2(party):
    stream = party.start("POST", "/t", [("te", "trailers")], end=False)
    party.send(stream, b"body", end=False)
    party.h2.send_headers(stream, [("x-up", "1")], end_stream=True)
    party.flush()
    answer = party.finish(stream)
    assert (answer.status, answer.body) == (200, b"body")
    assert party.trailers[stream] == [("x-sum", "7"), ("x-te", "trailers"), ("x-up", "1")]


def test_both_ways_to_a_target_of_http1(route):
    def script(e):
        body = e.body()
        e.send("HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n", f"{len(body):x}\r\n", body, "\r\n0\r\nX-Sum: 7\r\n",
               f"X-Up: {e.trailers}\r\nX-TE: {e.header('te')}, {e.header('connection')}\r\n\r\n")
    route.origin.on("/trailers-by-one", script)
    with Party(route.service, route.host) as party:
        stream = party.start("POST", "/trailers-by-one", [("te", "trailers")], end=False)
        party.send(stream, b"body", end=False)
        party.h2.send_headers(stream, [("x-up", "1")], end_stream=True)
        party.flush()
        assert party.finish(stream).body == b"body"
        assert party.trailers[stream] == [("x-sum", "7"), ("x-up", "['x-up: 1']"), ("x-te", "trailers, te")]


def test_a_client_of_http1_gets_them_behind_the_last_chunk(h2c):
    h2c.origin.on("/t", with_trailers)
    with h2c.service.plain() as wire:
        wire.send("POST /t HTTP/1.1\r\nHost: ", h2c.host, "\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nX-Up: 1\r\n\r\n")
        answer = wire.response("POST")
    assert answer.body == b"body"
    assert answer.trailers == [("x-sum", "7"), ("x-te", "none"), ("x-up", "1")]


def test_curl_shows_them(h2c):
    h2c.origin.on("/t", with_trailers)
    out = subprocess.run(["curl", "-sS", "--max-time", "60", "--http2", "--cacert", h2c.service.ca, "-D", "-", "--data-binary", "body",
                          f"https://{h2c.host}:{h2c.service.https_port}/t"], capture_output=True, text=True)
    assert out.returncode == 0, out
    assert out.stdout.startswith("HTTP/2 200") and "x-sum: 7" in out.stdout and "body" in out.stdout


def test_nghttp_shows_them(h2c):
    h2c.origin.on("/t", with_trailers)
    out = subprocess.run(["nghttp", "-v", "--no-dep", "-H", f":authority: {h2c.host}", f"https://127.0.0.1:{h2c.service.https_port}/t"],
                         capture_output=True, text=True, timeout=60)
    assert "x-sum: 7" in out.stdout and "; Trailer" not in out.stderr, out.stdout + out.stderr


def test_h2load_finishes_every_request_at_a_target_of_http2(h2c):
    out = subprocess.run(["h2load", "-n1000", "-c4", "-m25", f"--connect-to=127.0.0.1:{h2c.service.https_port}",
                          f"https://{h2c.host}:{h2c.service.https_port}/load"], capture_output=True, text=True, timeout=80)
    assert "1000 done, 1000 succeeded, 0 failed" in out.stdout, out.stdout + out.stderr
    assert len(h2c.origin.connections) <= 8


def test_an_agent_that_knows_no_trailers_sees_none_and_sends_none(service, connect):
    tunnel = service.tunnel()
    agent = connect(service, tunnel)
    parked = agent.park()
    with Party(service, tunnel.host) as party:
        stream = party.start("POST", "/", [("te", "trailers")], end=False)
        party.send(stream, b"body", end=False)
        party.h2.send_headers(stream, [("x-up", "1")], end_stream=True)
        party.flush()
        envelope = agent.take(parked)
        assert envelope.body() == b"body"
        assert not any(name == "te" for name, _ in envelope.headers)
        reply, answer = agent.begin_reply(envelope.id)
        agent.send(reply, b"answer")
        with agent.lock:
            agent.h2.send_headers(reply, [("x-sum", "7")], end_stream=True)
            agent._flush()
        assert party.finish(stream).body == b"answer"
        assert stream not in party.trailers
        assert answer.wait().status in (200, 204)


def test_a_large_download_does_not_hold_up_small_requests_of_the_same_link(h2c):
    """Both are on one connection of the agent; the large one goes on until the small ones have had their answers."""
    done, sent = threading.Event(), []

    def large(stream):
        stream.head(200)
        piece = bytes(1 << 16)
        while not done.is_set():
            stream.send(piece)
            sent.append(len(piece))
        stream.end()
    h2c.origin.on("/large", large)
    with Party(h2c.service, h2c.host) as reader:
        stream = reader.start(path="/large")
        got = []

        def read():
            while stream not in reader.resets and not reader.answers[stream][3]:
                reader.step()
                got.append(len(reader.answers[stream][2]))
                reader.answers[stream][2] = bytearray()
        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        with Party(h2c.service, h2c.host) as other:
            for i in range(100):
                before = sum(sent)
                assert other.request("GET", f"/small{i}").body == b"Hello, world!"
                # The large one has not ended: each answer has come while it was under way.
                assert not done.is_set() and sum(sent) >= before
        done.set()
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive() and sum(got) == sum(sent) > 1 << 20


def test_requests_go_on_after_the_target_says_goodbye(h2c):
    h2c.origin.on("/t", with_trailers)
    for _ in range(3):
        assert h2c.get("/t", method="POST", body=b"one").body == b"one"
        h2c.origin.go_away()


def test_a_unix_socket_may_speak_http2(service, account, tmp_path):
    import socket
    import support.h2_origin as origins
    origin = H2Origin()
    path = str(tmp_path / "app.sock")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)

    def accept():
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            connection = origins.Connection(origin, sock)
            origin.connections.append(connection)
            threading.Thread(target=connection.serve, daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()
    origin.port = f"h2c+unix:{path}"
    route = Route(service, account, origin)
    assert route.get("/x").body == b"Hello, world!"
    route.agent.stop()
    listener.close()
    origin.close()
