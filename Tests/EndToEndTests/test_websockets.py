"""WebSockets through the tunnel, with independent clients and servers: the library `websockets`, and frames by hand."""
import asyncio
import base64
import os
import socket as socket_module
import struct
import threading

import pytest
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect as dial

from support.processes import Account, new_name
from support.shared_tls import through_tls
from support.waiting import until

MESSAGE_BYTES_MAX = 1 << 20


class Echo:
    """An echo server of its own thread; `path` says how else it behaves."""

    def __init__(self):
        self.closes, self.requests = [], []
        self.ready = threading.Event()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_until_complete, args=(self.run(),), daemon=True)
        self.thread.start()
        assert self.ready.wait(10)

    async def run(self):
        self.stopped = asyncio.Event()
        async with serve(self.handle, "127.0.0.1", 0, process_request=self.judge, process_response=self.adorn,
                         select_subprotocol=lambda _, offered: "chat.v2" if "chat.v2" in offered else None, max_size=4 << 20, compression=None, ping_interval=None) as server:
            self.port = server.sockets[0].getsockname()[1]
            self.ready.set()
            await self.stopped.wait()

    def judge(self, connection, request):
        self.requests.append(request)
        if request.path.startswith("/refuse"):
            return connection.respond(403, "not you\n")

    def adorn(self, connection, request, response):
        response.headers["x-origin"] = "yes"
        response.headers["set-cookie"] = "a=1"

    async def handle(self, socket):
        try:
            if socket.request.path == "/close-at-once":
                await socket.close(4007, "enough")
            elif socket.request.path == "/vanish":
                socket.transport.abort()
            elif socket.request.path == "/fragments":
                await socket.send(["he", "ll", "o"])
            elif socket.request.path == "/large":
                await socket.send(bytes(MESSAGE_BYTES_MAX))
            elif socket.request.path == "/many":
                for i in range(2000):
                    await socket.send(f"message {i}")
                await socket.close()
            async for message in socket:
                await socket.send(message)
        except ConnectionClosed:
            pass
        finally:
            self.closes.append((socket.request.path, socket.close_code, socket.close_reason))

    def hear_close(self, path):
        """Waits until the WebSocket of this path, which only one test opens, is closed; code and reason."""
        return until(f"the origin hears the close of {path}", lambda: next((heard for at, *heard in self.closes if at == path), None))

    def close(self):
        self.loop.call_soon_threadsafe(self.stopped.set)
        self.thread.join(10)


class Line:
    """A service, an echo server, and Culvert's agent between them."""

    def __init__(self, service, folder):
        self.service, self.echo = service, Echo()
        self.agent = Account(folder, service).http(self.echo.port, "--name", new_name())
        self.host = self.agent.url().split("//")[1].split(":")[0]

    def dial(self, path="/", **options):
        options.setdefault("max_size", 4 << 20)
        options["sock"] = through_tls(self.service.https_port, self.service.tls(), self.host)
        return dial(f"ws://{self.host}:{self.service.https_port}{path}", open_timeout=20, close_timeout=10, compression=None,
                    **options)

    def close(self):
        self.agent.stop()
        self.echo.close()


@pytest.fixture(scope="module")
def line(service, tmp_path_factory):
    one = Line(service, tmp_path_factory.mktemp("home"))
    yield one
    one.close()


@pytest.fixture
def own_line(make_service, tmp_path_factory):
    made = []

    def make(**options):
        made.append(Line(make_service(**options), tmp_path_factory.mktemp("home")))
        return made[-1]
    yield make
    for one in made:
        if one.agent.process.poll() is None:
            one.agent.kill()
        one.echo.close()


def test_text_and_binary_come_back(line):
    with line.dial("/echo?q=1") as socket:
        for message in ("", "hello", "h\u00e9 \U0001f600 \"quoted\" \\ \x00 \x7f", b"", bytes(range(256)), b"x" * 65536):
            socket.send(message)
            assert socket.recv(timeout=20) == message
    assert line.echo.requests[-1].path == "/echo?q=1"


def test_the_origin_sees_who_asks(line):
    with line.dial("/", additional_headers={"x-probe": "7", "cookie": "a=b", "x-forwarded-for": "6.6.6.6"}):
        pass
    headers = line.echo.requests[-1].headers
    assert headers["x-probe"] == "7" and headers["cookie"] == "a=b"
    assert headers.get_all("x-forwarded-for") == ["127.0.0.1"]
    assert headers["x-forwarded-host"].split(":")[0] == line.host


def test_the_answer_carries_the_origins_headers(line):
    with line.dial("/") as socket:
        assert socket.response.headers["x-origin"] == "yes"
        assert socket.response.headers["set-cookie"] == "a=1"
        assert "sec-websocket-extensions" not in socket.response.headers


@pytest.mark.parametrize("size", [125, 126, 65535, 65536, MESSAGE_BYTES_MAX])
def test_messages_up_to_the_bound(line, size):
    message = os.urandom(size)
    with line.dial() as socket:
        socket.send(message)
        assert socket.recv(timeout=30) == message


