"""The example requests of the documents that Culvert implements, run as they stand but for host, key and id."""
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.organizations import Organization, api_key, basic, bearer, some_uuid
from support.processes import clean_environment, new_name
from support.waiting import until

FOLDER = Path(__file__).parent.parent.parent / "Fixtures/Examples"
DOCUMENTED = json.loads((FOLDER / "documented.json").read_text())
EXAMPLES = sorted(str(p.relative_to(FOLDER)) for p in FOLDER.rglob("*.*") if p.suffix in (".sh", ".py", ".mjs"))
HOSTS = re.compile(r"https://(?:inkbox\.ai|sandbox\.api\.hopae\.com)(?=/)")


@pytest.fixture
def service(make_service):
    return make_service(limits={})


@pytest.fixture
def home(service):
    return Organization(service, service.org, service.key)


class Stage:
    """What an example needs to be there before it runs, and the words that stand for it."""

    def __init__(self, home, name):
        self.home, self.url = home, f"https://localhost:{home.service.https_port}"
        self.tunnel = self.identity = self.key = self.app = None
        if name.startswith("manage-tunnels/") and not name.endswith("/create") or name == "connect-secret/rotate":
            self.tunnel = home.tunnel(description="before")
        if name in ("manage-tunnels/restore", "manage-tunnels/force-delete"):
            assert home.call("DELETE", f"/api/v1/tunnels/{self.tunnel['id']}").status == 200
        if name == "agent-key/rotate":
            self.identity = home.identity()
            self.key = home.identity_key(self.identity)
        if name == "app-secret/rotate":
            self.app = home.app([])

    def set(self, text):
        text = HOSTS.sub(self.url, text)
        text = re.sub(r"YOUR_(ADMIN_)?API_KEY|sk_workspace_test_\.\.\.", self.home.key, text)
        if self.tunnel:
            text = text.replace("TUNNEL_ID", self.tunnel["id"])
        return text.replace("HqTRDIYH", self.app["client_id"]) if self.app else text

    @property
    def environment(self):
        ca = self.home.service.ca
        environment = {**clean_environment(), "CURL_CA_BUNDLE": ca, "REQUESTS_CA_BUNDLE": ca, "NODE_EXTRA_CA_CERTS": ca}
        if self.key:
            environment |= {"API": self.url, "CURRENT_API_KEY": self.key["api_key"], "ROTATION_SECRET": self.key["rotation_secret"]}
        return environment


def run(command, stage):
    out = subprocess.run(command, capture_output=True, text=True, timeout=60, env=stage.environment)
    assert out.returncode == 0, f"{command[0]} exited {out.returncode}: {out.stdout}{out.stderr}"
    return out.stdout


def run_shell(text, stage, folder):
    """A curl line; its status goes behind the body."""
    text = re.sub(r"(?m)^curl ", r"curl --silent --write-out '\\n%{http_code}' ", stage.set(text))
    body, _, status = run(["bash", "-euc", text], stage).rpartition("\n")
    return int(status), json.loads(body)


def run_python(text, stage, folder):
    given = f"tunnel_id = {stage.tunnel['id']!r}\n" if stage.tunnel else ""
    shown = "\nimport json\nprint(json.dumps([response.status_code, response.json()]))\n"
    (folder / "example.py").write_text(given + stage.set(text) + shown)
    return json.loads(run([sys.executable, folder / "example.py"], stage))


def run_javascript(text, stage, folder):
    if not shutil.which("node"):
        pytest.skip("node is not installed: the JavaScript examples are not run")
    given = f"const tunnelId = {json.dumps(stage.tunnel['id'])};\n" if stage.tunnel else ""
    # The example reads the body itself; what it binds is what is looked at.
    bound = re.search(r"const (\{[^}]*\}|\w+) = await response\.json\(\)", text)[1]
    shown = f"\nconsole.log(JSON.stringify([response.status, {bound}]));\n"
    (folder / "example.mjs").write_text(given + stage.set(text) + shown)
    return json.loads(run(["node", folder / "example.mjs"], stage))


RUNNERS = {".sh": run_shell, ".py": run_python, ".mjs": run_javascript}


def check_members(result, wanted, stage):
    if wanted == "tunnel":
        result, wanted = {"tunnel": result}, ["tunnel"]
    assert set(wanted) <= set(result), result
    for tunnel in [result[m] for m in wanted if m == "tunnel"] + result.get("tunnels", []):
        for members in DOCUMENTED["tunnel"].values():
            assert set(members) <= set(tunnel), f"a documented member is missing: {set(members) - set(tunnel)}"
        assert tunnel["organization_id"] == stage.home.id
    if "connect_secret" in wanted:
        assert re.fullmatch("tnl_[0-9a-f]{32}", result["connect_secret"])
    if "clientSecret" in wanted:
        assert re.fullmatch("[0-9a-f]{64}", result["clientSecret"])


