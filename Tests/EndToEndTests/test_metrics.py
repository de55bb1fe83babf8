"""GET /metrics, read by the published parser: what moves, who may read it, and that it names nobody."""
import re
import socket
import struct
import uuid
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from support.processes import new_name
from support.receiver import Receiver
from support.waiting import until

HANDBOOK = Path(__file__).resolve().parents[2] / "Docs" / "Operations.md"


class Page:
    def __init__(self, service):
        self.answer = service.call("GET", "/metrics", key=None)
        assert self.answer.status == 200, self.answer
        self.text = self.answer.body.decode()
        self.families = {family.name: family for family in text_string_to_metric_families(self.text)}
        self.samples = {(s.name, tuple(sorted(s.labels.items()))): s.value for f in self.families.values() for s in f.samples}

    def __call__(self, name, **labels):
        return self.samples.get((name, tuple(sorted(labels.items()))), 0)


@pytest.fixture
def counted(make_service):
    """A service that nobody else uses, which may call this machine."""
    return make_service(env={"CULVERT_WEBHOOK_ALLOW_HTTP": "yes", "CULVERT_WEBHOOK_ALLOW_PRIVATE_ADDRESSES": "yes"})


def test_it_is_what_prometheus_reads(counted):
    page = Page(counted)
    assert page.answer.header("content-type") == "text/plain; version=0.0.4; charset=utf-8"
    for family in page.families.values():
        assert family.documentation and family.type in ("counter", "gauge", "histogram"), family.name
        assert family.name.startswith(("culvert_", "process_"))
    assert page("process_start_time_seconds") > 1.6e9 and page("process_open_fds") > 3
    assert page("process_max_fds") >= page("process_open_fds") and page("process_resident_memory_bytes") > 1 << 20
    assert page("process_cpu_seconds_total") > 0
    assert [s.labels.keys() for s in page.families["culvert_build_info"].samples] == [{"version"}]


def test_the_handbook_lists_what_is_there(counted):
    rows = re.findall(r"^\| `((?:culvert|process)_\w+)` \| (counter|gauge|histogram) \|", HANDBOOK.read_text(), re.M)
    told = re.findall(r"^# TYPE (\S+) (\S+)$", Page(counted).text, re.M)
    assert rows == told


def test_histograms_rise_to_their_count(counted):
    counted.call("GET", "/api/v1/tunnels")
    for family in (f for f in Page(counted).families.values() if f.type == "histogram"):
        groups = {}
        for s in family.samples:
            key = tuple(sorted((k, v) for k, v in s.labels.items() if k != "le"))
            groups.setdefault(key, {}).setdefault(s.name.removeprefix(family.name), []).append((s.labels.get("le"), s.value))
        for parts in groups.values():
            bounds = [float(le) for le, _ in parts["_bucket"]]
            values = [value for _, value in parts["_bucket"]]
            assert bounds == sorted(bounds) and bounds[-1] == float("inf") and values == sorted(values)
            assert values[-1] == parts["_count"][0][1] and parts["_sum"][0][1] >= 0


def test_requests_of_third_parties_are_counted(counted, make_route):
    route = make_route(counted)
    before = Page(counted)
    assert counted.get(route.host, "/echo", method="POST", body=b"x" * 5000).status == 200
    assert counted.get("nobody-here.localhost").status == 404

    def all_there():
        page = Page(counted)
        return page("culvert_request_seconds_count") == before("culvert_request_seconds_count") + 1 and page
    page = until("the request is over", all_there)
    moved = lambda name, **labels: page(name, **labels) - before(name, **labels)
    assert moved("culvert_requests_total", **{"class": "2xx"}) == 1
    assert moved("culvert_requests_total", **{"class": "4xx"}) == 1
    assert moved("culvert_refusals_total", reason="no-such-tunnel") == 1
    assert moved("culvert_first_byte_seconds_count") == 1
    assert moved("culvert_body_bytes_total", direction="in") == 5000
    assert moved("culvert_body_bytes_total", direction="out") > 0
    assert moved("culvert_socket_bytes_total", direction="in") > 5000
    assert page("culvert_hellos_total", outcome="accepted") == 1
    assert page("culvert_agents") == 1 and page("culvert_connections", kind="agent") == 1
    assert page("culvert_parked_intakes") == 8
    assert page("culvert_tunnels", status="active") == 1
    assert page("culvert_connections", kind="api") == 1, "this very scrape"
    route.agent.kill()
    until("the agent is gone", lambda: Page(counted)("culvert_agents") == 0)
    assert counted.get(route.host).status == 502
    assert Page(counted)("culvert_refusals_total", reason="agent-offline") == 1


