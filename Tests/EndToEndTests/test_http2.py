"""Third parties that speak HTTP/2."""
import subprocess

import httpx
import pytest

from support.http2 import H2Party
from support.wire import Answer


@pytest.fixture
def party(route):
    with H2Party(route.service, route.host) as party:
        yield party


def test_httpx_by_http2(route, service):
    with httpx.Client(http2=True, verify=service.tls(check_hostname=True)) as client:
        url = f"https://127.0.0.1:{service.https_port}"
        options = {"headers": {"host": route.host}, "extensions": {"sni_hostname": route.host}}
        for i in range(5):
            answer = client.post(f"{url}/x?i={i}", content=b"body%d" % i, **options)
            assert (answer.http_version, answer.status_code) == ("HTTP/2", 200)
            assert (answer.json()["target"], answer.json()["body"]) == (f"/x?i={i}", f"body{i}")


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_curl_by_either_version(route, service, version):
    out = subprocess.run(["curl", "-sS", "--max-time", "20", version, "--cacert", service.ca, "-w", "%{http_version} %{http_code}",
                          "--data-binary", "hello", f"https://{route.host}:{service.https_port}/c"], capture_output=True, text=True)
    assert out.returncode == 0, out
    assert out.stdout.endswith({"--http1.1": "1.1 200", "--http2": "2 200"}[version]) and '"body": "hello"' in out.stdout


def test_nghttp_gets_the_answer(route, service):
    # It knows no names under localhost, and has no option for the address.
    out = subprocess.run(["nghttp", "-v", "-H", f":authority: {route.host}", f"https://127.0.0.1:{service.https_port}/by-nghttp"],
                         capture_output=True, text=True, timeout=60)
    assert out.returncode == 0 and ":status: 200" in out.stdout and '"target": "/by-nghttp"' in out.stdout, out


def test_h2load_finishes_every_request(route, service):
    route.origin.on("/load", lambda e: e.answer(200, [], b"Hello, world!"))
    out = subprocess.run(["h2load", "-n2000", "-c4", "-m25", f"--connect-to=127.0.0.1:{service.https_port}", f"https://{route.host}:{service.https_port}/load"],
                         capture_output=True, text=True, timeout=60)
    assert "2000 done, 2000 succeeded, 0 failed" in out.stdout, out.stdout + out.stderr


def test_every_part_of_a_request_and_its_answer(party, route):
    route.origin.on("/both", lambda e: e.answer(201, [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("X-Echo", e.header("x-a"))], e.body()))
    answer = party.request("PUT", "/both", [("x-a", "1")], b"payload")
    assert (answer.status, answer.body, answer.header("x-echo")) == (201, b"payload", "1")
    assert answer.all("set-cookie") == ["a=1", "b=2"]
    assert all(k == k.lower() for k, _ in answer.headers)
    assert not {k for k, _ in answer.headers} & {"connection", "keep-alive", "transfer-encoding", "upgrade", "proxy-connection"}


def test_cookie_crumbs_become_one_cookie(party):
    saw = party.request("GET", "/crumbs", [("cookie", "a=1"), ("x-m", "1"), ("cookie", "b=2")]).json()
    assert [v for k, v in saw["headers"] if k.lower() == "cookie"] == ["a=1; b=2"]


def test_head_and_bodiless_statuses(party, route):
    route.origin.on("/none", lambda e: e.send("HTTP/1.1 204 X\r\nX-A: 1\r\n\r\n"))
    head = party.request("HEAD", "/h")
    assert (head.status, head.body) == (200, b"")
    none = party.request("GET", "/none")
    assert (none.status, none.body, none.header("x-a")) == (204, b"", "1")


def test_a_large_body_each_way(party, route):
    route.origin.on("/mirror", lambda e: e.answer(200, [], e.body()))
    body = bytes(range(256)) * 16384
    answer = party.request("POST", "/mirror", [], body)
    assert answer.status == 200 and answer.body == body


def test_many_streams_at_once_are_answered_each_with_its_own(party):
    streams = {party.start(path=f"/s{i}"): i for i in range(100)}
    for stream, i in streams.items():
        assert party.finish(stream).json()["target"] == f"/s{i}"


def test_a_stream_that_is_not_read_stops_no_other(party, route):
    route.origin.on("/big", lambda e: e.answer(200, [], b"x" * (1 << 20)))
    party.h2.acknowledge_received_data = lambda *a, **k: None  # from here on nothing is credited
    blocked = party.start(path="/big")
    while len(party.answers[blocked][2]) < 65535:
        party.step()
    del party.h2.acknowledge_received_data
    assert party.request("GET", "/small").status == 200
    party.h2.increment_flow_control_window(1 << 20, blocked)
    party.flush()
    assert len(party.finish(blocked).body) == 1 << 20


