"""What a route can do: programs, HTTP, JSON-RPC, filters, order, deadlines, the dead letter, and what people ask for."""
import json
import os
import signal
import socket
import threading
import time

import jsonschema
import pytest
import standardwebhooks

from support.hooks import CULVERT_HOOK, Hook, github, github_route, script
from support.origin import Origin
from support.rpc import RPC
from support.waiting import until


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


def push(hook, members, target="/github", **fields):
    body = json.dumps(members).encode()
    return hook.post(target, body, {**github(body), **fields})


def test_a_program_gets_the_payload_and_chosen_fields_and_nothing_of_the_environment(make_hook, tmp_path):
    action = {"exec": ["/bin/sh", "-c", 'env; echo "[$0] [$1]"; pwd; cat; echo; id -un', "$(echo no) ; no", "`no`"],
              "env": {"REF": {"json": "/ref"}, "EVENT": {"header": "X-GitHub-Event"}, "WORD": "a b", "MISSING": {"json": "/none"}},
              "directory": str(tmp_path), "user": "nobody"}
    tmp_path.chmod(0o755)
    for folder in tmp_path.parents:
        if not folder.stat().st_mode & 0o001:
            action.pop("user")  # only root can become another user, and only where that user may enter
            break
    hook = make_hook([github_route(action)], env={"SECRET_OF_THE_LISTENER": "s3cret"})
    assert push(hook, {"ref": "$(touch /x) `y` \n\"z"}).status == 202
    run, = hook.settled()
    assert run["state"] == "succeeded", run
    assert "s3cret" not in run["output"]
    expected = ["EVENT=push", "HOOK_ATTEMPT=1", "HOOK_EVENT_ID=1", "HOOK_ROUTE=github", "HOOK_RUN_ID=1", "MISSING=", "WORD=a b",
                "[$(echo no) ; no] [`no`]"]
    assert all(line in run["output"].splitlines() for line in expected), run["output"]
    assert 'REF=$(touch /x) `y` \n"z' in run["output"]
    assert str(tmp_path) in run["output"].splitlines()
    if "user" in action:
        assert run["output"].splitlines()[-1] == "nobody"


def test_failures_are_tried_again_then_dead_then_retried_or_dropped(make_hook, tmp_path):
    text = '#!/bin/sh\necho "$HOOK_ATTEMPT" >> "$DIR/attempts"\n[ -e "$DIR/good" ] || { echo no; exit 3; }\n'
    action = {"exec": [script(tmp_path, text)], "env": {"DIR": str(tmp_path)}, "finalExitCodes": [9]}
    final = {"exec": ["/bin/sh", "-c", "exit 9"], "finalExitCodes": [9]}
    verify = {"kind": "none"}
    hook = make_hook([github_route(action, retries={"attempts": 3, "firstSeconds": 0.05, "jitter": 0}),
                      {"name": "final", "path": "/final", "verify": verify, "action": final},
                      {"name": "slow", "path": "/slow", "verify": verify, "timeoutSeconds": 1, "retries": {"attempts": 1},
                       "action": {"exec": ["/bin/sh", "-c", "sleep 60"], "killGraceSeconds": 0}}])
    assert push(hook, {}).status == 202
    assert hook.post("/final", b"").status == 202
    assert hook.post("/slow", b"").status == 202
    by_route = {r["route"]: r for r in hook.settled()}
    assert lines(tmp_path / "attempts") == ["1", "2", "3"]
    assert [(by_route[n]["state"], by_route[n]["death"], by_route[n]["attempts"], by_route[n]["detail"]) for n in ("github", "final", "slow")] == [
        ("dead", "attempts_spent", 3, "exit 3"), ("dead", "refused", 1, "exit 9"), ("dead", "attempts_spent", 1, "timed out, killed")]
    shown = hook.ask("runs", "show", str(by_route["github"]["id"]))[0]
    assert [a["detail"] for a in shown["attempts_made"]] == ["exit 3"] * 3 and shown["output"] == "no\n"
    assert len(hook.ask("dead", "list")) == 3
    (tmp_path / "good").touch()
    assert hook.ask("dead", "retry", str(by_route["github"]["id"])) == [{"done": "retry", "run": by_route["github"]["id"]}]
    assert hook.ask("dead", "drop", str(by_route["final"]["id"]))
    states = {r["route"]: r["state"] for r in hook.settled()}
    assert states == {"github": "succeeded", "final": "dropped", "slow": "dead"}
    out = hook.command("dead", "retry", str(by_route["github"]["id"]), "--data", hook.config["data"])
    assert out.returncode == 5 and "not in the dead letter" in out.stderr
    assert hook.command("runs", "show", "99", "--data", hook.config["data"]).returncode == 4
    # The same without a listener.
    hook.stop()
    assert hook.ask("dead", "drop", str(by_route["slow"]["id"]))
    assert hook.ask("dead", "list") == []


