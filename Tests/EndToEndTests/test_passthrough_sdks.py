"""TLS passthrough with both published Inkbox SDKs as agents, which frame what our own agent does not."""
import hashlib
import os
import queue
import threading

import pytest

from support.sdks import VERSIONS, Sdk
from test_passthrough import MIB, ask


@pytest.fixture(params=VERSIONS)
def sdk(request, service, origin, tmp_path):
    own = Sdk(service, tmp_path, request.param, f"http://127.0.0.1:{origin.port}", tls_mode="passthrough")
    yield own
    own.kill()


@pytest.mark.parametrize("http2", [False, True])
def test_requests_pass(sdk, http2):
    for number in range(8):
        answer = ask(sdk, "POST", f"/echo?{number}", http2, content=b"x" * number * 9_000)
        assert answer.status_code == 200 and answer.json()["target"] == f"/echo?{number}"
        assert len(answer.json()["body"]) == number * 9_000 and answer.http_version == ("HTTP/2" if http2 else "HTTP/1.1")


def test_more_than_a_window_passes_both_ways(sdk, origin):
    origin.on("/same", lambda exchange: exchange.answer(body=exchange.body()))
    body = os.urandom(MIB)
    answer = ask(sdk, "POST", "/same", False, content=body)
    assert hashlib.sha256(answer.content).digest() == hashlib.sha256(body).digest()


def test_many_at_once_do_not_lock_each_other(sdk, origin):
    """Together they want more than the SDK's one window, which only whole frames give back."""
    origin.on("/same", lambda exchange: exchange.answer(body=exchange.body()))
    body, answers = os.urandom(200_000), queue.Queue()

    def one():
        answers.put(ask(sdk, "POST", "/same", False, content=body).content)
    threads = [threading.Thread(target=one, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert answers.get(timeout=60) == body
