"""Bodies move as they are made, at the pace of their reader, and cost no memory."""
import threading
import zlib

import pytest

from support.processes import peak_kib
from support.waiting import Stopwatch, until

GIB = 1 << 30
BLOCK = bytes(range(256)) * 4096  # 1 MiB
RSS_KIB_MAX = 64 * 1024
ABORT_SECONDS_MAX = 1.0


def checksum_of_gib():
    crc = 0
    for _ in range(GIB // len(BLOCK)):
        crc = zlib.crc32(BLOCK, crc)
    return crc


@pytest.fixture(scope="module")
def crc():
    return checksum_of_gib()


def assert_small(route):
    for name, pid in (("service", route.service.pid), ("agent", route.agent.pid)):
        assert peak_kib(pid) <= RSS_KIB_MAX, f"the {name} grew to {peak_kib(pid) // 1024} MiB"


def test_one_gibibyte_down_without_growing(make_service, make_route, crc):
    route = make_route(make_service())

    def script(e):
        e.send(f"HTTP/1.1 200 X\r\nContent-Length: {GIB}\r\n\r\n")
        for _ in range(GIB // len(BLOCK)):
            e.sock.sendall(BLOCK)
    route.origin.on("/gib", script)
    with route.service.plain(timeout=30) as wire:
        head = wire.request("GET", "/gib", route.host).head()
        assert (head.status, head.header("content-length")) == (200, str(GIB))
        got, count = zlib.crc32(wire.buffer), len(wire.buffer)
        buffer = bytearray(1 << 20)
        while count < GIB:
            n = wire.sock.recv_into(buffer)
            assert n, f"closed after {count} bytes"
            got = zlib.crc32(memoryview(buffer)[:n], got)
            count += n
    assert (count, got) == (GIB, crc)
    assert_small(route)


def test_one_gibibyte_up_without_growing(make_service, make_route, crc):
    route = make_route(make_service())

    def script(e):
        got, count = 0, 0
        for piece in e.pieces():
            got, count = zlib.crc32(piece, got), count + len(piece)
        e.answer(200, [], f"{count} {got}")
    route.origin.on("/gib", script)
    with route.service.plain(timeout=60) as wire:
        wire.send(f"PUT /gib HTTP/1.1\r\nHost: {route.host}\r\nContent-Length: {GIB}\r\n\r\n")
        for _ in range(GIB // len(BLOCK)):
            wire.sock.sendall(BLOCK)
        answer = wire.response()
    assert (answer.status, answer.body.decode()) == (200, f"{GIB} {crc}")
    assert_small(route)


def test_the_first_event_arrives_before_the_second_is_made(route):
    got_first = threading.Event()

    def script(e):
        e.send("HTTP/1.1 200 X\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n", "d\r\ndata: first\n\n\r\n")
        assert got_first.wait(20)
        e.send("e\r\ndata: second\n\n\r\n0\r\n\r\n")
    route.origin.on("/events", script)
    with route.service.plain() as wire:
        head = wire.request("GET", "/events", route.host).head()
        assert (head.status, head.header("content-type")) == (200, "text/event-stream")
        assert wire.chunk() == b"data: first\n\n"
        got_first.set()
        assert wire.chunk() == b"data: second\n\n"
        assert wire.chunk() == b""


def test_the_head_arrives_before_the_first_byte_of_the_body_is_made(route):
    got_head = threading.Event()

    def script(e):
        e.send("HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert got_head.wait(20)
        e.send("2\r\nok\r\n0\r\n\r\n")
    route.origin.on("/head-first", script)
    with route.service.plain() as wire:
        assert wire.request("GET", "/head-first", route.host).head().status == 200
        got_head.set()
        assert wire.chunk() == b"ok"


def test_the_first_piece_of_an_upload_arrives_before_the_second_is_sent(route):
    arrived = threading.Event()

    def script(e):
        pieces = e.pieces()
        first = next(pieces)
        arrived.set()
        e.answer(200, [], first + b"".join(pieces))
    route.origin.on("/upload", script)
    with route.service.plain() as wire:
        wire.send(f"POST /upload HTTP/1.1\r\nHost: {route.host}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        assert arrived.wait(20), "the first piece did not arrive while the second was held back"
        wire.send("6\r\nsecond\r\n0\r\n\r\n")
        assert wire.response().body == b"firstsecond"


def test_both_directions_stream_at_once(route):
    def script(e):
        e.send("HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in e.pieces():
            e.send(f"{len(piece):x}\r\n", piece, "\r\n")
        e.send("0\r\n\r\n")
    route.origin.on("/both", script)
    with route.service.plain() as wire:
        wire.send(f"POST /both HTTP/1.1\r\nHost: {route.host}\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nping\r\n")
        assert wire.head().status == 200
        for word in (b"ping", b"pong", b"ding"):
            got = b""
            while len(got) < 4:
                got += wire.chunk()
            assert got == word
            if word != b"ding":
                wire.send("4\r\n", {b"ping": b"pong", b"pong": b"ding"}[word], "\r\n")
        wire.send("0\r\n\r\n")
        assert wire.chunk() == b""


def test_readers_that_stall_stop_nobody_and_cost_little(make_service, make_route):
    route = make_route(make_service())
    size = 32 << 20

    def script(e):
        e.send(f"HTTP/1.1 200 X\r\nContent-Length: {size}\r\n\r\n")
        for _ in range(size // len(BLOCK)):
            e.sock.sendall(BLOCK)
    route.origin.on("/stall", script)
    stalled = []
    try:
        for _ in range(8):
            wire = route.service.plain(receive_buffer=65536)
            wire.request("GET", "/stall", route.host)
            assert wire.head().status == 200
            stalled.append(wire)
        for i in range(100):
            assert route.get(f"/small{i}", timeout=10).status == 200
        assert_small(route)
        whole = stalled[0].exactly(size)
        assert zlib.crc32(whole) == zlib.crc32(BLOCK * (size // len(BLOCK))), "the stalled answer is damaged"
    finally:
        for wire in stalled:
            wire.close()


def test_a_local_program_that_does_not_read_slows_its_own_caller_only(make_service, make_route):
    route = make_route(make_service())
    release, started = threading.Event(), threading.Event()

    def script(e):
        started.set()
        assert release.wait(60)
        e.answer(200, [], str(sum(len(p) for p in e.pieces())))
    route.origin.on("/unread", script)
    size = 48 << 20
    with route.service.plain(timeout=30) as wire:
        wire.send(f"PUT /unread HTTP/1.1\r\nHost: {route.host}\r\nContent-Length: {size}\r\n\r\n")
        sender = threading.Thread(target=lambda: [wire.sock.sendall(BLOCK) for _ in range(size // len(BLOCK))], daemon=True)
        sender.start()
        assert started.wait(20)
        for i in range(50):
            assert route.get(f"/small{i}", timeout=10).status == 200
        assert sender.is_alive(), "48 MiB went out although nobody read them"
        assert_small(route)
        release.set()
        assert wire.response().body == str(size).encode()


@pytest.mark.parametrize("moment", ["before the head", "in the body"])
def test_a_third_party_that_goes_away_aborts_the_local_program(route, moment):
    waiting, gone = threading.Event(), threading.Event()

    def script(e):
        if moment == "in the body":
            e.send("HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
        waiting.set()
        if e.wait_until_dropped(20):
            gone.set()
    path = "/leave-" + moment.replace(" ", "-")
    route.origin.on(path, script)
    with route.service.plain() as wire:
        wire.request("GET", path, route.host)
        assert waiting.wait(20)
        if moment == "in the body":
            assert wire.head().status == 200
            assert wire.chunk() == b"x"
    clock = Stopwatch()
    assert gone.wait(20), "the local program was never told"
    assert clock.seconds <= ABORT_SECONDS_MAX


def test_an_answer_before_the_end_of_the_upload_reaches_the_third_party(route):
    def script(e):
        e.keep = False
        e.has_read_body = True
        e.send("HTTP/1.1 413 X\r\nContent-Length: 4\r\nConnection: close\r\n\r\nless")
        e.wait_until_dropped(20)
    route.origin.on("/early", script)
    with route.service.plain() as wire:
        wire.send(f"POST /early HTTP/1.1\r\nHost: {route.host}\r\nContent-Length: 1000000\r\n\r\n", b"x" * 1000)
        answer = wire.response()
        assert (answer.status, answer.body) == (413, b"less")
    until("other requests are well", lambda: route.get("/fine").status == 200)
