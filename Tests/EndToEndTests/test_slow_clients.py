"""Clients that are slow on purpose are all gone within 35 seconds; they are tried side by side, so the test takes as long as one."""
import socket
import ssl
import threading
import time

from support.waiting import Stopwatch

GONE_SECONDS_MAX = 35


def connected(port):
    sock = socket.create_connection(("127.0.0.1", port), 10)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def is_gone(sock):
    """Whether the service has ended this connection (whatever it said before)."""
    sock.setblocking(False)
    try:
        while True:
            if not sock.recv(65536):
                return True
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    except OSError:
        return True


class Dripper(threading.Thread):
    """Sends one piece a second until it is cut off; notes after how long."""

    def __init__(self, what, sock, pieces):
        super().__init__(daemon=True)
        self.what, self.sock, self.pieces, self.gone_after = what, sock, pieces, None
        self.start()

    def run(self):
        clock = Stopwatch()
        while clock.seconds < GONE_SECONDS_MAX + 2:
            try:
                piece = next(self.pieces, b"")
                if piece:
                    self.sock.setblocking(True)
                    self.sock.sendall(piece)
            except OSError:
                self.gone_after = clock.seconds
                return
            end = time.monotonic() + 1
            while time.monotonic() < end:
                if is_gone(self.sock):
                    self.gone_after = clock.seconds
                    return
                time.sleep(0.05)  # the drip itself: a slow client is slow


def forever(piece):
    while True:
        yield piece


def after(first, piece):
    yield first
    yield from forever(piece)


def test_slow_senders_are_cut_off(route, service):
    head = f"POST /slow HTTP/1.1\r\nHost: {route.host}\r\n".encode()
    plain, secure = service.http_port, service.https_port
    agent = service.secure("localhost", alpn=["h2"]).sock
    drippers = [
        Dripper("says nothing", connected(plain), iter(())),
        Dripper("drips its head", connected(plain), after(head, b"X-A: 1\r\n")),
        Dripper("never ends its request line", connected(plain), forever(b"G")),
        Dripper("no TLS hello", connected(secure), iter(())),
        Dripper("drips its TLS hello", connected(secure), after(b"\x16\x03\x01\x02\x00\x01", b"\x00")),
        Dripper("drips its body", connected(plain), after(head + b"Content-Length: 100000\r\n\r\n", b"x")),
        Dripper("drips its chunks", connected(plain), after(head + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n")),
        Dripper("drips a chunk extension", connected(plain), after(head + b"Transfer-Encoding: chunked\r\n\r\n5;", b"a")),
        Dripper("an agent that never says hello", agent, iter(())),
    ]
    for dripper in drippers:
        dripper.join(GONE_SECONDS_MAX + 10)
    late = [(d.what, d.gone_after) for d in drippers if d.gone_after is None or d.gone_after > GONE_SECONDS_MAX]
    assert late == []
    early = [(d.what, d.gone_after) for d in drippers if d.gone_after < 5]
    assert early == [], "patience has a lower bound too: slow networks exist"
    assert route.get("/fine").status == 200
