"""200 MiB for a third party that never reads cost the service next to no memory; when it leaves, the local program is told."""
import socket
import threading

import pytest

from support.client_hello import client_hello
from support.http2 import H2Party
from support.processes import resident_kib
from support.waiting import until
from test_passthrough import activate, carry, make_tls, settled  # noqa: F401 - two of them are fixtures

PUSHED_BYTES = 200 << 20
GROWTH_KIB_MAX = 2 * 1024
BLOCK = bytes(1 << 16)


class Pusher:
    """A local program that sends 200 MiB as fast as they are taken."""

    def __init__(self):
        self.sent, self.gone = [0], threading.Event()

    def push(self, sock):
        """Until all are sent, or nobody is there to take them."""
        try:
            while self.sent[0] < PUSHED_BYTES:
                self.sent[0] += sock.send(BLOCK)
        except OSError:
            self.gone.set()

    def answer(self, exchange):
        exchange.keep = False
        exchange.send(f"HTTP/1.1 200 X\r\nContent-Length: {PUSHED_BYTES}\r\n\r\n")
        self.push(exchange.sock)


def ask_http1(service, host):
    """Connections and how to make them ask; nothing that they get is read."""
    wire = service.secure(host, alpn=["http/1.1"], timeout=30, receive_buffer=1 << 16)
    assert wire.request("GET", "/small", host).response().status == 200
    return wire, lambda: wire.request("GET", "/unread", host)


def ask_http2(service, host):
    party = H2Party(service, host)
    party.h2.update_settings({4: (1 << 31) - 1})  # INITIAL_WINDOW_SIZE: it promises to take everything
    assert party.request("GET", "/small").status == 200
    return party.wire, lambda: party.start(path="/unread")


def assert_costs_little(service, agent, pusher, wire, ask):
    """Asks, waits until the local program is held up, looks at the memory, and leaves."""
    before = resident_kib(service.pid), resident_kib(agent.pid)
    ask()
    until("the local program is held up", lambda: settled(pusher.sent), 60)
    assert pusher.sent[0] < PUSHED_BYTES, "somebody has taken 200 MiB that nobody reads"
    growth = resident_kib(service.pid) - before[0], resident_kib(agent.pid) - before[1]
    assert growth[0] < GROWTH_KIB_MAX, f"service and agent grew by {growth} KiB, while {pusher.sent[0]} bytes were taken"
    wire.close()
    assert pusher.gone.wait(30), "the local program was never told that its reader is gone"


@pytest.mark.parametrize("ask", [ask_http1, ask_http2])
def test_a_third_party_of_the_edge(make_service, make_route, ask):
    route, pusher = make_route(make_service()), Pusher()
    route.origin.on("/unread", pusher.answer)
    assert_costs_little(route.service, route.agent, pusher, *ask(route.service, route.host))


@pytest.mark.parametrize("ask", [ask_http1, ask_http2])
def test_a_third_party_whose_tls_ends_in_the_agent(make_service, make_tls, origin, ask):  # noqa: F811
    service, pusher = make_service(), Pusher()
    tls = make_tls(str(origin.port), own_service=service).up()
    origin.on("/unread", pusher.answer)
    assert_costs_little(service, tls.agent, pusher, *ask(service, tls.host))


def test_a_third_party_of_a_tls_server_of_ones_own(make_service, carry):  # noqa: F811
    pusher, service = Pusher(), make_service()
    tls, _ = carry(pusher.push, own_service=service)
    activate(tls)
    sock = socket.create_connection(("127.0.0.1", service.https_port), timeout=30)
    assert_costs_little(service, tls.agent, pusher, sock, lambda: sock.sendall(client_hello(tls.host)))
