"""Keys that are narrowed to scopes and to addresses, and keys that are rotated with an overlap."""
import json
import subprocess

import pytest

from support.cli import AUTHENTICATION, CONFLICT, NOT_FOUND, USAGE, good, log_in, mode, read
from support.origin import Origin
from support.processes import CULVERTD, new_name
from support.waiting import until

KEYS = "/api/v1/api-keys"
PROXY = {"CULVERT_TRUSTED_PROXIES": "127.0.0.0/8"}
NOWHERE = "203.0.113.0/24"


class TunnelOf:
    """What a scripted agent needs to know of an identity's tunnel."""

    def __init__(self, identity):
        self.id, self.secret, self.host = identity["tunnel"]["id"], None, identity["tunnel"]["public_host"]


def identity(service):
    answer = service.call("POST", "/api/v1/identities", {"agent_handle": new_name()})
    assert answer.status == 201, answer
    return answer.json()


def mint(service, owner=None, **members):
    """A key's answer; of an identity or of the organization."""
    if owner:
        members["scoped_identity_id"] = owner["id"]
    return service.call("POST", KEYS, {"label": "narrow", **members})


def key_of(service, owner=None, **members):
    answer = mint(service, owner, **members)
    assert answer.status == 201, answer
    return answer.json()


def works(service, key, **options):
    return service.call("GET", "/api/whoami", key=key, **options).status == 200


def hello(connect, service, owner, key):
    return connect(service, TunnelOf(owner), credential=("x-api-key", key), hello=False).hello()


@pytest.fixture(scope="module")
def narrow_service(tmp_path_factory):
    """A service with an admin key that makes keys and reads tunnels, from anywhere."""
    from support.processes import Service
    own = Service(tmp_path_factory.mktemp("narrow"), env=PROXY).init()
    out = subprocess.run(
        [CULVERTD, "init", "--data-dir", own.data, "--json", "--add-admin-key", own.org, "--scope", "keys:write",
         "--scope", "tunnels:read", "--scope", "keys:read"], capture_output=True, text=True, timeout=60, env=own.env)
    assert out.returncode == 0, out.stderr
    own.maker = json.loads(out.stdout)["api_key"]
    own.start()
    yield own
    own.stop()


# Scopes


def test_a_key_does_what_its_scopes_say_and_hears_what_it_lacks(service):
    mine = identity(service)
    key = key_of(service, mine, scopes=["tunnels:read"])["api_key"]
    path = f"/api/v1/tunnels/{mine['tunnel']['id']}"
    assert service.call("GET", path, key=key).status == 200
    for method, target, body, scope in (("PATCH", path, {"description": "x"}, "tunnels:write"),
                                        ("POST", path + "/rotate-secret", None, "secrets:rotate"),
                                        ("PATCH", f"/api/v1/identities/{mine['agent_handle']}", {"description": "x"}, "identities:write")):
        refused = service.call(method, target, body, key=key)
        assert refused.status == 403 and refused.header("content-type") == "application/problem+json"
        assert refused.json()["missing_scopes"] == [scope] and scope in refused.json()["detail"]
    assert service.call("GET", "/api/whoami", key=key).json()["scopes"] == ["tunnels:read"]


def test_a_key_for_one_tunnels_agent_does_nothing_else(service, connect):
    mine, other = identity(service), identity(service)
    key = key_of(service, mine, scopes=[f"tunnel:{mine['agent_handle']}:connect"])["api_key"]
    assert hello(connect, service, mine, key).status == 200
    assert hello(connect, service, other, key).status == 401
    who = service.call("GET", "/api/whoami", key=key).json()
    assert [t["id"] for t in who["connectable_tunnels"]] == [mine["tunnel"]["id"]]
    for path in ("/api/v1/tunnels", "/api/v1/identities", f"/api/v1/tunnels/{mine['tunnel']['id']}", KEYS, "/api/v1/events"):
        assert service.call("GET", path, key=key).status == 403, path


def test_a_key_that_connects_nothing_hears_why_at_its_hello(service, connect):
    mine = identity(service)
    refused = hello(connect, service, mine, key_of(service, mine, scopes=["tunnels:write"])["api_key"])
    assert refused.status == 403 and b"agents:connect" in refused.data