def test_what_goes_wrong_is_counted(counted, connect):
    tunnel = counted.tunnel()
    first = connect(counted, tunnel)
    assert connect(counted, tunnel, hello=False, secret="tnl_" + "0" * 32).hello().status == 401
    parked = first.park()
    with counted.plain() as wire:
        wire.request("GET", "/", tunnel.host)
        taken = first.take(parked)
        first.begin_reply(taken.id, length=100)[1]
        first.close()
        until("the reply is broken", lambda: Page(counted)("culvert_replies_broken_total") == 1)
    second = connect(counted, tunnel)
    third = connect(counted, tunnel)
    assert second.goaway.wait(20)
    page = Page(counted)
    assert page("culvert_hellos_total", outcome="refused_credential") == 1
    assert page("culvert_agents_superseded_total") == 1
    parked = third.park()
    with counted.plain() as wire:
        wire.request("GET", "/", tunnel.host)
        third.take(parked)
        # A reset; only closing could be a client that waits for its answer with its sending side shut.
        wire.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    until("the third party is gone", lambda: Page(counted)("culvert_requests_abandoned_total") == 1)
    with counted.plain() as wire:
        wire.request("GET", "/", tunnel.host)
        until("it waits", lambda: Page(counted)("culvert_queued_requests") == 1)


def test_the_api_is_counted_by_route(counted):
    tunnel = counted.tunnel()
    counted.call("GET", f"/api/v1/tunnels/{tunnel.id}")
    counted.call("GET", f"/api/v1/tunnels/{uuid.uuid4()}/")
    counted.call("GET", "/api/v1/tunnels", key="wrong")
    counted.call("GET", f"/{tunnel.name}")
    counted.call("BREW", "/api/v1/tunnels")
    page, route = Page(counted), "/api/v1/tunnels/{id}"
    assert page("culvert_api_requests_total", method="GET", route=route, status="200") == 1
    assert page("culvert_api_requests_total", method="GET", route=route, status="404") == 1
    assert page("culvert_api_request_seconds_count", method="GET", route=route) == 2
    assert page("culvert_api_requests_total", method="POST", route="/api/v1/tunnels", status="201") == 1
    assert page("culvert_api_requests_total", method="other", route="unmatched", status="404") == 1
    assert page("culvert_api_requests_total", method="other", route="unmatched", status="405") == 1
    assert page("culvert_api_auth_failures_total") == 1
    assert page("culvert_store_commits_total", outcome="done") >= 1
    assert page("culvert_store_commits_total", outcome="failed") == 0
    assert page("culvert_store_commit_seconds_count") == page("culvert_store_commits_total", outcome="done")


def test_limits_show_by_name(make_service):
    service = make_service(env={"CULVERT_LIMIT_TUNNEL_CREATES_PER_DAY": "1", "CULVERT_LIMIT_AUTH_FAILURES_PER_MIN": "1"})
    service.tunnel()
    assert service.call("POST", "/api/v1/tunnels", {"tunnel_name": new_name()}).status == 429
    assert [service.call("GET", "/api/v1/tunnels", key="wrong").status for _ in range(2)] == [401, 429]
    page = Page(service)
    assert page("culvert_api_rate_limited_total", limit="tunnel-creates") == 1
    assert page("culvert_api_rate_limited_total", limit="auth-failures") == 1
    assert page("culvert_api_auth_failures_total") == 2