def test_a_person_cancels_reruns_and_replays(make_hook, tmp_path):
    action = {"exec": [script(tmp_path, '#!/bin/sh\necho x >> "$DIR/begun"; [ -e "$DIR/go" ] || sleep 1000\n')], "env": {"DIR": str(tmp_path)},
              "killGraceSeconds": 0}
    hook = make_hook([github_route(action)])
    assert push(hook, {}).status == 202
    until("it runs", lambda: lines(tmp_path / "begun"))
    assert push(hook, {"second": 1}).status == 202
    assert hook.ask("runs", "cancel", "2") and hook.ask("runs", "cancel", "1")
    assert {r["state"] for r in hook.settled()} == {"cancelled"}
    (tmp_path / "go").touch()
    assert hook.ask("runs", "rerun", "1") == [{"done": "rerun", "run": 3}]
    assert hook.ask("events", "replay", "2") == [{"done": "replay", "run": 4}]
    runs = {r["id"]: (r["event"], r["state"]) for r in hook.settled()}
    assert runs == {1: (1, "cancelled"), 2: (2, "cancelled"), 3: (1, "succeeded"), 4: (2, "succeeded")}
    assert len(lines(tmp_path / "begun")) == 3


def test_runs_of_one_key_keep_their_order_and_others_go_beside_them(make_hook, tmp_path):
    text = '#!/bin/sh\necho "$KEY $N" >> "$DIR/order"\n[ "$KEY $N $HOOK_ATTEMPT" = "a 0 1" ] && exit 1\nsleep 0.02\nexit 0\n'
    action = {"exec": [script(tmp_path, text)], "env": {"DIR": str(tmp_path), "KEY": {"json": "/key"}, "N": {"json": "/n"}}}
    hook = make_hook([github_route(action, orderBy="/key", concurrency=8, retries={"firstSeconds": 0.3})])
    for n in range(5):
        for key in "abc":
            assert push(hook, {"key": key, "n": n}).status == 202
    assert {r["state"] for r in hook.settled()} == {"succeeded"}
    order = [line.split() for line in lines(tmp_path / "order")]
    assert [n for key, n in order if key == "a"] == list("001234")
    assert [[n for key, n in order if key == k] for k in "bc"] == [list("01234")] * 2
    assert [key for key, _ in order].index("b") < len(order) - 6, "the pause of one key held the others up"


def test_filters_routes_methods_and_unknown_paths(make_hook):
    when = {"all": [{"header": "x-github-event", "equals": "push"}, {"json": "/ref", "matches": "^refs/heads/(main|rel-.*)$"},
                    {"not": {"query": "dry", "exists": True}}]}
    hook = make_hook([github_route({"exec": ["/bin/true"]}, when=when, methods=["POST", "PUT"])])
    assert push(hook, {"ref": "refs/heads/main"}).status == 202
    assert push(hook, {"ref": "refs/heads/other"}).status == 202
    assert push(hook, {"ref": "refs/heads/main"}, **{"x-github-event": "ping"}).status == 202
    assert push(hook, {"ref": "refs/heads/main"}, target="/github?dry=1").status == 202
    assert len(hook.settled()) == 1
    assert [e["wanted"] for e in hook.ask("events", "list")] == [False, False, False, True]
    assert hook.post("/nothing", b"").status == 404
    answer = hook.request("GET", "/github")
    assert (answer.status, answer.headers["allow"]) == (405, "POST, PUT")
    assert 'culvert_hook_events_total{route="github",outcome="filtered"} 3' in hook.request("GET", "/metrics").text