def test_one_tunnel_that_stands_alone_is_connected_by_a_key_too(service, connect):
    tunnel = service.tunnel()
    key = key_of(service, scopes=[f"tunnel:{tunnel.name}:connect"])
    assert key["rotation_secret"] is None and key["record"]["scoped_identity_id"] is None
    assert connect(service, tunnel, credential=("x-api-key", key["api_key"]), hello=False).hello().status == 200


def test_a_renamed_tunnel_keeps_its_key_and_its_agent(service, connect):
    mine = identity(service)
    key = key_of(service, mine, scopes=[f"tunnel:{mine['agent_handle']}:connect"])
    agent = connect(service, TunnelOf(mine), credential=("x-api-key", key["api_key"]))
    name = new_name()
    assert service.call("PATCH", f"/api/v1/identities/{mine['agent_handle']}", {"agent_handle": name}).status == 200
    assert not agent.goaway.is_set()
    assert hello(connect, service, mine, key["api_key"]).status == 200
    assert service.call("GET", f"{KEYS}/{key['record']['id']}").json()["scopes"] == [f"tunnel:{name}:connect"]


@pytest.mark.parametrize("members, pointer, said", [
    ({"scopes": []}, "/scopes", "at least one"),
    ({"scopes": ["tunnels:reed"]}, "/scopes/0", "tunnels:read"),
    ({"scopes": ["tunnel:nobody-here:connect"]}, "/scopes", "no tunnel nobody-here"),
    ({"scopes": ["tunnel:No:connect"]}, "/scopes/0", "name of a tunnel"),
    ({"scopes": ["keys:write"]}, "/scopes", "no identity's key"),
    ({"scopes": "tunnels:read"}, "/scopes", "an array"),
    ({"allowed_ip_ranges": []}, "/allowed_ip_ranges", "at least one"),
    ({"allowed_ip_ranges": ["192.0.2.7/24"]}, "/allowed_ip_ranges/0", "192.0.2.0/24"),
    ({"allowed_ip_ranges": ["192.0.2.0/40"]}, "/allowed_ip_ranges/0", "0 to 32"),
    ({"allowed_ip_ranges": ["office.example"]}, "/allowed_ip_ranges/0", "192.0.2.0/24"),
    ({"allowed_ip_ranges": [f"192.0.2.{i}" for i in range(33)]}, "/allowed_ip_ranges", "at most 32"),
])
def test_a_mistake_has_its_place_and_its_remedy(service, members, pointer, said):
    answer = mint(service, identity(service), **members)
    assert answer.status == 422 and [e["pointer"] for e in answer.json()["errors"]] == [pointer], answer
    assert said in answer.json()["detail"]


def test_the_bound_of_ranges_is_the_operators(make_service):
    own = make_service(env={"CULVERT_LIMIT_IP_RANGES_PER_KEY": "1", "CULVERT_LIMIT_SCOPES_PER_KEY": "1"})
    mine = identity(own)
    assert mint(own, mine, allowed_ip_ranges=["192.0.2.1"], scopes=["tunnels:read"]).status == 201
    assert mint(own, mine, allowed_ip_ranges=["192.0.2.1", "192.0.2.2"]).status == 422
    assert mint(own, mine, scopes=["tunnels:read", "tunnels:write"]).status == 422


# Who makes what


def test_nobody_makes_a_key_that_may_do_more_than_himself(narrow_service):
    own, mine = narrow_service, identity(narrow_service)

    def ask(**members):
        return own.call("POST", KEYS, {"label": "x", "scoped_identity_id": mine["id"], **members}, key=own.maker)
    assert ask(scopes=["tunnels:read"]).status == 201
    for members in ({"scopes": ["tunnels:read", "tunnels:write"]}, {}, {"scopes": [f"tunnel:{mine['agent_handle']}:connect"]}):
        refused = ask(**members)
        assert refused.status == 403 and refused.json()["type"].endswith(":exceeds-own-authority"), refused
    whole = key_of(own, mine)["record"]["id"]
    assert own.call("POST", f"{KEYS}/{whole}/rotate", {}, key=own.maker).status == 403
    assert own.call("POST", "/api/v1/apps", {"name": "x", "scopes": []}, key=own.maker).json()["missing_scopes"] == ["apps:write"]