def test_one_byte_more_closes_with_1009_and_nothing_else(line):
    with line.dial() as other, line.dial() as socket:
        with pytest.raises(ConnectionClosed) as e:
            socket.send(b"x" * (MESSAGE_BYTES_MAX + 1))
            socket.recv(timeout=20)
        assert e.value.rcvd.code == 1009, e.value
        other.send("still here")
        assert other.recv(timeout=20) == "still here"


def test_fragments_become_one_message(line):
    with line.dial("/fragments") as socket:
        assert socket.recv(timeout=20) == "hello"
        socket.send(["a", "b", "", "c"])
        assert socket.recv(timeout=20) == "abc"


def test_two_thousand_messages_in_order(line):
    with line.dial("/many") as socket:
        assert [socket.recv(timeout=20) for _ in range(2000)] == [f"message {i}" for i in range(2000)]


def test_subprotocol(line):
    with line.dial("/", subprotocols=["chat.v1", "chat.v2"]) as socket:
        assert socket.subprotocol == "chat.v2"
    assert line.echo.requests[-1].headers["sec-websocket-protocol"].replace(" ", "") == "chat.v1,chat.v2"


def test_close_codes_travel_both_ways(line):
    with line.dial("/close-at-once") as socket:
        with pytest.raises(ConnectionClosed) as e:
            socket.recv(timeout=20)
        assert (e.value.rcvd.code, e.value.rcvd.reason) == (4007, "enough")
    with line.dial("/closed") as socket:
        socket.close(4010, "bye")
    assert line.echo.hear_close("/closed") == [4010, "bye"]


def test_an_origin_that_vanishes_is_1011(line):
    with line.dial("/vanish") as socket:
        with pytest.raises(ConnectionClosed) as e:
            socket.recv(timeout=20)
    # The agent says that the origin is gone; it must not be a normal end.
    assert e.value.rcvd.code in (1001, 1011), e.value


def test_a_client_that_vanishes_is_told_to_the_origin(line):
    with line.service.plain() as wire:
        handshake(line, wire, path="/left")
        wire.sock.setsockopt(socket_module.SOL_SOCKET, socket_module.SO_LINGER, struct.pack("ii", 1, 0))
    code, _ = line.echo.hear_close("/left")
    assert code not in (1000, 4010), "it was no proper close"


def test_the_origins_refusal_is_the_answer(line):
    with pytest.raises(InvalidStatus) as e:
        line.dial("/refuse").close()
    assert e.value.response.status_code == 403 and e.value.response.body == b"not you\n"


def test_no_program_behind_the_agent_is_502(line, service, account):
    with pytest.raises(InvalidStatus) as e:
        agent = account.http(1, "--name", new_name())
        host = agent.url().split("//")[1].split(":")[0]
        try:
            sock = socket_module.create_connection(("127.0.0.1", service.http_port))
            dial(f"ws://{host}:{service.http_port}/", sock=sock, open_timeout=20, compression=None).close()
        finally:
            agent.stop()
    assert e.value.response.status_code == 502
    assert e.value.response.headers["inkbox-reason"] == "target-unreachable"