@pytest.mark.parametrize("path", EXAMPLES)
def test_the_example(home, tmp_path, path):
    name, suffix = os.path.splitext(path)
    expected, stage = DOCUMENTED["examples"][name], Stage(home, name)
    status, result = RUNNERS[suffix]((FOLDER / path).read_text(), stage, tmp_path)
    assert status == expected["status"], result
    check_members(result, expected["result"], stage)
    EFFECTS[name](stage, result)


# What the documents say that each request does.

def created(stage, result):
    tunnel = result["tunnel"]
    assert (tunnel["tunnel_name"], tunnel["description"], tunnel["tls_mode"], tunnel["status"], tunnel["currently_connected"]) == (
        "my-agent", "Production webhook receiver", "edge", "active", False)
    nothing = ("cert_pem", "cert_fingerprint_sha256", "cert_expires_at", "last_connected_at", "last_connected_ip_addr", "restore_deadline_at")
    assert all(tunnel[member] is None for member in nothing)


def listed(stage, result):
    assert [t["id"] for t in result["tunnels"]] == [stage.tunnel["id"]]


def unchanged(stage, result):
    assert result == {k: v for k, v in stage.tunnel.items() if k != "connect_secret"}


def updated(stage, result):
    assert result["description"] == "Updated description"


def deleted(stage, result):
    assert result["status"] == "delete_pending" and result["restore_deadline_at"]


def restored(stage, result):
    assert result["status"] == "active" and result["restore_deadline_at"] is None


def force_deleted(stage, result):
    assert result["status"] == "deleted"
    assert stage.home.call("POST", "/api/v1/tunnels", {"tunnel_name": stage.tunnel["tunnel_name"]}).status == 201, "the name is released"


def secret_rotated(stage, result):
    assert result["connect_secret"] != stage.tunnel["connect_secret"]


def agent_key_rotated(stage, result):
    assert result["agentId"] == stage.identity["id"] and result["agentName"] == stage.identity["agent_handle"]
    old, new = (stage.home.call("GET", "/api/v1/whoami", key=k).status for k in (stage.key["api_key"], result["apiKey"]))
    assert (old, new) == (401, 200)
    again = stage.home.call("POST", "/v1/agents/self/rotate-key", {"rotationSecret": stage.key["rotation_secret"]}, key=None, headers=bearer(result["apiKey"]))
    assert again.status == 401, "the old rotation secret counts no more"


def client_secret_rotated(stage, result):
    old, new = (stage.home.call("GET", "/api/v1/whoami", key=None, headers=basic({**stage.app, "client_secret": s})).status
                for s in (stage.app["client_secret"], result["clientSecret"]))
    assert (old, new) == (401, 200)


EFFECTS = {
    "manage-tunnels/create": created, "manage-tunnels/list": listed, "manage-tunnels/get": unchanged, "manage-tunnels/update": updated,
    "manage-tunnels/delete": deleted, "manage-tunnels/restore": restored, "manage-tunnels/force-delete": force_deleted,
    "connect-secret/rotate": secret_rotated, "agent-key/rotate": agent_key_rotated, "app-secret/rotate": client_secret_rotated}


# The errors that the documents name, each provoked.

def create(home, **members):
    return home.call("POST", "/api/v1/tunnels", {"tunnel_name": new_name(), **members})


def many(count, call):
    return [call() for _ in range(count)][-1]


def rotate_key(home, key, body, **options):
    return home.call("POST", "/v1/agents/self/rotate-key", body, key=None, headers=bearer(key), **options)


def agent(home):
    key = home.identity_key(home.identity())
    return key["api_key"], {"rotationSecret": key["rotation_secret"]}


def revoked_agent(home):
    key = home.revoked_key(home.identity())
    return rotate_key(home, key["api_key"], {"rotationSecret": key["rotation_secret"]})