def test_a_sender_gets_the_actions_own_answer_when_it_comes_in_time(make_hook):
    verify, wait = {"kind": "none"}, {"waitSeconds": 1}
    hook = make_hook([
        {"name": "quick", "path": "/quick", "verify": verify, "action": {"exec": ["/bin/cat"]}, "response": {"waitSeconds": 30}},
        {"name": "slow", "path": "/slow", "verify": verify, "action": {"exec": ["/bin/sh", "-c", "sleep 3"]}, "response": wait},
        {"name": "bad", "path": "/bad", "verify": verify, "action": {"exec": ["/bin/false"]}, "retries": {"attempts": 1},
         "response": {"waitSeconds": 30}},
        {"name": "fixed", "path": "/fixed", "verify": verify, "action": {"exec": ["/bin/true"]},
         "response": {"status": 200, "body": "<Response/>", "contentType": "application/xml"}}])
    answer = hook.post("/quick", b"echo me")
    assert (answer.status, answer.text) == (200, "echo me")
    assert hook.post("/slow", b"").status == 202
    assert hook.post("/bad", b"").status == 502
    answer = hook.post("/fixed", b"")
    assert (answer.status, answer.text, answer.headers["content-type"]) == (200, "<Response/>", "application/xml")


def test_events_are_handed_on_signed_anew_and_never_to_this_machine_unless_allowed(make_hook, origin):
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    sign = {"kind": "standard-webhooks", "secrets": [{"value": secret}]}
    got, busy = [], [503, 200]

    def script(exchange):
        got.append((dict((n.lower(), v) for n, v in exchange.headers), exchange.body()))
        exchange.answer(busy.pop(0) if busy else 200)

    origin.on("/take", script)
    origin.on("/gone", lambda exchange: (exchange.body(), exchange.answer(410)))
    url = f"http://127.0.0.1:{origin.port}"
    verify, retries = {"kind": "none", "deliveryID": {"header": "x-id"}}, {"firstSeconds": 0.05}
    route = lambda name, target, **more: {"name": name, "path": "/" + name, "verify": verify, "retries": retries,
                                          "action": {"http": {"url": url + target, **more}}}
    hook = make_hook([route("on", "/take", sign=sign, forward=["X-Kept"], headers={"x-added": "1"}, allowPrivate=True),
                      route("gone", "/gone", allowPrivate=True), route("guarded", "/take"),
                      {**route("named", "/"), "action": {"http": {"url": f"http://localhost:{origin.port}/take"}}}])
    fields = {"x-id": "d1", "x-kept": "yes", "x-dropped": "no", "content-type": "application/json"}
    for name in ("on", "gone", "guarded", "named"):
        assert hook.post("/" + name, b'{"a":1}', fields).status == 202
    runs = {r["route"]: (r["state"], r["attempts"]) for r in hook.settled()}
    assert runs == {"on": ("succeeded", 2), "gone": ("dead", 1), "guarded": ("dead", 1), "named": ("dead", 1)}
    assert len(got) == 2
    for headers, body in got:
        assert standardwebhooks.Webhook(secret).verify(body, headers) == {"a": 1}
        assert (headers["x-kept"], headers["x-added"], headers["webhook-id"]) == ("yes", "1", "d1") and "x-dropped" not in headers
        assert headers["host"] == f"127.0.0.1:{origin.port}"