def test_a_key_that_makes_credentials_for_everything_is_not_made_over_the_api(service):
    for scopes in (["keys:write"], ["apps:write", "tunnels:read"]):
        refused = mint(service, scopes=scopes)
        assert refused.status == 403 and "culvertd init --add-admin-key" in refused.json()["detail"]
    assert mint(service, allowed_ip_ranges=["127.0.0.1"]).status == 403


# Addresses


@pytest.mark.parametrize("range, address, status", [
    ("192.0.2.0/24", "192.0.2.9", 200), ("192.0.2.0/24", "192.0.3.9", 403), ("192.0.2.0/24", "::ffff:192.0.2.9", 200),
    ("2001:db8::/32", "2001:db8::9", 200), ("2001:db8::/32", "2001:db9::9", 403), ("::/0", "192.0.2.9", 403)])
def test_behind_a_trusted_proxy_the_clients_address_counts(narrow_service, range, address, status):
    key = key_of(narrow_service, identity(narrow_service), allowed_ip_ranges=[range])["api_key"]
    answer = narrow_service.call("GET", "/api/whoami", key=key, headers={"X-Forwarded-For": address})
    assert answer.status == status, answer
    assert narrow_service.call("GET", "/api/whoami", key=key).status == 403, "the proxy itself is not in the range"


def test_nobody_elses_word_about_addresses_counts(service):
    key = key_of(service, identity(service), allowed_ip_ranges=["192.0.2.0/24"])["api_key"]
    for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
        value = "for=192.0.2.9" if name == "Forwarded" else "192.0.2.9"
        refused = service.call("GET", "/api/whoami", key=key, headers={name: value})
        assert refused.status == 403 and "127.0.0.1" in refused.json()["detail"] and "192.0.2" not in refused.json()["detail"]


def test_an_agent_elsewhere_is_refused_and_it_goes_on_record(service, connect):
    mine = identity(service)
    far, near = (key_of(service, mine, allowed_ip_ranges=[r]) for r in (NOWHERE, "127.0.0.0/8"))
    refused = hello(connect, service, mine, far["api_key"])
    assert refused.status == 403 and b"address-not-allowed" in refused.data and b"203.0.113" not in refused.data
    assert hello(connect, service, mine, near["api_key"]).status == 200
    assert service.call("GET", "/api/v1/tunnels", key=far["api_key"]).status == 403
    id = far["record"]["id"]
    lines = until("the refusal is on record",
                  lambda: service.call("GET", f"/api/v1/audit-events?resource={id}&action=auth.fail").json()["audit_events"])
    assert lines[0]["outcome"] == "refused" and "address" in lines[0]["details"]["reason"]


# Rotation


def test_with_an_overlap_both_keys_work_and_the_agent_stays(service, connect):
    mine = identity(service)
    old = key_of(service, mine)
    agent = connect(service, TunnelOf(mine), credential=("x-api-key", old["api_key"]))
    answer = service.call("POST", f"{KEYS}/{old['record']['id']}/rotate", {"overlap_hours": 1})
    assert answer.status == 201, answer
    new = answer.json()
    assert works(service, old["api_key"]) and works(service, new["api_key"]) and not agent.goaway.is_set()
    assert new["replaced_record"]["replaced_by"] == new["record"]["id"] and new["record"]["replaced_by"] is None
    assert new["replaced_record"]["status"] == "active" and new["replaced_record"]["expires_at"] > new["record"]["created_at"]
    again = service.call("POST", f"{KEYS}/{old['record']['id']}/rotate", {"overlap_hours": 1})
    assert again.status == 409 and new["record"]["id"] in again.json()["detail"]
    # Nothing that the service keeps or says shows the key again.
    for path in (KEYS, f"{KEYS}/{new['record']['id']}", "/api/v1/audit-events"):
        assert new["api_key"] not in service.call("GET", path).body.decode()
    assert new["api_key"] not in service.log.read_text()
    # Revoking the old one ends the overlap, and its agent.
    assert service.call("DELETE", f"{KEYS}/{old['record']['id']}").status == 204
    assert agent.goaway.wait(20) and b"key-revoked" in agent.goaway_data
    assert not works(service, old["api_key"]) and works(service, new["api_key"])


