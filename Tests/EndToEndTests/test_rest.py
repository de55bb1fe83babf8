"""The REST API from outside: what it answers, and what it withstands."""
import base64
import json
import re
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.processes import new_name
from support.waiting import Stopwatch

ANSWER_SECONDS_MAX = 1.0
MEMBERS = {
    "id", "organization_id", "agent_identity_id", "tunnel_name", "description", "metadata", "tls_mode", "status", "public_host", "zone",
    "cert_pem", "cert_fingerprint_sha256", "cert_expires_at", "last_connected_at", "last_connected_ip_addr", "last_disconnected_at",
    "restore_deadline_at", "currently_connected", "connected_agents", "created_at", "updated_at"}


def problem(answer, status):
    """A problem document by RFC 9457, with the request's id in the header."""
    assert answer.status == status, answer
    assert answer.header("content-type").startswith("application/problem+json")
    body = answer.json()
    assert body["status"] == status and body["title"] and isinstance(body["type"], str) and body["detail"]
    assert answer.header("x-request-id")
    return body


def test_create_answers_the_whole_tunnel_and_its_secret_once(service):
    name = new_name()
    answer = service.call("POST", "/api/v1/tunnels", {"tunnel_name": name, "description": "first", "unknown": 1})
    assert answer.status == 201
    tunnel, secret = answer.json()["tunnel"], answer.json()["connect_secret"]
    assert set(tunnel) >= MEMBERS
    assert re.fullmatch(r"tnl_[0-9a-f]{32}", secret)
    assert (tunnel["tunnel_name"], tunnel["public_host"], tunnel["zone"]) == (name, name + ".localhost", "localhost")
    assert (tunnel["status"], tunnel["tls_mode"], tunnel["description"], tunnel["metadata"]) == ("active", "edge", "first", {})
    assert (tunnel["organization_id"], tunnel["currently_connected"], tunnel["agent_identity_id"]) == (service.org, False, None)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", tunnel["created_at"])
    assert str(uuid.UUID(tunnel["id"])) == tunnel["id"]
    got = service.call("GET", f"/api/v1/tunnels/{tunnel['id']}")
    assert got.status == 200 and secret not in got.body.decode()


@pytest.mark.parametrize("path", ["/api/v1/tunnels", "/api/v1/tunnels/"])
def test_a_path_works_with_and_without_its_slash(service, path):
    assert service.call("GET", path).status == 200
    assert service.call("POST", path, {"tunnel_name": new_name()}).status == 201


@pytest.mark.parametrize("name", [
    "ab", "a" * 64, "My-Agent", "a--b", "-ab", "ab-", "a_b", "a.b", "a b", "abc\n", "", "äbc", "a\0b", "xn--abc", 7, None, True, ["abc"], {"a": 1}])
def test_a_bad_name_is_422_and_says_where(service, name):
    body = problem(service.call("POST", "/api/v1/tunnels", {"tunnel_name": name}), 422)
    assert any("tunnel_name" in e["pointer"] and e["detail"] for e in body["errors"])


@pytest.mark.parametrize("name", ["admin", "api", "www", "localhost", "w-w-w", "status"])
def test_a_reserved_name_is_409(service, name):
    problem(service.call("POST", "/api/v1/tunnels", {"tunnel_name": name}), 409)


def test_the_shortest_and_the_longest_name(service):
    short, long = uuid.uuid4().hex[:3], ("a" + uuid.uuid4().hex + uuid.uuid4().hex)[:63]
    for name in (short, long):
        assert service.call("POST", "/api/v1/tunnels", {"tunnel_name": name}).status in (201, 409 if name == short else 201)


def test_a_taken_name_is_409_and_stays_taken_while_it_can_be_restored(service):
    tunnel = service.tunnel()
    problem(service.call("POST", "/api/v1/tunnels", {"tunnel_name": tunnel.name}), 409)
    service.call("DELETE", f"/api/v1/tunnels/{tunnel.id}")
    problem(service.call("POST", "/api/v1/tunnels", {"tunnel_name": tunnel.name}), 409)
    assert service.call("DELETE", f"/api/v1/tunnels/{tunnel.id}/force").json()["status"] == "deleted"
    assert service.call("POST", "/api/v1/tunnels", {"tunnel_name": tunnel.name}).status == 201