def test_of_an_answer_so_much_is_kept_and_the_rest_is_not_read(make_hook, origin):
    default, dropped = 64 * 1024, threading.Event()

    def endless(exchange):
        exchange.body()
        exchange.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            while True:
                exchange.send(b"10000\r\n" + b"e" * 65536 + b"\r\n")
        except OSError:
            dropped.set()

    def answer(status, size):
        return lambda exchange: (exchange.body(), exchange.answer(status, body="a" * size))

    cases = {"fits": (200, default, {}), "over": (201, default + 1, {}), "busy": (503, default + 1, {}), "final": (410, 9, {"outputBytes": 8}),
             "nothing": (200, 1, {"outputBytes": 0}), "empty": (204, 0, {"outputBytes": 0}), "most": (200, 1 << 20, {"outputBytes": 1 << 20})}
    for name, (status, size, _) in cases.items():
        origin.on("/" + name, answer(status, size))
    origin.on("/endless", endless)
    route = lambda name, more: {
        "name": name, "path": "/" + name, "verify": {"kind": "none"}, "retries": {"attempts": 1},
        "action": {"http": {"url": f"http://127.0.0.1:{origin.port}/{name}", "allowPrivate": True, **more}}}
    hook = make_hook([route(name, more) for name, (_, _, more) in cases.items()] + [route("endless", {})])
    for name in (*cases, "endless"):
        assert hook.post("/" + name, b"{}").status == 202
    runs = {r["route"]: (r["state"], r["detail"], len(r["output"])) for r in hook.settled()}
    kept = "of whose answer the first {} bytes are kept".format
    assert runs == {
        "fits": ("succeeded", "HTTP 200", default), "over": ("succeeded", f"HTTP 201, {kept(default)}", default),
        "busy": ("dead", f"HTTP 503, {kept(default)}", default), "final": ("dead", f"HTTP 410, {kept(8)}", 8),
        "nothing": ("succeeded", f"HTTP 200, {kept(0)}", 0), "empty": ("succeeded", "HTTP 204", 0),
        "most": ("succeeded", "HTTP 200", 1 << 20), "endless": ("succeeded", f"HTTP 200, {kept(default)}", default)}
    assert dropped.wait(30), "an answer without end is still read"


def test_a_json_rpc_program_is_kept_running_and_answers(make_hook, tmp_path):
    program = script(tmp_path, """#!/usr/bin/env python3
import json, os, sys
open(os.path.join(os.environ["DIR"], "started"), "a").write("x\\n")
for line in sys.stdin:
    call = json.loads(line)
    what = call["params"]["payload"].get("what")
    if what == "die" and call["params"]["attempt"] == 1:
        sys.exit(1)
    print("a log line that is no answer")
    if what == "refuse":
        answer = {"error": {"code": -32602, "message": "no such thing"}}
    else:
        answer = {"result": {"method": call["method"], "got": call["params"]["payload"]}}
    if "id" in call:
        print(json.dumps({"jsonrpc": "2.0", "id": call["id"], **answer}), flush=True)
    else:
        open(os.path.join(os.environ["DIR"], "told"), "a").write(what + "\\n")
""")
    rpc = {"command": [program], "method": "hook.event", "env": {"DIR": str(tmp_path)}}
    verify = {"kind": "none"}
    hook = make_hook([{"name": "call", "path": "/call", "verify": verify, "action": {"rpc": rpc}, "retries": {"firstSeconds": 0.05},
                       "response": {"waitSeconds": 30}},
                      {"name": "tell", "path": "/tell", "verify": verify, "action": {"rpc": {**rpc, "notify": True}}}])
    for _ in range(3):
        assert json.loads(hook.post("/call", b'{"what":"x"}').text) == {"method": "hook.event", "got": {"what": "x"}}
    assert len(lines(tmp_path / "started")) == 1
    assert hook.post("/call", b'{"what":"refuse"}').status == 502
    hook.post("/call", b'{"what":"die"}')
    assert hook.post("/tell", b'{"what":"told"}').status == 202
    until("it was told", lambda: lines(tmp_path / "told") == ["told"])
    states = sorted((r["state"], r["detail"], r["attempts"]) for r in hook.settled())
    assert states == [("dead", "error: no such thing", 1), ("succeeded", "answered", 1), ("succeeded", "answered", 1), ("succeeded", "answered", 1),
                      ("succeeded", "answered", 2), ("succeeded", "sent", 1)]