PROVOKED = {
    ("manage-tunnels/create", 409): [lambda h: create(h, tunnel_name=h.tunnel()["tunnel_name"]), lambda h: create(h, tunnel_name="admin")],
    ("manage-tunnels/create", 422): [lambda h: create(h, tunnel_name="Bad_Name"), lambda h: create(h, description="x" * 1001)],
    ("manage-tunnels/create", 429): [lambda h: many(11, lambda: create(h))],
    ("manage-tunnels/restore", 409): [lambda h: h.call("POST", f"/api/v1/tunnels/{h.tunnel()['id']}/restore")],
    ("manage-tunnels/force-delete", 403): [
        lambda h: h.call("DELETE", f"/api/v1/tunnels/{h.pending_tunnel()['id']}/force", key=h.identity_key(h.identity())["api_key"])],
    ("manage-tunnels/force-delete", 409): [lambda h: h.call("DELETE", f"/api/v1/tunnels/{h.tunnel()['id']}/force")],
    ("connect-secret/rotate", 404): [lambda h: h.call("POST", f"/api/v1/tunnels/{some_uuid()}/rotate-secret")],
    ("connect-secret/rotate", 429): [
        lambda h: (lambda t: many(6, lambda: h.call("POST", f"/api/v1/tunnels/{t['id']}/rotate-secret")))(h.tunnel())],
    ("agent-key/rotate", 400): [lambda h: rotate_key(h, agent(h)[0], {})],
    ("agent-key/rotate", 401): [
        lambda h: rotate_key(h, agent(h)[0], {"rotationSecret": "sk_live_wrong"}), lambda h: rotate_key(h, "sk_live_wrong", agent(h)[1])],
    ("agent-key/rotate", 403): [revoked_agent],
    ("agent-key/rotate", 429): [lambda h: many(4, lambda: rotate_key(h, agent(h)[0], {"rotationSecret": "sk_live_wrong"}))],
}


def test_every_documented_error_is_provoked():
    assert {(name, status) for name, statuses in DOCUMENTED["errors"].items() for status in statuses} == set(PROVOKED)


@pytest.mark.parametrize("name, status", PROVOKED, ids=str)
def test_the_documented_error(home, name, status):
    for provoke in PROVOKED[name, status]:
        answer = provoke(home)
        assert answer.status == status, answer
        assert answer.header("content-type") == "application/problem+json"
        assert isinstance(answer.json()["detail"], str)
        assert status != 429 or int(answer.header("retry-after")) > 0


# Sentences of the documents that no example shows.

def test_metadata_is_kept_as_it_is_and_cleared_by_either(home):
    tunnel = home.identity()["tunnel"]
    path = f"/api/v1/tunnels/{tunnel['id']}"
    assert home.call("GET", path).json()["metadata"] == {}
    for clearing in ({}, None):
        changed = home.call("PATCH", path, {"metadata": {"stage": "prod", "nested": [1, {"a": None}]}}).json()
        assert changed["metadata"] == {"stage": "prod", "nested": [1, {"a": None}]}
        assert home.call("PATCH", path, {}).json()["metadata"] == changed["metadata"], "omitted is unchanged"
        assert home.call("PATCH", path, {"metadata": clearing}).json()["metadata"] == {}
    fits = {"x": "y" * (4096 - len('{"x":""}'))}
    assert home.call("PATCH", path, {"metadata": fits}).status == 200
    assert home.call("PATCH", path, {"metadata": {"x": fits["x"] + "y"}}).status == 422


def test_a_tunnels_name_tracks_its_identitys_handle(home):
    identity, name = home.identity(), new_name()
    assert home.call("PATCH", f"/api/v1/identities/{identity['agent_handle']}", {"agent_handle": name}).status == 200
    tunnel = home.call("GET", f"/api/v1/tunnels/{identity['tunnel']['id']}").json()
    assert (tunnel["tunnel_name"], tunnel["public_host"], tunnel["zone"]) == (name, f"{name}.localhost", "localhost")


def test_a_passthrough_tunnel_waits_for_its_certificate(home):
    tunnel = home.tunnel(tls_mode="passthrough")
    assert (tunnel["status"], tunnel["cert_pem"]) == ("awaiting_cert", None)


def test_after_a_rotation_connections_stay_and_the_old_secret_is_refused(service, home, connect):
    tunnel = service.tunnel()
    agent = connect(service, tunnel)
    assert home.call("POST", f"/api/v1/tunnels/{tunnel.id}/rotate-secret").status == 200
    assert home.call("GET", f"/api/v1/tunnels/{tunnel.id}").json()["currently_connected"]
    late = connect(service, tunnel, hello=False)
    assert late.hello().status == 401
    assert not agent.goaway.is_set()
    agent.close()
    until("the agent is gone", lambda: not home.call("GET", f"/api/v1/tunnels/{tunnel.id}").json()["currently_connected"])


def test_a_rotated_client_secret_is_replayed_under_its_key(home):
    app, key = home.app([]), some_uuid()
    path = f"/connect/v1/apps/{app['client_id']}/rotate-client-secret"
    first, second = (home.call("POST", path, key=None, headers={**bearer(home.key), "Idempotency-Key": key}) for _ in range(2))
    assert (first.status, second.status) == (200, 200) and first.body == second.body
    assert (first.header("idempotency-replayed"), second.header("idempotency-replayed")) == (None, "true")
    long = home.call("POST", path, key=None, headers={**api_key(home.key), "Idempotency-Key": "k" * 256})
    assert long.status == 422