def test_at_once_the_old_key_and_its_agent_end(service, connect):
    mine = identity(service)
    old = key_of(service, mine)
    agent = connect(service, TunnelOf(mine), credential=("x-api-key", old["api_key"]))
    new = service.call("POST", f"{KEYS}/{old['record']['id']}/rotate").json()
    assert agent.goaway.wait(20) and b"key-revoked" in agent.goaway_data and agent.ended.wait(20)
    assert hello(connect, service, mine, old["api_key"]).status == 401
    assert hello(connect, service, mine, new["api_key"]).status == 200


def test_a_lost_answer_is_had_again_after_a_restart(make_service):
    own = make_service()
    old = key_of(own, identity(own))["record"]["id"]
    headers = {"Idempotency-Key": "once"}
    first = own.call("POST", f"{KEYS}/{old}/rotate", {"overlap_hours": 2}, headers=headers)
    own.kill()
    own.start()
    again = own.call("POST", f"{KEYS}/{old}/rotate", {"overlap_hours": 2}, headers=headers)
    assert first.status == again.status == 201 and again.body == first.body and again.header("idempotency-replayed") == "true"
    assert own.call("POST", f"{KEYS}/{old}/rotate", {"overlap_hours": 3}, headers=headers).status == 422


def test_rotations_are_limited(make_service):
    own = make_service(env={"CULVERT_LIMIT_API_KEY_ROTATIONS_PER_DAY": "1"})
    id = key_of(own, identity(own))["record"]["id"]
    first = own.call("POST", f"{KEYS}/{id}/rotate")
    assert first.status == 201 and "api-key-rotations" in first.header("ratelimit-policy")
    refused = own.call("POST", f"{KEYS}/{first.json()['record']['id']}/rotate")
    assert refused.status == 429 and 86000 < int(refused.header("retry-after")) <= 86400
    assert own.call("POST", f"{KEYS}/{key_of(own, identity(own))['record']['id']}/rotate").status == 201


def test_an_admin_key_is_not_rotated_over_the_api(service):
    own = service.call("GET", "/api/whoami").json()["key_id"]
    refused = service.call("POST", f"{KEYS}/{own}/rotate", {"overlap_hours": 1})
    assert refused.status == 403 and "culvertd init" in refused.json()["detail"] and works(service, service.key)


# The command line


@pytest.fixture
def handle(account):
    name = new_name()
    good(account.run("identities", "create", name))
    return name


def test_a_narrow_key_is_made_shown_and_listed(account, handle):
    out = account.run("keys", "create", "edge-" + handle, "--identity", handle, "--scope", f"tunnel:{handle}:connect",
                      "--scope", "tunnels:read", "--allow-from", "192.0.2.0/24", "--allow-from", "2001:db8::/32", "--json")
    record = read(out)["record"]
    assert record["scopes"] == ["tunnels:read", f"tunnel:{handle}:connect"]
    assert record["allowed_ip_ranges"] == ["192.0.2.0/24", "2001:db8::/32"]
    shown = good(account.run("keys", "get", record["id"]))
    assert f"tunnel:{handle}:connect" in shown and "2001:db8::/32" in shown
    assert f"tunnel:{handle}:connect" in good(account.run("keys", "list"))


def test_an_agent_needs_nothing_but_its_narrow_key(account, service, handle, tmp_path):
    file = tmp_path / "edge.key"
    good(account.run("keys", "create", "edge", "--identity", handle, "--scope", f"tunnel:{handle}:connect",
                     "--allow-from", "127.0.0.0/8", "--secret-file", str(file)))
    agent = log_in(tmp_path / "agent", service, file)
    origin = Origin()
    running = agent.http(origin.port)
    try:
        assert handle in running.url()
        until("the agent is connected", lambda: service.get(f"{handle}.localhost", "/").status == 200)
    finally:
        running.stop()
        origin.close()
    out = agent.run("tunnels", "list")
    assert out.returncode == AUTHENTICATION and "tunnels:read" in out.stderr
    other = agent.http(1, "--name", new_name())
    assert other.process.wait(20) == AUTHENTICATION and handle in other.tail()
    good(agent.run("keys", "rotate"))


def test_a_tunnel_without_identity_is_served_by_a_narrow_key(account, service, tmp_path):
    name, file = new_name(), tmp_path / "key"
    good(account.run("tunnels", "create", name))
    good(account.run("keys", "create", "alone", "--scope", f"tunnel:{name}:connect", "--secret-file", str(file)))
    assert len(file.read_text().split()) == 1
    agent = log_in(tmp_path / "agent", service, file)
    origin = Origin()
    running = agent.http(origin.port)
    try:
        assert name in running.url()
        until("the agent is connected", lambda: service.get(f"{name}.localhost", "/").status == 200)
    finally:
        running.stop()
        origin.close()