def test_deliveries_streams_and_sockets(counted, make_route):
    route, receiver = make_route(counted), Receiver(lambda number: 500 if number == 0 else 204)
    try:
        hook = counted.call("POST", "/api/v1/webhooks/subscriptions", {"url": receiver.url(), "event_types": ["tunnel.created"]})
        assert hook.status == 201, hook
        counted.tunnel()
        receiver.take(1)
        until("one attempt has failed", lambda: Page(counted)("culvert_webhook_attempts_total", outcome="retried") == 1)
        receiver.take(1)
        page = until("it was delivered", lambda: (p := Page(counted))("culvert_webhook_attempts_total", outcome="delivered") and p)
        assert page("culvert_webhook_pending_deliveries") == 0
    finally:
        receiver.close()
    with counted.plain() as wire:
        wire.request("GET", "/api/v1/events", "localhost", [("X-API-Key", counted.key)])
        until("a stream is open", lambda: Page(counted)("culvert_event_streams") == 1)
    until("it is closed", lambda: Page(counted)("culvert_event_streams") == 0)


def test_no_secret_and_no_name_is_told(counted, make_route):
    route = make_route(counted)
    marks = [counted.key, counted.org, route.name, route.host]
    tunnel = counted.tunnel()
    handle = new_name()
    identity = counted.call("POST", "/api/v1/identities", {"agent_handle": handle}).json()
    minted = counted.call("POST", "/api/v1/api-keys", {"label": "secret-label", "scoped_identity_id": identity["id"]}).json()
    app = counted.call("POST", "/api/v1/apps", {"name": "secret-app", "scopes": ["tunnels:read"]}).json()
    marks += [tunnel.id, tunnel.name, tunnel.secret, handle, identity["id"], minted["api_key"], minted["rotation_secret"],
              minted["record"]["id"], "secret-label", app["client_id"], app["client_secret"], "secret-app", "secret-path"]
    counted.call("GET", f"/api/v1/tunnels/{tunnel.id}?q=secret-path")
    counted.call("GET", "/secret-path/secret-path")
    counted.call("secret-path", "/api/v1/tunnels")
    counted.get(route.host, "/secret-path")
    text = Page(counted).text
    for mark in marks:
        assert mark not in text
    assert "127.0.0.1" not in text
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", text), "an id"


def test_strangers_make_no_new_lines(counted):
    counted.call("GET", "/nothing")
    counted.call("BREW", "/api/v1/tunnels")
    counted.get("nobody.localhost")
    lines = lambda: {line.rsplit(" ", 1)[0] for line in Page(counted).text.splitlines() if not line.startswith("#")}
    before = lines()
    for number in range(20):
        counted.call("GET", f"/nothing/{number}", headers={"X-Weird": str(number)})
        counted.call(f"BREW{number}", f"/api/v1/tunnels/{number}")
        counted.get(f"nobody-{number}.localhost", f"/{number}")
    new = {line for line in lines() - before if 'route="unmatched"' not in line}
    assert new <= {line for line in new if 'route="/metrics"' in line}


def test_who_comes_through_a_proxy_is_told_what_to_do(counted):
    for header in ({"X-Forwarded-For": "127.0.0.1"}, {"Forwarded": "for=127.0.0.1"}):
        answer = counted.call("GET", "/metrics", key=None, headers=header)
        assert answer.status == 403 and "metrics_networks" in answer.json()["detail"]
        assert "culvert_" not in answer.body.decode()


def test_head_and_other_methods(counted):
    assert counted.call("HEAD", "/metrics", key=None).status == 200
    answer = counted.call("POST", "/metrics", key=None)
    assert answer.status == 405 and answer.header("allow") == "GET, HEAD"
