"""culvert-rpc: the protocol on its pipes, the native methods against a real service, and the whole story of a handler."""
import base64
import json
import os
import random
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from support.cli import good, key_of, log_in, stored
from support.processes import new_name, peak_kib
from support.rpc import CULVERT_RPC, RPC, RPCError
from support.waiting import until


@pytest.fixture
def rpc(account):
    client = RPC(account)
    yield client
    client.kill()


@pytest.fixture
def make_rpc():
    made = []

    def make(*arguments, **options):
        made.append(RPC(*arguments, **options))
        return made[-1]

    yield make
    for client in made:
        client.kill()


def test_every_method_is_described(make_rpc):
    document = make_rpc().call("rpc.discover")
    assert document["openrpc"].startswith("1.")
    names = [m["name"] for m in document["methods"]]
    assert len(names) == len(set(names)) and {"tunnels.list", "agent.start", "request.respond", "requests.wait", "domain.parseSecret",
                                              "identities.list", "keys.list", "apps.list", "audit.list", "whoami"} <= set(names)
    for method in document["methods"]:
        assert method["summary"] and "schema" in method["result"]
        assert all(p["schema"] for p in method["params"])


@pytest.mark.parametrize("headers", [False, True])
def test_the_rules_answer_without_a_server(make_rpc, headers):
    rpc = make_rpc(headers=headers)
    assert rpc.call("domain.validateName", {"name": "my-agent"}) == {"is_valid": True, "is_reserved": False}
    assert rpc.call("domain.validateName", ["My"])["is_valid"] is False
    assert rpc.call("domain.validateName", ["api"])["is_reserved"] is True
    limit = rpc.call("domain.rateLimit", {"limit": 2, "window_seconds": 60, "at": "2026-01-01T00:01:00Z",
                                          "successes": ["2026-01-01T00:00:30Z", "2026-01-01T00:00:40Z"]})
    assert limit["is_allowed"] is False and limit["retry_after_seconds"] == 30 and limit["headers"]["Retry-After"] == "30"
    plan = rpc.call("domain.renewalPlan", {"not_before": "2026-01-01T00:00:00Z", "not_after": "2026-04-01T00:00:00Z", "at": "2026-03-20T00:00:00Z"})
    assert plan["renew_from"] == "2026-03-02T00:00:00Z" and plan["urgency"] == "urgent"
    assert rpc.call("domain.parseSecret", {"secret": "tnl_" + "0" * 32})["kind"] == "connect_secret"
    secret = "ApiKey_" + "x" * 30
    answer = rpc.call("domain.parseSecret", {"secret": secret})
    assert answer["is_well_formed"] is False and secret not in json.dumps(answer)
    with pytest.raises(RPCError) as refused:
        rpc.call("tunnels.list")
    assert "culvert login" in str(refused.value)
    rpc.end()


def test_ids_come_back_as_they_went(make_rpc):
    rpc = make_rpc()
    for id in (1, 1.5, -3, "1", "", "é\n", 12345678901234567890):
        rpc.put({"jsonrpc": "2.0", "id": id, "method": "agent.list"})
        assert rpc.answer(id)["result"] == {"agents": []}
    rpc.put({"jsonrpc": "2.0", "id": None, "method": "agent.list"})
    until("the answer to null is there", lambda: rpc.stray)
    assert rpc.stray[0]["result"] == {"agents": []}


def test_batches(make_rpc):
    rpc = make_rpc()
    call = {"jsonrpc": "2.0", "method": "agent.list"}
    rpc.put([{**call, "id": 1}, call, {**call, "id": "b"}, 5, {"jsonrpc": "2.0", "id": 9, "method": "nope"}])
    assert rpc.answer(1)["result"] == rpc.answer("b")["result"] == {"agents": []}
    assert rpc.answer(9)["error"]["code"] == -32601
    assert [s["error"]["code"] for s in rpc.stray] == [-32600]
    rpc.put([call])
    rpc.put([])
    until("the empty batch is refused", lambda: len(rpc.stray) == 2)
    rpc.end()


