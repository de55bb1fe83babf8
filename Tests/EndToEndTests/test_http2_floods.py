"""HTTP/2 clients that mean harm: they are cut off or bounded, and others notice nothing."""
import pytest
from hyperframe import frame as frames

from support.http2 import Frames
from support.processes import peak_kib

ENHANCE_YOUR_CALM = 11
MEMORY_KIB_MAX = 8 * 1024
STREAM_KIB_MAX = 256


@pytest.fixture(scope="module")
def target(request):
    """A service of this module's own, so that its memory is what the floods made of it."""
    from support.origin import Origin
    from support.processes import Account, Route, Service
    factory = request.getfixturevalue("tmp_path_factory")
    service = Service(factory.mktemp("flooded")).init().start()
    origin = Origin()
    route = Route(service, Account(factory.mktemp("home"), service), origin)
    for i in range(20):
        assert route.get(f"/warm{i}").status == 200
    yield route
    route.agent.stop()
    service.stop()
    origin.close()


@pytest.fixture(autouse=True)
def others_are_unharmed(target, request):
    before = peak_kib(target.service.pid)
    with target.service.secure(target.host, timeout=10) as neighbour:
        assert neighbour.request("GET", "/before", target.host).response().status == 200
        yield
        assert neighbour.request("GET", "/after", target.host).response().status == 200, "a connection that was open already"
    assert target.get("/fresh", timeout=10).status == 200
    grown = peak_kib(target.service.pid) - before
    marker = request.node.get_closest_marker("streams")
    assert grown <= MEMORY_KIB_MAX + (marker.args[0] * STREAM_KIB_MAX if marker else 0), f"the service grew by {grown} KiB"


def cut(connection):
    """The connection must end; the code is in the GOAWAY when there was time for one."""
    code = connection.until_closed()
    assert code in (None, 1, 2, 3, 6, 7, 9, ENHANCE_YOUR_CALM), code