def test_a_client_of_culvert_rpc_is_told_of_an_event_and_the_run_knows_whether_it_was(make_hook, tmp_path):
    """The editor or the model that runs tunnels hears of webhooks; while nobody listens the run waits for its next attempt."""
    path = tmp_path / "rpc.sock"
    to_client = {"rpc": {"socket": str(path), "method": "hook.received"}}
    verify = {"kind": "github", "secrets": [{"value": "github-secret"}]}
    patient = {"attempts": 100, "firstSeconds": 0.5, "factor": 1}
    hook = make_hook([github_route(to_client, retries=patient),
                      {"name": "tell", "path": "/tell", "verify": verify, "action": {"rpc": {**to_client["rpc"], "notify": True}}},
                      {"name": "reserved", "path": "/reserved", "verify": verify, "action": {"rpc": {"socket": str(path), "method": "rpc.discover"}}}])
    assert push(hook, {"ref": "main"}).status == 202
    first = until("an attempt has failed", lambda: hook.ask("runs", "show", "1")[0]["attempts_made"])[0]
    assert "nobody listens" in first["detail"] and not first["succeeded"]
    rpc = RPC(None, "--notify-socket", str(path))
    try:
        rpc.call("agent.list")  # a client that has called nothing yet is told nothing
        told = rpc.notice("event", type="hook.received")
        assert (told["trust"], told["event"]["route"], told["event"]["payload"]) == ("untrusted", "github", {"ref": "main"})
        assert push(hook, {"n": 2}, target="/tell").status == 202
        assert rpc.notice("event", type="hook.received")["event"]["payload"] == {"n": 2}
        assert push(hook, {}, target="/reserved").status == 202
        runs = {r["route"]: (r["state"], r["detail"], r["output"]) for r in hook.settled()}
        assert runs["github"][0] == "succeeded" and json.loads(runs["github"][2]) == {"is_told": True}
        assert runs["tell"] == ("succeeded", "sent", "")
        assert runs["reserved"][0] == "dead" and "no type of an event" in runs["reserved"][1], "it would be refused every time"
    finally:
        rpc.kill()


def test_a_reload_keeps_the_programs_of_routes_that_stay_and_ends_those_of_others(make_hook, tmp_path):
    program = script(tmp_path, """#!/usr/bin/env python3
import json, os, sys
for line in sys.stdin:
    print(json.dumps({"jsonrpc": "2.0", "id": json.loads(line)["id"], "result": os.getpid()}), flush=True)
""")
    route = lambda name: {"name": name, "path": "/" + name, "verify": {"kind": "none"}, "response": {"waitSeconds": 30},
                          "action": {"rpc": {"command": [program], "method": "m"}}}
    hook = make_hook([route("stays"), route("goes")])
    stays, goes = (int(hook.post(path, b"{}").text) for path in ("/stays", "/goes"))
    del hook.config["routes"][1]
    hook.write()
    hook.process.send_signal(signal.SIGHUP)
    until("the program of the route that is gone has ended", lambda: not os.path.exists(f"/proc/{goes}"))
    assert int(hook.post("/stays", b"{}").text) == stays


def test_control_plane_actions_rotate_restore_and_revoke(make_hook, make_service, tmp_path):
    service = make_service()
    first, second = service.tunnel(), service.tunnel()
    key, ca = {"value": service.key}, service.ca
    common = {"server": f"https://localhost:{service.https_port}", "apiKey": key, "caFile": ca, "subject": {"json": "/tunnel"}}
    verify = {"kind": "none"}
    route = lambda act, **more: {"name": act, "path": "/" + act, "verify": verify, "action": {"culvert": {"do": act, **common, **more}}}
    secret_file = tmp_path / "new-secret"
    hook = make_hook([route("rotate-connect-secret", secretFile=str(secret_file)), route("delete-tunnel"), route("restore-tunnel"),
                      {**route("rotate-connect-secret", secretFile=str(tmp_path / "no" / "secret")), "name": "nowhere", "path": "/nowhere",
                       "retries": {"attempts": 1}}])
    post = lambda act, tunnel: hook.post("/" + act, json.dumps({"tunnel": tunnel}).encode()).status
    assert post("rotate-connect-secret", first.name) == 202
    assert post("delete-tunnel", second.name) == 202
    assert post("rotate-connect-secret", "no-such-tunnel") == 202
    hook.settled()
    assert service.call("GET", f"/api/v1/tunnels/{second.id}").json()["status"] == "delete_pending"
    assert post("restore-tunnel", second.id) == 202
    states = sorted(r["state"] for r in hook.settled())
    assert states == ["dead", "succeeded", "succeeded", "succeeded"], hook.runs()
    assert post("nowhere", first.name) == 202
    assert "cannot be written" in next(r["detail"] for r in hook.settled() if r["route"] == "nowhere")
    rotations = service.call("GET", "/api/v1/audit-events?action=secret.rotate").json()["audit_events"]
    assert len(rotations) == 1, "without a place for the new secret the old one must stay"
    new = secret_file.read_text().strip()
    assert new and new != first.secret and secret_file.stat().st_mode & 0o777 == 0o600
    assert service.call("GET", f"/api/v1/tunnels/{second.id}").json()["status"] == "active"
    assert new not in hook.tail(None) and service.key not in hook.tail(None)