def test_one_name_asked_for_by_many_at_once_is_given_once(service):
    name = new_name()
    with ThreadPoolExecutor(16) as pool:
        statuses = sorted(a.status for a in pool.map(lambda _: service.call("POST", "/api/v1/tunnels", {"tunnel_name": name}), range(16)))
    assert statuses == [201] + [409] * 15


def test_the_life_of_a_tunnel(service):
    tunnel = service.tunnel()
    path = f"/api/v1/tunnels/{tunnel.id}"
    problem(service.call("POST", path + "/restore"), 409)
    problem(service.call("DELETE", path + "/force"), 409)
    deleted = service.call("DELETE", path)
    assert deleted.status == 200 and deleted.json()["status"] == "delete_pending"
    again = service.call("DELETE", path)
    assert again.json()["restore_deadline_at"] == deleted.json()["restore_deadline_at"] is not None
    problem(service.call("PATCH", path, {"description": "x"}), 409)
    problem(service.call("POST", path + "/rotate-secret"), 409)
    restored = service.call("POST", path + "/restore").json()
    assert (restored["status"], restored["restore_deadline_at"]) == ("active", None)
    service.call("DELETE", path)
    service.call("DELETE", path + "/force")
    for method, end in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/rotate-secret")):
        problem(service.call(method, path + end, {} if method == "PATCH" else None), 404)
    for method, end in (("POST", "/restore"), ("DELETE", "/force")):
        problem(service.call(method, path + end), 409)
    assert tunnel.id not in [t["id"] for t in service.call("GET", "/api/v1/tunnels").json()["tunnels"]]


def test_patch_changes_what_it_names(service):
    tunnel = service.tunnel(description="old")
    path = f"/api/v1/tunnels/{tunnel.id}"
    metadata = {"a": [1, {"b": None}], "big": 12345678901234567890, "f": 1.5, "u": "\u20ac\u0000"}
    got = service.call("PATCH", path, {"metadata": metadata}).json()
    assert (got["metadata"], got["description"]) == (metadata, "old")
    got = service.call("PATCH", path, {"description": "new"}).json()
    assert (got["metadata"], got["description"]) == (metadata, "new")
    got = service.call("PATCH", path, {"description": None, "metadata": None}).json()
    assert (got["metadata"], got["description"]) == ({}, None)
    assert service.call("PATCH", path, {}).status == 200


@pytest.mark.parametrize("body, pointer", [
    ({"description": "x" * 1001}, "description"), ({"description": 7}, "description"), ({"metadata": []}, "metadata"), ({"metadata": "x"}, "metadata"),
    ({"metadata": {"x": "y" * 5000}}, "metadata"), ({"tunnel_name": "other"}, "tunnel_name"), ({"tls_mode": "edge"}, "tls_mode")])
def test_patch_refuses_what_it_must(service, body, pointer):
    errors = problem(service.call("PATCH", f"/api/v1/tunnels/{service.tunnel().id}", body), 422)["errors"]
    assert pointer in errors[0]["pointer"]


def test_a_description_of_exactly_1000_characters(service):
    text = "\u20ac" * 1000
    assert service.tunnel(description=text).json["description"] == text
    problem(service.call("POST", "/api/v1/tunnels", {"tunnel_name": new_name(), "description": text + "x"}), 422)


@pytest.mark.parametrize("mode", ["EDGE", "", "tcp", 1, None])
def test_an_unknown_tls_mode(service, mode):
    answer = service.call("POST", "/api/v1/tunnels", {"tunnel_name": new_name(), "tls_mode": mode})
    assert answer.status == 422 or mode is None and answer.status == 201


@pytest.mark.parametrize("headers, status", [
    ({}, 401), ({"X-API-Key": "ApiKey_wrong"}, 401), ({"X-API-Key": ""}, 401), ({"Authorization": "Bearer nonsense"}, 401),
    ({"Authorization": "Basic " + base64.b64encode(b"a:b").decode()}, 401), ({"Authorization": "Bearer"}, 401), ({"X-API-Key": "x" * 4000}, 401)])
def test_no_or_an_unknown_credential_is_401(service, headers, status):
    answer = service.call("GET", "/api/v1/tunnels", key=None, headers=headers)
    problem(answer, status)
    assert answer.header("www-authenticate")