def test_rapid_reset(target):
    """Open and cancel, thousands of times."""
    with Frames(target.service, target.host) as c:
        def make(i):
            stream = 1 + 2 * (i // 2)
            return c.headers(stream, c.block()) if i % 2 == 0 else frames.RstStreamFrame(stream, error_code=8)
        c.flood(make, 20_000)
        cut(c)
    seen = len([t for t in target.origin.targets() if t == "/"])
    assert seen < 5_000, f"{seen} cancelled requests were worked on"


def test_resets_that_the_service_is_made_to_send(target):
    """A window update of zero is a stream error each time: the service resets, and must count that too."""
    with Frames(target.service, target.host) as c:
        def make(i):
            stream = 1 + 2 * (i // 2)
            return c.headers(stream, c.block(method="POST"), ["END_HEADERS"]) if i % 2 == 0 else frames.WindowUpdateFrame(stream, window_increment=0)
        sent = 0
        try:
            for i in range(20_000):
                frame = make(i)
                data = frame.serialize() if i % 2 == 0 else b"\0\0\x04\x08\0" + frame.stream_id.to_bytes(4, "big") + b"\0\0\0\0"
                c.wire.send(data)
                sent += 1
        except OSError:
            pass
        cut(c)
        assert sent <= 20_000


def test_endless_continuation(target):
    with Frames(target.service, target.host) as c:
        c.send(frames.HeadersFrame(1, c.block(), flags=["END_STREAM"]))
        c.flood(lambda i: frames.ContinuationFrame(1, c.encoder.encode([(f"x-{i}", "v" * 100)])), 10_000, batch=8)
        cut(c)


def test_empty_continuation(target):
    with Frames(target.service, target.host) as c:
        c.send(frames.HeadersFrame(1, c.block(), flags=["END_STREAM"]))
        c.flood(lambda i: frames.ContinuationFrame(1, b""), 50_000)
        cut(c)


def test_settings_flood_that_reads_no_answers(target):
    with Frames(target.service, target.host) as c:
        c.flood(lambda i: frames.SettingsFrame(settings={3: 100 + i % 2}), 200_000, batch=512)
        cut(c)


def test_ping_flood_that_reads_no_answers(target):
    with Frames(target.service, target.host) as c:
        c.flood(lambda i: frames.PingFrame(opaque_data=b"12345678"), 500_000, batch=1024)
        cut(c)


def test_many_settings_in_one_frame(target):
    with Frames(target.service, target.host) as c:
        body = b"".join((0x1000 + i).to_bytes(2, "big") + b"\0\0\0\1" for i in range(2700))
        head = len(body).to_bytes(3, "big") + b"\x04\0\0\0\0\0"
        try:
            for _ in range(100):
                c.wire.send(head + body)
        except OSError:
            pass
        cut(c)


def test_hpack_bomb(target):
    """A large entry in the dynamic table, then thousands of one-byte references to it."""
    with Frames(target.service, target.host) as c:
        bomb = c.encoder.encode([("x-bomb", "v" * 3900)])
        block = c.block() + bomb + b"\xbe" * 16_000
        try:
            c.send(c.headers(1, block[:16_000], ["END_STREAM"]), frames.ContinuationFrame(1, block[16_000:], flags=["END_HEADERS"]))
            while not isinstance(frame := c.next_frame(), (frames.HeadersFrame, frames.RstStreamFrame, frames.GoAwayFrame)):
                pass
            if isinstance(frame, frames.HeadersFrame):
                import hpack
                status = dict((k, v) for k, v in hpack.Decoder().decode(bytes(frame.data)))
                assert (status.get(":status") or status.get(b":status")) in ("431", b"431", "400", b"400")
        except Exception as e:
            if isinstance(e, (AssertionError, TimeoutError)):
                raise


def test_headers_that_never_end_hold_nothing(target):
    """Hundreds of streams whose head is complete but whose body never comes; they die with their connection."""
    with Frames(target.service, target.host) as c:
        c.flood(lambda i: c.headers(1 + 2 * i, c.block(method="POST"), ["END_HEADERS"]), 1_000)
        assert target.get("/meanwhile", timeout=10).status == 200


def test_empty_data_frames(target):
    with Frames(target.service, target.host) as c:
        c.send(c.headers(1, c.block(method="POST"), ["END_HEADERS"]))
        c.flood(lambda i: frames.DataFrame(1, b""), 200_000, batch=1024)
        assert target.get("/meanwhile", timeout=10).status == 200


def test_priority_and_unknown_frames(target):
    with Frames(target.service, target.host) as c:
        c.flood(lambda i: frames.PriorityFrame(1 + 2 * (i % 1000), depends_on=0, stream_weight=1), 50_000, batch=512)
        try:
            c.wire.send((b"\0\0\x01\xbb\0\0\0\0\0x") * 50_000)
        except OSError:
            pass
        assert target.get("/meanwhile", timeout=10).status == 200


@pytest.mark.streams(100)
def test_window_tricks(target):
    """A window of zero, then many large answers asked for and none read."""
    target.origin.on("/large", lambda e: e.answer(200, [], b"x" * 1_000_000))
    with Frames(target.service, target.host) as c:
        c.send(frames.SettingsFrame(settings={4: 0}))
        c.flood(lambda i: c.headers(1 + 2 * i, c.block(path="/large")), 100)
        for i in range(20):
            assert target.get(f"/meanwhile{i}", timeout=10).status == 200


@pytest.mark.parametrize("name, data", [
    ("a window past its end", b"\0\0\x04\x08\0\0\0\0\0\x7f\xff\xff\xff"),
    ("DATA on stream 0", b"\0\0\x01\0\0\0\0\0\0x"),
    ("HEADERS on an even stream", b"\0\0\x01\x01\x05\0\0\0\x02\x82"),
    ("a frame past its maximum", b"\xff\xff\xff\0\0\0\0\0\x01"),
    ("SETTINGS of a wrong length", b"\0\0\x05\x04\0\0\0\0\0abcde"),
    ("a bad SETTINGS value", b"\0\0\x06\x04\0\0\0\0\0\0\x05\0\0\0\x01"),
    ("PING of a wrong length", b"\0\0\x04\x06\0\0\0\0\0abcd"),
    ("PUSH_PROMISE from a client", b"\0\0\x05\x05\x04\0\0\0\x01\0\0\0\x02\x82"),
    ("a broken header block", b"\0\0\x04\x01\x05\0\0\0\x01\xff\xff\xff\xff"),
    ("CONTINUATION from nowhere", b"\0\0\x01\x09\x04\0\0\0\x01\x82"),
    ("no HTTP/2 at all", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 2),
])
def test_a_connection_that_breaks_the_rules_ends(target, name, data):
    with Frames(target.service, target.host) as c:
        c.wire.send(data)
        cut(c)
