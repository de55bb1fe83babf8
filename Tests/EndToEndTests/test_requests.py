"""A third party's request through Culvert's own agent to a local program, and the answer back."""
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "REPORT"]


@pytest.mark.parametrize("method", METHODS)
def test_every_method_arrives_as_itself(route, method):
    answer = route.get("/m?x=1", method=method, body=b"" if method in ("GET", "DELETE", "OPTIONS") else b"payload")
    assert answer.status == 200
    saw = answer.json()
    assert (saw["method"], saw["target"]) == (method, "/m?x=1")
    assert saw["body"] == ("" if method in ("GET", "DELETE", "OPTIONS") else "payload")


def test_head_has_the_headers_of_get_and_no_body(route):
    route.origin.on("/head", lambda e: e.answer(200, [("ETag", '"1"')], b"x" * 1234))
    with route.service.plain() as wire:
        answer = wire.request("HEAD", "/head", route.host).response("HEAD")
        assert (answer.status, answer.header("content-length"), answer.header("etag")) == (200, "1234", '"1"')
        assert wire.request("GET", "/head", route.host).response().body == b"x" * 1234


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_body_has_none_and_keeps_its_headers(route, status):
    def script(e):
        e.send(f"HTTP/1.1 {status} X\r\nETag: \"7\"\r\nX-More: yes\r\n\r\n")
    route.origin.on(f"/s{status}", script)
    with route.service.plain() as wire:
        answer = wire.request("GET", f"/s{status}", route.host).response()
        assert (answer.status, answer.header("etag"), answer.header("x-more")) == (status, '"7"', "yes")
        assert answer.header("transfer-encoding") is None
        assert wire.request("GET", "/after", route.host).response().status == 200


@pytest.mark.parametrize("status", [200, 201, 299, 301, 400, 404, 418, 500, 503, 599])
def test_a_status_is_passed_on(route, status):
    route.origin.on(f"/status{status}", lambda e: e.answer(status, [], b"body"))
    answer = route.get(f"/status{status}")
    assert (answer.status, answer.body) == (status, b"body")


@pytest.mark.parametrize("target", [
    "/", "/a%20b/%E2%82%AC?x=1&x=2&y=%2F", "/a//b", "/;p=1", "/?", "/a?b?c", "/~user/*", "/%61", "/a.b/..c/d..", "/a?x=../y"])
def test_path_and_query_arrive_untouched(route, target):
    assert route.get(target).json()["target"] == target


@pytest.mark.parametrize("target", [
    "/../secret", "/a/../../secret", "/%2e%2e/secret", "/%2E%2E/secret", "/a/%2e./secret", "/.%2E/secret", "/a/..", "/..%2fsecret",
    "/%252e%252e/../secret"])
def test_a_path_that_climbs_is_refused(route, target):
    before = len(route.origin.targets())
    answer = route.get(target)
    assert 400 <= answer.status < 500, answer
    assert len(route.origin.targets()) == before, "it reached the local program"


def test_two_set_cookies_stay_two(route):
    route.origin.on("/cookies", lambda e: e.answer(200, [("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2, c")]))
    assert route.get("/cookies").all("set-cookie") == ["a=1; Path=/", "b=2, c"]


def test_repeated_request_headers_stay_in_order(route):
    saw = route.get("/r", headers=[("X-Twice", "one"), ("X-Other", "-"), ("X-Twice", "two")]).json()
    assert [v for k, v in saw["headers"] if k.lower() == "x-twice"] == ["one", "two"]


def test_the_local_program_learns_who_asked_and_nobody_can_forge_it(route):
    forged = [("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-Host", "evil.example"), ("X-Forwarded-Proto", "gopher"),
              ("Forwarded", "for=6.6.6.6"), ("X-Real-IP", "6.6.6.6"), ("Inkbox-Request-Id", "forged"), ("X-Forwarded-Port", "1")]
    with route.service.secure(route.host) as wire:
        saw = wire.request("GET", "/who", route.host, forged).response().json()
    headers = {}
    for k, v in saw["headers"]:
        headers.setdefault(k.lower(), []).append(v)
    assert headers["x-forwarded-for"] == ["127.0.0.1"]
    assert [h.split(":")[0] for h in headers["x-forwarded-host"]] == [route.host]
    assert headers["x-forwarded-proto"] == ["https"]
    assert len(headers["forwarded"]) == 1 and "127.0.0.1" in headers["forwarded"][0]
    assert "x-real-ip" not in headers and "x-forwarded-port" not in headers
    assert not [h for h in headers if h.startswith("inkbox-")]