@pytest.mark.parametrize("headers, status", [
    ({"Sec-WebSocket-Version": "13"}, 400),
    ({"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "short"}, 400),
    ({"Sec-WebSocket-Version": "8", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}, 426),
    ({"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}, 426),
])
def test_bad_offers(line, headers, status):
    given = [("Connection", "Upgrade"), ("Upgrade", "websocket"), *headers.items()]
    with line.service.plain() as wire:
        answer = wire.request("GET", "/", line.host, given).response("GET")
    assert answer.status == status, answer
    if status == 426:
        assert answer.header("sec-websocket-version") == "13"


def handshake(line, wire, path="/"):
    given = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
             ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]
    head = wire.request("GET", path, line.host, given).head()
    assert head.status == 101, head
    assert head.header("sec-websocket-accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    return wire


def read_frame(wire):
    def take(n):
        while len(wire.buffer) < n:
            try:
                more = wire.sock.recv(65536)
            except ConnectionResetError:
                return None
            if not more:
                return None
            wire.buffer += more
        out, wire.buffer = bytes(wire.buffer[:n]), wire.buffer[n:]
        return out
    start = take(2)
    if start is None:
        return None
    assert start[1] < 126, "a short unmasked frame"
    return start[0], take(start[1])


@pytest.mark.parametrize("bad, code", [
    (b"\x81\x02hi", 1002), (b"\x81\x82\0\0\0\0\xff\xff", 1007), (b"\x83\x80\0\0\0\0", 1002), (b"\xc1\x80\0\0\0\0", 1002),
    (b"\x88\x82\0\0\0\0\x03\xed", 1002), (b"\x80\x80\0\0\0\0", 1002)])
def test_a_client_that_breaks_the_rules_is_told_which(line, bad, code):
    with line.service.plain() as wire:
        handshake(line, wire)
        wire.sock.sendall(bad)
        first, payload = read_frame(wire)
        assert first == 0x88 and struct.unpack("!H", payload[:2])[0] == code
        assert read_frame(wire) is None, "the connection ends behind the close"


def test_pings_are_answered_and_early_bytes_kept(line):
    with line.service.plain() as wire:
        request = (f"GET / HTTP/1.1\r\nHost: {line.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                   "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").encode()
        # Without waiting for the answer: the frames must not be lost.
        wire.sock.sendall(request + b"\x89\x82\0\0\0\0hi" + b"\x81\x83\0\0\0\0abc")
        assert wire.head().status == 101
        assert read_frame(wire) == (0x8A, b"hi")
        assert read_frame(wire) == (0x81, b"abc")


def test_a_slow_reader_slows_its_origin_and_nobody_else(line):
    frame = b"\x82\xff" + struct.pack("!Q", 65536) + b"\0\0\0\0" + b"x" * 65536
    with line.service.plain() as slow, line.dial() as other:
        handshake(line, slow)
        slow.sock.settimeout(2)
        # What comes back is not read: sooner or later nothing more can be sent.
        sent = 0
        with pytest.raises(TimeoutError):
            while sent < 1 << 30:
                sent += slow.sock.send(frame)
        for i in range(50):
            other.send(f"round {i}")
            assert other.recv(timeout=20) == f"round {i}"
    assert sent < 64 << 20, "the client is held up after what the buffers between take"


def test_agent_gone_is_1012(own_line):
    line = own_line()
    with line.dial() as socket:
        socket.send("up")
        assert socket.recv(timeout=20) == "up"
        line.agent.kill()
        with pytest.raises(ConnectionClosed) as e:
            socket.recv(timeout=20)
        assert e.value.rcvd.code == 1012, e.value


def test_drain_is_4500_and_the_service_ends(own_line):
    line = own_line()
    with line.dial() as socket:
        socket.send("up")
        assert socket.recv(timeout=20) == "up"
        line.service.terminate()
        with pytest.raises(ConnectionClosed) as e:
            socket.recv(timeout=20)
        assert e.value.rcvd.code == 4500, e.value
    assert line.service.process.wait(20) == 0


def test_deleting_the_tunnel_ends_its_websockets(own_line):
    line = own_line()
    with line.dial() as socket:
        socket.send("up")
        assert socket.recv(timeout=20) == "up"
        name = line.host.split(".")[0]
        tunnels = line.service.call("GET", "/api/v1/tunnels").json()["tunnels"]
        tunnel = next(t for t in tunnels if t["tunnel_name"] == name)
        assert line.service.call("DELETE", f"/api/v1/tunnels/{tunnel['id']}").status == 200
        with pytest.raises(ConnectionClosed) as e:
            socket.recv(timeout=20)
        assert e.value.rcvd.code == 1001, e.value


def test_an_idle_client_is_pinged_and_a_dead_one_dropped(own_line):
    line = own_line(env={"CULVERT_WEBSOCKET_PING_SECONDS": "1"})
    with line.service.plain(timeout=20) as wire:
        handshake(line, wire)
        assert read_frame(wire) == (0x89, b"")
        wire.sock.sendall(b"\x8a\x80\0\0\0\0")
        assert read_frame(wire) == (0x89, b""), "a client that answers stays"
        # This one is not answered.
        assert read_frame(wire) is None
    until("the origin is told", lambda: line.echo.closes)


def test_over_http2(line):
    import h2.config
    import h2.connection
    import h2.events
    import h2.settings
    with line.service.secure(line.host, alpn=["h2"]) as wire:
        connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        connection.initiate_connection()
        wire.sock.sendall(connection.data_to_send())
        events, opened = [], False

        def pump(until_type):
            while True:
                for i, event in enumerate(events):
                    if isinstance(event, until_type):
                        return events.pop(i)
                data = wire.sock.recv(65536)
                assert data, "the connection ended"
                events.extend(connection.receive_data(data))
                wire.sock.sendall(connection.data_to_send())

        pump(h2.events.RemoteSettingsChanged)
        assert connection.remote_settings[h2.settings.SettingCodes.ENABLE_CONNECT_PROTOCOL] == 1
        connection.send_headers(1, [(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"),
                                    (":path", "/h2?x=1"), (":authority", line.host), ("sec-websocket-version", "13")])
        wire.sock.sendall(connection.data_to_send())
        response = pump(h2.events.ResponseReceived)
        headers = dict(response.headers)
        assert headers[":status"] == "200" and headers["x-origin"] == "yes" and "sec-websocket-accept" not in headers
        connection.send_data(1, b"\x81\x85\0\0\0\0hello")
        wire.sock.sendall(connection.data_to_send())
        assert pump(h2.events.DataReceived).data == b"\x81\x05hello"
        connection.send_data(1, b"\x88\x82\0\0\0\0\x03\xe8")
        wire.sock.sendall(connection.data_to_send())
        assert pump(h2.events.DataReceived).data == b"\x88\x02\x03\xe8"
        pump(h2.events.StreamEnded)
    assert line.echo.requests[-1].path == "/h2?x=1"


def test_sec_websocket_accept_is_that_of_the_standard():
    import hashlib
    key = "dGhlIHNhbXBsZSBub25jZQ=="
    digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
    assert base64.b64encode(digest).decode() == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
