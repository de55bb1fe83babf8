"""Identities, their keys, and agents that rotate their own."""
import base64
import hashlib
import sqlite3
import threading

import pytest

from support.processes import new_name
from support.waiting import until

ROTATE = "/v1/agents/self/rotate-key"


class Identity:
    """An identity with its tunnel and a key of its own."""

    def __init__(self, service, handle=None, **members):
        self.service, self.handle = service, handle or new_name()
        answer = service.call("POST", "/api/v1/identities", {"agent_handle": self.handle, **members})
        assert answer.status == 201, answer
        self.json = answer.json()
        self.id, self.tunnel_id = self.json["id"], self.json["tunnel"]["id"]
        self.host = self.json["tunnel"]["public_host"]
        self.mint()

    def mint(self, label="e2e", **members):
        answer = self.service.call("POST", "/api/v1/api-keys", {"label": label, "scoped_identity_id": self.id, **members})
        assert answer.status == 201, answer
        made = answer.json()
        self.key, self.rotation_secret, self.key_id = made["api_key"], made["rotation_secret"], made["record"]["id"]
        return self

    def call(self, method, path, body=None, key=None, **options):
        return self.service.call(method, path, body, key=key or self.key, **options)

    def rotate(self, key=None, secret=None, path=ROTATE, idempotency_key=None):
        headers = {"Authorization": "Bearer " + (key or self.key)}
        if idempotency_key:
            headers["Idempotency-Key"] = idempotency_key
        return self.service.call("POST", path, {"rotationSecret": secret or self.rotation_secret}, key=None, headers=headers)

    @property
    def credential(self):
        return ("x-api-key", self.key)


class TunnelOf:
    """What a scripted agent needs to know of an identity's tunnel."""

    def __init__(self, identity):
        self.id, self.secret, self.host = identity.tunnel_id, None, identity.host


@pytest.fixture
def agent_of(connect):
    def make(identity, key=None, **options):
        return connect(identity.service, TunnelOf(identity), credential=("x-api-key", key or identity.key), **options)
    return make


def served(service, agent, host, target="/"):
    """One request through the agent, which answers with its path."""
    answers = []
    asking = threading.Thread(target=lambda: answers.append(service.get(host, target)))
    parked = agent.park()
    asking.start()
    request = agent.take(parked)
    agent.reply(request.id, body=request.path.encode())
    asking.join(20)
    return answers[0]


def test_an_agent_serves_with_its_identitys_key_and_with_no_other(service, agent_of):
    mine, other = Identity(service), Identity(service)
    agent = agent_of(mine)
    answer = served(service, agent, mine.host, "/a?b=c")
    assert answer.status == 200 and answer.body == b"/a?b=c"
    assert service.call("GET", f"/api/v1/tunnels/{mine.tunnel_id}").json()["currently_connected"] is True
    assert agent_of(mine, key=other.key, hello=False).hello().status == 401
    assert agent_of(mine, key=service.key, hello=False).hello().status == 200


def test_a_new_handle_moves_the_host_and_leaves_the_agent(service, agent_of):
    mine = Identity(service)
    agent = agent_of(mine)
    assert served(service, agent, mine.host).status == 200
    new = new_name()
    answer = mine.call("PATCH", f"/api/v1/identities/{mine.handle}", {"agent_handle": "@" + new.upper()})
    assert answer.status == 200 and answer.json()["tunnel"]["public_host"] == f"{new}.localhost"
    old = service.get(mine.host)
    assert (old.status, old.reason) == (404, "no-such-tunnel")
    answer = served(service, agent, f"{new}.localhost", "/there")
    assert answer.status == 200 and answer.body == b"/there"
    assert not agent.goaway.is_set() and not agent.ended.is_set()
    # The edge shows a certificate of the new host.
    with service.secure(f"{new}.localhost", alpn=["http/1.1"]) as wire:
        names = [n for _, n in wire.sock.getpeercert()["subjectAltName"]]
        assert names == [f"{new}.localhost"]
    assert service.call("POST", "/api/v1/tunnels", {"tunnel_name": mine.handle}).status == 201, "the old name is free"


def test_deleting_an_identity_ends_everything_of_it(service, agent_of):
    mine = Identity(service)
    agent = agent_of(mine)
    assert service.call("DELETE", f"/api/v1/identities/{mine.handle}").status == 204
    assert agent.goaway.wait(20) and agent.goaway_code == 0 and b"tunnel-deleted" in agent.goaway_data
    assert agent.ended.wait(20)
    assert agent_of(mine, hello=False).hello().status == 401
    assert mine.call("GET", "/api/whoami").status == 401
    assert service.call("GET", f"/api/v1/tunnels/{mine.tunnel_id}").status == 404
    assert service.get(mine.host).status == 404
    assert Identity(service, mine.handle).id != mine.id