@pytest.fixture
def silent_origin():
    """One of the test's own: its paths are those of the API, which other tests ask the shared one for."""
    own = Origin()
    yield own
    own.close()


@pytest.mark.parametrize("kind", ["http", "culvert", "rpc", "socket", "exec"])
def test_a_cancelled_attempt_ends_at_once_whatever_its_action_waits_for(make_hook, silent_origin, tmp_path, kind):
    """Every action waits for something that never comes, far longer than this test may take."""
    arrived, dropped = threading.Event(), threading.Event()

    def never_answer(exchange):
        exchange.body()
        arrived.set()
        if exchange.wait_until_dropped(80):
            dropped.set()

    for path in ("/never-answers", "/api/v1/tunnels", "/api/v1/api-keys/k"):
        silent_origin.on(path, never_answer)

    def take_and_never_answer(listener):
        with listener.accept()[0] as peer:
            peer.recv(4096)
            arrived.set()
            if not peer.recv(4096):
                dropped.set()

    path = tmp_path / "silent.sock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(8)
    for _ in range(2):
        threading.Thread(target=take_and_never_answer, args=(listener,), daemon=True).start()
    server = f"http://127.0.0.1:{silent_origin.port}"
    silent = script(tmp_path, '#!/bin/sh\nread -r line; echo x > "$DIR/arrived"; while :; do sleep 1000; done\n')
    action = {"http": {"http": {"url": server + "/never-answers", "allowPrivate": True}},
              "culvert": {"culvert": {"do": "revoke-api-key", "server": server, "apiKey": {"value": "k"}, "subject": "k"}},
              "rpc": {"rpc": {"command": [silent], "method": "m", "env": {"DIR": str(tmp_path)}}},
              "socket": {"rpc": {"socket": str(path), "method": "m"}},
              "exec": {"exec": [silent], "env": {"DIR": str(tmp_path)}, "killGraceSeconds": 0}}[kind]
    hook = make_hook([{"name": "r", "path": "/r", "verify": {"kind": "none"}, "action": action, "timeoutSeconds": 600}])
    assert hook.post("/r", b"{}\n").status == 202
    until("the attempt is under way", lambda: arrived.is_set() or (tmp_path / "arrived").exists())
    assert hook.ask("runs", "cancel", "1") == [{"done": "cancel", "run": 1}]
    metric = 'culvert_hook_run_attempts_total{route="r",outcome="cancelled"} 1'
    until("the attempt has ended", lambda: metric in hook.request("GET", "/metrics").text)
    until("it is in the history", lambda: hook.ask("runs", "show", "1")[0]["attempts_made"])
    run = hook.ask("runs", "show", "1")[0]
    assert (run["state"], run["attempts"]) == ("cancelled", 1)
    assert [a["detail"] for a in run["attempts_made"]] == ["cancelled"]
    if kind in ("http", "culvert", "socket"):
        assert dropped.wait(60), "the request goes on"
    # Its place is free again: the next one begins.
    arrived.clear()
    (tmp_path / "arrived").unlink(missing_ok=True)
    assert hook.post("/r", b"{}\n").status == 202
    until("the next attempt is under way", lambda: arrived.is_set() or kind == "rpc" or (tmp_path / "arrived").exists())
    # A second SIGTERM does not wait for what runs; it does not count as an attempt, and is due at the next start.
    hook.process.send_signal(signal.SIGTERM)
    until("it stops", lambda: hook.notes("hook.stopping"))
    assert hook.process.poll() is None
    assert hook.stop() == 0
    run = hook.ask("runs", "show", "2")[0]
    assert (run["state"], run["attempts"], run["detail"]) == ("waiting", 0, "stopped with the listener")