def test_the_key_as_bearer(service):
    assert service.call("GET", "/api/v1/tunnels", key=None, headers={"Authorization": "Bearer " + service.key}).status == 200


def test_a_connect_secret_is_no_api_key(service):
    problem(service.call("GET", "/api/v1/tunnels", key=service.tunnel().secret), 401)


def test_lists_are_newest_first_and_page(make_service):
    service = make_service()
    ids = [service.tunnel().id for _ in range(5)]
    everything = service.call("GET", "/api/v1/tunnels").json()
    assert [t["id"] for t in everything["tunnels"]] == ids[::-1] and not everything.get("next_cursor")
    seen, cursor = [], ""
    while cursor is not None:
        page = service.call("GET", "/api/v1/tunnels?limit=2" + (f"&cursor={cursor}" if cursor else "")).json()
        seen += [t["id"] for t in page["tunnels"]]
        assert len(page["tunnels"]) <= 2
        cursor = page.get("next_cursor")
    assert seen == ids[::-1]


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "limit=-1", "cursor=nonsense", "limit=99999999999999999999"])
def test_bad_pages_are_422(service, query):
    problem(service.call("GET", "/api/v1/tunnels?" + query), 422)


def test_limits_count_successes_only_and_survive_a_restart(make_service):
    service = make_service(limits={})
    for _ in range(3):
        service.call("POST", "/api/v1/tunnels", {"tunnel_name": "Not Valid"})
    for i in range(10):
        answer = service.call("POST", "/api/v1/tunnels", {"tunnel_name": new_name()})
        assert answer.status == 201, (i, answer)
        assert answer.header("ratelimit") and answer.header("ratelimit-policy")
    answer = service.call("POST", "/api/v1/tunnels", {"tunnel_name": new_name()})
    problem(answer, 429)
    assert 0 < int(answer.header("retry-after")) <= 86_400
    service.kill()
    service.start()
    problem(service.call("POST", "/api/v1/tunnels", {"tunnel_name": new_name()}), 429)
    tunnel = service.call("GET", "/api/v1/tunnels").json()["tunnels"][0]
    secrets = set()
    for _ in range(5):
        secrets.add(service.call("POST", f"/api/v1/tunnels/{tunnel['id']}/rotate-secret").json()["connect_secret"])
    assert len(secrets) == 5
    problem(service.call("POST", f"/api/v1/tunnels/{tunnel['id']}/rotate-secret"), 429)


def test_an_idempotency_key_replays_the_first_answer_secret_included(service):
    name, key = new_name(), uuid.uuid4().hex
    first = service.call("POST", "/api/v1/tunnels", {"tunnel_name": name}, headers={"Idempotency-Key": key})
    second = service.call("POST", "/api/v1/tunnels", {"tunnel_name": name}, headers={"Idempotency-Key": key})
    assert (first.status, second.status) == (201, 201)
    assert second.json() == first.json()
    assert first.header("idempotency-replayed") is None and second.header("idempotency-replayed") == "true"
    problem(service.call("POST", "/api/v1/tunnels", {"tunnel_name": new_name()}, headers={"Idempotency-Key": key}), 422)
    problem(service.call("POST", "/api/v1/tunnels", {"tunnel_name": new_name()}, headers={"Idempotency-Key": "k" * 256}), 422)
    assert service.call("POST", "/api/v1/tunnels", {"tunnel_name": new_name()}, headers={"Idempotency-Key": uuid.uuid4().hex + "k" * 223}).status == 201


@pytest.mark.parametrize("raw, status", [
    (b"", 422), (b"{", 400), (b"nonsense", 400), (b'{"tunnel_name": "abc",}', 400), (b"{'a': 1}", 400), (b'"abc"', 422), (b"[]", 422), (b"null", 422),
    (b"[" * 65 + b"]" * 65, 400), (b"[" * 100_000, 400), (b'{"a":' * 70 + b"1" + b"}" * 70, 400), (b'{"tunnel_name": "\xff\xfe"}', 400),
    (b'{"tunnel_name": NaN}', 400), (b'{"tunnel_name": "a\nb"}', 400), (b'\xef\xbb\xbf{', 400), (b'{"a": 1} trailing', 400), (b'{"a": 01}', 400),
    (b'{"a": "\\ud800"}', None), (b'{"a": 1e999999}', None), (b'{"tunnel_name": "abc", "tunnel_name": "xyz-def"}', None)])
