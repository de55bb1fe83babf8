"""Secrets: shown once, kept as hashes, in no log, no command line, no error."""
import base64
import hashlib
import os
import stat

import pytest

from support.processes import Account, Route
from support.origin import Origin


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory):
    """A service that has seen every kind of secret used rightly and wrongly, and the secrets."""
    from support.agent import ScriptedAgent
    from support.processes import Service
    service = Service(tmp_path_factory.mktemp("secrets"), arguments=["--log-format", "json"]).init().start()
    account = Account(tmp_path_factory.mktemp("home"), service)
    origin = Origin()
    route = Route(service, account, origin)
    tunnel = service.tunnel()
    rotated = service.call("POST", f"/api/v1/tunnels/{tunnel.id}/rotate-secret").json()["connect_secret"]
    replayed = service.call("POST", "/api/v1/tunnels", {"tunnel_name": "replayed-name"}, headers={"Idempotency-Key": "k1"}).json()["connect_secret"]
    agents = [ScriptedAgent(service, tunnel, secret=rotated), ScriptedAgent(service, tunnel, hello=False),
              ScriptedAgent(service, tunnel, hello=False, credential=("x-api-key", service.key))]
    agents[1].hello()
    agents[2].hello()
    tokens = [a.token for a in agents if a.token]
    wrong = "ApiKey_" + "w" * 40
    service.call("GET", "/api/v1/tunnels", key=wrong)
    service.call("GET", "/api/v1/tunnels", key=None, headers={"Authorization": "Bearer " + wrong})
    route.get("/visit?token=third-party-secret", headers=[("Authorization", "Bearer third-party-secret"), ("Cookie", "session=third-party-secret")])
    secrets = {"api key": service.key, "first secret": tunnel.secret, "rotated secret": rotated, "replayed secret": replayed, "wrong key": wrong,
               **{f"owner token {i}": t for i, t in enumerate(tokens)}}
    yield service, account, route, secrets
    for agent in agents:
        agent.close()
    route.agent.stop()
    service.stop()
    origin.close()


def spellings(secret):
    """The ways in which a careless program might write it down."""
    body = secret.split("_", 1)[-1]
    raw = secret.encode()
    found = {raw, body.encode(), base64.b64encode(raw), raw.hex().encode(), raw.hex().upper().encode()}
    try:
        found.add(bytes.fromhex(body))
    except ValueError:
        pass
    return {s for s in found if len(s) >= 16}


def test_no_secret_is_in_the_data_folder(lived_in):
    service, _, _, secrets = lived_in
    for path in service.data.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            for what, secret in secrets.items():
                for spelling in spellings(secret):
                    assert spelling not in data, f"the {what} is in {path}"


def test_no_secret_is_in_a_log(lived_in):
    service, account, route, secrets = lived_in
    for path in (service.log, route.agent.log):
        text = path.read_bytes()
        for what, secret in {**secrets, "third party's": "third-party-secret"}.items():
            body = secret.split("_", 1)[-1].encode()
            if what == "third party's":
                text = b"\n".join(l for l in text.splitlines() if b"/visit" not in l or b"Bearer" in l or b"session" in l)
            assert body not in text, f"the {what} is in {path}"


def test_no_secret_is_on_a_command_line(lived_in):
    service, _, route, secrets = lived_in
    for pid in (service.pid, route.agent.pid):
        line = open(f"/proc/{pid}/cmdline", "rb").read()
        for what, secret in secrets.items():
            assert secret.encode() not in line, what


def test_the_agents_files_are_its_owners_alone(lived_in):
    _, account, _, _ = lived_in
    written = [p for p in account.folder.rglob("*") if p.is_file() and p != account.key_file and not p.name.endswith(".log")]
    holding = [p for p in written if b"tnl_" in p.read_bytes() or b"ApiKey_" in p.read_bytes()]
    assert holding, "the agent keeps its secret in a file"
    for path in holding:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        assert path.stat().st_uid == os.getuid()


def test_the_files_of_the_service_are_its_owners_alone(lived_in):
    service, _, _, _ = lived_in
    for path in service.data.rglob("*"):
        if path.is_file() and str(path) != service.ca:
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_plain_hashes_are_what_is_kept(lived_in):
    """Not a requirement on the form, but proof that this test would see a secret: something derived from it must be there."""
    service, _, _, secrets = lived_in
    everything = b"".join(p.read_bytes() for p in service.data.rglob("*") if p.is_file())
    digest = hashlib.sha256(secrets["api key"].encode()).digest()
    assert digest in everything or digest.hex().encode() in everything or b"ApiKey" not in everything


def test_wrong_and_malformed_keys_answer_alike(lived_in):
    service, _, _, secrets = lived_in
    mistyped = secrets["api key"][:-1] + ("a" if secrets["api key"][-1] != "a" else "b")
    answers = [service.call("GET", "/api/v1/tunnels", key=k) for k in (secrets["wrong key"], mistyped, "nonsense")]
    assert {a.status for a in answers} == {401}
    bodies = [{k: v for k, v in a.json().items() if k != "instance"} for a in answers]
    assert bodies[0] == bodies[1] == bodies[2] or bodies[0].keys() == bodies[1].keys() == bodies[2].keys()
