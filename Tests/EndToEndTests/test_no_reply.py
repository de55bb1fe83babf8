"""What a third party sees when there is no reply, and how soon."""
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.processes import new_name
from support.waiting import Stopwatch, until

LOST_SECONDS_MAX = 1.0
BACK_SECONDS_MAX = 2.0
WAITING_REQUESTS_MAX = 128


def assert_honest(answer, status, reason):
    """A small problem document that no cache keeps."""
    assert (answer.status, answer.reason) == (status, reason), answer
    assert answer.header("cache-control") == "no-store"
    assert (answer.header("content-type") or "").startswith("application/problem+json")
    problem = answer.json()
    assert problem["status"] == status and problem["title"] and problem["detail"]


def test_a_host_that_is_no_tunnel(service):
    assert_honest(service.get(new_name() + ".localhost"), 404, "no-such-tunnel")


@pytest.mark.parametrize("host", ["deep.name.localhost", "-bad-.localhost", "UPPER_case.localhost", "example.org", "localhost.example.org"])
def test_a_host_that_cannot_be_a_tunnel_is_no_server_error(service, host):
    assert 400 <= service.get(host).status < 500


def test_a_tunnel_without_agent(service):
    assert_honest(service.get(service.tunnel().host), 502, "agent-offline")


def test_a_person_gets_a_page(service):
    answer = service.get(service.tunnel().host, headers=[("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")])
    assert (answer.status, answer.reason) == (502, "agent-offline")
    assert answer.header("content-type").startswith("text/html") and b"<html" in answer.body.lower()


def test_the_page_echoes_nothing_that_was_asked(service):
    answer = service.get(service.tunnel().host, "/<script>alert(1)</script>?q=<b>", headers=[("Accept", "text/html")])
    assert b"<script>alert" not in answer.body


def test_head_of_a_problem_has_no_body(service):
    host = service.tunnel().host
    with service.plain() as wire:
        assert wire.request("HEAD", "/", host).response("HEAD").status == 502
        assert wire.request("GET", "/", host).response().status == 502


def test_a_deleted_tunnel(service):
    tunnel = service.tunnel()
    assert service.call("DELETE", f"/api/v1/tunnels/{tunnel.id}").status == 200
    assert_honest(service.get(tunnel.host), 404, "tunnel-inactive")
    assert service.call("POST", f"/api/v1/tunnels/{tunnel.id}/restore").status == 200
    assert_honest(service.get(tunnel.host), 502, "agent-offline")
    service.call("DELETE", f"/api/v1/tunnels/{tunnel.id}")
    assert service.call("DELETE", f"/api/v1/tunnels/{tunnel.id}/force").status == 200
    assert_honest(service.get(tunnel.host), 404, "no-such-tunnel")


def test_a_tunnel_that_waits_for_its_certificate(service):
    assert_honest(service.get(service.tunnel(tls_mode="passthrough").host), 404, "tunnel-inactive")


def test_the_agent_is_killed_in_mid_request_and_comes_back(make_route, service):
    route = make_route(service)
    waiting = threading.Event()

    def script(e):
        waiting.set()
        e.wait_until_dropped(30)
    route.origin.on("/wait", script)
    with service.plain() as wire:
        wire.request("GET", "/wait", route.host)
        assert waiting.wait(20)
        clock = Stopwatch()
        route.agent.kill()
        answer = wire.response()
        assert clock.seconds <= LOST_SECONDS_MAX
        assert_honest(answer, 502, "agent-disconnected")
    assert service.get(route.host).reason == "agent-offline"
    clock = Stopwatch()
    route.up()
    until("traffic flows again", lambda: route.get("/again").status == 200)
    assert clock.seconds <= BACK_SECONDS_MAX


def test_an_agent_killed_in_mid_answer_does_not_pass_it_off_as_whole(make_route, service):
    route = make_route(service)

    def script(e):
        e.send("HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        e.wait_until_dropped(30)
    route.origin.on("/half", script)
    with service.plain() as wire:
        assert wire.request("GET", "/half", route.host).head().status == 200
        assert wire.chunk() == b"hello"
        route.agent.kill()
        assert b"0\r\n\r\n" not in wire.rest()


def test_the_agent_comes_back_when_the_service_does(make_service, make_route):
    service = make_service()
    route = make_route(service)
    assert route.get().status == 200
    service.kill()
    service.start()
    until("the agent is back", lambda: route.get("/back").status == 200, 10)
    assert route.agent.process.poll() is None


def test_no_answer_in_time(make_service, make_route):
    service = make_service(env={"CULVERT_RESPONSE_DEADLINE_SECONDS": "1"})
    route = make_route(service)
    dropped = threading.Event()

    def script(e):
        if e.wait_until_dropped(20):
            dropped.set()
    route.origin.on("/slow", script)
    assert_honest(route.get("/slow"), 504, "response-deadline-exceeded")
    assert dropped.wait(20), "the local program works on for nobody"
    assert route.get("/quick").status == 200


def test_the_deadline_is_for_the_head_only(make_service, make_route):
    """A stream that has begun may last longer than the deadline."""
    service = make_service(env={"CULVERT_RESPONSE_DEADLINE_SECONDS": "1"})
    route = make_route(service)

    def script(e):
        e.send("HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        until("another request ran into its deadline", late.is_set)
        e.send("1\r\nb\r\n0\r\n\r\n")
    late = threading.Event()
    route.origin.on("/long", script)
    route.origin.on("/late", lambda e: e.wait_until_dropped(20))
    with service.plain() as wire:
        assert wire.request("GET", "/long", route.host).head().status == 200
        assert wire.chunk() == b"a"
        assert route.get("/late").status == 504
        late.set()
        assert wire.chunk() == b"b"
        assert wire.chunk() == b""


def test_too_many_requests_wait(service, connect):
    """An agent that is there but takes nothing: 128 may wait, the next is told at once, the others after their wait."""
    tunnel = service.tunnel()
    connect(service, tunnel)
    first, done = [], threading.Event()

    def one(_):
        answer = service.get(tunnel.host, timeout=30)
        if not done.is_set():
            first.append(clock.seconds)
            done.set()
        return answer
    clock = Stopwatch()
    with ThreadPoolExecutor(WAITING_REQUESTS_MAX + 1) as pool:
        answers = list(pool.map(one, range(WAITING_REQUESTS_MAX + 1)))
    for answer in answers:
        assert_honest(answer, 503, "agent-busy")
        assert int(answer.header("retry-after")) >= 1
    assert first[0] < 4, "the request past the queue's end must not wait for the others"


def test_a_request_waits_for_an_intake(service, connect):
    tunnel = service.tunnel()
    agent = connect(service, tunnel)
    answers = []
    asking = threading.Thread(target=lambda: answers.append(service.get(tunnel.host, "/patient")))
    asking.start()
    envelope = agent.take()
    assert envelope.path == "/patient"
    assert agent.reply(envelope.id, 200, body=b"worth it").status in (200, 204)
    asking.join(20)
    assert (answers[0].status, answers[0].body) == (200, b"worth it")