def test_revoking_a_key_cuts_off_whoever_came_with_it(service, agent_of):
    mine = Identity(service)
    first = agent_of(mine)
    first_key_id = mine.key_id
    mine.mint()
    assert service.call("DELETE", f"/api/v1/api-keys/{first_key_id}").status == 204
    assert first.goaway.wait(20) and b"key-revoked" in first.goaway_data and first.ended.wait(20)
    assert served(service, agent_of(mine), mine.host).status == 200
    assert service.call("DELETE", f"/api/v1/api-keys/{first_key_id}").status == 204


def test_a_key_that_expires_is_cut_off_too(make_service, connect):
    import datetime
    own = make_service()
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=3)
    mine = Identity(own)
    mine.mint(expires_at=moment.strftime("%Y-%m-%dT%H:%M:%SZ"))
    agent = connect(own, TunnelOf(mine), credential=mine.credential)
    until("the key has expired", lambda: mine.call("GET", "/api/whoami").status == 401)
    # The service writes expiries down once a minute.
    assert agent.goaway.wait(75) and b"key-revoked" in agent.goaway_data
    record = own.call("GET", f"/api/v1/api-keys/{mine.key_id}").json()
    assert record["status"] == "revoked" and record["revoked_at"] == record["expires_at"]


@pytest.mark.parametrize("path", [ROTATE, "/api/v1/agents/self/rotate-key", "/api/agents/self/rotate-key"])
def test_an_agent_rotates_its_own_key_and_comes_back_with_the_new_one(service, agent_of, path):
    mine = Identity(service)
    agent = agent_of(mine)
    answer = mine.rotate(path=path)
    assert answer.status == 200, answer
    new = answer.json()
    assert set(new) == {"message", "apiKey", "rotationSecret", "agentId", "agentName"}
    assert (new["agentId"], new["agentName"]) == (mine.id, mine.handle)
    assert agent.goaway.wait(20) and b"key-revoked" in agent.goaway_data and agent.ended.wait(20)
    assert agent_of(mine, hello=False).hello().status == 401
    assert mine.call("GET", "/api/whoami").status == 401
    assert mine.rotate().status == 401
    assert served(service, agent_of(mine, key=new["apiKey"]), mine.host).status == 200
    assert mine.rotate(new["apiKey"], new["rotationSecret"]).status == 200


def test_a_lost_rotation_is_had_again_after_a_restart(make_service):
    own = make_service()
    mine = Identity(own)
    first = mine.rotate(idempotency_key="k")
    assert first.status == 200
    own.stop()
    own.start()
    again = mine.rotate(idempotency_key="k")
    assert again.status == 200 and again.header("idempotency-replayed") == "true" and again.body == first.body
    assert mine.rotate(secret="RotSecret_wrong", idempotency_key="k").status == 401
    assert mine.rotate().status == 401


def test_a_rotation_that_is_killed_leaves_one_pair_that_works(make_service):
    own = make_service()
    for _ in range(5):
        mine, name = Identity(own), new_name()
        answers = []

        def rotate():
            try:
                answers.append(mine.rotate(idempotency_key=name))
            except OSError:
                pass
        asking = threading.Thread(target=rotate)
        asking.start()
        own.kill()
        asking.join(20)
        own.start()
        again = mine.rotate(idempotency_key=name)
        assert again.status == 200, f"neither rotated nor left alone: {again}"
        new = again.json()
        assert mine.call("GET", "/api/whoami", key=new["apiKey"]).status == 200
        assert mine.call("GET", "/api/whoami").status == 401
        for answer in answers:
            assert answer.body == again.body


def test_attempts_to_rotate_are_limited_by_address(make_service):
    own = make_service(env={"CULVERT_LIMIT_KEY_ROTATIONS_PER_15_MIN": "2"})
    mine = Identity(own)
    assert mine.rotate(secret="RotSecret_wrong").status == 401
    assert mine.rotate().status == 200
    late = mine.rotate()
    assert late.status == 429 and 0 < int(late.header("retry-after")) <= 900


def test_agents_credentials_lie_nowhere_in_the_open(make_service):
    own = make_service()
    mine = Identity(own)
    secrets = [mine.key, mine.rotation_secret]
    new = mine.rotate(idempotency_key="k").json()
    secrets += [new["apiKey"], new["rotationSecret"]]
    signing = own.call("POST", f"/api/v1/identities/{mine.handle}/signing-key")
    assert signing.status == 201
    secrets.append(signing.json()["signing_key"])
    own.stop()
    haystacks = [p.read_bytes() for p in own.data.rglob("*") if p.is_file()] + [own.log.read_bytes()]
    for secret in secrets:
        body = secret.split("_", 1)[1]
        for form in [body.encode(), base64.b64encode(secret.encode()), secret.encode().hex().encode()]:
            assert not any(form in h for h in haystacks)
    with sqlite3.connect(own.data / "culvert.db") as db:
        hashes = [row[0] for row in db.execute("SELECT hash FROM api_keys UNION SELECT rotation_secret_hash FROM api_keys")]
    for secret in secrets[:4]:
        assert hashlib.sha256(secret.encode()).digest() in hashes, "the search itself works"