def test_a_reload_drops_nothing_and_a_mistake_changes_nothing(make_hook, tmp_path):
    action = {"exec": [script(tmp_path, '#!/bin/sh\necho x >> "$DIR/begun"; while [ ! -e "$DIR/go" ]; do sleep 0.02; done\n')],
              "env": {"DIR": str(tmp_path)}}
    hook = make_hook([github_route(action)])
    assert push(hook, {"n": 1}).status == 202 and push(hook, {"n": 2}).status == 202
    until("the first one runs", lambda: lines(tmp_path / "begun"))
    hook.config["routes"].append({"name": "new", "path": "/new", "verify": {"kind": "none"}, "action": {"exec": ["/bin/true"]}})
    hook.write()
    hook.process.send_signal(signal.SIGHUP)
    until("the file is read again", lambda: hook.notes("config.reloaded"))
    assert hook.post("/new", b"").status == 202
    hook.file.write_text('{"routes": []}')
    hook.process.send_signal(signal.SIGHUP)
    until("the mistake is told", lambda: hook.notes("config.refused"))
    assert hook.post("/new", b"").status == 202
    (tmp_path / "go").touch()
    runs = hook.settled()
    assert len(runs) == 4 and {r["state"] for r in runs} == {"succeeded"}


def test_every_preset_of_init_works_and_fits_the_schema(tmp_path):
    schema = json.loads(Hook(tmp_path, []).command("schema").stdout)
    for preset in ("github", "gitlab", "stripe", "slack", "shopify", "twilio", "inkbox", "standard-webhooks", "svix", "culvert", "bearer", "basic"):
        folder = tmp_path / preset
        folder.mkdir()
        hook = Hook(folder, [])
        hook.file.unlink()
        out = hook.command("init", preset, "--output", str(hook.file))
        assert out.returncode == 0, out.stderr
        assert hook.command("init", preset, "--output", str(hook.file)).returncode == 1, "a file that is there was written over"
        hook.config = json.loads(hook.file.read_text())
        jsonschema.validate(hook.config, schema)
        hook.config["listen"], hook.config["data"] = [f"127.0.0.1:{hook.port}"], str(folder / "data")
        hook.write()
        assert hook.command("check", str(hook.file)).stdout == "1 route, no mistake\n"
        hook.start()
        try:
            payload = folder / "payload"
            payload.write_text("{}")
            type = "application/x-www-form-urlencoded" if preset == "twilio" else "application/json"
            payload.write_text("a=b" if preset == "twilio" else "{}")
            out = hook.command("send", "--as", preset, "--config", str(hook.file), "--content-type", type, "--url",
                               f"http://127.0.0.1:{hook.port}/{preset}", str(payload))
            assert out.stdout.startswith("HTTP 202"), (preset, out.stdout, out.stderr)
        finally:
            hook.kill()


@pytest.mark.parametrize("text,place,words", [
    ("{", "1:2", "the text ends"), ('{"data": 1, "routes": [{}]}', "1:10", "a string is needed"),
    ('{"data": "d",\n "routes": [{"name": "a", "path": "/a", "verify": {"kind": "none"}, "action": {"exec": "ls -l"}}]}', "2:88", "no shell"),
    ('{"data": "d", "routes": [{"name": "a", "path": "/a", "action": {"exec": ["/bin/true"]}}]}', "1:26", "“verify” is missing"),
])
def test_check_says_what_is_wrong_and_where(tmp_path, text, place, words):
    hook = Hook(tmp_path, [])
    hook.file.write_text(text)
    out = hook.command("check", str(hook.file))
    assert out.returncode == 2 and f"{hook.file}:{place}: " in out.stderr and words in out.stderr, out.stderr