def test_json_that_is_broken_deep_or_wrong_is_4xx_soon(service, raw, status):
    clock = Stopwatch()
    answer = service.call("POST", "/api/v1/tunnels", raw=raw, headers={"Content-Type": "application/json"})
    assert clock.seconds <= ANSWER_SECONDS_MAX
    assert answer.status in (400, 409, 422) if status is None else answer.status == status, answer
    problem(answer, answer.status)


def test_a_body_past_a_mebibyte_is_413(service):
    for length in (1024 * 1024 + 1, 1 << 40):
        with service.plain() as wire:
            wire.send(f"POST /api/v1/tunnels HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: {service.key}\r\nContent-Length: {length}\r\n\r\n", b"{" * 1000)
            assert wire.response().status == 413


@pytest.mark.parametrize("identifier", [
    "not-an-id", "00000000-0000-0000-0000-000000000000", "..", "%2e%2e", "%00", "1", "x" * 2000, "'; drop table tunnels; --".replace(" ", "%20"),
    "%ff%fe", "00000000-0000-0000-0000-00000000000G"])
def test_an_id_that_is_none_is_404_never_5xx(service, identifier):
    for method, end in (("GET", ""), ("DELETE", ""), ("POST", "/restore")):
        answer = service.call(method, f"/api/v1/tunnels/{identifier}{end}")
        assert answer.status in (400, 404, 405, 414, 422), answer


def test_the_id_of_another_organization_is_404_like_none(make_service):
    import subprocess
    from support.processes import CULVERTD
    service = make_service(start=False)
    out = subprocess.run([CULVERTD, "init", "--data-dir", service.data, "--zone", "localhost", "--json", "--add-organization"],
                         capture_output=True, text=True, timeout=60)
    other = json.loads(out.stdout)["api_key"]
    service.start()
    tunnel = service.tunnel()
    path = f"/api/v1/tunnels/{tunnel.id}"
    for method, end in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/restore"), ("DELETE", "/force"), ("POST", "/rotate-secret")):
        body = {"description": "x"} if method == "PATCH" else None
        theirs = service.call(method, path + end, body, key=other)
        none = service.call(method, f"/api/v1/tunnels/{uuid.uuid4()}{end}", body, key=other)
        assert theirs.status == none.status == 404
        assert {k: v for k, v in theirs.json().items() if k != "instance"} == {k: v for k, v in none.json().items() if k != "instance"}
    assert service.call("GET", "/api/v1/tunnels", key=other).json()["tunnels"] == []
    assert service.call("GET", path).json()["status"] == "active"


def test_unknown_paths_and_wrong_methods(service):
    problem(service.call("GET", "/api/v1/nothing"), 404)
    problem(service.call("GET", "/nothing"), 404)
    answer = service.call("PUT", "/api/v1/tunnels")
    problem(answer, 405)
    assert {m.strip() for m in answer.header("allow").split(",")} >= {"GET", "POST"}
    assert service.call("BREW", "/api/v1/tunnels").status in (405, 501)


def test_probes(service):
    assert service.call("GET", "/healthz", key=None).status == 200
    assert service.call("GET", "/readyz", key=None).status == 200
    assert service.call("HEAD", "/healthz", key=None).status == 200


def test_every_answer_has_a_request_id_and_a_given_one_cannot_forge_lines(service):
    ids = {service.call("GET", path).header("x-request-id") for path in ("/api/v1/tunnels", "/nothing", "/healthz")}
    assert None not in ids and len(ids) == 3
    service.call("GET", "/nothing%0d%0aforged-line", headers={"User-Agent": "x\tforged", "X-Request-Id": "forged-id"})
    assert not re.search(r"(?m)^forged", service.log.read_text())


def test_times_move_forward(service):
    tunnel = service.tunnel()
    later = service.call("PATCH", f"/api/v1/tunnels/{tunnel.id}", {"description": "x"}).json()
    assert later["created_at"] == tunnel.json["created_at"] and later["updated_at"] >= tunnel.json["updated_at"]