def test_parameters_are_checked(make_rpc):
    rpc = make_rpc()
    for params in ({"nam": "x"}, {"name": 5}, {}, ["a", "b"], {"name": "x", "more": 1}):
        with pytest.raises(RPCError) as refused:
            rpc.call("domain.validateName", params)
        assert refused.value.code == -32602


def test_a_command_line_with_a_secret_is_refused():
    for words in (["--api-key", "x"], ["--token=x"], ["--api-key-file", "-"], ["--allow", "all"], ["--limit", "depth=1"], ["--nope"]):
        out = subprocess.run([CULVERT_RPC, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=20)
        assert out.returncode == 2 and out.stdout == "" and out.stderr, words
    out = subprocess.run([CULVERT_RPC, "--help"], capture_output=True, text=True, timeout=20)
    assert out.returncode == 0 and "--allow" in out.stdout


@pytest.mark.parametrize("client, file, member", [("claude", ".mcp.json", "mcpServers"), ("cursor", ".cursor/mcp.json", "mcpServers"),
                                                  ("vscode", ".vscode/mcp.json", "servers")])
def test_the_configuration_of_a_client(account, tmp_path, client, file, member):
    printed = account.run("rpc", "install", "--for", client, cwd=tmp_path)
    assert printed.returncode == 0 and not list(tmp_path.iterdir())
    entry = json.loads(printed.stdout)[member]["culvert"]
    assert entry["args"] == ["--mcp"] and Path(entry["command"]).resolve() == Path(CULVERT_RPC).resolve()
    place = tmp_path / file
    place.parent.mkdir(exist_ok=True)
    place.write_text('{"other": [1.50, {"a": null}], "%s": {"mine": {"command": "x"}, "culvert": 5}}' % member)
    place.chmod(0o640)
    written = account.run("rpc", "install", "--for", client, "--allow", "operate", "--write", cwd=tmp_path)
    assert written.returncode == 0 and written.stdout == "", written
    kept = json.loads(place.read_text())
    assert kept["other"] == [1.5, {"a": None}] and "1.50" in place.read_text() and kept[member]["mine"] == {"command": "x"}
    assert kept[member]["culvert"]["args"] == ["--mcp", "--allow", "operate"] and place.stat().st_mode & 0o777 == 0o640
    place.write_text("// a comment\n{}")
    refused = account.run("rpc", "install", "--for", client, "--write", cwd=tmp_path)
    assert refused.returncode != 0 and place.read_text().startswith("//")
    assert account.run("rpc", "install", "--for", "emacs").returncode == 2


def test_tunnels_from_birth_to_death(rpc, account):
    name = new_name()
    created = rpc.call("tunnels.create", {"name": name, "description": "one"})
    assert created["connect_secret"].startswith("tnl_")
    assert os.stat(created["connect_secret_file"]).st_mode & 0o777 == 0o600
    assert name in [t["tunnel_name"] for t in rpc.call("tunnels.list")["tunnels"]]
    id = rpc.call("tunnels.get", {"tunnel": name})["id"]
    assert rpc.call("tunnels.get", [id])["tunnel_name"] == name
    updated = rpc.call("tunnels.update", {"tunnel": name, "description": None, "metadata": {"a": [1, 2.5, None]}})
    assert updated.get("description") is None and updated["metadata"] == {"a": [1, 2.5, None]}
    with pytest.raises(RPCError) as taken:
        rpc.call("tunnels.create", {"name": name})
    assert taken.value.code == 1004 and taken.value.data["status"] == 409
    assert rpc.call("tunnels.rotateSecret", {"tunnel": name})["connect_secret"] != created["connect_secret"]
    assert rpc.call("tunnels.delete", {"tunnel": name})["status"] == "delete_pending"
    assert rpc.call("tunnels.restore", {"tunnel": name})["status"] == "active"
    rpc.call("tunnels.delete", {"tunnel": name})
    assert rpc.call("tunnels.forceDelete", {"tunnel": id})["status"] == "deleted"
    with pytest.raises(RPCError) as gone:
        rpc.call("tunnels.get", {"tunnel": name})
    assert gone.value.code == 1003


def test_identities_keys_apps_and_audit(rpc):
    assert rpc.call("whoami")["auth_type"] == "api_key"
    handle = new_name()
    identity = rpc.call("identities.create", {"agent_handle": handle, "display_name": "One"})
    assert handle in [i["agent_handle"] for i in rpc.call("identities.list")["identities"]]
    assert rpc.call("identities.update", {"agent_handle": handle, "display_name": None})["agent_handle"] == handle
    key = rpc.call("keys.create", {"label": "k", "identity_id": identity["id"]})
    assert key["api_key"].startswith("ApiKey_")
    listed = rpc.call("keys.list")
    assert key["record"]["id"] in [k["id"] for k in listed["keys"]] and key["api_key"] not in json.dumps(listed)
    assert rpc.call("keys.get", {"id": key["record"]["id"]}) == key["record"]
    assert rpc.call("identities.signingKey", {"agent_handle": handle})["configured"] is False
    rpc.call("identities.rotateSigningKey", {"agent_handle": handle})
    assert rpc.call("identities.signingKey", {"agent_handle": handle})["configured"] is True
    narrow = rpc.call("keys.create", {"label": "n", "identity_id": identity["id"], "scopes": [f"tunnel:{handle}:connect"],
                                      "allowed_ip_ranges": ["192.0.2.0/24"]})["record"]
    assert narrow["scopes"] == [f"tunnel:{handle}:connect"] and narrow["allowed_ip_ranges"] == ["192.0.2.0/24"]
    rotated = rpc.call("keys.rotate", {"id": narrow["id"], "overlap_hours": 2})
    assert rotated["api_key"].startswith("ApiKey_") and rotated["record"]["scopes"] == narrow["scopes"]
    assert rotated["replaced_record"]["status"] == "active" and rotated["replaced_record"]["replaced_by"] == rotated["record"]["id"]
    assert rpc.call("keys.revoke", {"id": key["record"]["id"]}) == {"is_done": True}
    app = rpc.call("apps.create", {"name": "a", "scopes": ["tunnels:read"]})
    assert rpc.call("apps.rotateSecret", {"client_id": app["client_id"]})["client_secret"] != app["client_secret"]
    assert rpc.call("apps.get", {"client_id": app["client_id"]})["name"] == "a"
    assert rpc.call("apps.delete", {"client_id": app["client_id"]}) == {"is_done": True}
    assert rpc.call("identities.delete", {"agent_handle": handle}) == {"is_done": True}
    made = rpc.call("webhooks.create", {"url": "https://hooks.example/in", "event_types": ["tunnel.created"], "description": "d"})
    hook = {"id": made["id"]}
    assert rpc.call("webhooks.rotateSecret", hook)["secret"] != made["secret"]
    assert rpc.call("webhooks.update", {**hook, "description": None, "event_types": ["key.created"]})["event_types"] == ["key.created"]
    listed = rpc.call("webhooks.list")
    assert hook["id"] in [w["id"] for w in listed["webhooks"]] and made["secret"] not in json.dumps(listed)
    assert rpc.call("webhooks.get", hook)["url"] == "https://hooks.example/in"
    assert rpc.call("webhooks.deliveries", {**hook, "limit": 3}) == {"deliveries": []}
    for method in ("webhooks.delivery", "webhooks.replay"):
        with pytest.raises(RPCError) as unknown:
            rpc.call(method, hook)
        assert unknown.value.code == 1003
    assert rpc.call("webhooks.delete", hook) == {"is_done": True}
    events = rpc.call("audit.list", {"limit": 20})["audit_events"]
    assert 0 < len(events) <= 20 and {"action", "actor"} <= set(events[0])


def test_an_agent_replaces_its_own_key(account, service, make_rpc, tmp_path):
    handle = new_name()
    good(account.run("identities", "create", handle))
    key = key_of(account, handle)
    agent = log_in(tmp_path / "agent", service, key)
    before = stored(agent)
    rpc = make_rpc(agent)
    assert rpc.call("whoami")["auth_subtype"].endswith("agent_scoped") or handle in json.dumps(rpc.call("identities.list"))
    served = rpc.call("agent.start", {"name": handle, "respond": {"status": 200, "body": "mine"}})
    rotated = rpc.call("keys.rotateOwn")
    after = stored(agent)
    assert rotated["agent_name"] == handle and after["api_key"] not in json.dumps(rotated)
    assert after["api_key"] != before["api_key"] and after["rotation_secret"] != before["rotation_secret"]
    assert rpc.call("identities.list")["identities"][0]["agent_handle"] == handle, "the new key is in use at once"
    # The agent is let go with the old key, and goes on with the new one.
    rpc.notice("agent.status", status="connected")
    rpc.notice("agent.status", status="connected")
    until("the agent serves with the new key", lambda: service.get(f"{handle}.localhost", "/").body == b"mine")
    assert rpc.call("agent.list")["agents"][0]["status"] != "stopped"
    assert rpc.call("agent.stop", {"agent": served["agent"]})["status"] == "stopped"
    refused = make_rpc(agent, "--api-key-file", str(key))
    with pytest.raises(RPCError) as foreign:
        refused.call("keys.rotateOwn")
    assert foreign.value.code == 1008 and "log in" in str(foreign.value).lower()
    with pytest.raises(RPCError) as revoked:
        refused.call("tunnels.list")
    assert revoked.value.code == 1001
    admin = make_rpc(account)
    with pytest.raises(RPCError) as organizations:
        admin.call("keys.rotateOwn")
    assert organizations.value.code == 1008 and "rotation secret" in str(organizations.value)


def test_the_whole_story(rpc, service):
    """The client is the web server: a third party's POST comes to it, and its answer goes back."""
    agent = rpc.call("agent.start", {"new": True, "handler": True})
    assert agent["status"] == "connected" and agent["public_url"].startswith("https://")
    host = agent["tunnel"] + ".localhost"
    answers = []
    third_party = threading.Thread(target=lambda: answers.append(service.get(
        host, "/hook?x=1", method="POST", headers=[("Content-Type", "application/json"), ("Authorization", "Bearer abcdefghijklmnop")],
        body=b'{"event":"ping","password":"hunter2hunter2"}')))
    third_party.start()
    request = rpc.notice("request.received")
    assert (request["method"], request["path"], request["agent"]) == ("POST", "/hook?x=1", agent["agent"])
    assert json.loads(request["body"]) == {"event": "ping", "password": "hunter2hunter2"}
    accepted = rpc.call("request.respond", {"id": request["id"], "status": 201, "headers": {"X-Story": "told"}, "body": "done é"})
    assert accepted == {"is_accepted": True}
    third_party.join(20)
    assert (answers[0].status, answers[0].body, answers[0].header("x-story")) == (201, "done é".encode(), "told")
    waited = rpc.call("requests.wait", {"filter": {"method": "POST", "path": "/hook"}, "timeout_seconds": 10})["request"]
    assert waited["id"] == request["id"] and waited["status"] == 201 and waited["trust"] == "untrusted"
    assert json.loads(waited["body"]["text"]) == {"event": "ping", "password": "[redacted]"}
    assert ["authorization", "[redacted]"] in waited["headers"] and "hunter2" not in json.dumps(waited)
    assert "hunter2hunter2" in json.dumps(rpc.call("requests.get", {"id": request["id"], "reveal": True}))
    with pytest.raises(RPCError):
        rpc.call("request.respond", {"id": request["id"], "status": 200})
    assert rpc.call("agent.stop", {"agent": agent["agent"]})["status"] == "stopped"
    assert rpc.call("agent.list")["agents"][0]["status"] == "stopped"


def test_a_handler_that_stays_silent_becomes_504(account, service, make_rpc):
    rpc = make_rpc(account, "--limit", "answer-seconds=1")
    agent = rpc.call("agent.start", {"new": True, "handler": True})
    assert service.get(agent["tunnel"] + ".localhost", "/").status == 504
    assert rpc.notice("request.gone")["reason"]
    assert rpc.call("requests.list")["requests"][0]["problem"]


def test_a_target_is_captured_and_replayed(rpc, service, origin):
    agent = rpc.call("agent.start", {"new": True, "target": origin.port})
    host = agent["tunnel"] + ".localhost"
    answer = service.get(host, "/echo?token=abc", method="POST", body=b"\x00\xff binary")
    assert answer.status == 200
    report = rpc.notice("agent.request")
    assert report["status"] == 200 and report["path"] == "/echo?token=[redacted]"
    seen = rpc.call("requests.get", {"id": report["id"]})
    assert base64.b64decode(seen["body"]["base64"]) == b"\x00\xff binary" and seen["response"]["status"] == 200
    again = rpc.call("requests.replay", {"id": report["id"]})["request"]
    assert again["replay_of"] == report["id"] and again["status"] == 200
    passed = rpc.call("requests.assert", {"filter": {"method": "POST", "path": "/echo"}, "count_min": 2, "count_max": 2})
    assert passed["has_passed"] and passed["matched"] == 2
    failed = rpc.call("requests.assert", {"filter": {"method": "GET"}})
    assert not failed["has_passed"] and "POST" in failed["nearest"][0]["difference"]


def test_a_target_that_streams_is_carried_without_capture(rpc, service, origin):
    agent = rpc.call("agent.start", {"new": True, "target": f"http://127.0.0.1:{origin.port}", "capture": False})
    assert service.get(agent["tunnel"] + ".localhost", "/plain").status == 200
    report = rpc.notice("agent.request")
    assert report["status"] == 200 and report["path"] == "/plain"


def test_a_fixed_answer(rpc, service):
    agent = rpc.call("agent.start", {"new": True, "respond": {"status": 202, "headers": [["X-A", "1"], ["X-A", "2"]], "body": "ok"}})
    answer = service.get(agent["tunnel"] + ".localhost", "/")
    assert answer.status == 202 and answer.body == b"ok"


def test_what_an_agent_must_not_do(rpc):
    for params in ({"new": True}, {"name": "abc", "new": True, "handler": True}, {"new": True, "handler": True, "target": 80},
                   {"new": True, "target": "http://192.0.2.1:80"}, {"new": True, "target": "https://127.0.0.1"}):
        with pytest.raises(RPCError) as refused:
            rpc.call("agent.start", params)
        assert refused.value.code == -32602, params


def test_the_end_of_input_takes_tunnels_down(rpc, service):
    agent = rpc.call("agent.start", {"new": True, "respond": {"status": 200}})
    host = agent["tunnel"] + ".localhost"
    assert service.get(host, "/").status == 200
    waiting = rpc.begin("requests.wait", {"filter": {"path": "/never"}, "timeout_seconds": 60})
    rpc.end()
    assert rpc.answer(waiting)["error"]["code"] == -32800
    until("the tunnel has no agent", lambda: service.get(host, "/").reason == "agent-offline")


def test_calls_before_the_end_of_input_are_answered(account):
    calls = "".join(json.dumps({"jsonrpc": "2.0", "id": i, "method": "tunnels.list"}) + "\n" for i in range(100))
    out = subprocess.run([CULVERT_RPC], input=calls, capture_output=True, text=True, env=account.env, timeout=60)
    assert out.returncode == 0 and out.stderr == ""
    answers = [json.loads(line) for line in out.stdout.splitlines()]
    assert sorted(a["id"] for a in answers) == list(range(100)) and all("result" in a for a in answers)


def test_cancelling_and_progress(rpc):
    id = rpc.begin("requests.wait", {"filter": {"path": "/never"}, "timeout_seconds": 60, "workDoneToken": "t"})
    progress = rpc.notice("$/progress", token="t")
    assert progress["value"]["kind"] == "report"
    rpc.notify("$/cancelRequest", {"id": id})
    assert rpc.answer(id)["error"]["code"] == -32800
    with pytest.raises(RPCError) as late:
        rpc.call("requests.wait", {"timeout_seconds": 0.1, "filter": {"path": "/never"}})
    assert late.value.code == 1010


def test_events_are_followed_until_cancelled(rpc):
    id = rpc.begin("events.follow", {"types": ["tunnel.created"]})
    # What is made before the stream is open is not told: names are made until one is.
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        rpc.call("tunnels.create", {"name": new_name()})
        try:
            event = rpc.notice("event", timeout=1)
            break
        except Exception:
            continue
    assert event["type"] == "tunnel.created"
    rpc.notify("$/cancelRequest", {"id": id})
    assert rpc.answer(id)["error"]["code"] == -32800


def test_too_many_waits_are_refused_and_others_go_on(make_rpc):
    rpc = make_rpc(None, "--limit", "waits=2")
    first = [rpc.begin("requests.wait", {"timeout_seconds": 60}) for _ in range(2)]
    with pytest.raises(RPCError) as refused:
        rpc.call("requests.wait", {"timeout_seconds": 60})
    assert refused.value.code == 1011
    assert rpc.call("agent.list") == {"agents": []}
    for id in first:
        rpc.notify("$/cancelRequest", {"id": id})
        assert rpc.answer(id)["error"]["code"] == -32800


class Teller:
    """Another program of the same user, at the notify socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(str(path))
        self.lines = self.socket.makefile("rb")

    def put(self, message):
        self.socket.sendall(json.dumps(message).encode() + b"\n")

    def ask(self, message):
        self.put({"jsonrpc": "2.0", "id": 1, **message})
        answer = json.loads(self.lines.readline())
        return answer.get("result") or answer["error"]

    def close(self):
        self.lines.close()
        self.socket.close()


def test_other_programs_tell_the_client_what_has_happened(make_rpc, tmp_path):
    path = tmp_path / "notify.sock"
    rpc = make_rpc(None, "--notify-socket", str(path), "--limit", "notify-connections=2")
    until("the socket is there", path.exists)
    assert path.stat().st_mode & 0o777 == 0o600
    first = Teller(path)
    assert first.ask({"method": "build.done"})["code"] == 1004
    rpc.call("agent.list")
    assert first.ask({"method": "build.done", "params": {"is_green": True}}) == {"is_told": True}
    assert rpc.notice("event") == {"type": "build.done", "event": {"is_green": True}, "origin": "notify-socket", "trust": "untrusted"}
    first.put({"jsonrpc": "2.0", "method": "hook.received", "params": [1, "two"]})
    assert rpc.notice("event", type="hook.received")["event"] == [1, "two"]
    for wrong, code in (({"method": "rpc.discover"}, -32601), ({"method": "x" * 201}, -32600), ({"method": "x", "params": 1}, -32600)):
        assert first.ask(wrong)["code"] == code, wrong
    first.socket.sendall(b"{nonsense}\n")
    assert json.loads(first.lines.readline())["error"]["code"] == -32700
    assert first.ask({"method": "x" * 200}) == {"is_told": True}
    second = Teller(path)
    assert second.ask({"method": "two"}) == {"is_told": True}
    third = Teller(path)
    assert json.loads(third.lines.readline())["error"]["code"] == 1011 and third.lines.readline() == b""
    second.close()

    def is_let_in():
        try:
            return Teller(path).ask({"method": "three"}) == {"is_told": True}
        except OSError:
            return False
    until("there is room again", is_let_in)
    rpc.end()
    assert not path.exists()


def test_a_client_that_does_not_read_is_told_no_more(make_rpc, tmp_path):
    path = tmp_path / "notify.sock"
    process = subprocess.Popen([CULVERT_RPC, "--notify-socket", str(path), "--limit", "output-bytes=65536"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, env={"HOME": "/nonexistent", "PATH": os.environ["PATH"]})
    try:
        process.stdin.write(b'{"jsonrpc":"2.0","id":1,"method":"agent.list"}\n')
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == 1
        teller = Teller(path)
        answers = []
        # A pipe holds 64 KiB and one message, and the program the bound and one more.
        for _ in range(100):
            answers.append(teller.ask({"method": "big", "params": {"text": "x" * 20_000}}))
            if answers[-1] != {"is_told": True}:
                break
        assert answers[-1]["code"] == 1011 and 2 < len(answers) < 20
        process.stdin.close()
        seen = [json.loads(line) for line in process.stdout]
        assert len(seen) == len(answers) - 1 and process.wait(20) == 0
    finally:
        process.kill()
        process.wait()


def test_the_notify_socket_takes_no_file_from_anybody(make_rpc, tmp_path):
    path = tmp_path / "notes"
    path.write_text("mine")
    out = subprocess.run([CULVERT_RPC, "--notify-socket", str(path)], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=20)
    assert out.returncode == 1 and str(path) in out.stderr and out.stdout == "" and path.read_text() == "mine"
    path.unlink()
    older = make_rpc(None, "--notify-socket", str(path))
    older.call("agent.list")
    newer = make_rpc(None, "--notify-socket", str(path))
    newer.call("agent.list")
    older.end()
    assert Teller(path).ask({"method": "for.the.newer"}) == {"is_told": True}
    assert newer.notice("event")["type"] == "for.the.newer"
    newer.kill()
    reborn = make_rpc(None, "--notify-socket", str(path))
    reborn.call("agent.list")
    assert Teller(path).ask({"method": "after.a.crash"}) == {"is_told": True}
    reborn.end()


@pytest.mark.parametrize("headers", [False, True])
def test_ten_thousand_at_once(make_rpc, headers):
    """All written before anything is read; all answered, each under its id, in bounded memory."""
    rpc = make_rpc(headers=headers)
    rpc.call("agent.list")
    before = peak_kib(rpc.process.pid)
    pieces = []
    for i in range(10_000):
        text = json.dumps({"jsonrpc": "2.0", "id": f"p{i}", "method": "domain.validateName", "params": {"name": f"name-{i}"}}).encode()
        pieces.append(b"Content-Length: %d\r\n\r\n%s" % (len(text), text) if headers else text + b"\n")
    rpc.write(b"".join(pieces))
    for i in range(10_000):
        assert rpc.answer(f"p{i}")["result"]["is_valid"] is True
    grown = peak_kib(rpc.process.pid) - before
    print(f"10,000 calls: {grown} KiB more at the peak")
    assert grown < 64 * 1024
    rpc.end()


def test_ten_thousand_calls_to_the_server_at_once_stand_in_line(account):
    """They run a few at a time, and every one is answered."""
    calls = b"".join(b'{"jsonrpc":"2.0","id":%d,"method":"agent.stop","params":{"agent":"none"}}\n' % i for i in range(10_000))
    out = subprocess.run([CULVERT_RPC], input=calls, capture_output=True, env=account.env, timeout=80)
    answers = [json.loads(line) for line in out.stdout.splitlines()]
    assert sorted(a["id"] for a in answers) == list(range(10_000))
    assert all(a["error"]["code"] == 1003 for a in answers)


# MARK: - Five thousand broken inputs

def broken(random_, id):
    """A message that is broken in one way, and the ids under which it may be answered."""
    text = json.dumps({"jsonrpc": "2.0", "id": id, "method": "domain.validateName", "params": {"name": "my-agent"}})
    bad = id.encode()
    kind = random_.randrange(9)
    if kind == 0:  # bad JSON behind the id
        return text[:-1].encode() + random_.choice([b",}", b",,}", b"]", b"'x'}", b"\x01}"]), [id]
    if kind == 1:  # nested too deeply
        depth = random_.choice([65, 200, 5000])
        return b'{"jsonrpc":"2.0","id":"%s","method":"x","params":%s%s}' % (bad, b"[" * depth, b"]" * depth), [id]
    if kind == 2:  # numbers that nobody can hold
        number = random_.choice([b"1e999", b"-1e4000", b"9" * 400, b"01", b"1.", b".5", b"+1", b"0x10", b"NaN", b"-Infinity"])
        return b'{"jsonrpc":"2.0","id":"%s","method":"agent.list","params":{"a":%s}}' % (bad, number), [id]
    if kind == 3:  # half a surrogate pair
        half = random_.choice([rb"\ud800", rb"\udfff", rb"\ud83d\u0041", rb"\udc00\ud800"])
        return b'{"jsonrpc":"2.0","id":"%s","method":"domain.validateName","params":{"name":"%s"}}' % (bad, half), [id]
    if kind == 4:  # split UTF-8
        piece = random_.choice([b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\xff", b"\xed\xa0\x80", b"\xc0\x80"])
        return b'{"jsonrpc":"2.0","id":"%s","method":"domain.validateName","params":{"name":"%s"}}' % (bad, piece), [id]
    if kind == 5:  # cut somewhere
        cut = random_.randrange(1, len(text))
        whole = cut > text.index(id) + len(id)
        return text[:cut].encode(), [id] if whole else [None]
    if kind == 6:  # JSON, but no message
        return random_.choice([
            (b'{"jsonrpc":"1.0","id":"%s","method":"x"}' % bad, [id]), (b'{"id":"%s"}' % bad, [id]),
            (b'{"jsonrpc":"2.0","id":"%s","method":5}' % bad, [id]), (b'{"jsonrpc":"2.0","id":"%s","method":"x","params":1}' % bad, [id]),
            (b'{"jsonrpc":"2.0","id":{"a":"%s"},"method":"x"}' % bad, [None]), (b'"%s"' % bad, [None]), (b"[]", [None])])
    if kind == 7:  # a member twice
        return b'{"jsonrpc":"2.0","id":"%s","method":"x","method":"y"}' % bad, [id]
    noise = bytes(random_.choice(b'{}[]",:\\abc019 \t\xff\x00') for _ in range(random_.randrange(1, 80)))
    return noise, None


@pytest.mark.parametrize("headers", [False, True])
def test_five_thousand_broken_inputs(make_rpc, headers):
    seed = int(os.environ.get("CULVERT_TEST_SEED", "0")) or random.randrange(1 << 32)
    print(f"seed {seed}")
    random_ = random.Random(seed)
    rpc = make_rpc(headers=headers)
    rpc.call("agent.list")
    expected = {}
    for number in range(5000):
        id = f"f{number}"
        raw, ids = broken(random_, id)
        if headers:
            length, is_sound = len(raw), random_.randrange(5) == 0
            if is_sound:  # nothing is wrong but the length
                raw = json.dumps({"jsonrpc": "2.0", "id": id, "method": "agent.list"}).encode()
                ids, length = [id], len(raw)
            if is_sound or (ids and random_.randrange(3) == 0):
                length = random_.choice([length + random_.randrange(1, 60), max(0, length - random_.randrange(1, 20)), 10 ** 15, 10 ** 30])
            raw = b"Content-Length: %d\r\n\r\n%s" % (length, raw)
        else:
            raw += b"\n"
        if ids and ids[0]:
            expected[id] = raw
        cut = random_.randrange(len(raw))
        rpc.write(raw[:cut])
        rpc.write(raw[cut:])
        if number % 100 == 99:
            assert rpc.call("domain.validateName", {"name": "still-here"})["is_valid"], f"seed {seed}"
    assert rpc.call("domain.validateName", {"name": "still-here"})["is_valid"]
    missing = {id: raw for id, raw in expected.items() if json.dumps(id) not in rpc.answers}
    assert not missing, f"seed {seed}: {len(missing)} without an answer, such as {list(missing.items())[:3]}"
    good = [id for id in expected if "error" not in rpc.answers[json.dumps(id)][0]]
    assert not good, f"seed {seed}: answered without an error: {good[:3]}"
    rpc.end()
