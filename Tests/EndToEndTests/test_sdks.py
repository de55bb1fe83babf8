"""Both published SDKs, unmodified, before a URL and before an ASGI application: requests and WebSockets."""
import base64
import os
import queue
import threading
from contextlib import ExitStack

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect as dial

from support.sdks import VERSIONS, Sdk
from support.shared_tls import through_tls
from support.waiting import until
from test_websockets import Echo

# What always fits the window of an SDK: one outer frame with one envelope (data plane, section 6).
FRAMED_BYTES_MAX = 32 * 1024
OUTER_HEADER_BYTES, LENGTH_BYTES = 4, 4
TEXT_BYTES_MAX = FRAMED_BYTES_MAX - OUTER_HEADER_BYTES - LENGTH_BYTES - len('{"type":"text","data":""}')
BASE64_BYTES_MAX = FRAMED_BYTES_MAX - OUTER_HEADER_BYTES - LENGTH_BYTES - len('{"type":"binary","data":""}')
BINARY_BYTES_MAX = BASE64_BYTES_MAX // 4 * 3


class Talk:
    """An SDK's agent before something that echoes WebSockets and answers requests."""

    def __init__(self, service, folder, version, target):
        self.service, self.is_url = service, target == "url"
        self.echo = Echo() if self.is_url else None
        self.sdk = Sdk(service, folder, version, f"http://127.0.0.1:{self.echo.port}" if self.is_url else "asgi")
        self.host = self.sdk.host

    def dial(self, path="/", **options):
        return dial(f"ws://{self.host}:{self.service.https_port}{path}", open_timeout=20, close_timeout=10, compression=None,
                    max_size=4 << 20, sock=through_tls(self.service.https_port, self.service.tls(), self.host), **options)

    def hear_close(self, code):
        """Waits until the program behind the agent is told of the close with this code."""
        if self.is_url:
            until(f"the origin hears the close with {code}", lambda: code in [heard for _, heard, _ in self.echo.closes])
        else:
            self.sdk.wait(f"closed {code}")

    def answers(self):
        """Whether a request gets through; what answers it is not a WebSocket's."""
        return self.service.get(self.host, "/refuse").status == (403 if self.is_url else 200)

    def close(self):
        self.sdk.kill()
        if self.echo:
            self.echo.close()


@pytest.fixture(scope="module", params=[(version, target) for version in VERSIONS for target in ("url", "asgi")], ids="-".join)
def talk(request, service, tmp_path_factory):
    one = Talk(service, tmp_path_factory.mktemp("sdk"), *request.param)
    yield one
    one.close()


@pytest.fixture(scope="module", params=[(version, target) for version in VERSIONS for target in ("url", "asgi")], ids="-".join)
def asked(request, service, origin, tmp_path_factory):
    """An SDK's agent before the shared origin, or before an application that answers alike."""
    version, target = request.param
    one = Sdk(service, tmp_path_factory.mktemp("sdk"), version, f"http://127.0.0.1:{origin.port}" if target == "url" else "asgi")
    yield one
    one.kill()


# Requests


@pytest.mark.parametrize("http2", [False, True])
def test_requests_and_answers_pass_whole(asked, http2):
    with httpx.Client(http1=not http2, http2=http2, verify=asked.service.tls(), timeout=60) as client:
        for size in (0, 1, 65_536, 300_000):
            answer = client.post(f"https://127.0.0.1:{asked.service.https_port}/in?size={size}", content=b"x" * size,
                                 headers={"Host": asked.host, "X-Probe": "7", "X-Forwarded-For": "6.6.6.6"},
                                 extensions={"sni_hostname": asked.host})
            assert answer.status_code == 200 and answer.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
            seen = answer.json()
            headers = [(name.lower(), value) for name, value in seen["headers"]]
            assert (seen["method"], seen["target"], len(seen["body"])) == ("POST", f"/in?size={size}", size)
            assert ("x-probe", "7") in headers and [v for k, v in headers if k == "x-forwarded-for"] == ["127.0.0.1"]
            assert ("x-forwarded-host", asked.host) in headers