def test_hop_by_hop_headers_stop_at_the_edge(route):
    saw = route.get("/hop", headers=[("Connection", "X-Hop, keep-alive"), ("X-Hop", "1"), ("Keep-Alive", "timeout=5"),
                                     ("TE", "trailers"), ("Proxy-Authorization", "Basic eDp5"), ("X-Stay", "1")]).json()
    names = {k.lower() for k, _ in saw["headers"]}
    assert "x-stay" in names
    assert not names & {"x-hop", "keep-alive", "proxy-authorization"}
    # Our agent carries trailers, and says so in its own name on each hop (RFC 9110 section 10.1.4).
    assert [v for k, v in saw["headers"] if k.lower() in ("te", "connection")] == ["trailers", "te"]


def test_hop_by_hop_headers_of_the_local_program_stop_at_the_agent(route):
    route.origin.on("/hopback", lambda e: e.answer(200, [
        ("Connection", "X-Gone"), ("X-Gone", "1"), ("Keep-Alive", "timeout=9"), ("X-Stay", "1"), ("Inkbox-Reason", "agent-offline")]))
    answer = route.get("/hopback")
    assert answer.header("x-stay") == "1"
    assert answer.header("x-gone") is None and answer.header("keep-alive") is None
    assert answer.reason is None, "an origin must not be able to speak for the service"


def test_many_requests_on_one_connection(route):
    with route.service.plain() as wire:
        for i in range(20):
            assert wire.request("GET", f"/k{i}", route.host).response().json()["target"] == f"/k{i}"


def test_pipelined_requests_are_answered_in_order(route):
    with route.service.plain() as wire:
        wire.send(*(f"GET /p{i} HTTP/1.1\r\nHost: {route.host}\r\n\r\n" for i in range(10)))
        assert [wire.response().json()["target"] for _ in range(10)] == [f"/p{i}" for i in range(10)]


def test_a_pipelined_request_after_a_body_is_its_own(route):
    with route.service.plain() as wire:
        wire.send(f"POST /one HTTP/1.1\r\nHost: {route.host}\r\nContent-Length: 5\r\n\r\nhello"
                  f"POST /two HTTP/1.1\r\nHost: {route.host}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nworld\r\n0\r\n\r\n"
                  f"GET /three HTTP/1.1\r\nHost: {route.host}\r\n\r\n")
        assert [wire.response().json()["body"] for _ in range(3)] == ["hello", "world", ""]


def test_connection_close_is_honoured(route):
    with route.service.plain() as wire:
        answer = wire.request("GET", "/", route.host, [("Connection", "close")]).response()
        assert answer.status == 200 and (answer.header("connection") or "").lower() == "close"
        assert wire.is_closed()


def test_http_1_0_gets_an_answer_that_it_can_frame(route):
    route.origin.on("/old", lambda e: e.send("HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"))
    with route.service.plain() as wire:
        answer = wire.request("GET", "/old", route.host, version="HTTP/1.0").response()
        assert answer.header("transfer-encoding") is None, "HTTP/1.0 knows no chunks"
        assert answer.body == b"abc"
        assert wire.is_closed()


def test_a_chunked_body_arrives_whole_and_its_trailers_are_no_headers(route):
    with route.service.plain() as wire:
        wire.send(f"POST /chunks HTTP/1.1\r\nHost: {route.host}\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
                  "4;ext=1\r\nWiki\r\n1\r\np\r\nA\r\nedia parts\r\n0\r\nX-Sum: 1\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n")
        saw = wire.response().json()
        assert saw["body"] == "Wikipedia parts"
        assert "x-sum" not in {k.lower() for k, _ in saw["headers"]}
        assert wire.request("GET", "/next", route.host).response().json()["target"] == "/next"


def test_a_chunked_answer_with_trailers_arrives_whole(route):
    route.origin.on("/chunked", lambda e: e.send(
        "HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n"))
    with route.service.plain() as wire:
        assert wire.request("GET", "/chunked", route.host).response().body == b"hello world"
        assert wire.request("GET", "/next", route.host).response().status == 200


def test_an_answer_that_ends_with_its_connection_arrives_whole(route):
    def script(e):
        e.keep = False
        e.send("HTTP/1.1 200 X\r\nConnection: close\r\n\r\n", b"z" * 100_000)
    route.origin.on("/until-close", script)
    with route.service.plain() as wire:
        assert wire.request("GET", "/until-close", route.host).response().body == b"z" * 100_000
        assert wire.request("GET", "/next", route.host).response().status == 200


