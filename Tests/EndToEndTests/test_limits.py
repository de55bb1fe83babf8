"""Limits on requests to the API as such, and whose they are counted as."""
import subprocess

import pytest

from support.processes import new_name
from support.waiting import until
from test_audit import events

REQUESTS_MAX = 20
LIMIT = {"CULVERT_LIMIT_API_REQUESTS_PER_MIN": str(REQUESTS_MAX)}
FAILURES = {"CULVERT_LIMIT_AUTH_FAILURES_PER_MIN": "5"}
PROXY = {"CULVERT_TRUSTED_PROXIES": "127.0.0.0/8"}


def forwarded(address, name="X-Forwarded-For"):
    return {name: f"for={address}" if name == "Forwarded" else address}


def too_many(answer, policy):
    assert answer.status == 429, answer
    assert 1 <= int(answer.header("retry-after")) <= 60
    assert answer.header("ratelimit-policy") == policy
    assert answer.header("ratelimit").startswith(policy.split(";")[0] + ";r=0;t=")
    assert answer.header("content-type").startswith("application/problem+json")


def until_refused(service, count, **options):
    """Sends until 429 comes, which is after at least so many requests; a few more than the limit, because time gives some back."""
    for number in range(REQUESTS_MAX + 10):
        answer = service.call("GET", "/api/v1/tunnels", **options)
        if answer.status == 429:
            assert number >= count
            return answer
    pytest.fail("no 429 came")


def test_too_many_requests_of_an_address_are_429_and_health_is_always_answered(make_service):
    own = make_service(env=LIMIT)
    too_many(until_refused(own, 20), '"api-requests";q=20;w=60')
    for _ in range(50):
        assert own.call("GET", "/healthz", key=None).status == 200
        assert own.call("GET", "/readyz", key=None).status == 200


def test_the_data_plane_is_not_limited(make_service, make_route):
    own = make_service(env=LIMIT)
    route = make_route(own)
    until_refused(own, 0)
    for _ in range(50):
        assert route.get("/ready").status == 200


def test_too_many_failed_authentications_are_429_and_a_good_key_still_gets_in(make_service):
    own = make_service(env=FAILURES)
    too_many(until_refused(own, 5, key="ApiKey_wrong"), '"auth-failures";q=5;w=60')
    assert own.call("GET", "/api/v1/tunnels").status == 200


def test_a_restart_forgets_the_counts(make_service):
    own = make_service(env=LIMIT)
    until_refused(own, 20)
    own.kill()
    own.start()
    assert own.call("GET", "/api/v1/tunnels").status == 200


def test_nobody_is_believed_about_addresses_unless_the_operator_says_so(make_service):
    own = make_service(env=LIMIT)
    for number in range(20):
        own.call("GET", "/api/v1/tunnels", key=None, headers=forwarded(f"192.0.2.{number}"))
    assert until_refused(own, 0, key=None, headers=forwarded("198.51.100.1")).status == 429


def test_the_record_does_not_believe_strangers_either(service):
    answer = service.call("POST", "/api/v1/tunnels", {"tunnel_name": new_name()}, headers=forwarded("192.0.2.9"))
    assert events(service, f"?resource={answer.json()['tunnel']['id']}")[0]["ip"] == "127.0.0.1"


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded"])
def test_behind_a_trusted_proxy_each_client_has_its_own_count(make_service, name):
    own = make_service(env={**FAILURES, **PROXY})
    until_refused(own, 5, key="ApiKey_wrong", headers=forwarded("192.0.2.1", name))
    assert own.call("GET", "/api/v1/tunnels", key="ApiKey_wrong", headers=forwarded("192.0.2.2", name)).status == 401
    # What the client itself has put in front is not believed.
    spoofed = own.call("GET", "/api/v1/tunnels", key="ApiKey_wrong", headers=forwarded("192.0.2.9, 192.0.2.1"))
    assert spoofed.status == 429
    id = own.call("POST", "/api/v1/tunnels", {"tunnel_name": new_name()}, headers=forwarded("192.0.2.7, 127.0.0.9", "X-Forwarded-For")
                  ).json()["tunnel"]["id"]
    assert events(own, f"?resource={id}")[0]["ip"] == "192.0.2.7"


def test_the_local_program_is_told_the_client_behind_a_trusted_proxy(make_service, make_route):
    own = make_service(env=PROXY)
    route = make_route(own)
    with own.plain() as wire:
        answer = wire.request("GET", "/echo", route.host, [("X-Forwarded-For", "192.0.2.1, 192.0.2.7")]).response("GET")
    seen = [value for name, value in answer.json()["headers"] if name.lower() == "x-forwarded-for"]
    assert seen == ["192.0.2.7"]


@pytest.mark.parametrize("value", ["10.0.0.1/8", "proxy.example", "10.0.0.0/33", "300.1.1.1"])
def test_a_network_that_is_none_is_refused_at_start(make_service, value):
    own = make_service(env={"CULVERT_TRUSTED_PROXIES": value}, start=False)
    out = subprocess.run(own.command(), capture_output=True, text=True, timeout=20, env=own.env)
    assert out.returncode == 2 and "such as 10.0.0.0/8" in out.stderr


def test_one_client_cannot_hold_all_the_memory_for_bodies(make_service):
    """Twelve half-sent bodies of 1 MiB pass the share of 8 MiB; another client's call goes through all the while."""
    own = make_service(env={**PROXY, "CULVERT_EVENT_LOOPS": "1"})
    held, refused = [], 0
    for number in range(12):
        wire = own.plain(timeout=5)
        head = (f"POST /api/v1/tunnels HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {own.key}\r\nX-Forwarded-For: 192.0.2.1\r\n"
                f"Content-Type: application/json\r\nContent-Length: {1024 * 1024}\r\n\r\n")
        wire.send(head.encode() + b" " * (1024 * 1024 - 1))
        held.append(wire)
    body = {"tunnel_name": new_name()}
    mine = {"headers": {"X-Forwarded-For": "192.0.2.1"}}
    until("the share is taken", lambda: own.call("POST", "/api/v1/tunnels", {"tunnel_name": new_name()}, **mine).status == 503)
    assert own.call("POST", "/api/v1/tunnels", body, headers={"X-Forwarded-For": "192.0.2.2"}).status == 201
    for wire in held:
        wire.close()
    until("the share is free again", lambda: own.call("POST", "/api/v1/tunnels", {"tunnel_name": new_name()}, **mine).status == 201)


def test_a_tunnel_that_is_asked_too_fast_says_429_and_another_does_not(make_service, make_route):
    own = make_service(env={"CULVERT_LIMIT_REQUESTS_PER_SECOND_PER_TUNNEL": "5"})
    busy, other = make_route(own), make_route(own)
    refused = None
    for _ in range(500):
        with own.plain() as wire:
            for number in range(20):
                wire.request("GET", f"/{number}", busy.host)
            answers = [wire.response("GET") for _ in range(20)]
        refused = next((a for a in answers if a.status != 200), None)
        if refused:
            break
    assert refused is not None and (refused.status, refused.reason, refused.header("retry-after")) == (429, "too-many-requests", "1")
    assert refused.json()["code"] == "too-many-requests"
    assert other.get("/calm").status == 200
    assert 'culvert_refusals_total{reason="too-many-requests"}' in own.call("GET", "/metrics", key=None).body.decode()
