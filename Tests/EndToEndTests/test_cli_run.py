"""Several routes in one process, their rules, and what a supervisor sees."""
import base64
import hashlib
import json
import os
import signal
import socket
import subprocess
import threading
import uuid
from pathlib import Path

import jsonschema
import pytest
from websockets.sync.client import connect as dial

from support.origin import Origin
from support.processes import CULVERT, Agent, new_name
from support.waiting import until

USAGE, CONFLICT = 2, 5
# Root may use every socket, unless it gives that up.
WITHOUT_PRIVILEGE = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
SCHEMA = json.loads((Path(__file__).parents[2] / "Docs" / "culvert-run.schema.json").read_text())


def entry(name, port, **members):
    return {"name": name, "target": port, **members}


class Fleet:
    """A `culvert run FILE` that runs."""

    def __init__(self, account, folder, routes, *words, env=None):
        self.folder, self.file = folder, folder / "routes.json"
        self.log = folder / "run.log"
        self.write(routes)
        self.process = subprocess.Popen(
            [CULVERT, "run", str(self.file), "--json", *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=self.log.open("wb"), env={**account.env, **(env or {})}, text=True)
        self.events, self.lock = [], threading.Lock()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            with self.lock:
                self.events.append(json.loads(line))

    def write(self, routes, text=None):
        self.file.write_text(text if text is not None else json.dumps({"routes": routes}))

    def all(self, event, tunnel=None):
        with self.lock:
            return [e for e in self.events if e["event"] == event and tunnel in (None, e.get("tunnel"))]

    def wait(self, event, tunnel=None, count=1):
        return until(f"{event} of {tunnel}; the log: {self.log.read_text()}", lambda: self.all(event, tunnel)[count - 1:])[0]

    def reload(self, routes, text=None):
        before = len(self.all("reloaded")) + len(self.all("reload-failed"))
        self.write(routes, text)
        self.process.send_signal(signal.SIGHUP)
        until("the file is read again", lambda: len(self.all("reloaded")) + len(self.all("reload-failed")) > before)
        with self.lock:
            return [e for e in self.events if e["event"].startswith("reload")][-1]


@pytest.fixture
def fleet(account, tmp_path):
    made = []

    def make(routes, *words, **options):
        made.append(Fleet(account, tmp_path, routes, *words, **options))
        return made[-1]

    yield make
    for one in made:
        if one.process.poll() is None:
            one.process.kill()
        one.process.wait()


def test_routes_come_change_and_go_while_streams_go_on(service, fleet, origin):
    stays, changes, goes, comes = (new_name() for _ in range(4))
    other, gate = Origin(), threading.Event()

    def slow(exchange):
        exchange.send("HTTP/1.1 200 X\r\nContent-Length: 10\r\n\r\n", b"first")
        gate.wait(30)
        exchange.send(b"-last")

    path = "/slow-" + uuid.uuid4().hex
    origin.on(path, slow)
    run = fleet([entry(stays, origin.port), entry(changes, origin.port), entry(goes, origin.port)])
    for name in (stays, changes, goes):
        run.wait("connected", name)
    with service.secure(f"{changes}.localhost") as wire:
        wire.send(f"GET {path} HTTP/1.1\r\nHost: {changes}.localhost\r\n\r\n".encode())
        until("the stream has begun", lambda: any(e.target == path for e in origin.seen))
        told = run.reload([entry(stays, origin.port), entry(changes, other.port), entry(comes, other.port)])
        assert (told["added"], told["changed"], told["removed"]) == ([comes], [changes], [goes])
        run.wait("connected", comes)
        # The changed route answers anew from another program, and the old stream is whole.
        assert service.get(f"{changes}.localhost", "/from-other").status == 200
        assert "/from-other" in other.targets() and "/from-other" not in origin.targets()
        gate.set()
        assert wire.response("GET").body == b"first-last"
    assert service.get(f"{stays}.localhost").status == 200 and service.get(f"{comes}.localhost").status == 200
    until("the removed route is offline", lambda: service.get(f"{goes}.localhost").reason == "agent-offline")
    assert len(run.all("connected", changes)) == 1, "a change must not connect again"
    other.close()


def test_a_bad_new_file_changes_nothing_and_says_why(service, fleet, origin):
    name = new_name()
    run = fleet([entry(name, origin.port)])
    run.wait("connected", name)
    told = run.reload(None, text='{"routes": [\n  {"name": "x", "target": 99999}]}')
    assert told["event"] == "reload-failed" and ":2:" in told["reason"] and "/routes/0/target" in told["reason"]
    assert service.get(f"{name}.localhost").status == 200


def test_what_a_supervisor_sees(service, fleet, origin, tmp_path):
    name = new_name()
    notes = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notes.bind(str(tmp_path / "notify"))
    notes.settimeout(20)
    urls = tmp_path / "urls"
    run = fleet([entry(name, origin.port)], "--url-file", str(urls), env={"NOTIFY_SOCKET": str(tmp_path / "notify")})
    assert notes.recv(4096).startswith(b"READY=1")
    assert urls.read_text() == f"{name} {run.wait('connected', name)['public_url']}\n"
    run.process.terminate()
    assert notes.recv(4096) == b"STOPPING=1"
    assert run.process.wait(20) == 0 and not urls.exists()
    run.wait("stopped", name)


def test_an_agent_that_is_replaced_says_so_and_exits_with_its_own_status(service, fleet, account, origin):
    name = new_name()
    run = fleet([entry(name, origin.port)])
    run.wait("connected", name)
    second = account.http(origin.port, "--name", name)
    try:
        second.url()
        assert run.process.wait(20) == CONFLICT
        run.wait("superseded", name)
    finally:
        second.stop()


def test_a_lost_service_is_told_as_two_events(make_service, make_route, tmp_path):
    own = make_service()
    route = make_route(own, words=["--json"], name=None)
    assert json.loads(route.url)["event"] == "connecting"
    own.kill()
    seen = []
    while not seen or seen[-1]["event"] != "reconnecting-in":
        seen.append(json.loads(route.agent.url()))
    assert [e["event"] for e in seen if e["event"] != "request"][-2:] == ["disconnected", "reconnecting-in"]
    assert seen[-1]["retry_after_ms"] > 0


def test_the_rules_of_a_route(service, account, origin, tmp_path):
    name, secret = new_name(), "correct horse"
    (tmp_path / "passwords").write_text(
        f"# who may\nops:{secret}\nsha256:{hashlib.sha256(b'dev:battery').hexdigest()}\n")
    agent = account.http(
        origin.port, "--name", name, "--host-header", "app.internal", "--request-header", "X-Env: staging",
        "--remove-request-header", "X-Debug", "--response-header", "X-Served-By: me", "--remove-response-header", "X-Origin",
        "--allow-from", "127.0.0.0/8", "--basic-auth-file", str(tmp_path / "passwords"))
    try:
        agent.url()
        host = f"{name}.localhost"
        refused = service.get(host, "/a", headers=[("Accept", "text/html")])
        assert refused.status == 401 and refused.reason == "password-needed"
        assert refused.header("www-authenticate").startswith("Basic realm=") and b"<!doctype html>" in refused.body
        for pair, status in ((f"ops:{secret}", 200), ("dev:battery", 200), ("ops:wrong", 401)):
            token = base64.b64encode(pair.encode()).decode()
            answer = service.get(host, "/b", headers=[("Authorization", "Basic " + token), ("X-Debug", "1")])
            assert answer.status == status, pair
            if status == 200:
                seen = {k.lower(): v for k, v in json.loads(answer.body)["headers"]}
                assert seen["host"] == "app.internal" and seen["x-env"] == "staging"
                assert "x-debug" not in seen and "authorization" not in seen
                assert answer.header("x-served-by") == "me" and answer.header("x-origin") is None
        assert secret not in " ".join(open(f"/proc/{agent.pid}/cmdline").read().split("\0"))
    finally:
        agent.stop()


def test_who_is_not_in_the_list_is_refused(service, account, origin):
    name = new_name()
    agent = account.http(origin.port, "--name", name, "--allow-from", "192.0.2.0/24")
    try:
        agent.url()
        answer = service.get(f"{name}.localhost", "/not-for-you")
        assert (answer.status, answer.reason) == (403, "address-not-allowed")
        assert "/not-for-you" not in origin.targets()
    finally:
        agent.stop()


def unix_program(path, answers):
    """A program on a Unix socket that says which Host and path it was asked for."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()

    def serve():
        while True:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            reader = peer.makefile("rb")
            head = []
            while (line := reader.readline().strip()):
                head.append(line)
            answers.append(head)
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nunix")
            peer.close()
    threading.Thread(target=serve, daemon=True).start()
    return server


def test_a_unix_socket_is_a_target_and_its_absence_is_told_once(service, account, tmp_path):
    path, answers, name = tmp_path / "app.sock", [], new_name()
    agent = account.http(f"unix:{path}", "--name", name)
    try:
        agent.url()
        host = f"{name}.localhost"
        for target in ("/1", "/2", "/3"):
            answer = service.get(host, target)
            assert (answer.status, answer.reason) == (502, "target-unreachable")
        lines = until("three lines", lambda: [l for l in agent.tail().splitlines() if " 502 " in l][2:] and agent.tail().splitlines())
        assert sum("there is no socket" in line for line in lines) == 1, lines
        server = unix_program(path, answers)
        assert service.get(host, "/here").body == b"unix" and answers[0][0].startswith(b"GET /here ")
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        assert service.get(host, "/gone").reason == "target-unreachable"
        until("the program's end is told", lambda: "nothing listens on unix:" in agent.tail())
    finally:
        agent.stop()


def test_a_unix_socket_that_may_not_be_used_is_told_with_what_to_do(service, account, tmp_path):
    path, name = tmp_path / "locked.sock", new_name()
    server = unix_program(path, [])
    path.chmod(0)
    agent = Agent(account, "http", f"unix:{path}", "--name", name, before=WITHOUT_PRIVILEGE)
    try:
        agent.url()
        answer = service.get(f"{name}.localhost")
        assert (answer.status, answer.reason) == (502, "target-unreachable")
        said = until("the reason is told", lambda: agent.tail() if "permission denied" in agent.tail() else None)
        assert f"unix:{path} may not be used" in said and "group" in said
    finally:
        agent.stop()
        server.close()


def test_a_path_of_the_target_is_put_before_the_request(service, account, origin):
    name = new_name()
    agent = account.http(f"http://127.0.0.1:{origin.port}/base/", "--name", name)
    try:
        agent.url()
        assert service.get(f"{name}.localhost", "/x?y=1").json()["target"] == "/base/x?y=1"
    finally:
        agent.stop()


def test_quiet_is_quiet_and_a_closed_standard_output_hurts_nobody(service, account, origin, tmp_path):
    name, log = new_name(), tmp_path / "agent.log"
    reader, writer = os.pipe()
    agent = subprocess.Popen([CULVERT, "http", str(origin.port), "--name", name, "--json", "--quiet"], stdin=subprocess.DEVNULL,
                             stdout=writer, stderr=log.open("wb"), env=account.env)
    os.close(writer)
    assert b"connecting" in os.read(reader, 4096)
    os.close(reader)
    try:
        until("it is up", lambda: service.get(f"{name}.localhost", "/quiet").status == 200)
        assert service.get(f"{name}.localhost", "/still").status == 200
        assert log.read_bytes() == b""
    finally:
        agent.terminate()
        assert agent.wait(20) == 0


def test_a_second_interruption_ends_at_once_and_leaves_no_url_file(service, account, origin, tmp_path):
    name, path, gate = new_name(), "/held-" + uuid.uuid4().hex, threading.Event()

    def held(exchange):
        exchange.send("HTTP/1.1 200 X\r\nContent-Length: 1\r\n\r\n")
        gate.wait(30)
    origin.on(path, held)
    agent = account.http(origin.port, "--name", name, "--url-file", str(tmp_path / "url"))
    url = agent.url()
    until("the file is there", lambda: (tmp_path / "url").exists())
    assert (tmp_path / "url").read_text() == url + "\n"
    with service.secure(f"{name}.localhost") as wire:
        wire.send(f"GET {path} HTTP/1.1\r\nHost: {name}.localhost\r\n\r\n".encode())
        until("the request is under way", lambda: any(e.target == path for e in origin.seen))
        agent.process.send_signal(signal.SIGINT)
        until("it has stopped taking requests", lambda: service.get(f"{name}.localhost").status == 503)
        agent.process.send_signal(signal.SIGINT)
        assert agent.process.wait(20) == 130
    gate.set()
    assert not (tmp_path / "url").exists()


MISTAKES = [
    ({}, "/", "“routes” is missing"),
    ({"routes": []}, "/routes", "1 to 256"),
    ({"routes": [{"target": 3000}]}, "/routes/0", "“name” is missing"),
    ({"routes": [{"name": "a-name"}]}, "/routes/0", "“target” is missing"),
    ({"routes": [{"name": "X", "target": 3000}]}, "/routes/0/name", ""),
    ({"routes": [{"name": "a-name", "target": 70000}]}, "/routes/0/target", "70000"),
    ({"routes": [{"name": "a-name", "target": 3000, "hostheader": "x"}]}, "/routes/0/hostheader", "unknown here"),
    ({"routes": [{"name": "a-name", "target": 3000, "poolSize": 33}]}, "/routes/0/poolSize", "1 to 32"),
    ({"routes": [{"name": "a-name", "target": 3000, "allowFrom": []}]}, "/routes/0/allowFrom", "nobody"),
    ({"routes": [{"name": "a-name", "target": 3000, "refused": {"status": 200}}]}, "/routes/0/refused/status", "400 to 499"),
    ({"routes": [{"name": "a-name", "target": 3000, "basicAuth": [{"user": "x"}]}]}, "/routes/0/basicAuth/0", "passwordFile"),
    ({"routes": [{"name": "a-name", "target": 3000, "basicAuth": [{"sha256": "x"}]}]}, "/routes/0/basicAuth/0/sha256", "64"),
    ({"routes": [{"name": "a-name", "target": 3000, "request": {"set": {}}}]}, "/routes/0/request/set", "remove, add"),
    ({"routes": [{"name": "a-name", "target": True}]}, "/routes/0/target", "string"),
    ({"route": [], "routes": [{"name": "a-name", "target": 3000}]}, "/route", "unknown here"),
]
# What a schema does not say.
DEEPER = [
    ({"routes": [{"name": "a-name", "target": 3000}, {"name": "a-name", "target": 1}]}, "/routes/1/name", "another route"),
    ({"routes": [{"name": "a-name", "target": "http://192.0.2.1"}]}, "/routes/0/target", '"allowRemote": true'),
    ({"routes": [{"name": "a-name", "target": "https://localhost"}]}, "/routes/0/target", "https"),
    ({"routes": [{"name": "a-name", "target": 3000, "hostHeader": "a b"}]}, "/routes/0/hostHeader", "Host"),
    ({"routes": [{"name": "a-name", "target": 3000, "allowFrom": ["10.0.0.1/8"]}]}, "/routes/0/allowFrom/0", "no range"),
    ({"routes": [{"name": "a-name", "target": 3000, "request": {"add": {"Host": "x"}}}]}, "/routes/0/request/add/Host", "hostHeader"),
    ({"routes": [{"name": "a-name", "target": 3000, "response": {"remove": ["a b"]}}]}, "/routes/0/response/remove/0", "no name"),
    ({"routes": [{"name": "a-name", "target": 3000, "basicAuth": [{"user": "x", "passwordFile": "none"}]}]},
     "/routes/0/basicAuth/0/passwordFile", "cannot be read"),
]


def check(account, file):
    return subprocess.run([CULVERT, "check", str(file)], capture_output=True, text=True, timeout=30, env=account.env)


@pytest.mark.parametrize("document,place,words", MISTAKES + DEEPER)
def test_check_tells_each_mistake_with_its_place(account, tmp_path, document, place, words):
    file = tmp_path / "routes.json"
    file.write_text(json.dumps(document, indent=1))
    out = check(account, file)
    assert out.returncode == USAGE and out.stdout == ""
    line = next((l for l in out.stderr.splitlines() if l.startswith(str(file) + ":") and f" {place}: " in l), None)
    assert line and words in line, out.stderr


@pytest.mark.parametrize("document", [document for document, _, _ in MISTAKES])
def test_the_schema_knows_the_same_mistakes(document):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, SCHEMA)


def test_check_and_schema_accept_what_is_right(account, tmp_path):
    (tmp_path / "password").write_text("secret\n")
    document = {
        "$schema": "culvert-run.schema.json", "server": "https://tunnels.example", "apiKeyFile": "key", "caFile": "ca.pem",
        "edge": "127.0.0.1:8443",
        "routes": [{
            "name": "a-name", "target": "unix:/run/app.sock", "allowRemote": False, "poolSize": 4, "hostHeader": "preserve",
            "request": {"remove": ["X-A"], "add": {"X-B": "1"}}, "response": {"add": {"X-C": "2"}},
            "allowFrom": ["192.0.2.0/24", "2001:db8::1"], "refused": {"status": 404, "text": "no"},
            "basicAuth": [{"user": "ops", "passwordFile": "password"}, {"sha256": "0" * 64}]},
            {"name": "other", "target": 3000}]}
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(document, SCHEMA)
    file = tmp_path / "routes.json"
    file.write_text(json.dumps(document))
    out = check(account, file)
    assert out.returncode == 0 and "2 routes, no mistakes" in out.stdout, out


def test_what_is_no_json_is_told_with_its_place(account, tmp_path):
    (tmp_path / "routes.json").write_text('{"routes": [\n  {"name": }]}')
    out = check(account, tmp_path / "routes.json")
    assert out.returncode == USAGE and "routes.json:2:" in out.stderr
    assert check(account, tmp_path / "none.json").returncode == USAGE


@pytest.mark.parametrize("words", [
    ["--host-header", "a b"], ["--request-header", "no-colon"], ["--request-header", "Host: x"], ["--allow-from", "10.0.0.1/8"],
    ["--basic-auth-file", "/nonexistent"], ["--quiet", "--verbose"], ["--response-header", "Content-Length: 1"]])
def test_a_wrong_rule_is_told_before_anything_is_served(account, words):
    out = account.run("http", "3000", *words)
    assert out.returncode == USAGE and out.stdout == "" and out.stderr.strip()