def test_an_answer_cut_short_is_not_passed_off_as_whole(route):
    def script(e):
        e.keep = False
        e.send("HTTP/1.1 200 X\r\nContent-Length: 1000\r\n\r\n", b"z" * 10)
    route.origin.on("/cut", script)
    with route.service.plain() as wire:
        try:
            head = wire.request("GET", "/cut", route.host).head()
        except ConnectionResetError:
            return  # the reset that says so overtook the head
        if head.status == 200:
            with pytest.raises(Exception):
                wire.body(head)
        else:
            assert head.status == 502


def test_expect_100_is_answered_before_the_body_is_sent(route):
    with route.service.plain() as wire:
        wire.send(f"POST /expect HTTP/1.1\r\nHost: {route.host}\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        assert wire.head().status == 100
        wire.send("body")
        saw = wire.response().json()
        assert saw["body"] == "body" and "expect" not in {k.lower() for k, _ in saw["headers"]}


def test_an_unknown_expectation_is_refused(route):
    with route.service.plain() as wire:
        wire.send(f"POST /expect HTTP/1.1\r\nHost: {route.host}\r\nContent-Length: 0\r\nExpect: miracle\r\n\r\n")
        assert wire.response().status == 417


def test_interim_answers_of_the_local_program_do_no_harm(route):
    route.origin.on("/hints", lambda e: e.send("HTTP/1.1 103 X\r\nLink: </a>\r\n\r\nHTTP/1.1 102 X\r\n\r\n"
                                               "HTTP/1.1 200 X\r\nContent-Length: 2\r\n\r\nok"))
    with route.service.plain() as wire:
        answer = wire.request("GET", "/hints", route.host).response()
        assert (answer.status, answer.body) == (200, b"ok")
        assert wire.request("GET", "/next", route.host).response().status == 200


def test_headers_below_the_limit_pass_and_above_it_are_431(route):
    assert route.get("/many", headers=[(f"X-H{i}", "v" * 400) for i in range(80)]).status == 200
    for headers in ([("X-Big", "v" * 70_000)], [(f"X-H{i}", "v") for i in range(110)]):
        with route.service.plain() as wire:
            answer = wire.request("GET", "/too-many", route.host, headers).response()
            assert (answer.status, answer.reason) == (431, "headers-too-large")
            assert wire.is_closed()
    assert "/too-many" not in route.origin.targets()


def test_a_header_value_that_is_not_utf8_survives_or_is_refused_but_harms_nobody(route):
    with route.service.plain() as wire:
        wire.send(f"GET /latin HTTP/1.1\r\nHost: {route.host}\r\nX-L: caf".encode(), b"\xe9\r\n\r\n")
        answer = wire.response()
        if answer.status == 200:
            assert dict(answer.json()["headers"])["x-l"] in ("caf\xe9",)
        else:
            assert (answer.status, answer.reason) == (400, "invalid-header")
    assert route.get("/after").status == 200


def test_two_hundred_requests_at_once(route):
    def one(i):
        return route.get(f"/par?i={i}", method="POST", body=b"%d" % i, timeout=30)
    with ThreadPoolExecutor(200) as pool:
        answers = list(pool.map(one, range(200)))
    assert [a.status for a in answers] == [200] * 200
    assert [(a.json()["target"], a.json()["body"]) for a in answers] == [(f"/par?i={i}", str(i)) for i in range(200)]


def test_a_local_program_that_is_down_is_a_502_and_no_secret(make_route, service):
    own = make_route(service)
    own.origin.close()
    answer = own.get("/gone")
    assert answer.status == 502, answer
    assert str(own.origin.port).encode() not in answer.body, "where the local program listens is nobody's business"


def test_curl_by_the_public_name(route, service):
    plain = subprocess.run(["curl", "-sS", "--max-time", "10", f"http://{route.host}:{service.http_port}/curl?x=1"],
                           capture_output=True, text=True)
    assert '"target": "/curl?x=1"' in plain.stdout, plain
    secure = subprocess.run(["curl", "-sS", "--max-time", "10", "--cacert", service.ca, f"https://{route.host}:{service.https_port}/curl"],
                            capture_output=True, text=True)
    assert '"target": "/curl"' in secure.stdout, secure
    assert '"X-Forwarded-Proto", "https"' in secure.stdout or '"x-forwarded-proto", "https"' in secure.stdout, secure.stdout