def test_requests_at_once_each_get_their_own_answer(asked):
    answers = queue.Queue()

    def one(number):
        answers.put((number, asked.service.get(asked.host, f"/{number}", timeout=60).json()["target"]))
    threads = [threading.Thread(target=one, args=(number,), daemon=True) for number in range(32)]
    for thread in threads:
        thread.start()
    for _ in threads:
        number, target = answers.get(timeout=60)
        assert target == f"/{number}"


# WebSockets


def test_text_and_binary_come_back(talk):
    with talk.dial("/echo?q=1") as ws:
        assert ws.response.headers["x-origin"] == "yes" and ws.subprotocol is None
        for message in ("", "hello", "h\u00e9 \U0001f600 \"quoted\" \\ \x00 \x7f", b"", bytes(range(256)), b"x" * 20_000):
            ws.send(message)
            assert ws.recv(timeout=20) == message


def test_fragments_become_one_message(talk):
    with talk.dial() as ws:
        ws.send(["a", "b", "", "c"])
        assert ws.recv(timeout=20) == "abc"
        ws.send([b"\0", b"\xff"])
        assert ws.recv(timeout=20) == b"\0\xff"


def test_the_largest_message_that_fits_the_window_passes_and_the_next_closes_with_1009(talk):
    for fits, over in (("x" * TEXT_BYTES_MAX, "x" * (TEXT_BYTES_MAX + 1)),
                       (os.urandom(BINARY_BYTES_MAX), os.urandom(BINARY_BYTES_MAX + 3))):
        with talk.dial() as ws:
            # Again and again: an SDK gives its window back for whole envelopes alone.
            for _ in range(8):
                ws.send(fits)
                assert ws.recv(timeout=20) == fits
            ws.send(over)
            with pytest.raises(ConnectionClosed) as e:
                ws.recv(timeout=20)
            assert e.value.rcvd.code == 1009, e.value
        talk.hear_close(1009)


def test_sixty_kilobytes_close_that_websocket_and_disturb_nothing_else(talk):
    with talk.dial() as other, talk.dial() as large:
        other.send("before")
        assert other.recv(timeout=20) == "before"
        large.send(base64.b64encode(os.urandom(45_000)).decode())
        with pytest.raises(ConnectionClosed) as e:
            large.recv(timeout=20)
        assert e.value.rcvd.code == 1009, e.value
        for number in range(20):
            other.send("y" * 20_000 + str(number))
            assert other.recv(timeout=20) == "y" * 20_000 + str(number)
            assert talk.answers()
    assert talk.sdk.process.poll() is None


def test_many_messages_at_once_freeze_nothing(talk):
    """Each WebSocket by itself would fill the one window that they share."""
    message = "z" * 30_000
    with ExitStack() as opened:
        sockets = [opened.enter_context(talk.dial()) for _ in range(6)]
        for _ in range(3):
            for ws in sockets:
                ws.send(message)
            assert talk.answers()
            for ws in sockets:
                assert ws.recv(timeout=30) == message


def test_a_mebibyte_comes_from_behind_the_sdk(talk):
    with talk.dial("/large") as ws:
        assert ws.recv(timeout=40) == bytes(1 << 20)


def test_subprotocol(talk):
    with talk.dial(subprotocols=["chat.v1", "chat.v2"]) as ws:
        assert ws.subprotocol == "chat.v2"


def test_close_codes_travel_both_ways(talk):
    with talk.dial("/close-at-once") as ws:
        with pytest.raises(ConnectionClosed) as e:
            ws.recv(timeout=20)
        assert e.value.rcvd.code == 4007, e.value
    with talk.dial() as ws:
        ws.close(4010, "bye")
    talk.hear_close(4010)


def test_a_refusal_is_the_answer(talk):
    with pytest.raises(InvalidStatus) as e:
        talk.dial("/refuse").close()
    assert e.value.response.status_code == 403


def test_an_sdk_that_is_killed_costs_its_websockets_1012(service, tmp_path):
    talk = Talk(service, tmp_path, "0.7.20", "asgi")
    with talk.dial() as ws:
        ws.send("up")
        assert ws.recv(timeout=20) == "up"
        talk.sdk.kill()
        with pytest.raises(ConnectionClosed) as e:
            ws.recv(timeout=20)
        assert e.value.rcvd.code == 1012, e.value