def test_a_reset_stream_aborts_the_local_program(party, route):
    import threading
    started, gone = threading.Event(), threading.Event()

    def script(e):
        started.set()
        if e.wait_until_dropped(20):
            gone.set()
    route.origin.on("/cancel", script)
    stream = party.start(path="/cancel")
    assert started.wait(20)
    party.h2.reset_stream(stream, error_code=8)
    party.flush()
    assert gone.wait(20)
    assert party.request("GET", "/next").status == 200


def test_problems_are_told_in_http2_too(service):
    tunnel = service.tunnel()
    with H2Party(service, tunnel.host) as party:
        answer = party.request()
        assert (answer.status, answer.reason) == (502, "agent-offline")


def test_expect_100_continue(party):
    answer = party.request("POST", "/expect", [("expect", "100-continue")], b"body")
    assert answer.status == 200 and answer.json()["body"] == "body"


BAD = {
    "an upper-case name": [("X-Upper", "1")],
    "connection": [("connection", "close")],
    "transfer-encoding": [("transfer-encoding", "chunked")],
    "upgrade": [("upgrade", "h2c")],
    "keep-alive": [("keep-alive", "5")],
    "te that is not trailers": [("te", "gzip")],
    "CR and LF in a value": [("x-a", "1\r\nx-b: 2")],
    "LF in a value": [("x-a", "1\nx-b: 2")],
    "NUL in a value": [("x-a", "1\x002")],
    "a space in a name": [("x a", "1")],
    "a colon in a name": [("x:a", "1")],
    "CR LF in a name": [("x-a: 1\r\nx-b", "1")],
    "an unknown pseudo-header": [(":magic", "1")],
    "a second path": [(":path", "/other")],
    "a pseudo-header after a field": [("x-a", "1"), (":authority", "other.localhost")],
    "a length that is too long": [("content-length", "5")],
    "a length that is no number": [("content-length", "x")],
    "two lengths": [("content-length", "0"), ("content-length", "5")],
    "a host that disagrees": [("host", "other.localhost")],
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_field_harms_its_own_stream_only(route, name):
    before = len(route.origin.targets())
    with H2Party(route.service, route.host) as party:
        stream = party.start(path="/bad", headers=BAD[name])
        try:
            answer = party.finish(stream)
        except EOFError:
            pytest.fail("the whole connection was cut")
        assert answer is None or answer.status in (400, 421), answer
        assert len(route.origin.targets()) == before, "it reached the local program"
        assert party.request("GET", "/good").status == 200


@pytest.mark.parametrize("changed", [
    {":path": ""}, {":path": "relative"}, {":path": "/a b"}, {":path": "/a\r\nx-b: 1"}, {":path": "/a\0"}, {":path": "/#f"},
    {":method": "G T"}, {":method": ""}, {":method": "GET /x HTTP/1.1\r\nx: "}, {":scheme": ""}, {":authority": ""},
    {":authority": "me@{host}"}, {":path": None}, {":method": None}, {":scheme": None}])
def test_bad_pseudo_headers_harm_their_own_stream_only(route, changed):
    before = len(route.origin.targets())
    with H2Party(route.service, route.host) as party:
        fields = {":method": "GET", ":scheme": "https", ":authority": route.host, ":path": "/bad"}
        fields.update({k: v if v is None else v.format(host=route.host) for k, v in changed.items()})
        stream = party.h2.get_next_available_stream_id()
        party.h2.send_headers(stream, [(k, v) for k, v in fields.items() if v is not None], end_stream=True)
        party.answers[stream] = [None, [], bytearray(), False]
        party.flush()
        answer = party.finish(stream)
        assert answer is None or answer.status in (400, 421), answer
        assert len(route.origin.targets()) == before, "it reached the local program"
        assert party.request("GET", "/good").status == 200


def test_a_body_longer_than_announced_is_cut(route):
    ended = []

    def script(e):
        ended.append(e.body())
        e.answer()
    route.origin.on("/longer", script)
    with H2Party(route.service, route.host) as party:
        stream = party.start("POST", "/longer", [("content-length", "3")], end=False)
        party.send(stream, b"hello")
        answer = party.finish(stream)
        assert answer is None or answer.status == 400
        assert party.request("GET", "/good").status == 200
    assert b"hello" not in ended


def test_trailers_of_a_request_are_no_headers(party):
    stream = party.start("POST", "/trailers", end=False)
    party.h2.send_data(stream, b"body")
    party.h2.send_headers(stream, [("x-trailer", "1")], end_stream=True)
    party.flush()
    answer = party.finish(stream)
    assert isinstance(answer, Answer) and answer.json()["body"] == "body"
    assert "x-trailer" not in {k.lower() for k, _ in answer.json()["headers"]}