def test_a_key_that_sees_tunnels_needs_no_connect_secret_of_the_one_that_it_connects(account, service, tmp_path):
    name, other, file = new_name(), new_name(), tmp_path / "key"
    for tunnel in (name, other):
        good(account.run("tunnels", "create", tunnel))
    good(account.run("keys", "create", "alone", "--scope", f"tunnel:{name}:connect", "--scope", "tunnels:read",
                     "--secret-file", str(file)))
    agent = log_in(tmp_path / "agent", service, file)
    origin = Origin()
    running = agent.http(origin.port, "--name", name)
    try:
        assert name in running.url()
        until("the agent is connected", lambda: service.get(f"{name}.localhost", "/").status == 200)
    finally:
        running.stop()
        origin.close()
    refused = agent.http(1, "--name", other)
    assert refused.process.wait(20) == AUTHENTICATION and "connect secret" in refused.tail()


def test_a_key_that_may_not_be_used_here_says_so(account, service, handle, tmp_path):
    file = tmp_path / "far.key"
    good(account.run("keys", "create", "far", "--identity", handle, "--allow-from", NOWHERE, "--secret-file", str(file)))
    out = account.run("login", "--server", f"https://localhost:{service.https_port}", "--ca-file", service.ca,
                      "--api-key-file", str(file))
    assert out.returncode == AUTHENTICATION and "127.0.0.1" in out.stderr and file.read_text().split()[0] not in out.stderr


@pytest.mark.parametrize("words, status, said", [
    (["create", "x"], USAGE, "--scope"),
    (["create", "x", "--identity", "{handle}", "--scope", "tunnels:reed"], USAGE, "tunnels:read"),
    (["create", "x", "--identity", "{handle}", "--scope", "keys:write"], USAGE, "no identity's key"),
    (["create", "x", "--identity", "{handle}", "--scope", "tunnel:nobody-at-all:connect"], USAGE, "no tunnel nobody-at-all"),
    (["create", "x", "--identity", "{handle}", "--allow-from", "192.0.2.7/24"], USAGE, "192.0.2.0/24"),
    (["create", "x", "--scope", "keys:write"], AUTHENTICATION, "culvertd init"),
    (["rotate", "--overlap-hours", "1"], USAGE, "ID"),
    (["rotate", "x", "--overlap-hours", "169"], USAGE, "0 to 168"),
    (["rotate", "x", "--overlap-hours", "1.5"], USAGE, "0 to 168"),
    (["rotate", "x", "--rotation-secret-file", "f"], USAGE, "--rotation-secret-file"),
    (["rotate", "no-such-label"], NOT_FOUND, "culvert keys list"),
    (["rotate", "ApiKey_00000000-0000-4000-8000-000000000000"], NOT_FOUND, "culvert keys list"),
])
def test_what_goes_wrong_is_told(account, handle, words, status, said):
    out = account.run("keys", *[w.format(handle=handle) for w in words])
    assert out.returncode == status and said in out.stderr and out.stdout == "", out
    out = account.run("keys", *[w.format(handle=handle) for w in words], "--json")
    assert json.loads(out.stderr)["error"]["exit_code"] == status


def test_rotate_hands_the_new_key_over_once(account, service, handle, tmp_path):
    label, file = "turned-" + handle, tmp_path / "new.key"
    old = read(account.run("keys", "create", label, "--identity", handle, "--json"))
    out = account.run("keys", "rotate", label, "--overlap-hours", "24", "--secret-file", str(file))
    new = file.read_text().split()[0]
    assert mode(file) == 0o600 and new not in good(out) + out.stderr and "good until" in out.stderr
    assert works(service, old["api_key"]) and works(service, new)
    rotated = read(account.run("keys", "get", old["record"]["id"], "--json"))
    assert rotated["replaced_by"] and rotated["status"] == "active"
    assert account.run("keys", "rotate", old["record"]["id"]).returncode == CONFLICT
    at_once = read(account.run("keys", "rotate", rotated["replaced_by"], "--json"))
    assert at_once["replaced_record"]["status"] == "revoked" and not works(service, new) and works(service, at_once["api_key"])
